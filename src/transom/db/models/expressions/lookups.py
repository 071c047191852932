"""Lookups as classes: those that all databases have, and what an application's own are made from."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, ClassVar

from transom.db.models.expressions.base import Bound, Expression
from transom.db.models.expressions.conditions import Q
from transom.db.models.expressions.references import F
from transom.db.sql.shapes import TruthOperand

if TYPE_CHECKING:
    from collections.abc import Mapping

    from transom.db.models.expressions.base import Binder
    from transom.db.sql.metadata import Vendor


class Lookup(Expression):
    """A comparison of two sides: in filter() by its name once it is registered, or as it is, `filter(NotEqual("age", 3))`.

        @models.Field.register_lookup
        class NotEqual(models.Lookup):
            lookup_name = "ne"
            template = "{lhs} <> {rhs}"

    What comes out is NULL where SQL says NULL, which counts as false; so exclude() keeps the rows for which it is false or NULL.

    Args:
        lhs: the left side; a str is the name of a column. Any: an expression or a value of any type.
        rhs: the right side, a value or an expression.
    """

    lookup_name: ClassVar[str] = ""
    """Its name in queries."""
    template: ClassVar[str | Mapping[Vendor, str]] = ""
    """Its SQL, with `{lhs}` and `{rhs}` in it, each as often as needed; or one by the name of each database that has it. It is
    part of the program and must never be made of anything that users have sent."""
    rhs_field: ClassVar[Any] = None
    """The field that makes an argument of the right side, if not that of the left side. Any: any field."""
    can_use_none_as_rhs: ClassVar[bool] = False
    """Whether the right side may be None; otherwise that is refused."""

    is_condition = True

    def __init__(self, lhs: Any, rhs: Any) -> None:
        self.lhs: Any = F(lhs) if isinstance(lhs, str) else lhs
        self.rhs = rhs

    def as_condition(self, lhs: Any, rhs: Any) -> Q | Expression:
        """Return the same as a condition made of other lookups; in the place of a template.

        Args:
            lhs: the left side. Any: an expression; of a transform, `lhs.lhs` is what it is applied to.
            rhs: the right side, as an expression.
        """
        raise NotImplementedError(f"{type(self).__name__} needs a template, or must say its as_condition()")

    def get_prep_lookup(self, value: Any) -> Any:
        """Return the value of the right side as it is to be sent. Any: what the lookup takes, and what its field does."""
        return value

    def bind(self, binder: Binder) -> Bound:
        """Return whether the lookup holds, as a value."""
        return Bound(TruthOperand(binder.condition(self)), binder.field("boolean"))

    def __and__(self, other: Q | Expression) -> Q:
        return Q(self) & other

    def __or__(self, other: Q | Expression) -> Q:
        return Q(self) | other

    def __xor__(self, other: Q | Expression) -> Q:
        return Q(self) ^ other

    def __invert__(self) -> Q:
        return ~Q(self)

    def __repr__(self) -> str:
        return f"{type(self).__name__}({self.lhs!r}, {self.rhs!r})"


class CommonLookup(Lookup):
    """One of those that all databases have, and each field as far as it makes sense."""


class Exact(CommonLookup):
    """Whether both sides are equal."""

    lookup_name = "exact"


class IExact(CommonLookup):
    """Whether both texts are equal but for the case of letters."""

    lookup_name = "iexact"


class GreaterThan(CommonLookup):
    """Whether the left side is larger."""

    lookup_name = "gt"


class GreaterThanOrEqual(CommonLookup):
    """Whether the left side is larger or equal."""

    lookup_name = "gte"


class LessThan(CommonLookup):
    """Whether the left side is smaller."""

    lookup_name = "lt"


class LessThanOrEqual(CommonLookup):
    """Whether the left side is smaller or equal."""

    lookup_name = "lte"


class In(CommonLookup):
    """Whether the left side is one of the values, or of the rows of a queryset."""

    lookup_name = "in"


class Range(CommonLookup):
    """Whether the left side is between two values, or equal to one of them."""

    lookup_name = "range"


class IsNull(CommonLookup):
    """Whether the left side is NULL, or with False whether it is not."""

    lookup_name = "isnull"


class Contains(CommonLookup):
    """Whether the right text is part of the left one."""

    lookup_name = "contains"


class IContains(CommonLookup):
    """Whether the right text is part of the left one, in any case of letters."""

    lookup_name = "icontains"


class StartsWith(CommonLookup):
    """Whether the left text begins with the right one."""

    lookup_name = "startswith"


class IStartsWith(CommonLookup):
    """Whether the left text begins with the right one, in any case of letters."""

    lookup_name = "istartswith"


class EndsWith(CommonLookup):
    """Whether the left text ends with the right one."""

    lookup_name = "endswith"


class IEndsWith(CommonLookup):
    """Whether the left text ends with the right one, in any case of letters."""

    lookup_name = "iendswith"


class Regex(CommonLookup):
    """Whether the left text has a part that the regular expression describes, in the dialect of the database."""

    lookup_name = "regex"


class IRegex(CommonLookup):
    """Whether `Regex` holds in any case of letters."""

    lookup_name = "iregex"
