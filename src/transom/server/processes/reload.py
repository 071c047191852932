"""Restart one worker process whenever code changes. For development.

The reloader holds the listening sockets, so that a browser that asks during a restart, or while the code does not even import,
gets its answer from the next worker that starts.
"""

from __future__ import annotations

import contextlib
import dataclasses
import logging
import signal
import threading
from fnmatch import fnmatchcase
from pathlib import Path
from typing import TYPE_CHECKING, Final, Protocol

import watchfiles

from transom.server.env_file import ChildEnvironment
from transom.server.exceptions import BindError, ConfigError
from transom.server.processes.child import WorkerProcess
from transom.server.processes.process import EXIT_OK, EXIT_START_FAILED
from transom.server.sockets.listener import bind_sockets

if TYPE_CHECKING:
    import socket
    from collections.abc import Generator, Iterable, Sequence, Set

    from transom.server.config import Config

RELOAD_SUFFIXES: Final = (".py", ".html", ".jinja", ".j2", ".toml", ".yaml", ".yml", ".ini", ".cfg", ".mo")
"""What an application reads at start-up, or keeps once read. Static files are served from disk and need no restart."""

GRACE: Final = 3.0  # seconds for requests in progress: whoever saves a file waits for the restart
KILL_AFTER: Final = 5.0  # seconds beyond that until a worker that hangs is killed
TICK_MS: Final = 250  # how soon the end of a worker is noticed

logger = logging.getLogger("transom.server")


class SourceFilter(watchfiles.DefaultFilter):
    """Lets changes of source, templates and settings through; not what tools and version control write.

    Args:
        directories: those that are watched; patterns are about what is below them.
        include: patterns of further files, by name (`*.md`) or by path (`content/*.md`, with what is below subdirectories).
        exclude: patterns of files and directories that are left out all the same.
    """

    def __init__(
        self, directories: Iterable[Path] = (), include: Sequence[str] = (), exclude: Sequence[str] = ()
    ) -> None:
        super().__init__()
        self._directories = [each.resolve() for each in directories]
        self._include = include
        self._exclude = exclude

    def __call__(self, change: watchfiles.Change, path: str) -> bool:
        """Tell whether the change asks for a restart."""
        relative = self._find_relative(Path(path))
        name = relative.name
        wanted = name.endswith(RELOAD_SUFFIXES) or name.startswith(".env")
        if not wanted and not _matches(relative, (name,), self._include):
            return False
        return not _matches(relative, relative.parts, self._exclude) and super().__call__(change, path)

    def _find_relative(self, path: Path) -> Path:
        return next((path.relative_to(each) for each in self._directories if path.is_relative_to(each)), path)


def _matches(path: Path, names: Iterable[str], patterns: Sequence[str]) -> bool:
    """Tell whether a pattern describes the path, or one of its names."""
    return any(fnmatchcase(name, pattern) for pattern in patterns for name in (str(path), *names))


class Process(Protocol):
    """What the reloader needs of a worker process."""

    def poll(self) -> int | None:
        """Return the exit code, or None while it runs."""
        ...

    def wait(self, timeout: float) -> int | None:
        """Wait for the end; return as `poll`."""
        ...

    def terminate(self) -> None:
        """Ask it to stop."""
        ...

    def kill(self) -> None:
        """End it at once."""
        ...

    def close(self) -> None:
        """Let go of it."""
        ...


class Reloader:
    """Runs one worker process at a time. For the main thread, once."""

    def __init__(self, target: str, config: Config) -> None:
        self._target = target
        self._config = dataclasses.replace(
            config, timeout_graceful_shutdown=min(config.timeout_graceful_shutdown, GRACE)
        )
        self._directories = [Path(each).resolve() for each in config.reload_dir or (config.app_dir,)]
        self._environment = ChildEnvironment(config.env_file)
        self._listeners: list[socket.socket] = []
        self._process: Process | None = None
        self._stop = threading.Event()

    def run(self) -> int:
        """Serve until SIGINT or SIGTERM; return the exit code. An application that does not start waits for the next change."""
        missing = [str(each) for each in self._directories if not each.is_dir()]
        if missing:
            logger.error("no directory %s to watch; name another with --reload-dir", ", ".join(missing))
            return EXIT_START_FAILED
        try:
            self._listeners = bind_sockets(self._config)
        except BindError as exc:
            logger.error("%s", exc)
            return EXIT_START_FAILED
        logger.info("watching %s", ", ".join(map(str, self._directories)))
        with self._stop_on_signals():
            try:
                self._process = self._start()
                self.follow(
                    watchfiles.watch(
                        *[each.resolve() for each in self._directories],
                        watch_filter=SourceFilter(
                            self._directories, self._config.reload_include, self._config.reload_exclude
                        ),
                        stop_event=self._stop,
                        rust_timeout=TICK_MS,
                        yield_on_timeout=True,
                        raise_interrupt=False,
                    )
                )
            finally:
                self._end()
                for listener in self._listeners:
                    listener.close()
        return EXIT_OK

    def follow(self, batches: Iterable[Set[tuple[watchfiles.Change, str]]]) -> None:
        """Restart at each batch of changes; an empty one only looks whether the worker still runs."""
        for batch in batches:
            if batch:
                names = sorted({_shorten(path) for _, path in batch})
                logger.info("%s changed; restarting", ", ".join(names[:3]) + (" and more" * (len(names) > 3)))
                self._end()
                self._process = self._start()
            elif self._process is not None and self._process.poll() is not None:
                logger.warning("the worker has ended; waiting for a change")
                self._end()

    def _start(self) -> Process | None:
        try:
            environment = self._environment.build()
            return WorkerProcess(
                self._target, self._config, self._listeners, environment=environment, stdin=True
            )
        except (ConfigError, OSError) as exc:
            logger.error("the worker could not be started: %s; waiting for a change", exc)
            return None

    def _end(self) -> None:
        process, self._process = self._process, None
        if process is None:
            return
        if process.poll() is None:
            process.terminate()
            if process.wait(self._config.timeout_graceful_shutdown + KILL_AFTER) is None:
                logger.warning("the worker does not stop; killing it")
                process.kill()
                process.wait(KILL_AFTER)
        process.close()

    @contextlib.contextmanager
    def _stop_on_signals(self) -> Generator[None]:
        numbers = (signal.SIGINT, signal.SIGTERM)

        def stop(_number: int, _frame: object) -> None:
            self._stop.set()

        before = {number: signal.signal(number, stop) for number in numbers}
        try:
            yield
        finally:
            for number, handler in before.items():
                signal.signal(number, handler)


def _shorten(path: str) -> str:
    try:
        return str(Path(path).relative_to(Path.cwd()))
    except ValueError:
        return path
