"""One of several choices, or some of them."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from transom.forms.fields.base import Field, T
from transom.forms.widgets import Select, SelectMultiple, chosen_values

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence
    from typing import Unpack

    from transom.forms.fields.base import FieldOptions
    from transom.forms.widgets import Choice


class BaseChoiceField(Field[T]):
    """What fields of choices share."""

    default_messages = {"required": "Please choose one."}

    def __init__(
        self, *, choices: Iterable[tuple[object, str]], required: bool = True, **options: Unpack[FieldOptions]
    ) -> None:
        super().__init__(required=required, **options)
        self.choices: tuple[Choice, ...] = tuple((str(value), label) for value, label in choices)

    def get_choices(self) -> Sequence[Choice]:
        """Return what may be chosen."""
        return self.choices

    def check(self, value: object) -> str:
        """Return a value that is among the choices.

        Raises:
            ValidationError: it is not.
        """
        text = str(value)
        if text not in dict(self.choices):
            raise self.error("invalid_choice")
        return text


class ChoiceField(BaseChoiceField[str]):
    """One of several choices; empty text if left empty.

    Args:
        choices: pairs of what is sent and what people read. One with an empty value stands for "none yet".
        required: see `Field`.
        options: see `Field`; `widget=RadioSelect` makes buttons of it.
    """

    default_widget = Select
    empty_value: Any = ""  # Any: as in the base

    def parse(self, value: object) -> str:
        """Return the value chosen."""
        return self.check(value)


class MultipleChoiceField(BaseChoiceField["list[str]"]):
    """Any number of choices, as a list.

    Args:
        choices: pairs of what is sent and what people read.
        required: whether at least one must be chosen.
        options: see `Field`; `widget=CheckboxSelectMultiple` makes boxes of it.
    """

    default_widget = SelectMultiple
    default_messages = {"required": "Please choose at least one."}

    def is_empty(self, value: object) -> bool:
        """Whether nothing is chosen."""
        return not value

    async def clean(self, value: object) -> list[str]:
        """Return the values chosen; a new list each time."""
        return list(await super().clean(value) or ())

    def parse(self, value: object) -> list[str]:
        """Return the values chosen, each once, in the order they came."""
        return [self.check(member) for member in dict.fromkeys(chosen_values(value))]

    def prepare_value(self, value: Any) -> object:
        """Return the list, empty for none."""
        return [] if value is None else value
