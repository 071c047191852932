"""Run a server: in this process, under a supervisor, or under the reloader."""

from __future__ import annotations

import logging
import os
from typing import TYPE_CHECKING

from transom.server.config import Config
from transom.server.env_file import load_env_file
from transom.server.exceptions import ConfigError
from transom.server.processes.logs import configure_fallback, configure_logging
from transom.server.processes.pid_file import pid_file
from transom.server.processes.process import EXIT_START_FAILED, serve_in_process
from transom.server.processes.recycling import is_recycled

if TYPE_CHECKING:
    from transom.server.interface import Application

logger = logging.getLogger("transom.server")


def run(target: str | Application, config: Config | None = None) -> int:
    """Serve until SIGINT or SIGTERM and return an exit code. To be called from the main thread.

    Args:
        target: `module:attribute`, `module:factory()`, or an application. Several processes, and reloading, need one that can be
            imported.
        config: the options; `reload` wins over `workers`. One worker runs in this process, unless a limit says when it is to be
            replaced: that takes a supervisor.

    Returns:
        0 after an orderly end, 3 if the server could not start, 130 if it was interrupted before it had started.
    """
    config = config or Config()
    try:
        if config.env_file is not None:
            load_env_file(config.env_file, os.environ)
        configure_logging(config)
        with pid_file(config.pid):
            return _serve(target, config)
    except ConfigError as exc:
        configure_fallback()
        logger.error("%s", exc)
        return EXIT_START_FAILED


def _serve(target: str | Application, config: Config) -> int:
    if not config.reload and config.workers == 1 and not is_recycled(config):
        return serve_in_process(target, config)
    if not isinstance(target, str):
        logger.error(
            "workers, their limits and reload need other processes, which must import the application; pass 'module:attribute'"
        )
        return EXIT_START_FAILED
    if config.reload:
        from transom.server.processes.reload import Reloader  # watchfiles is for development only

        return Reloader(target, config).run()
    from transom.server.processes.supervisor import Supervisor

    return Supervisor(target, config).run()
