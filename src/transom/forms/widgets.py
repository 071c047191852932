"""Widgets: the HTML controls of fields. A widget reads its value from the data, and shows one through a template."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, ClassVar, TypeAlias, cast

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence

    from markupsafe import Markup

    from transom.forms.renderer import FormRenderer

AttributeValue: TypeAlias = "str | int | bool"
"""True is an attribute without a value, False none at all."""

Choice: TypeAlias = tuple[str, str]
"""What is sent, and what people read."""


@dataclass(frozen=True, slots=True)
class Control:
    """One control in one form, ready to be shown.

    Attributes:
        name: of the control, with the form's prefix.
        id: of its element.
        value: text to show, or list of texts; whatever was sent, if the form is bound.
        attributes: what the field and the form add: `required`, `maxlength`, `aria-describedby`.
        choices: what may be chosen, in order.
    """

    name: str
    id: str
    value: object
    attributes: Mapping[str, AttributeValue] = field(default_factory=dict[str, AttributeValue])
    choices: Sequence[Choice] = ()


class Widget:
    """The base of all widgets. Widgets are shared by all forms of a class and hold no state.

    Args:
        attrs: attributes of the element; they win over those that the field gives.
    """

    template_name: ClassVar[str] = "forms/widgets/input.html"
    input_type: ClassVar[str] = "text"
    is_hidden: ClassVar[bool] = False
    use_fieldset: ClassVar[bool] = False
    """Whether it is several elements, which need a fieldset with a legend in place of a label."""
    group_role: ClassVar[str] = ""
    """The role of that fieldset, where it has a better one than "group"; it then says what is invalid or required."""
    label_after: ClassVar[bool] = False
    """Whether the label follows the element, as that of a checkbox does."""

    def __init__(self, attrs: Mapping[str, AttributeValue] | None = None) -> None:
        self.attrs = dict(attrs or {})

    def value_from_data(
        self, data: Mapping[str, Any], name: str
    ) -> object:  # Any: text, or what a test hands over
        """Return what was sent under this name, None if nothing was."""
        return data.get(name)

    def id_for_label(self, id: str) -> str:
        """Return the id of the element that a label, or a link from the summary of errors, leads to."""
        return id

    def format_value(self, value: object) -> object:
        """Return the value as the template shows it."""
        return "" if value is None else str(value)

    def attributes(self, control: Control) -> dict[str, AttributeValue]:
        """Return the attributes of the element."""
        return {**control.attributes, **self.attrs}

    def get_context(self, control: Control) -> dict[str, Any]:  # Any: a template shows whatever it is handed
        """Return what the template sees."""
        return {
            "widget": {
                "type": self.input_type,
                "name": control.name,
                "id": control.id,
                "value": self.format_value(control.value),
                "attributes": self.attributes(control),
            }
        }

    def render(self, renderer: FormRenderer, control: Control) -> Markup:
        """Return the HTML of the control."""
        return renderer.render(self.template_name, self.get_context(control))


class TextInput(Widget):
    """One line of text."""


class EmailInput(Widget):
    """An e-mail address."""

    input_type = "email"


class URLInput(Widget):
    """A web address."""

    input_type = "url"


class NumberInput(Widget):
    """A number."""

    input_type = "number"


class DateInput(Widget):
    """A day, with the browser's calendar."""

    input_type = "date"


class DateTimeInput(Widget):
    """A day and a time, with the browser's calendar."""

    input_type = "datetime-local"


class PasswordInput(Widget):
    """A password; what was typed is never sent back."""

    input_type = "password"

    def format_value(self, value: object) -> object:
        """Return nothing."""
        return ""


class HiddenInput(Widget):
    """A value that people do not see; they can change it all the same."""

    input_type = "hidden"
    is_hidden = True

    def attributes(self, control: Control) -> dict[str, AttributeValue]:
        """Return the widget's own attributes only: constraints and descriptions mean nothing for a hidden element."""
        return self.attrs


class Textarea(Widget):
    """Several lines of text."""

    template_name = "forms/widgets/textarea.html"

    def __init__(self, attrs: Mapping[str, AttributeValue] | None = None) -> None:
        super().__init__({"rows": 8, **(attrs or {})})

    def value_from_data(self, data: Mapping[str, Any], name: str) -> object:
        """Return the text with newlines as the browser counts them: one character, though it sends two.

        Source: WHATWG HTML, textarea, "API value".
        """
        value = data.get(name)
        return value.replace("\r\n", "\n") if isinstance(value, str) else value


class CheckboxInput(Widget):
    """One box to tick."""

    template_name = "forms/widgets/checkbox.html"
    input_type = "checkbox"
    label_after = True

    def value_from_data(self, data: Mapping[str, Any], name: str) -> object:
        """Return whether the box is ticked: a browser sends nothing for one that is not."""
        return str(data.get(name, "")).lower() not in ("", "0", "false", "off", "none")

    def format_value(self, value: object) -> object:
        """Return whether it is ticked."""
        return bool(value)


class Select(Widget):
    """A list to choose one from."""

    template_name = "forms/widgets/select.html"
    multiple: ClassVar[bool] = False

    def format_value(self, value: object) -> object:
        """Return the chosen values."""
        return chosen_values(value)

    def get_context(self, control: Control) -> dict[str, Any]:
        """Return what the template sees: each choice, whether it is chosen, and an id of its own."""
        context = super().get_context(control)
        chosen = chosen_values(control.value)
        context["widget"] |= {
            "multiple": self.multiple,
            "options": [
                {"value": value, "label": label, "selected": value in chosen, "id": f"{control.id}_{index}"}
                for index, (value, label) in enumerate(control.choices)
            ],
        }
        return context


class SelectMultiple(Select):
    """A list to choose several from."""

    multiple = True

    def value_from_data(self, data: Mapping[str, Any], name: str) -> object:
        """Return the list of all that was chosen."""
        return all_values(data, name)


class RadioSelect(Select):
    """Buttons to choose one."""

    template_name = "forms/widgets/choices.html"
    input_type = "radio"
    use_fieldset = True
    group_role = "radiogroup"

    def id_for_label(self, id: str) -> str:
        """Return the id of the first button."""
        return f"{id}_0"

    def attributes(self, control: Control) -> dict[str, AttributeValue]:
        """Leave `aria-invalid` to the group: a single button cannot be wrong (WAI-ARIA, "radio")."""
        return {name: value for name, value in super().attributes(control).items() if name != "aria-invalid"}


class CheckboxSelectMultiple(SelectMultiple):
    """Boxes to tick any number of."""

    template_name = "forms/widgets/choices.html"
    input_type = "checkbox"
    use_fieldset = True

    def id_for_label(self, id: str) -> str:
        """Return the id of the first box."""
        return f"{id}_0"

    def attributes(self, control: Control) -> dict[str, AttributeValue]:
        """Leave `required` out: it would ask for every single box."""
        return {name: value for name, value in super().attributes(control).items() if name != "required"}


def chosen_values(value: object) -> list[str]:
    """Return the texts of a value that is one, several, or none."""
    if value is None:
        return [""]
    if isinstance(value, list | tuple | set | frozenset):
        return [str(member) for member in cast("Iterable[object]", value)]
    return [str(value)]


def all_values(data: Mapping[str, Any], name: str) -> list[Any]:
    """Return every value of a name: those of a multi-dict, or the list that a plain mapping holds."""
    getlist = getattr(data, "getlist", None)
    if getlist is not None:
        return list(getlist(name))
    value = data.get(name)
    if value is None:
        return []
    return list(cast("Iterable[Any]", value)) if isinstance(value, list | tuple) else [value]
