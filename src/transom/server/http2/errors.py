"""Errors of the HTTP/2 wire: what the client broke, and how much of the connection that costs.

HTTP2Error
├── StreamError           one stream is reset, the others go on (RFC 9113 section 5.4.2)
│   └── RefusedRequest    a request that can be answered: with a status, instead of a reset
└── SessionError          the connection ends with a GOAWAY (RFC 9113 section 5.4.1, "connection error")
"""

from __future__ import annotations

from enum import IntEnum
from typing import Final

MAX_DETAIL: Final = 200  # characters; what is quoted of a field may be as long as a header block


class ErrorCode(IntEnum):
    """Why a stream or a connection ends.

    Source: RFC 9113 section 7.
    """

    NO_ERROR = 0x0
    PROTOCOL_ERROR = 0x1
    INTERNAL_ERROR = 0x2
    FLOW_CONTROL_ERROR = 0x3
    SETTINGS_TIMEOUT = 0x4
    STREAM_CLOSED = 0x5
    FRAME_SIZE_ERROR = 0x6
    REFUSED_STREAM = 0x7
    CANCEL = 0x8
    COMPRESSION_ERROR = 0x9
    CONNECT_ERROR = 0xA
    ENHANCE_YOUR_CALM = 0xB
    INADEQUATE_SECURITY = 0xC
    HTTP_1_1_REQUIRED = 0xD


class HTTP2Error(Exception):
    """The client broke a rule of HTTP/2; the message ends with the section that holds it.

    Attributes:
        code: what RST_STREAM or GOAWAY has to say.
    """

    def __init__(self, code: ErrorCode, message: str) -> None:
        super().__init__(message if len(message) <= MAX_DETAIL else f"{message[:MAX_DETAIL]}...")
        self.code = code


class StreamError(HTTP2Error):
    """The stream must be reset.

    Attributes:
        stream_id: the stream.
    """

    def __init__(self, code: ErrorCode, stream_id: int, message: str) -> None:
        super().__init__(code, message)
        self.stream_id = stream_id


class RefusedRequest(StreamError):
    """A request head that is no breach of HTTP/2 but is not for us: too large, or a method or an expectation we do not know.

    The stream is in order, so that it is answered with a status. After a whole answer the client may be told with a reset of
    `code`, which is NO_ERROR, to stop sending the body (RFC 9113 section 8.1).

    Attributes:
        status: 400, 414, 417, 431 or 501.
    """

    def __init__(self, stream_id: int, status: int, message: str) -> None:
        super().__init__(ErrorCode.NO_ERROR, stream_id, message)
        self.status = status


class SessionError(HTTP2Error):
    """The connection must end: what the RFC calls a connection error, by a name that is not taken by Python."""
