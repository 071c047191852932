"""`await request.session()` in views, and the cookies that come of it."""

import asyncio
import logging

import pytest

from transom.cache import Cache, MemoryCache
from transom.sessions import CachedSessions, Session, sessions
from transom.testing import Client
from transom.web import DEFAULT_MIDDLEWARE, App, JSONResponse, Response, path, websocket

KEY = "0123456789abcdef0123456789abcdef"


class RecordingStore(CachedSessions):
    """A store that remembers what was asked of it."""

    def __init__(self):
        backend = MemoryCache()
        super().__init__(Cache(lambda: backend))
        self.calls = []

    async def load(self, token):
        self.calls.append("load")
        await asyncio.sleep(0)
        return await super().load(token)

    async def save(self, token, content, timeout):
        self.calls.append("save")
        return await super().save(token, content, timeout)

    async def delete(self, token):
        self.calls.append("delete")
        await super().delete(token)


async def ignore(request):
    return Response("ok")


async def read(request):
    session = await request.session()
    return JSONResponse(dict(session))


async def count(request):
    session = await request.session()
    session["visits"] = session.get("visits", 0) + 1
    return JSONResponse(dict(session))


async def login(request):
    session = await request.session()
    session.cycle_key()
    session["user"] = request.query.get("user", "ada")
    return Response("ok")


async def logout(request):
    (await request.session()).flush()
    return Response("ok")


async def clear(request):
    (await request.session()).clear()
    return Response("ok")


async def fail(request):
    session = await request.session()
    session["visits"] = 100
    raise LookupError("half done")


async def logout_and_fail(request):
    (await request.session()).flush()
    raise LookupError("half done")


async def public(request):
    session = await request.session()
    session["visits"] = session.get("visits", 0) + 1
    return Response("ok", headers={"cache-control": request.query["control"]})


async def expire(request):
    session = await request.session()
    session["a"] = 1
    session.set_expiry(float(request.query["seconds"]))
    return Response("ok")


async def together(request):
    one, two = await asyncio.gather(request.session(), request.session())
    one["same"] = one is two
    return JSONResponse(dict(two))


async def large(request):
    (await request.session())["text"] = "x" * 5000
    return Response("ok")


VIEWS = [ignore, read, count, login, logout, clear, fail, logout_and_fail, public, expire, together, large]


def make_app(*layers, extra=()):
    routes = [path(f"{view.__name__}/", view) for view in VIEWS]
    return App([*routes, *extra], middleware=[*DEFAULT_MIDDLEWARE, *layers], secret_key=KEY)


@pytest.fixture
def store():
    return RecordingStore()


@pytest.fixture
async def client(store):
    async with Client(make_app(sessions(store)), raise_exceptions=False) as client:
        yield client


@pytest.fixture
async def cookie_client():
    async with Client(make_app(sessions()), raise_exceptions=False) as client:
        yield client


@pytest.fixture(params=["client", "cookie_client"])
def any_client(request):
    return request.getfixturevalue(request.param)


async def test_session_lasts_from_request_to_request(any_client):
    for visits in (1, 2, 3):
        assert (await any_client.get("/count/")).json() == {"visits": visits}
    assert (await any_client.get("/read/")).json() == {"visits": 3}


async def test_visitors_have_sessions_of_their_own(any_client):
    await any_client.get("/count/")
    any_client.cookies.clear()
    assert (await any_client.get("/count/")).json() == {"visits": 1}


async def test_nothing_is_loaded_before_first_access(client, store):
    await client.get("/count/")
    store.calls.clear()
    response = await client.get("/ignore/")
    assert store.calls == []
    assert "vary" not in response.headers
    assert "set-cookie" not in response.headers


async def test_reading_stores_nothing_sets_no_cookie_but_varies(client, store):
    response = await client.get("/read/")
    assert store.calls == []
    assert "set-cookie" not in response.headers
    assert response.headers["vary"] == "cookie"
    await client.get("/count/")
    store.calls.clear()
    response = await client.get("/read/")
    assert store.calls == ["load"]
    assert "set-cookie" not in response.headers


async def test_cookie_is_hidden_from_scripts_and_other_sites(any_client):
    response = await any_client.get("/count/")
    name, *attributes = response.headers["set-cookie"].split("; ")
    assert name.startswith("sessionid=")
    assert attributes == ["Path=/", "Max-Age=1209600", "HttpOnly", "SameSite=Lax"]


async def test_cookie_over_tls_is_secure_and_bound_to_the_host(store):
    async with Client(make_app(sessions(store)), base_url="https://testserver") as client:
        response = await client.get("/count/")
        assert response.headers["set-cookie"].startswith("__Host-sessionid=")
        assert "; Secure" in response.headers["set-cookie"]
        assert (await client.get("/count/")).json() == {"visits": 2}
        assert "Secure" in (await client.get("/logout/")).headers["set-cookie"]
        assert (await client.get("/read/")).json() == {}


async def test_planted_token_is_not_taken_over(client, store):
    client.cookies.set("sessionid", "planted")
    response = await client.get("/count/")
    assert "planted" not in response.headers["set-cookie"]
    assert await store.load("planted") is None


async def test_login_moves_the_session_to_a_new_key(client, store):
    await client.get("/count/")
    before = client.cookies["sessionid"]
    await client.get("/login/")
    assert client.cookies["sessionid"] != before
    assert (await client.get("/read/")).json() == {"visits": 1, "user": "ada"}
    assert await store.load(before) is None


async def test_logout_deletes_session_and_cookie(any_client):
    await any_client.get("/login/")
    response = await any_client.get("/logout/")
    assert "Max-Age=0" in response.headers["set-cookie"]
    assert "sessionid" not in any_client.cookies
    assert (await any_client.get("/read/")).json() == {}


async def test_logout_kills_copies_of_the_cookie(client):
    await client.get("/login/")
    token = client.cookies["sessionid"]
    await client.get("/logout/")
    client.cookies.set("sessionid", token)
    assert (await client.get("/read/")).json() == {}


async def test_emptied_session_is_deleted(client, store):
    await client.get("/count/")
    token = client.cookies["sessionid"]
    await client.get("/clear/")
    assert "sessionid" not in client.cookies
    assert await store.load(token) is None


async def test_logout_without_a_session_sets_no_cookie(any_client):
    assert "set-cookie" not in (await any_client.get("/logout/")).headers


async def test_failed_view_leaves_the_session_as_it_was(any_client, caplog):
    caplog.set_level(logging.CRITICAL, "transom")
    await any_client.get("/count/")
    response = await any_client.get("/fail/")
    assert response.status_code == 500
    assert "set-cookie" not in response.headers
    assert (await any_client.get("/read/")).json() == {"visits": 1}


async def test_failed_view_logs_out_all_the_same(any_client, caplog):
    caplog.set_level(logging.CRITICAL, "transom")
    await any_client.get("/count/")
    await any_client.get("/logout_and_fail/")
    assert (await any_client.get("/read/")).json() == {}


async def test_change_does_not_bring_a_deleted_session_back(store):
    changing, deleted = asyncio.Event(), asyncio.Event()

    async def slow(request):
        session = await request.session()
        changing.set()
        await deleted.wait()
        session["visits"] = 100
        return Response("ok")

    async with Client(make_app(sessions(store), extra=[path("slow/", slow)])) as client:
        await client.get("/count/")
        token = client.cookies["sessionid"]
        async with asyncio.TaskGroup() as group:
            answer = group.create_task(client.get("/slow/"))
            await changing.wait()
            await client.get("/logout/")
            deleted.set()
        assert answer.result().status_code == 400
        assert await store.load(token) is None


@pytest.mark.parametrize(
    ("control", "expected"),
    [
        ("public, max-age=60", "public, max-age=60, private"),
        ("Private, max-age=60", "Private, max-age=60"),
        ("no-store", "no-store"),
    ],
)
async def test_response_that_sets_the_cookie_stays_out_of_shared_caches(client, control, expected):
    response = await client.get("/public/", params={"control": control})
    assert response.headers["cache-control"] == expected
    assert (await client.get("/logout/")).headers["cache-control"] == "private"


@pytest.mark.parametrize(("seconds", "attribute"), [("90", "Max-Age=90"), ("0.5", "Max-Age=1"), ("0", "")])
async def test_session_chooses_its_expiry(any_client, seconds, attribute):
    cookie = (await any_client.get("/expire/", params={"seconds": seconds})).headers["set-cookie"]
    assert attribute in cookie
    assert ("Max-Age" in cookie) == bool(attribute)


async def test_tasks_of_one_request_share_the_session(client):
    await client.get("/count/")
    assert (await client.get("/together/")).json() == {"visits": 1, "same": True}


async def test_session_too_large_for_a_cookie_says_so(cookie_client, caplog):
    assert (await cookie_client.get("/large/")).status_code == 500
    assert "keep it on the server" in caplog.text


async def test_without_the_middleware_the_error_names_the_fix():
    async with Client(make_app()) as client:
        with pytest.raises(RuntimeError, match=r"middleware=\[\*DEFAULT_MIDDLEWARE, sessions\(\)\]"):
            await client.get("/read/")


async def test_websocket_view_can_read_the_session(store):
    keeper = sessions(store)

    async def live(socket):
        await socket.accept()
        session = await keeper.open(socket)
        await socket.send_json(dict(session))

    async with Client(make_app(keeper, extra=[websocket("live/", live)])) as client:
        await client.get("/count/")
        async with client.websocket("/live/") as ws:
            assert await ws.receive_json() == {"visits": 1}


async def test_templates_can_read_the_session():
    from transom.templates import JinjaEngine

    class Request:
        async def session(self):
            session = Session()
            session["user"] = "ada"
            return session

    text = await JinjaEngine([], debug=False).render_string(
        "{% set session = request.session() %}{{ session.user }}", {"request": Request()}
    )
    assert text == "ada"


@pytest.mark.parametrize("max_age", [0, -1, float("inf"), float("nan")])
def test_impossible_age_is_refused(max_age):
    with pytest.raises(ValueError, match="max_age"):
        sessions(max_age=max_age)
