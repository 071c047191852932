"""What every cache backend must do, as tests.

    class TestMyCache(CacheContract):
        @pytest.fixture
        async def backend(self):
            return MyCache(...)   # empty

        @pytest.fixture
        def advance(self):
            return asyncio.sleep   # lets seconds pass; better, a coroutine function that turns a clock of the backend

pytest collects the tests from the subclass; they are coroutines, so pytest-asyncio (or the like) must run them.
"""

# ruff: noqa: D102, S101  # these are tests: their names say what they hold, and assert is how they speak

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from typing import TYPE_CHECKING, TypeAlias

import pytest

if TYPE_CHECKING:
    from transom.cache import CacheBackend

Advance: TypeAlias = Callable[[float], Awaitable[object]]


class CacheContract:
    """Tests that need only the fixtures `backend`, an empty `CacheBackend`, and `advance`, which lets seconds pass."""

    async def test_what_is_set_is_found_and_the_rest_is_not(self, backend: CacheBackend) -> None:
        await backend.set_many({"a": b"1", "b": b"\x00\xff", "c": b""}, None)
        assert await backend.get_many(["a", "b", "c", "d"]) == {"a": b"1", "b": b"\x00\xff", "c": b""}
        assert await backend.get_many([]) == {}

    async def test_set_replaces_value_and_timeout(self, backend: CacheBackend, advance: Advance) -> None:
        await backend.set_many({"a": b"1"}, 1)
        await backend.set_many({"a": b"2"}, None)
        await advance(2)
        assert await backend.get_many(["a"]) == {"a": b"2"}

    async def test_entry_is_gone_after_its_timeout(self, backend: CacheBackend, advance: Advance) -> None:
        await backend.set_many({"short": b"1"}, 1)
        await backend.set_many({"long": b"1"}, 60)
        assert await backend.has("short")
        await advance(1.5)
        assert await backend.get_many(["short", "long"]) == {"long": b"1"}
        assert not await backend.has("short")
        assert not await backend.touch("short", 60)
        assert not await backend.replace("short", b"1", 60)
        assert await backend.delete_many(["short"]) == 0
        assert await backend.add("short", b"2", 60)

    async def test_keys_may_have_any_letters(self, backend: CacheBackend) -> None:
        key = "é" * 60 + "-日本%{}*?[]\\'\""
        await backend.set_many({key: b"1"}, None)
        assert await backend.get_many([key]) == {key: b"1"}

    async def test_add_keeps_what_is_there(self, backend: CacheBackend) -> None:
        assert await backend.add("a", b"1", 60)
        assert not await backend.add("a", b"2", 60)
        assert await backend.get_many(["a"]) == {"a": b"1"}

    async def test_one_of_many_adds_succeeds(self, backend: CacheBackend) -> None:
        added = await asyncio.gather(*(backend.add("a", b"%d" % number, 60) for number in range(10)))
        assert added.count(True) == 1

    async def test_replace_needs_an_entry(self, backend: CacheBackend, advance: Advance) -> None:
        assert not await backend.replace("a", b"1", 60)
        assert not await backend.has("a")
        await backend.set_many({"a": b"1"}, 1)
        assert await backend.replace("a", b"2", 60)
        await advance(2)
        assert await backend.get_many(["a"]) == {"a": b"2"}

    async def test_incr_counts_in_both_directions(self, backend: CacheBackend) -> None:
        await backend.set_many({"a": b"5"}, None)
        assert await backend.incr("a", 10) == 15
        assert await backend.incr("a", -20) == -5
        assert await backend.get_many(["a"]) == {"a": b"-5"}

    async def test_no_count_is_lost(self, backend: CacheBackend) -> None:
        await backend.set_many({"a": b"0"}, 60)
        await asyncio.gather(*(backend.incr("a", 1) for _ in range(20)))
        assert await backend.get_many(["a"]) == {"a": b"20"}

    async def test_incr_keeps_the_timeout(self, backend: CacheBackend, advance: Advance) -> None:
        await backend.set_many({"a": b"1"}, 2)
        await advance(1)
        await backend.incr("a", 1)
        await advance(1.5)
        assert not await backend.has("a")

    @pytest.mark.parametrize("value", [None, b"\xa1x", b"9223372036854775807"])
    async def test_incr_needs_an_integer_with_room(self, backend: CacheBackend, value: bytes | None) -> None:
        if value is not None:
            await backend.set_many({"a": value}, 60)
        with pytest.raises(ValueError, match="'a'"):
            await backend.incr("a", 1)
        assert await backend.get_many(["a"]) == ({} if value is None else {"a": value})

    async def test_touch_changes_the_timeout(self, backend: CacheBackend, advance: Advance) -> None:
        await backend.set_many({"a": b"1", "b": b"1"}, 1)
        assert await backend.touch("a", 60)
        assert await backend.touch("b", None)
        assert not await backend.touch("c", 60)
        await advance(2)
        assert await backend.get_many(["a", "b"]) == {"a": b"1", "b": b"1"}

    async def test_delete_tells_how_many_were_there(self, backend: CacheBackend) -> None:
        await backend.set_many({"a": b"1", "b": b"1", "c": b"1"}, None)
        assert await backend.delete_many(["a", "b", "a", "x"]) == 2
        assert await backend.get_many(["a", "b", "c"]) == {"c": b"1"}

    async def test_clear_removes_everything(self, backend: CacheBackend) -> None:
        await backend.set_many({"a": b"1", "b": b"1"}, None)
        await backend.clear()
        assert await backend.get_many(["a", "b"]) == {}
