"""The seam between HTTP semantics (RFC 9110), above, and the framing of one HTTP version, below.

`HTTPCycle` asks, whatever implements `Exchange` frames: `HTTP1Connection` for HTTP/1.1.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Protocol

if TYPE_CHECKING:
    from collections.abc import Iterable


class ResponseHead(Protocol):
    """A head that was checked and encoded, opaque but for the length the application promised, and for what has no end."""

    content_length: int | None

    @property
    def is_event_stream(self) -> bool:
        """Whether the body is a stream of server-sent events."""
        ...


class Exchange(Protocol):
    """The lower half of a cycle: one request and its response in the framing of one HTTP version.

    Attributes:
        writing_paused: whether more is waiting to be written than should be; `HTTPCycle.resume_writing` tells when it is over.
    """

    writing_paused: bool

    def build_head(self, status: int, fields: Iterable[tuple[bytes, bytes]]) -> Any:
        """Check and encode a response head; nothing leaves. Returns a `ResponseHead` of this version's own.

        Raises:
            ValueError: it cannot be framed.
        """
        ...

    def send_informational(self, status: int, fields: Iterable[tuple[bytes, bytes]]) -> None:
        """Write an informational response, or nothing where the client would not understand it.

        Raises:
            ValueError: it cannot be framed.
        """
        ...

    def send_whole(self, head: Any, body: bytes) -> None:
        """Write a response that is one head, made by `build_head`, and one piece, and end it as `response_complete` does."""
        ...

    def send_head(
        self, head: Any, length: int | None, body: bytes, more_body: bool, has_body: bool, has_trailers: bool
    ) -> None:
        """Write a head made by `build_head` and the first piece of the body. `length` is the value for `content-length`."""
        ...

    def send_body(self, body: bytes, more_body: bool) -> None:
        """Write the next piece of the body."""
        ...

    def accept_websocket(self, key: bytes, fields: Iterable[tuple[bytes, bytes]]) -> None:
        """Complete the handshake of a WebSocket; what is sent from here on are its frames.

        Raises:
            ValueError: a field cannot be framed; nothing was written.
        """
        ...

    def hold(self) -> None:
        """Keep what is written from here on, the head of the response, for one write with the file that follows."""
        ...

    async def send_file(self, descriptor: int, offset: int, count: int) -> int:
        """Hand a part of a file to the system as the next piece of the body; return how many bytes it took.

        That is less than `count` where the file is shorter or the client is gone, and 0 where this cannot be done at all.

        Cancellation: the piece is cut off, the response must be aborted.
        """
        ...

    def send_trailers(self, fields: Iterable[tuple[bytes, bytes]]) -> None:
        """Write the end of a body that has trailers, with them if they can be sent.

        Raises:
            ValueError: they cannot be framed.
        """
        ...

    def want_body(self) -> None:
        """The application has taken what came of the body, or waits for more: read on, and say "100 Continue" if need be."""
        ...

    def pause_reading(self) -> None:
        """The application is slower than the client."""
        ...

    def response_complete(self) -> None:
        """The last byte of the response was written; the next request may begin."""
        ...

    def abort(self) -> None:
        """End the response so that the client sees that it is not whole."""
        ...
