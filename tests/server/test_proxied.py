"""Behind a proxy, over real sockets: PROXY protocol headers and forwarded fields, and what applications are told."""

from __future__ import annotations

import asyncio
import logging
import shutil
import socket
import ssl
import struct
import subprocess
from pathlib import Path
from typing import Any

import pytest
import trustme
import websockets

from transom.server import Config, Server
from transom.server.trust import to_plain

pytestmark = pytest.mark.each_loop

CA = trustme.CA()
GET = b"GET / HTTP/1.1\r\nHost: a\r\n\r\n"
V1 = b"PROXY TCP4 192.0.2.1 10.0.0.2 5000 443\r\n"
SIGNATURE = b"\r\n\r\n\x00\r\nQUIT\n"


def v2(command: int = 0x21, extensions: bytes = b"") -> bytes:
    addresses = socket.inet_aton("192.0.2.1") + socket.inet_aton("10.0.0.2") + struct.pack("!HH", 5000, 443)
    rest = addresses + extensions
    return SIGNATURE + struct.pack("!BBH", command, 0x11, len(rest)) + rest


SECURE = struct.pack("!BHBI", 0x20, 5, 1, 0)  # PP2_TYPE_SSL with PP2_CLIENT_SSL


class Site:
    """An application that notes its scopes."""

    def __init__(self) -> None:
        self.scopes: list[Any] = []

    @property
    def scope(self) -> Any:
        return self.scopes[-1]

    async def __call__(self, scope: Any, receive: Any, send: Any) -> None:
        self.scopes.append(scope)
        if scope["type"] == "websocket":
            await receive()
            await send({"type": "websocket.accept"})
            await send({"type": "websocket.close"})
            return
        await send({"type": "http.response.start", "status": 200})
        await send({"type": "http.response.body", "body": b"hello"})


@pytest.fixture
def site() -> Site:
    return Site()


@pytest.fixture
def tls(tmp_path: Path) -> dict[str, Any]:
    leaf = CA.issue_cert("localhost")
    leaf.private_key_and_cert_chain_pem.write_to_path(str(tmp_path / "all.pem"))
    return {"ssl_certfile": str(tmp_path / "all.pem")}


def client_context() -> ssl.SSLContext:
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)  # as the default one, without the system's authorities
    CA.configure_trust(context)
    return context


# The PROXY protocol


@pytest.mark.parametrize("header", [V1, v2()])
async def test_client_and_server_are_those_of_the_header(serve: Any, site: Site, header: bytes) -> None:
    running = await serve(site, proxy_protocol=True)
    client = await running.connect()
    await client.send(header + GET + GET)
    for _ in range(2):  # it stands for the whole connection
        assert (await client.read()).status == 200
        assert (site.scope["client"], site.scope["server"]) == (("192.0.2.1", 5000), ("10.0.0.2", 443))
        assert site.scope["scheme"] == "http"


@pytest.mark.parametrize("header", [b"PROXY UNKNOWN\r\n", v2(command=0x20)])
async def test_balancer_that_speaks_for_itself_is_the_client(serve: Any, site: Site, header: bytes) -> None:
    """Its health checks."""
    running = await serve(site, proxy_protocol=True)
    client = await running.connect()
    await client.send(header + GET)
    assert (await client.read()).status == 200
    assert site.scope["client"][0] == "127.0.0.1"
    assert site.scope["server"] == ("127.0.0.1", running.port)


@pytest.mark.parametrize("header", [V1, v2()])
async def test_header_may_come_byte_by_byte(serve: Any, site: Site, header: bytes) -> None:
    running = await serve(site, proxy_protocol=True)
    raw = socket.create_connection(("127.0.0.1", running.port))
    raw.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
    raw.setblocking(False)
    loop = asyncio.get_running_loop()
    for byte in header + GET:
        await loop.sock_sendall(raw, bytes([byte]))
        await asyncio.sleep(0)
    assert (await loop.sock_recv(raw, 1000)).startswith(b"HTTP/1.1 200 ")
    raw.close()
    assert site.scope["client"] == ("192.0.2.1", 5000)


async def test_whether_the_client_spoke_tls_with_the_balancer(serve: Any, site: Site) -> None:
    running = await serve(site, proxy_protocol=True)
    await running.exchange(v2(extensions=SECURE) + GET)
    assert site.scope["scheme"] == "https"
    assert "tls" not in site.scope["extensions"]  # it is not ours to tell of


@pytest.mark.parametrize("header", [V1, v2()])
async def test_tls_follows_the_header(serve: Any, site: Site, tls: dict[str, Any], header: bytes) -> None:
    running = await serve(site, proxy_protocol=True, **tls)
    raw = socket.create_connection(("127.0.0.1", running.port))
    raw.sendall(header)
    reader, writer = await asyncio.open_connection(
        sock=raw, ssl=client_context(), server_hostname="localhost"
    )
    writer.write(GET)
    assert (await reader.readline()).startswith(b"HTTP/1.1 200 ")
    writer.close()
    assert site.scope["client"] == ("192.0.2.1", 5000)
    assert site.scope["scheme"] == "https"
    assert site.scope["extensions"]["tls"]["tls_version"] == 0x0304


async def test_header_that_arrives_with_the_handshake_takes_no_byte_of_it(
    serve: Any, site: Site, tls: dict[str, Any]
) -> None:
    """Both in one segment."""
    running = await serve(site, proxy_protocol=True, **tls)
    incoming, outgoing = ssl.MemoryBIO(), ssl.MemoryBIO()
    session = client_context().wrap_bio(incoming, outgoing, server_hostname="localhost")
    client = await running.connect()
    first = V1
    while True:
        try:
            session.do_handshake()
            break
        except ssl.SSLWantReadError:
            await client.send(first + outgoing.read())
            first = b""
            incoming.write(await client.reader.read(16_384))
    session.write(GET)
    await client.send(outgoing.read())
    reply = b""
    while b"hello" not in reply:
        incoming.write(await client.reader.read(16_384))
        try:
            reply += session.read(16_384)
        except ssl.SSLWantReadError:
            continue  # session tickets
    assert site.scope["client"] == ("192.0.2.1", 5000)


async def read_whole(client: Any) -> bytes:
    """Read until the end, in order or not: a close with unread bytes resets the connection."""
    try:
        return await client.read_to_end()
    except ConnectionError:
        return b""


@pytest.mark.parametrize(
    "data", [GET, b"\x16\x03\x01\x02", b"PROXY TCP4 nonsense\r\n" + GET, v2(command=0x31)]
)
async def test_without_a_header_nothing_is_served(
    serve: Any, site: Site, caplog: pytest.LogCaptureFixture, data: bytes
) -> None:
    caplog.set_level(logging.INFO)
    running = await serve(site, proxy_protocol=True)
    client = await running.connect()
    await client.send(data)
    assert await read_whole(client) == b""
    assert [record.levelname for record in caplog.records] == ["INFO"]
    assert "refused a connection of 127.0.0.1" in caplog.text
    assert site.scopes == []


async def test_peer_that_is_not_trusted_is_closed(
    serve: Any, site: Site, caplog: pytest.LogCaptureFixture
) -> None:
    """Anybody could claim to be anybody."""
    caplog.set_level(logging.INFO)
    running = await serve(site, proxy_protocol=True, forwarded_allow_ips=("10.0.0.0/8",))
    client = await running.connect()
    await client.send(V1 + GET)
    assert await read_whole(client) == b""
    assert "closed a connection of 127.0.0.1, which forwarded_allow_ips does not have" in caplog.text
    assert site.scopes == []


async def test_header_that_does_not_come_ends_the_connection(serve: Any, site: Site) -> None:
    running = await serve(site, proxy_protocol=True, timeout_tls_handshake=0.05)
    silent, half = await running.connect(), await running.connect()
    await half.send(V1[:20])
    assert await read_whole(silent) == b""
    assert await read_whole(half) == b""
    assert not running.server.state.capacity.opening


async def test_client_that_leaves_within_the_header(serve: Any, site: Site) -> None:
    running = await serve(site, proxy_protocol=True)
    client = await running.connect()
    await client.send(V1[:20])
    client.writer.write_eof()
    assert await read_whole(client) == b""
    assert not running.server.state.capacity.opening


async def test_header_without_the_option_is_no_request(serve: Any, site: Site) -> None:
    running = await serve(site)
    assert (await running.exchange(V1 + GET)).status == 400
    assert site.scopes == []


async def test_headers_that_are_waited_for_count_as_connections(serve: Any, site: Site) -> None:
    running = await serve(site, proxy_protocol=True, limit_concurrency=2)
    waiting = [await running.connect() for _ in range(2)]
    while len(running.server.state.capacity.opening) < 2:
        await asyncio.sleep(0)
    assert await read_whole(await running.connect()) == b""
    await waiting[0].send(V1 + GET)
    assert (await waiting[0].read()).status == 200


async def test_stop_ends_connections_without_a_header(serve: Any, site: Site) -> None:
    running = await serve(site, proxy_protocol=True)
    client = await running.connect()
    while not running.server.state.capacity.opening:
        await asyncio.sleep(0)
    await asyncio.wait_for(running.server.stop(), 10)
    assert await read_whole(client) == b""


@pytest.mark.parametrize("secure", [False, True])
async def test_connections_in_the_queue_are_served_when_the_server_stops(
    serve: Any, site: Site, tls: dict[str, Any], secure: bool
) -> None:
    """They were established before the stop, so that their clients may have sent already."""
    running = await serve(
        site, proxy_protocol=True, timeout_graceful_shutdown=10.0, **(tls if secure else {})
    )
    raw = socket.create_connection(("127.0.0.1", running.port))  # no turn of the loop since: in the queue
    raw.sendall(V1)
    stopping = asyncio.create_task(running.server.stop())
    options = {"ssl": client_context(), "server_hostname": "localhost"} if secure else {}
    reader, writer = await asyncio.open_connection(sock=raw, **options)
    writer.write(GET)
    assert (await reader.readline()).startswith(b"HTTP/1.1 200 ")
    writer.close()
    await stopping


@pytest.mark.slow
async def test_curl_speaks_with_us(serve: Any, site: Site, tls: dict[str, Any]) -> None:
    """An independent sender of version 1."""
    if shutil.which("curl") is None:
        pytest.skip("curl is not installed")
    running = await serve(site, proxy_protocol=True, **tls)
    process = await asyncio.create_subprocess_exec(
        "curl", "-sk", "--haproxy-protocol", f"https://127.0.0.1:{running.port}/", stdout=subprocess.PIPE
    )
    out, _ = await process.communicate()
    assert out == b"hello"
    assert site.scope["client"][0] == "127.0.0.1"
    assert site.scope["server"] == ("127.0.0.1", running.port)


# Forwarded fields


async def test_forwarded_fields_of_a_trusted_proxy_are_taken(
    serve: Any, site: Site, caplog: pytest.LogCaptureFixture
) -> None:
    """Client and scheme of the scope, and Host among its headers; the access log has the client too."""
    caplog.set_level(logging.INFO, "transom.access")
    running = await serve(site, forwarded_fields="x-forwarded-host")
    client = await running.connect()
    fields = [
        b"X-Forwarded-For: 6.6.6.6, 203.0.113.7",
        b"X-Forwarded-Proto: https",
        b"X-Forwarded-Host: shop.example",
    ]
    for _ in range(2):
        assert (await client.get("/", *fields)).status == 200
        assert site.scope["client"] == ("203.0.113.7", 0)
        assert site.scope["scheme"] == "https"
        assert [value for name, value in site.scope["headers"] if name == b"host"] == [b"shop.example"]
        assert (b"x-forwarded-proto", b"https") in site.scope["headers"]
    assert (await client.get()).status == 200  # the next one is another client's
    assert site.scope["client"][0] == "127.0.0.1"
    assert site.scope["scheme"] == "http"
    await running.server.stop()
    hosts = [record.getMessage().split()[0] for record in caplog.records if record.name == "transom.access"]
    assert hosts == ["203.0.113.7", "203.0.113.7", "127.0.0.1"]


@pytest.mark.parametrize("options", [{"forwarded_allow_ips": ("10.0.0.0/8",)}, {"proxy_headers": False}])
async def test_forwarded_fields_of_others_are_only_passed_on(
    serve: Any, site: Site, options: dict[str, Any]
) -> None:
    running = await serve(site, **options)
    fields = [b"X-Forwarded-For: 203.0.113.7", b"X-Forwarded-Proto: https", b"X-Forwarded-Host: evil.example"]
    client = await running.connect()
    assert (await client.get("/", *fields)).status == 200
    assert site.scope["client"][0] == "127.0.0.1"
    assert site.scope["scheme"] == "http"
    assert dict(site.scope["headers"])[b"host"] == b"example.org"
    assert (b"x-forwarded-host", b"evil.example") in site.scope["headers"]


async def test_forwarded_of_rfc_7239(serve: Any, site: Site) -> None:
    running = await serve(site, forwarded_fields="forwarded")
    client = await running.connect()
    field = b'Forwarded: for="[2001:db8::7]:4711";proto=https;host=shop.example'
    assert (await client.get("/", field, b"X-Forwarded-For: 6.6.6.6")).status == 200
    assert site.scope["client"] == ("2001:db8::7", 4711)
    assert site.scope["scheme"] == "https"


@pytest.mark.parametrize(
    "field",
    [
        b"X-Forwarded-For: \xff\xfe",
        b"X-Forwarded-For: ,,,",
        b"X-Forwarded-Proto: javascript",
        b"X-Forwarded-Host: a b/c",
        b"X-Forwarded-Port: 99999999999999999999999",
    ],
)
async def test_fields_that_cannot_be_read_are_no_error(serve: Any, site: Site, field: bytes) -> None:
    running = await serve(site, forwarded_fields="x-forwarded-host")
    client = await running.connect()
    assert (await client.get("/", field)).status == 200
    assert site.scope["client"][0] == "127.0.0.1"
    assert (site.scope["scheme"], site.scope["server"]) == ("http", ("127.0.0.1", running.port))
    assert dict(site.scope["headers"])[b"host"] == b"example.org"


async def test_websocket_behind_a_proxy_with_tls(serve: Any, site: Site) -> None:
    """Its scheme is wss."""
    running = await serve(site)
    headers = {"X-Forwarded-For": "203.0.113.7", "X-Forwarded-Proto": "https"}
    url = f"ws://127.0.0.1:{running.port}"
    async with websockets.connect(url, additional_headers=headers, proxy=None) as connection:
        await connection.wait_closed()
    assert site.scope["scheme"] == "wss"
    assert site.scope["client"] == ("203.0.113.7", 0)


@pytest.mark.parametrize(("trusted", "client"), [(("unix",), ("203.0.113.7", 0)), (("127.0.0.1",), None)])
async def test_proxy_on_a_unix_socket(
    site: Site, tmp_path: Path, trusted: tuple[str, ...], client: tuple[str, int] | None
) -> None:
    """No client address, and the path as server."""
    path = str(tmp_path / "s")
    async with Server(site, Config(uds=path, lifespan="off", forwarded_allow_ips=trusted)):
        reader, writer = await asyncio.open_unix_connection(path)
        writer.write(b"GET / HTTP/1.1\r\nHost: a\r\nX-Forwarded-For: 203.0.113.7\r\n\r\n")
        assert (await reader.readline()).startswith(b"HTTP/1.1 200 ")
        writer.close()
    assert site.scope["client"] == client
    assert site.scope["server"] == (path, None)


async def test_clients_of_a_socket_for_both_families_have_plain_addresses(site: Site) -> None:
    """systemd opens one for `ListenStream=8000`: lists of addresses would not match `::ffff:127.0.0.1`."""
    listener = socket.socket(socket.AF_INET6)
    listener.setsockopt(socket.IPPROTO_IPV6, socket.IPV6_V6ONLY, 0)
    listener.bind(("::", 0))
    async with Server(site, Config(lifespan="off"), sockets=[listener]) as server:
        reader, writer = await asyncio.open_connection("127.0.0.1", server.addresses[0][1])
        writer.write(b"GET / HTTP/1.1\r\nHost: a\r\nX-Forwarded-For: 203.0.113.7\r\n\r\n")
        assert (await reader.readline()).startswith(b"HTTP/1.1 200 ")
        writer.close()
    assert site.scope["client"] == ("203.0.113.7", 0)
    assert site.scope["server"][0] == "127.0.0.1"
    assert to_plain("::ffff:192.0.2.1") == "192.0.2.1"
    assert to_plain("::1") == "::1"
