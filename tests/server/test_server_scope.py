"""The scope and the messages of a request, over real sockets. IDs are those of the ASGI checklist."""

from __future__ import annotations

import asyncio

import pytest

GET = b"GET / HTTP/1.1\r\nHost: a\r\n\r\n"
OK = ({"type": "http.response.start", "status": 200}, {"type": "http.response.body"})


@pytest.fixture
async def scope_of(serve):
    """Return the scope that a request gives rise to."""

    async def scope_of(*lines, target=b"/", version=b"1.1", **options):
        scopes = []

        async def app(scope, receive, send):
            scopes.append(scope)
            for message in OK:
                await send(message)

        running = await serve(app, **options)
        head = b"\r\n".join([b"GET %b HTTP/%b" % (target, version), b"Host: a", *lines, b"", b""])
        assert (await running.exchange(head)).status == 200
        return scopes[0]

    return scope_of


async def test_application_is_called_once_per_request_and_awaited(serve):
    """B1: one call for each of several requests on one connection, with one positional dict to each `send`."""
    calls = []

    async def app(scope, receive, send):
        calls.append(scope["path"])
        assert isinstance(await receive(), dict)
        for message in OK:
            assert await send(message) is None
        await asyncio.sleep(0)
        calls.append("end")

    client = await (await serve(app)).connect()
    await client.get("/1")
    await client.get("/2")
    while len(calls) < 4:
        await asyncio.sleep(0)
    assert [call for call in calls if call != "end"] == ["/1", "/2"]
    assert calls.count("end") == 2


async def test_scope_is_a_dict_with_its_type_and_versions(scope_of):
    """B2."""
    scope = await scope_of()
    assert type(scope) is dict
    assert (scope["type"], scope["asgi"]) == ("http", {"version": "3.0", "spec_version": "2.5"})


async def test_extensions_are_dicts_of_each_request_alone(serve):
    """B10, B12: names to dicts; what one request adds, no other sees."""
    seen = []

    async def app(scope, receive, send):
        seen.append(dict(scope["extensions"]))
        scope["extensions"]["mine"] = {}
        for message in OK:
            await send(message)

    client = await (await serve(app)).connect()
    await client.get()
    await client.get()
    assert "mine" not in seen[1]
    assert all(type(value) is dict and not value for value in seen[1].values())


async def test_send_to_a_closed_connection_is_no_error_of_the_server(serve, caplog):
    """B8: what `send` raises is of a class that the server catches when it escapes."""
    ended = asyncio.get_running_loop().create_future()

    async def app(scope, receive, send):
        try:
            await send({"type": "http.response.start", "status": 200})
            while True:
                await send({"type": "http.response.body", "body": b"data", "more_body": True})
                await asyncio.sleep(0)
        finally:
            ended.set_result(None)

    running = await serve(app, access_log=False)
    client = await running.connect()
    await client.send(GET)
    await client.read_head()
    client.writer.transport.abort()
    await asyncio.wait_for(ended, 5)
    await asyncio.sleep(0)
    assert not [record for record in caplog.records if record.name.startswith("transom")]


async def test_repeated_fields_stay_apart_and_in_order(scope_of):
    """H1.1: names in lower case, never joined."""
    scope = await scope_of(b"X-One: 1", b"x-one: 2", b"X-ONE: 1")
    assert scope["headers"][1:] == [(b"x-one", b"1"), (b"x-one", b"2"), (b"x-one", b"1")]


async def test_folded_field_is_refused(serve, respond):
    """H1.2: RFC 9112 section 5.2 lets a server reject obs-fold."""
    reply = await (await serve(respond())).exchange(b"GET / HTTP/1.1\r\nHost: a\r\nX: a\r\n b\r\n\r\n")
    assert reply.status == 400


async def test_values_are_trimmed_and_otherwise_kept(scope_of):
    """H1.3."""
    scope = await scope_of(b"X: \t a  b\xff \t")
    assert scope["headers"][1] == (b"x", b"a  b\xff")


async def test_names_with_an_underscore_are_kept(scope_of):
    """H1.5: the WSGI adapter, where they would be taken for others, leaves them out."""
    assert (b"x_a", b"1") in (await scope_of(b"X_A: 1"))["headers"]


@pytest.mark.parametrize("version", [b"1.0", b"1.1"])
async def test_versions_and_ports_have_their_types(scope_of, version):
    """H1.6."""
    scope = await scope_of(version=version)
    assert scope["http_version"] == version.decode()
    assert type(scope["client"][1]) is type(scope["server"][1]) is int


async def test_http_1_0_is_offered_no_extension_that_it_cannot_carry(scope_of):
    """X5, X6."""
    assert set((await scope_of(version=b"1.0"))["extensions"]) == {
        "http.response.pathsend",
        "http.response.zerocopysend",
    }


async def test_absolute_and_asterisk_form(serve):
    """H: path of the other forms of a request target."""
    paths = []

    async def app(scope, receive, send):
        paths.append((scope["path"], scope["raw_path"], scope["query_string"]))
        for message in OK:
            await send(message)

    running = await serve(app)
    await running.exchange(b"GET http://a/b%20c?d HTTP/1.1\r\nHost: a\r\n\r\n")
    await running.exchange(b"OPTIONS * HTTP/1.1\r\nHost: a\r\n\r\n")
    assert paths == [("/b c", b"/b%20c", b"d"), ("*", b"*", b"")]


@pytest.mark.parametrize(
    "message",
    [{"type": "http.response.push", "path": "/", "headers": []}, {"type": "http.response.debug", "info": {}}],
    ids=["push", "debug"],
)
async def test_message_of_an_extension_that_is_not_offered_raises(serve, message, caplog):
    """X2, X7, B5: server push is gone from browsers, and debug information is not for servers."""

    async def app(scope, receive, send):
        assert message["type"] not in scope["extensions"]
        await send(message)

    assert (await (await serve(app, checked=False)).exchange(GET)).status == 500
    assert "unknown message type" in caplog.text


async def test_default_fields_are_added_to_every_response(serve, respond):
    """Option `header`."""
    running = await serve(respond(), header=("X-Frame-Options:DENY", "x-two: 2"))
    reply = await running.exchange(GET)
    assert (reply[b"x-frame-options"], reply[b"x-two"]) == (b"DENY", b"2")
