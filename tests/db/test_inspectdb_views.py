"""`inspectdb` and views that lead nowhere."""

from __future__ import annotations

import pytest

from transom.db import connections
from transom.db.backends.base import Backend
from transom.db.introspection import inspect_database


async def test_a_view_of_what_is_gone_keeps_nobody_from_the_rest(database: Backend):
    if database.vendor == "postgresql":
        pytest.skip("drops no table that a view needs")
    for statement in (
        "CREATE TABLE kept (id INTEGER NOT NULL PRIMARY KEY)",
        "CREATE TABLE gone (id INTEGER NOT NULL PRIMARY KEY)",
        "CREATE VIEW nowhere AS SELECT id FROM gone",
        "DROP TABLE gone",
    ):
        await connections.executor().execute(statement)
    source = await inspect_database(include_views=True)
    assert "class Kept(models.Model):" in source
    assert "class Nowhere" not in source
    compile(source, "models.py", "exec")
