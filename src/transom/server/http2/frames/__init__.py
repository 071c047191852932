"""The frames of HTTP/2, one module each: `parse` checks a payload and returns what is in it, `build` returns a whole frame."""

from transom.server.http2.frames import (
    continuation,
    data,
    goaway,
    header,
    headers,
    ping,
    priority,
    priority_update,
    push_promise,
    rst_stream,
    settings,
    window_update,
)
from transom.server.http2.frames.header import ACK, END_HEADERS, END_STREAM, PADDED, PRIORITY, FrameType

__all__ = [
    "ACK",
    "END_HEADERS",
    "END_STREAM",
    "PADDED",
    "PRIORITY",
    "FrameType",
    "continuation",
    "data",
    "goaway",
    "header",
    "headers",
    "ping",
    "priority",
    "priority_update",
    "push_promise",
    "rst_stream",
    "settings",
    "window_update",
]
