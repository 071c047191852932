"""The 517 cases of Autobahn: each must be OK or INFORMATIONAL, in what is exchanged and in how the connection ends.

`make conformance` runs them. RESULTS.md is the outcome; `UPDATE_DOCS=1` writes it anew.
"""

from __future__ import annotations

import json
import os
import subprocess
from collections import Counter
from pathlib import Path
from typing import Any

import pytest

pytestmark = [pytest.mark.conformance, pytest.mark.slow, pytest.mark.timeout(3600)]

HERE = Path(__file__).parent
REPORTS = HERE.parents[2] / "build" / "autobahn"
AGENT = "transom"
GOOD = {"OK", "INFORMATIONAL"}

# number: (what it is about, how many cases)
GROUPS = {
    1: ("framing", 16),
    2: ("pings and pongs", 11),
    3: ("reserved bits", 7),
    4: ("opcodes", 10),
    5: ("fragmentation", 20),
    6: ("UTF-8", 145),
    7: ("closing", 37),
    9: ("limits and performance", 54),
    10: ("automatic fragmentation", 1),
    12: ("compression of different payloads", 90),
    13: ("compression with different parameters", 126),
}
outcomes: dict[int, Counter[str]] = {}


def run_group(wstest: Path, url: str, number: int) -> dict[str, dict[str, Any]]:
    """Run the cases of one group and return the suite's index of them; progress goes to the terminal."""
    reports = REPORTS / str(number)
    reports.mkdir(parents=True, exist_ok=True)
    specification = reports / "specification.json"
    specification.write_text(
        json.dumps(
            {
                "outdir": str(reports),
                "servers": [{"agent": AGENT, "url": url, "options": {"version": 18}}],
                "cases": [f"{number}.*"],
                "exclude-cases": [],
                "exclude-agent-cases": {},
            }
        )
    )
    command = [wstest, "--mode", "fuzzingclient", "--spec", specification]
    environment = os.environ | {"PYTHONUNBUFFERED": "1"}
    with subprocess.Popen(
        command, env=environment, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True
    ) as suite:
        assert suite.stdout is not None
        lines: list[str] = []
        for line in suite.stdout:
            lines.append(line)
            if line.startswith("Running test case ID "):
                print(f"\r  {line.split()[4]:10}", end="", flush=True)
    assert suite.returncode == 0, "".join(lines)
    return json.loads((reports / "index.json").read_text())[AGENT]


@pytest.mark.parametrize(
    "number", [pytest.param(number, id=f"{number}-{GROUPS[number][0]}") for number in GROUPS]
)
def test_every_case_is_ok(wstest: Path, echo_url: str, number: int):
    """W12, W14."""
    title, count = GROUPS[number]
    print(f"\nAutobahn {number}.* ({title}, {count} cases)", flush=True)
    index = run_group(wstest, echo_url, number)
    outcomes[number] = Counter(case["behavior"] for case in index.values())
    bad = {
        name: (case["behavior"], case["behaviorClose"])
        for name, case in index.items()
        if not {case["behavior"], case["behaviorClose"]} <= GOOD
    }
    assert not bad, f"see {REPORTS / str(number)}"
    assert len(index) == count


def build_table() -> str:
    columns = sorted(GOOD.union(*outcomes.values()), reverse=True)
    rows = [f"| cases | about | {' | '.join(columns)} |", f"|---|---|{'---|' * len(columns)}"]
    for number, (title, _) in GROUPS.items():
        counts = " | ".join(str(outcomes[number][column]) for column in columns)
        rows.append(f"| {number}.* | {title} | {counts} |")
    totals = sum(outcomes.values(), Counter[str]())
    return "\n".join(
        [*rows, f"| **all {totals.total()}** | | {' | '.join(str(totals[each]) for each in columns)} |"]
    )


def test_the_published_table_says_the_same():
    if set(outcomes) != set(GROUPS):
        pytest.skip("not all groups were run")
    page = HERE / "RESULTS.md"
    head, mark, old = page.read_text().partition("| cases |")
    if os.environ.get("UPDATE_DOCS"):
        page.write_text(f"{head}{build_table()}\n")
    else:
        assert mark + old == f"{build_table()}\n"
