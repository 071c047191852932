"""Serving in this process: logging, the choice of the loop, exit codes."""

from __future__ import annotations

import asyncio
import gc
import sys
from collections.abc import Iterator
from typing import Any

import pytest

from transom.server import Config, run
from transom.server.exceptions import LoadError
from transom.server.processes.process import choose_loop_factory, serve_in_process

pytestmark = pytest.mark.usefixtures("loggers")


async def site(scope: Any, receive: Any, send: Any) -> None:
    raise NotImplementedError


def test_loop_is_uvloop_where_it_is_installed(monkeypatch: pytest.MonkeyPatch) -> None:
    uvloop = pytest.importorskip("uvloop")
    assert choose_loop_factory("asyncio") is None
    assert choose_loop_factory("auto") is uvloop.new_event_loop
    assert choose_loop_factory("uvloop") is uvloop.new_event_loop
    monkeypatch.setattr("importlib.util.find_spec", lambda name: None)
    assert choose_loop_factory("auto") is None
    with pytest.raises(LoadError, match="not installed"):
        choose_loop_factory("uvloop")


def test_serve_returns_0_after_an_orderly_end() -> None:
    def stop(server: Any) -> None:
        assert asyncio.current_task() is not None
        server.request_stop()

    assert serve_in_process(site, Config(port=0), on_started=stop) == 0


@pytest.fixture
def collector() -> Iterator[None]:
    """The garbage collector as in a new process, put back as it was afterwards."""
    before = gc.get_threshold()
    yield
    gc.set_threshold(*before)


@pytest.mark.usefixtures("collector")
@pytest.mark.parametrize(
    ("before", "while_serving"),
    [
        ((700, 10, 10), (200, 10, 100)),  # CPython 3.12
        ((2000, 10, 10), (200, 10, 100)),  # CPython 3.13
        ((50_000, 500, 1000), (50_000, 500, 1000)),  # what an application has set stays
        ((0, 10, 10), (0, 10, 10)),  # off
    ],
)
def test_collector_takes_small_steps_unless_the_application_has_said_otherwise(
    before: tuple[int, int, int], while_serving: tuple[int, int, int]
) -> None:
    seen: list[tuple[int, int, int]] = []

    def look(server: Any) -> None:
        seen.append(gc.get_threshold())
        server.request_stop()

    gc.set_threshold(*before)
    assert serve_in_process(site, Config(port=0), on_started=look) == 0
    assert seen == [while_serving]


async def refuse(scope: Any, receive: Any, send: Any) -> None:
    await receive()
    await send({"type": "lifespan.startup.failed", "message": "no database"})


def test_refused_start_up_is_exit_code_3(capsys: pytest.CaptureFixture[str]) -> None:
    assert run(refuse, Config(port=0)) == 3
    assert "no database" in capsys.readouterr().err


@pytest.mark.parametrize(("target", "code"), [("nosuch:app", 3), ("malformed", 3)])
def test_target_that_cannot_be_loaded_is_exit_code_3(target: str, code: int) -> None:
    assert run(target) == code


def test_application_that_fails_to_import_shows_its_traceback(
    tmp_path: Any, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    (tmp_path / "broken_site.py").write_text("1 / 0")
    monkeypatch.syspath_prepend(str(tmp_path))
    assert run("broken_site:app", Config(port=0)) == 3
    assert "ZeroDivisionError" in capsys.readouterr().err


def test_interrupt_before_the_start_is_130(tmp_path: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "interrupted_site.py").write_text("raise KeyboardInterrupt")
    monkeypatch.syspath_prepend(str(tmp_path))
    assert run("interrupted_site:app", Config(port=0)) == 130
    sys.modules.pop("interrupted_site", None)


@pytest.mark.parametrize("options", [{"workers": 2}, {"reload": True}, {"limit_max_requests": 1}])
def test_other_processes_need_a_target_that_can_be_imported(
    options: dict[str, Any], capsys: pytest.CaptureFixture[str]
) -> None:
    assert run(site, Config(port=0, **options)) == 3
    assert "pass 'module:attribute'" in capsys.readouterr().err


def test_file_for_the_process_id_that_cannot_be_written_is_exit_code_3(
    tmp_path: Any, capsys: pytest.CaptureFixture[str]
) -> None:
    assert run(site, Config(port=0, pid=str(tmp_path / "no" / "such.pid"))) == 3
    assert "choose another file with --pid" in capsys.readouterr().err
