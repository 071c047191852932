"""HTTP/2 without I/O: frames, field blocks, and the rules of streams, windows, priorities and budgets."""

from transom.server.http2.blocks import encode_length, encode_literals
from transom.server.http2.budgets import Cost, build_budgets
from transom.server.http2.errors import ErrorCode, SessionError, StreamError
from transom.server.http2.events import (
    DataReceived,
    RequestRefused,
    StreamClosed,
    StreamDrained,
)
from transom.server.http2.fields import Pair, RequestHead
from transom.server.http2.frames.header import PREFACE
from transom.server.http2.responses import ResponseHead, build_fields, build_head
from transom.server.http2.session import Session, SessionConfig
from transom.server.http2.states import State
from transom.server.http2.stream import Stream

__all__ = [
    "PREFACE",
    "Cost",
    "DataReceived",
    "ErrorCode",
    "Pair",
    "RequestHead",
    "RequestRefused",
    "ResponseHead",
    "Session",
    "SessionConfig",
    "SessionError",
    "State",
    "Stream",
    "StreamClosed",
    "StreamDrained",
    "StreamError",
    "build_budgets",
    "build_fields",
    "build_head",
    "encode_length",
    "encode_literals",
]
