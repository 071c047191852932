"""BoundField: a field in one form, with the value that was sent, what is wrong with it, and its HTML."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, ClassVar, Generic, Protocol, TypeVar, cast

from transom.forms.exceptions import NotValidated
from transom.forms.widgets import Control

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from markupsafe import Markup

    from transom.forms.renderer import FormRenderer
    from transom.forms.widgets import AttributeValue, Choice, Widget

T = TypeVar("T")


class DeclaredField(Protocol):
    """What a bound field asks of the field as it was declared."""

    required: bool
    help_text: str
    widget: Widget

    def label_for(self, name: str) -> str:
        """Return the label of the field under this name."""
        ...

    def prepare_value(self, value: Any) -> object:  # Any: the field knows its type
        """Return a Python value as it stands in a form."""
        ...

    def html_attributes(self) -> dict[str, AttributeValue]:
        """Return what HTML can say of the constraints."""
        ...


class OwningForm(Protocol):
    """What a bound field asks of its form."""

    renderer: ClassVar[FormRenderer]

    @property
    def data(self) -> Mapping[str, Any] | None:
        """What was sent. Any: text, or what a test hands over."""
        ...

    @property
    def errors(self) -> Mapping[str, list[str]]:
        """The messages by field."""
        ...

    @property
    def cleaned_data(self) -> Mapping[str, Any]:
        """The valid values."""
        ...

    def add_prefix(self, name: str) -> str:
        """Return the name of the control."""
        ...

    def get_initial(self, name: str) -> object:
        """Return the value to show before anything was sent."""
        ...

    def get_choices(self, name: str) -> Sequence[Choice]:
        """Return what may be chosen."""
        ...

    def __getitem__(self, name: str) -> BoundField[Any]:
        """Return a field of this form."""
        ...


class BoundField(Generic[T]):
    """A field in one form: `form["text"]`, or typed `form.text`.

    `{{ form.text }}` in a template is the control alone; `{{ form.text.as_field_group() }}` comes with label, help and errors.

    Attributes:
        form: the form.
        field: the field as declared.
        name: of the field.
    """

    __slots__ = ("field", "form", "name")

    def __init__(self, form: OwningForm, field: DeclaredField, name: str) -> None:
        self.form = form
        self.field = field
        self.name = name

    def __repr__(self) -> str:
        return f"<BoundField {self.name!r} of {type(self.form).__name__}>"

    # -- values ----------------------------------------------------------------------------------------------------

    @property
    def cleaned(self) -> T:
        """The valid value.

        Raises:
            NotValidated: the form was not validated, or this field is not valid.
        """
        cleaned = self.form.cleaned_data
        if self.name not in cleaned:
            raise NotValidated(f"{self!r} has no valid value; look at its errors first")
        return cast("T", cleaned[self.name])

    @property
    def value(self) -> object:
        """What the control shows: what was sent, right or wrong; the initial value if nothing was."""
        if self.form.data is not None:
            return self.field.widget.value_from_data(self.form.data, self.html_name)
        return self.field.prepare_value(self.form.get_initial(self.name))

    @property
    def errors(self) -> list[str]:
        """The messages about this field."""
        return self.form.errors.get(self.name, [])

    @property
    def choices(self) -> Sequence[Choice]:
        """What may be chosen.

        Raises:
            ChoicesNotLoaded: they are in a database and were not loaded.
        """
        return self.form.get_choices(self.name)

    # -- what templates show ---------------------------------------------------------------------------------------

    @property
    def label(self) -> str:
        """What people call it."""
        return self.field.label_for(self.name)

    @property
    def help_text(self) -> str:
        """The hint below the label."""
        return self.field.help_text

    @property
    def required(self) -> bool:
        """Whether it may not be left empty."""
        return self.field.required

    @property
    def is_hidden(self) -> bool:
        """Whether people do not see it."""
        return self.field.widget.is_hidden

    @property
    def use_fieldset(self) -> bool:
        """Whether it is several elements below a legend."""
        return self.field.widget.use_fieldset

    @property
    def group_role(self) -> str:
        """The role of the fieldset, if it has one of its own."""
        return self.field.widget.group_role

    @property
    def label_after(self) -> bool:
        """Whether the label follows the control."""
        return self.field.widget.label_after

    @property
    def html_name(self) -> str:
        """The name of the control, with the form's prefix."""
        return self.form.add_prefix(self.name)

    @property
    def id(self) -> str:
        """The id of the control."""
        return f"id_{self.html_name}"

    @property
    def id_for_label(self) -> str:
        """The id of the element that a label or a link leads to."""
        return self.field.widget.id_for_label(self.id)

    @property
    def help_id(self) -> str:
        """The id of the help text."""
        return f"{self.id}-help"

    @property
    def errors_id(self) -> str:
        """The id of the list of errors."""
        return f"{self.id}-errors"

    @property
    def described_by(self) -> str:
        """The ids of what describes the control, for `aria-describedby`."""
        ids = [self.help_id] if self.help_text else []
        return " ".join([*ids, self.errors_id] if self.errors else ids)

    def as_widget(self, attrs: Mapping[str, AttributeValue] | None = None) -> Markup:
        """Return the control.

        Args:
            attrs: further attributes; they win over the field's, and the widget's own over them.
        """
        widget = self.field.widget
        attributes = {**self._attributes(), **(attrs or {})}
        control = Control(self.html_name, self.id, self.value, attributes, self.choices)
        return widget.render(self.form.renderer, control)

    def as_field_group(self) -> Markup:
        """Return label, help, errors and control, from `forms/field.html`."""
        return self.form.renderer.render("forms/field.html", {"field": self})

    def __html__(self) -> Markup:
        return self.as_widget()

    def __str__(self) -> str:
        return self.as_widget()

    def _attributes(self) -> dict[str, AttributeValue]:
        described_by = "" if self.use_fieldset else self.described_by  # there the fieldset has it
        found: dict[str, AttributeValue] = {
            "required": self.required,
            **self.field.html_attributes(),
            "aria-describedby": described_by or False,
            "aria-invalid": "true" if self.errors else False,
        }
        return {name: value for name, value in found.items() if value is not False}
