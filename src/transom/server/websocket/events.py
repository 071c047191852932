"""What `WebSocketConnection.next_event()` returns: a text message is a str, a binary message is bytes, the rest is named here."""

from __future__ import annotations

from dataclasses import dataclass
from enum import Enum
from typing import Final, Literal, TypeAlias


class Signal(Enum):
    """Answers of `next_event()` that are not events."""

    NEED_DATA = "NEED_DATA"


NEED_DATA: Final = Signal.NEED_DATA
"""No event is complete: call `receive_data()` first. After the last event it is the only answer."""


@dataclass(frozen=True, slots=True)
class Ping:
    """The peer asks for a pong with the same payload (at most 125 bytes)."""

    payload: bytes


@dataclass(frozen=True, slots=True)
class Pong:
    """The peer answered a ping, or sent an unsolicited heartbeat."""

    payload: bytes


@dataclass(frozen=True, slots=True)
class Close:
    """The last event of every connection that was not failed for a protocol error.

    `code` is 1005 where the close frame held none and 1006 where the stream ended without a close frame.
    """

    code: int
    reason: str = ""


Event: TypeAlias = str | bytes | Ping | Pong | Close
NeedData: TypeAlias = Literal[Signal.NEED_DATA]
