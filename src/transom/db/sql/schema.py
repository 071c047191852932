"""Tables with their indexes and constraints in SQLAlchemy's words, for DDL.

Which database makes what of an item is said in `build_item`: PostgreSQL knows all of them. SQLite has unique indexes in
place of unique constraints, since those can come and go without making the table anew; it has one kind of index.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import sqlalchemy as sa
from sqlalchemy.dialects import postgresql
from sqlalchemy.schema import conv
from sqlalchemy.sql.elements import Grouping

from transom.db.exceptions import FieldError
from transom.db.sql.conditions import Position, build_condition
from transom.db.sql.items import (
    BoundExpression,
    CheckItem,
    ExclusionItem,
    GeneratedItem,
    IndexItem,
    IndexKey,
    UniqueItem,
)
from transom.db.sql.literals import literal
from transom.db.sql.rows import is_row
from transom.db.sql.statement import StatementBuilder
from transom.db.sql.tables import build_table
from transom.db.sql.templates import Template
from transom.db.sql.types import sql_type

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from sqlalchemy.types import TypeEngine

    from transom.db.sql.items import BoundCondition, TableItem
    from transom.db.sql.metadata import FieldLike, OptionsLike, Vendor
    from transom.db.sql.parameters import Converter
    from transom.db.sql.shapes import ConditionShape
    from transom.db.sql.statement import Statement

    # Any: columns of every type
    Column = sa.ColumnElement[Any]
    SchemaObject = sa.Index | sa.Constraint


_WITH_METHODS: frozenset[str] = frozenset({"postgresql"})
_WITH_PARTIAL_INDEXES: frozenset[str] = frozenset({"postgresql", "sqlite"})


def build_whole_table(
    options: OptionsLike, items: Iterable[TableItem], metadata: sa.MetaData, vendor: Vendor
) -> sa.Table:
    """Describe a model's table with its indexes and constraints in `metadata`."""
    table = build_table(options, metadata, vendor)
    for item in items:
        build_item(item, table, options, vendor)
    return table


def build_item(item: TableItem, table: sa.Table, options: OptionsLike, vendor: Vendor) -> SchemaObject | None:
    """Add an index or constraint to the description of its table, and return it; None where the database has no such.

    Raises:
        FieldError: the database cannot hold what the constraint promises.
    """
    match item:
        case IndexItem():
            return _index(item, table, options, vendor)
        case UniqueItem() if vendor == "sqlite":
            keys = tuple([IndexKey(column) for column in item.columns])
            plain = IndexItem(item.name, keys, unique=True, nulls_distinct=item.nulls_distinct)
            return _index(plain, table, options, vendor)
        case UniqueItem():
            return _unique(item, table, vendor)
        case CheckItem():
            condition = _condition(item.condition, table, options, vendor)
            return _added(sa.CheckConstraint(condition, name=conv(item.name)), table)
        case ExclusionItem():
            return _exclusion(item, table, options, vendor)
        case GeneratedItem():
            expression = _expression(item.expression, table, options, vendor)
            sa.Computed(expression, persisted=True)._set_parent(table.c[item.column])
            if vendor == "mysql":  # its grammar has no NOT NULL there
                table.c[item.column].nullable = True
            return None


def _added(constraint: sa.Constraint, table: sa.Table) -> sa.Constraint:
    table.append_constraint(constraint)
    return constraint


def _unique(item: UniqueItem, table: sa.Table, vendor: Vendor) -> sa.Constraint:
    if vendor == "mysql" and (item.deferrable is not None or item.nulls_distinct is False):
        raise FieldError(
            f"the unique constraint {item.name} is checked at once and takes NULL twice on mysql; "
            "drop deferrable and nulls_distinct"
        )
    constraint = sa.UniqueConstraint(
        *item.columns,
        name=conv(item.name),
        deferrable=None if item.deferrable is None else True,
        initially=item.deferrable,
        postgresql_nulls_not_distinct=True if item.nulls_distinct is False else None,
    )
    return _added(constraint, table)


def _exclusion(
    item: ExclusionItem, table: sa.Table, options: OptionsLike, vendor: Vendor
) -> sa.Constraint | None:
    if vendor != "postgresql":
        raise FieldError(
            f"the exclusion constraint {item.name} needs PostgreSQL; {vendor} cannot hold what it promises"
        )
    parts = [(_subject(key, table, options, vendor), operator) for key, operator in item.parts]
    opclasses = {key.subject: key.opclass for key, _ in item.parts if key.opclass}
    constraint = postgresql.ExcludeConstraint(
        *parts,
        name=conv(item.name),
        using=item.method,
        where=None if item.condition is None else _condition(item.condition, table, options, vendor),
        deferrable=None if item.deferrable is None else True,
        initially=item.deferrable,
        ops=opclasses,
    )
    return _added(constraint, table)


def _index(item: IndexItem, table: sa.Table, options: OptionsLike, vendor: Vendor) -> sa.Index | None:
    if item.method is not None and vendor not in _WITH_METHODS:
        return None  # it would only make queries faster
    if item.condition is not None and vendor not in _WITH_PARTIAL_INDEXES:
        if item.unique:
            raise FieldError(
                f"{item.name} is unique under a condition, which {vendor} cannot hold; drop the condition"
            )
        return None
    if vendor == "mysql" and not _is_plain(item):
        if item.unique:
            raise FieldError(
                f"{item.name} is unique by an expression or takes NULL once, which mysql cannot hold; "
                "give it plain columns, or a GeneratedField"
            )
        return None
    keys = [_ordered(_subject(key, table, options, vendor), key, vendor) for key in item.keys]
    if vendor == "sqlite" and item.unique and item.nulls_distinct is False:
        keys = [part for key in keys for part in _with_nulls_equal(key)]
    settings: dict[str, Any] = {}
    if item.condition is not None:
        settings[f"{vendor}_where"] = _condition(item.condition, table, options, vendor)
    if vendor == "postgresql":
        settings.update(
            postgresql_using=item.method or False,
            postgresql_with=dict(item.storage),
            postgresql_include=list(item.include),
            postgresql_nulls_not_distinct=True if item.nulls_distinct is False else None,
        )
    return sa.Index(conv(item.name), *keys, unique=item.unique, _table=table, **settings)


def _is_plain(item: IndexItem) -> bool:
    """Whether an index is one of columns alone, and NULL no value of it."""
    return item.nulls_distinct is not False and all(isinstance(key.subject, str) for key in item.keys)


def _with_nulls_equal(key: Column) -> tuple[Column, Column]:
    """Return what is equal where the column is, and where it is NULL twice: SQLite has no NULLS NOT DISTINCT."""
    return key.is_(None), sa.func.coalesce(key, sa.literal_column("0"))


def _ordered(subject: Column, key: IndexKey, vendor: Vendor) -> Column:
    """Return a part of an index with its operator class and its order."""
    if key.opclass and vendor == "postgresql":
        subject = Template((0, f" {key.opclass}"), [subject])
    return subject.desc() if key.descending else subject


def _subject(key: IndexKey, table: sa.Table, options: OptionsLike, vendor: Vendor) -> Column:
    if not isinstance(key.subject, BoundExpression):
        return table.c[key.subject]
    return _expression(key.subject, table, options, vendor)


def _expression(expression: BoundExpression, table: sa.Table, options: OptionsLike, vendor: Vendor) -> Column:
    builder = LiteralBuilder(options, table, expression.values, vendor)
    built = builder.expression(expression.shape, None)
    is_call = isinstance(built, sa.FunctionElement)
    # PostgreSQL wants all but calls in parentheses, of which SQLAlchemy spares some.
    return built if is_call else Grouping(built)


def _condition(
    condition: BoundCondition, table: sa.Table, options: OptionsLike, vendor: Vendor
) -> sa.ColumnElement[bool]:
    builder = LiteralBuilder(options, table, condition.values, vendor)
    return build_condition(condition.shape, builder, Position(0))


class LiteralBuilder(StatementBuilder):
    """A builder that writes the values into the text, for one table and no other."""

    def __init__(
        self, options: OptionsLike, table: sa.FromClause, values: Sequence[Any], vendor: Vendor
    ) -> None:
        super().__init__(options, vendor)
        self.joins.base = table
        self._values = iter(values)
        self._value: Any = None  # the last one. Any: of any type

    def parameter(self, convert: Converter | None, kind: TypeEngine[Any], *, again: bool = False) -> Column:
        """Return the next value as a constant, or the last one again."""
        self._value = self._value if again else next(self._values)
        return literal(self._value if convert is None else convert(self._value), kind, self.vendor)


def condition_of_row(
    options: OptionsLike, fields: Sequence[FieldLike], shape: ConditionShape, vendor: Vendor
) -> Statement:
    """Compile the truth of a condition for a row that may be in no table: one value, which may be NULL.

    The values are those of `fields`, then those of the condition.
    """
    builder = StatementBuilder(options, vendor)
    columns = [
        builder.parameter(field.writer(vendor), sql_type(field.column_type(), vendor)).label(field.column)
        for field in fields
    ]
    row = sa.select(*columns).subquery("candidate")
    builder.joins.base = row
    condition = build_condition(shape, builder, Position(0))
    return builder.finish(sa.select(condition.label("holds")).select_from(row))


def rival_rows(
    options: OptionsLike,
    fields: Sequence[FieldLike],
    pairs: Sequence[tuple[BoundExpression, str]],
    shape: ConditionShape | None,
    vendor: Vendor,
    *,
    beside: bool,
) -> Statement:
    """Compile the search for a row that would not be let stand beside another: all comparisons between the two hold.

    The values are those of `fields`, the other row's; of the expressions for it; of the same in the table; with `beside`
    the key of a row that does not count; and those of the condition on the rows of the table.
    """
    builder = StatementBuilder(options, vendor)
    table = builder.joins.base
    columns = [_candidate(field, builder).label(field.column) for field in fields]
    row = sa.select(*columns).subquery("candidate")
    sides: list[list[Column]] = []
    for base in (row, table):
        builder.joins.base = base
        sides.append([builder.expression(each.shape, None) for each, _ in pairs])
    tests: list[Column] = [
        theirs.op(operator, is_comparison=True, return_type=sa.Boolean())(mine)
        for mine, theirs, (_, operator) in zip(*sides, pairs, strict=True)
    ]
    tests += _other_conditions(builder, shape, beside)
    one: Column = sa.literal_column("1")
    return builder.finish(sa.select(one).select_from(table.join(row, sa.true())).where(*tests))


def _candidate(field: FieldLike, builder: StatementBuilder) -> Column:
    """Return the place of a value of the other row, of the type of its column."""
    kind = sql_type(field.column_type(), builder.vendor)
    value = builder.parameter(field.writer(builder.vendor), kind)
    # PostgreSQL takes what it is not told for text. The others do not cast to all types of columns, nor need it.
    return sa.cast(value, kind) if builder.vendor == "postgresql" else value


def _other_conditions(builder: StatementBuilder, shape: ConditionShape | None, beside: bool) -> list[Column]:
    """Return that a row is not one given by its key, if so wanted, and that the condition holds for it, if there is one."""
    tests: list[Column] = []
    if beside:
        tests.append(sa.not_(is_row(builder.joins.base, builder.joins.options, builder)))
    if shape is not None:
        tests.append(build_condition(shape, builder, Position(0)))
    return tests
