"""The user of a request, for who cannot await it: templates and plain functions."""

from __future__ import annotations

from typing import TYPE_CHECKING

from transom.auth.authentication import get_user
from transom.web import Phase, in_phase

if TYPE_CHECKING:
    from transom.web import CallNext, Request, Response


@in_phase(Phase.USER)
async def authentication(request: Request, call_next: CallNext) -> Response:
    """Load the user before the view, so that `request.user` is there: a `User`, or None.

    It stands behind `sessions()`. A visitor who is logged in costs one query for each request, and every answer varies with
    the cookie, so shared caches keep none. A site where few pages show the user does without this layer: there
    `await get_user(request)` loads it, and sets `request.user`, only where it is asked for.
    """
    await get_user(request)
    return await call_next(request)
