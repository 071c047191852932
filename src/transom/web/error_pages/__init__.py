"""The HTML of the error pages, built from plain strings so that it works when nothing else does."""

from transom.web.error_pages.plain import render_plain_page
from transom.web.error_pages.redaction import HIDDEN, hide_in_text, show_pairs
from transom.web.error_pages.styles import content_security_policy
from transom.web.error_pages.technical import RouteRow, Table, render_technical_404, render_technical_500
from transom.web.error_pages.traceback import ExceptionView, describe_exception

__all__ = [
    "HIDDEN",
    "ExceptionView",
    "RouteRow",
    "Table",
    "content_security_policy",
    "describe_exception",
    "hide_in_text",
    "render_plain_page",
    "render_technical_404",
    "render_technical_500",
    "show_pairs",
]
