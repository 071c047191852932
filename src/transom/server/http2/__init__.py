"""HTTP/2 without I/O: frames, field blocks, and the rules of streams, windows, priorities and budgets."""

from transom.server.http2.blocks import BlockDecoder, BlockEncoder, encode_length, encode_literals
from transom.server.http2.budgets import MAX_BLOCK_SIZE, Budget, Budgets, Cost
from transom.server.http2.errors import ErrorCode, HTTP2Error, RefusedRequest, SessionError, StreamError
from transom.server.http2.fields import RequestHead
from transom.server.http2.priorities import Priority, SendOrder, parse_priority
from transom.server.http2.states import EndedStreams, State, Verdict
from transom.server.http2.windows import ReceiveWindow, SendWindow

__all__ = [
    "MAX_BLOCK_SIZE",
    "BlockDecoder",
    "BlockEncoder",
    "Budget",
    "Budgets",
    "Cost",
    "EndedStreams",
    "ErrorCode",
    "HTTP2Error",
    "Priority",
    "ReceiveWindow",
    "RefusedRequest",
    "RequestHead",
    "SendOrder",
    "SendWindow",
    "SessionError",
    "State",
    "StreamError",
    "Verdict",
    "encode_length",
    "encode_literals",
    "parse_priority",
]
