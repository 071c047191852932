"""How somebody proves who they are."""

from __future__ import annotations

from typing import TYPE_CHECKING, Protocol

from transom.auth.hashers import get_password_hasher
from transom.auth.models import User, normalize_username
from transom.db import DataError

if TYPE_CHECKING:
    from transom.web import Request


class AuthenticationBackend(Protocol):
    """Knows users by name and password: from the database, from a directory."""

    async def authenticate(self, request: Request, *, username: str, password: str) -> User | None:
        """Return the user who has this name and password, or None.

        The time it takes must not tell whether the name exists.
        """
        ...


class ModelBackend:
    """Knows the users of the database, by the hash of their password."""

    async def authenticate(self, request: Request, *, username: str, password: str) -> User | None:
        """Return the active user who has this name and password, or None; one query and one hash in every case.

        Raises:
            PasswordHashingBusy: too many passwords wait to be hashed.
        """
        user = await _find(username)
        if user is None:
            await get_password_hasher().verify(password, None)
            return None
        # The password first: who cannot log in must take as long as who can.
        return user if await user.check_password(password) and user.is_active else None


async def _find(username: str) -> User | None:
    try:
        return await User.objects.filter(username=normalize_username(username)).first()
    except (
        DataError,
        UnicodeError,
    ):  # too long, or with characters that no database stores: nobody is called so
        return None
