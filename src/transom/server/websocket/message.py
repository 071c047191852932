"""The message that is being put together from fragments, or from a frame that arrives in pieces."""

from __future__ import annotations

import codecs
from typing import TYPE_CHECKING

from transom.server.websocket.close import CloseCode
from transom.server.websocket.exceptions import RemoteProtocolError
from transom.server.websocket.frames import TEXT

if TYPE_CHECKING:
    from transom.server.websocket.deflate import Inflater

_UTF8Decoder = codecs.getincrementaldecoder("utf-8")


class PartialMessage:
    """Collects the payload of one message and refuses bad UTF-8 at the first byte that proves it bad.

    All pieces go to one byte buffer, so that a million tiny fragments cost no more memory than their bytes.

    Args:
        opcode: of the first frame.
        inflater: inflates the payload; None where it is not compressed.
    """

    __slots__ = ("_data", "_decoder", "inflater")

    def __init__(self, opcode: int, inflater: Inflater | None = None) -> None:
        self._data = bytearray()
        self._decoder = _UTF8Decoder() if opcode == TEXT else None
        self.inflater = inflater

    @property
    def size(self) -> int:
        """Bytes collected so far."""
        return len(self._data)

    def add(self, piece: bytes, *, last: bool) -> None:
        """Append unmasked payload bytes; `last` tells that the message ends with them.

        Raises:
            RemoteProtocolError: 1007, the text can no longer become valid UTF-8; or what the inflater raises.
        """
        if self.inflater is not None:
            piece = self.inflater.inflate(piece, last=last)
        if self._decoder is not None:
            _check_text(self._decoder, piece, last=last)
        self._data += piece

    def to_event(self) -> str | bytes:
        """Return the finished message."""
        return bytes(self._data) if self._decoder is None else self._data.decode()


def _check_text(decoder: codecs.IncrementalDecoder, piece: bytes, *, last: bool) -> None:
    try:
        decoder.decode(piece, last)
    except UnicodeDecodeError as exc:
        raise RemoteProtocolError("text is not UTF-8", CloseCode.INVALID_PAYLOAD) from exc
    # Python's decoder waits for the third byte of a surrogate, which the second one already gives away.
    pending = decoder.getstate()[0]
    if len(pending) == 2 and b"\xed\xa0" <= pending < b"\xee":
        raise RemoteProtocolError("text holds a surrogate", CloseCode.INVALID_PAYLOAD)
