"""What the SQL layer asks of models: structural, so that real models and migration states both fit."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Literal, Protocol, TypeAlias

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from transom.db.sql.column_type import ColumnType

Vendor: TypeAlias = Literal["sqlite", "postgresql", "mysql"]
OnDeleteRule: TypeAlias = Literal["CASCADE", "RESTRICT", "NO ACTION", "SET NULL", "SET DEFAULT"]


@dataclass(frozen=True, slots=True)
class Reference:
    """Where a foreign key points, and what the database does when the row there is deleted."""

    table: str
    column: str
    on_delete: OnDeleteRule


class FieldLike(Protocol):
    """A field, as far as its column is concerned."""

    name: str
    column: str
    null: bool
    unique: bool
    db_index: bool
    primary_key: bool

    @property
    def label(self) -> str:
        """The field with its model, for messages."""
        ...

    def column_type(self) -> ColumnType:
        """Return what the column holds."""
        ...

    def reference(self) -> Reference | None:
        """Return where the foreign key points, or None for any other field."""
        ...

    def server_default(self, vendor: Vendor) -> Any:
        """Return the value (as the driver takes it) that the column gets by itself, its SQLText, or None for no default."""
        # Any: whatever a driver takes
        ...

    def encoder(self, vendor: Vendor) -> Callable[[Any], Any]:
        """Return the function that makes a value ready for the driver, to compare with."""
        # Any: values are as different as fields
        ...

    def writer(self, vendor: Vendor) -> Callable[[Any], Any]:
        """Return the function that makes a value ready for the driver, to store."""
        ...


class OptionsLike(Protocol):
    """A model's table and its fields, in the order of the columns."""

    @property
    def db_table(self) -> str:
        """The name of the table."""
        ...

    @property
    def fields(self) -> Sequence[FieldLike]:
        """The fields that have a column."""
        ...

    @property
    def pk_fields(self) -> Sequence[FieldLike]:
        """The fields of the primary key, in its order."""
        ...


@dataclass(frozen=True, slots=True, eq=False)
class Hop:
    """One step of a path from a model to a related one. Equal only to itself: each relation makes its hops once.

    Attributes:
        name: the word of the path.
        target: the model arrived at.
        local_column: the column on this side.
        remote_column: the column on the other side with the same value.
        many: whether several rows can be there for one here.
        nullable: whether no row may be there.
        back: the word that leads back from the object there to the one here, where that is one too.
    """

    name: str
    target: OptionsLike
    local_column: str
    remote_column: str
    many: bool
    nullable: bool
    back: str | None = None
