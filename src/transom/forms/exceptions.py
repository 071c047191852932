"""Everything that forms raise, beside `transom.validators.ValidationError` for what was sent and is wrong.

FormError
├── NotValidated        errors or cleaned data were read before `await form.is_valid()`, or where there are none
└── ChoicesNotLoaded    a field that reads its choices from a database was rendered before `await form.load_choices()`
"""

from __future__ import annotations


class FormError(Exception):
    """The base of all errors of forms: mistakes of the program, not of who fills it in."""


class NotValidated(FormError):
    """The form was not validated yet, or the value asked for is not valid."""


class ChoicesNotLoaded(FormError):
    """The choices of a field are in a database and were not loaded; the message names the call that loads them."""
