"""The pages /metrics and /health: the exchange without I/O, on an event loop, and in a supervisor's selector."""

from __future__ import annotations

import asyncio
import contextlib
import json
import selectors
import socket
from collections.abc import Iterator

import h11
import pytest

from transom.server import Config, Server
from transom.server.exceptions import BindError, StartupError
from transom.server.metrics.metrics import Samples
from transom.server.metrics.pages import StatusExchange
from transom.server.processes.status_port import StatusPort
from transom.server.sockets.listener import bind_address
from transom.server.status_server import MAX_CONNECTIONS, TIMEOUT, StatusConnection


class FakeStatus:
    def __init__(self, serving: int = 2) -> None:
        self.serving = serving

    def count_serving(self) -> int:
        return self.serving

    def collect(self) -> Samples:
        return Samples({"transom_connections_total": 3}, {})


def parse(data: bytes, method: str = "GET") -> tuple[int, dict[bytes, bytes], bytes]:
    """Parse one response, with a parser that is not ours."""
    client = h11.Connection(h11.CLIENT)
    client.send(h11.Request(method=method, target="/", headers=[("host", "x")]))
    client.send(h11.EndOfMessage())
    client.receive_data(data)
    client.receive_data(b"")
    response = client.next_event()
    assert isinstance(response, h11.Response)
    body = b""
    while isinstance(event := client.next_event(), h11.Data):
        body += event.data
    assert isinstance(event, h11.EndOfMessage)
    return response.status_code, dict(response.headers), body


def ask(
    path: str, method: str = "GET", status: FakeStatus | None = None
) -> tuple[int, dict[bytes, bytes], bytes]:
    exchange = StatusExchange(status or FakeStatus())
    response = exchange.receive_data(f"{method} {path} HTTP/1.1\r\nHost: x\r\n\r\n".encode())
    assert exchange.is_done
    return parse(response, method)


def test_metrics_have_the_content_type_of_the_format():
    status, headers, body = ask("/metrics")
    assert status == 200
    assert headers[b"content-type"] == b"text/plain; version=0.0.4; charset=utf-8"
    assert (headers[b"cache-control"], headers[b"connection"]) == (b"no-store", b"close")
    assert b"\ntransom_connections_total 3\n" in body


@pytest.mark.parametrize(
    ("serving", "code", "word"), [(0, 503, "unavailable"), (1, 200, "ok"), (8, 200, "ok")]
)
def test_health_is_whether_a_worker_serves(serving: int, code: int, word: str):
    status, headers, body = ask("/health?x=1", status=FakeStatus(serving))
    assert (status, headers[b"content-type"]) == (code, b"application/json")
    assert json.loads(body) == {"status": word, "workers": serving}


def test_head_has_the_length_and_no_body():
    _, headers, body = ask("/health", "HEAD")
    assert (headers[b"content-length"], body) == (b"%d" % len(ask("/health")[2]), b"")


@pytest.mark.parametrize("path", ["/", "/metrics/", "/Health", "/metrics/../health"])
def test_any_other_path_is_404_and_names_those_there_are(path: str):
    status, _, body = ask(path)
    assert (status, body) == (404, b"no page here; choose from /metrics and /health\n")


def test_any_other_method_is_405():
    status, headers, _ = ask("/metrics", "POST")
    assert (status, headers[b"allow"]) == (405, b"GET, HEAD")


@pytest.mark.parametrize(
    ("data", "code"),
    [
        (b"GET /metrics HTTP/1.1\r\n\r\n", 400),
        (b"GET /metrics\r\n\r\n", 400),
        (b"\x16\x03\x01\x02\x00", 400),
        (b"GET /" + b"x" * 2000 + b" HTTP/1.1\r\n", 414),
        (b"GET / HTTP/1.1\r\nHost: x\r\n" + b"X: y\r\n" * 60 + b"\r\n", 431),
        (b"GET / HTTP/1.1\r\nHost: x\r\nX: " + b"y" * 9000, 431),
        (b"GET / HTTP/1.1\r\nHost: x\r\nContent-Length: 5\r\n\r\nhello", 413),
    ],
)
def test_what_breaks_a_rule_or_a_limit_is_refused(data: bytes, code: int):
    exchange = StatusExchange(FakeStatus())
    assert parse(exchange.receive_data(data))[0] == code
    assert exchange.is_done
    assert exchange.receive_data(b"more") == b""


def test_request_may_come_byte_by_byte():
    exchange = StatusExchange(FakeStatus())
    parts = [exchange.receive_data(bytes([byte])) for byte in b"GET /health HTTP/1.1\r\nHost: x\r\n\r\n"]
    assert not any(parts[:-1])
    assert parse(parts[-1])[0] == 200


# On the event loop of a worker.


async def fetch(port: int, path: str) -> tuple[int, dict[bytes, bytes], bytes]:
    reader, writer = await asyncio.open_connection("127.0.0.1", port)
    writer.write(f"GET {path} HTTP/1.1\r\nHost: localhost\r\n\r\n".encode())
    data = await asyncio.wait_for(reader.read(), 10)
    writer.close()
    await writer.wait_closed()
    return parse(data)


def status_port(server: Server) -> int:
    assert server._status is not None
    return server._status.addresses[0][1]


async def test_worker_shows_its_metrics_beside_the_application(serve, respond):
    running = await serve(respond(b"hello"), access_log=False, metrics_bind="127.0.0.1:0")
    client = await running.connect()
    for _ in range(3):
        await client.get()
    running.server.state.access_log.flush()
    status, _, body = await fetch(status_port(running.server), "/metrics")
    assert status == 200
    assert b'transom_requests_total{method="GET",status="200"} 3\n' in body
    assert b"transom_response_bytes_total 15\n" in body
    assert b"transom_connections_open 1\n" in body
    assert b'transom_workers{state="serving"} 1\n' in body
    assert len(running.server.state.connections) == 1  # its own are not the application's


async def test_refused_requests_and_websockets_are_counted(serve):
    async def app(scope, receive, send):
        await receive()
        await send({"type": "websocket.accept"})
        await receive()

    running = await serve(app, metrics_bind="127.0.0.1:0")
    assert (await running.exchange(b"nonsense\r\n\r\n")).status == 400
    client = await running.connect()
    await client.send(
        b"GET / HTTP/1.1\r\nHost: localhost\r\nConnection: upgrade\r\nUpgrade: websocket\r\n"
        b"Sec-WebSocket-Version: 13\r\nSec-WebSocket-Key: AAAAAAAAAAAAAAAAAAAAAA==\r\n\r\n"
    )
    await client.read_head()
    body = (await fetch(status_port(running.server), "/metrics"))[2]
    assert b'transom_requests_refused_total{status="400"} 1\n' in body
    assert b"transom_websockets_open 1\n" in body
    assert b"transom_connections_total 2\n" in body
    client.writer.close()


async def test_health_is_503_while_the_application_starts_and_stops():
    seen: list[int] = []

    async def app(scope, receive, send):
        for kind in ("startup", "shutdown"):
            await receive()
            seen.append((await fetch(status_port(server), "/health"))[0])
            await send({"type": f"lifespan.{kind}.complete"})

    server = Server(app, Config(port=0, metrics_bind="127.0.0.1:0"))
    async with server:
        port = status_port(server)
        assert (await fetch(port, "/health"))[0] == 200
    assert seen == [503, 503]
    with pytest.raises(ConnectionRefusedError):
        await fetch(port, "/health")


async def test_address_in_use_names_the_option(respond):
    with socket.create_server(("127.0.0.1", 0)) as taken:
        address = f"127.0.0.1:{taken.getsockname()[1]}"
        with pytest.raises(
            BindError, match=f"cannot listen on {address}: .*another port with --metrics-bind"
        ):
            await Server(respond(), Config(port=0, metrics_bind=address)).start()


async def test_pages_end_with_a_start_up_that_failed():
    ports: list[int] = []

    async def app(scope, receive, send):
        ports.append(status_port(server))
        await receive()
        await send({"type": "lifespan.startup.failed", "message": "no database"})

    server = Server(app, Config(port=0, metrics_bind="127.0.0.1:0"))
    with pytest.raises(StartupError):
        await server.start()
    with pytest.raises(ConnectionRefusedError):
        await fetch(ports[0], "/health")


async def test_client_that_says_nothing_is_dropped(serve, respond, monkeypatch):
    running = await serve(respond(), metrics_bind="127.0.0.1:0")
    reader, writer = await asyncio.open_connection("127.0.0.1", status_port(running.server))
    status = running.server._status
    while not status.connections:
        await asyncio.sleep(0)
    status.tick()
    (connection,) = status.connections
    connection.deadline -= TIMEOUT + 1
    status.tick()
    with contextlib.suppress(ConnectionResetError):
        assert await asyncio.wait_for(reader.read(), 10) == b""
    writer.close()


async def test_too_many_clients_are_not_kept(serve, respond):
    running = await serve(respond(), metrics_bind="127.0.0.1:0")
    status = running.server._status
    status.connections.update(StatusConnection(status) for _ in range(MAX_CONNECTIONS))
    reader, writer = await asyncio.open_connection("127.0.0.1", status_port(running.server))
    with contextlib.suppress(ConnectionResetError):
        assert await asyncio.wait_for(reader.read(), 10) == b""
    writer.close()
    assert len(status.connections) == MAX_CONNECTIONS
    status.connections.clear()


# In the selector of a supervisor.


@pytest.fixture
def port() -> Iterator[StatusPort]:
    selector = selectors.DefaultSelector()
    found = StatusPort(bind_address("127.0.0.1:0"), selector, FakeStatus())
    yield found
    found.close()
    assert not selector.get_map()
    selector.close()


def connect(port: StatusPort) -> socket.socket:
    client = socket.create_connection(port._listeners[0].getsockname(), timeout=10)
    look(port)
    return client


def look(port: StatusPort) -> None:
    assert port._selector.select(10)
    port.look()


def test_supervisor_answers_between_other_things(port: StatusPort):
    with connect(port) as slow, connect(port) as client:
        slow.sendall(b"GET /hea")
        look(port)
        client.sendall(b"GET /health HTTP/1.1\r\nHost: x\r\n\r\n")
        look(port)
        assert parse(client.recv(65_536))[0] == 200
        assert client.recv(10) == b""
        slow.sendall(b"lth HTTP/1.1\r\nHost: x\r\n\r\n")
        look(port)
        assert parse(slow.recv(65_536))[0] == 200
    assert not port._clients


def test_supervisor_is_woken_for_a_client_that_reads_slowly(
    port: StatusPort, monkeypatch: pytest.MonkeyPatch
):
    monkeypatch.setattr(FakeStatus, "collect", lambda self: Samples({"transom_connections_total": 1}, {}))
    monkeypatch.setattr("transom.server.metrics.pages.build_text", lambda samples: b"x" * 10_000_000)
    with connect(port) as client:
        client.sendall(b"GET /metrics HTTP/1.1\r\nHost: x\r\n\r\n")
        look(port)
        assert len(port._clients) == 1
        received = b""
        client.settimeout(0.01)
        while port._clients:
            with contextlib.suppress(TimeoutError):
                received += client.recv(1_000_000)
            port._selector.select(0)
            port.look()
        client.settimeout(10)
        while data := client.recv(1_000_000):
            received += data
    assert len(parse(received)[2]) == 10_000_000


def test_supervisor_drops_who_leaves_and_who_says_nothing(port: StatusPort):
    with connect(port) as client:
        client.shutdown(socket.SHUT_WR)
        look(port)
        assert not port._clients
    with connect(port):
        assert port.deadline < float("inf")
        (waiting,) = port._clients.values()
        waiting.deadline = 0.0
        port.look()
        assert not port._clients
    assert port.deadline == float("inf")


def test_supervisor_keeps_no_more_than_a_few_clients(port: StatusPort):
    with contextlib.ExitStack() as stack:
        clients = [stack.enter_context(connect(port)) for _ in range(MAX_CONNECTIONS + 1)]
        assert len(port._clients) == MAX_CONNECTIONS
        assert clients[-1].recv(10) == b""


def test_client_that_is_gone_is_no_error(port: StatusPort):
    client = connect(port)
    client.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, b"\1\0\0\0\0\0\0\0")
    client.sendall(b"GET /health HTTP/1.1\r\nHost: x\r\n\r\n")
    client.close()
    while port._clients:
        look(port)
