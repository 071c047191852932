"""What building one statement carries along: its tables, and the places for values met so far."""

from __future__ import annotations

from contextlib import contextmanager
from typing import TYPE_CHECKING, Any

import sqlalchemy as sa

from transom.db.sql.column_type import ColumnType
from transom.db.sql.joins import Joins
from transom.db.sql.parameters import constant_converter, value_converter
from transom.db.sql.shapes import ColumnOperand, CombinedOperand, ConstantOperand, Mark
from transom.db.sql.tables import Tables
from transom.db.sql.types import parameter_type

if TYPE_CHECKING:
    from collections.abc import Generator

    from sqlalchemy.sql.elements import BindParameter
    from sqlalchemy.types import TypeEngine

    from transom.db.sql.metadata import FieldLike, OptionsLike, Vendor
    from transom.db.sql.parameters import Converter
    from transom.db.sql.shapes import Operand, SubqueryOperand

    # Any: columns of every type
    Column = sa.ColumnElement[Any]


class Builder:
    """The state of building one statement: its joins, and the parameters met so far. Mutable, used once."""

    def __init__(self, options: OptionsLike, vendor: Vendor) -> None:
        self.vendor: Vendor = vendor
        self.joins = Joins(options, Tables(vendor))
        self.converters: list[Converter | None] = []

    @contextmanager
    def using_joins(self, joins: Joins) -> Generator[None]:
        """Resolve paths in another set of tables: those of a subquery."""
        outer, self.joins = self.joins, joins
        try:
            yield
        finally:
            self.joins = outer

    def parameter(self, convert: Converter | None, kind: TypeEngine[Any]) -> BindParameter[Any]:
        """Return the place of the next value. Any: a value of any type."""
        self.converters.append(convert)
        return sa.bindparam(f"p{len(self.converters) - 1}", type_=kind)

    def operand(self, operand: Operand, field: FieldLike, scope: int | None) -> Column:
        """Return the right side of a comparison with a field's column."""
        match operand:
            case Mark.PARAMETER:
                parameter = self.parameter(
                    value_converter(field, self.vendor), parameter_type(field.column_type(), self.vendor)
                )
                return comparable(parameter, field, self)
            case ColumnOperand():
                return comparable(self.joins.column(operand.path, scope), operand.path.field, self)
            case ConstantOperand():
                constant = self.parameter(
                    constant_converter(operand.kind, self.vendor),
                    parameter_type(ColumnType(operand.kind), self.vendor),
                )
                is_text = operand.kind == "decimal" and self.vendor == "sqlite"
                return sa.cast(constant, sa.Numeric()) if is_text else constant
            case CombinedOperand():
                left = self.operand(operand.left, field, scope)
                right = self.operand(operand.right, field, scope)
                # op() and not Python's operators: SQLAlchemy would make `/` a true division by casting
                return left.self_group().op(operand.operator, return_type=left.type)(right).self_group()
            case _:
                raise AssertionError(f"no value on a right side: {operand!r}")

    def subquery(self, operand: SubqueryOperand) -> sa.Select[Any]:
        """Return another query as a right side. Any: a column of any type."""
        raise NotImplementedError(
            "whole queries are known in statement.py, above the conditions that hold them"
        )


def comparable(column: Column, field: FieldLike, builder: Builder) -> Column:
    """Return the column as it compares: SQLite holds decimals as text, which would sort as text."""
    if builder.vendor == "sqlite" and field.column_type().kind == "decimal":
        return sa.cast(column, sa.Numeric())
    return column
