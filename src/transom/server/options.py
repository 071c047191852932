"""How an option is declared, once, and what the command line, the environment, files and the reference page make of it."""

from __future__ import annotations

import dataclasses
import types
from dataclasses import field
from typing import (
    TYPE_CHECKING,
    Any,
    Literal,
    NamedTuple,
    TypeVar,
    Union,
    get_args,
    get_origin,
    get_type_hints,
)

if TYPE_CHECKING:
    from collections.abc import Iterator

T = TypeVar("T")

ENVIRONMENT_PREFIX = "TRANSOM_SERVE_"


class Option(NamedTuple):
    """One option as the command line sees it.

    Attributes:
        name: attribute of `Config`, and key in a configuration file.
        type: `str`, `int`, `float` or `bool` of one value; with `choices`, `str`.
        default: value when nothing is given.
        help: one sentence; durations are seconds, sizes are bytes.
        flags: spelling on the command line, the main one first; for a bool `--name/--no-name`.
        environment: the environment variable.
        multiple: whether the flag may be given more than once; the value is a tuple then.
        choices: the values allowed, empty if any.
        optional: whether None is a value, meaning "not set".
        group: heading it stands under.
    """

    name: str
    type: type[Any]  # Any: the type is data here
    default: Any  # Any: of that type
    help: str
    flags: tuple[str, ...]
    environment: str
    multiple: bool
    choices: tuple[str, ...]
    optional: bool
    group: str


def option(default: T, *flags: str, help: str, group: str) -> T:
    """Declare an option. Typed as its value, as `dataclasses.field` is."""
    return field(default=default, metadata={"flags": flags, "help": help, "group": group})


def iter_options(config: type[Any]) -> Iterator[Option]:  # Any: any dataclass whose fields are options
    """Iterate over the options of a configuration class in the order of the help page."""
    hints = get_type_hints(config)
    for item in dataclasses.fields(config):
        value_type, multiple, choices, optional = _describe(hints[item.name])
        yield Option(
            item.name,
            value_type,
            item.default,
            item.metadata["help"],
            item.metadata["flags"],
            ENVIRONMENT_PREFIX + item.name.upper(),
            multiple,
            choices,
            optional,
            item.metadata["group"],
        )


def _describe(hint: Any) -> tuple[type[Any], bool, tuple[str, ...], bool]:  # Any: an annotation
    """Return (type of one value, whether repeated, choices, whether None is allowed)."""
    origin, arguments = get_origin(hint), get_args(hint)
    if origin is Literal:
        return str, False, arguments, False
    if origin is tuple:
        return arguments[0], True, (), False
    if origin in (Union, types.UnionType):
        return arguments[0], False, (), True
    return hint, False, (), False
