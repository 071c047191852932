"""One stream: what the session knows of a request and its response."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from transom.server.http2.priorities import DEFAULT

if TYPE_CHECKING:
    from collections import deque

    from transom.server.http2.fields import RequestHead
    from transom.server.http2.priorities import Priority
    from transom.server.http2.states import State
    from transom.server.http2.windows import ReceiveWindow

HIGH_WATER: Final = 65_536
"""Bytes that wait on one stream before its application should."""


class Stream:
    """What is known of an open stream. Sessions make them, and alone change them; others may read.

    Attributes:
        stream_id: its number.
        state: the server's view.
        head: of the request, which is complete and valid; there is none on a stream whose request was refused.
        has_body: the request does not end with its head.
        window: bytes of DATA that we may send.
        priority: of the response.
        body_left: bytes of the body that `content-length` still promises; None without one.
        received: the window of the request body; None if there is none.
        pending: pieces of the response body that wait for windows, or their turn.
        pending_size: bytes of them.
        is_tunnel: each side ends by itself, and ours not because the response is complete.
        is_ending: the last piece is among them.
        trailers: fields to be sent behind them.
        writing_paused: more is waiting than should be; `StreamDrained` tells when it is over.
        is_waiting: the application is not done with it. It counts as long, even if it is closed: a client that resets what it
            began must not be able to begin more.
    """

    head: RequestHead

    # Defaults of the class, not slots: most streams change none of them, and are made and freed faster (CPython 3.13).
    priority: Priority = DEFAULT
    has_body = False
    body_left: int | None = None
    received: ReceiveWindow | None = None
    pending: deque[bytes | memoryview] | None = None
    pending_size = 0
    is_tunnel = False
    is_ending = False
    trailers: tuple[tuple[bytes, bytes], ...] | None = None
    writing_paused = False
    is_waiting = True

    def __init__(self, stream_id: int, state: State, window: int) -> None:
        self.stream_id = stream_id
        self.state = state
        self.window = window
