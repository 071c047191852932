"""ModelForm: a form whose fields come from a model, and which saves its object. The bridge to the data layer."""

from __future__ import annotations

from copy import copy
from typing import TYPE_CHECKING, Any, ClassVar, Generic, Literal, TypeVar, get_args, overload

from transom.db import UniqueViolation, atomic, models, router
from transom.forms.exceptions import NotValidated
from transom.forms.fields import Field
from transom.forms.forms import Form, collect_declared
from transom.forms.modelfields import AUTOMATIC, check_blank, derive_field, key_field
from transom.forms.widgets import Select
from transom.validators import ValidationError

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence
    from typing import Unpack

    from transom.forms.fields import FieldOptions
    from transom.forms.widgets import Choice

T = TypeVar("T")
M = TypeVar("M", bound=models.Model)

META_OPTIONS = ("model", "fields", "exclude", "labels", "help_texts", "widgets")
UNIQUE = "There is already one with this value."


class ModelChoiceField(Field[T]):
    """One of the objects of a queryset; None if left empty.

    The objects are read when the form is shown (`await form.load_choices()`; `is_valid` does so for a form that comes
    back), and the one chosen is read when the form is validated.

    Args:
        queryset: what may be chosen, in its order; asked anew each time.
        empty_label: what stands for "none".
        label_from_instance: what people read for an object.
        required: see `Field`.
        options: see `Field`.
    """

    default_widget = Select
    default_messages = {"required": "Please choose one."}

    @overload
    def __init__(
        self: ModelChoiceField[M],
        queryset: models.QuerySet[M],
        *,
        empty_label: str = "---------",
        label_from_instance: Callable[[M], str] = str,
        required: Literal[True] = True,
        **options: Unpack[FieldOptions],
    ) -> None: ...
    @overload
    def __init__(
        self: ModelChoiceField[M | None],
        queryset: models.QuerySet[M],
        *,
        empty_label: str = "---------",
        label_from_instance: Callable[[M], str] = str,
        required: bool,
        **options: Unpack[FieldOptions],
    ) -> None: ...
    def __init__(
        self,
        queryset: models.QuerySet[Any],  # Any: the overloads say it, here and below
        *,
        empty_label: str = "---------",
        label_from_instance: Callable[[Any], str] = str,
        required: bool = True,
        **options: Unpack[FieldOptions],
    ) -> None:
        super().__init__(required=required, **options)
        key = queryset.model._meta.pk
        if isinstance(key, models.CompositePrimaryKey):
            raise TypeError(
                f"{key.label} has several columns, and a choice sends one value; offer them by a ChoiceField"
            )
        self.queryset = queryset
        self.empty_label = empty_label
        self.label_from_instance = label_from_instance

    async def clean(self, value: object) -> T:
        """Return the object that was chosen.

        Raises:
            ValidationError: nothing was, or no object of the queryset has this key.
        """
        if not self.is_empty(value):
            value = await self._find(value)
            self.run_validators(value)
            return value
        return await super().clean(value)

    async def _find(self, value: object) -> T:
        try:
            key = key_field(self.queryset.model._meta.pk).parse(value)
        except ValidationError as exc:
            raise self.error("invalid_choice") from exc
        found: Any = await self.queryset.filter(pk=key).first()
        if found is None:
            raise self.error("invalid_choice")
        return found

    def prepare_value(self, value: Any) -> object:
        """Return the key of an object."""
        return value.pk if isinstance(value, models.Model) else value

    def get_choices(self) -> Sequence[Choice] | None:
        """Return None: they have to be loaded."""
        return None

    async def load_choices(self) -> Sequence[Choice]:
        """Return key and label of each object, after the choice of none."""
        found = [(str(row.pk), self.label_from_instance(row)) async for row in self.queryset]
        return [("", self.empty_label), *found]


def _type_argument(cls: type[Form]) -> type[models.Model] | None:
    """Return the model of `ModelForm[Question]`."""
    for base in getattr(cls, "__orig_bases__", ()):
        for argument in get_args(base):
            if isinstance(argument, type) and issubclass(argument, models.Model):
                return argument
    return None


class ModelForm(Form, Generic[M]):
    """A form for one object of a model.

        class QuestionForm(ModelForm[Question]):
            class Meta:
                fields = ["text", "published"]

        form = QuestionForm(await request.form(), instance=question)
        if await form.is_valid():
            question = await form.save()

    `class Meta` takes `fields` (a list, or `"__all__"` for all that are editable) or `exclude`; `labels`, `help_texts` and
    `widgets` by name; and `model`, if the class itself does not say it in brackets. A field declared in the class
    replaces the model's.

    Args:
        data: see `Form`.
        instance: the object to change; None for a new one. It may be new, with what the form does not ask for.
        initial: see `Form`.
        prefix: see `Form`.

    Attributes:
        instance: the object. It is left alone until `save()`.
    """

    model: ClassVar[type[models.Model]]

    def __init__(
        self,
        data: Mapping[str, Any] | None = None,  # Any: as in Form
        *,
        instance: M | None = None,
        initial: Mapping[str, object] | None = None,
        prefix: str = "",
    ) -> None:
        model: Any = getattr(type(self), "model", None)
        if model is None:
            raise TypeError(
                f"{type(self).__name__} has no model; write `class {type(self).__name__}(ModelForm[…])`"
            )
        super().__init__(data, initial=initial, prefix=prefix)
        self.instance: M = model() if instance is None else instance
        self._is_new = instance is None

    @classmethod
    def _collect_fields(cls) -> dict[str, Field[Any]]:
        declared = collect_declared(cls)
        meta: Any = getattr(cls, "Meta", None)
        model = getattr(meta, "model", None) or _type_argument(cls) or getattr(cls, "model", None)
        if model is not None:
            cls.model = model
        if model is None or meta is None:
            return declared
        options: dict[str, Any] = {
            name: getattr(meta, name) for name in dir(meta) if not name.startswith("_")
        }
        derived = {
            name: declared.get(name) or derive_model_field(model._meta.get_field(name), options)
            for name in _field_names(cls, model, options, declared)
        }
        return derived | declared

    def get_initial(self, name: str) -> object:
        """Return the value that a field shows at first: what the form was given, else the object's."""
        if name in self._initial or name not in self._model_fields():
            return super().get_initial(name)
        value = vars(self.instance).get(self._model_fields()[name].attname)
        return super().get_initial(name) if value is None and self._is_new else value

    def _model_fields(self) -> dict[str, models.Field[Any]]:
        return {field.name: field for field in self.model._meta.fields if field.name in self.fields}

    async def _full_clean(self) -> None:
        await super()._full_clean()
        if not self.instance._adding:
            for field in self.model._meta.pk_fields:
                self._check_key(field)
        await self._check_object()

    def _check_key(self, field: models.Field[Any]) -> None:
        """Refuse another value of the key, or of a part of it."""
        value = self._cleaned_data.get(field.name)
        if isinstance(value, models.Model) and isinstance(field, models.ForeignKey):
            value = getattr(value, field.target_field.attname)
        if value is not None and value != getattr(self.instance, field.attname):
            self.add_error(field.name, "This cannot be changed.")

    async def _check_object(self) -> None:
        """Check a copy of the object that has the values, as the model does: `clean()`, what is unique, constraints.

        What speaks of a field that the form does not have, or that is not valid, is left to the database.
        """
        candidate = copy(self.instance)
        self._write_values(candidate)
        for check in (candidate.clean, candidate.validate_unique, candidate.validate_constraints):
            excluded = [] if check == candidate.clean else [self._unchecked()]
            try:
                await check(*excluded)
            except ValidationError as exc:
                self.add_error(None, exc)

    def _unchecked(self) -> set[str]:
        return {field.name for field in self.model._meta.fields} - self._cleaned_data.keys()

    async def save(self) -> M:
        """Write the values to the object, save it, and return it.

        Raises:
            NotValidated: the form is not valid, or was not asked.
            ValidationError: another row took a unique value since `is_valid()`; it is among the errors now.
            IntegrityError: another constraint refuses the row.
        """
        if not self.is_bound or self.errors:
            raise NotValidated(
                f"{self!r} has nothing to save; call save() where `await form.is_valid()` is true"
            )
        self._write_values(self.instance)
        try:
            written_to = router.for_write(type(self.instance), None, self.instance)
            async with atomic(written_to):  # within a transaction: a savepoint, so that it survives a refusal
                await self.instance.save()
        except UniqueViolation as exc:
            raise await self._explain(exc) from exc
        return self.instance

    def _write_values(self, instance: M) -> None:
        """Write the values that are valid to the object, or to a copy of it."""
        for name, field in self._model_fields().items():
            if name not in self._cleaned_data or self._is_untouched(name, field):
                continue
            value = self._cleaned_data[name]
            if value is not None or field.null:
                setattr(instance, name, value)
            elif (
                not field.has_db_default()
            ):  # left empty, and the column takes no NULL: what the model has for that
                setattr(instance, field.attname, field.get_default())

    def _is_untouched(self, name: str, field: models.Field[Any]) -> bool:
        """Tell whether what was sent is what the object shows: the text of a time leaves out its microseconds, say."""
        sent = self[name].value
        shown = self.fields[name].prepare_value(vars(self.instance).get(field.attname))
        return sent is not None and shown is not None and str(sent) == str(shown)

    async def _explain(self, violation: UniqueViolation) -> Exception:
        """Return the error of a refused row as one of the form; the violation itself if it is about no field of it."""
        names = [name for name, field in self._model_fields().items() if field.column in violation.columns]
        if not names:
            return violation
        error = ValidationError(UNIQUE, "unique")
        self.add_error(names[0] if len(violation.columns) == 1 else None, error)
        await self.load_choices()
        return error


def modelform_factory(model: type[M], fields: Sequence[str] | Literal["__all__"]) -> type[ModelForm[M]]:
    """Return a ModelForm class for some fields of a model, or all that are editable."""
    meta = type("Meta", (), {"model": model, "fields": fields})
    return type(f"{model.__name__}Form", (ModelForm,), {"Meta": meta, "__module__": model.__module__})


def derive_model_field(field: models.Field[Any], options: Mapping[str, Any]) -> Field[Any]:
    """Return the form's field for a model's, with what `class Meta` says of it."""
    check_blank(field)
    chosen: dict[str, Any] = {"label": _label(field), "help_text": field.help_text}
    for option, key in (("labels", "label"), ("help_texts", "help_text"), ("widgets", "widget")):
        if field.name in options.get(option, {}):
            chosen[key] = options[option][field.name]
    if isinstance(field, models.ForeignKey):
        queryset = models.QuerySet[Any](field.related_model).filter(field.get_limit_choices_to())
        return ModelChoiceField[Any](queryset, required=not field.blank, **chosen)
    return derive_field(field, **chosen)


def _label(field: models.Field[Any]) -> str:
    words = field.verbose_name or field.name
    return words[:1].upper() + words[1:]


def _field_names(
    cls: type[Form], model: type[models.Model], options: dict[str, Any], declared: Mapping[str, Field[Any]]
) -> list[str]:
    """Return the names of the model's fields that the form has.

    Raises:
        TypeError: `class Meta` is wrong.
        FieldError: it names a field that the model lacks.
    """
    unknown = options.keys() - set(META_OPTIONS)
    if unknown:
        raise TypeError(
            f"class Meta of {cls.__name__} has an unknown option {min(unknown)!r}; choose from {', '.join(META_OPTIONS)}"
        )
    if ("fields" in options) == ("exclude" in options):
        raise TypeError(
            f'class Meta of {cls.__name__} needs either fields or exclude; fields = "__all__" takes all that are editable'
        )
    editable = [field.name for field in model._meta.fields if field.editable and not field.primary_key]
    if "exclude" in options:
        excluded = {model._meta.get_field(name).name for name in options["exclude"]}
        return [name for name in editable if name not in excluded]
    if options["fields"] == "__all__":
        return editable
    return [_settable_name(cls, model, name, declared) for name in options["fields"]]


def _settable_name(
    cls: type[Form], model: type[models.Model], name: str, declared: Mapping[str, Field[Any]]
) -> str:
    if name in declared:
        return name
    field = model._meta.get_field(name)
    if not field.editable or isinstance(field, AUTOMATIC):
        raise TypeError(
            f"{field.label} is not for people to edit, so {cls.__name__} cannot have it; leave it out"
        )
    return field.name
