"""The streams of one connection: those that are open, and what there is to say of those that are not."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from transom.server.http2.states import MAX_RESETS, EndedStreams, State

if TYPE_CHECKING:
    from collections.abc import Callable

    from transom.server.http2.stream import Stream

# To look a member up in its class takes longer.
_OPEN: Final = State.OPEN
_HALF_CLOSED_REMOTE: Final = State.HALF_CLOSED_REMOTE
_RESET: Final = State.RESET


class Streams:
    """Streams by their number.

    Args:
        make: makes one, from its number, state and send window.
        max_open: how many a client may have at a time.

    Attributes:
        open: those that are open or half-closed.
        ended: those that are not.
        busy: how many are open, or closed while their application goes on.
    """

    __slots__ = ("_make", "busy", "ended", "open")

    def __init__(self, make: Callable[[int, State, int], Stream], max_open: int) -> None:
        self._make = make
        self.open: dict[int, Stream] = {}
        self.ended = EndedStreams(max(MAX_RESETS, 2 * max_open))
        self.busy = 0

    def begin(self, stream_id: int, is_complete: bool, window: int) -> Stream:
        """Register a stream whose request begins, or is the head alone."""
        stream = self._make(stream_id, _HALF_CLOSED_REMOTE if is_complete else _OPEN, window)
        self.open[stream_id] = stream
        self.busy += 1
        return stream

    def end(self, stream: Stream, state: State) -> None:
        """Take a stream off the register that is closed in this way."""
        stream.state = state
        if self.open.pop(stream.stream_id, None) is not None:
            if state is _RESET:
                self.ended.reset(stream.stream_id)
            if not stream.is_waiting:
                self.busy -= 1

    def release(self, stream: Stream) -> None:
        """Note that the application is done with a stream."""
        if stream.is_waiting:
            stream.is_waiting = False
            if stream.stream_id not in self.open:
                self.busy -= 1
