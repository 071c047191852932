"""One call of an ASGI application for a thread of a WSGI server: what happens in the event loop.

    thread                                        loop
    response.py  Response   <-  events  <-        send()
                 reads wsgi.input  <- READ <-     receive()
                 deliver(), flushed(), close() -> both look again

All that blocks happens in the thread, which waits for its own request only. The loop waits when HIGH_WATER bytes are in the
queue: for the thread to come to the FLUSH behind them. Nothing is read from the client that the application has not asked for.
"""

from __future__ import annotations

import asyncio
import contextlib
import logging
from dataclasses import dataclass
from enum import Enum, auto
from queue import SimpleQueue
from typing import TYPE_CHECKING, Any, TypeAlias, cast

from transom.asgi.wsgi.disconnect import ClientDisconnected, is_about_disconnect
from transom.asgi.wsgi.exchange import HIGH_WATER, Message

if TYPE_CHECKING:
    from transom.asgi.types import ASGIApplication
    from transom.asgi.wsgi.loop_thread import LoopThread

logger = logging.getLogger("transom.asgi")


class Event(Enum):
    """What the loop tells the thread, besides a head and pieces of the body."""

    READ = auto()  # read a piece of the request body and deliver it
    FLUSH = auto()  # say that all before it has left
    END_BODY = auto()  # the response is complete


@dataclass(frozen=True, slots=True)
class Start:
    """The application's first message; `length` is the size of the body if the first piece is all of it."""

    message: Message
    length: int | None


@dataclass(frozen=True, slots=True)
class Failed:
    """The application has ended without completing its response; `error` is what it raised."""

    error: BaseException | None


Events: TypeAlias = "SimpleQueue[Start | bytes | Event | Failed]"


class Call:
    """One call of the application. The first half is for the thread, the second for the loop."""

    def __init__(self, app: ASGIApplication, scope: dict[str, Any], thread: LoopThread) -> None:
        self._app = app
        self._scope = scope
        self._thread = thread
        self.events: Events = SimpleQueue()
        self._changed = asyncio.Event()  # whoever waits in the loop looks again
        self._pieces: list[bytes] = []  # of the request body, read and not received yet
        self._asked = False  # a READ is on its way
        self._body_ended = False
        self._closed = False  # nobody reads the response any more
        self._start: Message | None = None
        self._started = False  # the thread has the head
        self._complete = False
        self._unsent = 0  # bytes since the last FLUSH

    # In the thread.

    def begin(self) -> None:
        """Call the application, in the context of this thread.

        Raises:
            RuntimeError: the adapter was closed.
        """
        self._thread.call(self._begin)

    def deliver(self, piece: bytes, more: bool) -> None:
        """Hand over a piece of the request body, and whether more may follow."""
        self._thread.loop.call_soon_threadsafe(self._deliver, piece, more)

    def flushed(self) -> None:
        """Say that FLUSH was reached."""
        self._thread.loop.call_soon_threadsafe(self._flushed)

    def close(self) -> None:
        """Say that nobody reads the response any more: it is complete, or the client left."""
        with contextlib.suppress(RuntimeError):  # the loop is closed
            self._thread.loop.call_soon_threadsafe(self._close)

    # In the loop: what the thread calls.

    def _begin(self) -> None:
        self._thread.spawn(self._run())

    def _deliver(self, piece: bytes, more: bool) -> None:
        self._asked = False
        self._body_ended = not more
        self._pieces.append(piece)
        self._changed.set()

    def _flushed(self) -> None:
        self._unsent = 0
        self._changed.set()

    def _close(self) -> None:
        self._closed = True
        self._changed.set()

    # In the loop: what the application calls.

    async def _run(self) -> None:
        error: BaseException | None = None
        try:
            await self._app(self._scope, self._receive, self._send)
        except asyncio.CancelledError:
            error = RuntimeError("the adapter was closed during the request")
            raise
        except Exception as exc:
            error = exc
        except BaseException as exc:
            # sys.exit() in an application ends its request; passed on, it would end the event loop.
            error = RuntimeError(f"application raised {exc!r}")
            error.__cause__ = exc
        finally:
            self._end(error)

    def _end(self, error: BaseException | None) -> None:
        if not self._complete and not self._closed:
            self.events.put(Failed(error))
        elif error is not None and not is_about_disconnect(error):
            logger.error("application raised after its response", exc_info=error)

    async def _receive(self) -> Message:
        while not self._closed and not self._pieces:
            if not self._body_ended and not self._asked:
                self._asked = True
                self.events.put(Event.READ)
            await self._wait()
        if self._closed:
            return {"type": "http.disconnect"}
        more = len(self._pieces) > 1 or not self._body_ended
        return {"type": "http.request", "body": self._pieces.pop(0), "more_body": more}

    async def _send(self, message: Message) -> None:
        if self._closed and not self._complete:
            raise ClientDisconnected("the client is gone")
        kind = message.get("type")
        if kind == "http.response.start":
            if self._start is not None:
                raise RuntimeError("'http.response.start' was sent twice")
            self._start = message
        elif kind == "http.response.body":
            await self._send_body(message.get("body", b""), message.get("more_body", False))
        else:
            raise RuntimeError(f"unknown message type {kind!r}")

    async def _send_body(self, body: object, more: bool) -> None:
        if self._complete:
            return  # ASGI: what follows the end is ignored
        if self._start is None:
            raise RuntimeError("'http.response.body' was sent before 'http.response.start'")
        if not isinstance(body, (bytes, bytearray, memoryview)):
            raise TypeError(f"body must be bytes, not {type(body).__name__}")
        piece = bytes(cast("bytes", body))
        if not self._started:
            self._started = True
            self.events.put(Start(self._start, None if more else len(piece)))
        self.events.put(piece)
        if not more:
            self._complete = True
            self.events.put(Event.END_BODY)
            return
        self._unsent += len(piece)
        if self._unsent >= HIGH_WATER:
            self.events.put(Event.FLUSH)
            while self._unsent and not self._closed:
                await self._wait()

    async def _wait(self) -> None:
        self._changed.clear()
        await self._changed.wait()
