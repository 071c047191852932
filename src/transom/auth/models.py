"""Users."""

from __future__ import annotations

import hashlib
import hmac
import re
import unicodedata
from typing import Any, ClassVar

from transom.auth.hashers import get_password_hasher, is_usable, make_unusable
from transom.db import models
from transom.i18n.timezone import now

USERNAME = re.compile(r"[\w.@+-]{1,150}")
SESSION_SALT = b"transom.auth.session\0"


def normalize_username(username: str) -> str:
    """Return the one form of a name that looks the same: `ﬁona` is `fiona` (Unicode NFKC)."""
    return unicodedata.normalize("NFKC", username)


class UserManager(models.Manager["User"]):
    """`User.objects`."""

    async def create_user(
        self, username: str, password: str | None = None, *, email: str = "", **fields: Any
    ) -> User:  # Any: fields of every type, checked by the model
        """Create a user; the password is not validated here, see `validate_password`.

        Args:
            username: letters, digits and `. @ + - _`, at most 150.
            password: None for a user who cannot log in by password.
            email: its domain is stored in lower case.
            fields: further fields, e.g. `is_staff=True`.

        Raises:
            ValueError: the name is malformed, or the password too long.
            UniqueViolation: the name is taken.
        """
        name = normalize_username(username)
        if not USERNAME.fullmatch(name):
            raise ValueError(
                f"username {username!r} is malformed; use letters, digits and . @ + - _, at most 150"
            )
        encoded = make_unusable() if password is None else await get_password_hasher().hash(password)
        return await self.create(username=name, email=normalize_email(email), password=encoded, **fields)

    async def get_by_natural_key(self, username: str) -> User:
        """Return the user of this name, for fixtures."""
        return await self.get(username=username)

    async def create_superuser(self, username: str, password: str | None = None, *, email: str = "") -> User:
        """Create a user who may do everything; errors as in `create_user`."""
        return await self.create_user(username, password, email=email, is_staff=True, is_superuser=True)


class User(models.Model):
    """Somebody who can log in.

    Attributes:
        username: unique; compared letter by letter.
        email: may be empty, and need not be unique.
        password: the hash; set it with `set_password`.
        is_active: whether logging in is allowed; switch it off rather than delete who left.
        is_staff: whether the admin may be entered.
        is_superuser: whether everything is allowed.
        date_joined: when the account was made.
        last_login: None for somebody who never did.
    """

    username = models.CharField(max_length=150, unique=True)
    email = models.CharField(max_length=254, default="")
    password = models.CharField(max_length=255)
    is_active = models.BooleanField(default=True)
    is_staff = models.BooleanField(default=False)
    is_superuser = models.BooleanField(default=False)
    date_joined = models.DateTimeField(default=now)
    last_login = models.DateTimeField(null=True, default=None)

    objects: ClassVar[UserManager] = UserManager()

    class Meta:
        ordering = ["username"]

    def __str__(self) -> str:
        return self.username

    def natural_key(self) -> tuple[str]:
        """Return the name, by which fixtures can refer to the user."""
        return (self.username,)

    async def set_password(self, password: str) -> None:
        """Set the hash of a new password; save the user to keep it. Sessions with the old password end.

        Raises:
            ValueError: it is too long.
            PasswordHashingBusy: too many passwords wait to be hashed.
        """
        self.password = await get_password_hasher().hash(password)

    def set_unusable_password(self) -> None:
        """Make logging in by password impossible; save the user to keep it."""
        self.password = make_unusable()

    @property
    def has_usable_password(self) -> bool:
        """Whether there is a password to log in with."""
        return is_usable(self.password)

    async def check_password(self, password: str) -> bool:
        """Return whether this is the password. Where its hash was made with old parameters, it is made and saved anew.

        Raises:
            PasswordHashingBusy: too many passwords wait to be hashed.
        """
        hasher, encoded = get_password_hasher(), self.password
        if not await hasher.verify(password, encoded):
            return False
        if hasher.needs_rehash(encoded):
            await self._replace_hash(encoded, await hasher.hash(password))
        return True

    async def _replace_hash(self, old: str, new: str) -> None:
        # Only where it still is the old one: somebody may have changed the password in the meantime.
        if await type(self).objects.filter(pk=self.pk, password=old).update(password=new):
            self.password = new

    def get_session_auth_hash(self, key: bytes) -> str:
        """Return what a session keeps to know that the password is still the one it was made with.

        Args:
            key: the signing key of the site.
        """
        return hmac.new(key, SESSION_SALT + self.password.encode(), hashlib.sha256).hexdigest()


def normalize_email(email: str) -> str:
    """Return the address with its domain in lower case; the part before may be case-sensitive (RFC 5321 2.4)."""
    name, at, domain = email.strip().rpartition("@")
    return f"{name}{at}{domain.lower()}" if at else domain
