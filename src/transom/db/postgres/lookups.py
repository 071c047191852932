"""`contained_by` of plain values: whether a number, a day or a point in time is in a range."""

from __future__ import annotations

from typing import Any, cast

from transom.db import models
from transom.db.models import Lookup
from transom.db.postgres.ranges import (
    BigIntegerRangeField,
    DateRangeField,
    DateTimeRangeField,
    DecimalRangeField,
    IntegerRangeField,
    RangeField,
)


class ContainedBy(Lookup):
    """Whether the left side is in the range on the right side: `filter(age__contained_by=Range(18, 30))`."""

    lookup_name = "contained_by"


def _contained_by(of_type: str, field: RangeField[Any]) -> type[ContainedBy]:
    template = {"postgresql": f"(CAST({{lhs}} AS {of_type}) <@ {{rhs}})"}  # no operator takes any other type
    made = type(
        "ContainedBy", (ContainedBy,), {"template": template, "rhs_field": field, "__module__": __name__}
    )
    return cast("type[ContainedBy]", made)


_INTEGERS = _contained_by("integer", IntegerRangeField())
_BIG_INTEGERS = _contained_by("bigint", BigIntegerRangeField())
_DECIMALS = _contained_by("numeric", DecimalRangeField())

for _field, _lookup in (
    (models.SmallIntegerField, _INTEGERS),
    (models.IntegerField, _INTEGERS),
    (models.PositiveIntegerField, _INTEGERS),
    (models.PositiveSmallIntegerField, _INTEGERS),
    (models.SmallAutoField, _INTEGERS),
    (models.AutoField, _INTEGERS),
    (models.BigAutoField, _BIG_INTEGERS),
    (models.BigIntegerField, _BIG_INTEGERS),
    (models.PositiveBigIntegerField, _BIG_INTEGERS),
    (models.DecimalField, _DECIMALS),
    (models.FloatField, _DECIMALS),
    (models.DateField, _contained_by("date", DateRangeField())),
    (models.DateTimeField, _contained_by("timestamptz", DateTimeRangeField())),
):
    _field.register_lookup(_lookup)
