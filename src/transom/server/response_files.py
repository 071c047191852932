"""Files that an application names instead of sending their bytes: what part of which file, and how it is read.

Where the socket is plain the exchange hands the part to the system (`Exchange.send_file`); else it is read here piece by piece.
Only regular files: a pipe could keep the worker waiting.
"""

from __future__ import annotations

import asyncio
import os
import stat
from collections.abc import Generator, Mapping
from contextlib import contextmanager
from typing import Any, Final, NamedTuple, TypeAlias

from transom.server.exceptions import MessageError

PIECE: Final = 262_144  # bytes read at once

Message: TypeAlias = Mapping[str, Any]  # Any: what the application sends; checked here, key by key


class FilePart(NamedTuple):
    """A part of an open file.

    Attributes:
        descriptor: of the file.
        offset: where the part begins, in bytes.
        size: of the part, in bytes.
    """

    descriptor: int
    offset: int
    size: int


@contextmanager
def open_part(message: Message, content_length: int | None) -> Generator[FilePart]:
    """Return the part of a file that a message names; a file that is opened here is closed at the end.

    Args:
        message: `http.response.pathsend` or `http.response.zerocopysend`.
        content_length: what the head of the response promises. A path is sent only as far; None sends it whole.

    Raises:
        MessageError: the file cannot be read, is no regular file, or is shorter than what was asked for.

    Source: ASGI extensions "Path Send" and "Zero Copy Send".
    """
    if message["type"] == "http.response.zerocopysend":
        yield _part_of_open_file(message)
        return
    descriptor = _open(message.get("path"))
    try:
        size = _size_of(descriptor)
        if content_length is not None and content_length > size:
            raise MessageError(
                f"file {message['path']!r} has {size} bytes; its content-length is {content_length}"
            )
        yield FilePart(descriptor, 0, size if content_length is None else content_length)
    finally:
        os.close(descriptor)


def _open(path: object) -> int:
    # The extension asks for an absolute path, but Starlette passes on what its FileResponse was given.
    if not isinstance(path, str):
        raise MessageError(f"path {path!r} must be str, not {type(path).__name__}")
    try:
        return os.open(path, os.O_RDONLY | os.O_NONBLOCK | os.O_CLOEXEC)
    except (OSError, ValueError) as exc:
        raise MessageError(f"file {path!r} cannot be sent: {exc}") from exc


def _part_of_open_file(message: Message) -> FilePart:
    file = message.get("file")
    try:
        descriptor = file if isinstance(file, int) else file.fileno()  # type: ignore[union-attr]  # whatever it was given
        size = _size_of(descriptor)
        offset, count = message.get("offset"), message.get("count")
        if offset is None:
            offset = os.lseek(descriptor, 0, os.SEEK_CUR)
    except (AttributeError, OSError, ValueError) as exc:
        raise MessageError(f"{file!r} is not an open file with a descriptor: {exc}") from exc
    if count is None:
        count = max(size - offset, 0)
    if offset < 0 or count < 0 or offset + count > size:
        raise MessageError(f"bytes {offset} to {offset + count} are not within the file, which has {size}")
    return FilePart(descriptor, offset, count)


def _size_of(descriptor: int) -> int:
    status = os.fstat(descriptor)
    if not stat.S_ISREG(status.st_mode):
        raise MessageError("only regular files can be sent")
    return status.st_size


async def read_piece(descriptor: int, offset: int, count: int) -> bytes:
    """Return up to `count` bytes: at once where the system has them in memory, else from a thread that waits for the disk."""
    if hasattr(os, "RWF_NOWAIT"):  # Linux
        buffer = bytearray(count)
        try:
            return bytes(buffer[: os.preadv(descriptor, [buffer], offset, os.RWF_NOWAIT)])
        except OSError:  # not in memory, or a file system that cannot tell
            pass
    return await asyncio.to_thread(os.pread, descriptor, count, offset)
