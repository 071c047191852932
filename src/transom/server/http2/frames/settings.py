"""SETTINGS: what one side asks the other to observe.

Source: RFC 9113 sections 6.5 and 6.5.2; RFC 8441 section 3; RFC 9218 section 2.1.
"""

from __future__ import annotations

from enum import IntEnum
from struct import Struct
from typing import TYPE_CHECKING, Final

from transom.server.http2.errors import ErrorCode, SessionError
from transom.server.http2.frames import header
from transom.server.http2.frames.header import ACK, FrameType

if TYPE_CHECKING:
    from collections.abc import Iterable

_SETTING: Final = Struct(">HL")
_SETTINGS = int(FrameType.SETTINGS)


class Setting(IntEnum):
    """What can be set; all other identifiers are ignored."""

    HEADER_TABLE_SIZE = 0x1
    ENABLE_PUSH = 0x2
    MAX_CONCURRENT_STREAMS = 0x3
    INITIAL_WINDOW_SIZE = 0x4
    MAX_FRAME_SIZE = 0x5
    MAX_HEADER_LIST_SIZE = 0x6
    ENABLE_CONNECT_PROTOCOL = 0x8
    NO_RFC7540_PRIORITIES = 0x9


# Lowest and highest value, the error for any other, and where that is written.
_BOUNDS: Final = {
    Setting.HEADER_TABLE_SIZE: (0, 0xFFFF_FFFF, ErrorCode.NO_ERROR, ""),
    Setting.ENABLE_PUSH: (0, 1, ErrorCode.PROTOCOL_ERROR, "RFC 9113 section 6.5.2"),
    Setting.MAX_CONCURRENT_STREAMS: (0, 0xFFFF_FFFF, ErrorCode.NO_ERROR, ""),
    Setting.INITIAL_WINDOW_SIZE: (0, 0x7FFF_FFFF, ErrorCode.FLOW_CONTROL_ERROR, "RFC 9113 section 6.5.2"),
    Setting.MAX_FRAME_SIZE: (16_384, 0xFF_FFFF, ErrorCode.PROTOCOL_ERROR, "RFC 9113 section 6.5.2"),
    Setting.MAX_HEADER_LIST_SIZE: (0, 0xFFFF_FFFF, ErrorCode.NO_ERROR, ""),
    Setting.ENABLE_CONNECT_PROTOCOL: (0, 1, ErrorCode.PROTOCOL_ERROR, "RFC 8441 section 3"),
    Setting.NO_RFC7540_PRIORITIES: (0, 1, ErrorCode.PROTOCOL_ERROR, "RFC 9218 section 2.1"),
}


def parse(flags: int, stream_id: int, payload: bytes) -> list[tuple[Setting, int]] | None:
    """Return the settings that we know, in their order, which counts; None for an acknowledgment.

    Raises:
        SessionError: a stream, a length that is wrong, or a value that is out of bounds.
    """
    if stream_id:
        raise SessionError(ErrorCode.PROTOCOL_ERROR, f"SETTINGS on stream {stream_id} (RFC 9113 section 6.5)")
    if flags & ACK:
        if payload:
            raise SessionError(
                ErrorCode.FRAME_SIZE_ERROR, "SETTINGS with ACK and a payload (RFC 9113 section 6.5)"
            )
        return None
    if len(payload) % 6:
        raise SessionError(
            ErrorCode.FRAME_SIZE_ERROR,
            f"SETTINGS of {len(payload)} bytes, not a multiple of 6 (RFC 9113 section 6.5)",
        )
    return [
        _check(identifier, value)
        for identifier, value in _SETTING.iter_unpack(payload)
        if identifier in _BOUNDS
    ]


def _check(identifier: int, value: int) -> tuple[Setting, int]:
    setting = Setting(identifier)
    lowest, highest, code, source = _BOUNDS[setting]
    if not lowest <= value <= highest:
        raise SessionError(code, f"{setting.name} is {value}, not {lowest} to {highest} ({source})")
    return setting, value


def build(settings: Iterable[tuple[Setting, int]]) -> bytes:
    """Return a frame with these settings, in their order."""
    payload = b"".join(_SETTING.pack(setting, value) for setting, value in settings)
    return header.build(len(payload), _SETTINGS, 0, 0) + payload


ACKNOWLEDGMENT: Final = header.build(0, _SETTINGS, ACK, 0)
"""The answer to every SETTINGS frame that was applied (RFC 9113 section 6.5.3)."""
