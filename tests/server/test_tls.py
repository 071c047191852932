"""TLS over real sockets, on both event loops."""

from __future__ import annotations

import asyncio
import logging
import os
import signal
import socket
import ssl
import subprocess
import sys
import time
from datetime import UTC, datetime, timedelta
from http.client import HTTPSConnection
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest
import trustme
import websockets

from transom.server import Config
from transom.server.exceptions import TLSError
from transom.server.tls.context import Certificates, build_context, hide_malformed_server_names

CA = trustme.CA()
OTHER_CA = trustme.CA()
# What a client sees depends on when it writes: asyncio closes without the alert that would say why.
REFUSED = (ssl.SSLError, ConnectionError, asyncio.IncompleteReadError)
GET = b"GET / HTTP/1.1\r\nHost: a\r\n\r\n"


pytestmark = pytest.mark.each_loop


class Files:
    """Certificates in a folder."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        CA.cert_pem.write_to_path(str(folder / "ca.pem"))
        self.write("server", "localhost")

    def write(self, name: str, *hosts: str, ca: trustme.CA = CA, **options: Any) -> trustme.LeafCert:
        """Write `name`.pem and `name`.key anew, each at once, as those do that renew certificates."""
        leaf = ca.issue_cert(*hosts, **options)
        for suffix, blobs in (("key", [leaf.private_key_pem]), ("pem", leaf.cert_chain_pems)):
            (self.folder / "new").write_bytes(b"".join(blob.bytes() for blob in blobs))
            (self.folder / "new").replace(self.folder / f"{name}.{suffix}")
        return leaf

    def path(self, name: str) -> str:
        return str(self.folder / name)

    def pem(self, name: str) -> str:
        return (self.folder / f"{name}.pem").read_text()

    def options(self, **more: Any) -> dict[str, Any]:
        return {"ssl_certfile": self.path("server.pem"), "ssl_keyfile": self.path("server.key")} | more


@pytest.fixture
def files(tmp_path: Path) -> Files:
    return Files(tmp_path)


def client_context(certificate: trustme.LeafCert | None = None, **attributes: Any) -> ssl.SSLContext:
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)  # as the default one, without the system's authorities
    CA.configure_trust(context)
    if certificate is not None:
        certificate.configure_cert(context)
    for name, value in attributes.items():
        setattr(context, name, value)
    return context


def report(seen: list[Any]) -> Any:
    """An application that notes the scopes it is called with."""

    async def app(scope: Any, receive: Any, send: Any) -> None:
        seen.append(scope)
        if scope["type"] == "websocket":
            await receive()
            await send({"type": "websocket.accept"})
            await send({"type": "websocket.close"})
            return
        await send({"type": "http.response.start", "status": 200})
        await send({"type": "http.response.body", "body": b"hello"})

    return app


async def ask(running: Any, context: ssl.SSLContext | None = None, host: str | None = "localhost") -> Any:
    client = await running.connect(ssl=context or client_context(), server_hostname=host)
    reply = await client.get()
    client.writer.close()
    return reply


async def presented(running: Any, host: str) -> str:
    """Return the certificate that is shown for a name."""
    context = client_context(check_hostname=False)
    client = await running.connect(ssl=context, server_hostname=host)
    der = client.writer.get_extra_info("ssl_object").getpeercert(binary_form=True)
    client.writer.close()
    return ssl.DER_cert_to_PEM_cert(der)


# What applications are told


async def test_application_is_told_of_tls(serve: Any, files: Files) -> None:
    """X8: mandatory keys, types and numbers; H1.7: scheme."""
    seen: list[Any] = []
    running = await serve(report(seen), **files.options())
    assert running.server.urls == [f"https://127.0.0.1:{running.port}"]
    assert (await ask(running)).body == b"hello"
    (scope,) = seen
    assert scope["scheme"] == "https"
    tls = scope["extensions"]["tls"]
    assert ssl.PEM_cert_to_DER_cert(tls.pop("server_cert")) == ssl.PEM_cert_to_DER_cert(files.pem("server"))
    assert tls.pop("cipher_suite") in (0x1301, 0x1302, 0x1303)
    assert tls == {
        "client_cert_chain": [],
        "client_cert_name": None,
        "client_cert_error": None,
        "tls_version": 0x0304,
    }


async def test_version_and_cipher_suite_have_the_numbers_of_the_registry(serve: Any, files: Files) -> None:
    """X8: with ECDHE-ECDSA-AES128-GCM-SHA256 of TLS 1.2."""
    seen: list[Any] = []
    running = await serve(report(seen), **files.options(ssl_ciphers="ECDHE-ECDSA-AES128-GCM-SHA256"))
    await ask(running, client_context(maximum_version=ssl.TLSVersion.TLSv1_2))
    tls = seen[0]["extensions"]["tls"]
    assert (tls["tls_version"], tls["cipher_suite"]) == (0x0303, 0xC02B)


async def test_without_tls_there_is_no_extension(serve: Any) -> None:
    """X8: forbidden without TLS."""
    seen: list[Any] = []
    running = await serve(report(seen))
    assert (await running.exchange(GET)).status == 200
    assert seen[0]["scheme"] == "http"
    assert "tls" not in seen[0]["extensions"]


async def test_websocket_over_tls(serve: Any, files: Files) -> None:
    """X8, H1.7: scheme wss, and the extension in the scope of a WebSocket too."""
    seen: list[Any] = []
    running = await serve(report(seen), **files.options())
    async with websockets.connect(
        f"wss://localhost:{running.port}", ssl=client_context(), host="127.0.0.1"
    ) as ws:
        await ws.wait_closed()
    assert seen[0]["scheme"] == "wss"
    assert seen[0]["extensions"]["tls"]["tls_version"] == 0x0304


# Client certificates


async def test_client_must_show_a_certificate_if_required(serve: Any, files: Files) -> None:
    """X8: chain and name are those of the client."""
    seen: list[Any] = []
    running = await serve(
        report(seen), **files.options(ssl_ca_certs=files.path("ca.pem"), ssl_cert_reqs="required")
    )
    for certificate in (None, OTHER_CA.issue_cert("stranger@example.org")):
        with pytest.raises(REFUSED):
            await ask(running, client_context(certificate))
    assert seen == []
    known = CA.issue_cert("jim@example.org", common_name="Jim, III", organization_name="Example")
    assert (await ask(running, client_context(known))).status == 200
    tls = seen[0]["extensions"]["tls"]
    assert tls["client_cert_name"] == "CN=Jim\\, III,OU=" + name_part(known) + ",O=Example"
    assert tls["client_cert_chain"][0] == known.cert_chain_pems[0].bytes().decode()
    assert tls["client_cert_error"] is None


def name_part(leaf: trustme.LeafCert) -> str:
    """trustme makes the unit up."""
    from cryptography import x509

    certificate = x509.load_pem_x509_certificate(leaf.cert_chain_pems[0].bytes())
    (unit,) = certificate.subject.get_attributes_for_oid(x509.NameOID.ORGANIZATIONAL_UNIT_NAME)
    return str(unit.value)


async def test_chain_of_the_client_is_whole_where_python_tells(serve: Any, files: Files) -> None:
    """X8: what the client sent, its own certificate first; before Python 3.13 nothing else is to be had."""
    seen: list[Any] = []
    running = await serve(
        report(seen), **files.options(ssl_ca_certs=files.path("ca.pem"), ssl_cert_reqs="required")
    )
    leaf = CA.create_child_ca().issue_cert("jim@example.org")
    await ask(running, client_context(leaf))
    sent = [blob.bytes().decode() for blob in leaf.cert_chain_pems]
    assert len(sent) == 2
    expected = sent if sys.version_info >= (3, 13) else sent[:1]
    assert seen[0]["extensions"]["tls"]["client_cert_chain"] == expected


async def test_client_may_show_a_certificate_if_optional(serve: Any, files: Files) -> None:
    seen: list[Any] = []
    running = await serve(
        report(seen), **files.options(ssl_ca_certs=files.path("ca.pem"), ssl_cert_reqs="optional")
    )
    assert (await ask(running)).status == 200
    assert seen[0]["extensions"]["tls"]["client_cert_chain"] == []
    assert (await ask(running, client_context(CA.issue_cert("jim@example.org")))).status == 200
    assert seen[1]["extensions"]["tls"]["client_cert_name"]
    with pytest.raises(REFUSED):
        await ask(running, client_context(OTHER_CA.issue_cert("stranger@example.org")))


async def test_session_with_a_client_certificate_is_not_resumed(files: Files) -> None:
    """A resumed session is not checked again, and lacks the chain."""
    plain = build_context(Config(**files.options()), files.path("server.pem"), files.path("server.key"))
    config = Config(**files.options(ssl_ca_certs=files.path("ca.pem"), ssl_cert_reqs="optional"))
    mutual = build_context(config, files.path("server.pem"), files.path("server.key"))
    assert (plain.num_tickets, mutual.num_tickets) == (2, 0)
    assert mutual.options & ssl.OP_NO_TICKET


# Names


async def test_certificate_is_that_of_the_name(serve: Any, files: Files) -> None:
    """X8: `server_cert` is the one that was shown."""
    for name, host in (
        ("shop", "shop.example"),
        ("wild", "*.example.org"),
        ("umlaut", "xn--bcher-kva.example"),
    ):
        files.write(name, host)
    seen: list[Any] = []
    sni = [f"{host}={files.path(name)}.pem,{files.path(name)}.key" for host, name in
           (("Shop.example", "shop"), ("*.example.org", "wild"), ("b\u00fccher.example", "umlaut"))]  # fmt: skip
    running = await serve(report(seen), **files.options(ssl_sni=tuple(sni)))
    expected = {
        "shop.example": "shop",
        "SHOP.example": "shop",
        "a.example.org": "wild",
        "a.b.example.org": "server",  # a wildcard is one label
        "example.org": "server",
        "xn--bcher-kva.example": "umlaut",
        "other.example": "server",
        "127.0.0.1": "server",  # an address is no name: none is sent
    }
    for host, name in expected.items():
        shown = await presented(running, host)
        assert ssl.PEM_cert_to_DER_cert(shown) == ssl.PEM_cert_to_DER_cert(files.pem(name)), host
    for host, name in expected.items():
        await ask(running, client_context(check_hostname=False), host)
        told = seen[-1]["extensions"]["tls"]["server_cert"]
        assert ssl.PEM_cert_to_DER_cert(told) == ssl.PEM_cert_to_DER_cert(files.pem(name)), host


async def test_demands_on_clients_hold_for_every_name(serve: Any, files: Files) -> None:
    """OpenSSL takes the certificate from the context of the name, and all else from the first: both must agree."""
    files.write("shop", "shop.example")
    sni = (f"shop.example={files.path('shop.pem')},{files.path('shop.key')}",)
    running = await serve(
        report([]),
        **files.options(ssl_sni=sni, ssl_ca_certs=files.path("ca.pem"), ssl_cert_reqs="required"),
    )
    with pytest.raises(REFUSED):
        await ask(running, client_context(), "shop.example")
    known = client_context(CA.issue_cert("jim@example.org"))
    assert (await ask(running, known, "shop.example")).status == 200


@pytest.mark.parametrize(
    ("offered", "chosen"), [(["h2", "http/1.1"], "h2"), (["http/1.1"], "http/1.1"), (["h3"], None)]
)
async def test_protocol_is_negotiated_for_every_name(
    serve: Any, files: Files, offered: list[str], chosen: str | None
) -> None:
    """RFC 7301."""
    files.write("shop", "shop.example")
    sni = (f"shop.example={files.path('shop.pem')},{files.path('shop.key')}",)
    running = await serve(report([]), **files.options(ssl_sni=sni))
    for host in ("localhost", "shop.example"):
        context = client_context()
        context.set_alpn_protocols(offered)
        client = await running.connect(ssl=context, server_hostname=host)
        assert client.writer.get_extra_info("ssl_object").selected_alpn_protocol() == chosen
        client.writer.transport.abort()


# Versions


async def test_minimum_version(serve: Any, files: Files) -> None:
    running = await serve(report([]), **files.options(ssl_minimum_version="TLSv1.3"))
    with pytest.raises(REFUSED):
        await ask(running, client_context(maximum_version=ssl.TLSVersion.TLSv1_2))
    assert (await ask(running)).status == 200


def test_nothing_older_than_1_2_is_spoken_nor_renegotiated_nor_compressed(files: Files) -> None:
    context = build_context(Config(**files.options()), files.path("server.pem"), files.path("server.key"))
    assert context.minimum_version == ssl.TLSVersion.TLSv1_2
    for option in (ssl.OP_NO_RENEGOTIATION, ssl.OP_NO_COMPRESSION, ssl.OP_CIPHER_SERVER_PREFERENCE):
        assert context.options & option


@pytest.mark.slow
async def test_client_cannot_renegotiate(serve: Any, files: Files) -> None:
    """An independent client: `R` makes openssl s_client ask for it."""
    running = await serve(report([]), **files.options())
    process = await asyncio.create_subprocess_exec(
        "openssl", "s_client", "-connect", f"127.0.0.1:{running.port}", "-tls1_2", "-CAfile", files.path("ca.pem"),
        stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.STDOUT,
    )  # fmt: skip
    assert process.stdin
    assert process.stdout
    await asyncio.wait_for(process.stdout.readuntil(b"Verify return code: 0 (ok)"), 30)
    process.stdin.write(b"R\n")
    out, _ = await asyncio.wait_for(process.communicate(), 30)
    assert b"no renegotiation" in out
    assert (await ask(running)).status == 200


# Renewal


async def test_renewed_certificate_is_shown_to_new_connections_and_no_old_one_is_dropped(
    serve: Any, files: Files, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.INFO)
    seen: list[Any] = []
    running = await serve(report(seen), **files.options())
    certificates = running.server._certificates
    old = await running.connect(ssl=client_context(), server_hostname="localhost")
    assert (await old.get()).status == 200
    before = files.pem("server")
    files.write("server", "localhost", "new.example")
    certificates.renew()  # a first look sees it, a second finds it settled
    assert ssl.PEM_cert_to_DER_cert(await presented(running, "localhost")) == ssl.PEM_cert_to_DER_cert(before)
    certificates.renew()
    certificates.renew()
    assert caplog.text.count("server.pem again") == 1
    assert (await ask(running, host="new.example")).status == 200
    assert seen[-1]["extensions"]["tls"]["server_cert"].strip() == files.pem("server").strip()
    assert (await old.get()).status == 200
    old.writer.close()


async def test_certificate_that_cannot_be_used_leaves_the_old_one(
    serve: Any, files: Files, caplog: pytest.LogCaptureFixture
) -> None:
    running = await serve(report([]), **files.options())
    certificates = running.server._certificates
    for content in (b"junk", None):
        caplog.clear()
        if content is None:
            os.unlink(files.path("server.pem"))
        else:
            Path(files.path("server.pem")).write_bytes(content)
        for _ in range(5):
            certificates.renew()
        assert [record.levelname for record in caplog.records] == ["ERROR"]
        assert "server.pem" in caplog.text
        assert (await ask(running)).status == 200
    files.write("server", "localhost", "back.example")
    for _ in range(2):
        certificates.renew()
    assert (await ask(running, host="back.example")).status == 200


def test_certificate_and_key_that_are_not_written_at_once_are_read_when_both_are_there(
    files: Files, caplog: pytest.LogCaptureFixture
) -> None:
    certificates = Certificates(Config(**files.options()))
    first = certificates.context
    key = Path(files.path("server.key"))
    old_key = key.read_bytes()
    files.write("server", "localhost")
    new_key = key.read_bytes()
    key.write_bytes(old_key)
    certificates.renew()
    key.write_bytes(new_key)
    certificates.renew()
    assert certificates.context is first
    certificates.renew()
    assert certificates.context is not first
    assert not [record for record in caplog.records if record.levelname != "INFO"]


def test_only_the_certificate_that_changed_is_read_again(files: Files) -> None:
    files.write("shop", "shop.example")
    sni = (f"shop.example={files.path('shop.pem')},{files.path('shop.key')}",)
    certificates = Certificates(Config(**files.options(ssl_sni=sni)))
    default, shop = certificates.context, certificates.find("shop.example")
    files.write("shop", "shop.example")
    for _ in range(2):
        certificates.renew()
    assert certificates.context is default
    assert certificates.find("shop.example") is not shop


def test_files_are_looked_at_every_few_seconds(files: Files, monkeypatch: pytest.MonkeyPatch) -> None:
    certificates = Certificates(Config(**files.options()))
    looks: list[int] = []
    monkeypatch.setattr(certificates, "renew", lambda: looks.append(1))
    for _ in range(9):
        certificates.tick()
    assert len(looks) == 3


# Clients that fail


async def test_handshake_that_does_not_come_is_ended(
    serve: Any, files: Files, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.INFO)
    running = await serve(report([]), **files.options(timeout_tls_handshake=0.05))
    silent = await running.connect()
    half = await running.connect()
    await half.send(b"\x16\x03\x01\x02\x00\x01")
    assert await silent.read_to_end() == b""
    assert await half.read_to_end() == b""
    assert caplog.text.count("in time") == 2
    assert not running.server.state.capacity.opening
    assert (await ask(running)).status == 200


@pytest.mark.parametrize(
    "junk",
    [
        GET,
        b"\x16\x03\x01\x00\x05junk!",
        b"\x00" * 100,
        os.urandom(4000),
    ],
)
async def test_what_is_no_handshake_ends_the_connection_with_one_line(
    serve: Any, files: Files, caplog: pytest.LogCaptureFixture, junk: bytes
) -> None:
    caplog.set_level(logging.INFO)
    running = await serve(report([]), **files.options())
    client = await running.connect()
    await client.send(junk)
    with_alert = await client.read_to_end()
    assert b"HTTP" not in with_alert
    assert len(caplog.records) == 1
    assert "refused a connection of 127.0.0.1" in caplog.text
    assert (await ask(running)).status == 200


async def test_client_that_only_looks_whether_we_listen_is_not_logged(
    serve: Any, files: Files, caplog: pytest.LogCaptureFixture
) -> None:
    """The health check of a balancer."""
    caplog.set_level(logging.INFO)
    running = await serve(report([]), **files.options())
    client = await running.connect()
    client.writer.close()
    assert (await ask(running)).status == 200
    while running.server.state.capacity.opening:
        await asyncio.sleep(0)
    assert "127.0.0.1" not in caplog.text.replace("serving on", "")


def test_server_name_that_is_none_is_not_printed(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    """`ssl` tells of it by `sys.unraisablehook`, which prints lines that anybody could fill a disk with."""
    others: list[Any] = []
    monkeypatch.setattr(sys, "unraisablehook", others.append)
    hide_malformed_server_names()
    error = UnicodeDecodeError("ascii", b"\xff", 0, 1, "ordinal not in range(128)")
    ours = SimpleNamespace(exc_value=error, object=b"\xff.example")
    not_ours = SimpleNamespace(exc_value=ValueError(), object=b"\xff.example")
    for each in (ours, not_ours):
        sys.unraisablehook(each)  # type: ignore[arg-type]  # of its shape
    assert others == [not_ours]
    assert capsys.readouterr().err == ""


@pytest.mark.filterwarnings("ignore::pytest.PytestUnraisableExceptionWarning")
@pytest.mark.parametrize("name", [b"\xff\xfe\xfd\xfcaaaa.example", b"aaaaaaa\0.example", b"................"])
async def test_server_name_that_is_none_is_survived(serve: Any, files: Files, name: bytes) -> None:
    files.write("shop", "shop.example")
    sni = (f"shop.example={files.path('shop.pem')},{files.path('shop.key')}",)
    running = await serve(report([]), **files.options(ssl_sni=sni))
    incoming, outgoing = ssl.MemoryBIO(), ssl.MemoryBIO()
    hello = client_context().wrap_bio(incoming, outgoing, server_hostname="aaaaaaaa.example")
    with pytest.raises(ssl.SSLWantReadError):
        hello.do_handshake()
    client = await running.connect()
    await client.send(outgoing.read().replace(b"aaaaaaaa.example", name))
    assert b"HTTP" not in await client.reader.read(100)
    client.writer.close()
    assert (await ask(running)).status == 200


async def test_stop_while_handshakes_are_on_their_way(serve: Any, files: Files) -> None:
    running = await serve(report([]), **files.options())
    clients = [await running.connect() for _ in range(3)]
    while len(running.server.state.capacity.opening) < 3:
        await asyncio.sleep(0)
    await asyncio.wait_for(running.server.stop(), 10)
    for client in clients:
        assert await client.read_to_end() == b""


async def test_client_that_connects_while_the_server_stops_is_told_to_leave(serve: Any, files: Files) -> None:
    """Its handshake was begun before; it is closed in order, not cut off."""
    running = await serve(report([]), **files.options(timeout_graceful_shutdown=10.0))
    raw = socket.create_connection(("127.0.0.1", running.port))
    while not running.server.state.capacity.opening:
        await asyncio.sleep(0)
    stopping = asyncio.create_task(running.server.stop())
    await asyncio.sleep(0)
    reader, writer = await asyncio.open_connection(
        sock=raw, ssl=client_context(), server_hostname="localhost"
    )
    assert await asyncio.wait_for(reader.read(), 10) == b""
    writer.close()
    await asyncio.wait_for(stopping, 10)


# The end of a connection


async def closed_after(running: Any, ticks: int) -> bool:
    """Tell whether no connection is open after so many seconds of the server's clock."""
    state = running.server.state
    for _ in range(ticks):
        state.now += 1
        for connection in tuple(state.connections):
            connection.tick(state.now)
        await asyncio.sleep(0.01)
    return not state.connections


async def shake_hands(running: Any) -> tuple[ssl.SSLObject, ssl.MemoryBIO, ssl.MemoryBIO, Any]:
    """Return a session of TLS whose records we carry ourselves: it answers only what we let it see."""
    incoming, outgoing = ssl.MemoryBIO(), ssl.MemoryBIO()
    session = client_context().wrap_bio(incoming, outgoing, server_hostname="localhost")
    client = await running.connect()
    while True:
        try:
            session.do_handshake()
            break
        except ssl.SSLWantReadError:
            await client.send(outgoing.read())
            incoming.write(await client.reader.read(16_384))
    await client.send(outgoing.read())
    return session, incoming, outgoing, client


async def test_client_that_does_not_answer_the_end_is_not_waited_for(serve: Any, files: Files) -> None:
    running = await serve(report([]), **files.options(), timeout_keep_alive=5)
    session, _, outgoing, client = await shake_hands(running)
    session.write(GET)
    await client.send(outgoing.read())
    await client.reader.read(1000)
    (connection,) = running.server.state.connections
    assert await closed_after(running, 20)
    assert connection._transport.is_closing()


async def test_client_that_ends_its_half_is_gone(
    serve: Any, files: Files, caplog: pytest.LogCaptureFixture
) -> None:
    """No event loop keeps the other half; saying so for each connection is nothing for the log."""
    told = asyncio.Event()

    async def app(scope: Any, receive: Any, send: Any) -> None:
        while (await receive())["type"] != "http.disconnect":
            pass
        told.set()
        with pytest.raises(OSError, match="gone"):
            await send({"type": "http.response.start", "status": 200})

    running = await serve(app, **files.options(), access_log=False)
    session, _, outgoing, client = await shake_hands(running)
    session.write(GET)
    with pytest.raises(ssl.SSLError):
        session.unwrap()
    await client.send(outgoing.read())
    await asyncio.wait_for(told.wait(), 10)
    await client.read_to_end()
    assert not caplog.records


@pytest.mark.parametrize(
    "junk", [b"junk" * 10, b"\x17\x03\x03\x00\x20" + bytes(32), b"\x15\x03\x03\x00\x02\x02\x28"]
)
async def test_junk_after_the_handshake_ends_the_connection_without_a_word(
    serve: Any, files: Files, caplog: pytest.LogCaptureFixture, junk: bytes
) -> None:
    running = await serve(report([]), **files.options(), access_log=False)
    *_, client = await shake_hands(running)
    await client.send(junk)
    assert b"HTTP" not in await client.read_to_end()
    assert not caplog.records
    assert (await ask(running)).status == 200


@pytest.mark.slow
async def test_client_that_reads_late_gets_the_whole_response_before_the_end(
    serve: Any, files: Files
) -> None:
    """The end of TLS has a time-out of its own in event loops, which would cut off what has not been read yet."""
    body = os.urandom(8_000_000)

    async def app(scope: Any, receive: Any, send: Any) -> None:
        await send({"type": "http.response.start", "status": 200, "headers": [(b"connection", b"close")]})
        await send({"type": "http.response.body", "body": body})

    running = await serve(app, **files.options())

    def read_late() -> bytes:
        # Not in an event loop: uvloop's own client loses what it holds when the connection ends while nobody reads.
        with socket.socket() as plain:
            plain.setsockopt(
                socket.SOL_SOCKET, socket.SO_RCVBUF, 65_536
            )  # the rest has to wait at the server
            plain.connect(("127.0.0.1", running.port))
            with client_context().wrap_socket(plain, server_hostname="localhost") as client:
                client.sendall(GET)
                time.sleep(4)
                return b"".join(iter(lambda: client.recv(65_536), b""))

    assert (await asyncio.to_thread(read_late)).endswith(body)


async def test_small_pieces_are_sent_at_once(serve: Any, files: Files) -> None:
    """TCP_NODELAY, which asyncio sets only where it knows the protocol."""
    running = await serve(report([]), **files.options())
    client = await running.connect(ssl=client_context(), server_hostname="localhost")
    await client.get()
    (connection,) = running.server.state.connections
    server_side = connection._transport.get_extra_info("socket")
    assert server_side.getsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY)
    client.writer.close()


# Bytes in both directions


async def test_large_bodies_both_ways(serve: Any, files: Files) -> None:
    async def app(scope: Any, receive: Any, send: Any) -> None:
        await send({"type": "http.response.start", "status": 200})
        more = True
        while more:
            message = await receive()
            more = message["more_body"]
            await send({"type": "http.response.body", "body": message["body"], "more_body": more})

    running = await serve(app, **files.options())
    body = os.urandom(500_000)
    client = await running.connect(ssl=client_context(), server_hostname="localhost")
    await client.send(b"POST / HTTP/1.1\r\nHost: a\r\nContent-Length: %d\r\n\r\n" % len(body))
    sending = asyncio.create_task(client.send(body))
    assert (await client.read()).body == body
    await sending
    client.writer.close()


async def test_file_over_tls(serve: Any, files: Files, tmp_path: Path) -> None:
    """X5: `pathsend`, where the system cannot send it by itself."""
    (tmp_path / "file").write_bytes(body := os.urandom(300_000))

    async def app(scope: Any, receive: Any, send: Any) -> None:
        await send({"type": "http.response.start", "status": 200})
        await send({"type": "http.response.pathsend", "path": str(tmp_path / "file")})

    running = await serve(app, **files.options())
    assert (await ask(running)).body == body


async def test_refused_request_is_answered_before_the_end(serve: Any, files: Files) -> None:
    running = await serve(report([]), **files.options())
    client = await running.connect(ssl=client_context(), server_hostname="localhost")
    await client.send(b"GET / HTTP/1.1\r\n\r\n")
    assert (await client.read()).status == 400
    assert await client.read_to_end() == b""
    client.writer.close()


# Limits


async def test_connections_beyond_the_limit_are_closed_before_the_handshake(serve: Any, files: Files) -> None:
    running = await serve(report([]), **files.options(limit_concurrency=2))
    first, second = [
        await running.connect(ssl=client_context(), server_hostname="localhost") for _ in range(2)
    ]
    assert (await second.get()).status == 200
    with pytest.raises(REFUSED):
        await ask(running)
    first.writer.close()
    while len(running.server.state.connections) > 1:
        await asyncio.sleep(0)
    assert (await ask(running)).status == 200
    second.writer.close()


async def test_handshakes_on_their_way_count(serve: Any, files: Files) -> None:
    running = await serve(report([]), **files.options(limit_concurrency=2))
    waiting = [await running.connect() for _ in range(2)]
    while len(running.server.state.capacity.opening) < 2:
        await asyncio.sleep(0)
    third = await running.connect()
    assert await third.read_to_end() == b""
    waiting[0].writer.close()
    while len(running.server.state.capacity.opening) > 1:
        await asyncio.sleep(0)
    assert (await ask(running)).status == 200


# Errors of whoever starts it


@pytest.fixture(scope="module")
def broken(tmp_path_factory: pytest.TempPathFactory) -> Files:
    files = Files(tmp_path_factory.mktemp("broken"))
    files.write("other", "localhost")
    (files.folder / "junk").write_text("hello")
    (files.folder / "cut.pem").write_text(files.pem("server")[:300] + "\n-----END CERTIFICATE-----\n")
    command = ["openssl", "pkcs8", "-topk8", "-in", files.path("server.key"), "-passout", "pass:secret"]
    subprocess.run([*command, "-out", files.path("locked.key")], check=True)
    weak = ["openssl", "req", "-x509", "-newkey", "rsa:512", "-nodes", "-subj", "/CN=a"]
    subprocess.run([*weak, "-keyout", files.path("weak.pem"), "-out", files.path("weak.crt")], check=True)
    with open(files.path("weak.pem"), "a") as file:
        file.write(Path(files.path("weak.crt")).read_text())
    both = files.pem("server") + Path(files.path("server.key")).read_text()
    (files.folder / "both.pem").write_text(both)
    return files


@pytest.mark.parametrize(
    ("options", "text"),
    [
        ({"ssl_certfile": "nosuch.pem"}, r"cannot read .*nosuch\.pem: No such file"),
        ({"ssl_keyfile": "nosuch.key"}, r"cannot read .*nosuch\.key: No such file"),
        ({"ssl_certfile": ""}, r"Is a directory"),
        ({"ssl_keyfile": None}, r"server\.pem holds no private key.*--ssl-keyfile"),
        ({"ssl_certfile": "junk"}, r"junk holds no certificate in PEM"),
        ({"ssl_certfile": "server.key"}, r"server\.key holds no certificate in PEM"),
        ({"ssl_keyfile": "junk"}, r"junk holds no private key in PEM"),
        ({"ssl_certfile": "cut.pem"}, r"cut\.pem or .*server\.key is damaged"),
        (
            {"ssl_keyfile": "other.key"},
            r"the key in .*other\.key is not that of the certificate in .*server\.pem",
        ),
        ({"ssl_keyfile": "locked.key"}, r"locked\.key is encrypted.*--ssl-keyfile-password"),
        (
            {"ssl_keyfile": "locked.key", "ssl_keyfile_password": "wrong"},
            r"the password of the key in .* is wrong",
        ),
        ({"ssl_cert_reqs": "required", "ssl_ca_certs": "junk"}, r"junk holds no certificate of an authority"),
        ({"ssl_cert_reqs": "required", "ssl_ca_certs": "nosuch"}, r"cannot read .*nosuch"),
        ({"ssl_ciphers": "FOO"}, r"ssl_ciphers 'FOO'"),
        ({"ssl_sni": ("a.example=nosuch.pem",)}, r"cannot read nosuch\.pem"),
        (
            {"ssl_certfile": "weak.pem", "ssl_keyfile": "weak.pem"},
            r"OpenSSL refuses .*weak\.pem: ee key too small",
        ),
    ],
)
def test_what_cannot_be_used_is_named(broken: Files, options: dict[str, Any], text: str) -> None:
    paths = {name: broken.path(value) for name, value in options.items() if isinstance(value, str) and name in
             ("ssl_certfile", "ssl_keyfile", "ssl_ca_certs")}  # fmt: skip
    with pytest.raises(TLSError, match=text) as caught:
        Certificates(Config(**broken.options(**(options | paths))))
    assert "secret" not in str(caught.value)


@pytest.mark.slow
@pytest.mark.parametrize("workers", [1, 2])
def test_server_that_has_no_certificate_ends_with_one_line(start_server: Any, workers: int) -> None:
    server = start_server(f"workers={workers}, ssl_certfile='nosuch.pem'")
    assert server.end() == 3
    assert server.log.count("\n") == 1
    assert "ERROR cannot read nosuch.pem: No such file or directory" in server.log


LASTING = """
async def app(scope, receive, send):
    if scope["type"] != "http":
        raise NotImplementedError
    await send({"type": "http.response.start", "status": 200})
    await send({"type": "http.response.body", "body": b"hello"})
"""


@pytest.mark.slow
def test_workers_renew_certificates_and_drop_nothing(
    start_server: Any, files: Files, unused_port: int
) -> None:
    """The whole of it: files that change under two workers, while a connection stays open."""
    options = f"ssl_certfile={files.path('server.pem')!r}, ssl_keyfile={files.path('server.key')!r}"
    (files.folder / "lasting.py").write_text(LASTING)
    server = start_server(f"workers=2, bind=('127.0.0.1:{unused_port}',), {options}", "lasting:app")
    assert server.wait_for(r"supervising 2 workers on (\S+)") == f"https://127.0.0.1:{unused_port}"
    server.wait_for("serving on", times=2)
    context = client_context()
    connection = HTTPSConnection("localhost", unused_port, context=context, timeout=30)
    connection.request("GET", "/")
    assert connection.getresponse().read()
    files.write("server", "new.example")
    server.wait_for("server.pem again", times=2)
    with pytest.raises(ssl.SSLCertVerificationError, match="localhost"):
        HTTPSConnection("localhost", unused_port, context=context, timeout=30).connect()
    connection.request("GET", "/")
    assert connection.getresponse().status == 200
    connection.close()
    assert server.end(signal.SIGTERM) == 0


@pytest.mark.slow
async def test_workers_are_replaced_without_a_handshake_that_fails(
    start_server: Any, files: Files, unused_port: int
) -> None:
    options = f"ssl_certfile={files.path('server.pem')!r}, ssl_keyfile={files.path('server.key')!r}"
    (files.folder / "lasting.py").write_text(LASTING)
    server = start_server(f"workers=2, bind=('127.0.0.1:{unused_port}',), {options}", "lasting:app")
    server.wait_for("serving on", times=2)
    context, served, done = client_context(), [0], asyncio.Event()

    async def ask_on_and_on() -> None:
        while not done.is_set():
            reader, writer = await asyncio.open_connection(
                "127.0.0.1", unused_port, ssl=context, server_hostname="localhost"
            )
            writer.write(b"GET / HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n")
            assert (await reader.read()).endswith(b"hello")
            writer.close()
            served[0] += 1

    async with asyncio.TaskGroup() as clients:
        for _ in range(4):
            clients.create_task(ask_on_and_on())
        server.process.send_signal(signal.SIGHUP)
        await asyncio.to_thread(server.wait_for, "ended: exit code 0", 2)
        done.set()
    assert served[0] > 10
    assert server.end(signal.SIGTERM) == 0


def test_without_a_certificate_there_is_no_tls() -> None:
    with pytest.raises(TLSError, match="--ssl-certfile"):
        Certificates(Config())


def test_key_may_be_encrypted_or_stand_with_the_certificate(broken: Files) -> None:
    locked = {"ssl_keyfile": broken.path("locked.key"), "ssl_keyfile_password": "secret"}
    assert Certificates(Config(**broken.options(**locked)))
    assert Certificates(Config(ssl_certfile=broken.path("both.pem")))


@pytest.mark.parametrize(
    ("begin", "end", "text"), [(-20, -10, "expired on"), (10, 20, "is valid from"), (-10, 10, "")]
)
def test_certificate_out_of_date_is_served_with_a_warning(
    files: Files, caplog: pytest.LogCaptureFixture, begin: int, end: int, text: str
) -> None:
    """Clients decide; a server that does not start helps nobody."""
    now = datetime.now(UTC)
    files.write("server", "localhost", not_before=now + timedelta(begin), not_after=now + timedelta(end))
    assert Certificates(Config(**files.options()))
    assert (text in caplog.text) if text else not caplog.records


@pytest.mark.parametrize(
    ("options", "text"),
    [
        ({"ssl_keyfile": "a"}, "ssl_keyfile: 'a' needs ssl_certfile"),
        ({"ssl_sni": ("a=b",)}, "ssl_sni: .* needs ssl_certfile"),
        ({"ssl_ca_certs": "a"}, "ssl_ca_certs: .* needs ssl_certfile"),
        ({"ssl_certfile": "a", "ssl_cert_reqs": "required"}, "ssl_cert_reqs: .* needs ssl_ca_certs"),
        ({"ssl_certfile": "a", "ssl_ca_certs": "b"}, "ssl_ca_certs: .*choose optional or required"),
        ({"ssl_certfile": "a", "ssl_sni": ("a.example",)}, "ssl_sni: .* is malformed"),
        ({"ssl_certfile": "a", "ssl_sni": ("=a.pem",)}, "ssl_sni: .* is malformed"),
        ({"ssl_certfile": "a", "ssl_sni": ("*=a.pem",)}, "ssl_sni: .* is malformed"),
        ({"ssl_certfile": "a", "ssl_sni": ("a.*.example=a.pem",)}, "ssl_sni: .* is malformed"),
        ({"ssl_certfile": "a", "ssl_sni": ("a:443=a.pem",)}, "ssl_sni: .* is malformed"),
        ({"ssl_certfile": "a", "ssl_sni": ("a..b=a.pem",)}, "ssl_sni: .* is malformed"),
        ({"ssl_certfile": "a", "ssl_sni": ("a.example=a.pem", "A.example=b.pem")}, "twice"),
    ],
)
def test_options_that_contradict_each_other_are_refused(options: dict[str, Any], text: str) -> None:
    with pytest.raises(ValueError, match=text):
        Config(**options)
