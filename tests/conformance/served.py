"""A server of an application in a process of its own. Used by suites that speak with it from outside."""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest


@contextmanager
def run_server(
    folder: Path, target: str, *options: str
) -> Iterator[tuple[subprocess.Popen[str], tuple[str, int]]]:
    """Serve an application in a folder; everything but these options is as by default. Gives the process and its address."""
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
