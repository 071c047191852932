"""A mistake in the URL of a database is one line that says what to write, whatever the command."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest

SITE = """
from transom.web import App

app = App([], secret_key="k" * 40)
"""


@pytest.mark.parametrize(
    ("command", "url", "message"),
    [
        (
            "migrate",
            "postgressql://host/name",
            "unknown scheme 'postgressql' in a database URL; choose from sqlite, postgresql",
        ),
        (
            "inspectdb",
            "postgresql://host/name?pool_mx=3",
            "unknown option 'pool_mx' in a database URL; did you mean 'pool_max'?",
        ),
    ],
)
def test_it_is_one_line(tmp_path: Path, command: str, url: str, message: str):
    (tmp_path / "app.py").write_text(SITE)
    environment = {**os.environ, "DATABASE_URL": url}
    ran = subprocess.run(
        [sys.executable, "-m", "transom", command],
        cwd=tmp_path,
        env=environment,
        capture_output=True,
        text=True,
    )
    assert ran.returncode == 1
    assert message in ran.stderr
    assert "Traceback" not in ran.stderr
    assert ran.stdout == ""
