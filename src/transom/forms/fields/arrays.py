"""Several values in one line of text."""

from __future__ import annotations

import csv
import io
from typing import TYPE_CHECKING, Any, TypeVar

from transom.forms.fields.base import Field
from transom.validators import ValidationError

if TYPE_CHECKING:
    from typing import Unpack

    from transom.forms.fields.base import FieldOptions

T = TypeVar("T")


class SimpleArrayField(Field[list[T]]):
    """A list in one line of text: `red, green, "blue, pale"`; empty if nothing is filled in.

    Args:
        base_field: what each value is.
        delimiter: stands between values; one that has it inside stands in quotation marks, in which two are one.
        required: see `Field`.
        options: see `Field`.
    """

    default_messages = {
        "invalid": "Enter values with {delimiter} between them.",
        "item_invalid": "Item {nth}: {message}",
    }

    def __init__(
        self,
        base_field: Field[T],
        *,
        delimiter: str = ",",
        required: bool = True,
        **options: Unpack[FieldOptions],
    ) -> None:
        super().__init__(required=required, **options)
        self.base_field = base_field
        self.delimiter = delimiter

    async def clean(self, value: object) -> list[T]:
        """Return the list, a new one each time."""
        return [*(await super().clean(value) or ())]

    def parse(self, value: object) -> list[T]:
        """Return the values; what did not come as text is taken as a list of them."""
        parts: Any = self._split(value) if isinstance(value, str) else value
        made: list[T] = []
        messages: list[str] = []
        for nth, part in enumerate(parts, 1):
            try:
                made.append(self._parse_one(part))
            except ValidationError as exc:
                messages += [
                    self.error_messages["item_invalid"].format(nth=nth, message=each) for each in exc.messages
                ]
        if messages:
            raise ValidationError(messages, "item_invalid")
        return made

    def _parse_one(self, part: object) -> T:
        base = self.base_field
        if base.is_empty(part):
            if base.required:
                raise base.error("required")
            empty: T = base.empty_value
            return empty
        value = base.parse(part)
        base.run_validators(value)
        return value

    def _split(self, text: str) -> list[str]:
        try:
            rows = list(csv.reader([text], delimiter=self.delimiter, skipinitialspace=True, strict=True))
        except csv.Error as exc:
            raise self.error("invalid", delimiter=self.delimiter) from exc
        return [part.strip() for row in rows for part in row]

    def prepare_value(self, value: Any) -> object:
        """Return the line of text; text that was sent stays as it is. Any: as in the base."""
        if value is None or isinstance(value, str):
            return value
        line = io.StringIO()
        parts = [self.base_field.prepare_value(each) for each in value]
        csv.writer(line, delimiter=self.delimiter, lineterminator="").writerow(parts)
        return line.getvalue()
