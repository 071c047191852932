"""Where values of options come from, which of them wins, and how a mistake in each is told."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from transom.server import Config, run
from transom.server.env_file import ChildEnvironment, load_env_file
from transom.server.exceptions import ConfigError
from transom.server.option_sources import (
    ConfigFile,
    build_config,
    read_command_line,
    read_config_file,
    read_environment,
)


def typed(*arguments: str, **options: Any) -> dict[str, Any]:
    """Return the source that a command line makes, with what click finds in it."""
    nothing: dict[str, Any] = {option.name: () if option.multiple else None for option in Config.options()}
    return read_command_line(nothing | options, arguments)


def read(tmp_path: Path, text: str, name: str = "site.toml") -> ConfigFile:
    path = tmp_path / name
    path.write_text(text)
    return read_config_file(path)


def test_command_line_wins_over_environment_over_file_over_default(tmp_path: Path):
    file = read(tmp_path, "port = 1\nbacklog = 1\nworkers = 1\n").source
    environment = read_environment({"TRANSOM_SERVE_PORT": "2", "TRANSOM_SERVE_BACKLOG": "2"})
    config = build_config(typed("--port", "3", port="3"), environment, file)
    assert (config.port, config.backlog, config.workers, config.host) == (3, 2, 1, "127.0.0.1")


def test_environment_has_every_type_and_empty_variables_say_nothing():
    variables = {
        "TRANSOM_SERVE_PORT": "9000",
        "TRANSOM_SERVE_TIMEOUT_KEEP_ALIVE": "2.5",
        "TRANSOM_SERVE_ACCESS_LOG": "off",
        "TRANSOM_SERVE_RELOAD": "TRUE",
        "TRANSOM_SERVE_HEADER": "x-a:1 'x-b: two words'",
        "TRANSOM_SERVE_UDS": "",
        "PATH": "/bin",
    }
    config = build_config(read_environment(variables))
    assert config == Config(
        port=9000, timeout_keep_alive=2.5, access_log=False, reload=True, header=("x-a:1", "x-b: two words")
    )


@pytest.mark.parametrize(
    ("name", "value", "message"),
    [
        ("PORT", "http", "TRANSOM_SERVE_PORT: 'http' is not a whole number"),
        ("PORT", "70000", "TRANSOM_SERVE_PORT: 70000 is not a port; choose from 0 to 65535"),
        ("RELOAD", "maybe", "TRANSOM_SERVE_RELOAD: 'maybe' is not true or false"),
        ("TIMEOUT_BODY", "soon", "TRANSOM_SERVE_TIMEOUT_BODY: 'soon' is not a number"),
        ("HEADER", "'x:1", 'TRANSOM_SERVE_HEADER: "\'x:1" cannot be split: No closing quotation'),
        ("PROT", "1", "no option TRANSOM_SERVE_PROT; did you mean TRANSOM_SERVE_PORT?"),
        ("XYZZY", "1", "no option TRANSOM_SERVE_XYZZY; `transom serve --help` lists them"),
    ],
)
def test_mistake_in_the_environment_names_the_variable(name: str, value: str, message: str):
    with pytest.raises(ConfigError) as caught:
        build_config(read_environment({f"TRANSOM_SERVE_{name}": value}))
    assert str(caught.value) == message


@pytest.mark.parametrize(
    ("arguments", "options", "message"),
    [
        (["--port", "x"], {"port": "x"}, "--port: 'x' is not a whole number"),
        (["-p70000"], {"port": "70000"}, "-p: 70000 is not a port; choose from 0 to 65535"),
        (["--max-requests=-1"], {"limit_max_requests": "-1"}, "--max-requests: -1 must not be negative"),
        (["app:app"], {"workers": "0"}, "--workers: 0 must be at least 1"),
    ],
)
def test_mistake_on_the_command_line_names_the_flag_that_was_typed(
    arguments: list[str], options: dict[str, Any], message: str
):
    with pytest.raises(ConfigError) as caught:
        build_config(typed(*arguments, **options))
    assert str(caught.value) == message


def test_file_has_types_and_keys_with_dashes_or_underscores(tmp_path: Path):
    file = read(
        tmp_path,
        'app = "site:app"\nlog-level = "debug"\ntimeout_keep_alive = 5\nreload = true\nbind = [":80", "unix:/x"]\n',
    )
    assert file.app == "site:app"
    assert build_config(file.source) == Config(
        log_level="debug", timeout_keep_alive=5.0, reload=True, bind=(":80", "unix:/x")
    )


def test_pyproject_has_a_table_of_its_own(tmp_path: Path):
    text = "[project]\nname = 'x'\n[tool.transom]\napp = 'x:app'\n[tool.transom.serve]\nport = 9000\n"
    assert read(tmp_path, text, "pyproject.toml").source["port"].value == 9000
    for text in ("", "[tool]\ntransom = 1", "[tool.transom]\napp = 'x:app'"):
        assert read(tmp_path, text, "pyproject.toml") == ({}, None)


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("prot = 1", "no option 'prot' in FILE; did you mean port?"),
        ("log-levl = 'info'", "no option 'log-levl' in FILE; did you mean log-level?"),
        ("apps = 'x:app'", "no option 'apps' in FILE; did you mean app?"),
        ("[serve]\nport = 1", "no option 'serve' in FILE; `transom serve --help` lists them"),
        ("port = '9000'", "port in FILE: '9000' is not a whole number"),
        ("port = true", "port in FILE: True is not a whole number"),
        ("port = 1.0", "port in FILE: 1.0 is not a whole number"),
        ("port = 70000", "port in FILE: 70000 is not a port; choose from 0 to 65535"),
        ("host = 1", "host in FILE: 1 is not text"),
        ("reload = 'yes'", "reload in FILE: 'yes' is not true or false"),
        ("timeout-body = '1'", "timeout-body in FILE: '1' is not a number"),
        ("bind = ':80'", "bind in FILE: ':80' is not a list of text"),
        ("bind = [80]", "bind in FILE: 80 is not text"),
        ("app = 1", "app in FILE: 1 is not text such as 'module:app'"),
        ("log-level = 'info'\nlog_level = 'info'", "log_level in FILE is there as log-level, too"),
        ("port = ?", "FILE is not valid TOML: Invalid value (at line 1, column 8)"),
    ],
)
def test_mistake_in_a_file_names_the_key_and_the_file(tmp_path: Path, text: str, message: str):
    with pytest.raises(ConfigError) as caught:
        build_config(read(tmp_path, text).source)
    assert str(caught.value) == message.replace("FILE", str(tmp_path / "site.toml"))


def test_file_that_is_not_there_or_not_text_is_named(tmp_path: Path):
    with pytest.raises(ConfigError, match=r"cannot read .*nosuch\.toml: No such file"):
        read_config_file(tmp_path / "nosuch.toml")
    (tmp_path / "site.toml").write_bytes(b"\xff")
    with pytest.raises(ConfigError, match=r"site\.toml is not valid TOML: .*utf-8"):
        read_config_file(tmp_path / "site.toml")
    with pytest.raises(ConfigError, match=r"\[tool.transom.serve\] in .* is not a table"):
        read(tmp_path, "[tool.transom]\nserve = 1", "pyproject.toml")


def test_env_file_adds_what_is_not_there(tmp_path: Path):
    path = tmp_path / ".env"
    path.write_text('# a comment\nHERE=file\nexport NAME="two words"\n\nURL=db://${NAME}\nEMPTY=\n')
    environment = {"HERE": "before"}
    load_env_file(str(path), environment)
    assert environment == {"HERE": "before", "NAME": "two words", "URL": "db://two words", "EMPTY": ""}


@pytest.mark.parametrize(
    ("text", "message"),
    [
        (None, "cannot read the environment file FILE: No such file or directory"),
        (b"GOOD=1\nBAD LINE\n", "line 2 of the environment file FILE is not NAME=value"),
        (b"GOOD=1\nBAD\n", "line 2 of the environment file FILE is not NAME=value"),
        (b"BAD='no end\n", "line 1 of the environment file FILE is not NAME=value"),
        (b"\xff", "the environment file FILE is not UTF-8: invalid start byte"),
    ],
)
def test_mistake_in_an_env_file_names_the_line(tmp_path: Path, text: bytes | None, message: str):
    path = tmp_path / ".env"
    if text is not None:
        path.write_bytes(text)
    with pytest.raises(ConfigError) as caught:
        load_env_file(str(path), {})
    assert str(caught.value) == message.replace("FILE", str(path))


@pytest.mark.usefixtures("loggers")
def test_later_processes_get_what_the_file_says_by_then(tmp_path: Path):
    """What the environment said before wins still; what has gone from the file is gone."""
    path = tmp_path / ".env"
    path.write_text("KEPT=1\nCHANGED=1\nGONE=1\nOURS=file\n")
    environment = {"OURS": "before", "OTHER": "x"}
    load_env_file(str(path), environment)
    children = ChildEnvironment(str(path), environment)
    assert children.build() == environment
    path.write_text("KEPT=1\nCHANGED=2\nOURS=file\nNEW=1\n")
    assert children.build() == {"KEPT": "1", "CHANGED": "2", "OURS": "before", "OTHER": "x", "NEW": "1"}
    path.write_text("not a line")
    with pytest.raises(ConfigError):
        children.build()


def test_without_a_file_later_processes_get_the_environment():
    assert ChildEnvironment(None, {"A": "1"}).build() == {"A": "1"}


@pytest.mark.usefixtures("loggers")
def test_run_loads_the_env_file_before_the_application(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
):
    (tmp_path / ".env").write_text("TEST_OF_ENV_FILE=from the file\n")
    (tmp_path / "site_with_env.py").write_text("import os; raise SystemError(os.environ['TEST_OF_ENV_FILE'])")
    monkeypatch.syspath_prepend(str(tmp_path))
    monkeypatch.setenv("TEST_OF_ENV_FILE", "")  # so that it is put back
    monkeypatch.delenv("TEST_OF_ENV_FILE")
    assert run("site_with_env:app", Config(port=0, env_file=str(tmp_path / ".env"))) == 3
    assert run("site_with_env:app", Config(port=0, env_file="nosuch")) == 3
    error = capsys.readouterr().err
    assert "SystemError: from the file" in error
    assert "cannot read the environment file nosuch" in error
