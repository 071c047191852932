"""Keep N worker processes running on the same addresses.

`Supervision` decides, this module acts: it holds the listening sockets, starts processes, and waits for signals and for workers'
reports in one `select`; it waits for no single worker, ever. Each worker has a socket of its own (SO_REUSEPORT), so that the
kernel shares out connections evenly; the supervisor holds them too, so that a restart refuses nobody: what arrives in between
waits in the queue.

SIGTERM, SIGINT: stop gracefully; again: cancel what is in progress; a third time: kill. SIGQUIT: cancel what is in progress.
SIGHUP: replace the workers one by one. SIGTTIN, SIGTTOU: one worker more, one less.
"""

from __future__ import annotations

import contextlib
import logging
import os
import random
import selectors
import signal
import socket
import sys
import time
from math import inf
from typing import TYPE_CHECKING, Final

from transom.server.env_file import ChildEnvironment
from transom.server.exceptions import BindError, ConfigError, TLSError
from transom.server.metrics.metrics import Samples
from transom.server.metrics.status import FleetStatus
from transom.server.processes.child import WorkerProcess
from transom.server.processes.process import EXIT_OK, EXIT_START_FAILED, longest_stop
from transom.server.processes.recycling import Allowance
from transom.server.processes.status_port import StatusPort
from transom.server.processes.supervision import (
    Abort,
    Action,
    CloseListeners,
    Start,
    Stop,
    Supervision,
    Vacate,
)
from transom.server.sockets.listener_pool import ListenerPool
from transom.server.sockets.systemd import Notifier
from transom.server.tls.context import Certificates

if TYPE_CHECKING:
    from collections.abc import Callable, Generator

    from transom.server.config import Config
    from transom.server.processes.report import Report

_SIGNALS: Final = (
    signal.SIGTERM,
    signal.SIGINT,
    signal.SIGQUIT,
    signal.SIGHUP,
    signal.SIGTTIN,
    signal.SIGTTOU,
    signal.SIGUSR1,
    signal.SIGUSR2,
    signal.SIGCHLD,
)
_OVERSLEPT: Final = (
    2.0  # seconds; later than that, the supervisor was stopped or starved, and its workers perhaps too
)

logger = logging.getLogger("transom.server")


class Supervisor:
    """Runs `config.workers` processes that serve one target. For the main thread, once.

    Args:
        target: where the workers import the application from.
        config: the options.
        pool: makes the listening sockets, when `run` is called.
    """

    def __init__(
        self, target: str, config: Config, *, pool: Callable[[Config], ListenerPool] = ListenerPool
    ) -> None:
        self._target = target
        self._config = config
        self._make_pool = pool
        chance = random.Random()  # noqa: S311  spreads restarts, guards nothing
        self._supervision = Supervision(
            config.workers,
            longest_stop(config),
            silence=config.timeout_worker_healthcheck,
            draw_allowance=lambda: Allowance.draw(config, chance),
        )
        self._environment = ChildEnvironment(config.env_file)
        self._processes: dict[int, WorkerProcess] = {}
        self._reports: dict[int, Report] = {}
        self._unstarted: list[int] = []  # workers that could not even be started, not yet told
        self._selector = selectors.DefaultSelector()
        self._status = FleetStatus(self._supervision)
        self._notifier = Notifier.take()
        self._terminal = _find_terminal()

    @property
    def reports(self) -> dict[int, Report]:
        """The newest report of each worker that serves, by process id."""
        return {self._processes[number].pid: report for number, report in self._reports.items()}

    def run(self) -> int:
        """Serve until told to stop; return the exit code."""
        with contextlib.ExitStack() as stack:
            stack.enter_context(self._selector)
            try:
                if self._config.ssl_certfile is not None:
                    Certificates(self._config)  # said once here what each worker would say
                pool = stack.enter_context(contextlib.closing(self._make_pool(self._config)))
                port = StatusPort.open(self._config, self._selector, self._status)
            except (BindError, TLSError) as exc:
                logger.error("%s", exc)
                return EXIT_START_FAILED
            stack.enter_context(contextlib.closing(port))
            return self._supervise(pool, port, stack.enter_context(_catch_signals()))

    def _supervise(self, pool: ListenerPool, port: StatusPort, signals: socket.socket) -> int:
        count = self._config.workers
        logger.info("supervising %d worker%s on %s", count, "s" * (count > 1), pool.description)
        self._selector.register(signals, selectors.EVENT_READ)
        try:
            self._act(self._supervision.begin(), pool)
            while not self._supervision.is_done:
                self._wait(min(port.deadline, self._notifier.deadline))
                actions = self._look(signals)
                # First, so that whoever is stopped now gets nothing new while it takes what is in its queue.
                pool.steer(self._supervision.receivers)
                self._act(actions, pool)
                port.look()
                self._notify()
        finally:
            # Only after an error of our own: nothing may outlive us.
            for process in self._processes.values():
                process.kill()
        return EXIT_START_FAILED if self._supervision.start_failed else EXIT_OK

    def _notify(self) -> None:
        """Tell systemd, if it has started us."""
        self._notifier.tick(time.monotonic())
        if self._supervision.is_stopping:
            self._notifier.stopping()
        elif self._supervision.is_settled:
            self._notifier.ready()

    def _wait(self, latest: float) -> None:
        deadline = 0.0 if self._unstarted else min(self._supervision.deadline or inf, latest)
        self._selector.select(None if deadline == inf else max(deadline - time.monotonic(), 0.0))
        now = time.monotonic()
        if deadline and now - deadline > _OVERSLEPT:
            self._supervision.overslept(now)

    def _look(self, signals: socket.socket) -> list[Action]:
        """Tell the supervision everything that has happened, and collect what to do."""
        now, supervision = time.monotonic(), self._supervision
        actions = self._answer_signals(signals, now)
        for number, process in tuple(self._processes.items()):
            report, is_open = process.read_report()
            if report is not None:
                self._take_report(number, report)
                actions += supervision.worker_reported(number, report, now)
            if not is_open:
                self._ignore(process)
            if (code := process.poll()) is not None:
                self._forget(number, code)
                actions += supervision.worker_exited(number, now)
        while self._unstarted:
            actions += supervision.worker_exited(self._unstarted.pop(), now)
        return actions + supervision.tick(now)

    def _answer_signals(self, signals: socket.socket, now: float) -> list[Action]:
        actions: list[Action] = []
        with contextlib.suppress(BlockingIOError):
            for number in signals.recv(256):
                actions += self._answer_signal(number, now)
        return actions

    def _answer_signal(self, number: int, now: float) -> list[Action]:
        supervision = self._supervision
        if number in (signal.SIGTERM, signal.SIGINT):
            return supervision.stop(now)
        if number == signal.SIGQUIT:
            return supervision.stop(now, at_once=True)
        if number == signal.SIGHUP:
            # The system sends it too, when the terminal is closed.
            if _is_gone(self._terminal):
                return supervision.stop(now)
            self._notifier.reloading()
            return supervision.restart()
        if number == signal.SIGTTIN:
            return supervision.grow()
        if number == signal.SIGTTOU:
            return supervision.shrink(now)
        if number != signal.SIGCHLD:
            # What scripts for gunicorn send must not end the server.
            logger.warning("%s means nothing here; SIGHUP replaces the workers", signal.Signals(number).name)
        return []

    def _take_report(self, number: int, report: Report) -> None:
        self._reports[number] = report
        self._status.worker_reported(number, Samples.from_report(report.metrics))

    def _forget(self, number: int, code: int) -> None:
        process = self._processes.pop(number)
        last, _ = process.read_report()  # it may have come since we looked
        if last is not None:
            self._take_report(number, last)
        self._reports.pop(number, None)
        self._status.worker_ended(number)
        logger.log(
            logging.WARNING if code else logging.INFO, "worker %d ended: %s", process.pid, describe_exit(code)
        )
        self._ignore(process)
        process.close()

    def _ignore(self, process: WorkerProcess) -> None:
        """Stop waiting for reports; a channel at its end would wake us for ever."""
        if process.channel in self._selector.get_map():
            self._selector.unregister(process.channel)

    def _act(self, actions: list[Action], pool: ListenerPool) -> None:
        for action in actions:
            if isinstance(action, Start):
                self._start(action, pool)
            elif isinstance(action, Vacate):
                pool.vacate(action.slot)
            elif isinstance(action, CloseListeners):
                pool.close()
            elif (process := self._processes.get(action.worker)) is None:
                pass  # it has ended meanwhile
            elif isinstance(action, Stop):
                process.terminate(at_once=action.at_once)
            elif isinstance(action, Abort):
                logger.warning(
                    "worker %d hangs: its event loop has not turned for %.0f s; its stack follows, then it is replaced",
                    process.pid,
                    action.silence,
                )
                process.abort()
            else:
                logger.warning("worker %d does not stop; killing it", process.pid)
                process.kill()

    def _start(self, action: Start, pool: ListenerPool) -> None:
        try:
            process = WorkerProcess(
                self._target,
                self._config,
                pool.get(action.slot),
                environment=self._environment.build(),
                is_supervised=True,
            )
        except (BindError, ConfigError, OSError) as exc:
            # No memory, or the port was taken while nobody of us held it: as if it had crashed.
            logger.error("a worker could not be started: %s", exc)
            self._unstarted.append(action.worker)
            return
        self._processes[action.worker] = process
        self._selector.register(process.channel, selectors.EVENT_READ)
        replaced = self._processes.get(action.replaced) if action.replaced is not None else None
        if replaced is None:
            logger.info("started worker %d", process.pid)
        else:
            logger.info(
                "started worker %d to replace worker %d: %s", process.pid, replaced.pid, action.reason
            )


def describe_exit(code: int) -> str:
    """Return an exit code for people: `SIGKILL`, or `exit code 3`."""
    if code >= 0:
        return f"exit code {code}"
    try:
        return signal.Signals(-code).name
    except ValueError:  # a real-time signal without a name of its own
        return f"signal {-code}"


def _find_terminal() -> int | None:
    """Return standard input if it is the terminal we were started from: whose end is ours too."""
    with contextlib.suppress(OSError, ValueError, AttributeError):  # none, closed, or another session's
        os.tcgetpgrp(sys.stdin.fileno())
        return sys.stdin.fileno()
    return None


def _is_gone(terminal: int | None) -> bool:
    if terminal is None:
        return False
    try:
        os.tcgetpgrp(terminal)
    except OSError:
        return True
    return False


def _note(_number: int, _frame: object) -> None:
    """Do nothing: the byte on the wake-up socket is what counts."""


@contextlib.contextmanager
def _catch_signals() -> Generator[socket.socket]:
    """Make signals readable as bytes on a socket, so that one `select` waits for everything."""
    ours, theirs = socket.socketpair()
    ours.setblocking(False)
    theirs.setblocking(False)
    # Python writes to the descriptor only for signals that have a handler of Python's.
    before = {number: signal.signal(number, _note) for number in _SIGNALS}
    old = signal.set_wakeup_fd(theirs.fileno(), warn_on_full_buffer=False)
    try:
        yield ours
    finally:
        signal.set_wakeup_fd(old)
        for number, handler in before.items():
            signal.signal(number, handler)
        ours.close()
        theirs.close()
