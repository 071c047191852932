"""The transport of a WebSocket: writes that are safe at any time, flow control both ways."""

from __future__ import annotations

import asyncio
from typing import Final

JOIN_LIMIT: Final = (
    64 * 1024
)  # bytes gathered into one write: as much as a transport holds before it says that it is full


class WebSocketTransport:
    """Wraps a transport so that each call is allowed whatever has become of the connection.

    Attributes:
        is_lost: the connection is gone.
        is_full: more is waiting to be written than should be.
        is_reading_paused: nothing is read, so nothing will be heard of the peer.
    """

    __slots__ = (
        "_gathered",
        "_gathered_size",
        "_loop",
        "_transport",
        "_writable",
        "is_full",
        "is_lost",
        "is_reading_paused",
    )

    def __init__(self, transport: asyncio.Transport, loop: asyncio.AbstractEventLoop) -> None:
        self._transport = transport
        self._loop = loop
        self._gathered: list[bytes] | None = None  # what will be one write
        self._gathered_size = 0
        self._writable: asyncio.Event | None = None  # exists while someone waits for it
        self.is_full = False
        self.is_lost = False
        self.is_reading_paused = False

    def write(self, data: bytes) -> None:
        """Write, or drop the data if nobody is left to read it."""
        if self._gathered is not None:
            self._gather(self._gathered, data)
        elif not self._transport.is_closing():
            self._transport.write(data)

    def gather(self) -> None:
        """Join into one write what is written from here to the next turn of the loop: several messages will be answered."""
        if self._gathered is None:
            self._gathered = []
            self._gathered_size = 0
            self._loop.call_soon(self._flush)

    def _gather(self, gathered: list[bytes], data: bytes) -> None:
        gathered.append(data)
        self._gathered_size += len(data)
        if self._gathered_size > JOIN_LIMIT:
            self._flush()

    def _flush(self) -> None:
        gathered, self._gathered = self._gathered, None
        if gathered and not self._transport.is_closing():
            self._transport.write(b"".join(gathered))

    async def drain(self) -> None:
        """Wait, while `is_full`, until the buffer is below its low-water mark or will never be."""
        self._writable = self._writable or asyncio.Event()
        await self._writable.wait()

    def pause_writing(self) -> None:
        """Let `drain()` wait from now on."""
        self.is_full = True

    def resume_writing(self) -> None:
        """Let every `drain()` go on."""
        self.is_full = False
        if self._writable is not None:
            self._writable.set()
            self._writable = None

    def pause_reading(self) -> None:
        """Read nothing; pausing twice is one pause."""
        if not self.is_reading_paused and not self._transport.is_closing():
            self._transport.pause_reading()
        self.is_reading_paused = True

    def resume_reading(self) -> None:
        """Read again."""
        if self.is_reading_paused and not self._transport.is_closing():
            self._transport.resume_reading()
        self.is_reading_paused = False

    def close(self) -> None:
        """Close once everything is written."""
        self._flush()
        if not self._transport.is_closing():
            self._transport.close()

    def close_our_half(self) -> None:
        """End our stream and go on reading, where that is possible; else close.

        Closing with unread bytes resets the connection, and the peer might never see what was written last.

        Source: RFC 6455 section 7.1.1.
        """
        self._flush()
        if self._transport.can_write_eof() and not self._transport.is_closing():
            self._transport.write_eof()
        else:
            self.close()

    def abort(self) -> None:
        """Close at once; what was not written is lost."""
        self._transport.abort()
