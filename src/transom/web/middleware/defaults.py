"""The layers every site has unless it says otherwise."""

from __future__ import annotations

from typing import TYPE_CHECKING

from transom.web.middleware.csrf import csrf
from transom.web.middleware.hosts import allowed_hosts
from transom.web.middleware.security import security_headers

if TYPE_CHECKING:
    from transom.web.middleware.base import Middleware

DEFAULT_MIDDLEWARE: tuple[Middleware, ...] = (security_headers, allowed_hosts, csrf)
"""The default layers, outermost first; a site's own come behind them: `[*DEFAULT_MIDDLEWARE, mine]`.

Outermost are the headers, so that they are on every answer, those of the other layers included.
"""
