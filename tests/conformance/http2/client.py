"""A client that says what no client would, and that fails with the whole conversation when the answer is not the one it expects.

It blocks: what it waits for has five seconds, and nothing sleeps. `send_...` write at once; `expect_...` read until the answer is
there. All that the server sends goes through the referee. Settings and pings of the server are acknowledged as they come.
"""

from __future__ import annotations

import os
import socket
import struct
import time
from collections.abc import Callable, Mapping, Sequence
from contextlib import suppress
from typing import NoReturn

import hpack
import pytest

from .frames import (
    ACK,
    END_HEADERS,
    END_STREAM,
    MAX_STREAM,
    PREFACE,
    Code,
    Frame,
    Setting,
    Type,
    build_settings,
    name,
    parse_integer,
)
from .referee import Referee, Stream, Violation
from .representations import build_get

PATIENCE = 5  # seconds for one answer
Pair = tuple[bytes | str, bytes | str]
Settings = Mapping[int, int] | Sequence[tuple[int, int]]


def build_request(
    path: str = "/", *more: Pair, method: str = "GET", without: Sequence[str] = (), **replaced: bytes | str
) -> list[Pair]:
    """Return the fields of a request: control data, then `more`. `without` and `scheme="https"` change control data."""
    control: dict[str, bytes | str] = {
        "method": method,
        "scheme": "http",
        "path": path,
        "authority": "example.org",
    }
    control |= replaced
    return [(f":{key}", value) for key, value in control.items() if key not in without] + list(more)


class Client:
    """One connection to a server."""

    def __init__(self, address: tuple[str, int]) -> None:
        self._socket = socket.create_connection(address, timeout=PATIENCE)
        self._socket.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        self._received = bytearray()
        self._log: list[str] = []
        self._pings = 0
        self.referee = Referee()
        self.encoder = hpack.Encoder()
        self.next_stream = 1

    def close(self) -> None:
        self._socket.close()

    @property
    def streams(self) -> dict[int, Stream]:
        return self.referee.streams

    def setting(self, key: Setting, default: int) -> int:
        """Return what the server has announced."""
        return self.referee.settings.get(key, default)

    # Sending

    def send(self, data: bytes) -> None:
        """Send bytes as they are. That the server has closed shows when its answer is read."""
        with suppress(BrokenPipeError, ConnectionResetError):
            self._socket.sendall(data)

    def send_what_fits(self, data: bytes) -> int:
        """Send as many of these bytes as the system takes at once, and return how many; it takes no more if nobody reads."""
        self._socket.setblocking(False)
        with suppress(BlockingIOError, BrokenPipeError, ConnectionResetError):
            return self._socket.send(data)
        return 0

    def send_frame(
        self,
        type: int,
        flags: int = 0,
        stream: int = 0,
        payload: bytes = b"",
        *,
        reserved: bool = False,
        by_byte: bool = False,
    ) -> None:
        """Send one frame, right or wrong; `by_byte` in as many writes as it has bytes."""
        frame = Frame(type, flags, stream, payload, reserved)
        self._log.append(f"> {frame}")
        self.referee.sent(frame)
        data = frame.build()
        if by_byte:
            for i in range(len(data)):
                self.send(data[i : i + 1])
        else:
            self.send(data)

    def send_preface(self, settings: Settings) -> None:
        self.send(PREFACE)
        self.send_settings(settings)

    def send_data(self, stream: int, data: bytes = b"", *, end_stream: bool = False, flags: int = 0) -> None:
        self.send_frame(Type.DATA, flags | (END_STREAM if end_stream else 0), stream, data)

    def send_headers(
        self,
        stream: int,
        fields: Sequence[Pair] | bytes,
        *,
        end_stream: bool = True,
        end_headers: bool = True,
        flags: int = 0,
    ) -> None:
        """Send HEADERS with fields, or with a fragment of a field block as it is."""
        fragment = fields if isinstance(fields, bytes) else self.encode(fields)
        flags |= (END_STREAM if end_stream else 0) | (END_HEADERS if end_headers else 0)
        self.send_frame(Type.HEADERS, flags, stream, fragment)
        if stream % 2:
            self.next_stream = max(self.next_stream, stream + 2)

    def send_continuation(self, stream: int, fragment: bytes = b"", *, end_headers: bool = True) -> None:
        self.send_frame(Type.CONTINUATION, END_HEADERS if end_headers else 0, stream, fragment)

    def send_rst_stream(self, stream: int, code: int = Code.CANCEL) -> None:
        self.send_frame(Type.RST_STREAM, 0, stream, struct.pack(">L", code))

    def send_settings(self, settings: Settings) -> None:
        self.send_frame(Type.SETTINGS, 0, 0, build_settings(settings))

    def send_ping(self, payload: bytes = b"\0" * 8, *, flags: int = 0) -> None:
        self.send_frame(Type.PING, flags, 0, payload)

    def send_goaway(self, last: int = 0, code: int = Code.NO_ERROR, text: bytes = b"") -> None:
        self.send_frame(Type.GOAWAY, 0, 0, struct.pack(">LL", last, code) + text)

    def send_window_update(self, stream: int, increment: int) -> None:
        self.send_frame(Type.WINDOW_UPDATE, 0, stream, struct.pack(">L", increment))

    def encode(self, fields: Sequence[Pair]) -> bytes:
        """Return a field block; what it puts into the dynamic table must reach the server."""
        return self.encoder.encode([(as_bytes(key), as_bytes(value)) for key, value in fields])

    def open(self, fields: Sequence[Pair] | bytes, *, end_stream: bool = True) -> int:
        """Send a request with these fields, or this field block, on a new stream; return the stream."""
        stream = self.next_stream
        self.send_headers(stream, fields, end_stream=end_stream)
        return stream

    def request(
        self, path: str = "/", *more: Pair, method: str = "GET", body: bytes | None = None, open: bool = False
    ) -> int:
        """Send an ordinary request on a new stream; `open` leaves its body unfinished. Return the stream."""
        stream = self.open(build_request(path, *more, method=method), end_stream=body is None and not open)
        self.streams[stream].method = method.encode()
        if body is not None:
            self.send_data(stream, body, end_stream=not open)
        return stream

    def upload(
        self, stream: int, pieces: Sequence[bytes], *, flags: int = 0, end_stream: bool = True
    ) -> None:
        """Send DATA frames with these payloads as the server's windows allow it."""
        for number, piece in enumerate(pieces, 1):
            deadline = time.monotonic() + PATIENCE
            while len(piece) > min(self.streams[stream].credit, self.referee.credit):
                if not self.read(deadline, "WINDOW_UPDATE") or self.streams[stream].closed:
                    self.fail(f"expected WINDOW_UPDATE for stream {stream}")
            self.send_data(stream, piece, end_stream=end_stream and number == len(pieces), flags=flags)

    def upload_blindly(self, stream: int, data: bytes) -> None:
        """Send DATA on a stream that may be reset already: only the window of the connection is waited for."""
        deadline = time.monotonic() + PATIENCE
        while len(data) > self.referee.credit:
            if not self.read(deadline, "WINDOW_UPDATE of the connection"):
                self.fail("expected WINDOW_UPDATE of the connection")
        self.send_data(stream, data)

    def fill_window(self, path: str) -> int:
        """Send a body that nobody reads until the server's windows have no more room; return the stream."""
        stream = self.request(path, method="POST", open=True)
        for _ in range(300):
            room = min(self.streams[stream].credit, self.referee.credit, 16_384)
            if not room and not self.sync():
                return stream
            if room:
                self.send_data(stream, b"x" * room)
        self.fail("the server takes as much as it gets of a body that nobody reads")

    def fill_connection(self, path: str) -> bool:
        """Send bodies that nobody reads until the connection's window has no more room; False if 20 streams do not fill it."""
        for _ in range(20):
            self.fill_window(path)
            if not self.referee.credit:
                return True
        return False

    # Reading

    def read(self, deadline: float, what: str) -> Frame | None:
        """Return the next frame, or None when the connection has ended; `what` says what we wait for."""
        header = self._take(9, deadline, what)
        if header is None:
            return None
        payload = self._take(parse_integer(header[:3]), deadline, what)
        if payload is None:
            self.fail("a frame was cut off by the end of the connection")
        stream = parse_integer(header[5:9])
        frame = Frame(header[3], header[4], stream & MAX_STREAM, payload, bool(stream >> 31))
        self._log.append(f"< {frame}")
        blocks = len(self.referee.blocks)
        try:
            self.referee.received(frame)
        except Violation as exc:
            self.fail(f"the server broke a rule: {exc}", Violation)
        if len(self.referee.blocks) > blocks:
            self._log[-1] += f" {self._describe_fields(frame.stream)}"
        self._answer(frame)
        return frame

    def _describe_fields(self, number: int) -> str:
        stream = self.streams[number]
        return str(stream.trailers or stream.head or stream.interim[-1:])

    def _answer(self, frame: Frame) -> None:
        """Acknowledge what wants to be acknowledged."""
        if frame.type == Type.SETTINGS and not frame.has(ACK):
            table = self.setting(Setting.HEADER_TABLE_SIZE, 4096)
            if table < self.encoder.header_table_size:
                self.encoder.header_table_size = table
            self.send_frame(Type.SETTINGS, ACK)
        elif frame.type == Type.PING and not frame.has(ACK):
            self.send_ping(frame.payload, flags=ACK)

    def _take(self, size: int, deadline: float, what: str) -> bytes | None:
        """Return so many bytes, or None at the end of the connection."""
        while len(self._received) < size:
            try:
                self._socket.settimeout(max(0.001, deadline - time.monotonic()))
                data = self._socket.recv(65_536)
            except TimeoutError:
                self.fail(f"expected {what}, and nothing more came")
            except ConnectionResetError:
                data = b""
            if not data:
                if self._received:
                    self.fail(f"expected {what}, and the connection ended after {bytes(self._received)!r}")
                return None
            self._received += data
        taken = bytes(self._received[:size])
        del self._received[:size]
        return taken

    def fail(self, message: str, error: type[AssertionError] = AssertionError) -> NoReturn:
        """Fail with what was said by both sides."""
        said = "\n".join(f"  {line}" for line in self._log[-60:])
        raise error(f"{message}\n{said or '  (nothing was said)'}")

    def read_raw(self) -> bytes:
        """Return everything up to the end of the connection, frames or not."""
        data, self._received = bytes(self._received), bytearray()
        self._socket.settimeout(PATIENCE)
        try:
            while piece := self._socket.recv(65_536):
                data += piece
        except ConnectionResetError:
            pass
        except TimeoutError:
            self.fail(f"expected the end of the connection after {data[-100:]!r}")
        return data

    def read_until(self, done: Callable[[Frame], bool], what: str) -> Frame:
        """Read until a frame is the one we wait for, and return it; the end of the connection fails."""
        deadline = time.monotonic() + PATIENCE
        while (frame := self.read(deadline, what)) is not None:
            if done(frame):
                return frame
        self.fail(f"expected {what}, and the connection ended")

    # Expecting

    def handshake(self, settings: Settings | None = None) -> None:
        """Send the preface with settings, and wait until both sides have acknowledged those of the other."""
        self.send_preface({Setting.ENABLE_PUSH: 0} if settings is None else settings)
        self.expect_settings_acknowledged()

    def expect_settings_acknowledged(self) -> None:
        """Read until all settings that we have sent are in force."""
        while not (self.referee.settings_acknowledged and self.referee.preface_seen):
            self.read_until(lambda frame: frame.type == Type.SETTINGS, "SETTINGS with ACK")

    def sync(self) -> list[Frame]:
        """Wait until the server has read all that we have sent; return what came meanwhile, without the answer to our PING."""
        frames = self.sync_or_end()
        if frames is None:
            self.fail("expected PING with ACK, and the connection ended")
        return frames

    def sync_or_end(self) -> list[Frame] | None:
        """Do as `sync`, or return None where the server closes the connection instead."""
        self._pings += 1
        payload = b"sync%04d" % self._pings
        self.send_ping(payload)
        frames: list[Frame] = []
        deadline = time.monotonic() + PATIENCE
        while (frame := self.read(deadline, "PING with ACK")) is not None:
            if frame.type == Type.PING and frame.has(ACK) and frame.payload == payload:
                return frames
            frames.append(frame)
        return None

    def expect_response(self, stream: int, status: int = 200, *, credit: bool = True) -> Stream:
        """Read until a response is complete; `credit` gives back what its body takes of the windows."""
        record = self.streams[stream]

        def ended(frame: Frame) -> bool:
            if frame.type == Type.DATA and credit and frame.payload:
                self.send_window_update(0, len(frame.payload))
                if frame.stream == stream and not record.ended:
                    self.send_window_update(stream, len(frame.payload))
            return record.closed

        if not record.closed:
            self.read_until(ended, f"a response on stream {stream}")
        if not record.ended:
            self.fail(f"expected a response on stream {stream}, and it was reset")
        if record.status != status:
            self.fail(f"expected {status} on stream {stream}, and got {record.status}")
        return record

    def expect_answer(self, stream: int) -> Stream:
        """Read until a response is complete, whatever its status."""
        record = self.streams[stream]
        if not record.closed:
            self.read_until(lambda _: record.closed, f"a response on stream {stream}")
        return self.expect_response(stream, record.status or 0)

    def expect_head(self, stream: int, status: int = 200) -> Stream:
        """Read until the header section of a response is there."""
        record = self.streams[stream]
        if record.head is None:
            self.read_until(lambda _: record.head is not None or record.closed, f"HEADERS on stream {stream}")
        if record.status != status:
            self.fail(f"expected {status} on stream {stream}, and got {record.status}")
        return record

    def expect_body(self, stream: int, size: int) -> Stream:
        """Read until so many bytes of a response's body are there; give nothing back."""
        record = self.streams[stream]
        while len(record.body) < size:
            self.read_until(lambda frame: frame.type == Type.DATA or record.closed, f"{size} bytes of a body")
            if record.closed and len(record.body) < size:
                self.fail(f"expected {size} bytes on stream {stream}, and got {len(record.body)}")
        return record

    def expect_alive(self) -> None:
        """Show that the connection goes on: a request on a new stream is answered. It leaves the dynamic table alone."""
        self.expect_response(self.open(build_get()))

    def expect_stream_error(self, stream: int, *codes: Code) -> None:
        """Read until the server resets a stream with one of these codes; the connection goes on."""
        wanted = f"RST_STREAM of stream {stream} with {names(codes)}"
        self._read_until_reset_or_goaway(stream, wanted)
        if self._get_reset(stream) not in codes:
            self.fail(f"expected {wanted}")
        self.expect_alive()

    def expect_connection_error(self, *codes: Code) -> None:
        """Read until the server sends GOAWAY with one of these codes and closes the connection."""
        wanted = f"GOAWAY with {names(codes)}"
        frame = self.read_until(lambda frame: frame.type == Type.GOAWAY, wanted)
        if parse_integer(frame.payload[4:8]) not in codes:
            self.fail(f"expected {wanted}")
        self.expect_end()

    def expect_error(self, stream: int, *codes: Code) -> None:
        """Read until the server ends the stream or the connection with one of these codes, where the RFC leaves the choice."""
        self._read_until_reset_or_goaway(stream, f"RST_STREAM or GOAWAY with {names(codes)}")
        if self.referee.goaway is None:
            self.expect_stream_error(stream, *codes)
        elif self.referee.goaway[1] in codes:
            self.expect_end()
        else:
            self.fail(f"expected {names(codes)}")

    def expect_end(self) -> None:
        """Read until the server closes the connection."""
        deadline = time.monotonic() + PATIENCE
        while self.read(deadline, "the end of the connection"):
            pass

    def _read_until_reset_or_goaway(self, stream: int, wanted: str) -> None:
        while self._get_reset(stream) is None and self.referee.goaway is None:
            self.read_until(lambda frame: frame.type in (Type.RST_STREAM, Type.GOAWAY), wanted)

    def _get_reset(self, stream: int) -> int | None:
        record = self.streams.get(stream)
        return record.reset if record else None

    def expect_malformed(self, stream: int) -> None:
        """Read until the server refuses a malformed message: RFC 9113 section 8.1.1.

        That is a stream error PROTOCOL_ERROR. A server may answer before that: with a status from 400 to 499, which may also be
        all if it ends the stream. The connection goes on.
        """
        record = self.streams[stream]
        wanted = f"RST_STREAM of stream {stream} with PROTOCOL_ERROR, or a status from 400 to 499"
        if not record.closed:
            self.read_until(lambda frame: record.closed or frame.type == Type.GOAWAY, wanted)
        refused = record.status is not None and 400 <= record.status < 500
        if record.head is not None and not refused:
            self.fail(f"expected {wanted}, and got {record.status}")
        if not (record.reset == Code.PROTOCOL_ERROR or (record.ended and refused)):
            self.fail(f"expected {wanted}")
        self.expect_alive()


def as_bytes(value: bytes | str) -> bytes:
    return value if isinstance(value, bytes) else value.encode("latin-1")


def names(codes: Sequence[Code]) -> str:
    return " or ".join(name(Code, code) for code in codes)


def skip_another_server(reason: str) -> NoReturn:
    """Skip a test of what another server does not do, and may leave undone; ours must."""
    if "TRANSOM_TEST_HTTP2" in os.environ:
        pytest.skip(reason)
    pytest.fail(reason)
