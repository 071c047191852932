"""How long a request took, for the tools of browsers."""

from __future__ import annotations

from time import perf_counter
from typing import TYPE_CHECKING

from transom.web.middleware.phases import Phase, in_phase

if TYPE_CHECKING:
    from transom.web.middleware.base import CallNext
    from transom.web.request import Request
    from transom.web.response import Response


@in_phase(Phase.OBSERVE)
async def server_timing(request: Request, call_next: CallNext) -> Response:
    """Add `server-timing: app;dur=…`, in milliseconds, for the layers inside this one and the view.

    What a streaming response does while it is sent is not in it. Times tell an attacker something: for development, or
    behind a proxy that takes the field off.

    Source: W3C Server Timing.
    """
    started = perf_counter()
    response = await call_next(request)
    response.headers.add("server-timing", f"app;dur={(perf_counter() - started) * 1000:.2f}")
    return response
