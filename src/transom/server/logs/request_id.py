"""An id for each request: that of a trusted proxy, or a new one; for the application, the response and both logs.

It is a field of the request, X-Request-ID, whatever the client sent: so every framework can read it, and forwards it where it
forwards fields.
"""

from __future__ import annotations

import random
import re
import time
from typing import TYPE_CHECKING, Any, Final, cast

if TYPE_CHECKING:
    from collections.abc import Iterable

    from transom.asgi.types import ASGIApplication, Headers, HTTPScope, Receive, Send, WebSocketScope

NAME: Final = b"x-request-id"

_SANE: Final = re.compile(rb"[\x21-\x7e]{1,128}")  # what may stand in any log, header or database column
_random: Final = random.Random()  # noqa: S311  tells requests apart, guards nothing; the application's seed is not ours
_HEADS: Final = frozenset({"http.response.start", "websocket.accept", "websocket.http.response.start"})


def identify(headers: Headers, is_trusted: bool) -> Headers:
    """Return the fields of a request with one X-Request-ID.

    Args:
        headers: the fields that came, names in lower case; not changed.
        is_trusted: whether a proxy of ours sent them. Its id stays if it is a single one of at most 128 visible characters.
    """
    found = [value for name, value in headers if name == NAME]
    if is_trusted and len(found) == 1 and _SANE.fullmatch(found[0]):
        return headers
    others = [field for field in headers if field[0] != NAME] if found else headers
    return [*others, (NAME, make_request_id())]


def make_request_id() -> bytes:
    """Return a new UUID of version 7: the time in milliseconds, then 74 random bits.

    Source: RFC 9562 section 5.7.
    """
    when = f"{int(time.time() * 1000):012x}"
    bits = _random.getrandbits(74)
    tail = f"{bits >> 2:018x}"
    return f"{when[:8]}-{when[8:]}-7{tail[:3]}-{'89ab'[bits & 3]}{tail[3:6]}-{tail[6:]}".encode()


def find_request_id(scope: HTTPScope | WebSocketScope) -> bytes | None:
    """Return the id that the request has, or None."""
    return next((value for name, value in scope["headers"] if name == NAME), None)


class RequestIDResponder:
    """An ASGI application around another one: the response to a request with an id carries it, too.

    An X-Request-ID that the application sends itself gives way: what counts is the one that is in the log.
    """

    def __init__(self, app: ASGIApplication) -> None:
        self._app = app

    async def __call__(self, scope: Any, receive: Receive, send: Send) -> None:  # Any: as in asgi.types
        """Serve one request or WebSocket."""
        request_id = find_request_id(scope)
        if request_id is None:
            await self._app(scope, receive, send)
            return
        field = (NAME, request_id)

        async def send_with_id(message: Any) -> None:  # Any: as in asgi.types
            if message.get("type") in _HEADS:
                message = {**message, "headers": [*_without_id(message.get("headers") or ()), field]}
            await send(message)

        await self._app(scope, receive, cast("Send", send_with_id))


def _without_id(fields: Iterable[tuple[bytes, bytes]]) -> list[tuple[bytes, bytes]]:
    fields = list(fields)
    try:
        return [field for field in fields if field[0].lower() != NAME]
    except (AttributeError, IndexError, TypeError):
        return fields  # malformed; the server will say how


def describe_request(scope: HTTPScope | WebSocketScope, *, with_id: bool) -> str:
    """Return what a log calls the request, in ASCII: what a client sent cannot forge a record."""
    what = scope["method"] if scope["type"] == "http" else "WebSocket"
    request_id = find_request_id(scope) if with_id else None
    suffix = "" if request_id is None else f" (request id {request_id.decode('ascii')})"
    return f"{what} {scope['path']!a}{suffix}"
