"""`validate` lets correct conversations pass and blames the right side for every broken rule."""

from __future__ import annotations

import pytest

from transom.asgi import ASGIViolation, validate

HTTP = {
    "type": "http",
    "asgi": {"version": "3.0", "spec_version": "2.5"},
    "http_version": "1.1",
    "method": "GET",
    "scheme": "http",
    "path": "/",
    "raw_path": b"/",
    "query_string": b"",
    "root_path": "",
    "headers": [(b"host", b"example.org")],
    "client": ("127.0.0.1", 1234),
    "server": ("127.0.0.1", 80),
}
WEBSOCKET = {key: value for key, value in HTTP.items() if key != "method"} | {
    "type": "websocket",
    "scheme": "ws",
}
LIFESPAN = {"type": "lifespan", "asgi": {"version": "3.0"}, "state": {}}
START = {"type": "http.response.start", "status": 200, "headers": []}
BODY = {"type": "http.response.body", "body": b"x"}
REQUEST = {"type": "http.request", "body": b"", "more_body": False}
CONNECT = {"type": "websocket.connect"}
ACCEPT = {"type": "websocket.accept"}


async def converse(scope, *, received=(), sent=()):
    """Run an application that receives and sends these messages; return what reached the server."""
    incoming, outgoing = list(received), []

    async def app(scope, receive, send):
        for _ in received:
            await receive()
        for message in sent:
            await send(message)

    async def receive():
        return incoming.pop(0)

    async def send(message):
        outgoing.append(message)

    await validate(app)(scope, receive, send)
    return outgoing


async def blamed(side, *args, **kwargs):
    with pytest.raises(ASGIViolation) as caught:
        await converse(*args, **kwargs)
    assert caught.value.side == side
    return str(caught.value)


async def test_correct_http_conversation_passes():
    assert await converse(HTTP, received=[REQUEST], sent=[START, BODY]) == [START, BODY]


async def test_correct_websocket_conversation_passes():
    message = {"type": "websocket.send", "text": "hello"}
    frame = {"type": "websocket.receive", "bytes": None, "text": "hi"}
    # `receive` of a frame only counts after accept, so the echo is checked in two steps.
    with pytest.raises(ASGIViolation, match="before the application accepted"):
        await converse(WEBSOCKET, received=[CONNECT, frame])
    close = {"type": "websocket.close", "code": 1000}
    assert len(await converse(WEBSOCKET, received=[CONNECT], sent=[ACCEPT, message, close])) == 3


async def test_correct_lifespan_conversation_passes():
    async def app(scope, receive, send):
        for event in ("startup", "shutdown"):
            assert (await receive())["type"] == f"lifespan.{event}"
            await send({"type": f"lifespan.{event}.complete"})

    events = [{"type": "lifespan.startup"}, {"type": "lifespan.shutdown"}]

    async def receive():
        return events.pop(0)

    async def send(message):
        pass

    await validate(app)(dict(LIFESPAN), receive, send)


async def test_unknown_keys_are_no_fault():
    """ASGI B4."""
    await converse(HTTP | {"new": object()}, received=[REQUEST | {"new": 1}], sent=[START | {"new": 1}, BODY])


async def test_a_generator_of_headers_reaches_the_server():
    start = START | {"headers": ((b"a", b"b") for _ in range(1))}
    assert (await converse(HTTP, sent=[start, BODY]))[0]["headers"] == [(b"a", b"b")]


@pytest.mark.parametrize(
    ("scope", "text"),
    [
        ({**HTTP, "method": "get"}, "upper-case"),
        ({**HTTP, "type": "smtp"}, "scope type"),
        ({**HTTP, "headers": [("host", "a")]}, "pairs"),
        ({**HTTP, "headers": [(b"Host", b"a")]}, "lower-case"),
        ({**HTTP, "client": ("127.0.0.1", "80")}, "host, port"),
        ({**HTTP, "http_version": "1"}, "http_version"),
        ({key: value for key, value in HTTP.items() if key != "query_string"}, "missing"),
        ({**HTTP, "scheme": ""}, "scheme"),
        ({**WEBSOCKET, "subprotocols": "chat"}, "subprotocols"),
    ],
)
async def test_faulty_scope_is_the_servers_fault(scope, text):
    assert text in await blamed("server", scope)


async def test_scope_must_be_a_dict():
    class Scope(dict):
        pass

    assert "expected a dict" in await blamed("server", Scope(HTTP))


@pytest.mark.parametrize(
    ("scope", "received", "text"),
    [
        (HTTP, [{"type": "http.request", "body": "text"}], "bytes"),
        (HTTP, [{"type": "websocket.connect"}], "message type"),
        (HTTP, [REQUEST, REQUEST], "ended the body"),
        (HTTP, [{"type": "http.disconnect"}, REQUEST], "after 'http.disconnect'"),
        (WEBSOCKET, [CONNECT, CONNECT], "twice"),
        (WEBSOCKET, [{"type": "websocket.disconnect", "code": 1006}], "before 'websocket.connect'"),
        (WEBSOCKET, [CONNECT, {"type": "websocket.disconnect"}], "'code' is missing"),
        (LIFESPAN, [{"type": "lifespan.startup"}, {"type": "lifespan.startup"}], "twice"),
        (
            LIFESPAN,
            [{"type": "lifespan.startup"}, {"type": "lifespan.shutdown"}],
            "before the application answered",
        ),
    ],
)
async def test_faulty_event_is_the_servers_fault(scope, received, text):
    assert text in await blamed("server", scope, received=received)


@pytest.mark.parametrize(
    ("sent", "text"),
    [
        ([{"status": 200}], "message type is None"),
        ([{"type": "http.response.begin"}], "http.response.begin"),
        ([{"type": "http.response.start"}], "'status' is missing"),
        ([{"type": "http.response.start", "status": "200"}], "an int"),
        ([{"type": "http.response.start", "status": 99}], "200 to 599"),
        ([{"type": "http.response.start", "status": True}], "200 to 599"),
        ([START | {"headers": {b"a": b"b"}}], "pairs"),
        ([START | {"headers": [(b"a", b"b", b"c")]}], "pairs"),
        ([START | {"headers": [(b"A", b"b")]}], "lower-case"),
        ([START | {"headers": [(b":status", b"200")]}], "pairs"),
        ([START | {"headers": [(b"a", b"b\r\nc: d")]}], "CR"),
        ([START, START], "twice"),
        ([BODY], "before 'http.response.start'"),
        ([START, {"type": "http.response.body", "body": "text"}], "bytes"),
        ([], "without a response"),
        ([START, BODY | {"more_body": True}], "without completing"),
        ([START, {"type": "http.response.trailers"}], "message type"),
        (["text"], "expected a dict"),
    ],
)
async def test_faulty_http_message_is_the_applications_fault(sent, text):
    """ASGI B5, HE4, HE5, HE11, HE12."""
    assert text in await blamed("application", HTTP, sent=sent)


@pytest.mark.parametrize(
    ("sent", "text"),
    [
        ([{"type": "websocket.send", "text": "early"}], "before 'websocket.accept'"),
        ([ACCEPT, ACCEPT], "after 'websocket.accept'"),
        ([ACCEPT, {"type": "websocket.send"}], "exactly one"),
        ([ACCEPT, {"type": "websocket.send", "text": "a", "bytes": b"a"}], "exactly one"),
        ([ACCEPT | {"headers": [(b"sec-websocket-protocol", b"a")]}], "subprotocol"),
        ([ACCEPT, {"type": "websocket.close", "code": 1006}], "close code"),
        (
            [{"type": "websocket.close"}, {"type": "websocket.send", "text": "late"}],
            "after the connection was closed",
        ),
        ([START], "message type"),
    ],
)
async def test_faulty_websocket_message_is_the_applications_fault(sent, text):
    """ASGI W4, W6, W9."""
    assert text in await blamed("application", WEBSOCKET, received=[CONNECT], sent=sent)


async def test_denial_response_needs_the_extension():
    """ASGI X1."""
    sent = [
        {"type": "websocket.http.response.start", "status": 401, "headers": []},
        {"type": "websocket.http.response.body", "body": b"no"},
    ]
    assert "message type" in await blamed("application", WEBSOCKET, received=[CONNECT], sent=sent)
    scope = WEBSOCKET | {"extensions": {"websocket.http.response": {}}}
    assert await converse(scope, received=[CONNECT], sent=sent) == sent


async def test_trailers_need_the_promise_and_complete_the_response():
    """ASGI X6, HE12."""
    scope = HTTP | {"extensions": {"http.response.trailers": {}}}
    trailers = {"type": "http.response.trailers", "headers": [(b"a", b"b")]}
    assert "did not promise" in await blamed(
        "application", scope, sent=[*[START, BODY, trailers][:1], trailers]
    )
    promise = START | {"trailers": True}
    assert "without completing" in await blamed("application", scope, sent=[promise, BODY])
    assert len(await converse(scope, sent=[promise, BODY, trailers])) == 3


async def test_messages_after_the_end_are_ignored_not_blamed():
    """ASGI HE11."""
    assert len(await converse(HTTP, sent=[START, BODY, BODY])) == 3


@pytest.mark.parametrize(
    ("sent", "text"),
    [
        ([{"type": "lifespan.shutdown.complete"}], "before 'lifespan.shutdown'"),
        ([{"type": "lifespan.startup.complete"}] * 2, "second answer"),
        ([], "without an answer"),
    ],
)
async def test_faulty_lifespan_answer_is_the_applications_fault(sent, text):
    """ASGI L6."""
    assert text in await blamed("application", LIFESPAN, received=[{"type": "lifespan.startup"}], sent=sent)
