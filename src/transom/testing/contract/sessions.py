"""What every session store must do, as tests.

    class TestMySessions(SessionStoreContract):
        @pytest.fixture
        async def store(self):
            return MySessions(...)

        @pytest.fixture
        def advance(self):
            return asyncio.sleep   # lets seconds pass; better, a coroutine function that turns a clock of the store

pytest collects the tests from the subclass; they are coroutines, so pytest-asyncio (or the like) must run them.
"""

# ruff: noqa: D102, S101  # these are tests: their names say what they hold, and assert is how they speak

from __future__ import annotations

import asyncio
import re
from collections.abc import Awaitable, Callable
from typing import TYPE_CHECKING, TypeAlias

import pytest

if TYPE_CHECKING:
    from transom.sessions import SessionStore

Advance: TypeAlias = Callable[[float], Awaitable[object]]

CONTENT = '[null,{"a":"é\\u0000"}]'.encode()
# RFC 6265 4.1.1: what may be in a cookie without quotes.
COOKIE_VALUE = re.compile(r"[\x21\x23-\x2b\x2d-\x3a\x3c-\x5b\x5d-\x7e]+")


class SessionStoreContract:
    """Tests that need only the fixtures `store`, a `SessionStore`, and `advance`, which lets seconds pass.

    Attributes:
        forgets: whether `delete` kills the token. It cannot where all of the session is in the cookie; then set it to False.
    """

    forgets = True

    async def test_content_is_found_by_its_token(self, store: SessionStore) -> None:
        token = await store.save(None, CONTENT, 60)
        assert await store.load(token) == CONTENT

    async def test_token_fits_into_a_cookie(self, store: SessionStore) -> None:
        assert COOKIE_VALUE.fullmatch(await store.save(None, CONTENT, 60))

    async def test_session_ends_after_its_timeout(self, store: SessionStore, advance: Advance) -> None:
        token = await store.save(None, CONTENT, 2)
        await advance(2.5)
        assert await store.load(token) is None

    async def test_saving_again_replaces_content_and_timeout(
        self, store: SessionStore, advance: Advance
    ) -> None:
        token = await store.save(None, CONTENT, 2)
        token = await store.save(token, b"[null,{}]", 60)
        await advance(2.5)
        assert await store.load(token) == b"[null,{}]"

    async def test_saving_the_same_again_keeps_it(self, store: SessionStore) -> None:
        token = await store.save(None, CONTENT, 60)
        token = await store.save(token, CONTENT, 60)
        assert await store.load(token) == CONTENT

    @pytest.mark.parametrize("token", ["", "x", "é", ".", "a.b.c", "'\"%_", "9" * 43, "A" * 4000])
    async def test_token_nobody_gave_out_is_unknown(self, store: SessionStore, token: str) -> None:
        await store.save(None, CONTENT, 60)
        assert await store.load(token) is None
        await store.delete(token)

    async def test_altered_token_is_unknown(self, store: SessionStore) -> None:
        token = await store.save(None, CONTENT, 60)
        assert await store.load(("C" if token[0] == "B" else "B") + token[1:]) is None
        assert await store.load(token[:-2]) is None
        assert await store.load(token.swapcase()) is None

    async def test_sessions_do_not_share_content(self, store: SessionStore) -> None:
        one, two = await store.save(None, b"[null,{}]", 60), await store.save(None, CONTENT, 60)
        assert one != two
        await store.delete(one)
        assert await store.load(two) == CONTENT

    async def test_deleted_session_is_gone_and_stays_so(self, store: SessionStore) -> None:
        token = await store.save(None, CONTENT, 60)
        assert await store.delete(token)
        if self.forgets:
            await self._expect_gone(store, token)
            assert not await store.delete(token)

    async def test_expired_session_does_not_come_back(self, store: SessionStore, advance: Advance) -> None:
        token = await store.save(None, CONTENT, 2)
        await advance(2.5)
        if self.forgets:
            await self._expect_gone(store, token)

    async def test_of_two_who_delete_a_session_one_is_told_that_it_was_there(
        self, store: SessionStore
    ) -> None:
        token = await store.save(None, CONTENT, 60)
        told = await asyncio.gather(store.delete(token), store.delete(token))
        assert sorted(told) == [not self.forgets, True]

    async def _expect_gone(self, store: SessionStore, token: str) -> None:
        from transom.sessions import SessionInterrupted

        with pytest.raises(SessionInterrupted, match="deleted while"):
            await store.save(token, CONTENT, 60)
        assert await store.load(token) is None
