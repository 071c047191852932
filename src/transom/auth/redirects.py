"""Where a login leads: back to the page that asked for it, as long as that is on this site."""

from __future__ import annotations

from typing import TYPE_CHECKING
from urllib.parse import urlencode

from transom.web import BadRequest, RedirectResponse, redirect, reverse

if TYPE_CHECKING:
    from transom.web import Request

NEXT = "next"
MAX_NEXT_LENGTH = 2048  # what browsers and proxies agree to carry


def resolve_url(to: str) -> str:
    """Return a path as it is, and the path of a route by its name."""
    return to if to.startswith("/") else reverse(to)


def find_next(request: Request, default: str) -> str:
    """Return the path in the query's `next`; the default where there is none, or where it may lead off this site.

    Args:
        request: the request for the login page.
        default: path or name of a route.
    """
    wanted = request.query.get(NEXT, "")
    if wanted.startswith("/") and len(wanted) <= MAX_NEXT_LENGTH:
        try:
            return redirect(wanted).url
        except BadRequest:  # `//evil.example`, `/\evil.example`, control characters
            pass
    return resolve_url(default)


def redirect_to_login(request: Request) -> RedirectResponse:
    """Send a visitor to the login page, and from there back to what was asked for.

    What was asked for by another method than GET is not asked for again: there is no body to repeat it with.
    """
    login_url = resolve_url(request.app.settings.login_url)
    if request.method not in ("GET", "HEAD"):
        return RedirectResponse(login_url, 303)
    return RedirectResponse(f"{login_url}?{urlencode({NEXT: request.full_path}, safe='/')}")
