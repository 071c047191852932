"""`inspectdb` where columns have the names of modules that the source speaks of."""

from __future__ import annotations

import sys
import types
from collections.abc import Iterator
from decimal import Decimal
from typing import Any

import pytest

from transom.db import connections
from transom.db.backends.base import Backend
from transom.db.introspection import inspect_database

MODULE = "inspected_names"


@pytest.fixture(autouse=True)
def module() -> Iterator[types.ModuleType]:
    sys.modules[MODULE] = made = types.ModuleType(MODULE)
    yield made
    del sys.modules[MODULE]


async def test_a_field_does_not_stand_in_place_of_a_module(database: Backend, module: types.ModuleType):
    await connections.executor().execute(
        "CREATE TABLE named_as_modules (id INTEGER NOT NULL PRIMARY KEY, decimal_one DECIMAL(6,2) NOT NULL DEFAULT 1.5,"
        " models VARCHAR(9), transom VARCHAR(9), uuid VARCHAR(9), price DECIMAL(6,2) NOT NULL DEFAULT 2.5)"
    )
    exec(compile(await inspect_database(), MODULE, "exec"), module.__dict__)
    model: Any = module.NamedAsModules
    await model.objects.create(id=1, uuid="x", models_field="m")
    row = await model.objects.get(uuid="x")
    assert (row.decimal_one, row.price) == (Decimal("1.5"), Decimal("2.5"))


async def test_a_default_that_would_name_a_hidden_module_is_said_in_a_comment(
    database: Backend, module: types.ModuleType
):
    mark = "`" if database.vendor == "mysql" else '"'
    await connections.executor().execute(
        f"CREATE TABLE hidden (id INTEGER NOT NULL PRIMARY KEY, {mark}decimal{mark} INTEGER,"
        " price DECIMAL(6,2) NOT NULL DEFAULT 2.5)"
    )
    source = await inspect_database()
    assert "# the database fills it in: " in source
    exec(compile(source, MODULE, "exec"), module.__dict__)
    assert await module.Hidden.objects.count() == 0
