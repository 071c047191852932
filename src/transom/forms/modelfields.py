"""From a model's field to the form's."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, TypeAlias

from transom.db import models
from transom.forms import fields
from transom.forms.widgets import Textarea

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    Options: TypeAlias = dict[str, Any]  # Any: options of every type
    AnyField: TypeAlias = fields.Field[Any]  # Any: fields of every type, here and below


def derive_field(field: models.Field[Any], **options: Any) -> AnyField:
    """Return the form's field for a model's, which is no foreign key.

    Args:
        field: of the model.
        options: as of `transom.forms.Field`.

    Raises:
        TypeError: there is none for it.
    """
    for model_types, build in BUILDERS:
        if isinstance(field, model_types):
            return build(field, {"required": not field.blank, **options})
    kind = type(field).__name__
    raise TypeError(
        f"{field.label} is a {kind}, for which there is no form field; declare one, or leave it out"
    )


def check_blank(field: models.Field[Any]) -> None:
    """Refuse a model's field that may be left empty but has no value for that.

    Raises:
        TypeError: it is one.
    """
    if field.blank and not (field.null or field.has_default() or isinstance(field, HAVE_EMPTY_VALUE)):
        raise TypeError(
            f"{field.label} may be left blank, but then has no value: give it null=True or a default"
        )


def key_field(field: models.Field[Any]) -> AnyField:
    """Return a form's field that parses the primary key of a model, or of the model to which that refers."""
    while isinstance(field, models.ForeignKey):
        field = field.target_field
    return derive_field(field)


def _integer(field: Any, options: Options) -> AnyField:
    limit = 1 << (field.bits - 1)
    return fields.IntegerField[Any](min_value=-limit, max_value=limit - 1, **options)


def _decimal(field: Any, options: Options) -> AnyField:
    return fields.DecimalField[Any](
        max_digits=field.max_digits, decimal_places=field.decimal_places, **options
    )


def _char(field: Any, options: Options) -> AnyField:
    return _with_empty(field, fields.CharField(max_length=field.max_length, **options))


def _text(field: Any, options: Options) -> AnyField:
    options.setdefault("widget", Textarea)
    return _with_empty(field, fields.CharField(**options))


def _with_empty(field: Any, made: fields.CharField) -> AnyField:
    made.empty_value = None if field.null else ""
    return made


def _boolean(field: Any, options: Options) -> AnyField:
    del options["required"]  # a box that must be ticked would ask for True only
    return (
        fields.NullBooleanField(**options) if field.null else fields.BooleanField(required=False, **options)
    )


def _plain(form_field: Any) -> Callable[[Any, Options], AnyField]:
    return lambda field, options: form_field(**options)


INTEGERS = (
    models.AutoField,
    models.BigAutoField,
    models.SmallIntegerField,
    models.IntegerField,
    models.BigIntegerField,
)
BUILDERS: Sequence[tuple[type | tuple[type, ...], Callable[[Any, Options], AnyField]]] = (
    (INTEGERS, _integer),
    (models.FloatField, _plain(fields.FloatField)),
    (models.DecimalField, _decimal),
    (models.CharField, _char),
    (models.TextField, _text),
    (models.BooleanField, _boolean),
    (models.DateTimeField, _plain(fields.DateTimeField)),
    (models.UUIDField, _plain(fields.UUIDField)),
    (models.JSONField, _plain(fields.JSONField)),
)
# Empty text, and False for a box that is not ticked.
HAVE_EMPTY_VALUE = (models.CharField, models.TextField, models.BooleanField)
