"""How an option is declared, once, and what the command line, the environment, files and the reference page make of it."""

from __future__ import annotations

import dataclasses
import functools
import math
import types
from dataclasses import field
from typing import Any, Final, Literal, NamedTuple, TypeVar, Union, cast, get_args, get_origin, get_type_hints

T = TypeVar("T")

ENVIRONMENT_PREFIX: Final = "TRANSOM_SERVE_"
_TRUE: Final = frozenset({"true", "yes", "on", "1"})
_FALSE: Final = frozenset({"false", "no", "off", "0"})
_KINDS: Final[dict[type[Any], str]] = {  # Any: the types are data here
    str: "text",
    int: "a whole number",
    float: "a number",
    bool: "true or false",
}


class OptionError(ValueError):
    """An option was given a value that it does not take.

    Attributes:
        name: the option.
        value: what was given.
        problem: what is wrong with it and what was expected; to be read behind the value.
    """

    def __init__(self, name: str, value: object, problem: str) -> None:
        super().__init__(f"{name}: {value!r} {problem}")
        self.name = name
        self.value = value
        self.problem = problem


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

    def parse(self, text: str) -> Any:  # Any: of this option's type
        """Return the value that text stands for; for an option that may be repeated, one of its values.

        Raises:
            OptionError: it stands for none.
        """
        if self.type is bool:
            if text.lower() in _TRUE | _FALSE:
                return text.lower() in _TRUE
        else:
            try:
                return self.type(text)
            except ValueError:
                pass
        raise OptionError(self.name, text, f"is not {_KINDS[self.type]}")

    def check_type(self, value: object) -> Any:  # Any: of this option's type
        """Return a value that came with a type, as TOML's do; a list becomes a tuple, a whole number a float if need be.

        Raises:
            OptionError: it is of another type.
        """
        if not self.multiple:
            return self._check_one(value)
        if not isinstance(value, list):
            raise OptionError(self.name, value, f"is not a list of {_KINDS[self.type]}")
        return tuple([self._check_one(each) for each in cast("list[object]", value)])

    def _check_one(self, value: object) -> object:
        if self.type is float and type(value) is int:
            return float(value)
        if type(value) is not self.type:  # isinstance() would take a bool for an int
            raise OptionError(self.name, value, f"is not {_KINDS[self.type]}")
        return value

    def check(self, value: Any) -> None:  # Any: of this option's type
        """Check what can be checked whatever the option means.

        Raises:
            OptionError: it is no choice, negative, or no number one can count with.
        """
        if self.choices and value not in self.choices:
            raise OptionError(self.name, value, f"is not a choice; choose from {', '.join(self.choices)}")
        if self.type in (int, float) and value is not None:
            if value < 0:
                raise OptionError(self.name, value, "must not be negative")
            if not math.isfinite(value):
                raise OptionError(self.name, value, "is not a number one can count to")


def option(default: T, *flags: str, help: str, group: str) -> T:
    """Declare an option. Typed as its value, as `dataclasses.field` is."""
    return field(default=default, metadata={"flags": flags, "help": help, "group": group})


@functools.cache
def list_options(config: type[Any]) -> tuple[Option, ...]:  # Any: any dataclass whose fields are options
    """Return the options of a configuration class in the order of the help page."""
    hints = get_type_hints(config)
    return tuple([_make_option(item, *_describe(hints[item.name])) for item in dataclasses.fields(config)])


def _make_option(
    item: dataclasses.Field[Any],  # Any: as in Option, and in the parameters that follow
    value_type: type[Any],
    multiple: bool,
    choices: tuple[str, ...],
    optional: bool,
) -> Option:
    return Option(
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
