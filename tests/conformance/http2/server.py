"""A server of an application in a process of its own."""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

HERE = Path(__file__).parent


@contextmanager
def run_server(
    *options: str, target: str = "app:app", folder: Path = HERE
) -> Iterator[tuple[subprocess.Popen[str], tuple[str, int]]]:
    """Serve an application, else the suite's, in a process of its own; everything but these options is as by default."""
    command = [sys.executable, "-m", "transom", "serve", "--port", "0", "--lifespan", "off"]
    command += ["--no-access-log", "--app-dir", str(folder), *options, target]
    server = subprocess.Popen(command, stderr=subprocess.PIPE, text=True)
    assert server.stderr is not None
    try:
        for line in server.stderr:
            if "serving on " in line:
                break
        else:
            pytest.fail(f"the server ended with {server.wait()}")
        yield server, ("127.0.0.1", int(line.rpartition(":")[2]))
    finally:
        server.terminate()
        _, errors = server.communicate(timeout=60)
    assert "Traceback" not in errors, errors
