"""What every field is: a typed descriptor that knows its column, and how values travel to and from a driver."""

from __future__ import annotations

import copy
from collections.abc import Callable
from typing import TYPE_CHECKING, Any, ClassVar, Generic, TypeAlias, TypedDict, TypeVar, cast, overload

from transom.db.exceptions import FieldError, NotLoaded
from transom.db.models.expressions import Column, Expression, RegisterLookupMixin
from transom.db.models.expressions.functions.dates import Now as PresentTime
from transom.db.models.fields.defaults import DatabaseDefault, Now
from transom.db.models.fields.validation import Validated
from transom.db.models.names import import_path
from transom.db.sql.column_type import SQLText

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence
    from typing import Self

    from transom.db.models.expressions import Q
    from transom.db.models.fields.choices import Choices
    from transom.db.sql.column_type import ColumnType
    from transom.db.sql.metadata import Reference, Vendor

T = TypeVar("T")

# Any: a converter is told the kind of its value by the field that made it
Converter: TypeAlias = Callable[[Any], Any]
"""Turns one value that is not None into another."""


class _NotProvided:
    """The mark of an option left out, where None means something."""

    def __repr__(self) -> str:
        return "NOT_PROVIDED"


NOT_PROVIDED = _NotProvided()


class BaseFieldOptions(TypedDict, Generic[T], total=False):
    """The options that all fields share, but for the choices; see `Field`."""

    default: T | Callable[[], T]
    db_default: T | DatabaseDefault
    unique: bool
    db_index: bool
    primary_key: bool
    db_column: str | None
    blank: bool
    editable: bool
    help_text: str
    unique_for_date: str | None
    unique_for_month: str | None
    unique_for_year: str | None
    validators: Sequence[Callable[[Any], None]]  # Any: each takes the type of its field
    error_messages: Mapping[str, str]


class FieldOptions(BaseFieldOptions[T], Generic[T], total=False):
    """The options that all fields share; see `Field`. An enum as choices is an option of its own: it is the type."""

    choices: Choices | None


class AnyFieldOptions(BaseFieldOptions[Any], total=False):
    """What the implementations of constructors take; the overloads above them say it exactly."""

    choices: Any  # choices of every kind


class Field(RegisterLookupMixin, Validated, Generic[T]):
    """A column of a model. `T` is the type of its values: `str`, or `str | None` with `null=True`.

    On the class a field reads as a typed column to build conditions with, on an instance as its value.

    Args:
        verbose_name: what people call it; the attribute's name with spaces if not given.
        null: whether the column takes NULL.
        default: the value of new objects, or a function of no arguments that makes it.
        db_default: the value that the database gives to rows written without one: a constant, or `Now()`. A new object
            has none before it is saved; reading it raises NotLoaded.
        unique: whether no two rows may have the same value.
        db_index: whether the column has an index.
        primary_key: whether this is the key of the model.
        db_column: the column's name, if not the attribute's.
        blank: whether forms may leave it empty.
        editable: whether forms show it.
        help_text: a hint that forms show.
        unique_for_date: name of a date field; `full_clean()` refuses a second row with the same value on the same day.
        unique_for_month: the same for the month, of whichever year.
        unique_for_year: the same for the year.
        choices: what may be chosen: pairs of value and label, in groups or not; a function that returns them; or, for
            text and whole numbers, an enum, whose members then are the values. `get_<name>_display()` gives the label.
        validators: functions that take a value and raise ValidationError; see `transom.validators`.
        error_messages: sentences in place of ours by code, such as `"unique"`.
    """

    # Values live in the instance's __dict__ under `attname`, where Python finds them before it asks a descriptor that
    # has no __set__: reading a loaded value costs no call. So __get__ sees only the class, and what is not loaded.

    column_class: ClassVar[type[Column[Any]]] = Column  # Any: the type of the column is the field's
    sql_defaults: ClassVar[dict[str, object]] = {
        "null": False,
        "unique": False,
        "db_index": False,
        "primary_key": False,
        "db_column": None,
        "blank": False,
        "editable": True,
        "help_text": "",
        "verbose_name": None,
        "unique_for_date": None,
        "unique_for_month": None,
        "unique_for_year": None,
    }

    name: str
    attname: str
    column: str
    model: type[Any]  # any model: naming the class would tie the two modules in a knot

    def __init__(
        self, verbose_name: str | None = None, *, null: bool = False, **options: Any
    ) -> None:  # Any: subclasses type each option
        unknown = options.keys() - FieldOptions.__annotations__.keys()
        if unknown:
            known = ", ".join(sorted(FieldOptions.__annotations__))
            raise TypeError(f"{type(self).__name__} has no option {min(unknown)!r}; choose from {known}")
        self.verbose_name = verbose_name
        self.null = null
        self._take_validation_options(options)
        self.default: Any = self._constant(options.get("default", NOT_PROVIDED))
        self.db_default: Any = self._database_default(options.get("db_default", NOT_PROVIDED))
        self.primary_key: bool = options.get("primary_key", False)
        self.in_key: bool = self.primary_key  # also where it is only part of it: see CompositePrimaryKey
        self.unique: bool = options.get("unique", False) or self.primary_key
        self.db_index: bool = options.get("db_index", False)
        self.db_column: str | None = options.get("db_column")
        self.blank: bool = options.get("blank", False)
        self.editable: bool = options.get("editable", True)
        self.help_text: str = options.get("help_text", "")
        if isinstance(cast("object", self.default), list | dict | set):
            raise TypeError(
                f"default {self.default!r} would be shared by all objects; pass a function that makes it"
            )
        if self.primary_key and null:
            raise TypeError("a primary key takes no NULL; drop null=True")

    def _database_default(self, value: Any) -> Any:
        """Return a default for the column: a constant, or an expression that knows its SQL. Any: of any type."""
        if isinstance(value, PresentTime):
            return Now()
        if isinstance(value, Expression):
            raise TypeError(f"db_default={value!r} must be a constant, Now() or RandomUUID()")
        return self._constant(value)

    def _constant(self, value: Any) -> Any:
        """Return a default as a member of the enum that the choices are. Any: a default of any type, or a function."""
        if self.enum is None or not isinstance(value, str | int) or isinstance(value, self.enum):
            return value
        try:
            return self.enum(value)
        except ValueError as exc:
            raise TypeError(f"default {value!r} is no member of {self.enum.__name__}") from exc

    # -- the descriptor --------------------------------------------------------------------------------------------

    @overload
    def __get__(
        self, instance: None, owner: type[Any]
    ) -> Column[T]: ...  # Any: a field may stand in any class
    @overload
    def __get__(self, instance: object, owner: type[Any]) -> T: ...
    def __get__(self, instance: object | None, owner: type[Any]) -> Any:
        if instance is None:
            return self.column_class(self.name, owner)
        raise NotLoaded(f"{self.label} was not loaded; call `await obj.refresh()` first")

    if TYPE_CHECKING:

        def __set__(self, instance: object, value: T) -> None: ...

    def contribute_to_class(self, model: type[Any], name: str) -> None:
        """Take a place in a model (any class that has `_meta`): settle the names and put the descriptor there."""
        self.set_name(name)
        self.model = model
        setattr(model, name, self)
        if self._choices is not None:
            add_display_method(model, self)

    def set_name(self, name: str) -> None:
        """Settle the names that follow from the attribute's name."""
        self.name = name
        self.attname = self.attribute_name(name)
        self.column = self.db_column or self.attname
        if self.verbose_name is None:
            self.verbose_name = name.replace("_", " ")

    def attribute_name(self, name: str) -> str:
        """Return the name under which instances hold the column's value."""
        return name

    def clone(self) -> Self:
        """Return a copy for another model."""
        return copy.copy(self)

    @property
    def label(self) -> str:
        """The field with its model, for messages: `"Question.text"`."""
        return f"{self.model.__name__}.{self.name}" if hasattr(self, "model") else type(self).__name__

    def __repr__(self) -> str:
        return f"<{type(self).__name__}: {self.label}>"

    # -- the column ------------------------------------------------------------------------------------------------

    @property
    def parts(self) -> tuple[Field[Any], ...]:
        """The fields whose columns have its value: itself; for a key of several, those."""
        return (self,)

    def column_type(self) -> ColumnType:
        """Return what the column holds."""
        raise NotImplementedError(f"{type(self).__name__} must say its column_type()")

    def reference(self) -> Reference | None:
        """Return where the foreign key points; None, for this is no foreign key."""
        return None

    def server_default(self, vendor: Vendor) -> Any:
        """Return the value the column gets without us, as the driver takes it, or its SQL; None for no such default."""
        if isinstance(self.db_default, DatabaseDefault):
            return SQLText(self.db_default.sql(vendor, self.column_type().kind))
        return self.writer(vendor)(self.db_default) if self.has_db_default() else None

    def db_expression(self) -> Expression | None:
        """Return what the column always is, or None for a column that is written."""
        return None

    def db_check(self) -> Q | None:
        """Return the condition that the column of every row must meet, or None for no such."""
        return None

    @property
    def remote_field(self) -> Any:
        """The relation of a foreign key; None here. Any: see `fields/related.py`, which stands above this module."""
        return None

    # -- values ----------------------------------------------------------------------------------------------------

    def has_default(self) -> bool:
        """Whether new objects get a value without being given one."""
        return self.default is not NOT_PROVIDED

    def has_db_default(self) -> bool:
        """Whether rows that are written without a value get one from the database."""
        return self.db_default is not NOT_PROVIDED and self.db_default is not None

    def is_left_to_database(self, instance: Any) -> bool:
        """Whether the instance (of any model) has no value, so that the database makes it when the row is inserted."""
        if not self.has_db_default():
            return False
        values: dict[str, Any] = instance.__dict__
        return values.get(self.attname) is None if self.in_key else self.attname not in values

    def get_default(self) -> Any:
        """Return the value of a new object that was given none: the default, else None."""
        if self.default is NOT_PROVIDED:
            return None
        return self.default() if callable(self.default) else self.default

    @property
    def makes_values(self) -> bool:
        """Whether `pre_save` does more than read the attribute."""
        return type(self).pre_save is not Field[Any].pre_save

    def pre_save(self, instance: Any, *, adding: bool) -> Any:
        """Return the value to write, from the instance (any model), which is updated if the field makes it."""
        return getattr(instance, self.attname)

    def encoder(self, vendor: Vendor) -> Converter:
        """Return the function that makes a value ready for the driver, to compare with.

        It raises FieldError for a value of the wrong type. It is never given None.
        """
        raise NotImplementedError(f"{type(self).__name__} must say its encoder()")

    def writer(self, vendor: Vendor) -> Converter:
        """Return the function that makes a value ready for the driver, to store. It also checks the size."""
        return self.encoder(vendor)

    def decoder(self, vendor: Vendor) -> Converter | None:
        """Return the function that makes a driver's value ours, or None where they are the same."""
        return None

    def wrong_type(self, value: object, expected: str) -> FieldError:
        """Return the error for a value of the wrong Python type."""
        return FieldError(f"{self.label} takes {expected}, not {value!r} ({type(value).__name__})")

    # -- queries ---------------------------------------------------------------------------------------------------

    def operand(self, lookup_name: str, value: Any) -> Any:
        """Return the right side of a lookup such as `contains`, of the value or expression that was given.

        Args:
            lookup_name: of a lookup between two that have something in them: texts, documents, arrays, ranges.
            value: as given. Any: whatever the lookup takes.
        """
        return value

    # -- migrations ------------------------------------------------------------------------------------------------

    def deconstruct(self) -> tuple[str, str, list[Any], dict[str, Any]]:
        """Return name, import path, arguments and keywords from which an equal field can be made.

        Options that have their default value are left out. Any: arguments of any type.
        """
        keywords: dict[str, Any] = {}
        if self.has_default():
            keywords["default"] = self.default
        if self.has_db_default():
            keywords["db_default"] = self.db_default
        if self._choices is not None:
            keywords["choices"] = (
                self._choices if self.enum is None and callable(self._choices) else self.choices
            )
        if self._validators:
            keywords["validators"] = list(self._validators)
        if self._error_messages:
            keywords["error_messages"] = self._error_messages
        for option, default in self.sql_defaults.items():
            value = getattr(self, option)
            if value != default:
                keywords[option] = value
        if self.primary_key:
            del keywords["unique"]
        if getattr(self, "name", None) and keywords.get("verbose_name") == self.name.replace("_", " "):
            del keywords["verbose_name"]
        return getattr(self, "name", ""), import_path(type(self)), [], keywords


def add_display_method(model: type[Any], field: Field[Any]) -> None:
    """Give a model (any class) `get_<name>_display()`, unless it has one of its own."""
    name = f"get_{field.name}_display"
    own = getattr(model, name, None)
    if own is not None and not hasattr(own, "of_field"):
        return

    def get_display(self: Any) -> str:  # Any: an instance of the model
        """Return the label of the value."""
        return field.display(getattr(self, field.attname))

    get_display.__name__ = name
    get_display.of_field = field  # type: ignore[attr-defined]  # pyright: ignore[reportFunctionMemberAccess]  # the mark
    setattr(model, name, get_display)
