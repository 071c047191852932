"""Log lines to a descriptor that may be slow: a log that nobody reads must not stop the server.

A write to a full pipe waits for its reader, and with it would wait every client of the process. So a pipe or terminal is opened
a second time for this process alone, as non-blocking (the flag of the first would be shared with whoever started us), and a
socket is asked per write not to wait. What cannot be written waits here; beyond MAX_WAITING bytes, lines are counted instead.
Files are written as usual. Where a pipe cannot be opened again (no /proc, another owner), writing may wait after all.

Lines of several processes on one pipe are not mixed up: writes of up to PIPE_BUF bytes are whole.
"""

from __future__ import annotations

import contextlib
import logging
import os
import select
import socket
import stat
import time
from collections import deque
from typing import TYPE_CHECKING, Final, Protocol, TextIO

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

MAX_WAITING: Final = 1_048_576  # bytes that wait for a slow reader
LAST_WAIT: Final = 1.0  # seconds a slow reader has at the end of the process
_PIPE_WRITE: Final = select.PIPE_BUF
_OTHER_WRITE: Final = 65_536


class Output(Protocol):
    """Where a handler writes lines, given without their ends.

    Attributes:
        lost: lines that were given up so far.
    """

    lost: int

    @property
    def is_behind(self) -> bool:
        """Whether lines wait for the reader."""
        ...

    def write(self, lines: Sequence[str]) -> None:
        """Write lines, or keep them for later."""
        ...

    def close(self) -> None:
        """Write what still waits, if the reader takes it soon."""
        ...


class DescriptorOutput:
    """Lines to a file descriptor, never waiting for its reader.

    Args:
        descriptor: stays the caller's; what is written to is a duplicate.
    """

    def __init__(self, descriptor: int) -> None:
        mode = os.fstat(descriptor).st_mode
        slow = stat.S_ISFIFO(mode) or stat.S_ISCHR(mode)
        self._descriptor = _reopen(descriptor) if slow else os.dup(descriptor)
        self._socket = socket.socket(fileno=self._descriptor) if stat.S_ISSOCK(mode) else None
        self._piece_size = _PIPE_WRITE if stat.S_ISFIFO(mode) else _OTHER_WRITE
        self._waiting: deque[bytes] = deque()
        self._waiting_size = 0
        self.lost = 0

    @property
    def is_behind(self) -> bool:
        """Whether lines wait for the reader."""
        return bool(self._waiting)

    def write(self, lines: Sequence[str]) -> None:
        """Write lines, or keep them for later."""
        for piece in _join(lines, self._piece_size):
            if self._waiting_size + len(piece) > MAX_WAITING:
                self.lost += piece.count(b"\n")
            else:
                self._waiting.append(piece)
                self._waiting_size += len(piece)
        self._flush()

    def close(self) -> None:
        """Write what still waits, if the reader takes it within LAST_WAIT seconds."""
        if self._descriptor < 0:
            return
        deadline = time.monotonic() + LAST_WAIT
        poll = select.poll()
        poll.register(self._descriptor, select.POLLOUT)
        self._flush()
        while self._waiting and (left := deadline - time.monotonic()) > 0:
            if poll.poll(left * 1000):
                self._flush()
        if self._socket is not None:
            self._socket.close()
        else:
            os.close(self._descriptor)
        self._descriptor = -1

    def _flush(self) -> None:
        waiting = self._waiting
        while waiting:
            piece = waiting[0]
            try:
                written = self._write(piece)
            except BlockingIOError:
                return
            except OSError:
                # The reader is gone, or the disk is full: no later attempt would do better with these.
                self.lost += sum(each.count(b"\n") for each in waiting)
                waiting.clear()
                self._waiting_size = 0
                return
            self._waiting_size -= written
            if written == len(piece):
                waiting.popleft()
            else:
                waiting[0] = piece[written:]

    def _write(self, piece: bytes) -> int:
        if self._socket is not None:
            return self._socket.send(piece, socket.MSG_DONTWAIT)
        return os.write(self._descriptor, piece)


def _reopen(descriptor: int) -> int:
    try:
        return os.open(f"/proc/self/fd/{descriptor}", os.O_WRONLY | os.O_NONBLOCK | os.O_NOCTTY)
    except OSError:
        return os.dup(descriptor)


def _join(lines: Sequence[str], size: int) -> Iterator[bytes]:
    """Iterate over pieces of whole lines, none over that many bytes unless it is a single line."""
    piece, length = list[bytes](), 0
    for line in lines:
        data = line.encode("utf-8", "backslashreplace") + b"\n"
        if piece and length + len(data) > size:
            yield b"".join(piece)
            piece, length = [], 0
        piece.append(data)
        length += len(data)
    if piece:
        yield b"".join(piece)


class StreamOutput:
    """Lines to a stream without a descriptor, such as the ones that tests put in the place of stdout."""

    lost = 0
    is_behind = False

    def __init__(self, stream: TextIO) -> None:
        self._stream = stream

    def write(self, lines: Sequence[str]) -> None:
        """Write lines."""
        self._stream.write("".join([f"{line}\n" for line in lines]))
        self._stream.flush()

    def close(self) -> None:
        """Leave the stream to its owner."""


class LineHandler(logging.Handler):
    """A log handler that never waits for its reader."""

    def __init__(self, stream: TextIO) -> None:
        super().__init__()
        self._told = 0  # lines that were lost and of which somebody knows
        self._output: Output
        try:
            self._output = DescriptorOutput(stream.fileno())
        except (OSError, ValueError):  # io.UnsupportedOperation is both
            self._output = StreamOutput(stream)

    @property
    def is_plain(self) -> bool:
        """Whether records reach it as they are: no level, filter or formatter of its own."""
        return not (self.level or self.filters or self.formatter)

    def emit(self, record: logging.LogRecord) -> None:
        """Write one record."""
        try:
            text = self.format(record)
            if lost := self.take_lost():
                text += f" [{lost} lines before this one were lost]"
            self._output.write([text])
        except Exception:
            self.handleError(record)

    @property
    def lost(self) -> int:
        """How many lines were given up so far, because the reader is too slow."""
        return self._output.lost

    def take_lost(self) -> int:
        """Return how many lines to tell of: the first that were lost at once, later ones when the reader has caught up."""
        told = self._told
        if told and self._output.is_behind:
            return 0
        self._told = self._output.lost
        return self._told - told

    def write_lines(self, lines: Sequence[str]) -> None:
        """Write lines past `logging`."""
        with self.lock or contextlib.nullcontext():
            self._output.write(lines)

    def close(self) -> None:
        """Give what waits a last chance; `logging` calls this at the end of the process."""
        with self.lock or contextlib.nullcontext():
            self._output.close()
        super().close()
