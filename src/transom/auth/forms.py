"""The form of the login page."""

from __future__ import annotations

from transom.auth.hashers import MAX_PASSWORD_LENGTH
from transom.forms import CharField, Form, PasswordInput


class AuthenticationForm(Form):
    """Name and password; whether they fit is for `authenticate` to say."""

    # Longer than any name may be: what is too long is wrong like any other, and not a case of its own.
    username = CharField(max_length=254, autocomplete="username")
    password = CharField(
        max_length=MAX_PASSWORD_LENGTH, strip=False, widget=PasswordInput, autocomplete="current-password"
    )
