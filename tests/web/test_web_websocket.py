import asyncio

import pytest

from transom.web import App, Http404, WebSocketDisconnect, mount, path, websocket


async def echo(socket, **kwargs):
    await socket.accept()
    async for message in socket:
        await (socket.send_text(message) if isinstance(message, str) else socket.send_bytes(message))


def make(view, **options):
    return App([websocket("live/<int:pk>/", view, **options), path("page", echo)])


async def accepted(connect, view, headers=None, **changes):
    conversation = connect(make(view), "/live/1/", headers, **changes)
    message = await conversation.next()
    assert message["type"] == "websocket.accept"
    return conversation


async def test_messages_are_iterated_until_the_client_leaves(connect):
    client = await accepted(connect, echo)
    client.send_text("ü")
    assert (await client.next())["text"] == "ü"
    client.send_bytes(b"\0")
    assert (await client.next())["bytes"] == b"\0"
    client.leave()
    assert await client.end() == []


async def test_parameters_and_scope_reach_the_view(connect):
    async def view(socket, pk):
        await socket.accept("chat", headers={"x-a": "b"})
        await socket.send_json(
            [pk, socket.path, socket.query["q"], socket.cookies, socket.resolver_match.route]
        )

    client = connect(make(view), "/live/7/?q=1", {"cookie": "a=b"}, subprotocols=["old", "chat"])
    message = await client.next()
    assert (message["subprotocol"], list(message["headers"])) == ("chat", [(b"x-a", b"b")])
    assert (await client.next())["text"] == '[7,"/live/7/","1",{"a":"b"},"live/<int:pk>/"]'
    assert await client.end() == [{"type": "websocket.close", "code": 1000, "reason": ""}]


@pytest.mark.parametrize("target", ["/live/x/", "/nothing", "/page"])
async def test_no_route_is_refused_before_accept(connect, target):
    client = connect(make(echo), target)
    assert [message["type"] for message in await client.end()] == ["websocket.close"]


@pytest.mark.parametrize(
    ("headers", "expected"),
    [
        ({}, "accept"),  # no browser
        ({"origin": "http://localhost"}, "accept"),
        ({"origin": "https://localhost"}, "accept"),
        ({"origin": "http://localhost:8000", "host": "localhost:8000"}, "accept"),
        ({"origin": "http://localhost:8001", "host": "localhost:8000"}, "close"),
        ({"origin": "https://evil.example"}, "close"),
        ({"origin": "null"}, "close"),
        ({"host": "evil.example"}, "close"),
        ({"host": "evil.example", "origin": "http://evil.example"}, "close"),
    ],
)
async def test_origin_and_host_are_checked(connect, headers, expected):
    client = connect(make(echo), "/live/1/", headers)
    assert (await client.next())["type"] == f"websocket.{expected}"


async def test_foreign_origins_may_be_let_in_by_route_or_setting(connect):
    origin = {"origin": "https://partner.example"}
    assert (await connect(make(echo, check_origin=False), "/live/1/", origin).next())[
        "type"
    ] == "websocket.accept"
    app = App([websocket("x", echo)], csrf_trusted_origins=["https://partner.example"])
    assert (await connect(app, "/x", origin).next())["type"] == "websocket.accept"


async def test_a_view_that_raises_closes_1011_and_is_logged(connect, caplog):
    async def view(socket, pk):
        await socket.accept()
        raise ValueError("broken")

    client = await accepted(connect, view)
    (message,) = await client.end()
    assert message["code"] == 1011
    assert [record.name for record in caplog.records] == ["transom.request"]
    client = await accepted(connect, view, extensions={"transom.testing": {"raise_exceptions": True}})
    with pytest.raises(ValueError, match="broken"):
        await client.end()


async def test_http_exceptions_refuse_or_close_1008(connect, caplog):
    async def before(socket, pk):
        raise Http404

    async def after(socket, pk):
        await socket.accept()
        raise Http404

    assert [m["type"] for m in await connect(make(before), "/live/1/").end()] == ["websocket.close"]
    client = await accepted(connect, after)
    assert [(m["code"], m["reason"]) for m in await client.end()] == [(1008, "Not Found")]
    assert caplog.records == []


async def test_using_a_socket_before_accept_says_what_to_do(connect):
    async def view(socket, pk):
        with pytest.raises(RuntimeError, match=r"call `await socket.accept\(\)` first"):
            await socket.send_text("x")
        with pytest.raises(RuntimeError, match="accept"):
            await socket.receive()
        with pytest.raises(ValueError, match="'x' was not offered; choose from 'a'"):
            await socket.accept("x")
        await socket.accept()
        with pytest.raises(RuntimeError, match="accept it once"):
            await socket.accept()

    client = connect(make(view), "/live/1/", subprotocols=["a"])
    assert [m["type"] for m in await client.end()] == ["websocket.accept", "websocket.close"]


async def test_closing_ends_everything_once(connect):
    async def view(socket, pk):
        await socket.accept()
        await socket.close(4001, "enough")
        await socket.close()
        with pytest.raises(WebSocketDisconnect) as info:
            await socket.send_text("x")
        assert (info.value.code, info.value.reason) == (4001, "enough")

    client = await accepted(connect, view)
    assert await client.end() == [{"type": "websocket.close", "code": 4001, "reason": "enough"}]


async def test_a_client_that_leaves_ends_the_view_quietly(connect, caplog):
    async def reader(socket, pk):
        await socket.accept()
        await socket.receive_text()

    async def writer(socket, pk):
        await socket.accept()
        await socket.receive()
        async with asyncio.TaskGroup() as group:
            group.create_task(socket.send_text("x"))

    client = await accepted(connect, reader)
    client.leave()
    assert await client.end() == []
    client = await accepted(connect, writer)
    client.gone = True
    client.send_text("go on")
    assert await client.end() == []
    assert caplog.records == []


@pytest.mark.parametrize(
    ("method", "message"), [("receive_text", b"x"), ("receive_bytes", "x"), ("receive_json", "{")]
)
async def test_a_message_of_the_wrong_kind_closes_1003(connect, method, message):
    async def view(socket, pk):
        await socket.accept()
        await getattr(socket, method)()

    client = await accepted(connect, view)
    client.send_text(message) if isinstance(message, str) else client.send_bytes(message)
    assert [m["code"] for m in await client.end()] == [1003]


async def test_receive_json(connect):
    async def view(socket, pk):
        await socket.accept()
        await socket.send_json(await socket.receive_json())

    client = await accepted(connect, view)
    client.send_text('{"a": [1, null]}')
    assert (await client.next())["text"] == '{"a":[1,null]}'


async def test_send_each_sends_until_the_items_end(connect):
    async def items():
        yield {"votes": 1}
        yield {"votes": 2}

    async def view(socket, pk):
        await socket.accept()
        await socket.send_each(items())

    client = await accepted(connect, view)
    assert [(await client.next())["text"] for _ in range(2)] == ['{"votes":1}', '{"votes":2}']
    assert [m["code"] for m in await client.end()] == [1000]


async def test_send_each_ends_when_the_client_leaves_and_leaves_no_task(connect):
    closed = asyncio.Event()
    ended = []

    async def items():
        try:
            yield 1
            await asyncio.Event().wait()
        finally:
            closed.set()

    async def view(socket, pk):
        await socket.accept()
        await socket.send_each(items())
        ended.append(asyncio.current_task().cancelling())

    before = asyncio.all_tasks()
    client = await accepted(connect, view)
    await client.next()
    client.send_text("is read and dropped")
    client.leave()
    assert await client.end() == []
    assert closed.is_set()
    assert ended == [0]  # it returned, and the view is not left half cancelled
    assert asyncio.all_tasks() == before


async def test_send_each_closes_its_items_when_a_send_fails(connect):
    closed = asyncio.Event()

    async def items():
        try:
            while True:
                yield 1
        finally:
            closed.set()

    async def view(socket, pk):
        await socket.accept()
        await socket.receive()
        await socket.send_each(items())

    client = await accepted(connect, view)
    client.gone = True
    client.send_text("go on")
    assert await client.end() == []
    assert closed.is_set()


async def test_send_each_raises_what_its_items_raise(connect):
    async def items():
        yield 1
        raise KeyError("items")

    async def view(socket, pk):
        await socket.accept()
        with pytest.raises(KeyError):
            await socket.send_each(items())
        await socket.send_text("still open")

    client = await accepted(connect, view)
    await client.next()
    assert (await client.next())["text"] == "still open"


async def test_send_each_can_be_cancelled(connect):
    async def forever():
        await asyncio.Event().wait()
        yield 1

    async def view(socket, pk):
        await socket.accept()
        with pytest.raises(TimeoutError):
            async with asyncio.timeout(0):
                await socket.send_each(forever())
        await socket.send_text("still open")

    client = await accepted(connect, view)
    assert (await client.next())["text"] == "still open"


async def test_mounted_applications_get_websockets(connect):
    async def inner(scope, receive, send):
        await receive()
        await send({"type": "websocket.close", "reason": scope["root_path"]})

    client = connect(App([mount("old/", inner)]), "/old/live", {"origin": "https://evil.example"})
    assert (await client.next())["reason"] == "/old"
    client = connect(App([mount("old/", inner)]), "/old/live", {"host": "evil.example"})
    assert (await client.next())["reason"] == ""
