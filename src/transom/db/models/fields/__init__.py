"""Fields: typed descriptors, one module per family."""

from transom.db.models.fields.addresses import GenericIPAddressField
from transom.db.models.fields.base import NOT_PROVIDED, Field
from transom.db.models.fields.binary import BinaryField
from transom.db.models.fields.dates import DateField, DateTimeField, DurationField, TimeField
from transom.db.models.fields.defaults import DatabaseDefault, Now, RandomUUID
from transom.db.models.fields.generated import GeneratedField
from transom.db.models.fields.integers import (
    AutoField,
    BigAutoField,
    BigIntegerField,
    IntegerField,
    PositiveBigIntegerField,
    PositiveIntegerField,
    PositiveSmallIntegerField,
    SmallAutoField,
    SmallIntegerField,
)
from transom.db.models.fields.numbers import DecimalField, FloatField
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
from transom.db.models.fields.text import CharField, EmailField, SlugField, TextField, URLField

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
    "BinaryField",
    "BooleanField",
    "CharField",
    "DatabaseDefault",
    "DateField",
    "DateTimeField",
    "DecimalField",
    "DurationField",
    "EmailField",
    "Field",
    "FloatField",
    "ForeignKey",
    "GeneratedField",
    "GenericIPAddressField",
    "IntegerField",
    "JSONField",
    "ManyToOneRelation",
    "Now",
    "OnDelete",
    "PositiveBigIntegerField",
    "PositiveIntegerField",
    "PositiveSmallIntegerField",
    "RandomUUID",
    "SlugField",
    "SmallAutoField",
    "SmallIntegerField",
    "TextField",
    "TimeField",
    "URLField",
    "UUIDField",
]
