"""Response fields that take powers away from browsers."""

from __future__ import annotations

from typing import TYPE_CHECKING

from transom.web.middleware.phases import Phase, in_phase

if TYPE_CHECKING:
    from transom.web.middleware.base import CallNext
    from transom.web.request import Request
    from transom.web.response import Response

SECURITY_HEADERS = (
    (b"x-content-type-options", b"nosniff"),
    (b"referrer-policy", b"same-origin"),
    (b"cross-origin-opener-policy", b"same-origin"),
    (b"x-frame-options", b"DENY"),
)


@in_phase(Phase.ANSWER)
async def security_headers(request: Request, call_next: CallNext) -> Response:
    """Add what is missing of `SECURITY_HEADERS`; a view that sets one of them has its way."""
    response = await call_next(request)
    # On raw lines: this runs for every response, and the values are known to be sound.
    lines = response.headers.raw
    present = {name for name, _ in lines}
    lines += [line for line in SECURITY_HEADERS if line[0] not in present]
    return response
