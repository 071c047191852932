"""The access log: one line per request, later, harmless to look at."""

from __future__ import annotations

import asyncio
import io
import logging
from typing import Any

import pytest

from transom.server.logs import access
from transom.server.logs.access import MAX_PENDING, Access, AccessEntry, AccessRecorder
from transom.server.logs.access_format import compile_format
from transom.server.logs.access_log import AccessLog
from transom.server.logs.output import LineHandler

SCOPE: Any = {
    "type": "http",
    "method": "GET",
    "scheme": "http",
    "raw_path": b"/a",
    "query_string": b"x=1",
    "http_version": "1.1",
    "headers": [(b"user-agent", b"curl")],
}
FORMAT = compile_format("%(r)s %(s)s %(B)s")
LINE = "GET /a?x=1 HTTP/1.1 200 5"


def finished() -> Access:
    return Access(SCOPE, "192.0.2.1").finish(200, 5)


@pytest.fixture
def batches() -> list[list[AccessEntry]]:
    return []


@pytest.fixture
def access_logger(loggers: None) -> logging.Logger:
    return logging.getLogger("transom.access")


async def test_requests_are_handed_on_later_and_at_once_when_flushed(batches):
    recorder = AccessRecorder(asyncio.get_running_loop(), [batches.append, batches.append])
    recorder.record(finished())
    recorder.record(finished())
    assert not batches
    recorder.flush()
    assert [len(batch) for batch in batches] == [2, 2]
    assert batches[0][0][:8] == ("192.0.2.1", "GET", "http", b"/a", b"x=1", "1.1", 200, 5)
    recorder.flush()
    assert len(batches) == 2


async def test_many_requests_are_handed_on_in_the_next_turn_of_the_loop_never_in_the_last_request(batches):
    recorder = AccessRecorder(asyncio.get_running_loop(), [batches.append])
    for _ in range(MAX_PENDING + 1):
        recorder.record(finished())
    assert not batches
    await asyncio.sleep(0)
    await asyncio.sleep(0)
    assert [len(batch) for batch in batches] == [MAX_PENDING + 1]


async def test_a_single_request_is_handed_on_by_itself(monkeypatch):
    monkeypatch.setattr(access, "FLUSH_INTERVAL", 0.001)
    done = asyncio.Event()
    recorder = AccessRecorder(asyncio.get_running_loop(), [lambda entries: done.set()])
    recorder.record(finished())
    await asyncio.wait_for(done.wait(), 5)


def test_line_is_a_record_with_the_entry_for_handlers_of_one_s_own(caplog):
    caplog.set_level(logging.INFO, "transom.access")
    entry = finished().to_entry(0.0)
    AccessLog(FORMAT)([entry])
    (record,) = caplog.records
    assert record.getMessage() == LINE
    assert record.access is entry


def test_percent_signs_of_a_client_are_no_format(caplog):
    caplog.set_level(logging.INFO, "transom.access")
    AccessLog(FORMAT)([finished().to_entry(0.0)._replace(path=b"/%s%d%(name)s")])
    assert caplog.records[0].getMessage() == "GET /%s%d%(name)s?x=1 HTTP/1.1 200 5"


def test_a_batch_is_one_write_where_nobody_else_listens(access_logger):
    class Stream(io.StringIO):
        writes: list[str] = []

        def write(self, text: str) -> int:
            self.writes.append(text)
            return len(text)

    access_logger.handlers, access_logger.propagate = [LineHandler(Stream())], False
    access_logger.setLevel(logging.INFO)
    AccessLog(FORMAT)([finished().to_entry(0.0)] * 3)
    assert Stream.writes == [f"{LINE}\n" * 3]


def test_lost_lines_are_told_of_in_the_other_log(access_logger, monkeypatch, caplog):
    access_logger.handlers, access_logger.propagate = [LineHandler(io.StringIO())], False
    access_logger.setLevel(logging.INFO)
    monkeypatch.setattr(access_logger.handlers[0]._output, "lost", 7, raising=False)
    log = AccessLog(FORMAT)
    log([finished().to_entry(0.0)])
    log([finished().to_entry(0.0)])
    assert log.lost == 7
    assert caplog.messages == ["7 lines of the access log were lost: its reader is too slow"]


@pytest.mark.parametrize("change", ["level", "filter", "formatter", "second handler", "propagate"])
def test_a_logger_that_somebody_has_touched_gets_records(access_logger, change):
    stream, seen = io.StringIO(), []
    handler = LineHandler(stream)
    access_logger.handlers, access_logger.propagate = [handler], change == "propagate"
    access_logger.setLevel(logging.INFO)
    if change == "level":
        handler.setLevel(logging.WARNING)
    elif change == "filter":
        handler.addFilter(lambda record: False)
    elif change == "formatter":
        handler.setFormatter(logging.Formatter("%(name)s: %(message)s"))
    elif change == "second handler":
        second = logging.Handler()
        second.emit = seen.append
        access_logger.addHandler(second)
    AccessLog(FORMAT)([finished().to_entry(0.0)])
    expected = {"level": "", "filter": "", "formatter": f"transom.access: {LINE}\n"}
    assert stream.getvalue() == expected.get(change, f"{LINE}\n")
    assert len(seen) == (change == "second handler")


async def test_request_is_logged_when_the_server_stops(serve, respond, caplog):
    caplog.set_level(logging.INFO, "transom.access")
    running = await serve(respond(b"hello", 404))
    await (await running.connect()).get("/a?b", b"User-Agent: test")
    await running.server.stop()
    (record,) = [record for record in caplog.records if record.name == "transom.access"]
    assert '"GET /a?b HTTP/1.1" 404 5 "-" "test"' in record.getMessage()


async def test_format_is_the_one_of_the_options(serve, respond, caplog):
    caplog.set_level(logging.INFO, "transom.access")
    running = await serve(
        respond(b"hello", headers=[(b"X-Cache", b"HIT")]),
        checked=False,
        access_log_format="%(U)s %(s)s %(B)s %({host}i)s %({x-cache}o)s",
    )
    await (await running.connect()).get("/a")
    await running.server.stop()
    assert caplog.messages[-1] == "/a 200 5 example.org HIT"


async def test_headers_of_a_response_may_be_any_iterable(serve, caplog):
    caplog.set_level(logging.INFO, "transom.access")

    async def app(scope, receive, send):
        fields = ((name, b"1") for name in (b"x-one", b"x-two"))
        await send({"type": "http.response.start", "status": 200, "headers": fields})
        await send({"type": "http.response.body"})

    running = await serve(app, checked=False, access_log_format="%({x-two}o)s")
    reply = await (await running.connect()).get()
    assert (reply[b"x-one"], reply[b"x-two"]) == (b"1", b"1")
    await running.server.stop()
    assert caplog.messages[-1] == "1"


async def test_access_log_can_be_turned_off(serve, respond, caplog):
    caplog.set_level(logging.INFO, "transom.access")
    running = await serve(respond(), access_log=False)
    await (await running.connect()).get()
    await running.server.stop()
    assert not caplog.records


@pytest.mark.parametrize(("answer", "status"), [("websocket.accept", 101), ("websocket.close", 403)])
async def test_websocket_is_logged_when_it_ends_with_what_its_handshake_got(serve, caplog, answer, status):
    caplog.set_level(logging.INFO, "transom.access")

    async def app(scope, receive, send):
        await receive()
        await send({"type": answer})

    running = await serve(app)
    connection = await running.connect()
    await connection.send(
        b"GET /live?x HTTP/1.1\r\nHost: localhost\r\nConnection: upgrade\r\nUpgrade: websocket\r\n"
        b"Sec-WebSocket-Version: 13\r\nSec-WebSocket-Key: AAAAAAAAAAAAAAAAAAAAAA==\r\n\r\n"
    )
    await connection.read_head()
    connection.writer.close()
    await running.server.stop()
    (record,) = [record for record in caplog.records if record.name == "transom.access"]
    assert f'"GET /live?x HTTP/1.1" {status} 0' in record.getMessage()
