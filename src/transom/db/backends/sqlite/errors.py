"""From sqlite3's exceptions to ours."""

from __future__ import annotations

import re
import sqlite3

from transom.db import constraint_names
from transom.db.exceptions import (
    CheckViolation,
    ConnectionFailed,
    DatabaseError,
    DataError,
    ForeignKeyViolation,
    IntegrityError,
    LockNotAvailable,
    NotNullViolation,
    OperationalError,
    ProgrammingError,
    QueryCanceled,
    ReadOnlyViolation,
    SerializationFailure,
    UniqueViolation,
)

# What sqlite3 raises: its own errors, and these two for values that no SQLite type holds.
DRIVER_ERRORS = (sqlite3.Error, OverflowError, UnicodeEncodeError)

INTEGRITY: dict[str, type[IntegrityError]] = {
    "SQLITE_CONSTRAINT_UNIQUE": UniqueViolation,
    "SQLITE_CONSTRAINT_PRIMARYKEY": UniqueViolation,
    "SQLITE_CONSTRAINT_ROWID": UniqueViolation,
    "SQLITE_CONSTRAINT_FOREIGNKEY": ForeignKeyViolation,
    "SQLITE_CONSTRAINT_NOTNULL": NotNullViolation,
    "SQLITE_CONSTRAINT_CHECK": CheckViolation,
}
OTHERS: dict[str, type[DatabaseError]] = {
    "SQLITE_ERROR": ProgrammingError,
    "SQLITE_RANGE": ProgrammingError,
    "SQLITE_MISMATCH": DataError,
    "SQLITE_TOOBIG": DataError,
    "SQLITE_BUSY": LockNotAvailable,
    "SQLITE_BUSY_SNAPSHOT": SerializationFailure,
    "SQLITE_LOCKED": LockNotAvailable,
    "SQLITE_INTERRUPT": QueryCanceled,
    "SQLITE_READONLY": ReadOnlyViolation,
    "SQLITE_CANTOPEN": ConnectionFailed,
    "SQLITE_NOTADB": ConnectionFailed,
}
# What is wrong with a value, though the code is that of a wrong statement.
VALUES = ("LIKE or GLOB pattern too complex",)
COLUMNS = re.compile(r"^(?:UNIQUE|NOT NULL) constraint failed: (?!index ')(.+)$")
NAMED = re.compile(r"^(?:UNIQUE constraint failed: index '(.+)'|CHECK constraint failed: (.+))$")


def error_name(exc: BaseException) -> str:
    """Return SQLite's name of the result code, e.g. "SQLITE_BUSY", or "" where there is none."""
    return getattr(exc, "sqlite_errorname", None) or ""


def is_busy(exc: BaseException) -> bool:
    """Whether another connection is in the way and the statement may be tried again."""
    return error_name(exc).startswith(("SQLITE_BUSY", "SQLITE_LOCKED"))


def is_interrupted(exc: BaseException) -> bool:
    """Whether the progress handler or an interrupt stopped the statement."""
    return error_name(exc) == "SQLITE_INTERRUPT"


def translate(exc: BaseException) -> DatabaseError:
    """Return our error for one of `DRIVER_ERRORS`."""
    name, message = error_name(exc), str(exc)
    if isinstance(exc, OverflowError | UnicodeEncodeError):
        return DataError(message)
    if isinstance(exc, sqlite3.IntegrityError):
        return translate_integrity(name, message)
    if message in VALUES:
        return DataError(message)
    if found := OTHERS.get(name):
        return found(message)
    if isinstance(exc, sqlite3.OperationalError) or name:
        return OperationalError(message)
    if isinstance(exc, sqlite3.DataError):
        return DataError(message)
    return ProgrammingError(message)  # the module's own: wrong number of parameters, an unknown type of value


def translate_integrity(name: str, message: str) -> IntegrityError:
    """Read table, columns and constraint out of the message, which is the one place that has them."""
    kind = INTEGRITY.get(name, IntegrityError)
    table: str | None = None
    columns: tuple[str, ...] = ()
    if match := COLUMNS.match(message):
        pairs = [column.rpartition(".") for column in match[1].split(", ")]
        table = pairs[0][0] or None
        columns = tuple(pair[2] for pair in pairs)
    named = NAMED.match(message)
    constraint = (named[1] or named[2]) if named else None
    if kind is UniqueViolation and constraint is None:
        constraint = constraint_names.find(table, columns)
    return kind(message, table=table, columns=columns, constraint=constraint)
