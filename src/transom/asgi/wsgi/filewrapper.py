"""`wsgi.file_wrapper`: what an application returns to have a file sent."""

from __future__ import annotations

import os
import stat
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Final, Protocol, cast

if TYPE_CHECKING:
    from collections.abc import Iterator

MIN_BLOCK: Final = 65_536
"""Bytes read at once at least. The block size an application asks for is a suggestion, and most ask for too little."""


class Readable(Protocol):
    """A file as PEP 3333 wants it."""

    def read(self, size: int, /) -> bytes:
        """Return that many bytes at most, none at the end."""
        ...


@dataclass(frozen=True, slots=True)
class Region:
    """The part of an open file that is to be sent: `count` bytes from `offset` on."""

    file: Any  # with a `fileno` method; see FileWrapper.find_region
    offset: int
    count: int


class FileWrapper:
    """Iterates over a file in blocks, from where it stands.

    Where the server can send files by itself, it is asked to, and this is not iterated over.

    Source: PEP 3333, "Optional Platform-Specific File Handling".
    """

    def __init__(self, filelike: Readable, blksize: int = 8192) -> None:
        self._file = filelike
        self._size = max(blksize, MIN_BLOCK)
        if hasattr(filelike, "close"):
            self.close = cast("Any", filelike).close  # the server must call it, and must not if there is none

    def __iter__(self) -> Iterator[bytes]:
        while block := self._file.read(self._size):
            yield block

    def find_region(self) -> Region | None:
        """Return what is to be sent if this is a regular file of the system, else None."""
        file = cast("Any", self._file)  # a BytesIO, a pipe, a database's object, a file
        try:
            status = os.fstat(file.fileno())
            # Where Python stands: a buffered file's descriptor is ahead of it.
            offset: int = file.tell()
        except (AttributeError, OSError, ValueError):
            return None
        if not stat.S_ISREG(status.st_mode):
            return None
        return Region(file, offset, max(status.st_size - offset, 0))
