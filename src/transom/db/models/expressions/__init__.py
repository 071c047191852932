"""What can stand in a query: conditions, references to columns, and whatever the database computes of them."""

from transom.db.models.expressions.aggregates import (
    Aggregate,
    Avg,
    Count,
    Max,
    Min,
    StdDev,
    StringAgg,
    Sum,
    Variance,
)
from transom.db.models.expressions.base import Binder, Bound, Combined, Expression, Operator, OrderBy
from transom.db.models.expressions.columns import (
    Column,
    DateColumn,
    DateTimeColumn,
    JSONColumn,
    RelationColumn,
    TextColumn,
    TimeColumn,
)
from transom.db.models.expressions.conditional import Case, Truth, When
from transom.db.models.expressions.conditions import Child, Condition, Q
from transom.db.models.expressions.documents import KeyTransform
from transom.db.models.expressions.function import Func, Function, Transform
from transom.db.models.expressions.lookups import CommonLookup, Lookup
from transom.db.models.expressions.raw import RawSQL
from transom.db.models.expressions.references import F, OuterRef, Value
from transom.db.models.expressions.registration import RegisterLookupMixin
from transom.db.models.expressions.subqueries import Exists, Subquery
from transom.db.models.expressions.windows import Window, WindowFrame

__all__ = [
    "Aggregate",
    "Avg",
    "Binder",
    "Bound",
    "Case",
    "Child",
    "Column",
    "Combined",
    "CommonLookup",
    "Condition",
    "Count",
    "DateColumn",
    "DateTimeColumn",
    "Exists",
    "Expression",
    "F",
    "Func",
    "Function",
    "JSONColumn",
    "KeyTransform",
    "Lookup",
    "Max",
    "Min",
    "Operator",
    "OrderBy",
    "OuterRef",
    "Q",
    "RawSQL",
    "RegisterLookupMixin",
    "RelationColumn",
    "StdDev",
    "StringAgg",
    "Subquery",
    "Sum",
    "TextColumn",
    "TimeColumn",
    "Transform",
    "Truth",
    "Value",
    "Variance",
    "When",
    "Window",
    "WindowFrame",
]
