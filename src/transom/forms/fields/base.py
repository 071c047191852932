"""What every field is: a declaration that turns what was sent into a value, or says what is wrong with it."""

from __future__ import annotations

from functools import cached_property
from typing import TYPE_CHECKING, Any, ClassVar, Generic, TypedDict, TypeVar, overload

from pydantic import TypeAdapter
from pydantic import ValidationError as PydanticError

from transom.forms.widgets import TextInput, Widget
from transom.validators import ValidationError

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence
    from typing import Self, Unpack

    from transom.forms.boundfield import BoundField, OwningForm
    from transom.forms.widgets import AttributeValue, Choice

T = TypeVar("T")

MESSAGES = {
    "required": "Please fill this in.",
    "invalid": "This is not valid.",
    "min_length": "Use at least {limit} characters; these are {length}.",
    "max_length": "Use at most {limit} characters; these are {length}.",
    "min_value": "Enter {limit} or more.",
    "max_value": "Enter {limit} or less.",
    "max_digits": "Use at most {limit} digits.",
    "decimal_places": "Use at most {limit} digits after the decimal point.",
    "whole_digits": "Use at most {limit} digits before the decimal point.",
    "invalid_choice": "This is not one of the choices.",
    "null_characters": "This holds a character that cannot be stored (NUL).",
}
# pydantic's name of a mistake, ours, and what its limit is called there.
CODES = {
    "string_too_short": ("min_length", "min_length"),
    "string_too_long": ("max_length", "max_length"),
    "greater_than_equal": ("min_value", "ge"),
    "less_than_equal": ("max_value", "le"),
    "decimal_max_digits": ("max_digits", "max_digits"),
    "decimal_max_places": ("decimal_places", "decimal_places"),
    "decimal_whole_digits": ("whole_digits", "whole_digits"),
}


class FieldOptions(TypedDict, total=False):
    """The options that all fields share; see `Field`."""

    label: str
    help_text: str
    initial: object
    widget: Widget | type[Widget]
    error_messages: Mapping[str, str]
    validators: Sequence[Callable[[Any], None]]  # Any: each takes the type of its field
    autocomplete: str


class Field(Generic[T]):
    """A field of a form. `T` is the type of its valid values.

    A field is declared once and shared by all forms of the class: it holds nothing of any one form. On an instance it
    reads as a `BoundField`.

    Args:
        required: whether it may not be left empty.
        label: what people call it; the attribute's name in words if not given.
        help_text: a hint for whoever fills it in.
        initial: value to show at first, or a function of no arguments that makes it.
        widget: the control; a class or an instance.
        error_messages: sentences in place of ours by code, such as `"required"`; `{limit}` and the like are filled in.
        validators: functions that take the value and raise `ValidationError`.
        autocomplete: what the browser may fill in: `"email"`, `"given-name"`.

    Source: WHATWG HTML, "Autofill", for the words of `autocomplete`.
    """

    default_widget: ClassVar[type[Widget]] = TextInput
    default_messages: ClassVar[Mapping[str, str]] = {}
    empty_value: Any = None
    """The value of a field that was left empty. Any: one of T."""

    def __init__(self, *, required: bool = True, **options: Unpack[FieldOptions]) -> None:
        unknown = options.keys() - FieldOptions.__annotations__.keys()
        if unknown:
            known = ", ".join(sorted(FieldOptions.__annotations__))
            raise TypeError(
                f"{type(self).__name__} has no option {min(unknown)!r}; choose from required, {known}"
            )
        self.required = required
        self.label = options.get("label")
        self.help_text = options.get("help_text", "")
        self.initial = options.get("initial")
        widget = options.get("widget", self.default_widget)
        self.widget = widget() if isinstance(widget, type) else widget
        self.error_messages = {**MESSAGES, **self.default_messages, **options.get("error_messages", {})}
        self.validators = tuple(options.get("validators", ()))
        self.autocomplete = options.get("autocomplete", "")
        self.name = ""

    def __set_name__(self, owner: type[Any], name: str) -> None:  # Any: any class
        self.name = name

    @overload
    def __get__(self, instance: None, owner: type[Any]) -> Self: ...
    @overload
    def __get__(self, instance: OwningForm, owner: type[Any]) -> BoundField[T]: ...
    def __get__(self, instance: OwningForm | None, owner: type[Any]) -> Self | BoundField[T]:
        return self if instance is None else instance[self.name]

    def __repr__(self) -> str:
        return f"<{type(self).__name__} {self.name!r}>"

    # -- what was sent becomes a value -----------------------------------------------------------------------------

    async def clean(self, value: object) -> T:
        """Return the value of what was sent.

        Raises:
            ValidationError: it is missing or wrong.
        """
        if self.is_empty(value):
            if self.required:
                raise self.error("required")
            return self.empty_value
        parsed = self.parse(value)
        self.run_validators(parsed)
        return parsed

    def is_empty(self, value: object) -> bool:
        """Whether nothing was filled in."""
        return value is None or (isinstance(value, str) and not value.strip())

    def parse(self, value: object) -> T:
        """Return the value of something that is not empty.

        Raises:
            ValidationError: it is wrong.
        """
        try:
            if isinstance(value, str):
                # Strict, so that text is not taken for what it only might mean: a day for a time, a number for a day.
                return self._adapter.validate_strings(value, strict=True)
            return self._adapter.validate_python(value)
        except PydanticError as exc:
            mistake = exc.errors(include_url=False)[0]
            code, limit = CODES.get(mistake["type"], ("invalid", ""))
            length = len(value) if isinstance(value, str) else 0
            raise self.error(code, limit=mistake.get("ctx", {}).get(limit), length=length) from exc

    def run_validators(self, value: T) -> None:
        """Ask every validator, and collect what they say.

        Raises:
            ValidationError: of at least one.
        """
        messages: list[str] = []
        for validator in self.validators:
            try:
                validator(value)
            except ValidationError as exc:
                messages += exc.messages
        if messages:
            raise ValidationError(messages)

    def annotation(self) -> Any:
        """Return the type, with its constraints, by which pydantic parses. Any: no type says "a type"."""
        raise NotImplementedError(f"{type(self).__name__} must say its annotation(), or parse() by itself")

    @cached_property
    def _adapter(self) -> TypeAdapter[T]:
        return TypeAdapter(self.annotation())

    def error(self, code: str, **values: object) -> ValidationError:
        """Return the error of a code, with what its sentence speaks of."""
        return ValidationError(self.error_messages[code].format(**values), code)

    # -- what a form shows -----------------------------------------------------------------------------------------

    def label_for(self, name: str) -> str:
        """Return the label: the one given, else the name in words."""
        words = name.replace("_", " ")
        return self.label if self.label is not None else words[:1].upper() + words[1:]

    def get_initial(self) -> object:
        """Return the value to show at first."""
        return self.initial() if callable(self.initial) else self.initial

    def prepare_value(self, value: Any) -> object:  # Any: T, or what a form was given as initial
        """Return a value as it stands in the form."""
        return value

    def html_attributes(self) -> dict[str, AttributeValue]:
        """Return what HTML can say of the constraints, so that browsers check them too."""
        return {"autocomplete": self.autocomplete} if self.autocomplete else {}

    def get_choices(self) -> Sequence[Choice] | None:
        """Return what may be chosen; None where that must be loaded first."""
        return ()

    async def load_choices(self) -> Sequence[Choice]:
        """Return what may be chosen, read from wherever it is."""
        return self.get_choices() or ()
