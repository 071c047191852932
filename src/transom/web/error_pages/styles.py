"""Style sheets of the error pages: package data, put into the page itself."""

from __future__ import annotations

from base64 import b64encode
from functools import cache
from hashlib import sha256
from importlib.resources import files


@cache
def load_style(name: str) -> str:
    """Return the text of a style sheet of this folder."""
    return files(__package__ or "transom.web.error_pages").joinpath(name).read_text("utf-8")


@cache
def content_security_policy(name: str) -> str:
    """Return a policy under which the page may use this style sheet inline and load or run nothing at all."""
    digest = b64encode(sha256(load_style(name).encode()).digest()).decode("ascii")
    return (
        f"default-src 'none'; style-src 'sha256-{digest}'; base-uri 'none'; form-action 'none'; "
        "frame-ancestors 'none'"
    )
