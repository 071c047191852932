"""Truth values, UUIDs and JSON documents."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any, ClassVar, Literal, TypeVar, overload
from uuid import UUID

from transom.forms.fields.base import Field
from transom.forms.widgets import CheckboxInput, Select, Textarea

if TYPE_CHECKING:
    from collections.abc import Sequence
    from typing import Unpack

    from transom.forms.fields.base import FieldOptions
    from transom.forms.widgets import Choice

T = TypeVar("T")


class BooleanField(Field[bool]):
    """A box to tick; if required, it must be ticked ("I accept the terms")."""

    default_widget = CheckboxInput
    default_messages = {"required": "Please tick this box."}
    empty_value: Any = False  # Any: as in the base

    def is_empty(self, value: object) -> bool:
        """Whether the box is not ticked."""
        return not value

    def parse(self, value: object) -> bool:
        """Return True: what is not empty is ticked."""
        return True


class NullBooleanField(Field["bool | None"]):
    """Yes, no, or unknown."""

    default_widget = Select
    choices: ClassVar[Sequence[Choice]] = (("", "Unknown"), ("true", "Yes"), ("false", "No"))
    words: ClassVar[dict[str, bool]] = {"true": True, "false": False}

    def __init__(self, **options: Unpack[FieldOptions]) -> None:
        super().__init__(required=False, **options)

    def parse(self, value: object) -> bool:
        """Return what was chosen."""
        word = str(value).lower()
        if word not in self.words:
            raise self.error("invalid_choice")
        return self.words[word]

    def prepare_value(self, value: Any) -> object:
        """Return the word for a truth value."""
        return "" if value is None else str(value).lower()

    def get_choices(self) -> Sequence[Choice]:
        """Return the three choices."""
        return self.choices


class UUIDField(Field[T]):
    """A universally unique identifier; None if left empty."""

    default_messages = {"invalid": "Enter a UUID."}

    @overload
    def __init__(
        self: UUIDField[UUID], *, required: Literal[True] = True, **options: Unpack[FieldOptions]
    ) -> None: ...
    @overload
    def __init__(
        self: UUIDField[UUID | None], *, required: bool, **options: Unpack[FieldOptions]
    ) -> None: ...
    def __init__(self, *, required: bool = True, **options: Unpack[FieldOptions]) -> None:
        super().__init__(required=required, **options)

    def annotation(self) -> Any:
        """Return the type of UUIDs."""
        return UUID


class JSONField(Field[Any]):
    """A JSON document as text; None if left empty. Any: the shape of a document is the application's own."""

    default_widget = Textarea
    default_messages = {"invalid": "Enter JSON: {problem}."}

    def parse(self, value: object) -> Any:
        """Return the document; one that did not come as text is taken as it is."""
        if not isinstance(value, str):
            return value
        try:
            return json.loads(value, parse_constant=_refuse_constant)
        except (ValueError, RecursionError) as exc:
            raise self.error("invalid", problem=str(exc) or "nested too deeply") from exc

    def prepare_value(self, value: Any) -> object:
        """Return the document as text."""
        return None if value is None else json.dumps(value, ensure_ascii=False, indent=2)


def _refuse_constant(name: str) -> object:
    raise ValueError(f"{name} is not JSON")
