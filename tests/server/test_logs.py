"""Where log records go, and that nobody can forge one."""

from __future__ import annotations

import json
import logging
from pathlib import Path

import pytest

from transom.server import Config, run
from transom.server.exceptions import ConfigError
from transom.server.processes.logs import LogFormatter, configure_logging

pytestmark = pytest.mark.usefixtures("loggers")


def test_messages_go_to_stderr_and_the_access_log_to_stdout(capsys: pytest.CaptureFixture[str]) -> None:
    configure_logging(Config())
    configure_logging(Config())  # once is enough
    logging.getLogger("transom.server").info("hello")
    logging.getLogger("transom.server").debug("hidden")
    logging.getLogger("transom.access").info("GET /")
    out, err = capsys.readouterr()
    assert out == "GET /\n"
    assert err.endswith("] INFO hello\n")
    assert err.count("\n") == 1


def test_level_of_messages_does_not_turn_the_access_log_off(capsys: pytest.CaptureFixture[str]) -> None:
    configure_logging(Config(log_level="error"))
    logging.getLogger("transom.server").warning("hidden")
    logging.getLogger("transom.access").info("GET /")
    assert capsys.readouterr() == ("GET /\n", "")


def test_logging_that_is_configured_stays() -> None:
    mine = logging.NullHandler()
    logging.getLogger("transom").addHandler(mine)
    configure_logging(Config(log_level="warning"))
    assert logging.getLogger("transom").handlers == [mine]


@pytest.mark.parametrize("character", ["\x1b", "\r", "\x00", "\x7f", "\x85", "\x9b", "\u2028", "\u202e"])
def test_control_characters_of_a_message_and_of_a_traceback_are_escaped(character: str) -> None:
    try:
        raise ValueError(f"bad {character} value")
    except ValueError as exc:
        trouble = (type(exc), exc, exc.__traceback__)
    record = logging.LogRecord("x", logging.ERROR, "", 0, "in %s", (f"/{character}",), trouble)
    text = LogFormatter().format(record)
    code = f"\\x{ord(character):02x}" if ord(character) < 256 else f"\\u{ord(character):04x}"
    assert text.startswith(f"in /{code}\n  Traceback (most")
    assert text.endswith(f"ValueError: bad {code} value")


def test_line_feed_begins_no_record_of_its_own() -> None:
    record = logging.LogRecord("x", logging.ERROR, "", 0, "a\n2026-01-01 ERROR forged\n\tb", None, None)
    assert LogFormatter().format(record) == "a\n  2026-01-01 ERROR forged\n  \tb"


TOML = """
[formatters.short]
format = "%(levelname)s %(message)s"

[handlers.file]
class = "logging.FileHandler"
filename = "FILE"
formatter = "short"

[loggers."app.of.the.user"]
handlers = ["file"]

[loggers.transom]
handlers = ["file"]
propagate = false
"""


@pytest.mark.parametrize("kind", ["toml", "json"])
def test_file_configures_any_logger(tmp_path: Path, kind: str) -> None:
    """Loggers that exist already go on, whatever dictConfig's own default is."""
    import tomllib

    text = TOML.replace("FILE", str(tmp_path / "log"))
    path = tmp_path / f"logging.{kind}"
    path.write_text(text if kind == "toml" else json.dumps(tomllib.loads(text)))
    configure_logging(Config(log_config=str(path)))
    logging.getLogger("transom.server").info("hello")
    logging.getLogger("transom.server").debug("hidden")
    logging.getLogger("transom.access").info("GET /")
    logging.getLogger("app.of.the.user").warning("mine")
    for handler in logging.getLogger("app.of.the.user").handlers[:]:
        logging.getLogger("app.of.the.user").removeHandler(handler)
        handler.close()
    assert (tmp_path / "log").read_text() == "INFO hello\nINFO GET /\nWARNING mine\n"


def test_level_that_the_file_names_wins(tmp_path: Path) -> None:
    (tmp_path / "logging.toml").write_text('[loggers.transom]\nlevel = "ERROR"\n')
    configure_logging(Config(log_config=str(tmp_path / "logging.toml"), log_level="debug"))
    assert logging.getLogger("transom").level == logging.ERROR


@pytest.mark.parametrize(
    ("name", "text", "message"),
    [
        ("nosuch.toml", None, "cannot read the logging configuration .*nosuch.toml: No such file"),
        ("bad.toml", "[handlers\nx = 1\n", r"bad.toml is not valid TOML: .*line 1"),
        ("bad.json", "{", r"bad.json is not valid JSON: .*line 1"),
        ("list.json", "[]", "list.json must be an object"),
        ("bytes.toml", b"\xff", "cannot read the logging configuration .*bytes.toml: .*utf-8"),
        ("class.toml", '[handlers.x]\nclass = "nosuch.Handler"\n', "class.toml says: .*'x': .*nosuch"),
        ("level.toml", '[root]\nlevel = "LOUD"\n', "level.toml says: .*Unknown level: 'LOUD'"),
    ],
)
def test_file_that_cannot_be_used_is_named_with_the_reason(
    tmp_path: Path, name: str, text: str | bytes | None, message: str, capsys: pytest.CaptureFixture[str]
) -> None:
    path = tmp_path / name
    if text is not None:
        path.write_bytes(text if isinstance(text, bytes) else text.encode())
    with pytest.raises(ConfigError, match=message):
        configure_logging(Config(log_config=str(path)))
    assert run("site:app", Config(log_config=str(path))) == 3
    error = capsys.readouterr().err
    assert name in error
    assert error.count("\n") == 1
