"""What is known to bring servers of HTTP/2 down: one test for each attack, against a server in a process of its own.

Each shows that the server lives, that its memory is bounded, that the attacker loses its stream or connection with the right
code, and that another client, which asks meanwhile on its own connection, gets its answers. `attacked` asserts what all have in
common.
"""

from __future__ import annotations

import json
import os
import struct
import time
from collections.abc import Callable, Iterator
from contextlib import ExitStack, closing, contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest
from http2 import representations as rep
from http2.client import PATIENCE, Client
from http2.frames import (
    ACK,
    END_HEADERS,
    END_STREAM,
    MAX_WINDOW,
    PADDED,
    PRIORITY,
    Code,
    Frame,
    Setting,
    Type,
    build_padded,
    build_priority,
    build_settings,
    split_frames,
)
from served import run_server

pytestmark = pytest.mark.slow

MIB = 1_048_576
SITE = """
import asyncio, collections, json

running = peak = 0
runs = collections.Counter()
PIECE = b"x" * 8_388_608

async def app(scope, receive, send):
    global running, peak
    running, runs[scope["path"]] = running + 1, runs[scope["path"]] + 1
    peak = max(peak, running)
    try:
        await ROUTES[scope["path"]](receive, send)
    finally:
        running -= 1

async def respond(send, body, status=200, headers=()):
    await send({"type": "http.response.start", "status": status, "headers": headers})
    await send({"type": "http.response.body", "body": body})

async def small(receive, send):
    await respond(send, b"0123456789")

async def stats(receive, send):
    global peak
    await respond(send, json.dumps({"running": running, "peak": peak, "runs": runs}).encode())
    peak = running

async def hold(receive, send):
    "Wait for the end of the client."
    while (await receive())["type"] != "http.disconnect":
        pass

async def deaf(receive, send):
    "Go on whatever the client does."
    await asyncio.sleep(0.5)
    await small(receive, send)

async def upload(receive, send):
    size, more = 0, True
    while more:
        message = await receive()
        size, more = size + len(message.get("body", b"")), message.get("more_body", False)
    await respond(send, b"%d" % size)

async def large(receive, send):
    await send({"type": "http.response.start", "status": 200})
    for _ in range(20):
        await send({"type": "http.response.body", "body": b"x" * 50_000, "more_body": True})
    await send({"type": "http.response.body"})

async def piece(receive, send):
    await respond(send, PIECE)

async def wide(receive, send):
    "Answer with nothing but a large head."
    await respond(send, b"", 204, [(b"set-cookie", b"%d=" % runs["/wide"] + b"x" * 4000)])

ROUTES = {"/" + each.__name__: each for each in (small, stats, hold, deaf, upload, large, piece, wide)}
"""


@dataclass
class Site:
    """The server under attack."""

    pid: int
    address: tuple[str, int]

    @property
    def memory(self) -> int:
        """Resident bytes of its process."""
        return int(Path(f"/proc/{self.pid}/statm").read_text().split()[1]) * os.sysconf("SC_PAGESIZE")

    @property
    def connections(self) -> int:
        """Its open descriptors, those among them that it always has."""
        return len(os.listdir(f"/proc/{self.pid}/fd"))


@dataclass
class Attack:
    """An attacker, and a bystander who asks on a connection of its own, opened before."""

    site: Site
    client: Client
    bystander: Client
    before: int
    peak_memory: int = 0
    answers: int = 0

    def send(self, data: bytes, pieces: int = 16) -> None:
        """Send, and let the bystander ask after each piece."""
        step = max(4096, -(-len(data) // pieces))
        for start in range(0, len(data), step):
            self.client.send(data[start : start + step])
            self.look()

    def look(self) -> None:
        """Let the bystander ask, and look at the server's memory."""
        self.bystander.expect_response(self.bystander.request("/small"))
        self.answers += 1
        self.peak_memory = max(self.peak_memory, self.site.memory)

    @property
    def stats(self) -> dict[str, Any]:
        """What the applications say of themselves: how many run, the peak since the last look, and runs by path."""
        return json.loads(self.bystander.expect_response(self.bystander.request("/stats")).body)

    def expect_end(self, code: Code, reason: str) -> None:
        """Read until the server has closed the attacker's connection, and hold its GOAWAY to a code and a reason."""
        said = [frame for frame in split_frames(self.client.read_raw()) if frame.type == Type.GOAWAY]
        assert said, "closed without GOAWAY"
        _, found = struct.unpack(">LL", said[-1].payload[:8])
        assert Code(found) is code, said[-1]
        assert reason.encode() in said[-1].payload, said[-1]

    def expect_welcome(self) -> None:
        """Show that the server takes new connections."""
        with closing(Client(self.site.address)) as client:
            client.handshake()
            client.expect_response(client.request("/small"))

    def expect_running(self, count: int) -> None:
        """Ask until so many applications run, beside the one that answers."""
        deadline = time.monotonic() + PATIENCE
        while (stats := self.stats)["running"] != count + 1:
            assert time.monotonic() < deadline, stats
            self.look()


@contextmanager
def attacked(
    site: Site, settings: dict[int, int] | None = None, *, memory: int = 8 * MIB
) -> Iterator[Attack]:
    """Attack a site: its server lives, grows by no more memory than that, and a bystander has asked meanwhile."""
    with closing(Client(site.address)) as bystander, closing(Client(site.address)) as client:
        bystander.handshake()
        client.handshake(settings)
        attack = Attack(site, client, bystander, 0)
        attack.expect_running(0)
        attack.look()
        attack.before, attack.peak_memory, attack.answers = site.memory, 0, 0
        yield attack
        assert attack.answers, "nobody has asked meanwhile"
        attack.look()
        attack.expect_running(0)
        attack.expect_welcome()
    growth = attack.peak_memory - attack.before
    assert growth <= memory, f"the server has grown by {growth / MIB:.1f} MiB"


@contextmanager
def serve(folder: Path, *options: str) -> Iterator[Site]:
    (folder / "attacked.py").write_text(SITE)
    with run_server(folder, "attacked:app", *options) as (process, address):
        site = Site(process.pid, address)
        warm_up(site)
        yield site
        assert process.poll() is None


def warm_up(site: Site) -> None:
    """Let the server have what it keeps anyway: pools of memory, and code that is loaded when it is first used."""
    with closing(Client(site.address)) as client:
        client.handshake()
        client.expect_response(client.request("/large"))
        expect_upload(client)


@pytest.fixture(scope="module")
def site(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Site]:
    """A server with the options that it has by default."""
    with serve(tmp_path_factory.mktemp("site")) as site:
        yield site


@pytest.fixture(scope="module")
def impatient_site(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Site]:
    """A server that gives its clients a second where others have half a minute."""
    with serve(tmp_path_factory.mktemp("site"), "--timeout-write", "1", "--timeout-header", "1") as site:
        yield site


# Frames


def frame(type: Type, stream: int = 0, payload: bytes = b"", flags: int = 0) -> bytes:
    return Frame(type, flags, stream, payload).build()


def request(stream: int, block: bytes, *, end: bool = True) -> bytes:
    return frame(Type.HEADERS, stream, block, END_HEADERS | (END_STREAM if end else 0))


def streams(count: int) -> range:
    return range(1, 2 * count, 2)


def number(value: int) -> bytes:
    return struct.pack(">L", value)


HOLD = rep.build_get(b"/hold")
CONTROL = rep.indexed(2) + rep.indexed(6) + rep.literal(1, b"example.org")
PING = frame(Type.PING, payload=bytes(8))


# Resets


def test_rapid_reset(site: Site):
    """CVE-2023-44487: open and reset, open and reset; the application begins to work for each."""
    with attacked(site) as attack:
        attack.send(
            b"".join(request(n, HOLD) + frame(Type.RST_STREAM, n, number(8)) for n in streams(20_000))
        )
        attack.expect_end(Code.ENHANCE_YOUR_CALM, "in 10 seconds")
        assert attack.stats["peak"] <= 102, "100, a bystander and the one who counts"


def test_rapid_reset_of_applications_that_go_on(site: Site):
    """The same where a reset does not stop the application: it counts as a stream until it is done."""
    block = rep.build_get(b"/deaf")
    with attacked(site) as attack:
        attack.send(
            b"".join(request(n, block) + frame(Type.RST_STREAM, n, number(8)) for n in streams(20_000))
        )
        attack.expect_end(Code.ENHANCE_YOUR_CALM, "in 10 seconds")
        assert attack.stats["peak"] <= 102


MADE_TO_RESET: dict[str, Callable[[int], bytes]] = {
    "WINDOW_UPDATE of 0": lambda n: request(n, HOLD) + frame(Type.WINDOW_UPDATE, n, number(0)),
    "WINDOW_UPDATE that overflows": lambda n: (
        request(n, HOLD) + frame(Type.WINDOW_UPDATE, n, number(MAX_WINDOW))
    ),
    "DATA behind the end": lambda n: request(n, HOLD) + frame(Type.DATA, n, b"more"),
    "HEADERS behind the end": lambda n: request(n, HOLD) * 2,
    "PRIORITY on itself": lambda n: request(n, HOLD) + frame(Type.PRIORITY, n, build_priority(n)),
    "PRIORITY of a wrong length": lambda n: request(n, HOLD) + frame(Type.PRIORITY, n, bytes(4)),
    "HEADERS that depend on themselves": lambda n: frame(
        Type.HEADERS, n, build_priority(n) + HOLD, END_HEADERS | END_STREAM | PRIORITY
    ),
    "more than content-length": lambda n: (
        request(n, HOLD + rep.literal(28, b"3"), end=False) + frame(Type.DATA, n, b"four")
    ),
    "less than content-length": lambda n: (
        request(n, HOLD + rep.literal(28, b"3"), end=False) + frame(Type.DATA, n, b"", END_STREAM)
    ),
    "content-length without content": lambda n: request(n, HOLD + rep.literal(28, b"3")),
    "trailers without END_STREAM": lambda n: request(n, HOLD, end=False) + request(n, b"", end=False),
    "pseudo-fields in trailers": lambda n: request(n, HOLD, end=False) + request(n, HOLD),
}


@pytest.mark.parametrize("how", MADE_TO_RESET)
def test_made_you_reset(site: Site, how: str):
    """CVE-2025-8671: as rapid reset, but the server is made to reset each stream."""
    with attacked(site) as attack:
        attack.send(b"".join(map(MADE_TO_RESET[how], streams(10_000))))
        attack.expect_end(Code.ENHANCE_YOUR_CALM, "more than 10 resets that the client caused in 10 seconds")
        assert attack.stats["peak"] <= 14, "11, a bystander and the one who counts"


def test_streams_beyond_the_limit(site: Site):
    """Who does not care how many streams it may have is refused, and then closed."""
    with attacked(site) as attack:
        attack.send(b"".join(request(n, HOLD) for n in streams(20_000)))
        attack.expect_end(Code.ENHANCE_YOUR_CALM, "more than 1000 refused streams in 10 seconds")
        assert attack.stats["peak"] <= 102


# Field blocks


def test_continuation_flood(site: Site):
    """CVE-2024-27316: a block without an end. It is stopped while it arrives, at 32 KiB."""
    more = frame(Type.CONTINUATION, 1, rep.literal(b"x", bytes(16_000).replace(b"\0", b"x")))
    with attacked(site) as attack:
        attack.send(frame(Type.HEADERS, 1, HOLD) + more * 1000)
        attack.expect_end(Code.ENHANCE_YOUR_CALM, "field block of over 32768 bytes")


def test_flood_of_empty_continuations(site: Site):
    """CVE-2019-9518: the same without content, which no size limits."""
    with attacked(site) as attack:
        attack.send(frame(Type.HEADERS, 1, HOLD) + frame(Type.CONTINUATION, 1) * 50_000)
        attack.expect_end(Code.ENHANCE_YOUR_CALM, "more than 100 CONTINUATION frames in 10 seconds")


def test_field_block_that_does_not_end(impatient_site: Site):
    """A head has a time to arrive in, and further bytes do not buy more of it."""
    with attacked(impatient_site) as attack:
        attack.send(frame(Type.HEADERS, 1, HOLD))
        attack.send(frame(Type.CONTINUATION, 1, rep.literal(b"a", b"b")))
        attack.expect_end(Code.ENHANCE_YOUR_CALM, "request head did not arrive in time")


def test_head_that_does_not_end(impatient_site: Site):
    """The same within one frame: slowloris."""
    with attacked(impatient_site) as attack:
        for byte in request(1, HOLD)[:20]:
            attack.send(bytes([byte]))
        attack.expect_end(Code.ENHANCE_YOUR_CALM, "request head did not arrive in time")


CRUMBS = {"fields": (b"a", b""), "crumbs of a cookie": (b"cookie", b"a=")}


@pytest.mark.parametrize("what", CRUMBS)
def test_header_count_bomb(site: Site, what: str):
    """CVE-2026-49975: a byte for each copy of a field, thousands of them, and windows that hold each answer back for ever."""
    entry = rep.literal(*CRUMBS[what], rep.INDEXING)
    with attacked(site, {Setting.INITIAL_WINDOW_SIZE: 0}) as attack:
        attack.send(request(1, HOLD + entry))
        attack.send(b"".join(request(n + 2, HOLD + rep.indexed(62) * 1200) for n in streams(2000)))
        attack.expect_end(Code.ENHANCE_YOUR_CALM, "more than 1000 refused streams in 10 seconds")
        assert attack.stats["peak"] <= 3, "no such request has reached an application"


def test_header_count_bomb_within_the_limits(impatient_site: Site):
    """The same with as much as is allowed: bounded by 100 streams, and each has a lifetime."""
    entry = rep.literal(b"a", b"x" * 300, rep.INDEXING)
    with attacked(impatient_site, {Setting.INITIAL_WINDOW_SIZE: 0}, memory=20 * MIB) as attack:
        client = attack.client
        opened = [client.open(rep.build_get(b"/large", entry))]
        opened += [client.open(rep.build_get(b"/large", rep.indexed(62) * 90)) for _ in streams(99)]
        attack.expect_running(100)
        attack.look()
        expect_resets(client, opened, Code.CANCEL)


def test_hpack_bomb(site: Site):
    """CVE-2016-6581: a large field in the table, and thousands of references to it: 16 KB that become 64 MB."""
    entry = rep.literal(b"a", b"x" * 4000, rep.INDEXING)
    with attacked(site) as attack:
        attack.send(request(1, HOLD + entry))
        attack.send(request(3, HOLD + rep.indexed(62) * 16_000))
        attack.expect_end(Code.COMPRESSION_ERROR, "field list of over")


def test_hpack_bomb_below_the_end_of_the_connection(site: Site):
    """The same with only as many as cost a request and not the connection, again and again."""
    entry = rep.literal(b"a", b"x" * 4000, rep.INDEXING)
    with attacked(site) as attack:
        stream = attack.client.open(rep.build_get(b"/small", entry))
        attack.client.expect_response(stream)
        for _ in range(200):
            stream = attack.client.open(rep.build_get(b"/small", rep.indexed(62) * 30))
            attack.client.expect_response(stream, 431)
        attack.look()


VARINTS = {
    "index": b"\xff",
    "index of a name": b"\x7f",
    "length of a name": b"\x00\x7f",
    "length of a value": b"\x00\x01a\x7f",
    "size of the table": b"\x3f",
}


@pytest.mark.parametrize("what", VARINTS)
@pytest.mark.parametrize("byte", [b"\xff", b"\x80"], ids=["large", "zeros"])
def test_hpack_integer_overflow(site: Site, what: str, byte: bytes):
    """An integer of a thousand bytes is refused by its length, and not counted to."""
    with attacked(site) as attack:
        attack.send(request(1, VARINTS[what] + byte * 1000))
        attack.expect_end(Code.COMPRESSION_ERROR, "an integer of over 6 bytes")


@pytest.mark.parametrize("size", [4097, 2**28], ids=["by one", "by far"])
def test_table_larger_than_allowed(site: Site, size: int):
    """RFC 7541 6.3: a client may not make our table larger than we said."""
    with attacked(site) as attack:
        attack.send(request(1, rep.size_update(size) + HOLD))
        attack.expect_end(Code.COMPRESSION_ERROR, f"a table of {size} bytes")


def test_table_that_is_resized_without_end(site: Site):
    with attacked(site) as attack:
        attack.send(request(1, rep.size_update(0) * 16_000 + HOLD))
        attack.expect_end(Code.COMPRESSION_ERROR, "more than two table size updates")


def test_field_names_of_no_length(site: Site):
    """CVE-2019-9516: fields without a name, and without a value, that cost what a field costs."""
    block = HOLD + rep.literal(b"", b"") * 50
    with attacked(site) as attack:
        attack.send(b"".join(request(n, block) for n in streams(2000)))
        attack.expect_end(Code.ENHANCE_YOUR_CALM, "resets that the client caused")
        assert attack.stats["peak"] <= 3


# Requests that say what they must not


FORGED = {
    "CR": rep.literal(b"x", b"a\rb: c"),
    "LF": rep.literal(b"x", b"a\nb: c"),
    "CRLF": rep.literal(b"x", b"a\r\nb: c"),
    "NUL": rep.literal(b"x", b"a\0b"),
    "CR in a name": rep.literal(b"x\ry", b"a"),
    "colon in a name": rep.literal(b"x: a\r\ny", b"a"),
    "connection": rep.literal(b"connection", b"close"),
    "keep-alive": rep.literal(b"keep-alive", b"timeout=5"),
    "proxy-connection": rep.literal(b"proxy-connection", b"close"),
    "transfer-encoding": rep.literal(b"transfer-encoding", b"chunked"),
    "upgrade": rep.literal(b"upgrade", b"websocket"),
    "te": rep.literal(b"te", b"gzip"),
    "pseudo-field behind fields": rep.literal(b"x", b"a") + rep.indexed(7),
    "pseudo-field twice": rep.literal(4, b"/small"),
    "unknown pseudo-field": rep.literal(b":client", b"127.0.0.1"),
    "pseudo-field of a response": rep.indexed(8),
    "another host": rep.literal(b"host", b"example.net"),
}


@pytest.mark.parametrize("what", FORGED)
def test_forged_fields(site: Site, what: str):
    """What would be another message in HTTP/1.1, or to somebody behind us, reaches no application and costs a reset."""
    block = rep.build_get(b"/forged", FORGED[what])
    with attacked(site) as attack:
        attack.send(b"".join(request(n, block) for n in streams(1000)))
        attack.expect_end(Code.ENHANCE_YOUR_CALM, "resets that the client caused")
        assert "/forged" not in attack.stats["runs"]


# Floods


FLOODS: dict[str, bytes] = {
    "SETTINGS (CVE-2019-9515)": frame(Type.SETTINGS),
    "SETTINGS acknowledgments": frame(Type.SETTINGS, flags=ACK),
    "PING (CVE-2019-9512)": PING,
    "PING acknowledgments": frame(Type.PING, payload=bytes(8), flags=ACK),
    "PRIORITY (CVE-2019-9513)": frame(Type.PRIORITY, 1, build_priority()),
    "PRIORITY_UPDATE": frame(Type.PRIORITY_UPDATE, payload=number(1) + b"u=1"),
    "GOAWAY": frame(Type.GOAWAY, payload=bytes(8)),
    "unknown frames": Frame(0xBE, 0, 0, b"").build(),
}


@pytest.mark.parametrize("what", FLOODS)
def test_flood(site: Site, what: str):
    """Frames that ask for an answer, or for nothing, without end: CVE-2019-9512, 9513 and 9515."""
    with attacked(site) as attack:
        attack.send(FLOODS[what] * 50_000)
        attack.expect_end(Code.ENHANCE_YOUR_CALM, "more than 1000 control frames in 10 seconds")


def test_settings_that_change_all_windows(site: Site):
    """A frame of 2700 settings, each of which changes the windows of 100 streams, is not 1 frame but 2700."""
    settings = [(Setting.INITIAL_WINDOW_SIZE, size) for size in range(2700)]
    with attacked(site) as attack:
        attack.send(b"".join(request(n, HOLD) for n in streams(100)))
        attack.send(frame(Type.SETTINGS, payload=build_settings(settings)) * 500)
        attack.expect_end(Code.ENHANCE_YOUR_CALM, "more than 1000 control frames in 10 seconds")


def test_priorities_of_streams_that_never_come(site: Site):
    """What is kept of a PRIORITY_UPDATE is the priority, not what else the frame has room for."""
    updates = b"".join(
        frame(Type.PRIORITY_UPDATE, payload=number(n) + b"u=1," + b" " * 16_000) for n in streams(99)
    )
    with ExitStack() as stack, attacked(site) as attack:
        for _ in range(20):
            client = stack.enter_context(closing(Client(site.address)))
            client.handshake()
            client.send(updates)
            client.sync()
            attack.look()
        attack.send(updates + b"".join(frame(Type.PRIORITY_UPDATE, payload=number(n)) for n in streams(200)))
        attack.expect_end(Code.PROTOCOL_ERROR, "PRIORITY_UPDATE for more streams than there may be")


EMPTY = {"plain": (b"", 0), "padded": (build_padded(b"", 255), PADDED)}


@pytest.mark.parametrize("how", EMPTY)
def test_empty_data_flood(site: Site, how: str):
    """CVE-2019-9518: DATA without data, which no window stops."""
    payload, flags = EMPTY[how]
    with attacked(site) as attack:
        attack.send(
            request(1, rep.build_get(b"/upload"), end=False) + frame(Type.DATA, 1, payload, flags) * 20_000
        )
        attack.expect_end(Code.ENHANCE_YOUR_CALM, "more than 100 empty DATA frames in 10 seconds")


@pytest.mark.parametrize("stream", [0, 1], ids=["connection", "stream"])
def test_window_update_flood(site: Site, stream: int):
    """Room that nobody needs, a byte at a time."""
    with attacked(site) as attack:
        attack.send(request(1, HOLD) + frame(Type.WINDOW_UPDATE, stream, number(1)) * 50_000)
        attack.expect_end(Code.ENHANCE_YOUR_CALM, "more than 1000 WINDOW_UPDATE frames in 10 seconds")


# Windows


def test_data_dribble(site: Site):
    """CVE-2019-9511: a large response that its client cuts into bytes, which cost as much as frames of 16 KB each."""
    with attacked(site, {Setting.INITIAL_WINDOW_SIZE: 1}, memory=12 * MIB) as attack:
        client = attack.client
        stream = client.request("/piece")
        client.expect_body(stream, 1)
        for count in range(1000):
            client.send_window_update(stream, 1)
            client.expect_body(stream, count + 2)
            if count % 100 == 0:
                attack.look()
        client.send_window_update(stream, 1)
        attack.expect_end(Code.ENHANCE_YOUR_CALM, "more than 1000 WINDOW_UPDATE frames in 10 seconds")


def test_stalled_windows(impatient_site: Site):
    """A client that asks for much and gives no room: of each stream a little waits, and not for ever."""
    with attacked(impatient_site, {Setting.INITIAL_WINDOW_SIZE: 0}, memory=16 * MIB) as attack:
        client = attack.client
        opened = [client.request("/large") for _ in streams(100)]
        attack.expect_running(100)
        attack.look()
        expect_resets(client, opened, Code.CANCEL)


def test_stalled_window_of_the_connection(impatient_site: Site):
    """The same with one window for all."""
    with attacked(impatient_site, {Setting.INITIAL_WINDOW_SIZE: MAX_WINDOW}, memory=16 * MIB) as attack:
        client = attack.client
        opened = [client.request("/large") for _ in streams(100)]
        attack.expect_running(100)
        attack.look()
        expect_resets(client, opened, Code.CANCEL)


@pytest.mark.parametrize("path", ["/wide", "/large"])
def test_client_that_does_not_read(impatient_site: Site, path: str):
    """CVE-2019-9517: windows wide open, and nobody reads: then the server does not read either, and closes in time."""
    block = rep.build_get(path.encode())
    requests = b"".join(request(n, block) for n in streams(40_000))
    turn = 90 * len(request(1, block))  # within the limit of streams
    with attacked(impatient_site, {Setting.INITIAL_WINDOW_SIZE: MAX_WINDOW}, memory=16 * MIB) as attack:
        connections = impatient_site.connections
        attack.client.send_window_update(0, MAX_WINDOW - 65_535)
        sent = 0
        for _ in range(400):
            sent += attack.client.send_what_fits(requests[sent : sent + turn])
            attack.look()
        deadline = time.monotonic() + PATIENCE
        while impatient_site.connections == connections:
            assert time.monotonic() < deadline
            attack.look()


# The window of the connection, which all streams share: what is taken of it must come back


def test_padding_does_not_leak_the_window(site: Site):
    """8 MiB of padding through a window of 1 MiB; then others can still upload."""
    with attacked(site) as attack:
        client = attack.client
        stream = client.request("/upload", method="POST", open=True)
        for _ in range(16):
            client.upload(stream, [build_padded(b"x", 255)] * 2048, flags=PADDED, end_stream=False)
            attack.look()
        client.upload(stream, [build_padded(b"x", 255)], flags=PADDED)
        assert client.expect_response(stream).body == b"%d" % (16 * 2048 + 1)
        expect_upload(client)


@pytest.mark.parametrize("path", ["/hold", "/deaf"])
def test_data_on_reset_streams_does_not_leak_the_window(site: Site, path: str):
    """What waits for an application when its stream is reset. It is not kept either, even if the application goes on."""
    with attacked(site) as attack:
        client = attack.client
        for _ in range(80):
            stream = client.request(path, method="POST", open=True)
            client.upload(stream, [bytes(16_384)] * 12, end_stream=False)
            client.send_rst_stream(stream)
            attack.look()
        expect_upload(client)


def test_data_that_is_ignored_does_not_leak_the_window(site: Site):
    """DATA for requests that were answered without it, and reset with NO_ERROR, while it was on its way."""
    with attacked(site) as attack:
        client = attack.client
        for _ in range(80):
            stream = client.request("/small", method="POST", open=True)
            client.expect_response(stream)
            for _ in range(12):
                client.upload_blindly(stream, bytes(16_384))
            attack.look()
        expect_upload(client)


def expect_upload(client: Client) -> None:
    """Show that there is room for a body as large as the window of the connection."""
    stream = client.request("/upload", method="POST", open=True)
    client.upload(stream, [bytes(16_384)] * 64)
    assert client.expect_response(stream).body == b"%d" % MIB


def expect_resets(client: Client, opened: list[int], code: Code) -> None:
    """Read until these streams are reset."""
    client.read_until(
        lambda _: all(client.streams[each].closed for each in opened), "RST_STREAM of all streams"
    )
    assert {client.streams[each].reset for each in opened} == {code}
