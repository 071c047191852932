"""What a cache backend is: the seam between `Cache` and whatever stores its entries."""

from __future__ import annotations

from typing import TYPE_CHECKING, Protocol

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence

__all__ = ["CacheBackend"]


class CacheBackend(Protocol):
    """Stores bytes under text keys until a timeout, or until it needs the room.

    Keys and values are checked and encoded by `Cache`: a key has at most 250 bytes of UTF-8 and no space or control
    character; an integer is stored as decimal digits, so that a store can count in it. A timeout is in seconds, greater
    than zero; None means for as long as there is room. An expired entry is as if it were not there.

    `transom.testing.contract.CacheContract` holds what every backend must do.
    """

    async def get_many(self, keys: Sequence[str]) -> dict[str, bytes]:
        """Return the entries that are there."""
        ...

    async def set_many(self, entries: Mapping[str, bytes], timeout: float | None) -> None:
        """Store entries in place of those that are there."""
        ...

    async def add(self, key: str, value: bytes, timeout: float | None) -> bool:
        """Store an entry unless there is one, in one step; return whether it was stored."""
        ...

    async def replace(self, key: str, value: bytes, timeout: float | None) -> bool:
        """Store an entry if there is one, in one step; return whether it was stored."""
        ...

    async def incr(self, key: str, delta: int) -> int:
        """Add to a stored integer in one step, keep its timeout, and return the sum.

        Raises:
            ValueError: there is no entry, it is no integer, or the sum has more than 64 bits.
        """
        ...

    async def touch(self, key: str, timeout: float | None) -> bool:
        """Give an entry a new timeout; return whether it is there."""
        ...

    async def has(self, key: str) -> bool:
        """Say whether there is an entry."""
        ...

    async def delete_many(self, keys: Iterable[str]) -> int:
        """Remove entries; return how many were there."""
        ...

    async def clear(self) -> None:
        """Remove every entry of the store."""
        ...
