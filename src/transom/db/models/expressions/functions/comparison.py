"""One value out of several."""

from __future__ import annotations

import re
from typing import Any

from transom.db.exceptions import FieldError
from transom.db.models.expressions.function import Function, Transform


class Coalesce(Function):
    """The first of the operands that is not NULL."""

    __slots__ = ()

    name = "coalesce"
    arity = (2, None)


class Greatest(Function):
    """The largest of the operands. PostgreSQL leaves NULL out; elsewhere the result is NULL if any of them is."""

    __slots__ = ()

    name = "greatest"
    arity = (2, None)


class Least(Function):
    """The smallest of the operands. NULL as with `Greatest`."""

    __slots__ = ()

    name = "least"
    arity = (2, None)


class NullIf(Function):
    """The first operand, or NULL if the second is equal to it."""

    __slots__ = ()

    name = "nullif"
    arity = (2, 2)


class Cast(Function):
    """A value as one of another type: `Cast("votes", models.FloatField())`. Any: see `Function`; a field of any type."""

    __slots__ = ()

    name = "cast"

    def __init__(self, operand: Any, output_field: Any) -> None:
        super().__init__(operand, output_field=output_field)


class Collate(Transform):
    """A text that is compared and ordered by a collation: `order_by(Collate("name", "de-x-icu"))`. Names are the database's.

    Args:
        operand: a text; a str is the name of a column. Any: see `Function`.
        collation: the name.

    Raises:
        FieldError: that is no name of a collation.
    """

    def __init__(self, operand: Any, collation: str) -> None:
        if not re.fullmatch(r"[\w-]+", collation, re.ASCII):
            raise FieldError(
                f"{collation!r} is no name of a collation; take one of letters, digits, '_' and '-'"
            )
        self.collation = collation
        quoted = f'({{}} COLLATE "{collation}")'
        self.template = {
            "sqlite": quoted,
            "postgresql": quoted,
            "mysql": f"({{}} COLLATE `{collation}`)",
        }
        super().__init__(operand)
