"""WebSocket views: what closes with which code, and what of JSON, text and iteration a client may rely on."""

import pytest

from transom.web import App, Http404, WebSocketDisconnect, websocket


def make(view):
    return App([websocket("live/", view)])


async def returns(socket):
    await socket.accept()


async def raises(socket):
    await socket.accept()
    raise LookupError("broken")


async def is_not_found(socket):
    await socket.accept()
    raise Http404("secret detail")


async def wants_text(socket):
    await socket.accept()
    await socket.receive_text()


async def wants_bytes(socket):
    await socket.accept()
    await socket.receive_bytes()


async def wants_json(socket):
    await socket.accept()
    await socket.send_json(await socket.receive_json())


async def closes(socket):
    await socket.accept()
    await socket.close(4000, "ü" * 61)


async def breaks_off(socket):
    await socket.accept()
    async for _ in socket:
        break


async def lets_the_disconnect_pass(socket):
    await socket.accept()
    await socket.close(1013, "later")
    await socket.receive()


@pytest.mark.parametrize(
    ("view", "sent", "code", "reason"),
    [
        (returns, None, 1000, ""),
        (breaks_off, "x", 1000, ""),
        (raises, None, 1011, ""),
        (is_not_found, None, 1008, "Not Found"),
        (closes, None, 4000, "ü" * 61),
        (lets_the_disconnect_pass, None, 1013, "later"),
        (wants_text, b"x", 1003, "binary message, expected text"),
        (wants_bytes, "x", 1003, "text message, expected binary"),
    ],
)
async def test_end_of_a_view_decides_the_close_code(connect, caplog, view, sent, code, reason):
    caplog.set_level("CRITICAL", "transom")
    client = connect(make(view), "/live/")
    assert (await client.next())["type"] == "websocket.accept"
    if sent is not None:
        client.send_text(sent) if isinstance(sent, str) else client.send_bytes(sent)
    assert await client.end() == [{"type": "websocket.close", "code": code, "reason": reason}]


@pytest.mark.parametrize(
    "sent",
    [
        "",
        "{",
        "1 2",
        "NaN",
        "1e999",
        "'a'",
        "\ufeff1",
        "[" * 100_000,
        '"\\ud800"',
        b"",
        b"\xff",
        b'"\xff"',
        b'{"a": "\xc3"}',
    ],
)
async def test_what_is_not_json_closes_1003_and_is_no_error_of_the_site(connect, caplog, sent):
    client = connect(make(wants_json), "/live/")
    await client.next()
    client.send_text(sent) if isinstance(sent, str) else client.send_bytes(sent)
    (message,) = await client.end()
    assert (message["code"], message["reason"]) == (1003, "message is not JSON")
    assert caplog.records == []


@pytest.mark.parametrize(
    ("sent", "answer"),
    [
        ("null", "null"),
        (' {"a": [1, 2.5, "\u00fc"]} ', '{"a":[1,2.5,"\u00fc"]}'),
        ('{"a": 1, "a": 2}', '{"a":2}'),
        (b'["\xc3\xbc"]', '["\u00fc"]'),
        ('"\\u0000"', '"\\u0000"'),
    ],
)
async def test_json_comes_as_text_or_binary_and_leaves_as_text(connect, sent, answer):
    client = connect(make(wants_json), "/live/")
    await client.next()
    client.send_text(sent) if isinstance(sent, str) else client.send_bytes(sent)
    message = await client.next()
    assert (message["type"], message["text"]) == ("websocket.send", answer)


async def test_value_without_json_is_an_error_and_sends_nothing(connect):
    async def view(socket):
        await socket.accept()
        with pytest.raises(TypeError):
            await socket.send_json({"a": object()})
        await socket.send_text("still open")

    client = connect(make(view), "/live/")
    await client.next()
    assert (await client.next())["text"] == "still open"


@pytest.mark.parametrize("code", [0, 999, 1004, 1005, 1006, 1015, 1016, 2999, 5000])
async def test_code_that_no_close_frame_may_carry_is_refused(connect, code):
    async def view(socket):
        with pytest.raises(ValueError, match=f"close code {code}"):
            await socket.close(code)
        await socket.accept()
        with pytest.raises(ValueError, match=r"choose from 1000-1003, 1007-1014, 3000-4999"):
            await socket.close(code)
        await socket.send_text("still open")

    client = connect(make(view), "/live/")
    await client.next()
    assert (await client.next())["text"] == "still open"
    assert [message["code"] for message in await client.end()] == [1000]


@pytest.mark.parametrize("reason", ["x" * 124, "ü" * 62])
async def test_reason_that_does_not_fit_is_refused(connect, reason):
    async def view(socket):
        await socket.accept()
        with pytest.raises(ValueError, match="close reason of 124 bytes"):
            await socket.close(1000, reason)

    client = connect(make(view), "/live/")
    await client.next()
    assert [message["code"] for message in await client.end()] == [1000]


@pytest.mark.parametrize("code", [1000, 1001, 1002, 1003, 1007, 1014, 3000, 4999])
async def test_code_that_a_close_frame_may_carry_is_sent(connect, code):
    async def view(socket):
        await socket.accept()
        await socket.close(code)

    client = connect(make(view), "/live/")
    await client.next()
    assert [message["code"] for message in await client.end()] == [code]


async def test_iteration_goes_on_where_it_was_left(connect):
    async def view(socket):
        await socket.accept()
        async for message in socket:
            await socket.send_text(f"first {message}")
            break
        await socket.send_text(f"between {await socket.receive_text()}")
        async for message in socket:
            await socket.send_text(f"then {message}")

    client = connect(make(view), "/live/")
    await client.next()
    for text in ("a", "b", "c"):
        client.send_text(text)
    assert [(await client.next())["text"] for _ in "abc"] == ["first a", "between b", "then c"]
    client.leave()
    assert await client.end() == []


async def test_iteration_over_a_closed_socket_ends_at_once(connect):
    async def view(socket):
        await socket.accept()
        await socket.close(4001)
        assert [message async for message in socket] == []

    client = connect(make(view), "/live/")
    await client.next()
    assert [message["code"] for message in await client.end()] == [4001]


async def test_client_that_left_is_told_with_its_code_each_time(connect):
    seen = []

    async def view(socket):
        await socket.accept()
        for action in (socket.receive, socket.receive_json, lambda: socket.send_text("x")):
            with pytest.raises(WebSocketDisconnect) as info:
                await action()
            seen.append(info.value.code)
        await socket.close()

    client = connect(make(view), "/live/")
    await client.next()
    client.leave(4321)
    assert await client.end() == []
    assert seen == [4321] * 3


async def test_client_that_leaves_before_accept_ends_the_view_quietly(connect, caplog):
    async def view(socket):
        await socket.accept()
        raise AssertionError("there is nobody to accept")

    client = connect(make(view), "/live/")
    client.gone = True
    assert await client.end() == []
    assert caplog.records == []


async def test_view_that_returns_without_accepting_refuses(connect):
    async def view(socket):
        assert socket.subprotocols == []

    client = connect(make(view), "/live/")
    assert [message["type"] for message in await client.end()] == ["websocket.close"]
