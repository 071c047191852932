"""The harness of the benchmarks: turns in both orders, ratios within a round."""

from __future__ import annotations

import asyncio
import importlib.util
import subprocess
import sys
from pathlib import Path
from types import ModuleType

import pytest

FOLDER = Path(__file__).parents[1] / "benchmarks"


def load(name: str) -> ModuleType:
    """Import a script of the benchmarks, which are no package, without leaving its name in `sys.modules`."""
    spec = importlib.util.spec_from_file_location(f"transom_benchmark_{name}", FOLDER / f"{name}.py")
    assert spec
    assert spec.loader
    module = importlib.util.module_from_spec(spec)
    sys.modules[spec.name] = module  # its dataclasses look themselves up
    try:
        spec.loader.exec_module(module)
    finally:
        del sys.modules[spec.name]
    return module


@pytest.fixture(scope="module")
def harness():
    return load("harness")


def test_the_order_is_reversed_every_other_round(harness):
    ran: list[str] = []

    def contender(name: str):
        def run():
            ran.append(name)
            return harness.Sample(rate=1.0, cpu=1.0)

        return harness.Contender(name, "transom", run)

    samples = harness.take_turns([contender("a"), contender("b")], rounds=3, title="t")
    assert ran == ["a", "b", "b", "a", "a", "b"]
    assert {name: len(runs) for name, runs in samples.items()} == {"a": 3, "b": 3}


def test_a_ratio_is_taken_within_a_round_and_comes_with_its_spread(harness):
    assert harness.spread([2.0, 9.0, 4.0], [1.0, 3.0, 4.0]) == "2.00x (1.00 to 3.00)"


def test_a_contender_is_shown_with_its_version(harness):
    assert harness.Contender("httpx client", "httpx", lambda: None).label.startswith("httpx client 0.")


@pytest.mark.parametrize("case", ["small", "browser", "page", "post"])
def test_a_micro_case_is_answered_by_the_server_of_this_tree(case: str, monkeypatch: pytest.MonkeyPatch):
    micro = load("micro")
    monkeypatch.setattr(micro, "SLICE", 20)
    with micro.Progress(disable=True) as progress:
        assert asyncio.run(micro.best_of(case, 1, progress)) > 0


@pytest.mark.slow
@pytest.mark.parametrize("scenario", ["get", "list"])
def test_transoms_contender_does_what_the_others_do(scenario: str, postgres_url: str):
    """Two operations on a table like that of the benchmark: the numbers do not matter here, that they come does."""
    import asyncpg

    spec = importlib.util.spec_from_file_location("transom_benchmark_orm", FOLDER / "orm.py")
    assert spec
    source = Path(str(spec.origin)).read_text()
    schema = source.partition('SCHEMA = """')[2].partition('"""')[0] % 10_000

    async def prepare() -> None:
        connection = await asyncpg.connect(postgres_url)
        await connection.execute(f"DROP TABLE IF EXISTS item; {schema}")
        await connection.close()

    asyncio.run(prepare())
    command = [sys.executable, "-m", "orm_contenders.transom_models", scenario, "2", postgres_url]
    done = subprocess.run(command, cwd=FOLDER, capture_output=True, text=True, timeout=60)
    assert done.returncode == 0, done.stderr
    assert '"wall"' in done.stdout
