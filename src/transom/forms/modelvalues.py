"""Form fields that let a model's field read and show its values: choices, and kinds that forms have no field for."""

from __future__ import annotations

from enum import Enum
from typing import TYPE_CHECKING, Any, TypeAlias

from transom.forms.fields.base import Field
from transom.forms.fields.choices import BaseChoiceField
from transom.forms.widgets import Select
from transom.validators import ValidationError

if TYPE_CHECKING:
    from transom.db import models

    Options: TypeAlias = dict[str, Any]  # Any: options of every type
    ModelField: TypeAlias = models.Field[Any]  # Any: fields of every type

EMPTY_LABEL = "---------"


class ParsedField(Field[Any]):
    """Text that the model's field reads; None if left empty. Any: a value of that field.

    Args:
        model_field: the field.
        options: see `Field`.
    """

    def __init__(self, model_field: ModelField, options: Options) -> None:
        super().__init__(**options)
        self._model_field = model_field

    def parse(self, value: object) -> Any:
        """Return the value of the text."""
        try:
            parsed = self._model_field.to_python(value)
            self._model_field.run_validators(parsed)
        except ValidationError as exc:
            raise ValidationError(exc.messages, "invalid") from exc
        return parsed

    def prepare_value(self, value: Any) -> object:
        """Return the text of a value."""
        return None if value is None else str(value)


class ModelFieldChoices(BaseChoiceField[Any]):
    """One of the choices of the model's field, as a value of that; groups are shown as one list.

    Args:
        model_field: the field.
        options: see `Field`.
    """

    default_widget = Select

    def __init__(self, model_field: ModelField, options: Options) -> None:
        pairs = [(_text(value), label) for value, label in model_field.flatchoices]
        if model_field.blank or not model_field.has_default():
            pairs = [("", EMPTY_LABEL), *(pair for pair in pairs if pair[0] != "")]
        super().__init__(choices=pairs, **options)
        self._model_field = model_field
        self.empty_value = None if model_field.null else ""

    def parse(self, value: object) -> Any:
        """Return the value chosen."""
        return self._model_field.to_python(self.check(value))

    def prepare_value(self, value: Any) -> object:
        """Return what is sent for a value."""
        return _text(value)


def _text(value: Any) -> str:
    plain = value.value if isinstance(value, Enum) else value
    return "" if plain is None else str(plain)
