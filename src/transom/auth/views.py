"""Logging in and out: `path("accounts/", include("transom.auth.urls"))`.

The page is `auth/login.html`, which a site overrides by a template of that name; it gets `form`.
"""

from __future__ import annotations

import logging
from math import ceil
from typing import TYPE_CHECKING

from transom.auth.authentication import authenticate, login, logout
from transom.auth.forms import AuthenticationForm
from transom.auth.redirects import find_next, resolve_url
from transom.auth.throttle import login_throttle
from transom.web import RedirectResponse, render

if TYPE_CHECKING:
    from transom.auth.models import User
    from transom.web import Request, Response

# One sentence for an unknown name, a wrong password and an account that is off: none of it is a stranger's business.
INVALID_LOGIN = "The username and password do not match. Both may be case-sensitive."
TOO_MANY = "Too many attempts. Please wait {minutes} before you try again."

logger = logging.getLogger("transom.security")


async def login_view(request: Request) -> Response:
    """Show the login page; log in, and go on to `next` or `login_redirect_url`."""
    if request.method != "POST":
        return await _show(request, AuthenticationForm())
    form = AuthenticationForm(await request.form())
    if not await form.is_valid():
        return await _show(request, form, 422)
    wait = login_throttle.attempt(request, form.username.cleaned)
    if wait:
        return await _refuse(request, form, wait)
    user = await _authenticate(request, form)
    if user is None:
        form.add_error(None, INVALID_LOGIN)
        return await _show(request, form, 422)
    login_throttle.reset(request, form.username.cleaned)
    await login(request, user)
    return _private(RedirectResponse(find_next(request, request.app.settings.login_redirect_url), 303))


async def logout_view(request: Request) -> Response:
    """Log out and go to `logout_redirect_url`. Only by POST: a link or an image of another site must not do it."""
    await logout(request)
    return _private(RedirectResponse(resolve_url(request.app.settings.logout_redirect_url), 303))


async def _authenticate(request: Request, form: AuthenticationForm) -> User | None:
    name, password = form.username.cleaned, form.password.cleaned
    user = await authenticate(request, username=name, password=password)
    if user is None:
        # Without the name: people type their password into the wrong field.
        logger.warning("login failed from %s", request.client[0] if request.client else "unknown")
    return user


async def _refuse(request: Request, form: AuthenticationForm, wait: float) -> Response:
    minutes = ceil(wait / 60)
    form.add_error(None, TOO_MANY.format(minutes="a minute" if minutes == 1 else f"{minutes} minutes"))
    response = await _show(request, form, 429)
    response.headers["retry-after"] = str(ceil(wait))
    return response


async def _show(request: Request, form: AuthenticationForm, status: int = 200) -> Response:
    return _private(await render(request, "auth/login.html", {"form": form}, status))


def _private(response: Response) -> Response:
    response.headers["cache-control"] = "no-store"
    return response
