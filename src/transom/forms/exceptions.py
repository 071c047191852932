"""Everything that forms raise.

FormError
├── ValidationError     what was sent is wrong: raised by fields, validators, `clean` hooks and `ModelForm.save`
├── NotValidated        errors or cleaned data were read before `await form.is_valid()`, or where there are none
└── ChoicesNotLoaded    a field that reads its choices from a database was rendered before `await form.load_choices()`
"""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterable


class FormError(Exception):
    """The base of all errors of forms."""


class ValidationError(FormError):
    """What was sent is wrong, in words for the person who sent it.

    Attributes:
        messages: one or more sentences.
        code: what kind of mistake it is, for programs: `"required"`, `"max_length"`, `"invalid"`.
    """

    def __init__(self, messages: str | Iterable[str], code: str = "invalid") -> None:
        self.messages = [messages] if isinstance(messages, str) else list(messages)
        self.code = code
        super().__init__(" ".join(self.messages))


class NotValidated(FormError):
    """The form was not validated yet, or the value asked for is not valid."""


class ChoicesNotLoaded(FormError):
    """The choices of a field are in a database and were not loaded; the message names the call that loads them."""
