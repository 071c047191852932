"""Where log records go: our own messages to stderr, the access log to stdout, or as a file of the user's says.

What a client sent may be in any of them, in a traceback's message too. `LogFormatter` sees to it that it is neither a control
sequence nor the beginning of a line, so that nobody can forge a record.
"""

from __future__ import annotations

import json
import logging
import sys
import tomllib
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final, cast

from transom.server.exceptions import ConfigError
from transom.server.logs.output import LineHandler

if TYPE_CHECKING:
    from transom.server.config import Config

# C0 without line feed and tab, DEL and C1, line and paragraph separators, and what turns the direction of text.
_CONTROLS: Final = (
    *range(9),
    *range(11, 32),
    *range(127, 160),
    0x2028,
    0x2029,
    *range(0x202A, 0x202F),
    *range(0x2066, 0x206A),
)
_ESCAPES: Final = {code: f"\\x{code:02x}" if code < 256 else f"\\u{code:04x}" for code in _CONTROLS}


class LogFormatter(logging.Formatter):
    """One record per unindented line: control characters are escaped, and further lines are indented."""

    def format(self, record: logging.LogRecord) -> str:
        """Return the text of a record."""
        return super().format(record).translate(_ESCAPES).replace("\n", "\n  ")


def configure_logging(config: Config) -> None:
    """Set the loggers `transom` and `transom.access` up, unless someone has done it before.

    The root logger stays as it is, it belongs to the application; but `log_config` may say something about any logger.

    Raises:
        ConfigError: `log_config` cannot be read or applied.
    """
    ours = logging.getLogger("transom")
    if config.log_config is not None:
        _apply(config.log_config)
        if ours.level == logging.NOTSET:
            ours.setLevel(config.log_level.upper())
        return
    _configure_ours(ours)
    access = logging.getLogger("transom.access")
    if not access.handlers:
        access.addHandler(LineHandler(sys.stdout))
        access.propagate = False
        access.setLevel(logging.INFO)  # --no-access-log turns it off, not --log-level
    ours.setLevel(config.log_level.upper())


def configure_fallback() -> None:
    """Send our own messages to stderr, where the configuration asked for could not be had."""
    _configure_ours(logging.getLogger("transom"))


def _configure_ours(logger: logging.Logger) -> None:
    if not logger.handlers:
        handler = LineHandler(sys.stderr)
        handler.setFormatter(LogFormatter("%(asctime)s [%(process)d] %(levelname)s %(message)s"))
        logger.addHandler(handler)
        logger.propagate = False


def _apply(path: str) -> None:
    from logging.config import dictConfig  # only who has such a file needs it

    settings = {"version": 1, "disable_existing_loggers": False} | _read(path)
    try:
        dictConfig(settings)
    except (ValueError, TypeError, AttributeError, ImportError) as exc:
        reason = f"{exc}: {exc.__cause__}" if exc.__cause__ else exc
        raise ConfigError(f"logging cannot be configured as {path} says: {reason}") from exc


def _read(path: str) -> dict[str, Any]:  # Any: the shape is dictConfig's to check
    try:
        text = Path(path).read_text(encoding="utf-8")
    except (OSError, UnicodeDecodeError) as exc:
        reason = exc.strerror if isinstance(exc, OSError) else exc
        raise ConfigError(f"cannot read the logging configuration {path}: {reason}") from exc
    try:
        found = json.loads(text) if path.endswith(".json") else tomllib.loads(text)
    except ValueError as exc:  # what both parsers raise is one
        kind = "JSON" if path.endswith(".json") else "TOML"
        raise ConfigError(f"the logging configuration {path} is not valid {kind}: {exc}") from exc
    if not isinstance(found, dict):
        raise ConfigError(f"the logging configuration {path} must be an object of dictConfig's keys")
    return cast("dict[str, Any]", found)  # Any: as above
