"""`?pgbouncer=true`: what is sent must stand the change of server sessions between transactions."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from urllib.parse import urlsplit, urlunsplit

import pytest
from pooler import running_pooler

from transom.db import DatabaseError, F, atomic, connections, create_tables, models, set_rollback
from transom.db.backends.base import Backend
from transom.testing.contract import BackendContract

pytestmark = pytest.mark.postgres

LEFT = "SELECT count(*) FROM pg_prepared_statements"


@pytest.fixture
async def direct(postgres_url: str) -> AsyncIterator[Backend]:
    connections.configure({"default": f"{postgres_url}?pgbouncer=true&pool_max=3"})
    yield connections.backend()
    await connections.backend().execute("DROP SCHEMA public CASCADE")
    await connections.backend().execute("CREATE SCHEMA public")
    await connections.aclose()
    connections.configure({})


@pytest.fixture
async def items(direct: Backend) -> Backend:
    await direct.execute("CREATE TABLE item (id INTEGER PRIMARY KEY)")
    return direct


async def test_no_prepared_statement_is_left(items: Backend):
    async with items.transaction() as transaction:
        await transaction.execute("INSERT INTO item VALUES ($1)", (1,))
        assert [chunk async for chunk in transaction.stream("SELECT id FROM item WHERE id = $1", (1,))]
        assert [chunk async for chunk in transaction.stream("SELECT id FROM item")]
        assert (await transaction.fetch(LEFT))[0][0] == 0
    assert (await items.fetch(LEFT))[0][0] == 0


class Note(models.Model):
    text = models.CharField(max_length=20)
    votes = models.IntegerField(default=0)


@pytest.fixture
async def pooler(direct: Backend, postgres_url: str) -> AsyncIterator[str]:
    """The URL of a pooler whose every transaction is in another session of the server."""
    await create_tables(Note)
    parts = urlsplit(postgres_url)
    async with running_pooler(parts.hostname or "127.0.0.1", parts.port or 5432) as port:
        netloc = f"{parts.username}@127.0.0.1:{port}"
        yield urlunsplit(parts._replace(netloc=netloc))
        await connections.aclose()
        connections.configure({"default": postgres_url})


class TestThroughPooler(BackendContract):
    """The contract holds all the same."""

    @pytest.fixture
    async def backend(self, pooler: str) -> Backend:
        connections.configure({"default": f"{pooler}?pgbouncer=true&pool_max=3"})
        return connections.backend()


async def test_models_work_through_a_pooler(pooler: str):
    """Statements of every kind, each more often than the pooler has sessions."""
    connections.configure({"default": f"{pooler}?pgbouncer=true&pool_max=3"})
    for turn in range(5):
        note = await Note.objects.create(text=f"note {turn}")
        async with atomic():
            await Note.objects.filter(pk=note.pk).update(votes=F("votes") + turn)
            async with atomic():
                await Note.objects.filter(pk=note.pk).update(votes=99)
                set_rollback(True)
        await note.refresh()
        assert note.votes == turn
    await Note.objects.bulk_create([Note(text="more", votes=votes) for votes in range(10)])
    assert await Note.objects.filter(text="more").count() == 10
    assert len([row async for row in Note.objects.filter(votes__gte=1).iterator(chunk_size=3)]) == 13
    assert await Note.objects.filter(text__startswith="note").delete() == 5
    rows = await asyncio.gather(*(Note.objects.filter(votes=votes).get() for votes in range(10)))
    assert [row.votes for row in rows] == list(range(10))


async def test_pooler_is_why_the_option_is_there(pooler: str):
    """Without it a statement is prepared in one session, and run again in another."""
    connections.configure({"default": f"{pooler}?pool_max=1"})
    await Note.objects.filter(text="x").first()
    with pytest.raises(DatabaseError, match="prepared statement"):
        await Note.objects.filter(text="x").first()
