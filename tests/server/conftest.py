"""Helpers for tests over real sockets."""

from __future__ import annotations

import asyncio
import contextlib
import importlib.util
import re
import subprocess
import sys
from collections.abc import AsyncIterator, Awaitable, Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any
from urllib.request import urlopen

import h2.config
import h2.connection
import h2.events
import pytest

from transom.asgi import validate
from transom.server import Config, Server


def pytest_asyncio_loop_factories(
    config: pytest.Config, item: pytest.Item
) -> dict[str, Callable[[], asyncio.AbstractEventLoop]]:
    """Run tests marked `each_loop` on uvloop too, where it is installed."""
    factories = {"asyncio": asyncio.new_event_loop}
    if item.get_closest_marker("each_loop") and importlib.util.find_spec("uvloop"):
        import uvloop

        factories["uvloop"] = uvloop.new_event_loop
    return factories


@dataclass
class Reply:
    """One parsed response."""

    status: int
    version: str
    headers: list[tuple[bytes, bytes]]
    body: bytes

    def __getitem__(self, name: bytes) -> bytes | None:
        return dict(self.headers).get(name)


class RawClient:
    """A client that sends exactly the bytes it is given and reads responses as an independent, minimal parser."""

    def __init__(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self.reader = reader
        self.writer = writer

    async def send(self, data: bytes) -> None:
        self.writer.write(data)
        await self.writer.drain()

    async def read_head(self) -> Reply:
        head = await asyncio.wait_for(self.reader.readuntil(b"\r\n\r\n"), 5)
        line, *fields = head[:-4].split(b"\r\n")
        version, status, _ = line.split(b" ", 2)
        pairs = [tuple(field.split(b": ", 1)) for field in fields]
        return Reply(int(status), version.decode(), pairs, b"")

    async def read(self, *, head_only: bool = False) -> Reply:
        """Read one whole response."""
        reply = await self.read_head()
        if head_only or reply.status in (204, 304) or reply.status < 200:
            return reply
        if reply[b"content-length"] is not None:
            reply.body = await asyncio.wait_for(self.reader.readexactly(int(reply[b"content-length"])), 5)
        elif reply[b"transfer-encoding"] == b"chunked":
            while size := int(await asyncio.wait_for(self.reader.readline(), 5), 16):
                reply.body += await self.reader.readexactly(size)
                assert await self.reader.readexactly(2) == b"\r\n"
            assert await self.reader.readexactly(2) == b"\r\n"
        else:
            reply.body = await self.read_to_end()
        return reply

    async def read_to_end(self) -> bytes:
        return await asyncio.wait_for(self.reader.read(-1), 5)

    async def get(self, target: str = "/", *fields: bytes) -> Reply:
        await self.send(
            b"\r\n".join([f"GET {target} HTTP/1.1".encode(), b"Host: example.org", *fields, b"", b""])
        )
        return await self.read()


@dataclass
class Running:
    """A server with one application, and a way to talk to it."""

    server: Server
    port: int
    clients: list[RawClient]

    async def connect(self, **options: Any) -> RawClient:
        """Connect; the options are those of `asyncio.open_connection`, such as `ssl`."""
        client = RawClient(*await asyncio.open_connection("127.0.0.1", self.port, **options))
        self.clients.append(client)
        return client

    async def exchange(self, data: bytes, *, head_only: bool = False) -> Reply:
        """Send bytes on a new connection and read one response."""
        client = await self.connect()
        await client.send(data)
        return await client.read(head_only=head_only)


Serve = Callable[..., Awaitable[Running]]


@pytest.fixture
async def serve() -> AsyncIterator[Serve]:
    """Start servers: `running = await serve(app, **options)`. The application is checked by `validate` unless told otherwise."""
    async with contextlib.AsyncExitStack() as stack:

        async def start(app: Any, *, checked: bool = True, **options: Any) -> Running:
            options = {"port": 0, "lifespan": "off", "timeout_graceful_shutdown": 0.0} | options
            server = await stack.enter_async_context(
                Server(validate(app) if checked else app, Config(**options))
            )
            running = Running(server, server.addresses[0][1], [])
            stack.push_async_callback(close_all, running.clients)
            return running

        yield start


async def close_all(clients: list[RawClient]) -> None:
    for client in clients:
        client.writer.close()
    for client in clients:
        with contextlib.suppress(ConnectionError):
            await client.writer.wait_closed()


HTTP2_FIELDS = [(":scheme", "http"), (":authority", "example.org")]


class HTTP2Client:
    """A client of the library h2: `await event(kind)` returns the next event of that kind."""

    def __init__(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self.reader, self.writer = reader, writer
        self.connection = h2.connection.H2Connection(h2.config.H2Configuration(header_encoding="utf-8"))
        self.connection.initiate_connection()
        self.events: list[Any] = []

    async def flush(self) -> None:
        self.writer.write(self.connection.data_to_send())
        await self.writer.drain()

    async def ask(self, method: str = "GET", path: str = "/", *, ends: bool = True, **fields: str) -> int:
        stream = self.connection.get_next_available_stream_id()
        head = [(":method", method), *HTTP2_FIELDS, (":path", path), *fields.items()]
        self.connection.send_headers(stream, head, end_stream=ends)
        await self.flush()
        return stream

    async def event(self, kind: type[Any], stream: int | None = None) -> Any:
        while True:
            for event in self.events:
                if isinstance(event, kind) and stream in (None, getattr(event, "stream_id", None)):
                    self.events.remove(event)
                    return event
            data = await asyncio.wait_for(self.reader.read(65_536), 5)
            assert data, f"the connection ended before {kind.__name__}"
            self.events += self.connection.receive_data(data)
            await self.flush()

    async def body(self, stream: int) -> bytes:
        """Read a body to its end, and give room for it."""
        received = b""
        while True:
            event = await self.event((h2.events.DataReceived, h2.events.StreamEnded), stream)
            if isinstance(event, h2.events.StreamEnded):
                return received
            received += event.data
            self.connection.acknowledge_received_data(event.flow_controlled_length, stream)
            await self.flush()


@contextlib.asynccontextmanager
async def connect_http2(running: Running, **options: Any) -> AsyncIterator[HTTP2Client]:
    """Connect; the options are those of `asyncio.open_connection`, such as `ssl`."""
    client = HTTP2Client(*await asyncio.open_connection("127.0.0.1", running.port, **options))
    await client.flush()
    try:
        yield client
    finally:
        client.writer.close()
        with contextlib.suppress(ConnectionError):
            await client.writer.wait_closed()


@pytest.fixture(name="connect_http2")
def connect_http2_fixture() -> Callable[..., contextlib.AbstractAsyncContextManager[HTTP2Client]]:
    """Speak HTTP/2 with a server: `async with connect_http2(running) as client`."""
    return connect_http2


def respond(
    body: bytes = b"hello", status: int = 200, headers: list[tuple[bytes, bytes]] | None = None
) -> Any:
    """Return an application that answers every request alike."""

    async def app(scope, receive, send):
        await send({"type": "http.response.start", "status": status, "headers": headers or []})
        await send({"type": "http.response.body", "body": body})

    return app


@pytest.fixture(name="respond")
def respond_fixture() -> Any:
    return respond


# Servers in processes of their own

PID_SITE = """
import os
async def app(scope, receive, send):
    if scope["type"] != "http":
        raise NotImplementedError
    await send({"type": "http.response.start", "status": 200, "headers": [(b"connection", b"close")]})
    await send({"type": "http.response.body", "body": str(os.getpid()).encode()})
"""
RUN = (
    "import sys; from transom.server import Config, run; sys.exit(run({target!r}, Config(port=0, {options})))"
)
PATIENCE = 30  # seconds; the machine may be busy


class ServerProcess:
    """A server in a process of its own whose log is read line by line."""

    def __init__(self, folder: Path, code: str) -> None:
        self.process = subprocess.Popen(
            [sys.executable, "-c", code], cwd=folder, stderr=subprocess.PIPE, text=True
        )
        self.log = ""

    def wait_for(self, pattern: str, times: int = 1) -> str:
        """Read the log until the pattern was there that often; return its last first group."""
        assert self.process.stderr
        while len(found := re.findall(pattern, self.log)) < times:
            line = self.process.stderr.readline()
            assert line, f"the log ended without {pattern!r}:\n{self.log}"
            self.log += line
        return found[-1]

    def wait_until_up(self, workers: int) -> str:
        """Wait until so many workers serve; return the URL."""
        self.wait_for("serving on", times=workers)
        return re.findall(r"(?:serving|supervising \d+ workers?) on (http://[^ \n]+)", self.log)[0]

    @property
    def workers(self) -> list[int]:
        """The process ids of all workers that the log names so far, in the order of their start."""
        return [int(pid) for pid in re.findall(r"started worker (\d+)", self.log)]

    def end(self, *signals: int) -> int:
        """Send signals, wait for the end, return the exit code."""
        for number in signals:
            self.process.send_signal(number)
        code = self.process.wait(PATIENCE)
        assert self.process.stderr
        self.log += self.process.stderr.read()
        return code


@pytest.fixture
def site_folder(tmp_path: Path) -> Path:
    """A directory with a module `mysite` whose `app` answers with the id of its process."""
    (tmp_path / "mysite.py").write_text(PID_SITE)
    return tmp_path


@pytest.fixture
def start_server(site_folder: Path) -> Iterator[Callable[..., ServerProcess]]:
    """Start servers there: `start_server("workers=2", "mysite:app")`, or with code of one's own: `start_server(code=...)`."""
    started: list[ServerProcess] = []

    def start(options: str = "", target: str = "mysite:app", *, code: str | None = None) -> ServerProcess:
        started.append(ServerProcess(site_folder, code or RUN.format(target=target, options=options)))
        return started[-1]

    yield start
    for each in started:
        if each.process.poll() is None:
            each.process.kill()
            each.process.wait()
        assert each.process.stderr
        each.process.stderr.close()


@pytest.fixture
def ask_pid() -> Callable[[str], int]:
    """Return which process answers at a URL."""

    def ask(url: str) -> int:
        with urlopen(url, timeout=PATIENCE) as response:
            return int(response.read())

    return ask
