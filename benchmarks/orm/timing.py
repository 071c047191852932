"""One contender in a process of its own: make its tables, or run one scenario for a while and print what that took.

python -m orm.contenders.transom_models prepare DATABASE_URL
python -m orm.contenders.transom_models SCENARIO DATABASE_URL SECONDS
"""

from __future__ import annotations

import inspect
import json
import sys
import time
from collections.abc import Awaitable, Callable, Iterator, Mapping
from contextlib import AbstractAsyncContextManager
from random import Random
from typing import Any

from orm import data
from orm.scenarios import SCENARIOS, Answer, check

Operation = Callable[[int], Awaitable[Answer]]
Connect = Callable[[str], AbstractAsyncContextManager[Mapping[str, Callable[..., Any]]]]
"""Opens a database by its URL. The mapping has an operation for each scenario, and `prepare`, which fills the tables."""

WARM_UP = 0.2  # of the time that is measured
CHECKED = 3  # answers that are checked, before the measurement


def keys_of(name: str) -> Iterator[int]:
    """Yield the keys of a scenario, the same for each contender."""
    random = Random(7)
    number = 0
    while number < data.ENTRIES or not SCENARIOS[name].uses_entries:
        yield SCENARIOS[name].key(random.randint(1, data.LAST_KEY), number)
        number += 1


def main(connect: Connect) -> None:
    """Do what the command line says, with an event loop."""
    import uvloop

    uvloop.run(_main(connect))


async def _main(connect: Connect) -> None:
    what, url = sys.argv[1], sys.argv[2]
    async with connect(url) as operations:
        if what == "prepare":
            await operations["prepare"]()
        else:
            await _run(what, operations[what], float(sys.argv[3]))


async def _run(name: str, operation: Operation, seconds: float) -> None:
    keys = keys_of(name)
    for key, _ in zip(keys, range(CHECKED), strict=False):
        check(name, key, await operation(key))
    await _repeat(operation, keys, seconds * WARM_UP)
    cpu, wall = time.process_time(), time.perf_counter()
    operations = await _repeat(operation, keys, seconds)
    _print(operations, time.perf_counter() - wall, time.process_time() - cpu)


async def _repeat(operation: Operation, keys: Iterator[int], seconds: float) -> int:
    """Repeat until the time is over or there are no more keys; return how often."""
    clock = time.perf_counter
    end, count = clock() + seconds, 0
    for key in keys:
        await operation(key)
        count += 1
        if clock() >= end:
            break
    return count


def _print(operations: int, wall: float, cpu: float) -> None:
    print(json.dumps({"operations": operations, "wall": wall, "cpu": cpu}))


def main_without_loop(operations: Mapping[str, Callable[..., Any]]) -> None:
    """Do what the command line says with functions that block."""
    what = sys.argv[1]
    if what == "prepare":
        operations["prepare"]()
        return
    operation, keys, seconds = operations[what], keys_of(what), float(sys.argv[3])
    assert not inspect.iscoroutinefunction(operation)
    for key, _ in zip(keys, range(CHECKED), strict=False):
        check(what, key, operation(key))
    _repeat_without_loop(operation, keys, seconds * WARM_UP)
    cpu, wall = time.process_time(), time.perf_counter()
    count = _repeat_without_loop(operation, keys, seconds)
    _print(count, time.perf_counter() - wall, time.process_time() - cpu)


def _repeat_without_loop(operation: Callable[[int], Answer], keys: Iterator[int], seconds: float) -> int:
    clock = time.perf_counter
    end, count = clock() + seconds, 0
    for key in keys:
        operation(key)
        count += 1
        if clock() >= end:
            break
    return count
