"""Pyright and mypy, both strict and without a plugin, agree on what forms are."""

import json
import re
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
SAMPLE = Path(__file__).parent / "typing_sample.py"


def run(*command):
    return subprocess.run([sys.executable, "-m", *command], cwd=ROOT, capture_output=True, text=True).stdout


def pyright():
    found = json.loads(run("pyright", "--outputjson", str(SAMPLE)))["generalDiagnostics"]
    return {
        diagnostic["range"]["start"]["line"] + 1: diagnostic["message"]
        for diagnostic in found
        # Outside the folders that are strict, an expression without effect is a warning.
        if diagnostic["severity"] == "error"
    }


def mypy():
    output = run("mypy", "--strict", "--no-error-summary", "--hide-error-context", str(SAMPLE))
    lines = (re.match(rf".*{SAMPLE.name}:(\d+): error: (.*)", line) for line in output.splitlines())
    return {int(found[1]): found[2] for found in lines if found}


@pytest.mark.slow
@pytest.mark.parametrize("checker", [pyright, mypy])
def test_values_have_their_types_and_mistakes_are_refused(checker):
    lines = enumerate(SAMPLE.read_text(encoding="utf-8").splitlines(), 1)
    wanted = {number for number, line in lines if line.endswith("# error")}
    found = checker()
    assert set(found) == wanted, found
