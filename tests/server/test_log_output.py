"""Log lines never make the server wait, arrive whole, and are counted where they are lost."""

from __future__ import annotations

import io
import logging
import os
import socket
from collections.abc import Iterator
from pathlib import Path

import pytest

from transom.server.logs import output as log_output
from transom.server.logs.output import MAX_WAITING, DescriptorOutput, LineHandler

LINE = "x" * 999  # and its end: a thousand bytes


@pytest.fixture
def pipe() -> Iterator[tuple[int, int]]:
    reading, writing = os.pipe()
    yield reading, writing
    os.close(reading)
    os.close(writing)


def fill(output: DescriptorOutput) -> int:
    """Write until lines are lost; return how many were written."""
    for count in range(0, 10_000, 100):
        output.write([LINE] * 100)
        if output.lost:
            return count + 100
    raise AssertionError("nothing was ever lost")


def test_full_pipe_is_not_waited_for_and_keeps_a_megabyte(pipe: tuple[int, int]):
    reading, writing = pipe
    output = DescriptorOutput(writing)
    written = fill(output)
    assert output.is_behind
    received = b""
    while len(received) < MAX_WAITING:
        received += os.read(reading, 65_536)
        output.write(["."])
    assert set(received.split(b"\n")[:-1]) <= {LINE.encode(), b"."}
    while output.is_behind:
        os.read(reading, 65_536)
        output.write([])
    assert 0 < output.lost < written
    output.close()


def test_pipe_itself_still_waits_for_others_who_write_to_it(pipe: tuple[int, int]):
    """The flag belongs to the open pipe, which is shared with the shell and with the application's own print()."""
    DescriptorOutput(pipe[1]).close()
    assert os.get_blocking(pipe[1])


def test_writes_to_a_pipe_are_whole_lines_that_fit(pipe: tuple[int, int]):
    """So that the lines of several workers are not mixed up (POSIX: writes of up to PIPE_BUF bytes are atomic)."""
    pieces = list(log_output._join([LINE] * 10 + ["y" * 5000, "z"], 4096))
    assert all(piece.endswith(b"\n") for piece in pieces)
    assert [len(piece) for piece in pieces] == [4000, 4000, 2000, 5001, 2]


def test_slow_socket_is_not_waited_for():
    """What systemd gives a service as its stdout."""
    ours, theirs = socket.socketpair()
    with ours, theirs:
        output = DescriptorOutput(ours.fileno())
        fill(output)
        assert theirs.recv(10) == b"x" * 10
        theirs.close()
        output.close()
        assert not output.is_behind


def test_file_gets_lines_in_order_behind_those_of_others(tmp_path: Path):
    with (tmp_path / "log").open("w+") as file:
        output = DescriptorOutput(file.fileno())
        output.write(["one"])
        os.write(file.fileno(), b"other\n")
        output.write(["two", "dr\udcc3i"])
        output.close()
        output.close()
        output.write(["after the end"])
    assert (tmp_path / "log").read_text() == "one\nother\ntwo\ndr\\udcc3i\n"


def test_reader_that_is_gone_costs_lines_and_nothing_else(pipe: tuple[int, int]):
    reading, writing = os.pipe()
    output = DescriptorOutput(writing)
    os.close(reading)
    output.write(["a", "b"])
    assert output.lost == 2
    output.close()
    os.close(writing)


def test_what_waits_at_the_end_is_given_a_last_chance(pipe: tuple[int, int], monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setattr(log_output, "LAST_WAIT", 0.02)
    reading, writing = pipe
    output = DescriptorOutput(writing)
    fill(output)
    output.close()  # nobody reads: it returns all the same
    assert os.read(reading, 10) == b"x" * 10


def test_where_a_pipe_cannot_be_opened_again_it_is_written_to_as_it_is(
    pipe: tuple[int, int], monkeypatch: pytest.MonkeyPatch
):
    def refuse(*arguments: object) -> int:
        raise PermissionError

    monkeypatch.setattr(os, "open", refuse)
    output = DescriptorOutput(pipe[1])
    output.write(["line"])
    assert os.read(pipe[0], 10) == b"line\n"
    output.close()


def record(text: str) -> logging.LogRecord:
    return logging.LogRecord("transom", logging.INFO, "", 0, text, None, None)


def test_lost_lines_are_told_of_in_the_next_one():
    stream = io.StringIO()
    handler = LineHandler(stream)
    handler.emit(record("before"))
    handler._output.lost = 7
    handler.emit(record("after"))
    handler.emit(record("later"))
    assert stream.getvalue() == "before\nafter [7 lines before this one were lost]\nlater\n"
    handler.close()


def test_first_loss_is_told_at_once_and_further_ones_when_the_reader_has_caught_up(pipe: tuple[int, int]):
    with open(pipe[1], "w", closefd=False) as stream:
        handler = LineHandler(stream)
        handler.write_lines([LINE] * 3000)
        first = handler.take_lost()
        assert first == handler.lost > 0
        handler.write_lines([LINE] * 100)
        assert handler.take_lost() == 0
        while handler._output.is_behind:
            os.read(pipe[0], 65_536)
            handler.write_lines([])
        assert handler.take_lost() == handler.lost - first > 0
        assert handler.take_lost() == 0
        handler.close()


def test_record_that_cannot_be_formatted_is_logging_s_business(capsys: pytest.CaptureFixture[str]):
    handler = LineHandler(io.StringIO())
    broken = record("%d")
    broken.args = ("text",)
    handler.emit(broken)
    assert "Logging error" in capsys.readouterr().err
