"""What the reader says happened on the wire.

One request is `Request`, then, if `Request.length` is not 0, any number of `Data` and one `EndOfMessage`.
Where `Data` is cut depends on how the bytes arrived; everything else does not.
"""

from __future__ import annotations

from dataclasses import dataclass
from enum import Enum
from typing import Final, TypeAlias


@dataclass
class Request:
    """A complete and valid request head. Not frozen, no slots, no defaults: each makes it slower to build.

    Attributes:
        method: upper-case name.
        raw_path: path of the request target as received, without query; `*` for the asterisk-form.
        path: the same, decoded.
        query: what follows the first `?` of the target, without it.
        http_version: "1.0" or "1.1".
        headers: field lines in wire order; names in lower case, values without surrounding whitespace.
        length: bytes of the body; 0 for none, -1 if it is chunked.
        keep_alive: whether the client is willing to send another request.
        expect_continue: whether the client waits for "100 Continue" before it sends the body.
        upgrade: lower-case value of `Upgrade` if `Connection` names it, else empty.
        trailers: whether the client takes trailers.
        forwarded: whether a field is there that proxies set.
    """

    method: str
    raw_path: bytes
    path: str
    query: bytes
    http_version: str
    headers: list[tuple[bytes, bytes]]
    length: int
    keep_alive: bool
    expect_continue: bool
    upgrade: bytes
    trailers: bool
    forwarded: bool


@dataclass(slots=True)
class Data:
    """A piece of the request body, already taken out of its transfer coding; never empty."""

    data: bytes


class Signal(Enum):
    """Events that carry nothing."""

    END_OF_MESSAGE = "the request body is complete; trailers were checked and dropped"
    NEED_DATA = "nothing can be said until more bytes arrive"


END_OF_MESSAGE: Final = Signal.END_OF_MESSAGE
NEED_DATA: Final = Signal.NEED_DATA

Event: TypeAlias = Request | Data | Signal
