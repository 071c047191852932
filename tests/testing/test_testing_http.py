"""The client's HTTP side, against bare ASGI applications."""

from __future__ import annotations

import asyncio
import contextlib
import contextvars

import httpx
import pytest

from transom.asgi import validate
from transom.testing import Client


async def respond(send, body: bytes = b"", status: int = 200, headers=()) -> None:
    await send({"type": "http.response.start", "status": status, "headers": list(headers)})
    await send({"type": "http.response.body", "body": body})


def only_http(view):
    """Make an application of `view(scope, receive, send)`, without a lifespan; both sides are checked against ASGI."""

    async def app(scope, receive, send):
        assert scope["type"] == "http"
        await view(scope, receive, send)

    return validate(app)


async def read_body(receive) -> bytes:
    body = b""
    while True:
        message = await receive()
        body += message["body"]
        if not message["more_body"]:
            return body


async def test_scope_is_that_of_a_real_request():
    seen = {}

    @only_http
    async def app(scope, receive, send):
        seen.update(scope)
        await respond(send)

    async with Client(app) as client:
        await client.get("/caf%C3%A9/x%2Fy?a=1&b=%20", headers={"X-Thing": "V"})
    assert (seen["method"], seen["scheme"], seen["http_version"]) == ("GET", "http", "1.1")
    assert (seen["path"], seen["raw_path"], seen["query_string"]) == (
        "/café/x/y",
        b"/caf%C3%A9/x%2Fy",
        b"a=1&b=%20",
    )
    assert (seen["server"], seen["client"], seen["root_path"]) == (
        ("testserver", 80),
        ("127.0.0.1", 50000),
        "",
    )
    headers = dict(seen["headers"])
    assert headers[b"host"] == b"testserver"
    assert headers[b"x-thing"] == b"V"


async def test_json_form_and_status():
    @only_http
    async def app(scope, receive, send):
        await respond(
            send, await read_body(receive), 201, [(b"content-type", dict(scope["headers"])[b"content-type"])]
        )

    async with Client(app, base_url="https://polls.example:8443") as client:
        response = await client.post("/", json={"a": 1})
        assert (response.status_code, response.json()) == (201, {"a": 1})
        assert str(response.request.url) == "https://polls.example:8443/"
        response = await client.post("/", data={"choice": "3"})
        assert response.text == "choice=3"
        assert response.headers["content-type"] == "application/x-www-form-urlencoded"
        response = await client.post("/", files={"f": ("a.txt", b"data")})
        assert b"data" in response.content


async def test_known_length_marks_the_last_body_message():
    messages = []

    @only_http
    async def app(scope, receive, send):
        messages.append(await receive())
        await respond(send)
        messages.append(await receive())

    async with Client(app) as client:
        await client.post("/", content=b"abc")
        await client.get("/")
    assert messages == [
        {"type": "http.request", "body": b"abc", "more_body": False},
        {"type": "http.disconnect"},
        {"type": "http.request", "body": b"", "more_body": False},
        {"type": "http.disconnect"},
    ]


async def test_request_body_is_pulled_as_the_application_asks():
    sent: list[bytes] = []
    seen: list[tuple[bytes, int]] = []

    async def upload():
        for piece in (b"a", b"b"):
            sent.append(piece)
            yield piece

    @only_http
    async def app(scope, receive, send):
        while True:
            message = await receive()
            seen.append((message["body"], len(sent)))
            if not message["more_body"]:
                break
        await respond(send)

    async with Client(app) as client:
        await client.post("/", content=upload())
    assert seen == [(b"a", 1), (b"b", 2), (b"", 2)]


async def test_head_and_pieces_arrive_before_the_body_ends():
    go = asyncio.Event()

    @only_http
    async def app(scope, receive, send):
        await send(
            {"type": "http.response.start", "status": 200, "headers": [(b"x-a", b"1"), (b"x-a", b"2")]}
        )
        await send({"type": "http.response.body", "body": b"one", "more_body": True})
        await go.wait()
        await send({"type": "http.response.body", "body": b"two"})

    async with Client(app) as client, client.stream("GET", "/") as response:
        assert response.headers.get_list("x-a") == ["1", "2"]
        pieces = response.aiter_raw()
        assert await anext(pieces) == b"one"
        go.set()
        assert await anext(pieces) == b"two"
        with pytest.raises(StopAsyncIteration):
            await anext(pieces)


async def test_closing_early_is_a_disconnect():
    seen = []

    @only_http
    async def app(scope, receive, send):
        await receive()
        await send({"type": "http.response.start", "status": 200})
        await send({"type": "http.response.body", "body": b"x", "more_body": True})
        seen.append(await receive())
        try:
            await send({"type": "http.response.body", "body": b"y", "more_body": True})
        except OSError as exc:
            seen.append(exc)
            raise

    async with Client(app) as client:
        async with client.stream("GET", "/"):
            pass
        assert seen[0] == {"type": "http.disconnect"}
        assert isinstance(seen[1], OSError)


async def test_sending_waits_for_a_client_that_does_not_read():
    sent = 0

    @only_http
    async def app(scope, receive, send):
        nonlocal sent
        await send({"type": "http.response.start", "status": 200})
        for _ in range(10):
            await send({"type": "http.response.body", "body": bytes(40_000), "more_body": True})
            sent += 1
        await send({"type": "http.response.body", "body": b""})

    async with Client(app) as client, client.stream("GET", "/") as response:
        for _ in range(5):
            await asyncio.sleep(0)
        assert sent == 1  # the second is over the high-water mark
        assert len(await response.aread()) == 400_000
    assert sent == 10


async def test_exception_of_the_application_is_raised_in_the_test():
    @only_http
    async def app(scope, receive, send):
        raise ZeroDivisionError("mine")

    async with Client(app) as client:
        with pytest.raises(ZeroDivisionError, match="mine"):
            await client.get("/")


async def test_exception_after_the_response_is_raised_too():
    """An application that answers 500 itself and raises again for the server's log."""

    @only_http
    async def app(scope, receive, send):
        await respond(send, b"error page", 500)
        raise ZeroDivisionError("mine")

    async with Client(app) as client:
        with pytest.raises(ZeroDivisionError, match="mine"):
            await client.get("/")
    async with Client(app, raise_exceptions=False) as client:
        response = await client.get("/")
        assert (response.status_code, response.text) == (500, "error page")


async def test_outcome_of_pytest_passes_through_the_application():
    @only_http
    async def app(scope, receive, send):
        pytest.fail("from inside")

    async with Client(app) as client:
        with pytest.raises(pytest.fail.Exception, match="from inside"):
            await client.get("/")


async def test_without_raising_a_failure_is_what_a_server_makes_of_it():
    @only_http
    async def app(scope, receive, send):
        if scope["path"] != "/before":
            await send({"type": "http.response.start", "status": 200})
        if scope["path"] == "/inside":
            await send({"type": "http.response.body", "body": b"x", "more_body": True})
        raise ZeroDivisionError

    async with Client(app, raise_exceptions=False) as client:
        for path in ("/before", "/head"):
            response = await client.get(path)
            assert (response.status_code, response.content) == (500, b"")
        with pytest.raises(httpx.RemoteProtocolError, match="the response ends early"):
            await client.get("/inside")


@pytest.mark.parametrize(
    ("messages", "error"),
    [
        ([], "returned without sending its response"),
        ([{"type": "http.response.start", "status": 200}], "returned without sending its response"),
        (
            [
                {"type": "http.response.start", "status": 200},
                {"type": "http.response.body", "more_body": True},
            ],
            "returned without completing its response",
        ),
        ([{"type": "http.response.body"}], "was sent before http.response.start"),
        ([{"type": "http.response.start", "status": 200}] * 2, "sent twice"),
        ([{"type": "http.response.boddy"}], "unexpected message 'http.response.boddy'"),
    ],
)
async def test_mistakes_against_asgi_are_told(messages, error):
    async def app(scope, receive, send):
        assert scope["type"] == "http"
        for message in messages:
            await send(message)

    async with Client(app) as client:
        with pytest.raises(RuntimeError, match=error):
            await client.get("/")


async def test_head_request_has_no_body_and_late_messages_are_ignored():
    @only_http
    async def app(scope, receive, send):
        await respond(send, b"body")
        await send({"type": "http.response.body", "body": b"more"})

    async with Client(app) as client:
        assert (await client.head("/")).content == b""
        assert (await client.get("/")).content == b"body"


async def test_silent_application_is_a_timeout_that_says_what_was_awaited():
    ended = asyncio.Event()

    @only_http
    async def app(scope, receive, send):
        if scope["path"] == "/half":
            await send({"type": "http.response.start", "status": 200})
            await send({"type": "http.response.body", "body": b"x", "more_body": True})
        await receive()
        assert (await receive())["type"] == "http.disconnect"
        ended.set()

    async with Client(app, timeout=0.01) as client:
        with pytest.raises(
            httpx.ReadTimeout, match=r"GET http://testserver/: .* for the application to start its response"
        ):
            await client.get("/")
        await ended.wait()
        with pytest.raises(httpx.ReadTimeout, match="for more of the response body"):
            await client.get("/half")


async def test_application_that_does_not_end_is_cancelled():
    cancelled = []

    @only_http
    async def app(scope, receive, send):
        await respond(send, b"done")
        try:
            await asyncio.Event().wait()
        except asyncio.CancelledError:
            cancelled.append(scope["path"])
            raise

    async with Client(app, timeout=0.01) as client:
        with pytest.raises(httpx.ReadTimeout, match=r"the response was sent .* did not return within"):
            await client.get("/")
    assert cancelled == ["/"]


async def test_cancelled_request_is_a_disconnect():
    heard = asyncio.Event()

    @only_http
    async def app(scope, receive, send):
        await receive()
        await receive()
        heard.set()

    async with Client(app) as client:
        request = asyncio.ensure_future(client.get("/"))
        await asyncio.sleep(0)
        request.cancel()
        with pytest.raises(asyncio.CancelledError):
            await request
        await heard.wait()


async def test_leaving_the_client_cancels_what_still_runs():
    stopped = asyncio.Event()

    @only_http
    async def app(scope, receive, send):
        try:
            await asyncio.Event().wait()
        finally:
            stopped.set()

    async with Client(app, timeout=0.001) as client:
        with pytest.raises(httpx.ReadTimeout):
            await client.get("/")
        assert not stopped.is_set()
    assert stopped.is_set()


async def test_application_that_swallows_cancellation_does_not_hang_the_test(monkeypatch):
    monkeypatch.setattr("transom.testing.running.CANCEL_TIMEOUT", 0.01)
    release = asyncio.Event()

    @only_http
    async def app(scope, receive, send):
        await respond(send)
        while not release.is_set():
            with contextlib.suppress(asyncio.CancelledError):
                await release.wait()

    async with Client(app, timeout=0.01) as client:
        with pytest.raises(httpx.ReadTimeout, match=r"was cancelled, but went on"):
            await client.get("/")
        release.set()


async def test_cookies_are_kept_and_redirects_followed_on_request():
    @only_http
    async def app(scope, receive, send):
        if scope["path"] == "/login":
            await respond(send, b"", 302, [(b"set-cookie", b"session=7; Path=/"), (b"location", b"/")])
        else:
            await respond(send, dict(scope["headers"]).get(b"cookie", b"-"))

    async with Client(app, cookies={"lang": "de"}) as client:
        assert (await client.get("/")).text == "lang=de"
        assert (await client.get("/login")).status_code == 302
        assert (await client.get("/login", follow_redirects=True)).text == "lang=de; session=7"


async def test_requests_may_run_at_the_same_time():
    both = asyncio.Barrier(2)

    @only_http
    async def app(scope, receive, send):
        await both.wait()
        await respond(send, scope["path"].encode())

    async with Client(app) as client:
        one, two = await asyncio.gather(client.get("/1"), client.get("/2"))
    assert (one.text, two.text) == ("/1", "/2")


async def test_application_does_not_see_the_context_of_the_caller():
    """As behind a server: a transaction the test has open is not the view's."""
    variable = contextvars.ContextVar("variable", default="unset")

    @only_http
    async def app(scope, receive, send):
        await respond(send, variable.get().encode())
        variable.set("by the application")

    async with Client(app) as client:
        variable.set("by the test")
        assert (await client.get("/")).text == "unset"
        assert (await client.get("/")).text == "unset"
    assert variable.get() == "by the test"
