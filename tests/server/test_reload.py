"""The reloader: what asks for a restart, and a real one from edit to answer."""

from __future__ import annotations

import signal
import socket
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from urllib.request import urlopen

import pytest
from watchfiles import Change

from transom.server import Config
from transom.server.processes.reload import Reloader, SourceFilter

APP = """
async def app(scope, receive, send):
    if scope["type"] != "http":
        raise NotImplementedError
    await send({"type": "http.response.start", "status": 200, "headers": [(b"connection", b"close")]})
    await send({"type": "http.response.body", "body": b"WORD"})
"""
RUN = (
    "import sys; from transom.server import Config, run; "
    "sys.exit(run('mysite:app', Config(port=0, reload=True, reload_include=('*.md',), reload_exclude=('old',))))"
)


@pytest.mark.parametrize(
    ("path", "expected"),
    [
        ("/site/views.py", True),
        ("/site/templates/polls/index.html", True),
        ("/site/.env", True),
        ("/site/.env.local", True),
        ("/site/pyproject.toml", True),
        ("/site/static/site.css", False),
        ("/site/db.sqlite3", False),
        ("/site/__pycache__/views.cpython-311.pyc", False),
        ("/site/.git/config.py", False),
        ("/site/.venv/lib/x.py", False),
        ("/site/views.py~", False),
    ],
)
def test_source_asks_for_a_restart_and_the_rest_does_not(path: str, expected: bool) -> None:
    assert SourceFilter()(Change.modified, path) is expected


@pytest.mark.parametrize(
    ("path", "expected"),
    [
        ("/site/notes.md", True),
        ("/site/deep/down/notes.md", True),
        ("/site/content/deep/page.txt", True),
        ("/site/other/page.txt", False),
        ("/site/views.py", True),
        ("/site/generated/views.py", False),
        ("/site/apps/generated/views.py", False),
        ("/site/tests/data/case.py", False),
        ("/site/tests/case.py", True),
        ("/site/draft.md", False),
        ("/site/.git/notes.md", False),
    ],
)
def test_patterns_add_files_and_take_them_away(path: str, expected: bool) -> None:
    """Above the watched directory, names match nothing: a site may live in a folder called `generated`."""
    for folder in ("", "/home/generated"):
        wanted = SourceFilter(
            [Path(f"{folder}/site")], ["*.md", "content/*.txt"], ["generated", "tests/data/*", "draft.*"]
        )
        assert wanted(Change.modified, folder + path) is expected


class FakeProcess:
    """Remembers what is asked of it; `stubborn` ones end only when killed."""

    def __init__(self, *, stubborn: bool = False) -> None:
        self.calls: list[str] = []
        self.code: int | None = None
        self.stubborn = stubborn

    def poll(self) -> int | None:
        return self.code

    def wait(self, timeout: float) -> int | None:
        return self.code

    def terminate(self) -> None:
        self.calls.append("terminate")
        self.code = None if self.stubborn else 0

    def kill(self) -> None:
        self.calls.append("kill")
        self.code = -9

    def close(self) -> None:
        self.calls.append("close")


class FakeReloader(Reloader):
    """A reloader of fake processes."""

    def __init__(self) -> None:
        super().__init__("site:app", Config(reload=True))
        self.started: list[FakeProcess] = []
        self.stubborn = False

    def _start(self) -> FakeProcess:
        self.started.append(FakeProcess(stubborn=self.stubborn))
        return self.started[-1]


EDIT = {(Change.modified, "/site/views.py")}


def test_each_batch_of_changes_restarts_once() -> None:
    reloader = FakeReloader()
    reloader.follow([EDIT | {(Change.added, f"/site/{i}.py") for i in range(5)}, set(), EDIT])
    assert [process.calls for process in reloader.started] == [["terminate", "close"], []]


def test_worker_that_hangs_is_killed() -> None:
    reloader = FakeReloader()
    reloader.stubborn = True
    reloader.follow([EDIT, EDIT])
    assert reloader.started[0].calls == ["terminate", "kill", "close"]


def test_worker_that_ended_waits_for_the_next_change(caplog: pytest.LogCaptureFixture) -> None:
    reloader = FakeReloader()

    def batches() -> Iterator[set[tuple[Change, str]]]:
        yield EDIT
        reloader.started[0].code = 3
        yield set()
        yield set()
        assert len(reloader.started) == 1
        yield EDIT

    reloader.follow(batches())
    assert len(reloader.started) == 2
    assert caplog.text.count("waiting for a change") == 1


def test_directory_that_is_not_there_is_exit_code_3(tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    assert (
        Reloader("site:app", Config(port=0, reload=True, reload_dir=(str(tmp_path / "nosuch"),))).run() == 3
    )
    assert "nosuch to watch" in caplog.text


def test_directory_of_the_application_is_what_is_watched(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    assert Reloader("site:app", Config(port=0, reload=True, app_dir=str(tmp_path / "nosuch"))).run() == 3
    assert f"no directory {tmp_path / 'nosuch'} to watch" in caplog.text


def test_port_in_use_is_exit_code_3() -> None:
    with socket.create_server(("127.0.0.1", 0)) as taken:
        assert Reloader("site:app", Config(port=taken.getsockname()[1], reload=True)).run() == 3


@pytest.mark.slow
def test_edit_is_served_and_a_syntax_error_only_waits(tmp_path: Path) -> None:
    """The request sent while the code does not even parse is answered by the next worker that does."""
    source = tmp_path / "mysite.py"
    source.write_text(APP)
    process = subprocess.Popen(
        [sys.executable, "-c", RUN], cwd=tmp_path, stderr=subprocess.PIPE, stdin=subprocess.DEVNULL, text=True
    )
    assert process.stderr
    log = ""

    def wait_for(word: str) -> str:
        nonlocal log
        while True:
            assert process.stderr
            line = process.stderr.readline()
            log += line
            assert line, log
            if word in line:
                return line

    try:
        url = wait_for("serving on").split()[-1]
        source.write_text("this is no python")
        wait_for("waiting for a change")
        source.write_text(APP.replace("WORD", "again"))
        with urlopen(url, timeout=10) as response:
            assert response.read() == b"again"
        (tmp_path / "old").mkdir()
        (tmp_path / "old" / "views.py").write_text("")
        (tmp_path / "notes.md").write_text("")
        assert "old" not in wait_for("changed; restarting")
        wait_for("serving on")
        process.send_signal(signal.SIGINT)
        assert process.wait(10) == 0
        log += process.stderr.read()
        assert log.count("Traceback") == log.count("SyntaxError")
    finally:
        process.kill()
        process.wait()
        process.stderr.close()
