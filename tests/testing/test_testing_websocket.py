"""The client's WebSocket side, against bare ASGI applications."""

from __future__ import annotations

import asyncio

import pytest

from transom.asgi import validate
from transom.testing import Client, WebSocketClosed, WebSocketRejected


def only_websocket(view):
    """Make an application of `view(scope, receive, send)`, without a lifespan, checked against ASGI; connect is taken."""

    async def app(scope, receive, send):
        assert scope["type"] == "websocket"
        assert await receive() == {"type": "websocket.connect"}
        await view(scope, receive, send)

    return validate(app)


@only_websocket
async def echo(scope, receive, send):
    await send({"type": "websocket.accept"})
    while (message := await receive())["type"] == "websocket.receive":
        await send({"type": "websocket.send", "text": message["text"], "bytes": message["bytes"]})


async def test_text_bytes_and_json_go_both_ways():
    async with Client(echo) as client, client.websocket("/") as ws:
        await ws.send_text("é")
        assert await ws.receive_text() == "é"
        await ws.send_bytes(b"\0\1")
        assert await ws.receive_bytes() == b"\0\1"
        await ws.send_json({"votes": [1, "é"]})
        assert await ws.receive_json() == {"votes": [1, "é"]}
        await ws.send_text("t")
        with pytest.raises(TypeError, match="expected a binary message, received the text 't'"):
            await ws.receive_bytes()
        await ws.send_bytes(b"b")
        with pytest.raises(TypeError, match="expected a text message, received 1 bytes"):
            await ws.receive_text()


async def test_scope_is_that_of_a_real_handshake():
    seen = {}

    @only_websocket
    async def app(scope, receive, send):
        seen.update(scope)
        await send(
            {"type": "websocket.accept", "subprotocol": "chat", "headers": [(b"set-cookie", b"seen=1")]}
        )

    async with Client(app, base_url="https://polls.example", cookies={"session": "7"}) as client:
        async with client.websocket(
            "/live/3/", subprotocols=["chat", "x"], headers={"X-A": "1"}, params={"q": "1"}
        ) as ws:
            assert ws.subprotocol == "chat"
        assert client.cookies["seen"] == "1"
    assert (seen["scheme"], seen["path"], seen["query_string"]) == ("wss", "/live/3/", b"q=1")
    assert seen["subprotocols"] == ["chat", "x"]
    headers = dict(seen["headers"])
    expected = {
        b"host": b"polls.example",
        b"origin": b"https://polls.example",
        b"cookie": b"session=7",
        b"x-a": b"1",
    }
    assert expected.items() <= headers.items()
    assert (headers[b"upgrade"], headers[b"sec-websocket-protocol"]) == (b"websocket", b"chat, x")


async def test_close_before_accept_is_a_rejection():
    @only_websocket
    async def app(scope, receive, send):
        await send({"type": "websocket.close", "code": 4401})

    async with Client(app) as client:
        with pytest.raises(WebSocketRejected, match=r"status 403: .*4401") as caught:
            async with client.websocket("/"):
                pass
    assert caught.value.status == 403


async def test_response_instead_of_accept_is_a_rejection():
    @only_websocket
    async def app(scope, receive, send):
        assert "websocket.http.response" in scope["extensions"]
        await send({"type": "websocket.http.response.start", "status": 401, "headers": [(b"x-a", b"1")]})
        await send({"type": "websocket.http.response.body", "body": b"log ", "more_body": True})
        await send({"type": "websocket.http.response.body", "body": b"in"})
        assert await receive() == {"type": "websocket.disconnect", "code": 1006, "reason": ""}

    async with Client(app) as client:
        with pytest.raises(WebSocketRejected, match="status 401") as caught:
            await client.websocket("/").__aenter__()
    assert (caught.value.headers, caught.value.content) == ([(b"x-a", b"1")], b"log in")


async def test_close_by_the_application_ends_receiving():
    @only_websocket
    async def app(scope, receive, send):
        await send({"type": "websocket.accept"})
        await send({"type": "websocket.send", "text": "last"})
        await send({"type": "websocket.close", "code": 4000, "reason": "enough"})
        assert (await receive())["type"] == "websocket.disconnect"
        with pytest.raises(OSError, match="closed"):
            await send({"type": "websocket.send", "text": "late"})

    async with Client(app) as client, client.websocket("/") as ws:
        assert await ws.receive() == "last"
        with pytest.raises(WebSocketClosed, match="code 4000: enough") as caught:
            await ws.receive()
        assert (caught.value.code, caught.value.reason) == (4000, "enough")
        assert (ws.close_code, ws.close_reason) == (4000, "enough")
        with pytest.raises(WebSocketClosed):
            await ws.send_text("late")


async def test_iteration_ends_with_the_socket():
    @only_websocket
    async def app(scope, receive, send):
        await send({"type": "websocket.accept"})
        for text in "ab":
            await send({"type": "websocket.send", "text": text})

    async with Client(app) as client, client.websocket("/") as ws:
        assert [message async for message in ws] == ["a", "b"]
        assert ws.close_code == 1000


async def test_leaving_the_block_is_a_disconnect():
    seen = []

    @only_websocket
    async def app(scope, receive, send):
        await send({"type": "websocket.accept"})
        seen.append(await receive())
        seen.append(await receive())
        seen.append(await receive())
        await send({"type": "websocket.send", "text": "nobody hears"})

    async with Client(app) as client, client.websocket("/") as ws:
        await ws.send_text("first")
    assert seen[0]["text"] == "first"
    assert seen[1] == seen[2] == {"type": "websocket.disconnect", "code": 1000, "reason": ""}


async def test_client_may_close_with_a_code():
    seen = []

    @only_websocket
    async def app(scope, receive, send):
        await send({"type": "websocket.accept"})
        seen.append(await receive())

    async with Client(app) as client, client.websocket("/") as ws:
        await ws.close(4001, "bye")
    assert seen == [{"type": "websocket.disconnect", "code": 4001, "reason": "bye"}]


@pytest.mark.parametrize("accepts", [True, False])
async def test_exception_of_the_application_is_raised_in_the_test(accepts):
    @only_websocket
    async def app(scope, receive, send):
        if accepts:
            await send({"type": "websocket.accept"})
        raise ZeroDivisionError("mine")

    async with Client(app) as client:
        with pytest.raises(ZeroDivisionError, match="mine"):
            async with client.websocket("/") as ws:
                await ws.receive()


async def test_exception_nobody_received_is_raised_at_the_end():
    @only_websocket
    async def app(scope, receive, send):
        await send({"type": "websocket.accept"})
        raise ZeroDivisionError("mine")

    async with Client(app) as client:
        with pytest.raises(ZeroDivisionError, match="mine"):
            async with client.websocket("/"):
                pass


async def test_without_raising_a_failure_is_1011_or_500():
    @only_websocket
    async def app(scope, receive, send):
        if scope["path"] == "/accepted":
            await send({"type": "websocket.accept"})
        raise ZeroDivisionError

    async with Client(app, raise_exceptions=False) as client:
        with pytest.raises(WebSocketRejected, match="status 500"):
            await client.websocket("/").__aenter__()
        async with client.websocket("/accepted") as ws:
            with pytest.raises(WebSocketClosed, match="code 1011"):
                await ws.receive()


@pytest.mark.parametrize(
    ("messages", "error"),
    [
        ([], "returned without accepting or closing"),
        (
            [{"type": "websocket.send", "text": "x"}],
            r"unexpected message 'websocket.send'; expected websocket.accept, websocket.close",
        ),
        (
            [{"type": "websocket.accept"}, {"type": "websocket.accept"}],
            "unexpected message 'websocket.accept'",
        ),
        ([{"type": "websocket.accept"}, {"type": "websocket.send"}], "either text or bytes"),
    ],
)
async def test_mistakes_against_asgi_are_told(messages, error):
    async def app(scope, receive, send):
        assert scope["type"] == "websocket"
        for message in messages:
            await send(message)

    async with Client(app) as client:
        with pytest.raises(RuntimeError, match=error):
            async with client.websocket("/") as ws:
                await ws.receive()


async def test_silent_application_is_a_timeout_that_says_what_was_awaited():
    @only_websocket
    async def app(scope, receive, send):
        if scope["path"] != "/silent":
            await send({"type": "websocket.accept"})
        await receive()

    async with Client(app, timeout=0.01) as client:
        with pytest.raises(TimeoutError, match="for the application to accept the WebSocket /silent"):
            await client.websocket("/silent").__aenter__()
        async with client.websocket("/talks-not") as ws:
            with pytest.raises(TimeoutError, match="for a message on the WebSocket /talks-not"):
                await ws.receive()


async def test_application_that_does_not_end_is_cancelled():
    @only_websocket
    async def app(scope, receive, send):
        await send({"type": "websocket.accept"})
        await asyncio.Event().wait()

    async with Client(app, timeout=0.01) as client:
        with pytest.raises(TimeoutError, match=r"the client closed the socket .* did not return within"):
            async with client.websocket("/"):
                pass
