"""Reports: lines that are cut anywhere, and two ends of which neither waits for the other."""

from __future__ import annotations

import asyncio
import contextlib
import json
import socket
from collections.abc import Iterator
from math import inf

import pytest

from transom.server import Config
from transom.server.processes.report import MAX_LINE, Report, Reporter, ReportReader, measure_resident
from transom.server.state import ServerState

REPORTS = [Report(sequence=n, requests=n * 10, lag=0.25, metrics={"a": [n, None]}) for n in range(3)]
STREAM = b"".join(report.to_line() for report in REPORTS)


@pytest.fixture
def channel() -> Iterator[tuple[socket.socket, socket.socket]]:
    ours, theirs = socket.socketpair()
    ours.setblocking(False)
    theirs.setblocking(False)
    with ours, theirs:
        yield ours, theirs


@pytest.fixture
async def state() -> ServerState:
    async def app(scope, receive, send):
        raise NotImplementedError

    return ServerState(app, Config(access_log=False), asyncio.get_running_loop())


def test_report_survives_its_line() -> None:
    assert [Report.from_line(report.to_line()) for report in REPORTS] == REPORTS
    assert STREAM.count(b"\n") == len(REPORTS)


def test_newest_whole_report_is_given_wherever_the_stream_is_cut() -> None:
    for cut in range(len(STREAM)):
        reader = ReportReader()
        first, second = reader.receive_data(STREAM[:cut]), reader.receive_data(STREAM[cut:])
        whole = STREAM[:cut].count(b"\n")
        assert first == (REPORTS[whole - 1] if whole else None)
        assert second == REPORTS[-1]


def test_report_arrives_byte_by_byte() -> None:
    reader = ReportReader()
    assert list(filter(None, (reader.receive_data(bytes([byte])) for byte in STREAM))) == REPORTS


@pytest.mark.parametrize("line", [b"nonsense", b"[]", b'{"sequence": 0, "later": 1}', b"{}", b"\xff", b"3"])
def test_line_that_is_no_report_is_passed_over(line: bytes) -> None:
    reader = ReportReader()
    assert reader.receive_data(line + b"\n") is None
    assert reader.receive_data(REPORTS[0].to_line() + line + b"\n") == REPORTS[0]


def test_stream_without_line_ends_is_not_kept() -> None:
    reader = ReportReader()
    assert reader.receive_data(b"x" * (MAX_LINE + 1)) is None
    assert reader.receive_data(b"y\n" + REPORTS[0].to_line()) == REPORTS[0]


def test_reading_never_waits_and_tells_the_end(channel: tuple[socket.socket, socket.socket]) -> None:
    ours, theirs = channel
    reader = ReportReader()
    assert reader.read_nowait(ours) == (None, True)
    theirs.sendall(STREAM + STREAM[:10])
    assert reader.read_nowait(ours) == (REPORTS[-1], True)
    theirs.sendall(STREAM[10:])
    theirs.close()
    assert reader.read_nowait(ours) == (REPORTS[-1], False)


async def test_report_tells_the_state(
    channel: tuple[socket.socket, socket.socket], state: ServerState
) -> None:
    ours, theirs = channel
    state.requests, state.lag = 7, 0.5
    state.metrics_snapshot = lambda: {"hits": 3}
    Reporter(theirs, state)()
    report, _ = ReportReader().read_nowait(ours)
    assert report is not None
    assert (report.sequence, report.requests, report.connections, report.tasks) == (0, 7, 0, 0)
    assert (report.lag, report.metrics) == (0.5, {"hits": 3})
    assert report.resident > 1_000_000


async def test_worker_leaves_reports_out_while_nobody_reads(
    channel: tuple[socket.socket, socket.socket], state: ServerState
) -> None:
    ours, theirs = channel
    state.metrics_snapshot = lambda: {"blob": "x" * 50_000}
    report = Reporter(theirs, state)
    for _ in range(100):
        report()  # many times what the pipe holds
    received = b""
    for _ in range(3):
        with contextlib.suppress(BlockingIOError):
            while data := ours.recv(1_000_000):
                received += data
        report()  # first sends the rest of the one that was cut off
    sequences = [Report.from_line(line).sequence for line in received.splitlines()]
    assert sequences == sorted(set(sequences))
    assert sequences[0] == 0
    assert sequences[-1] > 100
    assert len(sequences) < 90


async def test_supervisor_that_is_gone_is_no_error(
    channel: tuple[socket.socket, socket.socket], state: ServerState
) -> None:
    ours, theirs = channel
    ours.close()
    report = Reporter(theirs, state)
    report()
    report()


async def test_tick_measures_how_late_it_is_and_calls_who_asked(state: ServerState) -> None:
    lags: list[float] = []
    state.on_tick.append(lambda: lags.append(state.lag))
    state.start_timer()
    state.stop_timer()
    state._due -= 3.0
    state.start_timer()
    state.stop_timer()
    assert lags[0] == 0.0
    assert 2.0 <= lags[1] + 1.0 < inf


async def test_tick_goes_on_when_one_of_those_it_calls_raises(state: ServerState) -> None:
    state.on_tick.append(lambda: 1 // 0)
    with pytest.raises(ZeroDivisionError):
        state.start_timer()
    assert state._timer is not None
    state.stop_timer()


async def test_requests_are_counted(serve, respond) -> None:
    running = await serve(respond())
    client = await running.connect()
    for count in range(1, 4):
        await client.get()
        assert running.server.state.requests == count


def test_memory_elsewhere_than_on_linux_is_the_peak(monkeypatch: pytest.MonkeyPatch) -> None:
    now = measure_resident()
    monkeypatch.setattr("builtins.open", lambda *args: (_ for _ in ()).throw(FileNotFoundError()))
    assert measure_resident() >= now * 0.9


def test_line_is_one_line_whatever_the_metrics_hold() -> None:
    line = Report(sequence=0, metrics={"text": "a\nb\u2028"}).to_line()
    assert line.index(b"\n") == len(line) - 1
    assert json.loads(line)["metrics"] == {"text": "a\nb\u2028"}
