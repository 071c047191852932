"""The stores: what every one does, and what only one does."""

import pytest

from transom.cache import Cache, MemoryCache
from transom.sessions import CachedSessions, SessionInterrupted, SignedCookieSessions

KEY = b"0123456789abcdef0123456789abcdef"


class Clock:
    now = 1_000_000.0

    def __call__(self):
        return self.now


@pytest.fixture
def clock():
    return Clock()


@pytest.fixture
def backend(clock):
    return MemoryCache(clock=clock)


@pytest.fixture
def cached(backend):
    return CachedSessions(Cache(lambda: backend))


@pytest.fixture
def signed(clock):
    return SignedCookieSessions(KEY, clock=clock)


@pytest.fixture(params=["cached", "signed"])
def store(request):
    return request.getfixturevalue(request.param)


async def test_content_is_found_by_its_token_until_it_expires(store, clock):
    token = await store.save(None, b'[null,{"a":"\xc3\xa9"}]', 60)
    assert await store.load(token) == b'[null,{"a":"\xc3\xa9"}]'
    clock.now += 59
    token = await store.save(token, b"[null,{}]", 60)
    clock.now += 59
    assert await store.load(token) == b"[null,{}]"
    clock.now += 2
    assert await store.load(token) is None


@pytest.mark.parametrize("token", ["", "x", "é", ".", "a.b.c", "9" * 43, "A" * 4000])
async def test_token_nobody_gave_out_is_unknown(store, token):
    assert await store.load(token) is None
    await store.delete(token)


async def test_altered_token_is_unknown(store):
    token = await store.save(None, b"[null,{}]", 60)
    assert await store.load(("C" if token[0] == "B" else "B") + token[1:]) is None
    assert await store.load(token[:-2]) is None


async def test_cached_token_is_random_and_the_cache_holds_only_its_hash(cached, backend):
    one, two = await cached.save(None, b"1", 60), await cached.save(None, b"1", 60)
    assert one != two
    assert len(one) == 43
    assert not any(one in key or two in key for key in backend._entries)


async def test_cached_session_that_was_deleted_stays_so(cached):
    token = await cached.save(None, b"1", 60)
    await cached.delete(token)
    assert await cached.load(token) is None
    with pytest.raises(SessionInterrupted, match="deleted while"):
        await cached.save(token, b"2", 60)
    assert await cached.load(token) is None


async def test_cookie_of_another_key_or_use_is_unknown(signed, clock):
    from transom.signing import Signer

    other = SignedCookieSessions(KEY[::-1], clock=clock)
    assert await other.load(await signed.save(None, b"1", 60)) is None
    assert await signed.load(Signer(KEY, "transom.csrf").sign("9999999999.MQ==")) is None


async def test_cookie_that_browsers_would_drop_is_a_clear_error(signed):
    await signed.save(None, b"x" * 2900, 60)
    with pytest.raises(ValueError, match=r"keep it on the server: sessions\(CachedSessions\(\)\)"):
        await signed.save(None, b"x" * 3100, 60)
