"""Views for some users only."""

from __future__ import annotations

from functools import wraps
from typing import TYPE_CHECKING, Concatenate, ParamSpec, TypeAlias

from transom.auth.authentication import get_user
from transom.auth.redirects import redirect_to_login
from transom.web import PermissionDenied, Request, Response

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable

P = ParamSpec("P")
View: TypeAlias = "Callable[Concatenate[Request, P], Awaitable[Response]]"


def login_required(view: View[P]) -> View[P]:
    """Send visitors who are not logged in to the login page, and from there back here."""

    @wraps(view)
    async def guarded(request: Request, *args: P.args, **kwargs: P.kwargs) -> Response:
        if await get_user(request) is None:
            return redirect_to_login(request)
        return await view(request, *args, **kwargs)

    return guarded


def staff_required(view: View[P]) -> View[P]:
    """Let only staff in: 403 for other users, the login page for visitors who are not logged in."""

    @wraps(view)
    async def guarded(request: Request, *args: P.args, **kwargs: P.kwargs) -> Response:
        user = await get_user(request)
        if user is None:
            return redirect_to_login(request)
        if not user.is_staff:
            raise PermissionDenied("only staff may see this")
        return await view(request, *args, **kwargs)

    return guarded
