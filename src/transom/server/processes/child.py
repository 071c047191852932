"""A worker process, from both ends of its control channel.

Started with `subprocess` and not with `multiprocessing`: that would import the caller's main module again in the child (a script
without a main guard starts itself for ever) and keep a resource tracker process. The channel is a socket pair: the parent sends
one `Order` and nothing more, the child sends a `Report` once it serves and then once a second. Its end tells the child that the
parent is gone, however that happened.

SIGINT and SIGHUP are ignored in the child: Ctrl-C, and the end of a terminal, reach the whole group, and the parent answers them
with SIGTERM for each child. systemd sends SIGTERM to all processes of a service, so that it may come twice: only SIGQUIT insists.
SIGABRT, and what ends a process for a mistake in compiled code, writes the Python stack of each thread to stderr first.
"""

from __future__ import annotations

import asyncio
import contextlib
import faulthandler
import pickle
import signal
import socket
import subprocess
import sys
from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

from transom.server.processes.logs import configure_logging
from transom.server.processes.process import serve_in_process
from transom.server.processes.report import Report, Reporter, ReportReader

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from transom.server.config import Config
    from transom.server.worker import Server

# The first thing a child does is to ignore SIGINT: later, Ctrl-C would print a traceback per worker.
_CODE: Final = (
    "import signal; signal.signal(signal.SIGINT, signal.SIG_IGN); signal.signal(signal.SIGHUP, signal.SIG_IGN);"
    " import sys; from transom.server.processes.child import main; sys.exit(main(int(sys.argv[1])))"
)


@dataclass(frozen=True, slots=True)
class Order:
    """What a child is to do.

    `listeners` are file descriptors, the same numbers in both processes; `path` is the parent's `sys.path`; who is supervised
    leaves the metrics to its parent.
    """

    target: str
    config: Config
    listeners: tuple[int, ...]
    path: tuple[str, ...]
    is_supervised: bool


class WorkerProcess:
    """The parent's end.

    Args:
        target: where the child imports the application from.
        config: its options.
        listeners: bound sockets for it to listen on; the parent keeps its own.
        environment: of the child; None for the parent's.
        stdin: whether the child may read the terminal, for a debugger.
        is_supervised: whether its metrics are the parent's to show.

    Raises:
        OSError: no process could be started.
    """

    def __init__(
        self,
        target: str,
        config: Config,
        listeners: Sequence[socket.socket],
        *,
        environment: Mapping[str, str] | None = None,
        stdin: bool = False,
        is_supervised: bool = False,
    ) -> None:
        descriptors = tuple(listener.fileno() for listener in listeners)
        self.channel, theirs = socket.socketpair()
        self._reports = ReportReader()
        self._serves = False
        with theirs:
            self._process = subprocess.Popen(  # noqa: S603  our own interpreter and our own code
                [sys.executable, *_interpreter_flags(), "-c", _CODE, str(theirs.fileno())],
                pass_fds=(theirs.fileno(), *descriptors),
                stdin=None if stdin else subprocess.DEVNULL,
                env=environment,
            )
        order = Order(target, config, descriptors, tuple(sys.path), is_supervised)
        with contextlib.suppress(OSError):  # it died already; poll() will tell
            self.channel.sendall(pickle.dumps(order))
        self.channel.setblocking(False)

    @property
    def pid(self) -> int:
        """The process id."""
        return self._process.pid

    def read_report(self) -> tuple[Report | None, bool]:
        """Return the newest report that has arrived since the last call, and whether more may come; never wait."""
        report, is_open = self._reports.read_nowait(self.channel)
        self._serves = self._serves or report is not None
        return report, is_open

    def poll(self) -> int | None:
        """Return the exit code, negative for a signal, or None while it runs."""
        return self._process.poll()

    def wait(self, timeout: float) -> int | None:
        """Wait for the end that many seconds at most; return as `poll`."""
        try:
            return self._process.wait(timeout)
        except subprocess.TimeoutExpired:
            return None

    def terminate(self, *, at_once: bool = False) -> None:
        """Ask it to stop gracefully, or `at_once`: then it cancels what is in progress."""
        # While it starts nobody listens to SIGQUIT, and what it does then is to dump core.
        self._process.send_signal(signal.SIGQUIT if at_once and self._serves else signal.SIGTERM)

    def abort(self) -> None:
        """End it, and let it write where it hangs, even in compiled code that holds the interpreter's lock."""
        self._process.send_signal(signal.SIGABRT)

    def kill(self) -> None:
        """End it at once."""
        self._process.kill()

    def close(self) -> None:
        """Close the channel; a child that still runs then stops by itself."""
        self.channel.close()


def _interpreter_flags() -> list[str]:
    """Return -W, -X, -O and the like as this interpreter was given them."""
    # Private, and what multiprocessing's spawn uses: there is no public way to ask.
    return subprocess._args_from_interpreter_flags()  # type: ignore[attr-defined]  # not in every stub


def main(descriptor: int) -> int:
    """Serve as a child whose channel has this file descriptor; return the exit code."""
    channel = socket.socket(fileno=descriptor)
    channel.set_inheritable(False)
    with channel.makefile("rb") as stream:
        try:
            order: Order = pickle.load(stream)  # noqa: S301  written by our own parent
        except EOFError:
            return 0  # the parent is gone before it could say what to do
    sys.path[:] = order.path
    faulthandler.enable()
    configure_logging(order.config)
    listeners = [socket.socket(fileno=each) for each in order.listeners]
    for listener in listeners:
        listener.set_inheritable(False)

    def on_started(server: Server) -> None:
        # From here on only SIGTERM, SIGQUIT and the end of the channel stop this process.
        loop = asyncio.get_running_loop()
        loop.remove_signal_handler(signal.SIGINT)
        signal.signal(signal.SIGINT, signal.SIG_IGN)
        loop.add_signal_handler(signal.SIGTERM, _stop, server)
        channel.setblocking(False)
        loop.add_reader(channel, _channel_ended, loop, channel, server)
        report = Reporter(channel, server.state)
        server.state.on_tick.append(report)
        report()

    return serve_in_process(
        order.target,
        order.config,
        sockets=listeners,
        on_started=on_started,
        serves_status=not order.is_supervised,
    )


def _channel_ended(loop: asyncio.AbstractEventLoop, channel: socket.socket, server: Server) -> None:
    loop.remove_reader(channel)
    _stop(server)


def _stop(server: Server) -> None:
    if not server.is_stop_requested:
        server.request_stop()
