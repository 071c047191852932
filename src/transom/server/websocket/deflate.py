"""permessage-deflate: what two sides agree on, and the compressor and decompressor of one connection.

Memory decides the defaults. A compressor of 15 bits takes 206 KiB, one of 12 bits and memory level 4 takes 30. It is made for
the first message that is sent, and thrown away when none was sent for a while: a sender may forget its context at any time,
only the receiver must keep it. So a connection that is idle keeps no more than the decompressor: 9 KiB, and nothing at
all where the client could not promise a small window, for then it is asked to begin each message anew.

Inflating stops at a limit, in size and in ratio, so a small message cannot become a large one.

Source: RFC 7692 section 7.
"""

from __future__ import annotations

import zlib
from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

from transom.server.websocket.close import CloseCode
from transom.server.websocket.exceptions import RemoteProtocolError

if TYPE_CHECKING:
    from collections.abc import Iterable

    from transom.server.websocket.extensions import Offer

NAME: Final = "permessage-deflate"
WINDOW_BITS: Final = 12  # 4 KiB, as in uvicorn
MEMORY_LEVEL: Final = 4
LEVEL: Final = 3  # 8 % smaller than level 1 in the same time, 10 % larger than level 6 in half of it
MIN_SIZE: Final = 128  # bytes; a shorter message fits its packet anyway
MAX_SIZE: Final = 1024 * 1024  # bytes; a longer one would hold up the event loop for more than 10 ms
FREE_SIZE: Final = 64 * 1024  # bytes that a message may have whatever its ratio, as in Bandit
MAX_IDLE: Final = 30  # looks (once a second) at an unused compressor until it is forgotten
MAX_STREAMS: Final = 16  # DEFLATE streams that one message may consist of; one is usual
_FLAGS: Final = ("server_no_context_takeover", "client_no_context_takeover")
# RFC 7692 7.2.1: a compressed message ends with an empty stored block, of which these four bytes are not sent.
_TAIL: Final = b"\x00\x00\xff\xff"


@dataclass(frozen=True, slots=True)
class Window:
    """How one side compresses: the size of its window (8 to 15 bits), and whether it is kept from message to message."""

    bits: int
    takeover: bool


@dataclass(frozen=True, slots=True)
class Agreement:
    """What was agreed on: how the server and how the client compresses, and the value of the field that says so."""

    server: Window
    client: Window
    response: bytes


def negotiate(offers: Iterable[Offer]) -> Agreement | None:
    """Return the agreement on the first offer that can be granted, or None.

    Source: RFC 7692 sections 5.1 and 7.1.
    """
    return next(filter(None, map(_answer, offers)), None)


def _answer(offer: Offer) -> Agreement | None:
    """Return the answer to one offer, or None: it is not ours, or is malformed, or asks for what zlib cannot do."""
    named = dict(offer.parameters)
    if offer.name != NAME or len(named) != len(offer.parameters):
        return None
    server_takeover = "server_no_context_takeover" not in named
    client_takeover = "client_no_context_takeover" not in named
    if any(named.pop(flag, None) is not None for flag in _FLAGS):
        return None
    server_bits = _parse_bits(named.pop("server_max_window_bits", "15"))
    limits_client = "client_max_window_bits" in named
    # RFC 7692 7.1.2.2: the client may leave the number to us.
    client_bits = _parse_bits(named.pop("client_max_window_bits", None) or "15")
    # zlib cannot compress with a window of 8 bits: it takes 9.
    if named or server_bits < 9 or not client_bits:
        return None
    client = Window(min(client_bits, WINDOW_BITS), client_takeover) if limits_client else Window(15, False)
    return _agree(Window(min(server_bits, WINDOW_BITS), server_takeover), client, limits_client)


def _agree(server: Window, client: Window, limits_client: bool) -> Agreement:
    """Build the field value. Only a client that offered to limit its window may be told how; all else may be said unasked."""
    parts = [NAME, f"server_max_window_bits={server.bits}"]
    parts += [f"client_max_window_bits={client.bits}"] if limits_client else []
    parts += [] if server.takeover else ["server_no_context_takeover"]
    parts += [] if client.takeover else ["client_no_context_takeover"]
    return Agreement(server, client, "; ".join(parts).encode())


def _parse_bits(value: str | None) -> int:
    """Return a number of bits; 0 for what is none. Source: RFC 7692 section 7.1.2: 8 to 15, without leading zeros."""
    return int(value) if value in {"8", "9", "10", "11", "12", "13", "14", "15"} else 0


class Deflater:
    """Compresses the messages that one side sends."""

    __slots__ = ("_compressor", "_idle", "_window")

    def __init__(self, window: Window) -> None:
        self._window = window
        self._compressor: zlib._Compress | None = None
        self._idle = 0

    @staticmethod
    def accepts(size: int) -> bool:
        """Tell whether a message of that many bytes should be compressed."""
        return MIN_SIZE <= size <= MAX_SIZE

    def compress(self, payload: bytes) -> bytes:
        """Return the payload of a frame with RSV1 set."""
        compressor = self._compressor
        if compressor is None:
            compressor = zlib.compressobj(LEVEL, zlib.DEFLATED, -self._window.bits, MEMORY_LEVEL)
            if self._window.takeover:
                self._compressor = compressor
        self._idle = 0
        return compressor.compress(payload) + compressor.flush(zlib.Z_SYNC_FLUSH)[:-4]

    def tick(self) -> None:
        """Forget the compressor if it has not been used for `MAX_IDLE` calls of this method."""
        self._idle += 1
        if self._idle > MAX_IDLE:
            self._compressor = None


class Inflater:
    """Inflates the messages that one side receives: for each frame `expect`, then `inflate` for each piece of it.

    Args:
        window: of the sender.
        max_size: bytes of the largest message.
        max_ratio: bytes that one compressed byte of a message may become where that is more than `FREE_SIZE`; 0 for any.
    """

    __slots__ = (
        "_compressed",
        "_decompressor",
        "_limit",
        "_max_compressed",
        "_max_ratio",
        "_max_size",
        "_size",
        "_streams",
        "_window",
    )

    def __init__(self, window: Window, max_size: int, max_ratio: int) -> None:
        self._window = window
        self._max_size = max_size
        self._max_compressed = (
            max_size + max_size // 8 + 1024
        )  # as much as deflate makes of it (zlib.h, deflateBound)
        self._max_ratio = max_ratio
        self._decompressor: zlib._Decompress | None = None
        self._compressed = 0  # bytes of the frames of this message, as far as they have begun
        self._size = 0  # bytes they became
        self._limit = 0
        self._streams = 0

    def expect(self, length: int, *, first: bool) -> None:
        """Take note of a frame of that length, which may be the first one of a message.

        The limit by ratio counts the length at once, so that it does not depend on how the bytes were cut.

        Raises:
            RemoteProtocolError: 1009, more data than deflate makes of any message within the limit.
        """
        if first:
            self._size = self._streams = 0
            self._compressed = length
        else:
            self._compressed += length
        self._limit = limit = self._max_size
        if self._compressed > self._max_compressed:
            raise self._too_big()
        by_ratio = self._compressed * self._max_ratio or limit
        if by_ratio < limit:
            self._limit = by_ratio if by_ratio > FREE_SIZE else min(FREE_SIZE, limit)

    def inflate_message(self, data: bytes) -> bytes:
        """Return what a whole message in one frame becomes. Raises as `expect` and `inflate` do."""
        self.expect(len(data), first=True)
        return self.inflate(data, last=True)

    def inflate(self, data: bytes, *, last: bool) -> bytes:
        """Return what the next piece of a frame becomes; `last` tells that the message ends with it.

        Raises:
            RemoteProtocolError: 1009, the message becomes too large; 1007, the data is not in the DEFLATE format.
        """
        room = self._limit - self._size
        decompressor = self._decompressor or self._new_decompressor()
        try:
            result = decompressor.decompress(data + _TAIL if last else data, room + 1)
            # RFC 7692 7.2.3.4: a sender may end its DEFLATE stream; what follows is another one.
            while decompressor.eof and len(result) <= room:
                rest, decompressor = decompressor.unused_data, self._new_decompressor()
                result += decompressor.decompress(rest, room + 1 - len(result))
        except zlib.error as exc:
            raise RemoteProtocolError(f"message does not inflate: {exc}", CloseCode.INVALID_PAYLOAD) from exc
        if len(result) > room:
            raise self._too_big()
        self._size += len(result)
        if last and not self._window.takeover:
            self._decompressor = None
        return result

    def _new_decompressor(self) -> zlib._Decompress:
        self._streams += 1
        if self._streams > MAX_STREAMS:
            raise RemoteProtocolError(
                f"message of more than {MAX_STREAMS} DEFLATE streams", CloseCode.POLICY_VIOLATION
            )
        # A client that promises 8 bits may use 9: zlib does.
        self._decompressor = zlib.decompressobj(-max(self._window.bits, 9))
        return self._decompressor

    def _too_big(self) -> RemoteProtocolError:
        if self._limit < self._max_size:
            what = f"message becomes more than {self._max_ratio} times as large"
        else:
            what = f"message of more than {self._max_size} bytes"
        return RemoteProtocolError(what, CloseCode.MESSAGE_TOO_BIG)
