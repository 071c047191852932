"""Clients that ask a server again and again and count what becomes of each request. Used by the suites about processes.

The site they ask answers with the number in the path and the id of its process, so that a response that belongs to another
request, or is cut off, is seen. A connection that was closed before anything was sent on it is no failure; one that is closed
after, is.
"""

from __future__ import annotations

import asyncio
import contextlib
import itertools
import time
from collections import Counter
from collections.abc import AsyncIterator
from dataclasses import dataclass, field

SITE = """
import asyncio, os
PID = str(os.getpid()).encode()

async def app(scope, receive, send):
    if scope["type"] == "websocket":
        await receive()
        await send({"type": "websocket.accept"})
        while (await receive())["type"] != "websocket.disconnect":
            pass
        return
    if scope["type"] != "http":
        raise NotImplementedError
    number = scope["path"][1:].encode()
    if number == b"stream":
        head = [(b"content-type", b"text/plain")]
        await send({"type": "http.response.start", "status": 200, "headers": head})
        for _ in range(30):
            await send({"type": "http.response.body", "body": b"x" * 100, "more_body": True})
            await asyncio.sleep(0.1)
        await send({"type": "http.response.body", "body": b"end"})
        return
    body = number + b" " + PID
    head = [(b"content-length", str(len(body)).encode())]
    await send({"type": "http.response.start", "status": 200, "headers": head})
    await send({"type": "http.response.body", "body": body})
"""
UPGRADE = (
    b"GET /ws HTTP/1.1\r\nHost: a\r\nConnection: Upgrade\r\nUpgrade: websocket\r\nSec-WebSocket-Version: 13\r\n"
    b"Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n\r\n"
)
CLOSE_1012 = b"\x88\x02\x03\xf4"


@dataclass
class Failure:
    """A request that was not answered, or not as it should be."""

    reason: str
    worker: int | None
    """The process that answered the request before on the same connection."""
    began: float
    """When the request was sent, or the connection for it opened."""


@dataclass
class Load:
    """All clients of one run.

    Attributes:
        pause: seconds of a client on a connection that is kept, from an answer to its next request.
        answered: how many responses were whole and right, by worker.
        first: when each worker answered for the first time.
        failures: everything else.
    """

    port: int
    pause: float = 0.0
    answered: Counter[int] = field(default_factory=Counter)
    first: dict[int, float] = field(default_factory=dict)
    failures: list[Failure] = field(default_factory=list)
    streams: int = 0
    closed_with_1012: int = 0

    def __post_init__(self) -> None:
        self._numbers = itertools.count()

    @contextlib.asynccontextmanager
    async def running(
        self, *, kept: int = 8, fresh: int = 4, streams: int = 0, websockets: int = 0
    ) -> AsyncIterator[None]:
        """Run clients while the block runs: on connections that are kept, on one per request, streams of 3 s, WebSockets."""
        async with asyncio.TaskGroup() as group:
            clients = [
                *(self._ask(keep=True) for _ in range(kept)),
                *(self._ask(keep=False) for _ in range(fresh)),
                *(self._stream() for _ in range(streams)),
                *(self._stay() for _ in range(websockets)),
            ]
            tasks = [group.create_task(client) for client in clients]
            yield
            for task in tasks:
                task.cancel()

    async def _ask(self, *, keep: bool) -> None:
        """Send one request after the other, each when the one before is answered."""
        while True:
            worker: int | None = None
            began = time.monotonic()
            try:
                reader, writer = await asyncio.open_connection("127.0.0.1", self.port)
            except OSError as exc:
                self._fail(exc, None, began)
                await asyncio.sleep(0.01)
                continue
            try:
                while not reader.at_eof():
                    worker, more = await self._exchange(reader, writer, keep)
                    if not more:
                        break
                    if self.pause:
                        await asyncio.sleep(self.pause)
                    began = time.monotonic()
            except (OSError, EOFError, ValueError, asyncio.IncompleteReadError) as exc:
                self._fail(exc, worker, began)
            finally:
                writer.transport.abort()
            if not keep:
                await asyncio.sleep(0.005)

    async def _exchange(
        self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter, keep: bool
    ) -> tuple[int, bool]:
        """Send a request, check its response; return who answered, and whether the connection may be used again."""
        number = b"%d" % next(self._numbers)
        close = b"" if keep else b"Connection: close\r\n"
        writer.write(b"GET /" + number + b" HTTP/1.1\r\nHost: a\r\n" + close + b"\r\n")
        head = await reader.readuntil(b"\r\n\r\n")
        fields = dict(line.split(b": ", 1) for line in head[:-4].split(b"\r\n")[1:])
        body = await reader.readexactly(int(fields.get(b"content-length", b"0")))
        found, _, pid = body.partition(b" ")
        if not head.startswith(b"HTTP/1.1 200 ") or found != number:
            raise ValueError(f"wrong response to {number!r}: {head!r}{body!r}")
        worker = int(pid)
        self.answered[worker] += 1
        self.first.setdefault(worker, time.monotonic())
        return worker, keep and fields.get(b"connection") != b"close"

    async def _stream(self) -> None:
        """Read one response of 3 s after the other to its end."""
        while True:
            began = time.monotonic()
            reader, writer = await asyncio.open_connection("127.0.0.1", self.port)
            writer.write(b"GET /stream HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n")
            try:
                data = await reader.read()
                if not data.endswith(b"3\r\nend\r\n0\r\n\r\n"):
                    raise ValueError(f"a stream was cut off after {len(data)} bytes")
                self.streams += 1
            except (OSError, ValueError) as exc:
                self._fail(exc, None, began)
            finally:
                writer.transport.abort()

    async def _stay(self) -> None:
        """Keep a WebSocket open; count how it is closed."""
        while True:
            began = time.monotonic()
            reader, writer = await asyncio.open_connection("127.0.0.1", self.port)
            try:
                writer.write(UPGRADE)
                head = await reader.readuntil(b"\r\n\r\n")
                if head.startswith(b"HTTP/1.1 503 "):
                    continue  # refused by a worker that stops
                close = await reader.readexactly(4)
                if close != CLOSE_1012:
                    raise ValueError(f"a WebSocket was closed with {close!r}")
                writer.write(b"\x88\x82\0\0\0\0\x03\xf4")
                await reader.read()
                self.closed_with_1012 += 1
            except (OSError, EOFError, ValueError) as exc:
                self._fail(exc, None, began)
            finally:
                writer.transport.abort()

    def _fail(self, error: Exception, worker: int | None, began: float) -> None:
        self.failures.append(Failure(f"{type(error).__name__}: {error}", worker, began))
