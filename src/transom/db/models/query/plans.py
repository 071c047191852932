"""The cache from shapes to plans: SQL is written, and code generated, once per shape of statement."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final, NamedTuple, TypeAlias, cast

from transom.db.models.query.loader import (
    Encode,
    Load,
    RawColumn,
    build_encoder,
    build_loader,
    build_raw_loader,
    build_values_loader,
    build_writer,
    entity_columns,
    related_entities,
)
from transom.db.sql.shapes import AnnotationOperand, spread

if TYPE_CHECKING:
    from collections.abc import Callable, Hashable

    from transom.db.models.expressions import Bound
    from transom.db.models.fields import Field
    from transom.db.models.options import Options
    from transom.db.models.query.columns import Columns
    from transom.db.sql.metadata import Vendor
    from transom.db.sql.shapes import (
        Assignment,
        CompoundShape,
        Conflict,
        ExpressionShape,
        SelectShape,
    )


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


Selected: TypeAlias = "tuple[tuple[str, Field[Any]], ...]"
"""Names of annotations and the fields of their values. Any: fields of any type."""


def select_plan(
    shape: SelectShape, selected: Selected, columns: Columns | None, vendor: Vendor, using: str
) -> Plan:
    """Return the plan of a query of objects, with annotations and these columns; None for all."""
    key = ("select", vendor, using, shape, selected, columns)

    def build() -> Plan:
        from transom.db.sql.statement import select_rows

        entities = related_entities(_options(shape), shape.related, columns)
        wanted = [*entity_columns(entities), *(AnnotationOperand(name) for name, _ in selected)]
        spare = shape.spare_columns(wanted)
        statement = select_rows(shape, [*wanted, *spare], vendor)
        load = build_loader(entities, selected, vendor, using, spare=len(spare))
        return Plan(statement.sql, build_encoder(statement.parameters), load)

    return PLANS.get(key, build)


def values_plan(
    shape: SelectShape, columns: tuple[Bound, ...], names: tuple[str, ...], form: str, vendor: Vendor
) -> Plan:
    """Return the plan of a query of some columns."""
    key = ("values", vendor, shape, columns, names, form)

    def build() -> Plan:
        from transom.db.sql.statement import select_rows

        shapes = [part for column in columns for part in spread(column.shape)]
        spare = shape.spare_columns(shapes)
        statement = select_rows(shape, [*shapes, *spare], vendor)
        fields = [cast("Field[Any]", column.field) for column in columns]
        load = build_values_loader(fields, names, form, vendor, spare=len(spare))
        return Plan(statement.sql, build_encoder(statement.parameters), load)

    return PLANS.get(key, build)


def count_plan(shape: SelectShape, columns: tuple[ExpressionShape, ...], vendor: Vendor) -> Plan:
    """Return the plan of counting the rows of a query, which are those of these columns."""

    def build() -> Plan:
        from transom.db.sql.statement import count_rows

        statement = count_rows(shape, columns, vendor)
        return Plan(statement.sql, build_encoder(statement.parameters), _no_rows)

    return PLANS.get(("count", vendor, shape, columns), build)


def aggregate_plan(
    shape: SelectShape,
    columns: tuple[ExpressionShape, ...],
    aggregates: tuple[Bound, ...],
    vendor: Vendor,
) -> Plan:
    """Return the plan of aggregates over the rows of a query, which gives one tuple of them."""

    def build() -> Plan:
        from transom.db.sql.statement import aggregate_rows

        statement = aggregate_rows(shape, columns, [aggregate.shape for aggregate in aggregates], vendor)
        fields = [cast("Field[Any]", aggregate.field) for aggregate in aggregates]
        load = build_values_loader(fields, (), "tuple", vendor)
        return Plan(statement.sql, build_encoder(statement.parameters), load)

    return PLANS.get(("aggregate", vendor, shape, columns, aggregates), build)


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
    options: Options,
    fields: tuple[Field[Any], ...],
    returning: tuple[Field[Any], ...],
    conflict: Conflict | None,
    vendor: Vendor,
) -> Plan:
    """Return the plan of inserting any number of rows in one statement, whose values are one list per column."""

    def build() -> Plan:
        from transom.db.sql.bulk import insert_rows

        statement = insert_rows(options, fields, returning, conflict, vendor)
        load = build_values_loader(returning, (), "tuple", vendor) if returning else _no_rows
        return Plan(statement.sql, build_encoder(statement.parameters), load)

    return PLANS.get(("bulk insert", vendor, options, fields, returning, conflict), build)


def bulk_update_plan(options: Options, fields: tuple[Field[Any], ...], vendor: Vendor) -> Plan:
    """Return the plan of changing any number of rows in one statement; it takes one list per field, the key first."""

    def build() -> Plan:
        from transom.db.sql.bulk import update_rows_by_key

        statement = update_rows_by_key(options, fields, vendor)
        return Plan(statement.sql, build_encoder(statement.parameters), _no_rows)

    return PLANS.get(("bulk update", vendor, options, fields), build)


def returning_plan(
    shape: SelectShape,
    assignments: tuple[Assignment, ...] | None,
    fields: tuple[Field[Any], ...],
    names: tuple[str, ...],
    vendor: Vendor,
) -> Plan:
    """Return the plan of changing the rows of a query, or of deleting them without assignments, that gives dicts of them."""

    def build() -> Plan:
        from transom.db.sql.statement import delete_rows, update_rows

        wanted = [part for field in fields for part in field.parts]
        statement = (
            delete_rows(shape, vendor, wanted)
            if assignments is None
            else update_rows(shape, assignments, vendor, wanted)
        )
        load = build_values_loader(fields, names, "dict", vendor)
        return Plan(statement.sql, build_encoder(statement.parameters), load)

    return PLANS.get(("returning", vendor, shape, assignments, fields, names), build)


def raw_plan(options: Options, columns: tuple[RawColumn, ...], vendor: Vendor, using: str) -> Plan:
    """Return the plan that makes objects of rows of SQL of one's own, which has no text."""

    def build() -> Plan:
        return Plan("", tuple, build_raw_loader(options, columns, vendor, using))

    return PLANS.get(("raw", vendor, using, options, columns), build)


def compound_plan(shape: CompoundShape, load: Load, vendor: Vendor) -> Plan:
    """Return the plan of the rows of several queries together; what makes results of them is that of the first."""

    def build() -> Plan:
        from transom.db.sql.statement import compound_rows

        statement = compound_rows(shape, vendor)
        return Plan(statement.sql, build_encoder(statement.parameters), load)

    return PLANS.get(("compound", vendor, shape, load), build)


def compound_count_plan(shape: CompoundShape, vendor: Vendor) -> Plan:
    """Return the plan of counting the rows of several queries together."""

    def build() -> Plan:
        from transom.db.sql.statement import count_compound_rows

        statement = count_compound_rows(shape, vendor)
        return Plan(statement.sql, build_encoder(statement.parameters), _no_rows)

    return PLANS.get(("count compound", vendor, shape), build)
