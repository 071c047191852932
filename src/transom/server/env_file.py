"""Files of NAME=value lines that are added to the environment."""

from __future__ import annotations

import io
from pathlib import Path
from typing import TYPE_CHECKING

from transom.server.exceptions import ConfigError

if TYPE_CHECKING:
    from collections.abc import MutableMapping


def load_env_file(path: str, environment: MutableMapping[str, str]) -> None:
    """Add the variables of a file to the environment; what is there already stays.

    Values may be quoted, and may name variables as `${NAME}`.

    Raises:
        ConfigError: the file cannot be read, or a line is something else.
    """
    from dotenv import dotenv_values  # only who has such a file needs it
    from dotenv.parser import parse_stream

    try:
        text = Path(path).read_text(encoding="utf-8")
    except OSError as exc:
        raise ConfigError(f"cannot read the environment file {path}: {exc.strerror}") from exc
    except UnicodeDecodeError as exc:
        raise ConfigError(f"the environment file {path} is not UTF-8: {exc.reason}") from exc
    for binding in parse_stream(io.StringIO(text)):
        if binding.error or (binding.key is not None and binding.value is None):
            raise ConfigError(
                f"line {binding.original.line} of the environment file {path} is not NAME=value"
            )
    for name, value in dotenv_values(stream=io.StringIO(text)).items():
        environment.setdefault(name, value or "")
