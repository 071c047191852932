"""Request ids: who may choose them, and that application, response and both logs have the same."""

from __future__ import annotations

import logging
import uuid

import pytest

from transom.server.logs.request_id import describe_request, identify, make_request_id

HOST = (b"host", b"example.org")


def field(value: bytes) -> tuple[bytes, bytes]:
    return (b"x-request-id", value)


def test_new_id_is_a_uuid_of_version_7_in_the_order_of_time(monkeypatch: pytest.MonkeyPatch):
    ids = []
    for now in (1_700_000_000.0, 1_700_000_000.001, 1_800_000_000.0):
        monkeypatch.setattr("time.time", lambda now=now: now)
        ids.append(make_request_id().decode())
    assert ids == sorted(ids)
    parsed = uuid.UUID(ids[0])
    assert (str(parsed), parsed.version, parsed.variant) == (ids[0], 7, uuid.RFC_4122)
    assert parsed.int >> 80 == 1_700_000_000_000
    assert len({make_request_id() for _ in range(1000)}) == 1000


@pytest.mark.parametrize("value", [b"a", b"trace-0af7651916cd43dd;x=~", b"x" * 128])
def test_sane_id_of_a_trusted_proxy_stays(value: bytes):
    headers = [HOST, field(value)]
    assert identify(headers, is_trusted=True) == headers


@pytest.mark.parametrize(
    ("values", "is_trusted"),
    [
        ([b"chosen-by-the-client"], False),
        ([b""], True),
        ([b"x" * 129], True),
        ([b"two words"], True),
        ([b"caf\xc3\xa9"], True),
        ([b"one", b"two"], True),
        ([], True),
    ],
)
def test_any_other_is_replaced_by_a_new_one(values: list[bytes], is_trusted: bool):
    before = [HOST, *map(field, values)]
    headers = identify(before, is_trusted)
    assert headers[0] == HOST
    ((_, value),) = headers[1:]
    assert uuid.UUID(value.decode()).version == 7
    assert before == [HOST, *map(field, values)]


def test_what_a_log_calls_a_request_is_ascii():
    scope = {"type": "http", "method": "GET", "path": "/\x1b[31m\n\u2028", "headers": [field(b"abc")]}
    assert describe_request(scope, with_id=False) == r"GET '/\x1b[31m\n\u2028'"
    assert describe_request(scope, with_id=True) == r"GET '/\x1b[31m\n\u2028' (request id abc)"
    assert describe_request({**scope, "type": "websocket"}, with_id=False).startswith("WebSocket '/")
    assert describe_request({**scope, "headers": []}, with_id=True) == r"GET '/\x1b[31m\n\u2028'"


async def test_application_response_and_access_log_have_the_same_id(serve, caplog):
    caplog.set_level(logging.INFO, "transom.access")
    seen = []

    async def app(scope, receive, send):
        seen.append(dict(scope["headers"])[b"x-request-id"])
        await send({"type": "http.response.start", "status": 200, "headers": [(b"x-request-id", b"another")]})
        await send({"type": "http.response.body"})

    running = await serve(app, request_id=True, forwarded_allow_ips=())
    client = await running.connect()
    for _ in range(2):
        reply = await client.get("/", b"X-Request-ID: chosen-by-the-client")
        assert [value for name, value in reply.headers if name == b"x-request-id"] == [seen[-1]]
    assert seen[0] != seen[1]
    await running.server.stop()
    lines = [record.getMessage() for record in caplog.records if record.name == "transom.access"]
    assert [line.rpartition(" ")[2] for line in lines] == [each.decode() for each in seen]


@pytest.mark.parametrize("fails", ["raises", "returns"])
async def test_answer_500_and_the_log_of_its_error_have_the_id(serve, caplog, fails):
    """S29: every 5xx has a request id and a traceback."""

    async def app(scope, receive, send):
        if fails == "raises":
            raise ValueError("a bug")

    running = await serve(app, checked=False, request_id=True)
    reply = await (await running.connect()).get("/a")
    assert reply.status == 500
    (record,) = [record for record in caplog.records if record.name == "transom.server"]
    assert f"GET '/a' (request id {reply[b'x-request-id'].decode()})" in record.getMessage()
    assert (record.exc_info is not None) == (fails == "raises")


@pytest.mark.parametrize("headers", [[("x-str", "value")], [5], [()]])
async def test_malformed_headers_of_an_application_are_still_its_own_mistake(serve, caplog, headers):
    async def app(scope, receive, send):
        await send({"type": "http.response.start", "status": 200, "headers": headers})

    running = await serve(app, checked=False, request_id=True)
    assert (await (await running.connect()).get()).status == 500
    assert "malformed 'http.response.start'" in caplog.text


@pytest.mark.parametrize("answer", ["websocket.accept", "websocket.http.response.start"])
async def test_handshake_of_a_websocket_has_an_id(serve, answer):
    seen = []

    async def app(scope, receive, send):
        seen.append(dict(scope["headers"])[b"x-request-id"])
        await receive()
        if answer == "websocket.accept":
            await send({"type": answer})
            await receive()
        else:
            await send({"type": answer, "status": 401, "headers": []})
            await send({"type": "websocket.http.response.body", "body": b""})

    running = await serve(app, request_id=True)
    client = await running.connect()
    await client.send(
        b"GET / HTTP/1.1\r\nHost: localhost\r\nConnection: upgrade\r\nUpgrade: websocket\r\n"
        b"Sec-WebSocket-Version: 13\r\nSec-WebSocket-Key: AAAAAAAAAAAAAAAAAAAAAA==\r\n\r\n"
    )
    assert (await client.read_head())[b"x-request-id"] == seen[0]


async def test_without_the_option_nothing_is_added_or_taken_away(serve):
    seen = []

    async def app(scope, receive, send):
        seen.append([value for name, value in scope["headers"] if name == b"x-request-id"])
        await send({"type": "http.response.start", "status": 200, "headers": []})
        await send({"type": "http.response.body"})

    running = await serve(app)
    reply = await (await running.connect()).get("/", b"X-Request-ID: mine")
    assert (seen, reply[b"x-request-id"]) == ([[b"mine"]], None)
