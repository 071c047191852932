"""Fields: typed descriptors, one module per family."""

from transom.db.models.fields.addresses import GenericIPAddressField
from transom.db.models.fields.base import NOT_PROVIDED, Field
from transom.db.models.fields.binary import BinaryField
from transom.db.models.fields.composite import CompositePrimaryKey
from transom.db.models.fields.dates import DateField, DateTimeField, DurationField, TimeField
from transom.db.models.fields.defaults import DatabaseDefault, Now, RandomUUID
from transom.db.models.fields.foreign_key import ForeignKey
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
from transom.db.models.fields.many_to_many import (
    ManyToManyBase,
    ManyToManyOptions,
    ManyToManyRelation,
    links,
    path_back,
)
from transom.db.models.fields.numbers import DecimalField, FloatField
from transom.db.models.fields.on_delete import (
    CASCADE,
    DO_NOTHING,
    PROTECT,
    RESTRICT,
    SET_DEFAULT,
    SET_NULL,
    OnDelete,
)
from transom.db.models.fields.one_to_one import OneToOneField
from transom.db.models.fields.paths import FilePathField
from transom.db.models.fields.relations import LimitChoices, ManyToOneRelation, OneToOneRelation, Relation
from transom.db.models.fields.scalars import BooleanField, JSONField, UUIDField
from transom.db.models.fields.text import CharField, EmailField, SlugField, TextField, URLField
from transom.db.models.fields.validation import UNIQUE_FOR

__all__ = [
    "CASCADE",
    "DO_NOTHING",
    "NOT_PROVIDED",
    "PROTECT",
    "RESTRICT",
    "SET_DEFAULT",
    "SET_NULL",
    "UNIQUE_FOR",
    "AutoField",
    "BigAutoField",
    "BigIntegerField",
    "BinaryField",
    "BooleanField",
    "CharField",
    "CompositePrimaryKey",
    "DatabaseDefault",
    "DateField",
    "DateTimeField",
    "DecimalField",
    "DurationField",
    "EmailField",
    "Field",
    "FilePathField",
    "FloatField",
    "ForeignKey",
    "GeneratedField",
    "GenericIPAddressField",
    "IntegerField",
    "JSONField",
    "LimitChoices",
    "ManyToManyBase",
    "ManyToManyOptions",
    "ManyToManyRelation",
    "ManyToOneRelation",
    "Now",
    "OnDelete",
    "OneToOneField",
    "OneToOneRelation",
    "PositiveBigIntegerField",
    "PositiveIntegerField",
    "PositiveSmallIntegerField",
    "RandomUUID",
    "Relation",
    "SlugField",
    "SmallAutoField",
    "SmallIntegerField",
    "TextField",
    "TimeField",
    "URLField",
    "UUIDField",
    "links",
    "path_back",
]
