"""From a model's field to the form's."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, TypeAlias

from transom.db import models
from transom.db.postgres import ArrayField
from transom.forms import fields
from transom.forms.modelvalues import ModelFieldChoices, ParsedField
from transom.forms.widgets import Textarea
from transom.validators import validate_slug, validate_unicode_slug

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
    options = {"required": not field.blank, **options}
    own = field.own_validators
    if own:
        options["validators"] = own
    if field.choices is not None:
        return ModelFieldChoices(field, options)
    for model_types, build in BUILDERS:
        if isinstance(field, model_types):
            return build(field, options)
    kind = type(field).__name__
    raise TypeError(
        f"{field.label} is a {kind}, for which there is no form field; declare one, or leave it out"
    )


def check_blank(field: models.Field[Any]) -> None:
    """Refuse a model's field that may be left empty but has no value for that.

    Raises:
        TypeError: it is one.
    """
    has_value = field.null or field.has_default() or field.has_db_default()
    if field.blank and not (has_value or isinstance(field, HAVE_EMPTY_VALUE)):
        raise TypeError(
            f"{field.label} may be left blank, but then has no value: give it null=True or a default"
        )


def key_field(field: models.Field[Any]) -> AnyField:
    """Return a form's field that parses the primary key of a model, or of the model to which that refers."""
    while isinstance(field, models.ForeignKey):
        field = field.target_field
    return derive_field(field)


def _integer(field: Any, options: Options) -> AnyField:
    return fields.IntegerField[Any](min_value=field.min_value, max_value=field.max_value, **options)


def _decimal(field: Any, options: Options) -> AnyField:
    return fields.DecimalField[Any](
        max_digits=field.max_digits, decimal_places=field.decimal_places, **options
    )


def _char(field: Any, options: Options) -> AnyField:
    return _with_empty(field, fields.CharField(max_length=field.max_length, **options))


def _slug(field: Any, options: Options) -> AnyField:
    validator = validate_unicode_slug if field.allow_unicode else validate_slug
    return _char(field, {**options, "validators": [validator, *options.get("validators", ())]})


def _email(field: Any, options: Options) -> AnyField:
    return _with_empty(field, fields.EmailField(max_length=field.max_length, **options))


def _url(field: Any, options: Options) -> AnyField:
    return _with_empty(field, fields.URLField(max_length=field.max_length, **options))


def _path(field: Any, options: Options) -> AnyField:
    made = fields.FilePathField(
        path=field.path,
        match=field.match,
        recursive=field.recursive,
        allow_files=field.allow_files,
        allow_folders=field.allow_folders,
        **options,
    )
    made.empty_value = None if field.null else ""
    return made


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


def _array(field: Any, options: Options) -> AnyField:
    base = field.base_field
    if isinstance(base, ArrayField):
        raise TypeError(
            f"{field.label} has lists in lists, for which there is no form field; declare one, or leave it out"
        )
    options["validators"] = [*field.size_validators(), *options.get("validators", ())]
    return fields.SimpleArrayField[Any](derive_field(base), **options)


def _plain(form_field: Any) -> Callable[[Any, Options], AnyField]:
    return lambda field, options: form_field(**options)


AUTOMATIC = (models.SmallAutoField, models.AutoField, models.BigAutoField)
INTEGERS = (
    *AUTOMATIC,
    models.SmallIntegerField,
    models.IntegerField,
    models.BigIntegerField,
    models.PositiveSmallIntegerField,
    models.PositiveIntegerField,
    models.PositiveBigIntegerField,
)
BUILDERS: Sequence[tuple[type | tuple[type, ...], Callable[[Any, Options], AnyField]]] = (
    (INTEGERS, _integer),
    (models.FloatField, _plain(fields.FloatField)),
    (models.DecimalField, _decimal),
    (models.EmailField, _email),
    (models.URLField, _url),
    (models.SlugField, _slug),
    (models.FilePathField, _path),
    (models.CharField, _char),
    (models.TextField, _text),
    (models.BooleanField, _boolean),
    (models.DateTimeField, _plain(fields.DateTimeField)),
    (models.DateField, _plain(fields.DateField)),
    ((models.TimeField, models.DurationField, models.GenericIPAddressField, models.BinaryField), ParsedField),
    (models.UUIDField, _plain(fields.UUIDField)),
    (models.JSONField, _plain(fields.JSONField)),
    (ArrayField, _array),
)
# Empty text, an empty list, and False for a box that is not ticked.
HAVE_EMPTY_VALUE = (models.CharField, models.TextField, models.BooleanField, ArrayField)
