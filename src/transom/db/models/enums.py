"""Choices as Python enums, whose members have labels for people."""

from __future__ import annotations

import enum
from enum import Enum, EnumMeta
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from typing import Self


class ChoicesType(EnumMeta):
    """The type of enums of choices: what can be asked of the whole enum."""

    def __new__(mcs, name: str, bases: tuple[type, ...], namespace: Any, **options: Any) -> ChoicesType:  # noqa: D102
        # Any: what enum itself hands on
        made: Any = super().__new__(mcs, name, bases, namespace, **options)
        return enum.unique(made)

    @property
    def choices(cls) -> list[tuple[Any, str]]:
        """Pairs of value and label, after that of `__empty__` where the enum has it. Any: the values' own type."""
        empty: str | None = getattr(cls, "__empty__", None)
        members: list[Any] = list(cls)
        return [*([] if empty is None else [(None, empty)]), *((each.value, each.label) for each in members)]

    @property
    def labels(cls) -> list[str]:
        """The labels."""
        return [label for _, label in cls.choices]

    @property
    def values(cls) -> list[Any]:
        """The values. Any: their own type."""
        return [value for value, _ in cls.choices]

    @property
    def names(cls) -> list[str]:
        """The names of the members."""
        members: list[Any] = list(cls)
        return [each.name for each in members]

    def __contains__(cls, value: object) -> bool:
        # As from Python 3.12: a plain value is in the enum if a member has it.
        members: list[Any] = list(cls)
        return value in members or any(each.value == value for each in members)


class Choices(Enum, metaclass=ChoicesType):
    """What `TextChoices` and `IntegerChoices` share."""

    _label: str | None

    @property
    def label(self) -> str:
        """What people read: the label given, else the name in words."""
        return self._label or self.name.replace("_", " ").title()

    def __str__(self) -> str:
        return str(self.value)

    def __repr__(self) -> str:
        return f"{type(self).__qualname__}.{self.name}"


class TextChoices(str, Choices):
    """Choices of text.

        class Status(models.TextChoices):
            DRAFT = "d", "Draft"
            PUBLISHED = "p"  # its label is "Published"

        status = models.CharField(max_length=1, choices=Status, default=Status.DRAFT)

    With `enum.auto()` the value is the name.
    """

    _value_: str

    if TYPE_CHECKING:  # mypy would not know

        @property
        def value(self) -> str: ...  # noqa: D102

    def __new__(cls, value: str, label: str | None = None) -> Self:  # noqa: D102
        member = str.__new__(cls, value)
        member._value_ = value
        member._label = label
        return member

    @staticmethod
    def _generate_next_value_(name: str, start: int, count: int, last_values: list[Any]) -> str:
        return name


class IntegerChoices(int, Choices):
    """Choices of whole numbers; see `TextChoices`."""

    _value_: int

    if TYPE_CHECKING:  # mypy would not know

        @property
        def value(self) -> int: ...  # noqa: D102

    def __new__(cls, value: int, label: str | None = None) -> Self:  # noqa: D102
        member = int.__new__(cls, value)
        member._value_ = value
        member._label = label
        return member
