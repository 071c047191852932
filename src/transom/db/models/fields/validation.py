"""How a field checks a value: choices, validators, and the sentences for what is wrong."""

from __future__ import annotations

from functools import cached_property
from typing import TYPE_CHECKING, Any, ClassVar

from transom.db.models.fields.choices import enum_of, flatten, list_choices
from transom.validators import ValidationError

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Mapping, Sequence
    from enum import Enum

    from transom.db.models.fields.choices import Pair
    from transom.validators import Validator

MESSAGES: Mapping[str, str] = {
    "invalid": "This is not valid.",
    "invalid_choice": "This is not one of the choices.",
    "null": "Please fill this in.",
    "blank": "Please fill this in.",
    "unique": "There is already one with this value.",
    "unique_for_date": "There is already one with this value on this day.",
    "unique_for_month": "There is already one with this value in this month.",
    "unique_for_year": "There is already one with this value in this year.",
}
UNIQUE_FOR: Mapping[str, tuple[str, ...]] = {
    "unique_for_date": ("year", "month", "day"),
    "unique_for_month": ("month",),
    "unique_for_year": ("year",),
}
"""The options that make a value unique per date of another field, with the parts of the date that count."""


class Validated:
    """The half of a field that speaks of values, not of columns. Any, below: values of every type.

    Attributes:
        blank: whether the value may be empty.
        enum: the enum of its choices; None for choices of another kind, or none.
    """

    default_validators: ClassVar[Sequence[Validator]] = ()
    default_messages: ClassVar[Mapping[str, str]] = {}
    empty_values: ClassVar[Sequence[Any]] = (None, "", [], (), {})
    checks_outside: ClassVar[bool] = False
    """Whether `check_outside()` has something to say."""

    name: str
    null: bool
    blank: bool
    editable: bool
    enum: type[Enum] | None
    unique_for_date: str | None
    unique_for_month: str | None
    unique_for_year: str | None

    def _take_validation_options(self, options: Mapping[str, Any]) -> None:
        self._choices: Any = options.get("choices")
        self.enum = enum_of(self._choices)
        self._validators: tuple[Validator, ...] = tuple(options.get("validators", ()))
        for option in UNIQUE_FOR:
            setattr(self, option, options.get(option))
        self._error_messages: dict[str, str] = dict(options.get("error_messages", {}))

    @property
    def choices(self) -> list[Pair] | None:
        """What may be chosen: pairs of value and label, and groups as pairs of name and list; None for anything."""
        return None if self._choices is None else list_choices(self._choices)

    @property
    def flatchoices(self) -> list[tuple[Any, str]]:
        """The pairs of value and label, those in groups too; empty where anything goes."""
        return flatten(self.choices or ())

    @cached_property
    def error_messages(self) -> dict[str, str]:
        """The sentences by code: `"invalid"`, `"invalid_choice"`, `"null"`, `"blank"`, `"unique"` and so on."""
        return {**MESSAGES, **self.default_messages, **self._error_messages}

    @property
    def validators(self) -> list[Validator]:
        """Every validator of the field: those of its class, of its size, and its own."""
        return [*self.default_validators, *self.size_validators(), *self._validators]

    @property
    def own_validators(self) -> tuple[Validator, ...]:
        """The validators that the field was given."""
        return self._validators

    def size_validators(self) -> Iterable[Validator]:
        """Return the validators that say what fits into the column."""
        return ()

    def member_decoder(self) -> Callable[[Any], Any] | None:
        """Return the function that makes a member of the enum of a plain value, or None where there is no enum.

        A value that no member has, such as one written before a choice was dropped, stays as it is.
        """
        if self.enum is None:
            return None
        members: dict[Any, Any] = {member.value: member for member in self.enum}
        return lambda value: members.get(value, value)

    def display(self, value: Any) -> str:
        """Return the label of a value; the value as text where it is none of the choices, and "" for None."""
        found = next((label for choice, label in self.flatchoices if choice == value), value)
        return "" if found is None else str(found)

    # -- is it valid? ----------------------------------------------------------------------------------------------

    def to_python(self, value: Any) -> Any:
        """Return the value as the field's type, from that type or from text, as a serializer writes it.

        Raises:
            ValidationError: it is neither.
        """
        return value

    def validate(self, value: Any, instance: Any) -> None:
        """Check a value of the field's type against choices and emptiness; override it for checks of your own.

        Raises:
            ValidationError: it is wrong.
        """
        if not self.editable:
            return
        if self._choices is not None and value not in self.empty_values:
            if all(value != choice for choice, _ in self.flatchoices):
                raise self.error("invalid_choice")
            return
        if value is None and not self.null:
            raise self.error("null")
        if not self.blank and value in self.empty_values:
            raise self.error("blank")

    def run_validators(self, value: Any) -> None:
        """Ask every validator, unless the value is empty.

        Raises:
            ValidationError: with all that they say.
        """
        if value in self.empty_values:
            return
        errors: list[ValidationError] = []
        for validator in self.validators:
            try:
                validator(value)
            except ValidationError as exc:
                errors += self._reworded(exc)
        if errors:
            raise ValidationError(errors)

    def _reworded(self, error: ValidationError) -> list[ValidationError]:
        """Return the errors of a validator, in the field's own words where `error_messages` has some."""
        return [
            ValidationError(self._error_messages[each.code], each.code, each.params)
            if each.code in self._error_messages
            else each
            for each in error.error_list
        ]

    def clean(self, value: Any, instance: Any) -> Any:
        """Return the value as the field's type, checked in every way that takes no database.

        Raises:
            ValidationError: it is wrong.
        """
        value = self.to_python(value)
        self.validate(value, instance)
        self.run_validators(value)
        return value

    def check_outside(self, value: Any) -> None:
        """Check a value that is not empty against what takes time to look at, such as files; called in a thread.

        Raises:
            ValidationError: it is wrong.
        """

    def error(self, code: str, **params: object) -> ValidationError:
        """Return the error of a code."""
        return ValidationError(self.error_messages[code], code, params)
