"""The file with the process id."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from transom.server.exceptions import ConfigError
from transom.server.processes.pid_file import pid_file


def test_file_holds_the_id_while_the_server_runs(tmp_path: Path) -> None:
    path = tmp_path / "site.pid"
    with pid_file(str(path)):
        assert path.read_text() == f"{os.getpid()}\n"
        assert os.listdir(tmp_path) == ["site.pid"]
    assert os.listdir(tmp_path) == []


def test_file_left_behind_is_written_over(tmp_path: Path) -> None:
    """As after a container was killed: the id may well be that of another process now, which is none of our business."""
    path = tmp_path / "site.pid"
    path.write_text(f"{os.getppid()}\n")
    with pid_file(str(path)):
        assert path.read_text() == f"{os.getpid()}\n"


def test_file_of_another_server_is_left_alone(tmp_path: Path) -> None:
    path = tmp_path / "site.pid"
    with pid_file(str(path)):
        path.write_text("1\n")
    assert path.read_text() == "1\n"


def test_file_that_is_gone_is_no_error(tmp_path: Path) -> None:
    path = tmp_path / "site.pid"
    with pid_file(str(path)):
        path.unlink()


def test_file_that_cannot_be_written_says_what_to_do(tmp_path: Path) -> None:
    with (
        pytest.raises(ConfigError, match=r"such\.pid: .*--pid"),
        pid_file(str(tmp_path / "no" / "such.pid")),
    ):
        pass


def test_no_option_writes_nothing(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    with pid_file(None):
        assert os.listdir(tmp_path) == []
