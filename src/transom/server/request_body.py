"""The body of one request, on its way from the connection to the application."""

from __future__ import annotations

from typing import Final

HIGH_WATER: Final = 65_536
"""Bytes that wait for the application before reading pauses."""


class RequestBody:
    """Pieces in order, and whether more are to come.

    Attributes:
        is_complete: the last piece has arrived.
    """

    __slots__ = ("_pieces", "_size", "is_complete")

    def __init__(self) -> None:
        self.is_complete = False
        self._pieces: list[bytes] = []
        self._size = 0

    @property
    def has_news(self) -> bool:
        """Whether there is anything to take: pieces, or the end."""
        return bool(self._pieces) or self.is_complete

    @property
    def is_full(self) -> bool:
        """Whether nothing more should be fed until something was taken."""
        return self._size >= HIGH_WATER

    def feed(self, piece: bytes) -> None:
        """Append a piece."""
        self._pieces.append(piece)
        self._size += len(piece)

    def take(self) -> bytes:
        """Return all pieces as one."""
        pieces = self._pieces
        data = pieces[0] if len(pieces) == 1 else b"".join(pieces)
        self._pieces, self._size = [], 0
        return data
