"""What the README promises: two commands, then a site in one file that runs as it is printed."""

from __future__ import annotations

import os
import re
import signal
import subprocess
import sys
import time
from pathlib import Path

import httpx
import pytest

ROOT = Path(__file__).parents[2]
README = (ROOT / "README.md").read_text(encoding="utf-8")


def printed() -> str:
    found = re.search(r'^```python title="guestbook.py"\n(.*?)^```$', README, re.MULTILINE | re.DOTALL)
    assert found
    return found[1]


def test_it_opens_with_the_two_commands():
    first = re.search(r"^```console\n(.*?)^```$", README, re.MULTILINE | re.DOTALL)
    assert first
    assert [line.partition("#")[0].strip() for line in first[1].splitlines()] == ["make demo", "make test"]
    for target in ("demo", "test"):
        assert re.search(rf"^{target}:", (ROOT / "Makefile").read_text(), re.MULTILINE)


def test_the_site_is_short_and_the_same_as_in_the_documentation():
    assert len(printed().splitlines()) <= 25
    assert printed() == (ROOT / "docs" / "guestbook.py").read_text(encoding="utf-8")


def test_every_dependency_has_its_reason_in_the_table():
    import tomllib

    project = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]
    required = [
        *project["dependencies"],
        *(name for extra in project["optional-dependencies"].values() for name in extra),
    ]
    table = README.partition("## Dependencies")[2].lower()
    names = {re.match(r"[\w-]+", requirement)[0] for requirement in required}
    assert {name for name in names if name not in table} == set()


@pytest.mark.slow
def test_the_site_runs_as_it_is_printed(tmp_path: Path, unused_port: int):
    (tmp_path / "guestbook.py").write_text(printed())
    environment = {
        name: value for name, value in os.environ.items() if not name.startswith(("TRANSOM_", "DATABASE_URL"))
    }
    command = [sys.executable, "-m", "transom", "run", "guestbook:app", "--port", str(unused_port)]
    server = subprocess.Popen(
        command, cwd=tmp_path, env=environment, stderr=subprocess.PIPE, stdout=subprocess.PIPE, text=True
    )
    try:
        with httpx.Client(base_url=f"http://127.0.0.1:{unused_port}", follow_redirects=True) as client:
            page = first_answer(client, server)
            token = re.search(r'name="csrfmiddlewaretoken" value="([^"]+)"', page)
            assert token
            page = client.post("/", data={"text": "<b>was here</b>", "csrfmiddlewaretoken": token[1]}).text
            assert "<li>&lt;b&gt;was here&lt;/b&gt;</li>" in page
    finally:
        server.send_signal(signal.SIGINT)
        _, errors = server.communicate(timeout=15)
    assert server.returncode == 0, errors


def first_answer(client: httpx.Client, server: subprocess.Popen[str]) -> str:
    deadline = time.monotonic() + 20
    while time.monotonic() < deadline:
        assert server.poll() is None, server.communicate()
        try:
            return client.get("/").raise_for_status().text
        except httpx.TransportError:
            time.sleep(0.05)  # nothing tells when a port begins to answer
    raise AssertionError("the server does not answer")
