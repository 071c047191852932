"""The `transom` command: help, typos, and where it looks for the application."""

import re
import subprocess
import sys
from pathlib import Path

import click
import pytest
from click.testing import CliRunner

from transom import __version__
from transom.cli.main import COMMANDS, cli
from transom.cli.project import find_app
from transom.server import Config


def invoke(*arguments: str) -> tuple[int, str]:
    result = CliRunner().invoke(cli, arguments, prog_name="transom")
    return result.exit_code, result.output


def test_help_lists_every_command():
    code, output = invoke("--help")
    assert code == 0
    assert all(name in output for name in COMMANDS)


def test_version():
    assert invoke("--version") == (0, f"transom, version {__version__}\n")


@pytest.mark.parametrize("name", COMMANDS)
def test_every_command_has_help(name: str):
    code, output = invoke(name, "--help")
    assert code == 0
    assert output.startswith(f"Usage: transom {name}")


@pytest.mark.parametrize(("typed", "meant"), [("sreve", "serve"), ("migrat", "migrate"), ("route", "routes")])
def test_a_mistyped_command_names_the_close_one(typed: str, meant: str):
    code, output = invoke(typed)
    assert code == 2
    assert f"no command {typed!r}; did you mean {meant!r}?" in output


def test_a_mistyped_option_names_the_close_one():
    code, output = invoke("serve", "--wrokers", "2")
    assert code == 2
    assert "--workers" in output


def test_help_of_serve_lists_every_option_under_its_heading():
    _, output = invoke("serve", "--help")
    sections = dict(re.findall(r"^(\S[^\n]*):\n((?:  .*\n|\n)+)", output, re.MULTILINE))
    for option in Config.options():
        flag = option.flags[0].partition("/")[0]
        spelling = flag.replace("--", "--[no-]") if option.type is bool else flag
        assert re.search(rf"{re.escape(spelling)}[,\s]", sections[option.group])
    assert "-c, --config FILE" in sections["Configuration"]
    assert "--timeout-keep-alive, --keep-alive NUMBER" in output
    assert "Seconds an idle connection is kept. [75]" in output


def test_help_of_serve_imports_nothing_of_the_framework():
    """It is typed often, and one who serves another framework's application needs none of it."""
    code = "import sys; import transom.cli.commands.serve; print('pydantic' in sys.modules, 'watchfiles' in sys.modules)"
    assert subprocess.check_output([sys.executable, "-c", code], text=True) == "False False\n"


class TestFindApp:
    @pytest.fixture(autouse=True)
    def folder(self, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
        monkeypatch.chdir(tmp_path)
        monkeypatch.syspath_prepend(str(tmp_path))
        return tmp_path

    def test_what_is_named_wins(self, folder: Path):
        (folder / "pyproject.toml").write_text('[tool.transom]\napp = "other:app"\n')
        assert find_app("named:app") == "named:app"

    def test_pyproject_wins_over_files(self, folder: Path):
        (folder / "pyproject.toml").write_text('[tool.transom]\napp = "site.app:app"\n')
        (folder / "app.py").touch()
        assert find_app(None) == "site.app:app"

    @pytest.mark.parametrize("name", ["app", "main"])
    def test_the_usual_files_are_found(self, folder: Path, name: str):
        (folder / f"{name}.py").touch()
        assert find_app(None) == f"{name}:app"

    def test_nothing_found_says_what_to_do(self):
        with pytest.raises(click.UsageError, match=r"\[tool\.transom\]"):
            find_app(None)

    @pytest.mark.parametrize(
        ("text", "message"), [("[tool", "not valid TOML"), ("[tool.transom]\napp = 1", "expected text")]
    )
    def test_a_bad_pyproject_is_named(self, folder: Path, text: str, message: str):
        (folder / "pyproject.toml").write_text(text)
        with pytest.raises(click.ClickException, match=message):
            find_app(None)
