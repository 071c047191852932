"""What the reader says happened on the wire.

One request is `Request`, then, if `Request.facts.length` is not 0, any number of `Data` and one `EndOfMessage`.
Where `Data` is cut depends on how the bytes arrived; everything else does not.
"""

from __future__ import annotations

from dataclasses import dataclass
from enum import Enum
from typing import TYPE_CHECKING, Final, TypeAlias

if TYPE_CHECKING:
    from transom.server.target import RequestLine


@dataclass(slots=True)
class Facts:
    """What the fields of a request say of its body and its connection; the defaults are those of most requests.

    Never changed once it is made, and not frozen only because that makes it slower to build.

    Attributes:
        length: bytes of the body; 0 for none, -1 if it is chunked.
        keep_alive: whether the client is willing to send another request.
        expect_continue: whether the client waits for "100 Continue" before it sends the body.
        upgrade: lower-case value of `Upgrade` if `Connection` names it, else empty.
        trailers: whether the client takes trailers.
        forwarded: whether a field is there that proxies set.
    """

    length: int = 0
    keep_alive: bool = True
    expect_continue: bool = False
    upgrade: bytes = b""
    trailers: bool = False
    forwarded: bool = False

    @property
    def are_plain(self) -> bool:
        """Whether the request has no body, leaves the connection as it is, and was not forwarded."""
        return self.keep_alive and not (self.length or self.expect_continue or self.upgrade or self.forwarded)


PLAIN: Final = Facts()
"""The facts of requests of which nothing special is to be said."""


@dataclass
class Request:
    """A complete and valid request head. Without slots, which make it slower to build (CPython 3.13).

    Attributes:
        line: the parts of its request line, shared by requests with the same one.
        headers: field lines in wire order; names in lower case, values without surrounding whitespace. This request's own.
        facts: what the fields say of body and connection, shared too.
    """

    line: RequestLine
    headers: list[tuple[bytes, bytes]]
    facts: Facts


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
