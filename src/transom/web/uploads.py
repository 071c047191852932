"""Uploaded files: in memory while they are small, else in an unnamed temporary file."""

from __future__ import annotations

import io
import tempfile
import weakref
from typing import IO, TYPE_CHECKING

from transom.web._threads import to_thread

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Iterable, Sequence

__all__ = ["UploadedFile"]

CHUNK_SIZE = 65_536


class UploadedFile:
    """One file of a multipart form.

    It is gone when the request ends: copy what must stay. The temporary file has no name on disk (where the system can
    do that), so not even a killed process leaves it behind.

    Attributes:
        name: the field's name.
        filename: the last part of the path the client gave, on any system, without control characters; still the client's word.
        content_type: the type the client claims.
        size: bytes received.
    """

    def __init__(self, name: str, filename: str, content_type: str = "application/octet-stream") -> None:
        self.name = name
        self.filename = filename
        self.content_type = content_type
        self.size = 0
        self._buffer = io.BytesIO()
        self._file: IO[bytes] | None = None
        self._finalizer: weakref.finalize[[], UploadedFile] | None = None

    def __repr__(self) -> str:
        return f"<UploadedFile {self.filename!r} ({self.content_type}, {self.size} bytes)>"

    @property
    def in_memory(self) -> bool:
        """Whether reading it needs no disk."""
        return self._file is None

    @property
    def closed(self) -> bool:
        """Whether its content is gone."""
        return self._current().closed

    async def read(self, size: int = -1) -> bytes:
        """Return up to `size` bytes from the current position, all that is left by default; empty at the end."""
        file = self._current()
        return file.read(size) if self.in_memory else await to_thread(lambda: file.read(size))

    async def seek(self, offset: int) -> None:
        """Move to a position, in bytes from the start."""
        file = self._current()
        if self.in_memory:
            file.seek(offset)
        else:
            await to_thread(lambda: file.seek(offset))

    async def chunks(self, size: int = CHUNK_SIZE) -> AsyncIterator[bytes]:
        """Yield the content from the start in pieces of up to `size` bytes."""
        await self.seek(0)
        while chunk := await self.read(size):
            yield chunk

    async def aclose(self) -> None:
        """Drop the content and remove the temporary file."""
        await close_all([self])

    def close(self) -> None:
        """Do what `aclose` does, on this thread."""
        self._buffer.close()
        if self._finalizer is not None:
            self._finalizer()

    # The parser's side: bytes are added to the buffer, and the buffer is moved to disk now and then.

    @property
    def buffered(self) -> int:
        """How many bytes are in memory."""
        return self._buffer.tell()

    def append(self, data: bytes) -> None:
        """Add bytes to the buffer in memory."""
        self._buffer.write(data)
        self.size += len(data)

    def spill(self) -> None:
        """Move the buffer to the temporary file, made the first time; blocking."""
        if self._file is None:
            self._file = tempfile.TemporaryFile(prefix="transom-upload-")  # noqa: SIM115  (lives as long as the upload)
            # A form that nobody closes is closed with its last reference, without a warning about an open file.
            self._finalizer = weakref.finalize(self, self._file.close)
        self._file.write(self._buffer.getbuffer())
        self._buffer = io.BytesIO()

    def finish(self) -> None:
        """Make it ready to be read from the start; blocking where there is a temporary file."""
        if self._file is not None:
            self.spill()
        self._current().seek(0)

    def _current(self) -> IO[bytes]:
        return self._buffer if self._file is None else self._file


def spill_all(uploads: Iterable[UploadedFile]) -> None:
    """Move the buffers of several uploads to disk; blocking."""
    for upload in uploads:
        if upload.buffered:
            upload.spill()


def finish_all(uploads: Iterable[UploadedFile]) -> None:
    """Make several uploads ready to be read; blocking."""
    for upload in uploads:
        upload.finish()


async def close_all(uploads: Sequence[UploadedFile]) -> None:
    """Drop the content of several uploads and remove what is on disk."""
    on_disk = [upload for upload in uploads if not upload.in_memory]
    for upload in uploads:
        if upload.in_memory:
            upload.close()
    if on_disk:  # freeing a large file can take a while
        await to_thread(lambda: [upload.close() for upload in on_disk])
