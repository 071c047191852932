"""What a field may be chosen from: pairs of value and label, in groups or not, or an enum."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from enum import Enum
from typing import Any, TypeAlias, cast

# Any, in this module: a choice is of the field's type, and a group's members are nested pairs
Pair: TypeAlias = tuple[Any, Any]
PlainChoices: TypeAlias = "Iterable[Pair] | Mapping[Any, Any]"
"""`[("d", "Draft"), …]`, `{"d": "Draft"}`, or in groups `[("Open", [("d", "Draft")]), …]`, `{"Open": {"d": "Draft"}}`."""

Choices: TypeAlias = "PlainChoices | Callable[[], PlainChoices]"
"""Choices, or a function that is asked for them each time."""


def enum_of(choices: object) -> type[Enum] | None:
    """Return the enum that the choices are, or None for choices of another kind.

    Raises:
        TypeError: an enum whose members are neither text nor numbers.
    """
    if not (isinstance(choices, type) and issubclass(choices, Enum)):
        return None
    if not issubclass(choices, str | int):
        raise TypeError(
            f"choices={choices.__name__} is an enum of neither text nor whole numbers; "
            "derive it from models.TextChoices or models.IntegerChoices"
        )
    return choices


def list_choices(choices: object) -> list[Pair]:
    """Return choices of any kind as a list of pairs; a group is the pair of its name and the list of its pairs."""
    found = enum_of(choices)
    if found is not None:
        pairs = getattr(found, "choices", None)
        return list(pairs) if pairs else [(member.value, _words(member)) for member in found]
    if callable(choices):
        return list_choices(choices())
    members = cast("Mapping[Any, Any]", choices).items() if isinstance(choices, Mapping) else choices
    return [(value, _label(label)) for value, label in cast("Iterable[Pair]", members)]


def _label(label: object) -> Any:
    is_group = isinstance(label, list | tuple | Mapping)
    return list_choices(cast("object", label)) if is_group else label


def _words(member: Enum) -> str:
    return member.name.replace("_", " ").title()


def flatten(choices: Iterable[Pair]) -> list[tuple[Any, str]]:
    """Return the pairs of all groups, and those that are in none, in their order."""
    flat: list[tuple[Any, str]] = []
    for value, label in choices:
        flat += flatten(cast("list[Pair]", label)) if isinstance(label, list) else [(value, str(label))]
    return flat
