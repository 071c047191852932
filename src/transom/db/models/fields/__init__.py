"""Fields: typed descriptors, one module per family."""

from transom.db.models.fields.base import NOT_PROVIDED, Field
from transom.db.models.fields.dates import DateTimeField
from transom.db.models.fields.numbers import (
    AutoField,
    BigAutoField,
    BigIntegerField,
    DecimalField,
    FloatField,
    IntegerField,
    SmallIntegerField,
)
from transom.db.models.fields.related import (
    CASCADE,
    DO_NOTHING,
    PROTECT,
    RESTRICT,
    SET_DEFAULT,
    SET_NULL,
    ForeignKey,
    ManyToOneRelation,
    OnDelete,
)
from transom.db.models.fields.scalars import BooleanField, JSONField, UUIDField
from transom.db.models.fields.text import CharField, TextField

__all__ = [
    "CASCADE",
    "DO_NOTHING",
    "NOT_PROVIDED",
    "PROTECT",
    "RESTRICT",
    "SET_DEFAULT",
    "SET_NULL",
    "AutoField",
    "BigAutoField",
    "BigIntegerField",
    "BooleanField",
    "CharField",
    "DateTimeField",
    "DecimalField",
    "Field",
    "FloatField",
    "ForeignKey",
    "IntegerField",
    "JSONField",
    "ManyToOneRelation",
    "OnDelete",
    "SmallIntegerField",
    "TextField",
    "UUIDField",
]
