"""Frames: headers, masks and what RFC 6455 section 5.2 forbids."""

from __future__ import annotations

import runpy
import sys
from collections.abc import Callable

import pytest
from hypothesis import given
from hypothesis import strategies as st

from transom.server.websocket import CloseCode, LocalProtocolError, RemoteProtocolError, frames, is_wire_code
from transom.server.websocket.close import build_close_payload, parse_close_payload
from transom.server.websocket.frames import (
    BINARY,
    CONTINUATION,
    PING,
    TEXT,
    FrameHeader,
    apply_mask,
    apply_mask_in_python,
    build_frame,
    parse_frame_header,
)

MASK = b"\x37\xfa\x21\x3d"


@pytest.mark.parametrize("apply", [apply_mask, apply_mask_in_python])
@given(data=st.binary(max_size=70), mask=st.binary(min_size=4, max_size=4))
def test_mask_equals_the_definition_and_undoes_itself(
    apply: Callable[[bytes, bytes], bytes], data: bytes, mask: bytes
) -> None:
    masked = apply(data, mask)
    assert masked == bytes(byte ^ mask[i % 4] for i, byte in enumerate(data))
    assert apply(masked, mask) == data


@pytest.mark.parametrize("size", [4095, 4096, 4097, 10_003])
@pytest.mark.parametrize("apply", [apply_mask, apply_mask_in_python])
def test_mask_of_a_large_payload(apply: Callable[[bytes, bytes], bytes], size: int) -> None:
    data = (b"the quick brown fox" * 1000)[:size]
    assert apply(data, MASK) == bytes(byte ^ MASK[i % 4] for i, byte in enumerate(data))


def test_masking_needs_no_other_library(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "websockets.speedups", None)
    names = runpy.run_path(frames.__file__)
    assert names["apply_mask"] is names["apply_mask_in_python"]


def test_frames_of_the_rfc_examples() -> None:
    """RFC 6455 section 5.7."""
    assert build_frame(TEXT, b"Hello") == bytes.fromhex("810548656c6c6f")
    assert build_frame(TEXT, b"Hello", mask=MASK) == bytes.fromhex("818537fa213d7f9f4d5158")
    assert build_frame(TEXT, b"Hel", fin=False) == bytes.fromhex("010348656c")
    assert build_frame(PING, b"Hello") == bytes.fromhex("890548656c6c6f")
    assert build_frame(BINARY, bytes(256))[:4] == bytes.fromhex("827e0100")
    assert build_frame(BINARY, bytes(65536))[:10] == bytes.fromhex("827f0000000000010000")


@pytest.mark.parametrize("length", [0, 1, 125, 126, 127, 65535, 65536])
@pytest.mark.parametrize("mask", [b"", MASK])
def test_header_round_trip_and_incomplete_prefixes(length: int, mask: bytes) -> None:
    frame = build_frame(BINARY, bytes(length), fin=False, mask=mask)
    header = parse_frame_header(frame)
    assert header == FrameHeader(BINARY, False, False, mask, length, len(frame) - length)
    assert all(parse_frame_header(frame[:cut]) is None for cut in range(header.size))


@pytest.mark.parametrize(
    ("data", "what"),
    [
        (b"\xc1\x80", "reserved bits"),
        (b"\xa1\x80", "reserved bits"),
        (b"\x91\x80", "reserved bits"),
        *[
            (bytes((0x80 | opcode, 0x80)), "reserved opcode")
            for opcode in (3, 4, 5, 6, 7, 11, 12, 13, 14, 15)
        ],
        (b"\x09\x80", "control frame"),
        (b"\x89\xfe", "control frame"),
        (b"\x88\xff", "control frame"),
        (b"\x82\xfe\x00\x7d", "not minimal"),
        (b"\x82\xff" + (65535).to_bytes(8, "big"), "not minimal"),
        (b"\x82\xff" + (1 << 63).to_bytes(8, "big"), "above"),
    ],
)
def test_bad_header_is_a_protocol_error(data: bytes, what: str) -> None:
    with pytest.raises(RemoteProtocolError, match=what) as caught:
        parse_frame_header(data)
    assert caught.value.code == CloseCode.PROTOCOL_ERROR


def test_continuation_header_is_no_control_frame() -> None:
    header = parse_frame_header(b"\x80\x00")
    assert header == (CONTINUATION, True, False, b"", 0, 2)
    assert header is not None
    assert not header.is_control


@pytest.mark.parametrize("code", [1000, 1001, 1002, 1003, *range(1007, 1015), 3000, 3999, 4000, 4999])
def test_wire_codes_pass_both_ways(code: int) -> None:
    assert is_wire_code(code)
    assert parse_close_payload(build_close_payload(code, "größer")) == (code, "größer")


@pytest.mark.parametrize("code", [0, 999, 1004, 1005, 1006, 1015, 1016, 1100, 2000, 2999, 5000, 65535])
def test_codes_that_may_not_be_sent_are_refused_both_ways(code: int) -> None:
    with pytest.raises(LocalProtocolError, match="may not be sent"):
        build_close_payload(code)
    with pytest.raises(RemoteProtocolError) as caught:
        parse_close_payload(code.to_bytes(2, "big"))
    assert caught.value.code == CloseCode.PROTOCOL_ERROR


def test_close_payload_edges() -> None:
    assert parse_close_payload(b"") == (CloseCode.NO_STATUS_RECEIVED, "")
    with pytest.raises(RemoteProtocolError) as half_code:
        parse_close_payload(b"\x03")
    assert half_code.value.code == CloseCode.PROTOCOL_ERROR
    with pytest.raises(RemoteProtocolError) as bad_reason:
        parse_close_payload(b"\x03\xe8\xff")
    assert bad_reason.value.code == CloseCode.INVALID_PAYLOAD
    assert len(build_close_payload(1000, "x" * 123)) == 125
    with pytest.raises(LocalProtocolError, match="124 bytes"):
        build_close_payload(1000, "x" * 124)
