"""Defaults that the database makes: `db_default=Now()`."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, ClassVar

from transom.db.exceptions import FieldError
from transom.db.models.names import import_path

if TYPE_CHECKING:
    from collections.abc import Mapping

    from transom.db.sql.column_type import ColumnKind
    from transom.db.sql.metadata import Vendor


@dataclass(frozen=True)
class DatabaseDefault:
    """An expression for `db_default`, that knows its SQL per database and kind of column.

    Attributes:
        statements: the SQL; it has no places for values.
    """

    statements: ClassVar[Mapping[Vendor, Mapping[ColumnKind, str]]]

    def sql(self, vendor: Vendor, kind: ColumnKind) -> str:
        """Return the SQL, which gives a value in the form in which our encoders write it.

        Raises:
            FieldError: the expression makes no value of this kind.
        """
        known = self.statements[vendor]
        if kind not in known:
            raise FieldError(
                f"{type(self).__name__}() makes no {kind} on {vendor}; it can be the db_default of: {', '.join(known)}"
            )
        return known[kind]

    def deconstruct(self) -> tuple[str, list[Any], dict[str, Any]]:
        """Return the import path and arguments from which an equal one can be made. Any: arguments of any type."""
        return import_path(type(self)), [], {}


@dataclass(frozen=True)
class Now(DatabaseDefault):
    """The time at which the transaction began on PostgreSQL, the present elsewhere; dates and times of day in UTC."""

    # PostgreSQL would take the day and the hour of the session's time zone. SQLite holds text: see `dates.py`.
    statements: ClassVar[Mapping[Vendor, Mapping[ColumnKind, str]]] = {
        "postgresql": {
            "datetime": "now()",
            "date": "CAST(now() AT TIME ZONE 'UTC' AS date)",
            "time": "CAST(now() AT TIME ZONE 'UTC' AS time)",
        },
        "sqlite": {
            "datetime": "strftime('%Y-%m-%dT%H:%M:%f000+00:00', 'now')",
            "date": "strftime('%Y-%m-%d', 'now')",
            "time": "strftime('%H:%M:%f000', 'now')",
        },
        "mysql": {
            "datetime": "(UTC_TIMESTAMP(6))",
            "date": "(UTC_DATE())",
            "time": "(UTC_TIME(6))",
        },
    }


@dataclass(frozen=True)
class RandomUUID(DatabaseDefault):
    """A random UUID (version 4) for a `UUIDField`."""

    # SQLite and MySQL hold the 32 digits; version and variant stand in two of them (RFC 9562 section 5.4).
    statements: ClassVar[Mapping[Vendor, Mapping[ColumnKind, str]]] = {
        "postgresql": {"uuid": "gen_random_uuid()"},
        "sqlite": {
            "uuid": (
                "lower(hex(randomblob(6))) || '4' || substr(lower(hex(randomblob(2))), 2) || "
                "substr('89ab', 1 + (abs(random()) % 4), 1) || substr(lower(hex(randomblob(8))), 2)"
            )
        },
        "mysql": {  # from MariaDB 10.10 on
            "uuid": (
                "(CONCAT(LOWER(HEX(RANDOM_BYTES(6))), '4', SUBSTR(LOWER(HEX(RANDOM_BYTES(2))), 2), "
                "SUBSTR('89ab', 1 + FLOOR(RAND() * 4), 1), SUBSTR(LOWER(HEX(RANDOM_BYTES(8))), 2)))"
            )
        },
    }
