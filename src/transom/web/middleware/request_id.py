"""A name for each request, for logs and for people who report what went wrong."""

from __future__ import annotations

import logging
import re
import secrets
from contextvars import ContextVar
from typing import TYPE_CHECKING

from transom.web.middleware.phases import Phase, in_phase

if TYPE_CHECKING:
    from transom.web.middleware.base import CallNext, Middleware
    from transom.web.request import Request
    from transom.web.response import Response

FIELD = "x-request-id"
# What may be taken from others: it ends up in logs and in a header.
_ACCEPTABLE = re.compile(r"[A-Za-z0-9_.\-]{1,128}")

current_request_id: ContextVar[str] = ContextVar("transom.web.request_id", default="")


def request_ids(*, trusted: bool = False, field: str = FIELD) -> Middleware:
    """Return a layer that names each request: `request.request_id`, and the same in the response.

    Args:
        trusted: whether to take the name that a proxy in front, or `transom serve --request-id`, has given, where it is one:
            up to 128 letters, digits, `_`, `.` and `-`. Without such a proxy anybody could choose it.
        field: the header field, of the request and the response.
    """

    @in_phase(Phase.OBSERVE)
    async def request_id_layer(request: Request, call_next: CallNext) -> Response:
        given = request.headers.get(field, "") if trusted else ""
        name = given if _ACCEPTABLE.fullmatch(given) else secrets.token_hex(16)
        request.request_id = name
        current_request_id.set(name)
        response = await call_next(request)
        response.headers[field] = name
        return response

    return request_id_layer


class RequestIDFilter(logging.Filter):
    """Puts the name of the current request into log records, as `%(request_id)s`; empty outside of one."""

    def filter(self, record: logging.LogRecord) -> bool:
        """Add it; keep every record."""
        record.request_id = current_request_id.get()
        return True
