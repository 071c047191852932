"""Logging in and out with sessions in the database."""

import asyncio

import pytest

from transom.auth import login, update_session_auth_hash
from transom.auth.models import User
from transom.db import connections
from transom.db.migrations import migrate
from transom.sessions import DatabaseSessions, sessions
from transom.sessions.models import StoredSession
from transom.testing import Client
from transom.web import DEFAULT_MIDDLEWARE, App, Response, include, path

from .conftest import change_password, fill_basket, whoami


@pytest.fixture
async def site(tmp_path):
    site = App(
        [
            path("accounts/", include("transom.auth.urls")),
            path("", whoami),
            path("basket/", fill_basket),
            path("change/", change_password),
            path("slow_login/", log_in_slowly),
            path("slow_change/", change_slowly),
        ],
        middleware=[*DEFAULT_MIDDLEWARE, sessions(DatabaseSessions())],
        secret_key="k" * 40,
        installed_apps=["transom.auth", "transom.sessions"],
        databases={"default": f"sqlite:///{tmp_path}/auth.sqlite3"},
    )
    await migrate()
    yield site
    await connections.aclose()


class Gate:
    """Holds a view in the middle until the test opens it."""

    def __init__(self):
        self.reached, self.opened = asyncio.Event(), asyncio.Event()

    async def wait(self):
        self.reached.set()
        await self.opened.wait()


async def log_in_slowly(request):
    await request.session()
    await request.app.gate.wait()
    await login(request, await User.objects.get())
    return Response("ok")


async def change_slowly(request):
    user = await User.objects.get()
    await request.session()
    await request.app.gate.wait()
    await update_session_auth_hash(request, user)
    return Response("ok")


@pytest.fixture
def gate(site):
    site.gate = Gate()
    return site.gate


async def test_login_moves_the_row_to_a_new_key(client, ann, log_in):
    await client.get("/basket/")
    before = await StoredSession.objects.get()
    await log_in()
    after = await StoredSession.objects.get()
    assert after.key != before.key
    assert (await client.get("/")).text == "ann apples"


async def test_logout_deletes_the_row(client, ann, log_in):
    await log_in()
    token = client.cookies["sessionid"]
    await client.post("/accounts/logout/")
    assert await StoredSession.objects.count() == 0
    client.cookies.set("sessionid", token)
    assert (await client.get("/")).text == "None"


async def test_changed_password_moves_this_session_and_ends_the_others(site, client, ann, log_in):
    headers = {"sec-fetch-site": "same-origin"}
    async with Client(site, headers=headers) as other:
        await log_in()
        await log_in(through=other)
        token = client.cookies["sessionid"]
        await client.get("/change/")
        assert client.cookies["sessionid"] != token
        assert (await client.get("/")).text == "ann"
        assert (await other.get("/")).text == "None"


async def test_login_clicked_twice_logs_in_with_what_was_in_the_basket(client, ann, log_in, gate):
    await client.get("/basket/")
    async with asyncio.TaskGroup() as group:
        second = group.create_task(client.get("/slow_login/"))
        await gate.reached.wait()
        await log_in()
        gate.opened.set()
    assert second.result().status_code == 200
    assert (await client.get("/")).text == "ann apples"


async def test_logout_is_not_undone_by_a_change_of_password_beside_it(site, client, ann, log_in, gate):
    await log_in()
    async with asyncio.TaskGroup() as group:
        change = group.create_task(client.get("/slow_change/"))
        await gate.reached.wait()
        await client.post("/accounts/logout/")
        gate.opened.set()
    assert change.result().status_code == 400
    assert await StoredSession.objects.count() == 0
    assert (await client.get("/")).text == "None"
