"""Middleware: layers around every view, and those that are there by default."""

from transom.web.middleware.base import CallNext, Middleware, compose
from transom.web.middleware.csrf import csrf, csrf_exempt
from transom.web.middleware.defaults import DEFAULT_MIDDLEWARE
from transom.web.middleware.hosts import allowed_hosts
from transom.web.middleware.security import security_headers

__all__ = [
    "DEFAULT_MIDDLEWARE",
    "CallNext",
    "Middleware",
    "allowed_hosts",
    "compose",
    "csrf",
    "csrf_exempt",
    "security_headers",
]
