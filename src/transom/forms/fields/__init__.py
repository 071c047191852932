"""Fields, one module per family."""

from transom.forms.fields.arrays import SimpleArrayField
from transom.forms.fields.base import Field, FieldOptions
from transom.forms.fields.choices import ChoiceField, MultipleChoiceField
from transom.forms.fields.dates import DateField, DateTimeField
from transom.forms.fields.numbers import DecimalField, FloatField, IntegerField
from transom.forms.fields.paths import FilePathField
from transom.forms.fields.scalars import BooleanField, JSONField, NullBooleanField, UUIDField
from transom.forms.fields.text import CharField, EmailField, URLField

__all__ = [
    "BooleanField",
    "CharField",
    "ChoiceField",
    "DateField",
    "DateTimeField",
    "DecimalField",
    "EmailField",
    "Field",
    "FieldOptions",
    "FilePathField",
    "FloatField",
    "IntegerField",
    "JSONField",
    "MultipleChoiceField",
    "NullBooleanField",
    "SimpleArrayField",
    "URLField",
    "UUIDField",
]
