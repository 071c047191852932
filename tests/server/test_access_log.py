"""The access log: one line per request, later, harmless to look at."""

from __future__ import annotations

import asyncio
import logging

import pytest

from transom.server.access_log import FLUSH_INTERVAL, AccessEntry, AccessLog, escape

ENTRY = AccessEntry(
    "127.0.0.1",
    "GET",
    b"/a",
    b"x=1",
    "1.1",
    200,
    5,
    0.25,
    0.0,
    [(b"user-agent", b'curl "\x1b[31m'), (b"referer", b"here")],
)


def test_line_has_the_combined_format_and_the_duration():
    line = str(ENTRY)
    assert line.startswith("127.0.0.1 - - [")
    assert line.endswith(r'] "GET /a?x=1 HTTP/1.1" 200 5 "here" "curl \"\x1b[31m" 0.250000')


@pytest.mark.parametrize("data", [b"\n", b"\r", b"\x1b", b"\x7f", b"\x85", b"\x9b"])
def test_control_characters_are_escaped(data):
    assert escape(data) == f"\\x{data[0]:02x}"


async def test_entries_are_logged_later_and_at_once_when_flushed(caplog):
    caplog.set_level(logging.INFO, "transom.access")
    log = AccessLog(asyncio.get_running_loop())
    log.record(ENTRY)
    log.record(ENTRY)
    assert not caplog.records
    log.flush()
    assert [record.getMessage() for record in caplog.records] == [str(ENTRY)] * 2
    assert caplog.records[0].args == (ENTRY,)


@pytest.mark.slow
async def test_entries_are_logged_without_a_flush(caplog):
    caplog.set_level(logging.INFO, "transom.access")
    AccessLog(asyncio.get_running_loop()).record(ENTRY)
    await asyncio.sleep(FLUSH_INTERVAL * 1.5)
    assert len(caplog.records) == 1


async def test_request_is_logged_when_the_server_stops(serve, respond, caplog):
    caplog.set_level(logging.INFO, "transom.access")
    running = await serve(respond(b"hello", 404))
    await (await running.connect()).get("/a?b", b"User-Agent: test")
    await running.server.stop()
    (record,) = [record for record in caplog.records if record.name == "transom.access"]
    assert '"GET /a?b HTTP/1.1" 404 5 "-" "test"' in record.getMessage()


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
