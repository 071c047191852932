"""Passwords as argon2id hashes, made off the event loop.

Each hash takes about 0.1 s and 64 MiB on purpose, so they run in few threads with a short queue (`BoundedThreads`). A check
against nobody's password does the same work, so that the time of an answer does not tell who has an account.
"""

from __future__ import annotations

import os
import secrets
import unicodedata

import argon2
from argon2.exceptions import InvalidHashError, VerificationError

from transom.auth._threads import BoundedThreads

MAX_PASSWORD_LENGTH = 1024  # characters; NIST SP 800-63B-4 asks for at least 64
UNUSABLE_PREFIX = "!"  # no argon2 hash starts so
# Memory for at most four hashes at once; a login that waits behind 60 others waits about 2 s on four cores.
THREADS = min(4, os.cpu_count() or 1)
WAITING = 60

_threads = BoundedThreads(THREADS, WAITING)


class PasswordHasher:
    """Hashes and checks passwords with argon2id.

    Args:
        time_cost: passes over the memory.
        memory_cost: KiB per hash.
        parallelism: lanes.

    Source: RFC 9106 section 4, the second recommended option, for the defaults.
    """

    def __init__(self, *, time_cost: int = 3, memory_cost: int = 65_536, parallelism: int = 4) -> None:
        self._argon2 = argon2.PasswordHasher(time_cost, memory_cost, parallelism)

    async def hash(self, password: str) -> str:
        """Return the hash, with its parameters and salt, as it is stored.

        Raises:
            ValueError: the password is longer than `MAX_PASSWORD_LENGTH`.
            PasswordHashingBusy: too many wait.
        """
        if len(password) > MAX_PASSWORD_LENGTH:
            raise ValueError(
                f"the password has {len(password)} characters; use at most {MAX_PASSWORD_LENGTH}"
            )
        data = _encode(password)
        return await _threads.run(lambda: self._argon2.hash(data))

    async def verify(self, password: str, encoded: str | None) -> bool:
        """Return whether a password has this hash; one hash is computed whatever the answer.

        Args:
            password: what somebody typed.
            encoded: what `hash` returned; None or unusable where nobody has this password.

        Raises:
            PasswordHashingBusy: too many wait.
        """
        possible = len(password) <= MAX_PASSWORD_LENGTH
        data = _encode(password if possible else "")
        if encoded is None or not is_usable(encoded):
            await _threads.run(lambda: self._argon2.hash(data))
            return False
        return await _threads.run(lambda: self._verify(data, encoded)) and possible

    def needs_rehash(self, encoded: str) -> bool:
        """Return whether a hash was made with other parameters than these."""
        return self._argon2.check_needs_rehash(encoded)

    def _verify(self, data: bytes, encoded: str) -> bool:
        try:
            return self._argon2.verify(encoded, data)
        except (VerificationError, InvalidHashError):
            return False


_hasher = PasswordHasher()


def set_password_hasher(hasher: PasswordHasher) -> PasswordHasher:
    """Use other parameters from now on and return the hasher used so far; stored hashes are renewed at each next login.

    Tests use cheap ones: `set_password_hasher(PasswordHasher(time_cost=1, memory_cost=8, parallelism=1))`.
    """
    global _hasher  # one per process, as the threads are
    previous, _hasher = _hasher, hasher
    return previous


def get_password_hasher() -> PasswordHasher:
    """Return the hasher of this process."""
    return _hasher


def is_usable(encoded: str) -> bool:
    """Return whether a stored hash can be that of any password."""
    return bool(encoded) and not encoded.startswith(UNUSABLE_PREFIX)


def make_unusable() -> str:
    """Return what is stored for somebody who has no password; different each time, so that sessions end with it too."""
    return UNUSABLE_PREFIX + secrets.token_urlsafe(24)


def _encode(password: str) -> bytes:
    # NIST SP 800-63B-4 3.1.1.2: normalise, so that one password typed on two keyboards is one. Lone surrogates, which JSON
    # can bring, are no reason to fail.
    return unicodedata.normalize("NFKC", password).encode("utf-8", "surrogatepass")
