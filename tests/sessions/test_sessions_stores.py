"""The stores: what every one does, and what only one does."""

import subprocess
import sys
from datetime import UTC, datetime

import pytest

from transom.cache import Cache, MemoryCache
from transom.db import atomic
from transom.sessions import CachedSessions, DatabaseSessions, SessionInterrupted, SignedCookieSessions
from transom.sessions.models import StoredSession
from transom.testing.contract import SessionStoreContract
from transom.web import App

KEY = b"0123456789abcdef0123456789abcdef"


@pytest.fixture
def advance(clock):
    return clock.advance


@pytest.fixture
def backend(clock):
    return MemoryCache(clock=clock)


@pytest.fixture
def cached(backend):
    return CachedSessions(Cache(lambda: backend))


@pytest.fixture
def signed(clock):
    return SignedCookieSessions(KEY, clock=clock)


@pytest.fixture
def in_database(each_database, clock):
    return DatabaseSessions(clock=clock)


class TestCachedSessions(SessionStoreContract):
    @pytest.fixture
    def store(self, cached):
        return cached


class TestSignedCookieSessions(SessionStoreContract):
    forgets = False

    @pytest.fixture
    def store(self, signed):
        return signed


class TestDatabaseSessions(SessionStoreContract):
    @pytest.fixture
    def store(self, in_database):
        return in_database


async def test_cached_token_is_random_and_the_cache_holds_only_its_hash(cached, backend):
    one, two = await cached.save(None, b"1", 60), await cached.save(None, b"1", 60)
    assert one != two
    assert len(one) == 43
    assert not any(one in key or two in key for key in backend._entries)


async def test_stolen_table_opens_no_session(in_database):
    token = await in_database.save(None, b"1", 60)
    row = await StoredSession.objects.get()
    assert len(token) == 43
    assert token not in (row.key, row.content.decode())
    assert await in_database.load(row.key) is None


async def test_row_shows_no_content_in_logs(in_database):
    await in_database.save(None, b"hunter2", 60)
    row = await StoredSession.objects.get()
    assert "hunter2" not in repr(row) + str(row)


async def test_row_says_when_it_expires(in_database, clock):
    await in_database.save(None, b"1", 90)
    row = await StoredSession.objects.get()
    assert row.expires_at == datetime.fromtimestamp(clock.now + 90, UTC)


async def test_clear_expired_deletes_what_is_over_and_nothing_else(in_database, clock):
    for timeout in (1, 2, 60):
        token = await in_database.save(None, b"1", timeout)
    await clock.advance(2)
    assert await in_database.clear_expired() == 2
    assert await in_database.clear_expired() == 0
    assert await in_database.load(token) == b"1"


async def test_large_content_is_kept_whole(in_database):
    content = bytes(range(256)) * 1000
    assert await in_database.load(await in_database.save(None, content, 60)) == content


async def test_each_step_is_one_statement(in_database, monkeypatch):
    from transom.db import connections

    ran = []
    executor = connections.executor

    def note(using="default"):
        ran.append(using)
        return executor(using)

    monkeypatch.setattr(connections, "executor", note)
    token = await in_database.save(None, b"1", 60)
    await in_database.load(token)
    await in_database.save(token, b"2", 60)
    await in_database.delete(token)
    assert ran == ["default"] * 4


async def test_store_works_inside_a_transaction_and_is_undone_with_it(in_database):
    before = await in_database.save(None, b"1", 60)
    with pytest.raises(LookupError):
        async with atomic():
            token = await in_database.save(None, b"2", 60)
            assert await in_database.load(token) == b"2"
            await in_database.delete(before)
            raise LookupError("undo")
    assert await in_database.load(token) is None
    assert await in_database.load(before) == b"1"


async def test_interruption_leaves_a_transaction_usable(in_database):
    async with atomic():
        with pytest.raises(SessionInterrupted):
            await in_database.save("gone", b"1", 60)
        token = await in_database.save(None, b"2", 60)
    assert await in_database.load(token) == b"2"


@pytest.mark.parametrize(
    ("settings", "expected"),
    [
        ({"installed_apps": ["transom.sessions"]}, []),
        ({}, ["sessions.E001"]),
        ({"installed_apps": ["transom.sessions"], "databases": {}}, ["sessions.E002"]),
    ],
)
def test_site_without_the_table_is_told_at_start_up(settings, expected):
    from transom.sessions import sessions
    from transom.web import DEFAULT_MIDDLEWARE

    app = App(
        [],
        middleware=[*DEFAULT_MIDDLEWARE, sessions(DatabaseSessions())],
        **{"secret_key": "k" * 40, "databases": {"default": "sqlite:///:memory:"}} | settings,
    )
    assert [message.id for message in app.check()] == expected


@pytest.mark.slow  # starts an interpreter
def test_sites_without_a_database_import_none():
    code = "import sys, transom.sessions; transom.sessions.sessions(); assert 'transom.db' not in sys.modules"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, timeout=60)
    assert done.returncode == 0, done.stderr


async def test_cookie_of_another_key_or_use_is_unknown(signed, clock):
    from transom.signing import Signer

    other = SignedCookieSessions(KEY[::-1], clock=clock)
    assert await other.load(await signed.save(None, b"1", 60)) is None
    assert await signed.load(Signer(KEY, "transom.csrf").sign("9999999999.MQ==")) is None


async def test_cookie_that_browsers_would_drop_is_a_clear_error(signed):
    await signed.save(None, b"x" * 2900, 60)
    with pytest.raises(ValueError, match=r"keep it on the server: sessions\(CachedSessions\(\)\)"):
        await signed.save(None, b"x" * 3100, 60)
