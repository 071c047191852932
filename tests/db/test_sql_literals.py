"""Values as SQL text: whatever the text, the database reads the value back, and nothing else."""

from __future__ import annotations

import math
from datetime import UTC, date, datetime, time, timedelta
from decimal import Decimal
from typing import Any
from uuid import UUID

import pytest
import sqlalchemy as sa

from transom.db import DataError
from transom.db.backends.base import Backend
from transom.db.sql.column_type import ColumnType
from transom.db.sql.dialects import dialect, undouble
from transom.db.sql.literals import literal, quote
from transom.db.sql.types import sql_type

HOSTILE = [
    "",
    "'",
    "''",
    "\\",
    "\\'",
    "'; DROP TABLE x; --",
    "%s %% %(a)s",
    ":a ::text",
    "$1 ?",
    '"',
    "\n\r\t",
    "é\u2028😀",
    "$$a$$",
]


@pytest.mark.parametrize("text", HOSTILE)
async def test_text_is_read_back(database: Backend, text: str) -> None:
    assert await read(database, text, ColumnType("text")) == text


async def read(database: Backend, value: Any, column_type: ColumnType) -> Any:
    constant = literal(value, sql_type(column_type, database.vendor), database.vendor)
    sql = undouble(str(sa.select(constant).compile(dialect=dialect(database.vendor))), database.vendor)
    ((found,),) = await database.fetch(sql)
    return found


VALUES: list[tuple[Any, ColumnType]] = [
    (None, ColumnType("text")),
    (True, ColumnType("boolean")),
    (-5, ColumnType("integer")),
    (-(2**63), ColumnType("bigint")),
    (1e-300, ColumnType("float")),
    (-1.5, ColumnType("float")),
    (math.inf, ColumnType("float")),
    (-math.inf, ColumnType("float")),
    (Decimal("-0.10"), ColumnType("decimal", precision=5, scale=2)),
    (b"", ColumnType("binary")),
    (bytes(range(256)), ColumnType("binary")),
]
TYPED: list[tuple[Any, ColumnType]] = [
    (datetime(2026, 1, 2, 3, 4, 5, 6, tzinfo=UTC), ColumnType("datetime")),
    (date(1, 1, 1), ColumnType("date")),
    (time(23, 59, 59, 999999), ColumnType("time")),
    (timedelta(days=-1, seconds=5, microseconds=7), ColumnType("duration")),
    (UUID(int=5), ColumnType("uuid")),
    (math.nan, ColumnType("float")),
]


@pytest.mark.parametrize(("value", "column_type"), VALUES)
async def test_values_are_read_back(database: Backend, value: Any, column_type: ColumnType) -> None:
    if database.vendor == "mysql" and isinstance(value, float) and math.isinf(value):
        pytest.skip("a FloatField holds no infinity there")
    found = await read(database, value, column_type)
    assert (Decimal(str(found)) if isinstance(value, Decimal) else found) == value


@pytest.mark.parametrize(("value", "column_type"), TYPED)
async def test_values_of_types_that_postgresql_has(
    database: Backend, value: Any, column_type: ColumnType
) -> None:
    if database.vendor != "postgresql":
        pytest.skip("others hold such values as text or numbers")
    found = await read(database, value, column_type)
    assert found == value or (math.isnan(found) and math.isnan(value))


def test_what_cannot_be_written_is_refused() -> None:
    with pytest.raises(DataError, match="NUL"):
        quote("a\0", "sqlite")
    with pytest.raises(DataError, match="cannot be written"):
        literal(object(), sa.Text(), "sqlite")
    with pytest.raises(DataError, match="NaN"):
        literal(math.nan, sa.Float(), "sqlite")
    with pytest.raises(DataError, match="cannot be written"):
        literal(Decimal("NaN"), sa.Numeric(), "postgresql")
