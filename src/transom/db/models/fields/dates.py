"""Points in time."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any, Literal, TypeVar, overload

from transom.db.models.fields.base import Field, FieldOptions
from transom.db.sql.column_type import ColumnType

if TYPE_CHECKING:
    from typing import Unpack

    from transom.db.models.fields.base import Converter
    from transom.db.sql.metadata import Vendor

T = TypeVar("T")


class DateTimeField(Field[T]):
    """A point in time: an aware datetime. Naive ones are refused, for nobody knows when they are.

    What comes back from the database is in UTC.

    Args:
        verbose_name: see `Field`.
        auto_now: whether every save sets it to the present.
        auto_now_add: whether the first save sets it to the present.
        null: see `Field`.
        options: see `Field`.
    """

    @overload
    def __init__(
        self: DateTimeField[datetime],
        verbose_name: str | None = None,
        *,
        auto_now: bool = False,
        auto_now_add: bool = False,
        null: Literal[False] = False,
        **options: Unpack[FieldOptions[datetime]],
    ) -> None: ...
    @overload
    def __init__(
        self: DateTimeField[datetime | None],
        verbose_name: str | None = None,
        *,
        auto_now: bool = False,
        auto_now_add: bool = False,
        null: Literal[True],
        **options: Unpack[FieldOptions[datetime | None]],
    ) -> None: ...
    def __init__(
        self,
        verbose_name: str | None = None,
        *,
        auto_now: bool = False,
        auto_now_add: bool = False,
        null: bool = False,
        **options: Unpack[FieldOptions[Any]],
    ) -> None:
        if auto_now or auto_now_add:
            if "default" in options:
                raise TypeError("auto_now and auto_now_add set the value themselves; drop default")
            options = {"editable": False, "blank": True, **options}
        super().__init__(verbose_name, null=null, **options)
        self.auto_now = auto_now
        self.auto_now_add = auto_now_add

    def column_type(self) -> ColumnType:
        """Return the type of a point in time."""
        return ColumnType("datetime")

    def pre_save(self, instance: Any, *, adding: bool) -> Any:
        """Return the present where the field is automatic, and set it on the instance."""
        if self.auto_now or (self.auto_now_add and adding):
            setattr(instance, self.attname, datetime.now(UTC))
        return super().pre_save(instance, adding=adding)

    def encoder(self, vendor: Vendor) -> Converter:
        """Return a function that takes an aware datetime; SQLite holds ISO 8601 in UTC, which sorts as text."""
        as_text = vendor == "sqlite"

        def encode(value: object) -> datetime | str:
            if not isinstance(value, datetime):
                raise self.wrong_type(value, "a datetime")
            if value.utcoffset() is None:
                raise self.wrong_type(
                    value, "a datetime with a time zone (datetime.now(UTC), or value.replace(tzinfo=…))"
                )
            return value.astimezone(UTC).isoformat(timespec="microseconds") if as_text else value

        return encode

    def decoder(self, vendor: Vendor) -> Converter | None:
        """Return the ISO 8601 parser where the driver gives text."""
        return datetime.fromisoformat if vendor == "sqlite" else None

    def deconstruct(self) -> tuple[str, str, list[Any], dict[str, Any]]:
        """Add the automatic options, which imply two others."""
        name, path, arguments, keywords = super().deconstruct()
        if self.auto_now or self.auto_now_add:
            keywords = {key: value for key, value in keywords.items() if key not in ("editable", "blank")}
        automatic = {key: True for key in ("auto_now", "auto_now_add") if getattr(self, key)}
        return name, path, arguments, {**keywords, **automatic}
