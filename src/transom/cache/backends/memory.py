"""The in-process backend: a bounded dict, the entries used longest ago dropped first.

Nothing here awaits: each method is one step for every task of the event loop. Expired entries are dropped when they are
met or pushed out by others, so no task has to clean up.
"""

from __future__ import annotations

import time
from collections import OrderedDict
from typing import TYPE_CHECKING, NamedTuple

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Mapping, Sequence

__all__ = ["MemoryCache"]

FOR_EVER = float("inf")


class _Entry(NamedTuple):
    value: bytes
    expires: float  # on the clock of the cache


class MemoryCache:
    """A `CacheBackend` inside one process; other processes have other entries.

    Args:
        max_entries: entries kept before the one used longest ago is dropped.
        max_size: bytes of values kept, likewise; a larger value is not kept at all.
        clock: a clock in seconds that never goes back.

    Raises:
        ValueError: a limit is below 1.
    """

    def __init__(
        self,
        *,
        max_entries: int = 10_000,
        max_size: int = 67_108_864,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        if max_entries < 1 or max_size < 1:
            raise ValueError(f"max_entries={max_entries!r}, max_size={max_size!r}; expected at least 1")
        self._max_entries = max_entries
        self._max_size = max_size
        self._clock = clock
        self._entries: OrderedDict[str, _Entry] = OrderedDict()  # used longest ago first
        self._size = 0

    def __len__(self) -> int:
        """Return how many entries are kept; some may have expired."""
        return len(self._entries)

    async def get_many(self, keys: Sequence[str]) -> dict[str, bytes]:
        """Return the entries that are there."""
        found = ((key, self._find(key)) for key in keys)
        return {key: entry.value for key, entry in found if entry is not None}

    async def set_many(self, entries: Mapping[str, bytes], timeout: float | None) -> None:
        """Store entries; see `CacheBackend.set_many`."""
        expires = self._expires(timeout)
        for key, value in entries.items():
            self._store(key, value, expires)

    async def add(self, key: str, value: bytes, timeout: float | None) -> bool:
        """Store an entry unless there is one."""
        if self._find(key) is not None:
            return False
        return self._store(key, value, self._expires(timeout))

    async def replace(self, key: str, value: bytes, timeout: float | None) -> bool:
        """Store an entry if there is one."""
        if self._find(key) is None:
            return False
        return self._store(key, value, self._expires(timeout))

    async def incr(self, key: str, delta: int) -> int:
        """Add to a stored integer; see `CacheBackend.incr`."""
        entry = self._find(key)
        if entry is None:
            raise ValueError(f"no entry {key!r}; store a number first, with add() so that none is lost")
        if not entry.value.removeprefix(b"-").isdigit():
            raise ValueError(f"entry {key!r} is no integer; incr() counts in integers only")
        total = int(entry.value) + delta
        if not -(2**63) <= total < 2**63:
            raise ValueError(f"entry {key!r} would be {total}, which has more than 64 bits")
        self._store(key, b"%d" % total, entry.expires)
        return total

    async def touch(self, key: str, timeout: float | None) -> bool:
        """Give an entry a new timeout."""
        entry = self._find(key)
        if entry is None:
            return False
        return self._store(key, entry.value, self._expires(timeout))

    async def has(self, key: str) -> bool:
        """Say whether there is an entry."""
        return self._find(key) is not None

    async def delete_many(self, keys: Iterable[str]) -> int:
        """Remove entries; return how many were there."""
        there = [key for key in dict.fromkeys(keys) if self._find(key) is not None]
        for key in there:
            self._drop(key)
        return len(there)

    async def clear(self) -> None:
        """Remove every entry."""
        self._entries.clear()
        self._size = 0

    def _expires(self, timeout: float | None) -> float:
        return FOR_EVER if timeout is None else self._clock() + timeout

    def _find(self, key: str) -> _Entry | None:
        """Return a living entry and make it the last to go."""
        entry = self._entries.get(key)
        if entry is None:
            return None
        if entry.expires <= self._clock():
            self._drop(key)
            return None
        self._entries.move_to_end(key)
        return entry

    def _store(self, key: str, value: bytes, expires: float) -> bool:
        self._drop(key)
        if len(value) > self._max_size:
            return False
        self._entries[key] = _Entry(value, expires)
        self._size += len(value)
        while len(self._entries) > self._max_entries or self._size > self._max_size:
            self._drop(next(iter(self._entries)))
        return True

    def _drop(self, key: str) -> None:
        entry = self._entries.pop(key, None)
        if entry is not None:
            self._size -= len(entry.value)
