"""What a transport does not offer: files sent by the system, and how much the client has not taken yet.

Both look under the transport, at the file descriptor of its socket. To write there is safe while the transport has nothing of
its own to write, which `FileSender` waits for, and only for sockets without TLS.
"""

from __future__ import annotations

import array
import asyncio
import contextlib
import fcntl
import os
import termios
from typing import Any, Final

MAX_TURN: Final = 1_048_576  # bytes sent to a fast client before others have their turn


def descriptor_of(transport: asyncio.BaseTransport) -> int:
    """Return the file descriptor of the transport's socket, or -1 if there is none any more."""
    socket: Any = transport.get_extra_info("socket")  # Any: uvloop has a class of its own for it
    return -1 if socket is None else socket.fileno()


def count_unsent(transport: asyncio.WriteTransport, *, looks_below: bool = False) -> int:
    """Return the bytes that wait for the client: those in the transport and, if there are any, what the system holds of it too.

    Args:
        transport: of the client.
        looks_below: ask the system in any case. It holds all of a file that is being sent; and a transport with TLS does not
            count what it has encrypted, which a plain one below it holds, but only while the system holds something too.
    """
    unsent = transport.get_write_buffer_size()
    descriptor = descriptor_of(transport) if unsent or looks_below else -1
    if descriptor == -1:
        return unsent
    buffer = array.array("i", [0])
    try:
        fcntl.ioctl(descriptor, termios.TIOCOUTQ, buffer)
    except OSError:
        return unsent  # closed meanwhile, or not a socket that can tell
    return unsent + buffer[0]


class FileSender:
    """Sends parts of files over the plain socket of one transport.

    Call `wake` when the transport's buffer is empty or the connection is lost.
    """

    def __init__(self, transport: asyncio.Transport, loop: asyncio.AbstractEventLoop) -> None:
        self._transport = transport
        self._loop = loop
        self._waiter: asyncio.Future[None] | None = None
        self._is_lost = False

    def wake(self, *, lost: bool = False) -> None:
        """Let the sender look again."""
        self._is_lost = self._is_lost or lost
        if self._waiter is not None and not self._waiter.done():
            self._waiter.set_result(None)

    async def send(self, head: bytes, file: int, offset: int, count: int) -> int:
        """Write the head, then the part of the file; return how many bytes of the file have left.

        Cancellation: what was sent was sent; nothing is left registered.
        """
        if head:
            self._write(head)
        await self._wait_until_written()
        sent = turn = 0
        while sent < count and not self._is_lost:
            descriptor = descriptor_of(self._transport)
            try:
                size = os.sendfile(descriptor, file, offset + sent, min(count - sent, MAX_TURN))
            except BlockingIOError:
                await self._wait_until_writable(descriptor)
                continue
            except ConnectionError:
                await self._wait_until_lost()
                break
            except OSError:
                break  # this file system cannot do it
            if not size:
                break  # the file has become shorter
            sent, turn = sent + size, turn + size
            if turn >= MAX_TURN:
                turn = 0
                await asyncio.sleep(0)
        return sent

    def _write(self, data: bytes) -> None:
        """Write at once what the transport would write at the end of this turn of the loop."""
        written = 0
        if not self._transport.get_write_buffer_size() and not self._transport.is_closing():
            with contextlib.suppress(OSError):  # full, or gone; the transport finds out which
                written = os.write(descriptor_of(self._transport), data)
        if written < len(data):
            self._transport.write(data[written:])

    async def _wait_until_written(self) -> None:
        if not self._transport.get_write_buffer_size():
            return
        self._transport.set_write_buffer_limits(0)
        try:
            while self._transport.get_write_buffer_size() and not self._is_lost:
                await self._wait()
        finally:
            self._transport.set_write_buffer_limits()

    async def _wait_until_lost(self) -> None:
        self._transport.abort()
        while not self._is_lost:
            await self._wait()

    async def _wait_until_writable(self, descriptor: int) -> None:
        # A copy of the descriptor: the loop does not watch one that belongs to a transport.
        copy = os.dup(descriptor)
        self._loop.add_writer(copy, self.wake)
        try:
            await self._wait()
        finally:
            self._loop.remove_writer(copy)
            os.close(copy)

    async def _wait(self) -> None:
        self._waiter = self._loop.create_future()
        try:
            await self._waiter
        finally:
            self._waiter = None
