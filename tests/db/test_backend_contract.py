"""Every backend keeps the contract of the seam."""

from __future__ import annotations

import pytest

from transom.db import connections
from transom.db.backends.base import Backend
from transom.db.transaction import rollback_after
from transom.testing.contract import BackendContract


class TestBackends(BackendContract):
    @pytest.fixture
    def backend(self, database: Backend) -> Backend:
        return database


class TestMemory(BackendContract):
    @pytest.fixture
    async def backend(self):
        connections.configure({"default": "sqlite://:memory:"})
        yield connections.backend()
        await connections.aclose()
        connections.configure({})


class TestInsideRollbackAfter(BackendContract):
    """The stand-in keeps the contract too, but for what only a transaction of its own could do."""

    test_readonly_transaction_refuses_writes = None

    @pytest.fixture
    async def backend(self, database: Backend):
        if database.vendor == "mysql":
            pytest.skip("MariaDB commits at each CREATE TABLE, with which these tests begin")
        async with rollback_after():
            yield connections.backend()
        with pytest.raises(Exception, match="author"):
            await database.fetch("SELECT * FROM author")
