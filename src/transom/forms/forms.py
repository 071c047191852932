"""Form: fields together, with the data that was sent, what is wrong with it, and the HTML to send it again."""

from __future__ import annotations

import inspect
from difflib import get_close_matches
from typing import TYPE_CHECKING, Any, ClassVar, NoReturn, TypeAlias

from transom.forms.boundfield import BoundField
from transom.forms.exceptions import ChoicesNotLoaded, NotValidated
from transom.forms.fields import Field
from transom.forms.renderer import FormRenderer
from transom.validators import NON_FIELD_ERRORS, ValidationError

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence

    from markupsafe import Markup

    from transom.forms.widgets import Choice

    AnyField: TypeAlias = Field[Any]  # Any: fields of every type


class Form:
    """A form: subclass it, and give the class fields.

        class ContactForm(Form):
            email = EmailField()
            text = CharField(widget=Textarea)

            async def clean_text(self) -> str: ...  # one field more closely; returns its value
            async def clean(self) -> None: ...  # the fields together

    Without data it is unbound and only shown. With data it is bound: `await form.is_valid()`, then read `cleaned_data`
    (or, typed, `form.email.cleaned`), or show it again with its `errors`.

    Args:
        data: what was sent: the `FormData` of a request, or any mapping.
        initial: values to show at first, by field; they win over those of the fields.
        prefix: put before the names of the controls, so that several forms share a page.

    Attributes:
        data: see above; None if unbound.
        prefix: see above.
        fields: the fields by name, this form's own mapping: a field in it may be replaced or left out for this form alone.
    """

    base_fields: ClassVar[dict[str, AnyField]] = {}
    renderer: ClassVar[FormRenderer] = FormRenderer()
    """What renders the form; set it on a class of your site's own, or on `Form` for all."""

    def __init_subclass__(cls) -> None:
        super().__init_subclass__()
        cls.base_fields = cls._collect_fields()
        _check_hooks(cls)

    @classmethod
    def _collect_fields(cls) -> dict[str, AnyField]:
        return collect_declared(cls)

    def __init__(
        self,
        data: Mapping[str, Any] | None = None,  # Any: text, or what a test hands over
        *,
        initial: Mapping[str, object] | None = None,
        prefix: str = "",
    ) -> None:
        self.data = data
        self.prefix = prefix
        self.fields = dict(self.base_fields)
        self._initial = dict(initial or {})
        self._errors: dict[str, list[str]] | None = None
        self._cleaned_data: dict[str, Any] = {}
        self._choices: dict[str, Sequence[Choice]] = {}

    def __repr__(self) -> str:
        state = "unbound" if self.data is None else "not validated" if self._errors is None else "validated"
        return f"<{type(self).__name__}: {', '.join(self.fields)} ({state})>"

    # -- validation ------------------------------------------------------------------------------------------------

    @property
    def is_bound(self) -> bool:
        """Whether there is data to validate."""
        return self.data is not None

    async def is_valid(self) -> bool:
        """Validate, the first time, and return whether nothing is wrong. An unbound form is not valid.

        If something is, choices are loaded too, for the form to be shown again.
        """
        if self.data is None:
            return False
        if self._errors is None:
            await self._full_clean()
            if self._errors:
                await self.load_choices()
        return not self.errors

    async def clean(self) -> None:
        """Check the fields together: override it, read `cleaned_data` and call `add_error`, or raise ValidationError.

        Fields that are not valid are missing in `cleaned_data`.
        """

    def add_error(self, field: str | None, error: str | ValidationError) -> None:
        """Note a mistake; the field is no longer valid.

        Args:
            field: its name, or None where it is about the whole form.
            error: the message, or messages. An error that has its messages by field goes to the form's fields of
                these names, and with the others to the whole form.

        Raises:
            KeyError: there is no such field.
            NotValidated: the form is not being validated, nor was.
        """
        if self._errors is None:
            raise NotValidated("errors are added from clean() or after `await form.is_valid()`")
        if field is not None and field not in self.fields:
            self._unknown(field)
        if isinstance(error, ValidationError) and error.error_dict is not None and field is None:
            for name, errors in error.error_dict.items():
                self.add_error(name if name in self.fields else None, ValidationError(errors))
            return
        messages = [error] if isinstance(error, str) else error.messages
        self._errors.setdefault(field or NON_FIELD_ERRORS, []).extend(messages)
        if field is not None:
            self._cleaned_data.pop(field, None)

    @property
    def errors(self) -> Mapping[str, list[str]]:
        """The messages by field; what concerns none is under `"__all__"`. Empty for an unbound form.

        Raises:
            NotValidated: the form is bound, and not validated yet.
        """
        self._require_validated()
        return self._errors or {}

    @property
    def non_field_errors(self) -> list[str]:
        """The messages that concern no single field."""
        return self.errors.get(NON_FIELD_ERRORS, [])

    @property
    def cleaned_data(self) -> dict[str, Any]:
        """The values of the valid fields. Any: each field has its type; `form.name.cleaned` knows it.

        Raises:
            NotValidated: the form is unbound, or not validated yet.
        """
        if self.data is None:
            raise NotValidated(f"{type(self).__name__} is unbound: it was given no data to clean")
        self._require_validated()
        return self._cleaned_data

    def _require_validated(self) -> None:
        if self.data is not None and self._errors is None:
            raise NotValidated(
                f"{type(self).__name__} is not validated yet; call `await form.is_valid()` first"
            )

    async def _full_clean(self) -> None:
        self._errors = {}
        for name in self.fields:
            await self._clean_field(name)
        try:
            await self.clean()
        except ValidationError as exc:
            self.add_error(None, exc)

    async def _clean_field(self, name: str) -> None:
        try:
            self._cleaned_data[name] = await self.fields[name].clean(self[name].value)
            hook = getattr(self, f"clean_{name}", None)
            if hook is not None:
                value = hook()
                self._cleaned_data[name] = await value if inspect.isawaitable(value) else value
        except ValidationError as exc:
            self.add_error(name, exc)

    # -- fields ----------------------------------------------------------------------------------------------------

    def __getitem__(self, name: str) -> BoundField[Any]:
        """Return a field with its value and errors."""
        field = self.fields.get(name)
        return self._unknown(name) if field is None else BoundField[Any](self, field, name)

    def __iter__(self) -> Iterator[BoundField[Any]]:
        return (self[name] for name in self.fields)

    @property
    def visible_fields(self) -> list[BoundField[Any]]:
        """The fields that people see."""
        return [field for field in self if not field.is_hidden]

    @property
    def hidden_fields(self) -> list[BoundField[Any]]:
        """The fields that people do not see."""
        return [field for field in self if field.is_hidden]

    def add_prefix(self, name: str) -> str:
        """Return the name of a field's control: with the prefix, if there is one."""
        return f"{self.prefix}-{name}" if self.prefix else name

    def get_initial(self, name: str) -> object:
        """Return the value that a field shows before anything was sent."""
        if name in self._initial:
            value = self._initial[name]
            return value() if callable(value) else value
        return self.fields[name].get_initial()

    async def load_choices(self) -> None:
        """Load the choices that fields read from a database; before an unbound form with such fields is shown."""
        for name, field in self.fields.items():
            if name not in self._choices and field.get_choices() is None:
                self._choices[name] = await field.load_choices()

    def get_choices(self, name: str) -> Sequence[Choice]:
        """Return what may be chosen for a field.

        Raises:
            ChoicesNotLoaded: they are in a database and were not loaded.
        """
        choices = self._choices.get(name, self.fields[name].get_choices())
        if choices is None:
            raise ChoicesNotLoaded(
                f"the choices of {type(self).__name__}.{name} are not loaded; "
                "call `await form.load_choices()` before the form is shown"
            )
        return choices

    def _unknown(self, name: str) -> NoReturn:
        close = get_close_matches(name, self.fields, 1)
        hint = f"did you mean {close[0]!r}?" if close else f"choose from {', '.join(self.fields) or 'none'}"
        raise KeyError(f"{type(self).__name__} has no field {name!r}; {hint}")

    # -- HTML ------------------------------------------------------------------------------------------------------

    def error_summary(self) -> Markup:
        """Return all errors, each with a link to its field, from `forms/error_summary.html`."""
        items = [{"target": "", "label": "", "message": message} for message in self.non_field_errors]
        items += [
            {
                "target": "" if field.is_hidden else field.id_for_label,
                "label": field.label,
                "message": message,
            }
            for field in self
            for message in field.errors
        ]
        return self.renderer.render("forms/error_summary.html", {"form": self, "items": items})

    def render(self) -> Markup:
        """Return all fields, below the summary of what is wrong, from `forms/form.html`.

        The form element, its button and `{{ csrf_input }}` stand in the page.
        """
        return self.renderer.render("forms/form.html", {"form": self})

    def __html__(self) -> Markup:
        return self.render()

    def __str__(self) -> str:
        return self.render()


def collect_declared(cls: type[Form]) -> dict[str, AnyField]:
    """Return the fields of a class and its bases, the bases' first; what is no field hides one of a base."""
    found: dict[str, AnyField] = {}
    for base in reversed(cls.__mro__):
        for name, value in vars(base).items():
            if isinstance(value, Field):
                if hasattr(Form, name):
                    raise TypeError(
                        f"{cls.__name__}.{name} would hide {name!r} of Form; give the field another name"
                    )
                found[name] = value
            else:
                found.pop(name, None)
    return found


def _check_hooks(cls: type[Form]) -> None:
    """Refuse a `clean_<name>` without its field: it would never be called. A base without any fields may have some."""
    for name in vars(cls):
        field = name.removeprefix("clean_")
        if cls.base_fields and field != name and field not in cls.base_fields:
            choices = ", ".join(cls.base_fields)
            raise TypeError(
                f"{cls.__name__}.{name} is for a field {field!r}, which there is not; choose from {choices}"
            )
