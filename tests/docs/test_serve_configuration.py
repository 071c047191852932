"""The how-to about configuration, logs and metrics says what the server does."""

from __future__ import annotations

import logging
import re
from pathlib import Path

import pytest

from transom.server import Config
from transom.server.exceptions import ConfigError
from transom.server.logs.access_format import _ATOMS, compile_format
from transom.server.metrics.text import FAMILIES
from transom.server.option_sources import build_config, read_config_file
from transom.server.processes.logs import configure_logging

PAGE = (Path(__file__).parents[2] / "docs/howto/logs-and-metrics.md").read_text(encoding="utf-8")


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A directory with the files that the page shows."""
    for name, text in re.findall(r'```toml title="([^"]+)"\n(.*?)```', PAGE, re.DOTALL):
        (tmp_path / name).write_text(text)
    monkeypatch.chdir(tmp_path)
    return tmp_path


def test_configuration_file_is_one(folder: Path):
    file = read_config_file(Path("serve.toml"))
    config = build_config(file.source)
    assert (file.app, config.workers, config.access_log_format) == ("mysite.app:app", 4, "json")


def test_mistake_is_told_as_printed(folder: Path):
    (folder / "serve.toml").write_text("worker = 4\n")
    with pytest.raises(ConfigError) as caught:
        read_config_file(Path("serve.toml"))
    assert f"Error: {caught.value}\n" in PAGE


@pytest.mark.usefixtures("loggers")
def test_logging_configuration_is_one(folder: Path):
    root = logging.getLogger()
    before = root.handlers[:], root.level
    configure_logging(Config(log_config="logging.toml"))
    (handler,) = root.handlers
    logging.getLogger("transom.access").info("GET /")
    handler.close()
    root.handlers = before[0]
    root.setLevel(before[1])
    assert (folder / "server.log").read_text().endswith(" transom.access INFO GET /\n")


def test_every_atom_is_named_and_none_that_is_not_there():
    named = re.findall(r"`(%\([^)]+\)s)`", "\n".join(line for line in PAGE.splitlines() if line[:1] == "|"))
    assert all(compile_format(atom) for atom in named)
    assert {atom[2:-2] for atom in named if "{" not in atom} == set(_ATOMS)


def test_every_metric_is_named_and_none_that_is_not_there():
    assert set(re.findall(r"transom_\w+", PAGE)) == {name for name, _, _ in FAMILIES}
