"""A site with users, cheap hashes, and a count of the hashes that are computed."""

import pytest

from transom.auth import (
    PasswordHasher,
    User,
    authentication,
    get_user,
    login_required,
    login_throttle,
    set_password_hasher,
    staff_required,
)
from transom.cache import Cache
from transom.db import connections
from transom.db.migrations import migrate
from transom.sessions import CachedSessions, sessions
from transom.testing import Client
from transom.web import DEFAULT_MIDDLEWARE, App, Response, include, path

PASSWORD = "correct horse battery staple"


class CountingHasher(PasswordHasher):
    """argon2id with the cheapest parameters; `calls` counts hashes computed, of whatever kind."""

    def __init__(self, **changes):
        super().__init__(**({"time_cost": 1, "memory_cost": 8, "parallelism": 1} | changes))
        self.calls = 0

    async def hash(self, password):
        self.calls += 1
        return await super().hash(password)

    async def verify(self, password, encoded):
        self.calls += 1
        return await super().verify(password, encoded)


@pytest.fixture(autouse=True)
def hasher():
    counting = CountingHasher()
    previous = set_password_hasher(counting)
    yield counting
    set_password_hasher(previous)


@pytest.fixture(autouse=True)
def fresh_throttle():
    login_throttle.clear()


async def whoami(request):
    user = await get_user(request)
    session = await request.session()
    return Response(f"{user.username if user else None} {dict(session).get('basket', '')}".strip())


async def fill_basket(request):
    session = await request.session()
    session["basket"] = "apples"
    return Response("ok")


@login_required
async def private(request, pk):
    return Response(f"private {pk}")


@staff_required
async def staff(request):
    return Response("staff")


async def change_password(request):
    from transom.auth import update_session_auth_hash

    user = await get_user(request)
    await user.set_password("another horse battery staple")
    await user.save()
    await update_session_auth_hash(request, user)
    return Response("changed")


@pytest.fixture
def make_site(tmp_path):
    def make(middleware=(), **settings):
        return App(
            [
                path("accounts/", include("transom.auth.urls")),
                path("", whoami),
                path("basket/", fill_basket),
                path("private/<int:pk>/", private),
                path("staff/", staff),
                path("change/", change_password),
            ],
            middleware=[*DEFAULT_MIDDLEWARE, sessions(CachedSessions(Cache())), *middleware],
            **{
                "secret_key": "k" * 40,
                "installed_apps": ["transom.auth"],
                "databases": {"default": f"sqlite:///{tmp_path}/auth.sqlite3"},
            }
            | settings,
        )

    return make


@pytest.fixture
async def site(make_site):
    site = make_site(middleware=[authentication])
    await migrate()
    yield site
    await connections.aclose()


@pytest.fixture
async def ann(site):
    return await User.objects.create_user("ann", PASSWORD, email="ann@example.com")


@pytest.fixture
async def client(site):
    async with Client(site, headers={"sec-fetch-site": "same-origin"}) as client:
        yield client


@pytest.fixture
def log_in(client):
    async def log_in(username="ann", password=PASSWORD, target="/accounts/login/", through=None, **options):
        return await (through or client).post(
            target, data={"username": username, "password": password}, **options
        )

    return log_in
