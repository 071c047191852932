"""`Cache`, what a site uses, and `cache`, the one of this process.

Each event loop has a backend of its own, made when it is first used: a backend may bind sockets and futures to its loop,
and tests with a loop each do not find one another's entries.
"""

from __future__ import annotations

import asyncio
import weakref
from dataclasses import dataclass, field
from enum import Enum
from typing import TYPE_CHECKING, Any, Final, Literal, TypeVar

from transom.cache.backends.memory import MemoryCache
from transom.cache.encoding import decode, encode
from transom.cache.keys import build_key, check_prefix

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable, Iterable, Mapping

    from transom.cache.base import CacheBackend

__all__ = ["DEFAULT", "Cache", "Default", "cache"]

T = TypeVar("T")


class Default(Enum):
    """The type of `DEFAULT`."""

    TIMEOUT = "default timeout"


DEFAULT: Final[Literal[Default.TIMEOUT]] = Default.TIMEOUT
"""As a timeout: the one of the cache, where None would mean no timeout."""


@dataclass(frozen=True, slots=True)
class _Local:
    """What one event loop has."""

    backend: CacheBackend
    # By stored key: done with the encoded value, the failure, or None where the computing task was cancelled.
    computing: dict[str, asyncio.Future[bytes | None]] = field(
        default_factory=dict["str", "asyncio.Future[bytes | None]"]
    )


class Cache:
    """Values under keys, on the backend of whichever event loop is running.

    A value is None, a bool, an integer of 64 bits, a float, str, bytes, an aware datetime, or a list or dict of such; each
    `get` returns a new copy. Whatever would not come back as it is, a tuple or a Decimal, is refused with TypeError.

    A key is text without spaces and control characters, at most 250 bytes with prefix and version, else ValueError. A
    timeout is in seconds; None keeps the value as long as there is room; 0 or less means it has expired already. Entries
    may vanish at any time: a cache is no place for what cannot be made again.

    Args:
        factory: makes the backend of a loop; called inside that loop.
        timeout: what `DEFAULT` stands for.
        prefix: told apart in a store that several sites share.
        version: of the keys, where a method is given none; raising it leaves all entries behind.

    Raises:
        ValueError: the prefix holds a colon, space or control character, or is longer than 50 characters.
    """

    def __init__(
        self,
        factory: Callable[[], CacheBackend] = MemoryCache,
        *,
        timeout: float | None = 300.0,
        prefix: str = "",
        version: int = 1,
    ) -> None:
        check_prefix(prefix)
        self._factory = factory
        self._timeout = timeout
        self._prefix = prefix
        self._version = version
        # Weak: a loop takes its backend along when it goes.
        self._locals: weakref.WeakKeyDictionary[asyncio.AbstractEventLoop, _Local] = (
            weakref.WeakKeyDictionary()
        )

    def configure(self, factory: Callable[[], CacheBackend]) -> None:
        """Use another backend from now on."""
        self._factory = factory
        self._locals.clear()

    @property
    def backend(self) -> CacheBackend:
        """The backend of the running event loop.

        Raises:
            RuntimeError: no event loop is running.
        """
        return self._local.backend

    async def get(
        self, key: str, default: Any = None, *, version: int | None = None
    ) -> Any:  # Any: whatever was cached
        """Return a value, or the default where there is none."""
        stored = self._key(key, version)
        found = await self.backend.get_many([stored])
        return decode(found[stored]) if stored in found else default

    async def get_many(
        self, keys: Iterable[str], *, version: int | None = None
    ) -> dict[str, Any]:  # Any: as for get
        """Return the values that are there, by key."""
        stored = {self._key(key, version): key for key in keys}
        found = await self.backend.get_many(list(stored))
        return {stored[key]: decode(content) for key, content in found.items()}

    async def set(
        self,
        key: str,
        value: object,
        timeout: float | Default | None = DEFAULT,
        *,
        version: int | None = None,
    ) -> None:
        """Keep a value, in place of the one that is there."""
        await self.set_many({key: value}, timeout, version=version)

    async def set_many(
        self,
        values: Mapping[str, object],
        timeout: float | Default | None = DEFAULT,
        *,
        version: int | None = None,
    ) -> None:
        """Keep values, all for the same time."""
        entries = {self._key(key, version): encode(value) for key, value in values.items()}
        await _store(self.backend, entries, self._seconds(timeout))

    async def add(
        self,
        key: str,
        value: object,
        timeout: float | Default | None = DEFAULT,
        *,
        version: int | None = None,
    ) -> bool:
        """Keep a value unless there is one; return whether it was kept. Of several at once, one succeeds."""
        stored, content, seconds = self._key(key, version), encode(value), self._seconds(timeout)
        if _is_over(seconds):
            return not await self.backend.has(stored)
        return await self.backend.add(stored, content, seconds)

    async def replace(
        self,
        key: str,
        value: object,
        timeout: float | Default | None = DEFAULT,
        *,
        version: int | None = None,
    ) -> bool:
        """Keep a value only in place of another; return whether it was kept."""
        stored, content, seconds = self._key(key, version), encode(value), self._seconds(timeout)
        if _is_over(seconds):
            return await self.backend.delete_many([stored]) > 0
        return await self.backend.replace(stored, content, seconds)

    async def incr(self, key: str, delta: int = 1, *, version: int | None = None) -> int:
        """Add to an integer in one step, keep its timeout, and return the sum.

        Raises:
            ValueError: there is no value, it is no integer, or the sum has more than 64 bits.
        """
        return await self.backend.incr(self._key(key, version), delta)

    async def touch(
        self, key: str, timeout: float | Default | None = DEFAULT, *, version: int | None = None
    ) -> bool:
        """Give a value a new timeout; return whether it is there."""
        stored, seconds = self._key(key, version), self._seconds(timeout)
        if _is_over(seconds):
            return await self.backend.delete_many([stored]) > 0
        return await self.backend.touch(stored, seconds)

    async def has(self, key: str, *, version: int | None = None) -> bool:
        """Say whether there is a value."""
        return await self.backend.has(self._key(key, version))

    async def delete(self, key: str, *, version: int | None = None) -> bool:
        """Forget a value; return whether it was there."""
        return await self.delete_many([key], version=version) > 0

    async def delete_many(self, keys: Iterable[str], *, version: int | None = None) -> int:
        """Forget values; return how many were there."""
        return await self.backend.delete_many([self._key(key, version) for key in keys])

    async def clear(self) -> None:
        """Forget everything in the store, entries of other prefixes and versions too."""
        await self.backend.clear()

    async def get_or_set(
        self,
        key: str,
        compute: Callable[[], Awaitable[T]],
        timeout: float | Default | None = DEFAULT,
        *,
        version: int | None = None,
    ) -> T:
        """Return a value; where there is none, compute and keep it.

        Of those who ask for one key in this event loop at the same time, one computes, in its own task, and the others get
        what it got, its exception included. `compute` must not ask for the same key.

        Cancellation: where the one who computes is cancelled, the next begins anew.
        """
        stored, local, seconds = self._key(key, version), self._local, self._seconds(timeout)
        while True:
            found = await local.backend.get_many([stored])
            content = found.get(stored)
            if content is None:
                computing = local.computing.get(stored)
                if computing is None:
                    return await _compute(local, stored, compute, seconds)
                content = await asyncio.shield(computing)  # so that who waits cannot cancel it for others
            if content is not None:
                value: T = decode(content)
                return value

    @property
    def _local(self) -> _Local:
        loop = asyncio.get_running_loop()
        local = self._locals.get(loop)
        if local is None:
            local = self._locals[loop] = _Local(self._factory())
        return local

    def _key(self, key: str, version: int | None) -> str:
        return build_key(self._prefix, self._version if version is None else version, key)

    def _seconds(self, timeout: float | Default | None) -> float | None:
        return self._timeout if isinstance(timeout, Default) else timeout


def _is_over(seconds: float | None) -> bool:
    return seconds is not None and seconds <= 0


async def _store(backend: CacheBackend, entries: Mapping[str, bytes], seconds: float | None) -> None:
    if _is_over(seconds):
        await backend.delete_many(entries)
    else:
        await backend.set_many(entries, seconds)


async def _compute(local: _Local, key: str, compute: Callable[[], Awaitable[T]], seconds: float | None) -> T:
    """Compute and store a value, and tell those who wait for it."""
    future = local.computing[key] = asyncio.get_running_loop().create_future()
    try:
        value = await compute()
        content = encode(value)
        await _store(local.backend, {key: content}, seconds)
    except Exception as exc:
        future.set_exception(exc)
        future.exception()  # looked at, so that asyncio does not complain where nobody else waited
        raise
    except BaseException:
        future.set_result(None)
        raise
    else:
        future.set_result(content)
        return value
    finally:
        del local.computing[key]


cache = Cache()
"""The cache of this process."""
