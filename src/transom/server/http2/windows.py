"""How much DATA may be under way: one window for the connection and one for each stream, in each direction.

Source: RFC 9113 sections 5.2, 6.9.1 and 6.9.2.
"""

from __future__ import annotations

from typing import Final

from transom.server.http2.errors import ErrorCode, HTTP2Error, SessionError, StreamError

DEFAULT_SIZE: Final = 65_535
"""Bytes of every window at the beginning; that of the connection can only be made larger, by WINDOW_UPDATE."""
MAX_SIZE: Final = 0x7FFF_FFFF


def increase(window: int, increment: int, stream_id: int = 0) -> int:
    """Return a window for sending after a WINDOW_UPDATE, or after a change of SETTINGS_INITIAL_WINDOW_SIZE.

    The change may be negative, and may take a window below 0. A window that it makes too large is an error of the connection, as
    one of the window of number 0 is.

    Raises:
        StreamError: the window of a stream would be over 2**31-1.
        SessionError: that of the connection would.
    """
    window += increment
    if window > MAX_SIZE:
        raise _over(stream_id, f"window over {MAX_SIZE} bytes (RFC 9113 sections 6.9.1 and 6.9.2)")
    return window


class ReceiveWindow:
    """What the client may send, on a stream or (number 0) on all together.

    The capacity of a stream is our SETTINGS_INITIAL_WINDOW_SIZE. That of the connection is `DEFAULT_SIZE` to the client until a
    WINDOW_UPDATE tells it what is beyond.

    What was received counts until the application has taken it. Then it is given back, and told to the client in one
    WINDOW_UPDATE for half a window: a client that is slow costs one frame in many, one that is fast never waits.

    Attributes:
        left: bytes that the client may still send.
    """

    __slots__ = ("_capacity", "_owed", "_stream_id", "left")

    def __init__(self, capacity: int, stream_id: int = 0) -> None:
        self._capacity = capacity
        self._stream_id = stream_id
        self._owed = 0  # given back, but the client does not know
        self.left = capacity

    @property
    def held(self) -> int:
        """Bytes that were received and not given back."""
        return self._capacity - self.left - self._owed

    def receive(self, length: int) -> None:
        """Count a DATA frame, with its padding.

        Raises:
            StreamError: it is more than the window of a stream.
            SessionError: it is more than that of the connection.
        """
        self.left -= length
        if self.left < 0:
            raise _over(self._stream_id, "DATA beyond the window (RFC 9113 section 6.9.1)")

    def give_back(self, length: int) -> int:
        """Return the increment to send now, or 0.

        For the connection that is due for all that was received: what the application took, and at once padding, what came for a
        stream that was reset, and what waited for an application that does not take it any more. What is forgotten here is
        missing for ever. The window of a stream matters only while the client may still send on it.
        """
        self._owed += length
        if 2 * self._owed < self._capacity:
            return 0
        increment, self._owed = self._owed, 0
        self.left += increment
        return increment


def _over(stream_id: int, message: str) -> HTTP2Error:
    if stream_id:
        return StreamError(ErrorCode.FLOW_CONTROL_ERROR, stream_id, f"stream {stream_id}: {message}")
    return SessionError(ErrorCode.FLOW_CONTROL_ERROR, message)
