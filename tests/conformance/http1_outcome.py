"""What becomes of the bytes that one client sends: how the reader sees them, and how the server answers them."""

from __future__ import annotations

import asyncio
import random
from contextlib import asynccontextmanager, suppress
from typing import TYPE_CHECKING, Any

from transom.server import Config, Server
from transom.server.http1 import (
    END_OF_MESSAGE,
    NEED_DATA,
    Data,
    Limits,
    RemoteProtocolError,
    Request,
    RequestReader,
)

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Iterable


def read(pieces: Iterable[bytes], limits: Limits | None = None) -> list[Any]:
    """Return the events that a connection would take; a refusal ends them with its status.

    The pieces of one body are joined, and each complete request ends with END_OF_MESSAGE, with a body or without. What follows a
    request that ends the connection is not looked at, as the server would not.
    """
    reader, events, last = RequestReader(limits or Limits()), [], False
    try:
        for piece in pieces:
            reader.receive_data(piece)
            while not (last and not reader.in_body) and (event := reader.next_event()) is not NEED_DATA:
                if isinstance(event, Data) and isinstance(events[-1], Data):
                    event = Data(events.pop().data + event.data)
                events.append(event)
                if isinstance(event, Request):
                    last = not event.facts.keep_alive
                    if not reader.in_body:
                        events.append(END_OF_MESSAGE)
    except RemoteProtocolError as exc:
        events.append(exc.status)
    return events


def bodies(events: list[Any]) -> list[bytes]:
    """Return the body of each request that is complete."""
    before = [None, *events]
    ends = (before[i] for i, event in enumerate(events) if event is END_OF_MESSAGE)
    return [event.data if isinstance(event, Data) else b"" for event in ends]


def cuts(data: bytes, seed: int, count: int) -> Iterable[list[bytes]]:
    """Cut bytes into single ones, then `count` times at places drawn by this seed."""
    yield [data[i : i + 1] for i in range(len(data))]
    rng = random.Random(seed)
    for _ in range(count):
        places = sorted(rng.sample(range(1, len(data)), min(len(data) - 1, rng.randint(1, 8))))
        yield [data[a:b] for a, b in zip([0, *places], [*places, len(data)], strict=True)]


async def answer(port: int, pieces: Iterable[bytes]) -> list[int]:
    """Send the bytes to a server on this machine, end our side, and return the status of each response until it closes.

    Raises:
        TimeoutError: the server does not close.
    """
    loop = asyncio.get_running_loop()
    transport, client = await loop.create_connection(lambda: _Client(loop.create_future()), "127.0.0.1", port)
    for piece in pieces:
        if client.closed.done() or client.ended:
            break
        transport.write(piece)
        await asyncio.sleep(0)  # let the server read this piece by itself
    with suppress(OSError):  # it may have been reset, without our knowing yet
        transport.write_eof()
    async with asyncio.timeout(20):
        await client.closed
    return statuses(bytes(client.received))


class _Client(asyncio.Protocol):
    """Keeps what it received when the connection is reset, which a StreamReader does not give out."""

    def __init__(self, closed: asyncio.Future[None]) -> None:
        self.received = bytearray()
        self.ended = False
        self.closed = closed

    def data_received(self, data: bytes) -> None:
        self.received += data

    def eof_received(self) -> bool:
        self.ended = True
        return False

    def connection_lost(self, exc: Exception | None) -> None:
        self.closed.set_result(None)


def statuses(received: bytes) -> list[int]:
    """Return the status of each final response; all are of known length, and a refusal is the last and says so."""
    found: list[int] = []
    while received:
        assert not found or found[-1] < 400, f"something follows a refusal: {received!r}"
        head, _, received = received.partition(b"\r\n\r\n")
        line, *fields = head.split(b"\r\n")
        if line == b"HTTP/1.1 100 Continue":
            continue
        values = dict(field.split(b": ", 1) for field in fields)
        received = received[int(values[b"content-length"]) :]
        found.append(int(line.split(b" ")[1]))
        assert found[-1] < 400 or values[b"connection"] == b"close", head
    return found


@asynccontextmanager
async def serve_echo(**options: Any) -> AsyncIterator[tuple[int, list[dict[str, Any]]]]:
    """Serve an application that answers 200 with the body it was sent; yield the port, and the list that it fills with
    each scope and the `body` of it."""
    seen: list[dict[str, Any]] = []

    async def app(scope: Any, receive: Any, send: Any) -> None:
        if scope["type"] == "websocket":
            await send({"type": "websocket.close"})
            return
        body, more = b"", True
        while more:
            message = await receive()
            if message["type"] == "http.disconnect":
                return
            body, more = body + message["body"], message["more_body"]
        seen.append(scope | {"body": body})
        await send({"type": "http.response.start", "status": 200, "headers": []})
        await send({"type": "http.response.body", "body": body})

    async with Server(app, Config(port=0, lifespan="off", access_log=False, **options)) as server:
        yield server.addresses[0][1], seen
