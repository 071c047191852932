"""Inserting many rows with one statement that is the same for any number of them."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final

import sqlalchemy as sa
from sqlalchemy.dialects import postgresql, sqlite

from transom.db.sql.rows import given_rows
from transom.db.sql.statement import StatementBuilder

if TYPE_CHECKING:
    from collections.abc import Sequence

    from transom.db.sql.metadata import FieldLike, OptionsLike, Vendor
    from transom.db.sql.shapes import Conflict
    from transom.db.sql.statement import Statement


def insert_rows(
    options: OptionsLike,
    fields: Sequence[FieldLike],
    returning: Sequence[FieldLike],
    conflict: Conflict | None,
    vendor: Vendor,
) -> Statement:
    """Compile the insertion of rows given as columns: one list of values for each field, in their order.

    What is returned comes back in no promised order, but they are counted up in the order of the rows, so sorting them is
    enough. There is one value beside the shape: the list of columns.
    """
    builder = StatementBuilder(options, vendor)
    table = builder.joins.tables.of(options)
    rows, order = given_rows(fields, [field.writer(vendor) for field in fields], builder)
    source = sa.select(*rows).order_by(order)
    if conflict is not None and vendor == "sqlite":
        source = source.where(
            sa.literal_column("1 = 1")
        )  # or it would take ON CONFLICT for a condition of a join
    insert = _insert(table, vendor)
    insert = insert.from_select([field.column for field in fields], source, include_defaults=False)
    if conflict is not None:
        insert = _on_conflict(insert, conflict, options.pk_fields[0], vendor)
    if returning:
        insert = insert.returning(*(table.c[field.column] for field in returning))
    return builder.finish(insert)


_INSERTS: Final = {"postgresql": postgresql.insert, "sqlite": sqlite.insert}


def _insert(table: sa.Table, vendor: Vendor) -> Any:  # Any: each dialect has a class of its own
    if vendor == "mysql":
        from sqlalchemy.dialects import mysql  # it brings a module for each of its drivers

        return mysql.insert(table)
    return _INSERTS[vendor](table)


def _on_conflict(insert: Any, conflict: Conflict, key: FieldLike, vendor: Vendor) -> Any:  # Any: see above
    if (
        vendor == "mysql"
    ):  # it knows no names for what is unique: whichever key the row clashes with, it is this one
        kept = {key.column: insert.table.c[key.column]}
        new = {field.column: insert.inserted[field.column] for field in conflict.update}
        return insert.on_duplicate_key_update(new or kept)
    unique = [field.column for field in conflict.unique] or None
    if not conflict.update:
        return insert.on_conflict_do_nothing(index_elements=unique)
    new = {field.column: insert.excluded[field.column] for field in conflict.update}
    return insert.on_conflict_do_update(index_elements=unique, set_=new)


def update_rows_by_key(options: OptionsLike, fields: Sequence[FieldLike], vendor: Vendor) -> Statement:
    """Compile the change of columns in rows given as columns: one list for each field of the key, then for each to change.

    There is one value beside the shape: the list of columns.
    """
    builder = StatementBuilder(options, vendor)
    table = builder.joins.tables.of(options)
    keys = options.pk_fields
    written = [*keys, *fields]
    rows, _ = given_rows(written, [field.writer(vendor) for field in written], builder)
    given = sa.select(*(row.label(f"v{number}") for number, row in enumerate(rows))).subquery("given")
    columns = dict(zip([field.column for field in written], given.c, strict=True))
    same_row = [table.c[field.column] == columns.pop(field.column) for field in keys]
    values: dict[str, Any] = {**columns}  # Any: columns of all types
    return builder.finish(sa.update(table).where(*same_row).values(values))
