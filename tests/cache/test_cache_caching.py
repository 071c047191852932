"""`Cache`: keys, values, timeouts, and one computation at a time."""

import asyncio
import enum
import gc
from datetime import UTC, datetime
from decimal import Decimal
from uuid import UUID

import pytest

from transom.cache import DEFAULT, Cache, MemoryCache, cache


@pytest.fixture
def timed(clock):
    return Cache(lambda: MemoryCache(clock=clock), timeout=10)


async def test_cache_of_the_process_keeps_values():
    await cache.set("answer", 42)
    assert await cache.get("answer") == 42
    assert await cache.get("question") is None
    assert await cache.get("question", "?") == "?"


@pytest.mark.parametrize(
    "value",
    [
        None,
        True,
        False,
        0,
        -1,
        127,
        128,
        2**63 - 1,
        -(2**63),
        1.5,
        "",
        "é",
        b"\x00\xff",
        [],
        [1, [2, {"a": None}]],
        {"a": 1, 2: "b"},
        datetime(2026, 1, 2, 3, 4, 5, 6, tzinfo=UTC),
    ],
)
async def test_value_comes_back_as_it_was(value):
    await cache.set("key", value)
    returned = await cache.get("key", "missing")
    assert returned == value
    assert type(returned) is type(value)


async def test_integer_enum_comes_back_as_its_number():
    await cache.set("key", enum.IntEnum("Color", "RED").RED)
    assert await cache.get("key") == 1


@pytest.mark.parametrize(
    "value",
    [
        (1, 2),
        {1, 2},
        [Decimal("1.5")],
        UUID(int=1),
        datetime(2026, 1, 1),
        2**63,
        float("nan"),
        "\ud800",
        object(),
        {"a": [(1,)]},
    ],
)
async def test_value_that_would_come_back_changed_is_refused(value):
    for store in (cache.set, cache.add, cache.replace):
        with pytest.raises(TypeError, match="cannot cache"):
            await store("key", value)
    assert not await cache.has("key")


async def test_nobody_can_change_what_is_cached():
    value = {"votes": [1]}
    await cache.set("key", value)
    value["votes"].append(2)
    (await cache.get("key"))["votes"].append(3)
    assert await cache.get("key") == {"votes": [1]}


@pytest.mark.parametrize("key", ["", "a b", "a\n", "a\x00", "\x7f", "a\x85", "\ud800", "x" * 249, "é" * 125])
async def test_invalid_key_is_refused(key):
    with pytest.raises(ValueError, match="invalid cache key"):
        await cache.get(key)
    with pytest.raises(ValueError, match="invalid cache key"):
        await cache.set_many({"fine": 1, key: 2})
    assert not await cache.has("fine")


async def test_versions_and_prefixes_are_apart():
    backend = MemoryCache()
    one, two = Cache(lambda: backend, prefix="one"), Cache(lambda: backend, prefix="two", version=2)
    await one.set("key", 1)
    await one.set("key", 2, version=2)
    assert await one.get("key") == 1
    assert await one.get("key", version=2) == 2
    assert await two.get("key") is None
    assert await one.delete("key", version=2)
    assert await one.get("key") == 1


@pytest.mark.parametrize("prefix", ["a:b", "a b", "x" * 51])
def test_ambiguous_prefix_is_refused(prefix):
    with pytest.raises(ValueError, match="invalid cache prefix"):
        Cache(prefix=prefix)


async def test_timeout_is_the_default_or_given_or_none(timed, clock):
    await timed.set("default", 1)
    await timed.set("same", 1, DEFAULT)
    await timed.set("short", 1, 1)
    await timed.set_many({"ever": 1}, None)
    await clock.advance(9)
    assert await timed.get_many(["default", "same", "short", "ever"]) == {"default": 1, "same": 1, "ever": 1}
    assert await timed.touch("default")
    await clock.advance(9)
    assert await timed.get_many(["default", "same", "ever"]) == {"default": 1, "ever": 1}


@pytest.mark.parametrize("timeout", [0, -1])
async def test_timeout_of_zero_means_expired_already(timeout):
    await cache.set_many({"a": 1, "b": 1, "c": 1})
    await cache.set("a", 2, timeout)
    assert await cache.touch("b", timeout)
    assert await cache.replace("c", 2, timeout)
    assert await cache.get_many(["a", "b", "c"]) == {}
    assert await cache.add("d", 1, timeout)
    assert not await cache.has("d")
    assert not await cache.touch("a", timeout)
    assert not await cache.replace("a", 1, timeout)


async def test_many_at_once():
    await cache.set_many({"a": 1, "b": [2]})
    assert await cache.get_many(["a", "b", "c"]) == {"a": 1, "b": [2]}
    assert await cache.delete_many(["a", "c"]) == 1
    assert await cache.get_many(["a", "b"]) == {"b": [2]}
    await cache.clear()
    assert not await cache.has("b")


async def test_add_replace_and_incr():
    assert not await cache.replace("hits", 5)
    assert await cache.add("hits", 1)
    assert not await cache.add("hits", 9)
    assert await cache.incr("hits") == 2
    assert await cache.incr("hits", -12) == -10
    assert await cache.get("hits") == -10
    assert await cache.replace("hits", "many")
    with pytest.raises(ValueError, match="no integer"):
        await cache.incr("hits")
    with pytest.raises(ValueError, match="no entry"):
        await cache.incr("misses")


class Work:
    """A computation that waits to be released, and counts its runs."""

    def __init__(self, result):
        self.result, self.runs, self.running = result, 0, 0
        self.release = asyncio.Event()

    async def __call__(self):
        self.runs += 1
        self.running += 1
        assert self.running == 1
        try:
            await self.release.wait()
        finally:
            self.running -= 1
        if isinstance(self.result, Exception):
            raise self.result
        return self.result


async def start(work, count):
    tasks = [asyncio.create_task(cache.get_or_set("key", work)) for _ in range(count)]
    while not work.runs:
        await asyncio.sleep(0)
    await asyncio.sleep(0)
    return tasks


async def test_one_computes_for_all_who_wait():
    work = Work({"rows": [1]})
    tasks = await start(work, 5)
    work.release.set()
    results = await asyncio.gather(*tasks)
    assert work.runs == 1
    results[0]["rows"].append(2)
    assert results[1:] == [{"rows": [1]}] * 4
    assert await cache.get_or_set("key", work) == {"rows": [1]}


async def test_none_is_a_value_like_others():
    work = Work(None)
    work.release.set()
    assert await cache.get_or_set("key", work) is None
    assert await cache.get_or_set("key", work) is None
    assert work.runs == 1


async def test_failure_reaches_all_who_wait_and_is_not_kept():
    work = Work(LookupError("nothing"))
    tasks = await start(work, 3)
    work.release.set()
    results = await asyncio.gather(*tasks, return_exceptions=True)
    assert work.runs == 1
    assert all(isinstance(result, LookupError) for result in results)
    work.result = 7
    assert await cache.get_or_set("key", work) == 7


async def test_failure_that_nobody_else_waits_for_is_raised_once():
    work = Work(LookupError("nothing"))
    work.release.set()
    with pytest.raises(LookupError):
        await cache.get_or_set("key", work)
    gc.collect()  # a future whose exception nobody took would complain here


async def test_next_one_computes_when_the_first_is_cancelled():
    work = Work(7)
    tasks = await start(work, 3)
    tasks[0].cancel()
    work.release.set()
    assert (await asyncio.gather(*tasks, return_exceptions=True))[1:] == [7, 7]
    assert tasks[0].cancelled()
    assert work.runs == 2


async def test_cancelling_one_who_waits_disturbs_nobody():
    work = Work(7)
    tasks = await start(work, 3)
    tasks[1].cancel()
    await asyncio.sleep(0)
    work.release.set()
    assert await asyncio.gather(tasks[0], tasks[2]) == [7, 7]
    assert work.runs == 1


async def test_those_who_wait_get_a_value_that_is_not_kept():
    work = Work(7)
    work.release.set()
    assert await asyncio.gather(*(cache.get_or_set("key", work, 0) for _ in range(3))) == [7, 7, 7]
    assert not await cache.has("key")


async def test_different_keys_are_computed_at_the_same_time():
    barrier = asyncio.Barrier(2)

    async def compute():
        await barrier.wait()
        return 1

    assert await asyncio.gather(cache.get_or_set("a", compute), cache.get_or_set("b", compute)) == [1, 1]


async def test_uncacheable_result_is_an_error_for_all():
    async def compute():
        return (1,)

    with pytest.raises(TypeError, match="cannot cache"):
        await cache.get_or_set("key", compute)
    assert not cache._local.computing


def test_each_event_loop_has_its_own_entries():
    async def use():
        assert not await cache.has("key")
        await cache.set("key", 1)
        return cache.backend

    assert asyncio.run(use()) is not asyncio.run(use())
    gc.collect()
    assert len(cache._locals) == 0


async def test_configure_replaces_the_backend():
    own = Cache()
    backend = MemoryCache()
    own.configure(lambda: backend)
    await own.set("key", 1)
    assert own.backend is backend
    assert len(backend) == 1


def test_outside_a_loop_is_a_clear_error():
    with pytest.raises(RuntimeError, match="no running event loop"):
        _ = cache.backend
