"""The response of an ASGI application as the iterable that a WSGI server wants: what happens in the server's thread."""

from __future__ import annotations

from http import HTTPStatus
from typing import TYPE_CHECKING, Final

from transom.asgi.wsgi.call import Call, Event, Failed, Start
from transom.asgi.wsgi.head import BODILESS, HOP_BY_HOP

if TYPE_CHECKING:
    from wsgiref.types import StartResponse

    from transom.asgi.wsgi.input import Input

_REASONS: Final = {status.value: status.phrase for status in HTTPStatus}


class Response:
    """The body of a response; on the way it reads pieces of the request body for the application.

    Args:
        call: of the application.
        source: the request body.
        is_head: whether the method is HEAD, whose response has no body.
    """

    def __init__(self, call: Call, source: Input, *, is_head: bool) -> None:
        self._call = call
        self._source = source
        self._is_head = is_head
        self._ended = False

    def start(self, start_response: StartResponse) -> None:
        """Wait for the head and pass it on.

        Raises:
            Exception: what the application raised before it, or the server when it read the request body.
        """
        event = self._next_event()
        assert isinstance(event, Start), event  # noqa: S101  our own invariant
        status = int(event.message["status"])
        headers = [
            (bytes(name).decode("latin-1"), bytes(value).decode("latin-1"))
            for name, value in event.message.get("headers") or ()
        ]
        headers = [(name, value) for name, value in headers if name.lower() not in HOP_BY_HOP]
        bodiless = self._is_head or status in BODILESS
        if event.length is not None and not bodiless and not _has_length(headers):
            headers.append(("content-length", str(event.length)))
        self._ended = self._is_head
        start_response(f"{status} {_REASONS.get(status, 'Unknown')}", headers)

    def __iter__(self) -> Response:
        return self

    def __next__(self) -> bytes:
        """Wait for the next piece.

        Raises:
            Exception: what the application raised in the middle of its response.
        """
        while not self._ended:
            event = self._next_event()
            if event is Event.END_BODY:
                self._ended = True
            elif isinstance(event, bytes) and event:
                return event
        raise StopIteration

    def close(self) -> None:
        """Tell the application that the response was read, or that nobody will."""
        self._ended = True
        self._call.close()

    def _next_event(self) -> Start | bytes | Event:
        while True:
            event = self._call.events.get()
            if event is Event.READ:
                self._read()
            elif event is Event.FLUSH:
                self._call.flushed()
            elif isinstance(event, Failed):
                self._ended = True
                raise event.error or RuntimeError("application returned without completing its response")
            else:
                return event

    def _read(self) -> None:
        try:
            piece, more = self._source.read()
        except BaseException:
            self.close()  # the application is told that the client left; the server knows best what its own error means
            raise
        self._call.deliver(piece, more)


def _has_length(headers: list[tuple[str, str]]) -> bool:
    return any(name.lower() == "content-length" for name, _ in headers)
