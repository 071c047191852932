"""Tests that need a service use the one that answers, say why they are skipped, and fail where all are promised."""

from __future__ import annotations

import os
import socket
import subprocess
import sys
from pathlib import Path

import pytest

CONFTEST = Path(__file__).with_name("conftest.py")
PROGRAM = """
import asyncio, os, pytest

def test_postgres(postgres_url):
    import asyncpg
    async def run():
        connection = await asyncpg.connect(postgres_url)
        assert await connection.fetchval("SELECT 1") == 1
        await connection.close()
    asyncio.run(run())

@pytest.mark.parametrize("variable", ["TRANSOM_TEST_POSTGRES", "TRANSOM_TEST_MYSQL", "TRANSOM_TEST_REDIS"])
def test_service(variable, service):
    assert service(variable)

def test_chromium(chromium):
    assert os.access(chromium, os.X_OK)
"""


def run(folder: Path, **environment: str) -> str:
    (folder / "conftest.py").write_text(CONFTEST.read_text())
    (folder / "test_services.py").write_text(PROGRAM)
    command = [sys.executable, "-m", "pytest", "-ra", "-p", "no:cacheprovider"]
    clean = {
        name: value for name, value in os.environ.items() if name != "CI" and not name.startswith("PYTEST_")
    }
    # No plugin is of use here, and some are slow to import.
    clean["PYTEST_DISABLE_PLUGIN_AUTOLOAD"] = "1"
    return subprocess.run(
        command, cwd=folder, env=clean | environment, capture_output=True, text=True, timeout=60
    ).stdout


@pytest.fixture
def nowhere(unused_port: int) -> dict[str, str]:
    address = f"127.0.0.1:{unused_port}"
    return {
        "TRANSOM_TEST_POSTGRES": f"postgresql://postgres@{address}/postgres",
        "TRANSOM_TEST_MYSQL": f"mysql://root@{address}/test",
        "TRANSOM_TEST_REDIS": f"redis://{address}/0",
        "TRANSOM_TEST_CHROMIUM": "/no/such/chromium",
    }


@pytest.mark.slow
def test_a_missing_service_is_a_skip_with_its_reason(tmp_path: Path, nowhere: dict[str, str]):
    output = run(tmp_path, **nowhere)
    assert "5 skipped" in output
    for variable in nowhere:
        assert f"{variable}: no" in output


@pytest.mark.slow
def test_a_missing_service_is_a_failure_in_continuous_integration(tmp_path: Path, nowhere: dict[str, str]):
    output = run(tmp_path, **nowhere, CI="true")
    assert "skipped" not in output
    assert "CI=true: a missing service is a failure" in output


def test_a_service_that_answers_is_used(service, monkeypatch: pytest.MonkeyPatch):
    with socket.create_server(("127.0.0.1", 0)) as listening:
        url = f"redis://127.0.0.1:{listening.getsockname()[1]}/0"
        monkeypatch.setenv("TRANSOM_TEST_REDIS", url)
        assert service("TRANSOM_TEST_REDIS") == url
