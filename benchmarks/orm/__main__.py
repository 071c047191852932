"""Compare data layers on PostgreSQL and SQLite: the bare driver, Transom and other ORMs, one scenario after the other.

Every contender has a database of its own, which it makes and fills itself with the same rows. It runs in a process of its own on
one core, one task at a time, for a fixed time, and its first answers are checked.
"""

from __future__ import annotations

import argparse
import asyncio
import json
import os
import subprocess
import sys
import tempfile
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from functools import partial
from pathlib import Path

import asyncpg

from harness import Contender, RunError, Sample, console, print_machine, take_turns
from orm import data
from orm.scenarios import SCENARIOS
from results import orm_tables, save, stamp, to_entry

HERE = Path(__file__).parent.parent
SERVER = os.environ.get("TRANSOM_BENCH_POSTGRES", "postgresql://postgres@127.0.0.1:5432/postgres")
CLIENT_CORE = "0"
PATIENCE = 120.0  # seconds for one run beyond its time


@dataclass(frozen=True, slots=True)
class Peer:
    """A contender: the module of its models, and the distribution whose version is shown."""

    module: str
    distribution: str
    without: tuple[str, ...] = ()  # scenarios that it has not


CONTENDERS = {
    "transom": Peer("transom_models", "transom"),
    "transom again": Peer("transom_models", "transom"),
    "asyncpg, bare connection": Peer("asyncpg_bare", "asyncpg"),
    "sqlite3, without a loop": Peer("sqlite3_raw", ""),
    "tortoise": Peer("tortoise_models", "tortoise-orm"),
    "piccolo": Peer("piccolo_tables", "piccolo"),
    "oxyde": Peer("oxyde_models", "oxyde"),
    "sqlalchemy core": Peer("sqlalchemy_core", "sqlalchemy"),
    "sqlalchemy orm": Peer("sqlalchemy_orm", "sqlalchemy"),
    "django": Peer("django_sync", "django", without=("gather",)),
    "django async": Peer("django_async", "django"),
}
FLOORS = {"postgresql": "asyncpg, bare connection", "sqlite": "sqlite3, without a loop"}


def contenders_on(vendor: str) -> list[str]:
    """Return who takes part on a database: all but the bare driver of the other."""
    others = {floor for key, floor in FLOORS.items() if key != vendor}
    return [name for name in CONTENDERS if name not in others]


class PostgreSQL:
    """Databases of the server, one for each module."""

    def url(self, module: str) -> str:
        """Return the URL of a module's database."""
        return f"{SERVER.rpartition('/')[0]}/transom_bench_{module}"

    def create(self, module: str) -> None:
        """Make an empty database."""
        asyncio.run(self._create(f"transom_bench_{module}"))

    async def _create(self, name: str) -> None:
        connection = await asyncpg.connect(SERVER)
        try:
            await connection.execute(f"DROP DATABASE IF EXISTS {name} WITH (FORCE)")
            await connection.execute(f"CREATE DATABASE {name}")
        finally:
            await connection.close()

    def analyze(self, module: str) -> None:
        """Let the planner know what is there."""
        self._execute(module, "ANALYZE")

    def reset_entries(self, module: str) -> None:
        """Leave exactly the entries that `delete` counts on."""
        self._execute(
            module,
            "TRUNCATE entry RESTART IDENTITY",
            f"""INSERT INTO entry (name, quantity, price, created)
            SELECT 'entry ' || n, mod(n, 100), mod(n, 10000) / 100.0, now() FROM generate_series(1, {data.ENTRIES}) AS n""",
            "ANALYZE entry",
        )

    def _execute(self, module: str, *statements: str) -> None:
        async def run() -> None:
            connection = await asyncpg.connect(self.url(module))
            try:
                for statement in statements:
                    await connection.execute(statement)
            finally:
                await connection.close()

        asyncio.run(run())


class SQLite:
    """Files in a folder, one for each module."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder

    def url(self, module: str) -> str:
        """Return the URL of a module's database."""
        return f"sqlite:///{self._folder / module}.sqlite3"

    def create(self, module: str) -> None:
        """Nothing: opening makes the file."""

    def analyze(self, module: str) -> None:
        """Let the planner know what is there."""
        self._execute(module, "ANALYZE")

    def reset_entries(self, module: str) -> None:
        """Leave exactly the entries that `delete` counts on."""
        self._execute(
            module,
            f"""DELETE FROM entry;
            INSERT INTO entry (id, name, quantity, price, created)
            WITH RECURSIVE series (n) AS (SELECT 1 UNION ALL SELECT n + 1 FROM series WHERE n < {data.ENTRIES})
            SELECT n, 'entry ' || n, n % 100, n % 10000 / 100.0, '2026-01-01 00:00:00' FROM series""",
        )

    def _execute(self, module: str, script: str) -> None:
        import sqlite3

        connection = sqlite3.connect(self._folder / f"{module}.sqlite3")
        connection.executescript(f"BEGIN; {script}; COMMIT; PRAGMA wal_checkpoint(truncate)")
        connection.close()


Database = PostgreSQL | SQLite


@contextmanager
def database_of(vendor: str) -> Iterator[Database]:
    """Yield where the databases of the contenders are."""
    if vendor == "postgresql":
        yield PostgreSQL()
    else:
        with tempfile.TemporaryDirectory(prefix="transom-bench-") as folder:
            yield SQLite(Path(folder))


def call(module: str, *arguments: str) -> str:
    """Run the module of a contender and return what it prints.

    Raises:
        RunError: it failed, answered wrongly, or did not end.
    """
    command = ["taskset", "-c", CLIENT_CORE, sys.executable, "-m", f"orm.contenders.{module}", *arguments]
    try:
        done = subprocess.run(
            command, cwd=HERE, check=False, capture_output=True, text=True, timeout=PATIENCE
        )
    except subprocess.TimeoutExpired as exc:
        raise RunError(f"did not end within {PATIENCE:.0f} seconds") from exc
    if done.returncode:
        raise RunError(done.stderr.strip().splitlines()[-1])
    return done.stdout


def measure(database: Database, module: str, scenario: str, seconds: float) -> Sample:
    """Return one sample of one contender."""
    if SCENARIOS[scenario].uses_entries:
        database.reset_entries(module)
    measured = json.loads(call(module, scenario, database.url(module), str(seconds)))
    count = measured["operations"]
    return Sample(rate=count / measured["wall"], cpu=measured["cpu"] / count * 1e6)


def prepare(database: Database, names: Sequence[str]) -> None:
    """Let each contender make and fill its tables."""
    for module in dict.fromkeys(CONTENDERS[name].module for name in names):
        console.print(f"filling the tables of {module}", style="dim")
        database.create(module)
        call(module, "prepare", database.url(module))
        database.analyze(module)


def compare(
    database: Database, scenario: str, names: Sequence[str], options: argparse.Namespace
) -> dict[str, object]:
    """Run one scenario and return what is kept of it."""
    contenders = [
        Contender(
            name, CONTENDERS[name].distribution, run_of(database, CONTENDERS[name], scenario, options.seconds)
        )
        for name in names
        if scenario not in CONTENDERS[name].without
    ]
    title = SCENARIOS[scenario].title
    return to_entry(title, contenders, take_turns(contenders, options.rounds, title))


def run_of(database: Database, peer: Peer, scenario: str, seconds: float) -> Callable[[], Sample]:
    """Return what runs a contender once."""
    return partial(measure, database, peer.module, scenario, seconds)


def parse_options() -> argparse.Namespace:
    """Read the command line."""
    parser = argparse.ArgumentParser(prog="python -m orm", description=__doc__)
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--seconds", type=float, default=1.0, help="of each run")
    parser.add_argument("--database", action="append", choices=FLOORS, help="one of both; both without it")
    parser.add_argument(
        "--scenario", action="append", choices=SCENARIOS, help="one of several; all without it"
    )
    parser.add_argument(
        "--contender", action="append", choices=CONTENDERS, help="beside Transom; not kept then"
    )
    parser.add_argument("--no-save", action="store_true", help="print, but do not keep the results")
    return parser.parse_args()


def main() -> None:
    """Compare the data layers, keep what was measured and print the tables."""
    options = parse_options()
    print_machine(options.rounds)
    for vendor in options.database or FLOORS:
        names = [
            name
            for name in contenders_on(vendor)
            if not options.contender or name == "transom" or name in options.contender
        ]
        entries = {}
        with database_of(vendor) as database:
            prepare(database, names)
            for scenario in options.scenario or SCENARIOS:
                entries[scenario] = stamp(compare(database, scenario, names, options), options.rounds)
                if not (options.no_save or options.contender):
                    save(f"orm_{vendor}", scenario, entries[scenario], list(SCENARIOS))
        console.print(f"\n## {vendor}\n", markup=False)
        console.print("\n".join(orm_tables(vendor, entries)), markup=False, soft_wrap=True)


if __name__ == "__main__":
    main()
