"""Which tests a plain run leaves out."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest

CONFTEST = Path(__file__).with_name("conftest.py")
PROGRAM = """
import pytest

@pytest.mark.conformance
def test_long():
    pass

@pytest.mark.slow
def test_slow():
    pass

def test_short():
    pass
"""


@pytest.mark.slow
@pytest.mark.parametrize(
    ("options", "summary"),
    [
        ([], "2 passed, 1 deselected"),
        (["-m", "not slow"], "1 passed, 2 deselected"),
        (["-m", "conformance"], "1 passed, 2 deselected"),
    ],
)
def test_conformance_suites_run_only_when_asked_for(options: list[str], summary: str, tmp_path: Path):
    (tmp_path / "conftest.py").write_text(CONFTEST.read_text())
    (tmp_path / "pytest.ini").write_text("[pytest]\nmarkers =\n    conformance: long\n    slow: slow\n")
    (tmp_path / "test_program.py").write_text(PROGRAM)
    command = [sys.executable, "-m", "pytest", "-q", "-p", "no:cacheprovider", *options]
    # No plugin is of use here, and some are slow to import.
    environment = os.environ | {"PYTEST_DISABLE_PLUGIN_AUTOLOAD": "1"}
    done = subprocess.run(command, cwd=tmp_path, env=environment, capture_output=True, text=True, timeout=60)
    assert summary in done.stdout, done.stdout + done.stderr
