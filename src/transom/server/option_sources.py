"""Where the values of options come from: command line, environment, TOML file; the earlier wins, defaults are last.

Each value is kept with its spelling, so that a mistake is told in the words of whoever made it: `--port`, `TRANSOM_SERVE_PORT`,
or `port in site.toml`.
"""

from __future__ import annotations

import difflib
import shlex
import tomllib
from typing import TYPE_CHECKING, Any, Final, NamedTuple, TypeAlias, cast

from transom.server.config import Config
from transom.server.exceptions import ConfigError
from transom.server.options import ENVIRONMENT_PREFIX, Option, OptionError

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping
    from pathlib import Path

CONFIG_VARIABLE: Final = f"{ENVIRONMENT_PREFIX}CONFIG"
"""Names the file, as `--config` does."""


class Given(NamedTuple):
    """The value of an option, and how it was spelled."""

    value: Any  # Any: of the option's type
    spelling: str


Source: TypeAlias = dict[str, Given]
"""What one place says, by the names of options."""


class ConfigFile(NamedTuple):
    """What a file says: of options, and which application to serve."""

    source: Source
    app: str | None


def build_config(*sources: Source) -> Config:
    """Return the options; each has its value from the first source that gives one.

    Raises:
        ConfigError: a value is not one that its option takes.
    """
    given: Source = {}
    for source in reversed(sources):
        given |= source
    try:
        return Config(**{name: each.value for name, each in given.items()})
    except OptionError as exc:
        raise _complain(given[exc.name].spelling if exc.name in given else exc.name, exc) from exc


def read_command_line(
    options: Mapping[str, Any], arguments: Iterable[str]
) -> Source:  # Any: str, bool, tuples of str
    """Return what the command line says.

    Args:
        options: text by option name, a bool of a bool, a tuple of one that may be repeated; None and () where nothing was given.
        arguments: the command line, to see which of its flags was used.

    Raises:
        ConfigError: a value is not of the type of its option.
    """
    arguments = list(arguments)
    found: Source = {}
    for option in Config.options():
        value = options[option.name]
        if value is not None and value != ():
            spelling = _find_flag(option, arguments)
            found[option.name] = Given(_parse(option, value, spelling), spelling)
    return found


def _find_flag(option: Option, arguments: Iterable[str]) -> str:
    flags = [flag for each in option.flags for flag in each.split("/")]
    for argument in arguments:
        for flag in flags:
            if argument.partition("=")[0] == flag or (
                not flag.startswith("--") and argument.startswith(flag)
            ):
                return flag
    return flags[0]


def read_environment(environment: Mapping[str, str]) -> Source:
    """Return what the variables TRANSOM_SERVE_* say; empty ones say nothing.

    The values of an option that may be repeated are separated by spaces, with quotes as in a shell.

    Raises:
        ConfigError: a variable names no option, or its value is not of the option's type.
    """
    options = {option.environment: option for option in Config.options()}
    found: Source = {}
    for variable in sorted(environment):
        if not variable.startswith(ENVIRONMENT_PREFIX) or variable == CONFIG_VARIABLE:
            continue
        option = options.get(variable)
        if option is None:
            names = [each.removeprefix(ENVIRONMENT_PREFIX) for each in options]
            hint = _suggest(variable.removeprefix(ENVIRONMENT_PREFIX), names, ENVIRONMENT_PREFIX)
            raise ConfigError(f"no option {variable}; {hint}")
        if text := environment[variable]:
            found[option.name] = Given(_parse(option, _split(option, text, variable), variable), variable)
    return found


def _split(option: Option, text: str, variable: str) -> str | tuple[str, ...]:
    if not option.multiple:
        return text
    try:
        return tuple(shlex.split(text))
    except ValueError as exc:
        raise ConfigError(f"{variable}: {text!r} cannot be split: {exc}") from exc


def _parse(option: Option, value: Any, spelling: str) -> Any:  # Any: as in read_command_line, and as in Given
    try:
        if isinstance(value, tuple):
            return tuple([option.parse(text) for text in cast("tuple[str, ...]", value)])
        return value if isinstance(value, bool) else option.parse(value)
    except OptionError as exc:
        raise _complain(spelling, exc) from exc


def read_config_file(path: Path) -> ConfigFile:
    """Return what a TOML file says; of a pyproject.toml, its table [tool.transom.serve].

    Keys are the names of options, with dashes or underscores.

    Raises:
        ConfigError: the file cannot be read, a key names no option, or a value is not of its type.
    """
    table = _load(path)
    if path.name == "pyproject.toml":
        table = _find_table(table).get("serve", {})
    if not isinstance(table, dict):
        raise ConfigError(f"[tool.transom.serve] in {path} is not a table")
    found: Source = {}
    app: str | None = None
    for key, value in cast("dict[str, object]", table).items():
        spelling = f"{key} in {path}"
        if key == "app":
            app = _check_app(value, spelling)
            continue
        option = _find_option(key, path)
        if option.name in found:
            raise ConfigError(f"{spelling} is there as {found[option.name].spelling.partition(' ')[0]}, too")
        try:
            found[option.name] = Given(option.check_type(value), spelling)
        except OptionError as exc:
            raise _complain(spelling, exc) from exc
    return ConfigFile(found, app)


def _load(path: Path) -> dict[str, Any]:  # Any: whatever a TOML file holds
    try:
        return tomllib.loads(path.read_text(encoding="utf-8"))
    except OSError as exc:
        raise ConfigError(f"cannot read {path}: {exc.strerror}") from exc
    except ValueError as exc:  # not TOML, or not UTF-8
        raise ConfigError(f"{path} is not valid TOML: {exc}") from exc


def _find_table(document: dict[str, Any]) -> dict[str, Any]:  # Any: as in _load
    table = document
    for key in ("tool", "transom"):
        found = table.get(key, {})
        table = cast("dict[str, Any]", found) if isinstance(found, dict) else {}
    return table


def _check_app(value: object, spelling: str) -> str:
    if not isinstance(value, str):
        raise ConfigError(f"{spelling}: {value!r} is not text such as 'module:app'")
    return value


def _find_option(key: str, path: Path) -> Option:
    options = {option.name: option for option in Config.options()}
    option = options.get(key.replace("-", "_"))
    if option is None:
        names = [*(name.replace("_", "-") if "-" in key else name for name in options), "app"]
        raise ConfigError(f"no option {key!r} in {path}; {_suggest(key, names)}")
    return option


def _suggest(name: str, names: list[str], prefix: str = "") -> str:
    close = difflib.get_close_matches(name, names, n=1)
    return f"did you mean {prefix}{close[0]}?" if close else "`transom serve --help` lists them"


def _complain(spelling: str, error: OptionError) -> ConfigError:
    return ConfigError(f"{spelling}: {error.value!r} {error.problem}")
