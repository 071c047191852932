"""What a session says happened on the wire.

A request is its `Stream`, then, if it has a body, any number of `DataReceived`, the last of which says that it is complete.
`StreamClosed` ends whatever of both has begun, at any time.

`stream` is Any because the type is that of the session's `make_stream`.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, TypeAlias

from transom.server.http2.stream import Stream


@dataclass(slots=True)
class RequestRefused:
    """A head that is no breach of HTTP/2, but not for the application: to be answered with this status."""

    stream: Any
    status: int
    reason: str


@dataclass(slots=True)
class DataReceived:
    """A piece of the body, which may be empty if it is the last."""

    stream: Any
    data: bytes
    is_complete: bool


@dataclass(slots=True)
class StreamClosed:
    """The stream was reset, by the client or because of what it sent: nothing can be written on it any more."""

    stream: Any
    reason: str


@dataclass(slots=True)
class StreamDrained:
    """What waits to be sent on a stream is little again."""

    stream: Any


Event: TypeAlias = Stream | RequestRefused | DataReceived | StreamClosed | StreamDrained
