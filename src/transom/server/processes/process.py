"""Serve in this process: logging, event loop, application, exit code."""

from __future__ import annotations

import asyncio
import contextlib
import faulthandler
import gc
import importlib.util
import logging
import sys
from typing import TYPE_CHECKING, Final

from transom.server.capacity import raise_descriptor_limit
from transom.server.exceptions import BindError, LoadError, StartupError, TLSError
from transom.server.interface import adapt
from transom.server.lifespan import END_TIMEOUT
from transom.server.loader import load_application
from transom.server.tls.context import hide_malformed_server_names
from transom.server.worker import CANCEL_TIMEOUT, Server

if TYPE_CHECKING:
    import socket
    from collections.abc import Callable, Sequence

    from transom.asgi.types import ASGIApplication
    from transom.server.config import Config
    from transom.server.interface import Application

EXIT_OK: Final = 0
EXIT_START_FAILED: Final = 3  # as uvicorn: a supervisor sees that trying again is of no use
EXIT_INTERRUPTED: Final = 130  # the shell's 128 + SIGINT: interrupted before there was anything to stop
EXIT_TIMEOUT: Final = 5.0  # seconds for what the application left running when it was shut down

# For the garbage collector: 200 new objects in one go, 2,000 that outlived that, all as seldom as CPython 3.13 by default.
_SMALL_STEPS: Final = (200, 10, 100)
_STEPS_OF_CPYTHON: Final = (700, 2000)  # up to 3.12, and later: new objects in one go

logger = logging.getLogger("transom.server")


def choose_loop_factory(name: str) -> Callable[[], asyncio.AbstractEventLoop] | None:
    """Return how to make the event loop: uvloop's with "uvloop", or with "auto" where it is installed.

    Raises:
        LoadError: uvloop was asked for and is not installed.
    """
    if name == "asyncio":
        return None
    if importlib.util.find_spec("uvloop") is None:
        if name == "uvloop":
            raise LoadError("uvloop is not installed; install it, or use --loop asyncio")
        return None
    import uvloop

    return uvloop.new_event_loop


def longest_stop(config: Config) -> float:
    """Return the seconds that a worker may take to stop by its own timeouts; only one that hangs takes longer."""
    return (
        config.timeout_graceful_shutdown
        + CANCEL_TIMEOUT
        + config.timeout_lifespan
        + END_TIMEOUT
        + EXIT_TIMEOUT
        + 1.0  # where one of them is late
    )


def serve_in_process(
    target: str | Application,
    config: Config,
    *,
    sockets: Sequence[socket.socket] | None = None,
    on_started: Callable[[Server], None] | None = None,
    serves_status: bool = True,
) -> int:
    """Serve until SIGINT or SIGTERM and return the exit code.

    Args:
        target: an application, or where to import it from.
        config: the options.
        sockets: bound sockets to listen on instead of those of the options.
        on_started: called in the event loop once connections are accepted.
        serves_status: as for `Server`.
    """
    raise_descriptor_limit()
    if config.ssl_sni:
        hide_malformed_server_names()
    try:
        loop_factory = choose_loop_factory(config.loop)
        app = target
        if isinstance(app, str):
            app = load_application(app, factory=config.factory, app_dir=config.app_dir)
        app = adapt(app, config)
        with contextlib.ExitStack() as stack:
            stack.callback(faulthandler.cancel_dump_traceback_later)
            runner = stack.enter_context(asyncio.Runner(loop_factory=loop_factory))
            stack.callback(_end_in_time)  # the first of the three at the end
            runner.run(_ObservedServer(app, config, sockets, on_started, serves_status).serve())
    except (BindError, LoadError, StartupError, TLSError) as exc:
        # The message is enough, but for what the application itself raised.
        logger.error("%s", exc, exc_info=exc.__cause__ if isinstance(exc, StartupError) else None)
        return EXIT_START_FAILED
    except KeyboardInterrupt:
        return EXIT_INTERRUPTED
    except Exception:
        logger.exception("%s could not be started", target)
        return EXIT_START_FAILED
    return EXIT_OK


def _end_in_time() -> None:
    """Let tasks and threads that the application left hold up the end for EXIT_TIMEOUT seconds at most.

    A task may swallow every cancellation, and no thread can be ended; then their stacks are written and the process exits with 1.
    """
    if sys.__stderr__ is not None:
        faulthandler.dump_traceback_later(EXIT_TIMEOUT, exit=True, file=sys.__stderr__)


class _ObservedServer(Server):
    """A server that tells when it has started."""

    def __init__(
        self,
        app: ASGIApplication,
        config: Config,
        sockets: Sequence[socket.socket] | None,
        on_started: Callable[[Server], None] | None,
        serves_status: bool,
    ) -> None:
        super().__init__(app, config, sockets=sockets, serves_status=serves_status)
        self._on_started = on_started

    async def start(self) -> None:
        await super().start()
        _prepare_collector()
        if self._on_started is not None:
            self._on_started(self)


def _prepare_collector() -> None:
    """Let the garbage collector stop the worker for a moment only, where the application has not said what it should do.

    What was imported lives as long as the process and need not be looked at again and again. New objects are looked at more often
    and fewer at a time: thousands of them, as a wave of new connections makes, would take milliseconds in which nobody is
    answered. See `docs/decisions/0007-the-garbage-collector-in-small-steps.md`.
    """
    gc.collect()
    gc.freeze()
    if gc.get_threshold()[0] in _STEPS_OF_CPYTHON:
        gc.set_threshold(*_SMALL_STEPS)
