"""Decorators of views, for functions, for the methods of class-based views, and for whole classes: `View.decorators`."""

from transom.views.decorators.cache import cache_control, never_cache
from transom.views.decorators.http import (
    condition,
    conditional_page,
    etag,
    last_modified,
    require_GET,
    require_http_methods,
    require_POST,
    require_safe,
)
from transom.views.decorators.vary import vary_on_cookie, vary_on_headers

__all__ = [
    "cache_control",
    "condition",
    "conditional_page",
    "etag",
    "last_modified",
    "never_cache",
    "require_GET",
    "require_POST",
    "require_http_methods",
    "require_safe",
    "vary_on_cookie",
    "vary_on_headers",
]
