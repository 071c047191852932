"""A new site works at once: from `transom new` to a page, a migration, the shell and its own tests."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time
import urllib.request
from pathlib import Path

import pytest
from click.testing import CliRunner

from transom.cli.main import cli

TRANSOM = [sys.executable, "-m", "transom"]


def environment() -> dict[str, str]:
    return {
        name: value
        for name, value in os.environ.items()
        if not name.startswith(("TRANSOM_", "DATABASE_URL", "PYTEST_"))
    }


def transom(folder: Path, *arguments: str, code: int = 0) -> str:
    done = subprocess.run(
        [*TRANSOM, *arguments], cwd=folder, env=environment(), capture_output=True, text=True, timeout=60
    )
    assert done.returncode == code, done.stdout + done.stderr
    assert "Traceback" not in done.stderr, done.stderr
    return done.stdout + done.stderr


@pytest.fixture(scope="module")
def site(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("new")
    transom(folder, "new", "bulletin")
    transom(folder / "bulletin", "makemigrations")
    transom(folder / "bulletin", "migrate")
    return folder / "bulletin"


@pytest.mark.slow
class TestNewSite:
    def test_its_migrations_are_applied_once(self, site: Path):
        assert "No changes." in transom(site, "makemigrations", "--check")
        assert "up to date" in transom(site, "migrate")
        assert "0001_initial" in transom(site, "migrate", "--plan")

    def test_it_has_no_mistakes(self, site: Path):
        assert "No mistakes found." in transom(site, "check")
        assert "conf.E003" in transom(site, "check", "--deploy", code=1)  # .env turns debug on

    def test_its_routes_are_listed(self, site: Path):
        output = transom(site, "routes")
        assert "index" in output
        assert "views.index" in output

    def test_the_shell_awaits_and_knows_the_models(self, site: Path):
        output = transom(
            site,
            "shell",
            "-c",
            "await Note.objects.create(text='from the shell'); print(await Note.objects.count())",
        )
        assert int(output.strip()) >= 1
        assert (
            "ZeroDivisionError"
            in subprocess.run(
                [*TRANSOM, "shell", "-c", "1/0"],
                cwd=site,
                env=environment(),
                capture_output=True,
                text=True,
                timeout=60,
            ).stderr
        )

    def test_the_interactive_shell_reads_statements(self, site: Path):
        done = subprocess.run(
            [*TRANSOM, "shell"],
            cwd=site,
            env=environment(),
            input="note = await Note.objects.create(text='typed')\nprint(note.text * 2)\n",
            capture_output=True,
            text=True,
            timeout=60,
        )
        assert done.returncode == 0
        assert "typedtyped" in done.stdout

    def test_its_own_tests_pass(self, site: Path):
        done = subprocess.run(
            [sys.executable, "-m", "pytest", "-q"],
            cwd=site,
            env=environment(),
            capture_output=True,
            text=True,
            timeout=60,
        )
        assert done.returncode == 0, done.stdout + done.stderr

    def test_it_is_served_and_stops_cleanly(self, site: Path, unused_port: int):
        server = subprocess.Popen(
            [*TRANSOM, "run", "--port", str(unused_port)],
            cwd=site,
            env=environment(),
            stderr=subprocess.PIPE,
            text=True,
        )
        try:
            assert "bulletin" in fetch(f"http://127.0.0.1:{unused_port}/", server)
        finally:
            server.send_signal(signal.SIGINT)
            _, errors = server.communicate(timeout=15)
        assert server.returncode == 0
        assert f"http://127.0.0.1:{unused_port}" in errors
        assert "Traceback" not in errors


def fetch(url: str, server: subprocess.Popen[str]) -> str:
    deadline = time.monotonic() + 20
    while time.monotonic() < deadline:
        assert server.poll() is None, server.communicate()
        try:
            with urllib.request.urlopen(url, timeout=2) as response:
                return response.read().decode()
        except OSError:
            time.sleep(0.05)  # nothing tells when a port begins to answer
    raise AssertionError(f"{url} does not answer")


@pytest.mark.parametrize(
    ("name", "message"),
    [("my-site", "no Python identifier"), ("class", "no Python identifier"), ("test", "hide")],
)
def test_a_name_that_cannot_be_imported_is_refused(name: str, message: str):
    result = CliRunner().invoke(cli, ["new", name])
    assert result.exit_code == 2
    assert message in result.output


def test_a_folder_with_files_is_left_alone(tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    monkeypatch.chdir(tmp_path)
    (tmp_path / "shop").mkdir()
    (tmp_path / "shop" / "precious.txt").write_text("mine")
    result = CliRunner().invoke(cli, ["new", "shop"])
    assert result.exit_code == 1
    assert "not empty" in result.output
    assert [path.name for path in (tmp_path / "shop").iterdir()] == ["precious.txt"]


@pytest.mark.slow
@pytest.mark.parametrize(
    ("arguments", "code", "message"),
    [
        (["run", "--no-reload", "nowhere:app"], 3, "nowhere"),
        (["serve", "broken:ap"], 3, "did you mean 'app'"),
        (["routes", "--app", "broken:text"], 1, "str"),
        (["check", "--app", "broken:typo"], 1, "debgu"),
        (["migrate", "--app", "broken:app"], 1, "no database"),
        (["migrate", "--app", "broken:unreachable"], 1, "127.0.0.1:1"),
    ],
)
def test_a_mistake_is_one_line_that_says_what_to_do(
    tmp_path: Path, arguments: list[str], code: int, message: str
):
    (tmp_path / "broken.py").write_text(
        "import os\n"
        "from transom.web import App\n"
        "app = App([])\n"
        "text = 'no application'\n"
        "unreachable = App([], databases={'default': 'postgresql://u:hunter2@127.0.0.1:1/x'})\n"
        "def __getattr__(name):\n"
        "    if name == 'typo':\n"
        "        return App([], debgu=True)\n"
        "    raise AttributeError(name)\n"
    )
    output = transom(tmp_path, *arguments, code=code)
    assert message in output
    assert "hunter2" not in output
