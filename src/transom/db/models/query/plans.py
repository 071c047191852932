"""The cache from shapes to plans: SQL is written, and code generated, once per shape of statement."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final, NamedTuple, cast

from transom.db.models.query.loader import (
    Encode,
    Load,
    build_encoder,
    build_loader,
    build_values_loader,
    build_writer,
    entity_paths,
    related_entities,
)

if TYPE_CHECKING:
    from collections.abc import Callable, Hashable

    from transom.db.models.fields import Field
    from transom.db.models.options import Options
    from transom.db.sql.metadata import Vendor
    from transom.db.sql.shapes import Assignment, ColumnPath, SelectShape


class Plan(NamedTuple):
    """All that running a statement takes.

    Attributes:
        sql: the text, for one vendor.
        encode: makes the arguments from the values beside the shape.
        load: makes results of rows.
    """

    sql: str
    encode: Encode
    load: Load


class PlanCache:
    """The plans that were asked for last, at most `size` of them.

    Two generations make a hit cost one dictionary lookup: what is not asked for while the young one fills is dropped.
    """

    def __init__(self, size: int = 4096) -> None:
        self._half = max(1, size // 2)
        self._young: dict[Hashable, Plan] = {}
        self._old: dict[Hashable, Plan] = {}

    def get(self, key: Hashable, build: Callable[[], Plan]) -> Plan:
        """Return the plan of a key, building it if it is not there."""
        plan = self._young.get(key)
        if plan is None:
            plan = self._old.get(key) or build()
            if len(self._young) >= self._half:
                self._old, self._young = self._young, {}
            self._young[key] = plan
        return plan

    def __len__(self) -> int:
        return len(self._young.keys() | self._old.keys())

    def clear(self) -> None:
        """Forget all plans."""
        self._young, self._old = {}, {}


PLANS: Final = PlanCache()
"""The plans of this process."""


def _no_rows(rows: Any) -> list[Any]:
    raise AssertionError("this statement returns no rows")


def _options(shape: SelectShape) -> Options:
    return cast("Options", shape.options)


# SQLAlchemy takes 0.15 s to import, which a program pays at its first query, not when it defines models.


def select_plan(shape: SelectShape, vendor: Vendor, using: str) -> Plan:
    """Return the plan of a query of objects."""
    key = ("select", vendor, using, shape)

    def build() -> Plan:
        from transom.db.sql.statement import select_rows

        entities = related_entities(_options(shape), shape.related)
        paths = entity_paths(entities)
        spare = shape.spare_columns(paths)
        statement = select_rows(shape, [*paths, *spare], vendor)
        load = build_loader(entities, vendor, using, spare=len(spare))
        return Plan(statement.sql, build_encoder(statement.parameters), load)

    return PLANS.get(key, build)


def values_plan(
    shape: SelectShape, paths: tuple[ColumnPath, ...], names: tuple[str, ...], form: str, vendor: Vendor
) -> Plan:
    """Return the plan of a query of some columns."""
    key = ("values", vendor, shape, paths, names, form)

    def build() -> Plan:
        from transom.db.sql.statement import select_rows

        spare = shape.spare_columns(paths)
        statement = select_rows(shape, [*paths, *spare], vendor)
        fields = [cast("Field[Any]", path.field) for path in paths]
        load = build_values_loader(fields, names, form, vendor, spare=len(spare))
        return Plan(statement.sql, build_encoder(statement.parameters), load)

    return PLANS.get(key, build)


def count_plan(shape: SelectShape, vendor: Vendor) -> Plan:
    """Return the plan of counting the rows of a query."""

    def build() -> Plan:
        from transom.db.sql.statement import count_rows

        statement = count_rows(shape, vendor)
        return Plan(statement.sql, build_encoder(statement.parameters), _no_rows)

    return PLANS.get(("count", vendor, shape), build)


def exists_plan(shape: SelectShape, vendor: Vendor) -> Plan:
    """Return the plan of asking whether a query has rows."""

    def build() -> Plan:
        from transom.db.sql.statement import any_row

        statement = any_row(shape, vendor)
        return Plan(statement.sql, build_encoder(statement.parameters), _no_rows)

    return PLANS.get(("exists", vendor, shape), build)


def update_plan(shape: SelectShape, assignments: tuple[Assignment, ...], vendor: Vendor) -> Plan:
    """Return the plan of changing the rows of a query."""

    def build() -> Plan:
        from transom.db.sql.statement import update_rows

        statement = update_rows(shape, assignments, vendor)
        return Plan(statement.sql, build_encoder(statement.parameters), _no_rows)

    return PLANS.get(("update", vendor, shape, assignments), build)


def delete_plan(shape: SelectShape, vendor: Vendor) -> Plan:
    """Return the plan of deleting the rows of a query."""

    def build() -> Plan:
        from transom.db.sql.statement import delete_rows

        statement = delete_rows(shape, vendor)
        return Plan(statement.sql, build_encoder(statement.parameters), _no_rows)

    return PLANS.get(("delete", vendor, shape), build)


def insert_plan(
    options: Options, fields: tuple[Field[Any], ...], returning: tuple[Field[Any], ...], vendor: Vendor
) -> Plan:
    """Return the plan of inserting one row, which gives back the columns that the database makes."""

    def build() -> Plan:
        from transom.db.sql.statement import insert_row

        statement = insert_row(options, fields, returning, vendor)
        load = build_values_loader(returning, (), "tuple", vendor) if returning else _no_rows
        return Plan(statement.sql, build_writer(statement.parameters), load)

    return PLANS.get(("insert", vendor, options, fields, returning), build)


def bulk_insert_plan(
    options: Options, fields: tuple[Field[Any], ...], returning: tuple[Field[Any], ...], vendor: Vendor
) -> Plan:
    """Return the plan of inserting any number of rows in one statement, whose values are one list per column."""

    def build() -> Plan:
        from transom.db.sql.bulk import insert_rows

        statement = insert_rows(options, fields, returning, vendor)
        load = build_values_loader(returning, (), "tuple", vendor) if returning else _no_rows
        return Plan(statement.sql, build_encoder(statement.parameters), load)

    return PLANS.get(("bulk insert", vendor, options, fields, returning), build)
