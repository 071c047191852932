"""Models on PostgreSQL: get by primary key and a list of 1000 rows, Transom against others and the bare driver."""

from __future__ import annotations

import argparse
import asyncio
import json
import os
import subprocess
import sys
from functools import partial
from pathlib import Path

import asyncpg

from harness import Contender, Sample, console, print_machine, report, take_turns

HERE = Path(__file__).parent
SERVER = os.environ.get("TRANSOM_BENCH_POSTGRES", "postgresql://postgres@127.0.0.1:5432/postgres")
DATABASE = "transom_bench"
CLIENT_CORE = "0"
ROWS = 10_000

SCHEMA = """
CREATE TABLE item (
    id bigint PRIMARY KEY, name varchar(100) NOT NULL, description text NOT NULL, quantity integer NOT NULL,
    price numeric(10, 2) NOT NULL, weight double precision NOT NULL, active boolean NOT NULL,
    created timestamptz NOT NULL, code uuid NOT NULL, note varchar(100)
);
INSERT INTO item
SELECT n, 'item ' || n, repeat('text ', 10), mod(n, 100), n / 100.0, n / 3.0, mod(n, 2) = 0,
       timestamptz '2026-01-01 00:00+00' + n * interval '1 minute',
       md5(n::text)::uuid, CASE WHEN mod(n, 3) = 0 THEN 'note ' || n END
FROM generate_series(1, %d) AS n;
ANALYZE item;
"""

CONTENDERS = {
    "transom": "transom",
    "transom again": "transom",
    "asyncpg, bare connection": "asyncpg",
    "asyncpg, its pool": "asyncpg",
    "tortoise": "tortoise-orm",
    "django async": "django",
}
MODULES = {
    "transom": "transom_models",
    "transom again": "transom_models",
    "asyncpg, bare connection": "asyncpg_bare",
    "asyncpg, its pool": "asyncpg_pool",
    "tortoise": "tortoise_models",
    "django async": "django_models",
}
# Operations a run: about a second's worth for the fastest, so that start-up and warm-up do not show.
SCENARIOS = {"get by primary key": ("get", 6_000), "list of 1000 rows, 10 columns": ("list", 120)}


async def prepare() -> str:
    """Make the database anew and return its URL."""
    admin = await asyncpg.connect(SERVER)
    await admin.execute(f"DROP DATABASE IF EXISTS {DATABASE} WITH (FORCE)")
    await admin.execute(f"CREATE DATABASE {DATABASE}")
    await admin.close()
    url = SERVER.rpartition("/")[0] + f"/{DATABASE}"
    connection = await asyncpg.connect(url)
    await connection.execute(SCHEMA % ROWS)
    await connection.close()
    return url


def run(module: str, scenario: str, operations: int, url: str) -> Sample:
    """Run one contender in a process of its own, which prints its wall and CPU seconds."""
    command = [
        "taskset",
        "-c",
        CLIENT_CORE,
        sys.executable,
        "-m",
        f"orm_contenders.{module}",
        scenario,
        str(operations),
        url,
    ]
    output = subprocess.run(command, cwd=HERE, check=True, capture_output=True, text=True).stdout
    measured = json.loads(output)
    return Sample(rate=operations / measured["wall"], cpu=measured["cpu"] / operations * 1e6)


def main() -> None:
    """Compare the data layers and print a table for each scenario."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--rounds", type=int, default=6)
    options = parser.parse_args()
    try:
        url = asyncio.run(prepare())
    except (OSError, asyncpg.PostgresError) as exc:
        raise SystemExit(
            f"PostgreSQL is needed at TRANSOM_BENCH_POSTGRES, {SERVER.rpartition('@')[2]}: {exc}"
        ) from exc
    print_machine(options.rounds)
    console.print(f"one process, one task at a time, on core {CLIENT_CORE}; uvloop for all", markup=False)
    for title, (scenario, operations) in SCENARIOS.items():
        contenders = [
            Contender(name, CONTENDERS[name], partial(run, module, scenario, operations, url))
            for name, module in MODULES.items()
        ]
        report(f"Models: {title}", contenders, take_turns(contenders, options.rounds, title))


if __name__ == "__main__":
    main()
