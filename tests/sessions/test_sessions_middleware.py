"""`await request.session()` in views, and the cookies that come of it."""

import asyncio
import logging
from datetime import UTC, datetime

import pytest

from transom.cache import Cache, MemoryCache
from transom.db import set_rollback
from transom.db.open_transaction import find_open
from transom.sessions import CachedSessions, DatabaseSessions, Session, sessions
from transom.sessions.models import StoredSession
from transom.testing import Client
from transom.web import DEFAULT_MIDDLEWARE, App, Http404, JSONResponse, Response, path, redirect, websocket

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
        return await super().delete(token)


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


def make_app(*layers, extra=(), **settings):
    routes = [path(f"{view.__name__}/", view) for view in VIEWS]
    return App([*routes, *extra], middleware=[*DEFAULT_MIDDLEWARE, *layers], secret_key=KEY, **settings)


def in_database(url, store=None, **options):
    return make_app(
        sessions(store or DatabaseSessions()),
        databases={"default": url},
        installed_apps=["transom.sessions"],
        **options,
    )


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


STORES = {
    "cookie": lambda url, **options: make_app(sessions(), **options),
    "cache": lambda url, **options: make_app(sessions(RecordingStore()), **options),
    "database": in_database,
}


@pytest.fixture(params=STORES)
def make_any_app(request, database):
    """Return a function that makes a site with sessions in each of the stores."""
    return lambda *extra: STORES[request.param](database, extra=extra)


@pytest.fixture
async def any_client(make_any_app):
    async with Client(make_any_app(), raise_exceptions=False) as client:
        yield client


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


LOOKS = [
    dict,
    len,
    bool,
    repr,
    list,
    lambda session: "a" in session,
    lambda session: session.get("a"),
    lambda session: session.pop("a", None),
    lambda session: session == {},
    lambda session: session.modified,
    lambda session: session.expiry,
    lambda session: session.update({}),
    lambda session: session.set_expiry(60),
    lambda session: (session.update(a=1), session.clear()),
    lambda session: session.cycle_key(),
    lambda session: session.flush(),
]


@pytest.mark.parametrize("stored", [False, True], ids=["anonymous", "stored"])
async def test_every_access_varies_and_no_read_makes_a_session(make_any_app, stored):
    """A cache must not give one visitor's page to another, and a visitor who is only looked at gets no cookie."""

    async def look(request, pk):
        LOOKS[pk](await request.session())
        return Response("ok")

    reads = range(12 if stored else len(LOOKS))  # the rest changes a session that there is
    async with Client(make_any_app(path("look/<int:pk>/", look))) as client:
        if stored:
            await client.get("/count/")
        for pk in reads:
            response = await client.get(f"/look/{pk}/")
            assert (pk, response.headers.get("vary")) == (pk, "cookie")
            assert (pk, response.headers.get("set-cookie")) == (pk, None)


async def respond_404(request):
    await request.session()
    raise Http404("gone")


async def respond_500(request):
    await request.session()
    raise LookupError("broken")


async def respond_redirect(request):
    await request.session()
    return redirect("/ignore/")


async def respond_varying(request):
    await request.session()
    return Response("ok", headers={"vary": "accept-language"})


@pytest.mark.parametrize(
    ("view", "vary"),
    [
        (respond_404, "accept, cookie"),
        (respond_500, "accept, cookie"),
        (respond_redirect, "cookie"),
        (respond_varying, "accept-language, cookie"),
        (ignore, None),
    ],
)
async def test_every_kind_of_response_varies_where_the_session_was_looked_at(
    make_any_app, view, vary, caplog
):
    caplog.set_level(logging.CRITICAL, "transom")
    async with Client(
        make_any_app(path("kind/", view)), raise_exceptions=False, follow_redirects=False
    ) as client:
        response = await client.get("/kind/")
        assert response.headers.get("vary") == vary
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


class Beside:
    """A site with views that wait in the middle of a request until the test says go."""

    def __init__(self):
        self.started, self.go = asyncio.Event(), asyncio.Event()

    def wrap(self, change):
        async def slow(request):
            session = await request.session()
            self.started.set()
            await self.go.wait()
            change(session)
            return Response("ok")

        return path("slow/", slow)

    async def run(self, client, *targets):
        """Return the answer of the slow view, while which these requests ran."""
        async with asyncio.TaskGroup() as group:
            answer = group.create_task(client.get("/slow/"))
            await self.started.wait()
            for target in targets:
                await client.get(target)
            self.go.set()
        return answer.result()


@pytest.mark.parametrize("keep", [STORES["cache"], STORES["database"]], ids=["cache", "database"])
@pytest.mark.parametrize("meanwhile", ["/logout/", "/login/", "/clear/"])
@pytest.mark.parametrize("change", [lambda s: s.update(visits=100), lambda s: s.cycle_key()])
async def test_nothing_brings_back_a_session_deleted_meanwhile(database, keep, meanwhile, change):
    beside = Beside()
    async with Client(keep(database, extra=[beside.wrap(change)]), raise_exceptions=False) as client:
        await client.get("/count/")
        old = client.cookies["sessionid"]
        answer = await beside.run(client, meanwhile)
        assert answer.status_code == 400
        assert "set-cookie" not in answer.headers
        client.cookies.clear()
        client.cookies.set("sessionid", old)
        assert (await client.get("/read/")).json() == {}


@pytest.mark.parametrize("keep", [STORES["cache"], STORES["database"]], ids=["cache", "database"])
async def test_login_beside_a_login_moves_the_session_all_the_same(database, keep):
    beside = Beside()
    app = keep(database, extra=[beside.wrap(lambda session: session.cycle_key(revive=True))])
    async with Client(app, raise_exceptions=False) as client:
        await client.get("/count/")
        answer = await beside.run(client, "/login/")
        assert answer.status_code == 200
        assert (await client.get("/read/")).json() == {"visits": 1}


async def test_of_two_changes_at_a_time_the_last_one_stored_is_kept_whole(make_any_app):
    beside = Beside()
    async with Client(make_any_app(beside.wrap(lambda session: session.update(slow=True)))) as client:
        await client.get("/count/")
        await beside.run(client, "/count/")
        assert (await client.get("/read/")).json() == {"visits": 1, "slow": True}


class TransactionNotes(DatabaseSessions):
    """Sessions that note whether the view's transaction is open when they are asked."""

    def __init__(self):
        super().__init__()
        self.notes = []

    def _rows(self):
        self.notes.append("inside" if find_open("default") else "outside")
        return super()._rows()


@pytest.mark.parametrize(("method", "where"), [("GET", "outside"), ("POST", "inside")])
async def test_session_is_read_in_the_transaction_of_the_view_and_stored_after_it(database, method, where):
    store = TransactionNotes()
    headers = {"sec-fetch-site": "same-origin"}
    async with Client(in_database(database, store), headers=headers) as client:
        await client.request(method, "/count/")
        store.notes.clear()
        await client.request(method, "/count/")
        assert (await client.get("/read/")).json() == {"visits": 2}
        assert store.notes == [where, "outside", "outside"]


async def test_session_of_a_view_that_is_rolled_back_is_not_stored(database, caplog):
    caplog.set_level(logging.CRITICAL, "transom")

    async def undo(request):
        (await request.session())["undone"] = True
        await StoredSession.objects.create(key="x", content=b"", expires_at=datetime.now(UTC))
        set_rollback(True)
        raise LookupError("half done")

    app = in_database(database, extra=[path("undo/", undo)])
    async with Client(app, headers={"sec-fetch-site": "same-origin"}, raise_exceptions=False) as client:
        assert "set-cookie" not in (await client.post("/undo/")).headers
        assert await StoredSession.objects.count() == 0


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
