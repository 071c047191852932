"""The `transom` command: help, typos, and where it looks for the application."""

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


def test_every_option_of_the_server_is_a_flag_with_its_environment_variable():
    _, output = invoke("serve", "--help")
    for option in Config.options():
        assert option.flags[0].partition("/")[0] in output
        assert option.environment in output


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["--port", "70000"], "port 70000"),
        (["--workers", "0"], "workers 0"),
        (["--loop", "trio"], "'trio' is not one of"),
    ],
)
def test_a_bad_value_of_an_option_is_named(arguments: list[str], message: str):
    code, output = invoke("serve", "nothing:app", *arguments)
    assert code == 2
    assert message in output


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
