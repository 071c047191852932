"""Which passwords a new user may choose.

Length counts, composition does not: no rule asks for digits or signs. At least 15 characters, as NIST asks for where the
password is all there is to prove who somebody is (SP 800-63B-4 section 3.1.1.1); not one of those expected for this user;
not one of a list, where the site has one (`Blocklist`).
"""

from __future__ import annotations

import unicodedata
from itertools import pairwise
from typing import TYPE_CHECKING, Protocol

from transom.auth.hashers import MAX_PASSWORD_LENGTH
from transom.forms import ValidationError

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from transom.auth.models import User

MIN_PASSWORD_LENGTH = 15
MIN_DISTINCT_CHARACTERS = 5
MIN_NAME_LENGTH = 4  # a shorter name is in too many good passwords


class PasswordValidator(Protocol):
    """A function that says what is wrong with a password, or None."""

    def __call__(self, password: str, user: User | None, /) -> str | None:
        """Return a sentence for the person who chose it, or None."""
        ...


def check_length(password: str, user: User | None) -> str | None:
    """Ask for at least 15 characters, and for no more than can be hashed."""
    if len(password) < MIN_PASSWORD_LENGTH:
        return f"Use at least {MIN_PASSWORD_LENGTH} characters. Several words are easy to remember."
    if len(password) > MAX_PASSWORD_LENGTH:
        return f"Use at most {MAX_PASSWORD_LENGTH} characters."
    return None


def check_variety(password: str, user: User | None) -> str | None:
    """Refuse a few characters over and over, and rows of the alphabet or of digits."""
    steps = {ord(right) - ord(left) for left, right in pairwise(password)}
    if len(set(password)) < MIN_DISTINCT_CHARACTERS or (len(password) > 1 and steps <= {0, 1, -9}):
        return "Use more different characters; this is too easy to guess."
    return None


def check_names(password: str, user: User | None) -> str | None:
    """Refuse a password that is little more than the user's own name or address."""
    text = _fold(password)
    for name in _names(user) if user is not None else ():
        if name in text and len(text.replace(name, "")) < MIN_PASSWORD_LENGTH // 2:
            return "Use something other than your name or e-mail address."
    return None


class Blocklist:
    """A validator that refuses passwords of a list, in whatever case: those that are common, or were stolen elsewhere.

    Args:
        passwords: the list, e.g. the lines of a file.
    """

    def __init__(self, passwords: Iterable[str]) -> None:
        self._passwords = frozenset(map(_fold, passwords))

    def __call__(self, password: str, user: User | None) -> str | None:
        """Return what is wrong, or None."""
        return (
            "Many people use this password; choose another." if _fold(password) in self._passwords else None
        )


DEFAULT_VALIDATORS: tuple[PasswordValidator, ...] = (check_length, check_variety, check_names)


def validate_password(
    password: str, user: User | None = None, *, validators: Sequence[PasswordValidator] = DEFAULT_VALIDATORS
) -> None:
    """Check a password that somebody chose, before `set_password`.

    Args:
        password: the choice.
        user: whose it will be; need not be saved.
        validators: `[*DEFAULT_VALIDATORS, Blocklist(...)]` for more.

    Raises:
        ValidationError: with everything that is wrong.
    """
    complaints = [complaint for check in validators if (complaint := check(password, user))]
    if complaints:
        raise ValidationError(complaints)


def _names(user: User) -> list[str]:
    names = map(_fold, (user.username, user.email, user.email.partition("@")[0]))
    return [name for name in names if len(name) >= MIN_NAME_LENGTH]


def _fold(text: str) -> str:
    return unicodedata.normalize("NFKC", text).casefold()
