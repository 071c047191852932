"""What every field is: a typed descriptor that knows its column, and how values travel to and from a driver."""

from __future__ import annotations

import copy
from collections.abc import Callable
from typing import TYPE_CHECKING, Any, ClassVar, Generic, TypeAlias, TypedDict, TypeVar, cast, overload

from transom.db.exceptions import FieldError, NotLoaded
from transom.db.models.expressions import Column

if TYPE_CHECKING:
    from typing import Self

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


class FieldOptions(TypedDict, Generic[T], total=False):
    """The options that all fields share; see `Field`."""

    default: T | Callable[[], T]
    unique: bool
    db_index: bool
    primary_key: bool
    db_column: str | None
    blank: bool
    editable: bool
    help_text: str


class Field(Generic[T]):
    """A column of a model. `T` is the type of its values: `str`, or `str | None` with `null=True`.

    On the class a field reads as a typed column to build conditions with, on an instance as its value.

    Args:
        verbose_name: what people call it; the attribute's name with spaces if not given.
        null: whether the column takes NULL.
        default: the value of new objects, or a function of no arguments that makes it.
        unique: whether no two rows may have the same value.
        db_index: whether the column has an index.
        primary_key: whether this is the key of the model.
        db_column: the column's name, if not the attribute's.
        blank: whether forms may leave it empty.
        editable: whether forms show it.
        help_text: a hint that forms show.
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
        self.default: Any = options.get("default", NOT_PROVIDED)
        self.primary_key: bool = options.get("primary_key", False)
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

    def column_type(self) -> ColumnType:
        """Return what the column holds."""
        raise NotImplementedError(f"{type(self).__name__} must say its column_type()")

    def reference(self) -> Reference | None:
        """Return where the foreign key points; None, for this is no foreign key."""
        return None

    def server_default(self, vendor: Vendor) -> Any:
        """Return the value the column gets without us, as the driver takes it; None for no such default."""
        return None

    @property
    def remote_field(self) -> Any:
        """The relation of a foreign key; None here. Any: see `fields/related.py`, which stands above this module."""
        return None

    # -- values ----------------------------------------------------------------------------------------------------

    def has_default(self) -> bool:
        """Whether new objects get a value without being given one."""
        return self.default is not NOT_PROVIDED

    def get_default(self) -> Any:
        """Return the value of a new object that was given none: the default, else None."""
        if self.default is NOT_PROVIDED:
            return None
        return self.default() if callable(self.default) else self.default

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

    # -- migrations ------------------------------------------------------------------------------------------------

    def deconstruct(self) -> tuple[str, str, list[Any], dict[str, Any]]:
        """Return name, import path, arguments and keywords from which an equal field can be made.

        Options that have their default value are left out. Any: arguments of any type.
        """
        keywords: dict[str, Any] = {}
        if self.has_default():
            keywords["default"] = self.default
        for option, default in self.sql_defaults.items():
            value = getattr(self, option)
            if value != default:
                keywords[option] = value
        if self.primary_key:
            del keywords["unique"]
        if getattr(self, "name", None) and keywords.get("verbose_name") == self.name.replace("_", " "):
            del keywords["verbose_name"]
        return getattr(self, "name", ""), f"transom.db.models.{type(self).__name__}", [], keywords
