"""What a worker tells its supervisor once a second: that its event loop turns, and how it is.

One report is one line of JSON. The first one says that the worker serves. Neither side ever waits for the other: a worker whose
supervisor does not read leaves reports out, a supervisor takes what is there and keeps the newest.
"""

from __future__ import annotations

import json
from dataclasses import asdict, dataclass, field
from typing import TYPE_CHECKING, Any, Final

from transom.server.metrics.memory import measure_resident

if TYPE_CHECKING:
    import socket

    from transom.server.state import ServerState

MAX_LINE: Final = 1_048_576  # bytes of one report; a stream without line ends is none
_READ_SIZE: Final = 65_536


@dataclass(frozen=True, slots=True, kw_only=True)
class Report:
    """The state of one worker at one moment.

    Attributes:
        sequence: how many reports there were before; those left out are counted.
        requests: begun since the worker started.
        connections: open now.
        tasks: applications running now.
        lag: seconds by which the event loop was late at its last tick.
        resident: bytes of memory, as `measure_resident`.
        metrics: what the worker's metrics add up to, for the supervisor's own to be merged with; opaque here.
    """

    sequence: int
    requests: int = 0
    connections: int = 0
    tasks: int = 0
    lag: float = 0.0
    resident: int = 0
    metrics: dict[str, Any] = field(default_factory=dict[str, Any])  # Any: opaque, whatever JSON holds

    def to_line(self) -> bytes:
        """Return the report as a line of JSON."""
        return json.dumps(asdict(self), separators=(",", ":")).encode() + b"\n"

    @classmethod
    def from_line(cls, line: bytes) -> Report:
        """Return the report of a line.

        Raises:
            ValueError: it is none.
        """
        try:
            return cls(**json.loads(line))
        except TypeError as exc:
            raise ValueError(f"not a report: {line[:80]!r}; expected a line of Report.to_line") from exc


class Reporter:
    """The worker's end: sends a report whenever it is called, without ever waiting.

    Args:
        channel: a socket to the supervisor that does not block.
        state: the worker's.
    """

    def __init__(self, channel: socket.socket, state: ServerState) -> None:
        self._channel = channel
        self._state = state
        self._sequence = 0
        self._unsent = b""

    def __call__(self) -> None:
        """Send a report, or leave it out while the one before has not left whole."""
        if not self._unsent:
            self._unsent = self._report().to_line()
        self._sequence += 1
        try:
            self._unsent = self._unsent[self._channel.send(self._unsent) :]
        except BlockingIOError:
            pass  # nobody reads
        except OSError:
            self._unsent = b""  # nobody will read: the end of the channel stops this worker by itself

    def _report(self) -> Report:
        state = self._state
        return Report(
            sequence=self._sequence,
            requests=state.requests,
            connections=len(state.connections),
            tasks=len(state.tasks),
            lag=state.lag,
            resident=measure_resident(),
            metrics=state.metrics_snapshot() if state.metrics_snapshot is not None else {},
        )


class ReportReader:
    """The supervisor's end: takes bytes as they come, gives whole reports."""

    def __init__(self) -> None:
        self._buffer = b""

    def receive_data(self, data: bytes) -> Report | None:
        """Return the newest whole report of what has arrived, or None; the start of a line waits for its rest."""
        *lines, self._buffer = (self._buffer + data).split(b"\n")
        if len(self._buffer) > MAX_LINE:
            self._buffer = b""
        for line in reversed(lines):
            try:
                return Report.from_line(line)
            except ValueError:
                pass  # the rest of a line too long to be kept; the next report comes in a second
        return None

    def read_nowait(self, channel: socket.socket) -> tuple[Report | None, bool]:
        """Return the newest report that waits in the channel, and whether the channel is still open; never wait."""
        newest: Report | None = None
        while True:
            try:
                data = channel.recv(_READ_SIZE)
            except BlockingIOError:
                return newest, True
            except OSError:
                return newest, False
            if not data:
                return newest, False
            newest = self.receive_data(data) or newest
