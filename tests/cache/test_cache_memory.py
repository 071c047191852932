"""The in-process backend: the contract, and its bounds."""

import pytest

from transom.cache import MemoryCache
from transom.testing.contract import CacheContract


class TestMemoryCache(CacheContract):
    @pytest.fixture
    def backend(self, clock):
        return MemoryCache(clock=clock)

    @pytest.fixture
    def advance(self, clock):
        return clock.advance


async def test_entry_used_longest_ago_goes_first():
    backend = MemoryCache(max_entries=2)
    await backend.set_many({"a": b"1", "b": b"1"}, None)
    await backend.get_many(["a"])
    await backend.set_many({"c": b"1"}, None)
    assert await backend.get_many(["a", "b", "c"]) == {"a": b"1", "c": b"1"}


async def test_values_are_bounded_in_bytes_too():
    backend = MemoryCache(max_size=10)
    await backend.set_many({"a": b"1234", "b": b"1234"}, None)
    await backend.set_many({"a": b"12345678"}, None)
    assert await backend.get_many(["a", "b"]) == {"a": b"12345678"}
    await backend.set_many({"b": b"12"}, None)
    assert len(backend) == 2


async def test_value_larger_than_the_store_is_not_kept():
    backend = MemoryCache(max_size=10)
    await backend.set_many({"a": b"1", "b": b"1"}, None)
    assert not await backend.replace("a", b"x" * 11, None)
    assert not await backend.add("c", b"x" * 11, None)
    assert await backend.get_many(["a", "b"]) == {"b": b"1"}


async def test_deleted_and_expired_entries_give_their_room_back(clock):
    backend = MemoryCache(max_size=4, clock=clock)
    await backend.set_many({"a": b"12", "b": b"12"}, 1)
    await backend.delete_many(["a"])
    await clock.advance(1)
    assert not await backend.has("b")
    await backend.set_many({"c": b"12", "d": b"12"}, None)
    assert len(backend) == 2
    await backend.clear()
    await backend.set_many({"c": b"12", "d": b"12"}, None)
    assert len(backend) == 2


@pytest.mark.parametrize("limits", [{"max_entries": 0}, {"max_size": 0}])
def test_limits_below_one_are_refused(limits):
    with pytest.raises(ValueError, match="at least 1"):
        MemoryCache(**limits)
