"""`?pgbouncer=true`: what is sent must stand the change of server sessions between transactions."""

from __future__ import annotations

from collections.abc import AsyncIterator

import pytest

from transom.db import connections
from transom.db.backends.base import Backend
from transom.db.backends.postgresql import PgBouncerBackend
from transom.db.exceptions import UniqueViolation
from transom.testing.contract import BackendContract

pytestmark = pytest.mark.postgres

LEFT = "SELECT count(*) FROM pg_prepared_statements"


@pytest.fixture
async def backend(postgres_url: str) -> AsyncIterator[Backend]:
    connections.configure({"default": f"{postgres_url}?pgbouncer=true&pool_max=3"})
    yield connections.backend()
    await connections.backend().execute("DROP SCHEMA public CASCADE")
    await connections.backend().execute("CREATE SCHEMA public")
    await connections.aclose()
    connections.configure({})


class TestPgBouncer(BackendContract):
    """The contract holds all the same."""

    @pytest.fixture
    def backend(self, backend: Backend) -> Backend:
        return backend


@pytest.fixture
async def items(backend: Backend) -> Backend:
    await backend.execute("CREATE TABLE item (id INTEGER PRIMARY KEY)")
    return backend


async def test_option_chooses_the_backend(backend: Backend):
    assert type(backend) is PgBouncerBackend


@pytest.mark.parametrize("method", ["fetch", "execute", "execute_returning", "execute_many", "stream"])
async def test_nothing_with_arguments_is_sent_outside_a_transaction(items: Backend, method: str):
    """The transaction's id is the same in parsing and running only inside of one."""
    inside: list[bool] = []
    source = items._source  # type: ignore[attr-defined]
    take = source.take_and_run

    async def record(statement: str):
        connection = await take(statement)
        inside.append(statement.startswith("BEGIN") and connection.is_in_transaction())
        return connection

    source.take_and_run = record
    if method == "stream":
        chunks = [
            chunk async for chunk in items.stream("SELECT generate_series(1, $1::int)", (5,), chunk_size=2)
        ]
        assert [len(chunk) for chunk in chunks] == [2, 2, 1]
    elif method == "execute_many":
        await items.execute_many("INSERT INTO item VALUES ($1)", [(1,), (2,)])
    elif method == "fetch":
        assert (await items.fetch("SELECT $1::int", (3,)))[0][0] == 3
    else:
        await getattr(items, method)("INSERT INTO item VALUES ($1) RETURNING id", (1,))
    assert inside == [True]


async def test_no_prepared_statement_is_left(items: Backend):
    async with items.transaction() as transaction:
        await transaction.execute("INSERT INTO item VALUES ($1)", (1,))
        assert [chunk async for chunk in transaction.stream("SELECT id FROM item WHERE id = $1", (1,))]
        assert [chunk async for chunk in transaction.stream("SELECT id FROM item")]
        assert (await transaction.fetch(LEFT))[0][0] == 0
    assert (await items.fetch(LEFT))[0][0] == 0


async def test_statement_without_arguments_needs_no_transaction(backend: Backend):
    await backend.execute("VACUUM pg_am")


async def test_failed_statement_leaves_nothing_open(items: Backend):
    await items.execute("INSERT INTO item VALUES ($1)", (1,))
    with pytest.raises(UniqueViolation):
        await items.execute("INSERT INTO item VALUES ($1)", (1,))
    assert items.pool.in_use == 0  # type: ignore[attr-defined]
