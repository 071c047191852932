"""SQL of one's own as an expression."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from transom.db.models.expressions.base import Bound, Expression
from transom.db.sql.placeholders import parse_placeholders
from transom.db.sql.shapes import TemplateOperand

if TYPE_CHECKING:
    from transom.db.models.expressions.base import Binder
    from transom.db.sql.placeholders import Params


class RawSQL(Expression):
    """SQL of one's own, with values that travel as parameters: `RawSQL("length(title) + %s", [1], models.IntegerField())`.

    It stands in parentheses wherever an expression does, and in `filter(pk__in=RawSQL("SELECT …"))`.

    Args:
        sql: with `%s` for each value, or `%(name)s`; `%%` is a percent sign. It is part of the program and must never be made of
            anything that users have sent.
        params: the values, a list or a dict; None for SQL without any, whose percent signs stay as they are.
        output_field: the field whose values it has. To be annotated or to be a condition, it needs one. Any: any field.

    Raises:
        FieldError: there are more or fewer params than places.
    """

    __slots__ = ("output_field", "params", "sql")

    def __init__(self, sql: str, params: Params = (), output_field: Any = None) -> None:
        self.sql, self.params = parse_placeholders(sql, params)
        self.output_field = output_field

    def bind(self, binder: Binder) -> Bound:
        """Return the SQL, with a place for each value."""
        field = None if self.output_field is None else binder.output(self.output_field)
        operands = tuple([binder.bare(value) for value in self.params])
        output = None if field is None else field.column_type()
        pieces: list[str | int] = ["("]
        for place, piece in enumerate(self.sql):
            pieces += [piece, place]
        template = ((None, (*pieces[:-1], ")")),)
        return Bound(TemplateOperand(template, operands, output, type(self).__name__), field)

    def __repr__(self) -> str:
        return f"RawSQL({'%s'.join(self.sql)!r})"
