"""What can stand in a query: conditions, references to columns, arithmetic, and orderings."""

from transom.db.models.expressions.arithmetic import Combined, Expression, F, Value
from transom.db.models.expressions.columns import Column, RelationColumn, TextColumn
from transom.db.models.expressions.conditions import Condition, Q
from transom.db.models.expressions.ordering import OrderBy

__all__ = [
    "Column",
    "Combined",
    "Condition",
    "Expression",
    "F",
    "OrderBy",
    "Q",
    "RelationColumn",
    "TextColumn",
    "Value",
]
