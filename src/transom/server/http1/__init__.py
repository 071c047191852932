"""HTTP/1.1 without I/O: bytes in, events out; responses in, bytes out."""

from transom.server.http1.events import END_OF_MESSAGE, NEED_DATA, PLAIN, Data, Event, Facts, Request, Signal
from transom.server.http1.exceptions import LocalProtocolError, RemoteProtocolError
from transom.server.http1.grammar import parse_tokens
from transom.server.http1.head import HeadParser
from transom.server.http1.limits import Limits
from transom.server.http1.reader import RequestReader
from transom.server.http1.writer import (
    CONTINUE,
    ResponseHead,
    ResponseWriter,
    build_error,
    build_fields,
    build_head,
    build_informational,
)

__all__ = [
    "CONTINUE",
    "END_OF_MESSAGE",
    "NEED_DATA",
    "PLAIN",
    "Data",
    "Event",
    "Facts",
    "HeadParser",
    "Limits",
    "LocalProtocolError",
    "RemoteProtocolError",
    "Request",
    "RequestReader",
    "ResponseHead",
    "ResponseWriter",
    "Signal",
    "build_error",
    "build_fields",
    "build_head",
    "build_informational",
    "parse_tokens",
]
