"""What was measured is kept as JSON, one file for each kind of benchmark and Python; the tables of RESULTS.md are made from it.

python results.py            writes the tables between the marks of RESULTS.md; the prose around them is people's
"""

from __future__ import annotations

import json
import platform
import re
import statistics
import sys
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from datetime import UTC, datetime
from functools import partial
from pathlib import Path
from typing import Any

from harness import Contender, Runs, machine, spread

HERE = Path(__file__).parent
FOLDER = HERE / "results"
REPORT = HERE / "RESULTS.md"
OURS = "transom"
IDLE = 0.95  # share of the time below which a server was not what limited its rate
KIB = 1024

# What is to be reached: scenario, whom it is compared with, and how many times their rate.
AIMS = (
    ("plaintext", "uvicorn", 2.0),
    ("plaintext", "granian", 1.8),
    ("plaintext", "fastpysgi", 0.65),
    ("echo", "granian", 1.3),
    ("websocket", "uvicorn", 1.5),
    ("h2", "granian", 1.5),
    ("h2", "h2corn", 1.5),
    ("h2", "hypercorn", 10.0),
)
# The same of models: database, scenario, figure, whose (the best other ORM's without a name), and how many times theirs ours must
# be: at least for rates, at most for CPU times.
ORM_AIMS = (
    ("postgresql", "get", "cpu", "asyncpg, bare connection", 2.0),
    ("postgresql", "get", "cpu", "", 0.25),
    ("postgresql", "list", "cpu", "asyncpg, bare connection", 3.0),
    ("postgresql", "list", "cpu", "", 0.3),
    ("postgresql", "bulk", "rate", "", 3.0),
    ("sqlite", "get", "cpu", "sqlite3, without a loop", 3.0),
    ("sqlite", "bulk", "rate", "", 3.0),
)
BARE = ("asyncpg, bare connection", "sqlite3, without a loop", "sqlalchemy core")  # no ORMs
IDLE_AIM, HALF_OPEN_AIM = 8 * KIB, 6 * KIB  # bytes of a connection
SLOWLORIS_AIM = 1.5  # p99 of others beside half-open connections, over p99 without

Entry = dict[str, Any]  # what is kept of one scenario or server: read from JSON
Table = list[str]  # lines of Markdown


# Keeping.


def stamp(entry: Entry, rounds: int) -> Entry:
    """Return an entry that says when and on what it was measured."""
    return {"taken": datetime.now(UTC).date().isoformat(), "on": machine(rounds), **entry}


def save(kind: str, key: str, entry: Entry, order: Sequence[str], folder: Path = FOLDER) -> None:
    """Put one entry in the place of an older one; the file has one entry a line, in the given order of keys."""
    folder.mkdir(exist_ok=True)
    path = folder / f"{kind}-{'.'.join(platform.python_version_tuple()[:2])}.json"
    entries = load(path) if path.exists() else {}
    entries[key] = entry
    keys = sorted(entries, key=lambda key: order.index(key) if key in order else len(order))
    lines = (f"{json.dumps(key)}: {json.dumps(entries[key])}" for key in keys)
    path.write_text("{\n" + ",\n".join(lines) + "\n}\n")


def load(path: Path) -> dict[str, Entry]:
    """Return the entries of a file."""
    return json.loads(path.read_text())


def to_entry(title: str, contenders: Sequence[Contender], runs: Mapping[str, Runs]) -> Entry:
    """Return what is kept of a scenario; numbers have five digits, which is more than they are good for."""
    return {
        "title": title,
        "contenders": {
            contender.name: {
                "version": contender.version,
                "failure": runs[contender.name].failure,
                "samples": [_rounded(asdict(sample)) for sample in runs[contender.name].samples],
            }
            for contender in contenders
        },
    }


def _rounded(numbers: Mapping[str, float]) -> dict[str, float]:
    return {name: float(f"{value:.5g}") for name, value in numbers.items()}


# Tables.


def server_tables(scenarios: Mapping[str, Entry]) -> Table:
    """Return three tables, scenarios down and contenders across, and one that tells which aims were reached."""
    return [*_comparison(scenarios, "Answers", "an answer"), "", "Aims:", "", *_aims_table(scenarios)]


def orm_tables(vendor: str, scenarios: Mapping[str, Entry]) -> Table:
    """Return the same for models on one database."""
    aims = [
        _orm_aim(scenarios[key], figure, name, factor)
        for database, key, figure, name, factor in ORM_AIMS
        if database == vendor and key in scenarios
    ]
    table = _table(["aim", "measured", ""], [aim.row for aim in aims])
    return [*_comparison(scenarios, "Operations", "an operation"), "", "Aims:", "", *table]


def _orm_aim(scenario: Entry, figure: str, name: str, factor: float) -> Aim:
    best = max if figure == "rate" else min
    peers = [
        each
        for each in scenario["contenders"]
        if not each.startswith(OURS) and each not in BARE and _numbers(scenario, each, figure)
    ]
    other = name or best(
        peers, key=lambda each: statistics.median(_numbers(scenario, each, figure)), default=""
    )
    ours, theirs = _numbers(scenario, OURS, figure), _numbers(scenario, other, figure)
    ratios = [a / b for a, b in zip(ours, theirs, strict=False)]
    middle = statistics.median(ratios) if ratios else None
    reached = middle is not None and (middle >= factor if figure == "rate" else middle <= factor)
    what = f"at least {factor}x the rate" if figure == "rate" else f"at most {factor}x the CPU time"
    whose = other if name else f"the best other ORM ({other})"
    return Aim(f"{scenario['title']}: {what} of {whose}", spread(ours, theirs), reached)


def _comparison(scenarios: Mapping[str, Entry], what: str, each: str) -> Table:
    """Return the tables of rates, of their ratios and of those of CPU times."""
    contenders = _columns(scenarios)
    names = list(contenders)
    heads = [f"{name} {contenders[name]}".rstrip() for name in names]
    others = [(name, head) for name, head in zip(names, heads, strict=True) if name != OURS]
    table = [_taken(scenarios), "", f"{what} a second, and in brackets the microseconds of CPU each:", ""]
    table += _table(
        ["", *heads], [[row["title"], *(_rate(row, name) for name in names)] for row in scenarios.values()]
    )
    for title, key in (("Our rate over theirs", "rate"), (f"Our CPU time {each} over theirs", "cpu")):
        table += ["", f"{title}, within a round: median (least to most):", ""]
        table += _table(
            ["", *(head for _, head in others)],
            [[row["title"], *(_ratio(row, name, key) for name, _ in others)] for row in scenarios.values()],
        )
    return [*table, *_notes(scenarios)]


def _columns(scenarios: Mapping[str, Entry]) -> dict[str, str]:
    """Return each contender of any scenario with its version, in the order in which they first appear."""
    return {
        name: contender["version"]
        for scenario in scenarios.values()
        for name, contender in scenario["contenders"].items()
    }


def _taken(entries: Mapping[str, Entry]) -> str:
    """Say when and on what the numbers were taken; several days or machines are all named."""
    return "; ".join(dict.fromkeys(f"{entry['taken']}: {entry['on']}" for entry in entries.values())) + "."


def _table(heads: Sequence[str], rows: Sequence[Sequence[str]]) -> Table:
    lines = [heads, ["---", *["---:"] * (len(heads) - 1)], *rows]
    return [f"| {' | '.join(line)} |" for line in lines]


def _numbers(scenario: Entry, name: str, key: str) -> list[float]:
    contender = scenario["contenders"].get(name)
    return [sample[key] for sample in contender["samples"]] if contender else []


def _rate(scenario: Entry, name: str) -> str:
    if name not in scenario["contenders"]:
        return ""
    if not (rates := _numbers(scenario, name, "rate")):
        return "failed"
    limited = " †" if statistics.median(_numbers(scenario, name, "busy")) < IDLE else ""
    return f"{statistics.median(rates):,.0f} ({statistics.median(_numbers(scenario, name, 'cpu')):,.1f}){limited}"


def _ratio(scenario: Entry, name: str, key: str) -> str:
    if name not in scenario["contenders"]:
        return ""
    return spread(_numbers(scenario, OURS, key), _numbers(scenario, name, key))


def _notes(scenarios: Mapping[str, Entry]) -> Table:
    """Explain the marks that appear, and say why a contender failed."""
    notes: Table = []
    if any(
        statistics.median(_numbers(scenario, name, "busy")) < IDLE
        for scenario in scenarios.values()
        for name in scenario["contenders"]
        if _numbers(scenario, name, "busy")
    ):
        notes += [
            "",
            f"† This server had its core less than {IDLE:.0%} of the time: the load was the limit, and only CPU time counts.",
        ]
    for scenario in scenarios.values():
        for name, contender in scenario["contenders"].items():
            notes += _failure(f"{name}, {scenario['title']}", contender["failure"])
    return notes


def _failure(what: str, failure: str) -> Table:
    """Say what failed, in the first line of its message; the rest is in the file of the results."""
    return ["", f"Failed: {what}: {failure.splitlines()[0][:200]}"] if failure else []


@dataclass(frozen=True, slots=True)
class Aim:
    """What was to be reached, what was, and whether it is enough."""

    text: str
    measured: str
    reached: bool

    @property
    def row(self) -> list[str]:
        """Return its cells."""
        return [self.text, self.measured, "reached" if self.reached else "**not reached**"]


def _aims_table(scenarios: Mapping[str, Entry]) -> Table:
    aims = [_aim(scenarios[key], name, factor) for key, name, factor in AIMS if key in scenarios]
    return _table(["aim", "measured", ""], [aim.row for aim in aims])


def _aim(scenario: Entry, name: str, factor: float) -> Aim:
    ours, theirs = _numbers(scenario, OURS, "rate"), _numbers(scenario, name, "rate")
    ratios = [a / b for a, b in zip(ours, theirs, strict=False)]
    reached = bool(ratios) and statistics.median(ratios) >= factor
    return Aim(f"{scenario['title']}: {factor}x {name}", spread(ours, theirs), reached)


def memory_tables(servers: Mapping[str, Entry]) -> Table:
    """Return a table with a row for each server: bytes of an idle and of a half-open connection."""
    rows = [
        [f"{name} {entry['version']}", *(_kib(entry[kind]) for kind in ("idle", "half_open"))]
        for name, entry in servers.items()
    ]
    table = [_taken(servers), "", *_table(["", "idle, after one request", "half-sent head"], rows)]
    for name, entry in servers.items():
        table += _failure(name, entry["failure"])
    if OURS in servers:
        aims = [
            Aim(f"{text}: at most {aim // KIB} KiB", _kib(servers[OURS][kind]), servers[OURS][kind] <= aim)
            for text, kind, aim in (
                ("an idle connection", "idle", IDLE_AIM),
                ("a half-open connection", "half_open", HALF_OPEN_AIM),
            )
            if servers[OURS][kind] is not None
        ]
        table += ["", "Aims:", "", *_table(["aim", "measured", ""], [aim.row for aim in aims])]
    return table


def _kib(size: float | None) -> str:
    return "failed" if size is None else f"{size / KIB:.1f} KiB"


def slowloris_tables(servers: Mapping[str, Entry]) -> Table:
    """Return a table with a row for each server: what a steady client waits without and beside half-open connections."""
    rows = [_slowloris_row(name, entry) for name, entry in servers.items()]
    heads = [
        "",
        "p99 alone",
        "p99 beside them",
        "ratio",
        "longest beside them",
        "held open at the end",
        "opened again",
    ]
    table = [_taken(servers), "", *_table(heads, rows)]
    for name, entry in servers.items():
        table += _failure(name, entry["failure"])
    if OURS in servers and servers[OURS]["samples"]:
        samples = servers[OURS]["samples"]
        ratio = statistics.median(sample["beside"] / sample["alone"] for sample in samples)
        aim = Aim(f"p99 of others at most {SLOWLORIS_AIM}x", f"{ratio:.2f}x", ratio <= SLOWLORIS_AIM)
        table += ["", "Aims:", "", *_table(["aim", "measured", ""], [aim.row])]
    return table


def _slowloris_row(name: str, entry: Entry) -> list[str]:
    samples = entry["samples"]
    if not samples:
        return [f"{name} {entry['version']}", "failed", *[""] * 5]

    def middle(key: str) -> float:
        return statistics.median(sample[key] for sample in samples)

    return [
        f"{name} {entry['version']}",
        f"{middle('alone'):.2f} ms",
        f"{middle('beside'):.2f} ms",
        spread([sample["beside"] for sample in samples], [sample["alone"] for sample in samples]),
        f"{middle('longest'):.1f} ms",
        f"{middle('open'):,.0f}",
        f"{middle('opened_again'):,.0f}",
    ]


# The report.

TABLES = {
    "server": server_tables,
    "http2": server_tables,
    "memory": memory_tables,
    "slowloris": slowloris_tables,
    "orm_postgresql": partial(orm_tables, "postgresql"),
    "orm_sqlite": partial(orm_tables, "sqlite"),
}
_MARKED = re.compile(r"(<!-- (\w+) ([\d.]+) -->\n).*?(<!-- end -->)", re.DOTALL)


def fill(text: str, folder: Path = FOLDER) -> str:
    """Return a report with the tables between its marks made anew; marks without results keep what they have.

    A mark is `<!-- server 3.13 -->`, up to `<!-- end -->`.
    """

    def replace(mark: re.Match[str]) -> str:
        begin, kind, python, end = mark.groups()
        path = folder / f"{kind}-{python}.json"
        if not path.exists():
            return mark[0]
        return "\n".join([begin, *TABLES[kind](load(path)), "", end])

    return _MARKED.sub(replace, text)


def main() -> None:
    """Fill RESULTS.md."""
    before = REPORT.read_text()
    after = fill(before)
    REPORT.write_text(after)
    sys.stdout.write(f"{REPORT.name} is {'as it was' if after == before else 'renewed'}\n")


if __name__ == "__main__":
    main()
