"""Files of NAME=value lines that are added to the environment."""

from __future__ import annotations

import io
import os
from pathlib import Path
from typing import TYPE_CHECKING

from transom.server.exceptions import ConfigError

if TYPE_CHECKING:
    from collections.abc import Mapping, MutableMapping


def load_env_file(path: str, environment: MutableMapping[str, str]) -> None:
    """Add the variables of a file to the environment; what is there already stays.

    Values may be quoted, and may name variables as `${NAME}`.

    Raises:
        ConfigError: the file cannot be read, or a line is something else.
    """
    for name, value in read_env_file(path).items():
        environment.setdefault(name, value)


class ChildEnvironment:
    """The environment for processes that are started one after the other, with what the file says each time.

    Args:
        path: a file that was loaded into the environment; None for none.
        environment: of this process.
    """

    def __init__(self, path: str | None, environment: Mapping[str, str] = os.environ) -> None:
        self._path = path
        self._environment = environment
        # What is the same here and there is from the file; anything else was there before, and wins.
        found = {} if path is None else read_env_file(path)
        self._loaded = {name for name, value in found.items() if environment.get(name) == value}

    def build(self) -> dict[str, str]:
        """Return the environment for a process that starts now.

        Raises:
            ConfigError: as `load_env_file`.
        """
        environment = {name: value for name, value in self._environment.items() if name not in self._loaded}
        if self._path is not None:
            load_env_file(self._path, environment)
        return environment


def read_env_file(path: str) -> dict[str, str]:
    """Return the variables of a file.

    Raises:
        ConfigError: as `load_env_file`.
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
    return {name: value or "" for name, value in dotenv_values(stream=io.StringIO(text)).items()}
