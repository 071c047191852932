"""Pyright and mypy, both strict and without a plugin, agree on what models and decorated views are."""

from __future__ import annotations

import json
import re
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
SAMPLES = Path(__file__).parent / "samples"

Findings = dict[int, str]
Checker = Callable[[Path], tuple[Findings, Findings]]


def run(*command: str) -> str:
    return subprocess.run([sys.executable, "-m", *command], cwd=ROOT, capture_output=True, text=True).stdout


def pyright(sample: Path) -> tuple[Findings, Findings]:
    """Return what is revealed and what is refused, by line."""
    revealed: Findings = {}
    errors: Findings = {}
    for diagnostic in json.loads(run("pyright", "--outputjson", str(sample)))["generalDiagnostics"]:
        line = diagnostic["range"]["start"]["line"] + 1
        found = re.search(r'^Type of ".*" is "(.*)"$', diagnostic["message"], re.DOTALL)
        if found:
            revealed[line] = found[1]
        elif diagnostic["severity"] == "error":
            errors[line] = diagnostic["message"]
    return revealed, errors


def mypy(sample: Path) -> tuple[Findings, Findings]:
    """Return what is revealed and what is refused, by line."""
    revealed: Findings = {}
    errors: Findings = {}
    output = run("mypy", "--strict", "--no-error-summary", "--hide-error-context", str(sample))
    for line in output.splitlines():
        found = re.match(r".*?:(\d+): (note|error): (.*)", line)
        if not found:
            continue
        message = re.match(r'Revealed type is "(.*)"$', found[3])
        if message:
            revealed[int(found[1])] = message[1]
        elif found[2] == "error" and str(sample.name) in line:
            errors[int(found[1])] = found[3]
    return revealed, errors


def plain(name: str) -> str:
    """Return a type without module names, and a named tuple by its name, as both tools have it."""
    name = re.sub(r"\b(?:\w+\.)+(\w+)", r"\1", name)
    return re.sub(r"tuple\[.*, fallback=(\w+)\]", r"\1", name).replace("*", "")


def expected(sample: Path, pattern: str) -> Findings:
    lines = enumerate(sample.read_text().splitlines(), 1)
    return {number: found[1] for number, line in lines if (found := re.search(pattern, line))}


@pytest.mark.slow
@pytest.mark.parametrize("checker", [pyright, mypy])
@pytest.mark.parametrize(
    "name", ["models_sample.py", "postgres_sample.py", "search_sample.py", "views_sample.py"]
)
def test_models_and_decorated_views_have_their_types(checker: Checker, name: str) -> None:
    sample = SAMPLES / name
    revealed, errors = checker(sample)
    wanted = expected(sample, r"reveal_type\(.*?\)  # ([^#]+?)(?:  #.*)?$")
    assert errors == {}
    assert {line: plain(name) for line, name in revealed.items()} == wanted


@pytest.mark.slow
@pytest.mark.parametrize("checker", [pyright, mypy])
@pytest.mark.parametrize("name", ["models_mistakes.py", "views_mistakes.py"])
def test_mistakes_are_refused(checker: Checker, name: str) -> None:
    sample = SAMPLES / name
    _, errors = checker(sample)
    assert sorted(errors) == sorted(expected(sample, r"# (error)"))
