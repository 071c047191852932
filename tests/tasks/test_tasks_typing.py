"""`enqueue` has the parameters of the function, and its result the type of what it returns."""

import subprocess
import sys
from pathlib import Path

import pytest


@pytest.mark.slow
def test_pyright_sees_the_function_behind_enqueue():
    sample = Path(__file__).parent / "samples" / "enqueue_sample.py"
    done = subprocess.run(
        [sys.executable, "-m", "pyright", str(sample)],
        cwd=Path(__file__).parents[2],
        capture_output=True,
        text=True,
    )
    assert "0 errors" in done.stdout, done.stdout
