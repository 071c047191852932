"""Run an operation many times and print how long it took."""

from __future__ import annotations

import json
import sys
import time
from collections.abc import Awaitable, Callable, Mapping
from contextlib import AbstractAsyncContextManager
from random import Random

import uvloop

ROWS = 10_000
Operation = Callable[[int], Awaitable[object]]


def main(connect: Callable[[str], AbstractAsyncContextManager[Mapping[str, Operation]]]) -> None:
    """Run the scenario named on the command line: `module scenario operations url`."""
    scenario, operations, url = sys.argv[1], int(sys.argv[2]), sys.argv[3]

    async def run() -> None:
        async with connect(url) as scenarios:
            operation = scenarios[scenario]
            keys = Random(7)
            for _ in range(max(20, operations // 10)):
                await operation(keys.randint(1, ROWS))
            wall, cpu = time.perf_counter(), time.process_time()
            for _ in range(operations):
                await operation(keys.randint(1, ROWS))
            print(json.dumps({"wall": time.perf_counter() - wall, "cpu": time.process_time() - cpu}))

    uvloop.run(run())
