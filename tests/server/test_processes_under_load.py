"""Worker processes come and go while clients ask again and again: nothing is lost but what a killed worker had in hand.

The first tests are short and their clients pause between requests; the last ones, in the conformance suite, are what is
promised: 20 reloads, and a minute of kills, under clients that do not.
"""

from __future__ import annotations

import asyncio
import os
import re
import shutil
import signal
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from load import SITE, Load

from transom.server.processes.supervision import STABLE_AFTER

StartServer = Callable[..., Any]
StartSite = Callable[..., tuple[Any, Load]]
PAUSE = 0.01  # seconds of a client between requests in the short tests, which run beside others
START_TIME = 1.0  # seconds from the death of a worker to the first answer of its replacement


@pytest.fixture
def start_site(start_server: StartServer, site_folder: Path, monkeypatch: pytest.MonkeyPatch) -> StartSite:
    """Start a server with the site that the clients know; return it and clients for it."""
    # Bytecode is kept, as where people deploy; how soon a worker is up depends on it.
    monkeypatch.delenv("PYTHONDONTWRITEBYTECODE", raising=False)

    def start(options: str = "workers=2", before: str = "", pause: float = 0.0) -> tuple[Any, Load]:
        (site_folder / "loaded.py").write_text(SITE)
        options = f"port=0, access_log=False, timeout_graceful_shutdown=20, {options}"
        code = f"{before}\nimport sys\nfrom transom.server import *\nsys.exit(run('loaded:app', Config({options})))"
        server = start_server(code=code)
        count = int(re.findall(r"workers=(\d)", options)[0])
        return server, Load(int(server.wait_until_up(count).rpartition(":")[2]), pause)

    return start


async def reload(server: Any, times: int) -> None:
    """Replace all workers so often, each time when the last ones are gone."""
    for number in range(1, times + 1):
        server.process.send_signal(signal.SIGHUP)
        await asyncio.to_thread(server.wait_for, "ended: exit code 0", 2 * number)


def check_all_answered(load: Load, at_least: int) -> None:
    assert load.failures == []
    assert load.answered.total() >= at_least


UNSTEERED = "import transom.server.sockets.listener_pool as pool; pool.can_steer = lambda: False"
SHARED = "import transom.server.sockets.listener_pool as pool; pool.ListenerPool.__init__.__kwdefaults__['reuse_port'] = False"


@pytest.mark.slow
@pytest.mark.parametrize("before", ["", UNSTEERED, SHARED], ids=["steered", "own sockets", "one socket"])
async def test_reloads_lose_no_request(start_site: StartSite, before: str) -> None:
    """On Linux, in a sandbox that allows no programs in the kernel, and where the system does not share connections out."""
    server, load = start_site("workers=2", before, pause=PAUSE)
    async with load.running():
        await reload(server, 3)
        last = set(server.workers[-2:])
        while not last <= load.first.keys():
            await asyncio.sleep(0.01)
    check_all_answered(load, 100)
    assert server.end(signal.SIGTERM) == 0
    assert "Traceback" not in server.log


@pytest.mark.slow
async def test_workers_that_come_and_go_lose_no_request(
    start_site: StartSite,
) -> None:
    server, load = start_site("workers=2", pause=PAUSE)
    async with load.running():
        for number in range(1, 4):
            server.process.send_signal(signal.SIGTTIN)
            await asyncio.to_thread(server.wait_for, "serving on", 2 + number)
            while server.workers[-1] not in load.first:
                await asyncio.sleep(0.01)
            server.process.send_signal(signal.SIGTTOU)
            await asyncio.to_thread(server.wait_for, "ended: exit code 0", number)
    check_all_answered(load, 100)
    assert server.end(signal.SIGTERM) == 0


@pytest.mark.slow
async def test_recycling_by_requests_loses_no_request(start_site: StartSite) -> None:
    server, load = start_site("workers=2, limit_max_requests=100, limit_max_requests_jitter=50", pause=PAUSE)
    async with load.running():
        await asyncio.to_thread(server.wait_for, "ended: exit code 0", 4)
    check_all_answered(load, 200)
    assert server.end(signal.SIGTERM) == 0


async def kill_workers(server: Any, load: Load, times: int, every: float = STABLE_AFTER) -> list[float]:
    """Kill one worker after the other; return how long it took until each replacement had answered."""
    delays: list[float] = []
    for number in range(times):
        victim = list(load.answered)[-1] if number == 0 else server.workers[-1]
        while victim not in load.first:
            await asyncio.sleep(0.01)
        began = time.monotonic()
        before = len(load.failures)
        os.kill(victim, signal.SIGKILL)
        await asyncio.to_thread(server.wait_for, f"worker {victim} ended: SIGKILL")
        gone = time.monotonic()
        await asyncio.to_thread(server.wait_for, "serving on", 3 + number)
        while (successor := server.workers[-1]) not in load.first:
            await asyncio.sleep(0.005)
        delays.append(load.first[successor] - began)
        # On a machine where a start takes so long that they would not be up for a moment, less often.
        await asyncio.sleep(max(began + every, load.first[successor] + STABLE_AFTER) - time.monotonic())
        lost = load.failures[before:]
        assert {failure.worker for failure in lost} <= {victim, None}, (victim, lost)
        assert all(failure.began <= gone for failure in lost), (gone, lost)
        assert not [failure for failure in lost if "Refused" in failure.reason or "wrong" in failure.reason]
    return delays


async def measure_import() -> float:
    """Return the seconds that a process takes now to import what a worker imports."""
    began = time.monotonic()
    process = await asyncio.create_subprocess_exec(
        sys.executable, "-c", "import transom.server.processes.child, uvloop"
    )
    assert await process.wait() == 0
    return time.monotonic() - began


@pytest.mark.slow
async def test_killed_worker_loses_only_what_it_had_in_hand_and_is_replaced_at_once(
    start_site: StartSite,
) -> None:
    server, load = start_site("workers=2", pause=PAUSE)
    async with load.running():
        while len(load.answered) < 2:
            await asyncio.sleep(0.01)
        delays = await kill_workers(server, load, 3)
        usual = await measure_import()
    # A machine with much else to do needs longer to start any process at all: then it is measured by that.
    assert min(delays) <= max(START_TIME, 3 * usual), (delays, usual)
    assert load.answered.total() >= 100
    assert server.end(signal.SIGTERM) == 0


# What is promised


@pytest.mark.conformance
@pytest.mark.timeout(600)
async def test_20_reloads_under_load_lose_no_request(start_site: StartSite) -> None:
    """Connections that are kept, one per request, streams of 3 s, and WebSockets, which are told 1012."""
    server, load = start_site("workers=2")
    async with load.running(kept=16, fresh=4, streams=4, websockets=4):
        await reload(server, 20)
    check_all_answered(load, 10_000)
    print(f"\n20 reloads: {load.answered.total()} requests, {load.streams} streams, 0 failed;")
    print(f"{load.closed_with_1012} WebSockets closed with 1012")
    assert load.streams >= 20
    assert load.closed_with_1012 >= 20
    assert server.end(signal.SIGTERM) == 0
    assert "Traceback" not in server.log
    assert "does not stop" not in server.log


@pytest.mark.conformance
@pytest.mark.timeout(600)
@pytest.mark.skipif(shutil.which("wrk") is None, reason="wrk is not installed")
async def test_20_reloads_under_wrk_lose_no_request(start_site: StartSite) -> None:
    server, load = start_site("workers=2")
    command = ["wrk", "-t1", "-c32", "-d300s", f"http://127.0.0.1:{load.port}/1"]
    wrk = await asyncio.create_subprocess_exec(*command, stdout=subprocess.PIPE)
    await reload(server, 20)
    wrk.send_signal(signal.SIGINT)  # it then prints what it has counted
    output = (await wrk.communicate())[0].decode()
    print("\n" + output)
    assert int(re.findall(r"(\d+) requests in", output)[0]) >= 10_000
    # wrk speaks of errors only where there are some: sockets (connect, read, write, timeout), and other answers than 2xx or 3xx.
    assert "errors" not in output
    assert "Non-2xx" not in output
    assert server.end(signal.SIGTERM) == 0


@pytest.mark.conformance
@pytest.mark.timeout(600)
async def test_a_minute_of_kills_loses_only_what_was_in_hand(
    start_site: StartSite,
) -> None:
    server, load = start_site("workers=2")
    async with load.running(kept=16, fresh=4):
        while len(load.answered) < 2:
            await asyncio.sleep(0.01)
        delays = sorted(await kill_workers(server, load, 30, every=2.0))
        usual = await measure_import()
    print(f"\n30 kills: {load.answered.total()} requests, {len(load.failures)} lost with their workers;")
    print(
        f"replacements answered after {delays[0]:.2f} s at best, {delays[15]:.2f} in the middle, {delays[-1]:.2f} at worst"
    )
    assert delays[-1] <= max(START_TIME, 3 * usual), usual  # 0.2 s where nothing else runs
    assert server.end(signal.SIGTERM) == 0
