"""The transport of a WebSocket: writes that are safe at any time, flow control both ways."""

from __future__ import annotations

import asyncio


class WebSocketTransport:
    """Wraps a transport so that each call is allowed whatever has become of the connection.

    Attributes:
        is_lost: the connection is gone.
        is_full: more is waiting to be written than should be.
        is_reading_paused: nothing is read, so nothing will be heard of the peer.
    """

    __slots__ = ("_transport", "_writable", "is_full", "is_lost", "is_reading_paused")

    def __init__(self, transport: asyncio.Transport) -> None:
        self._transport = transport
        self._writable: asyncio.Event | None = None  # exists while someone waits for it
        self.is_full = False
        self.is_lost = False
        self.is_reading_paused = False

    def write(self, data: bytes) -> None:
        """Write, or drop the data if nobody is left to read it."""
        transport = self._transport
        if not transport.is_closing():
            transport.write(data)

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
        if not self._transport.is_closing():
            self._transport.close()

    def close_our_half(self) -> None:
        """End our stream and go on reading, where that is possible; else close.

        Closing with unread bytes resets the connection, and the peer might never see what was written last.

        Source: RFC 6455 section 7.1.1.
        """
        if self._transport.can_write_eof() and not self._transport.is_closing():
            self._transport.write_eof()
        else:
            self.close()

    def abort(self) -> None:
        """Close at once; what was not written is lost."""
        self._transport.abort()
