"""Text, and what is text of a certain form."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Annotated, Any

from pydantic import StringConstraints

from transom.forms.fields.base import Field
from transom.forms.widgets import EmailInput, URLInput
from transom.validators import URLValidator, ValidationError, validate_email

if TYPE_CHECKING:
    from typing import Unpack

    from transom.forms.fields.base import FieldOptions
    from transom.forms.widgets import AttributeValue

# RFC 5321 4.5.3.1.3: a path has 256 octets, two of them its angle brackets.
EMAIL_MAX_LENGTH = 254
# What browsers and servers agree to carry.
URL_MAX_LENGTH = 2048
_validate_url = URLValidator()


class CharField(Field[str]):
    """Text; empty text if left empty.

    Args:
        min_length: in characters.
        max_length: in characters.
        pattern: regular expression that the whole text must match; browsers check it too, so keep to what JavaScript knows.
        strip: whether to drop whitespace at both ends.
        required: see `Field`.
        options: see `Field`.
    """

    empty_value: Any = ""  # Any: models with null=True want None here

    def __init__(
        self,
        *,
        min_length: int | None = None,
        max_length: int | None = None,
        pattern: str | None = None,
        strip: bool = True,
        required: bool = True,
        **options: Unpack[FieldOptions],
    ) -> None:
        super().__init__(required=required, **options)
        self.min_length = min_length
        self.max_length = max_length
        self.pattern = pattern
        self.strip = strip
        self._regex = None if pattern is None else re.compile(pattern)

    def is_empty(self, value: object) -> bool:
        """Whether there is no text; spaces are some, unless they are stripped."""
        return super().is_empty(value) if self.strip else value is None or value == ""

    def annotation(self) -> Any:
        """Return text with its limits."""
        return Annotated[str, StringConstraints(min_length=self.min_length, max_length=self.max_length)]

    def parse(self, value: object) -> str:
        """Return the text."""
        text = super().parse(value.strip() if self.strip and isinstance(value, str) else value)
        if "\0" in text:
            raise self.error("null_characters")
        if self._regex is not None and not self._regex.fullmatch(text):
            raise self.error("invalid")
        return text

    def html_attributes(self) -> dict[str, AttributeValue]:
        """Add the limits and the pattern."""
        limits = {"minlength": self.min_length, "maxlength": self.max_length, "pattern": self.pattern}
        return super().html_attributes() | {
            name: value for name, value in limits.items() if value is not None
        }


class EmailField(CharField):
    """An e-mail address. Whether mail arrives there, only a mail sent there tells."""

    default_widget = EmailInput
    default_messages = {"invalid": "Enter an e-mail address, such as name@example.com."}

    def __init__(
        self, *, max_length: int = EMAIL_MAX_LENGTH, required: bool = True, **options: Unpack[FieldOptions]
    ) -> None:
        super().__init__(max_length=max_length, required=required, **options)

    def parse(self, value: object) -> str:
        """Return the address."""
        text = super().parse(value)
        try:
            validate_email(text)
        except ValidationError as exc:
            raise self.error("invalid") from exc
        return text


class URLField(CharField):
    """A web address with http or https, as it was typed."""

    default_widget = URLInput
    default_messages = {"invalid": "Enter a web address, such as https://example.com/."}

    def __init__(
        self, *, max_length: int = URL_MAX_LENGTH, required: bool = True, **options: Unpack[FieldOptions]
    ) -> None:
        super().__init__(max_length=max_length, required=required, **options)

    def parse(self, value: object) -> str:
        """Return the address."""
        text = super().parse(value)
        try:
            _validate_url(text)
        except ValidationError as exc:
            raise self.error("invalid") from exc
        return text
