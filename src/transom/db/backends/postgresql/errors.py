"""From asyncpg's exceptions, and those of the network, to ours."""

from __future__ import annotations

import os
import re
from typing import Protocol, cast

import asyncpg  # type: ignore[import-untyped]  # it has no stubs

from transom.db.exceptions import (
    CheckViolation,
    ConnectionFailed,
    DatabaseError,
    DataError,
    DeadlockDetected,
    ForeignKeyViolation,
    IntegrityError,
    NotNullViolation,
    OperationalError,
    ProgrammingError,
    SerializationFailure,
    TransactionError,
    UniqueViolation,
)

# What a call of asyncpg raises; InterfaceError covers its own complaints, such as a value it cannot encode.
DRIVER_ERRORS = (asyncpg.PostgresError, asyncpg.InterfaceError, asyncpg.InternalClientError, OSError)

INTEGRITY: dict[str, type[IntegrityError]] = {
    "23505": UniqueViolation,
    "23503": ForeignKeyViolation,
    "23502": NotNullViolation,
    "23514": CheckViolation,
}
STATES: dict[str, type[DatabaseError]] = {
    "40001": SerializationFailure,
    "40P01": DeadlockDetected,
    "53300": ConnectionFailed,  # too many connections
    "57P01": ConnectionFailed,  # admin shutdown
    "57P02": ConnectionFailed,  # crash shutdown
    "57P03": ConnectionFailed,  # cannot connect now
}
CLASSES: dict[str, type[DatabaseError]] = {
    "08": ConnectionFailed,
    "22": DataError,
    "28": ConnectionFailed,  # invalid authorization
    "42": ProgrammingError,
}
IN_FAILED_TRANSACTION = "25P02"


class ServerReport(Protocol):
    """The fields of an error of the server; asyncpg sets them on its exceptions one by one."""

    sqlstate: str | None
    detail: str | None
    table_name: str | None
    column_name: str | None
    constraint_name: str | None


# `Key (a, "B")=(1, 2) already exists.`, in whatever language the server speaks
KEY = re.compile(r'\(((?:\w+|"[^"]+")(?:, (?:\w+|"[^"]+"))*)\)=\(')


def translate(exc: BaseException) -> DatabaseError:
    """Return our error for one of `DRIVER_ERRORS`."""
    if isinstance(exc, asyncpg.PostgresError):
        return translate_report(cast("ServerReport", exc), describe(exc))
    message = describe(exc)
    if isinstance(exc, asyncpg.DataError | ValueError):  # asyncpg could not encode an argument
        return DataError(message)
    if isinstance(exc, asyncpg.InterfaceError):
        return ConnectionFailed(message) if "clos" in message else ProgrammingError(message)
    if isinstance(exc, asyncpg.InternalClientError):
        return OperationalError(message)
    return ConnectionFailed(f"the connection broke: {message}")


def translate_report(report: ServerReport, message: str) -> DatabaseError:
    """Return our error for what the server reported, by its SQLSTATE."""
    state = report.sqlstate or ""
    if state.startswith("23"):
        return translate_integrity(report, state, message)
    if state == IN_FAILED_TRANSACTION:
        return TransactionError(
            "an earlier statement of this transaction failed, and PostgreSQL runs no other until it is rolled back; "
            "wrap a statement that may fail in an atomic() of its own"
        )
    kind = STATES.get(state) or CLASSES.get(state[:2])
    return (kind or OperationalError)(message)


def translate_integrity(report: ServerReport, state: str, message: str) -> IntegrityError:
    """Take table and constraint from the report, and the columns from its detail where it has them nowhere else."""
    column = report.column_name
    match = KEY.search(report.detail or "")
    found = tuple(name.strip('"') for name in match[1].split(", ")) if match else ()
    return INTEGRITY.get(state, IntegrityError)(
        message,
        table=report.table_name,
        columns=(column,) if column else found,
        constraint=report.constraint_name,
    )


def describe(exc: BaseException) -> str:
    """Return the message, or the kind of the error where it has none."""
    if isinstance(exc, OSError) and (exc.errno or 0) > 0:
        return os.strerror(exc.errno or 0)  # asyncio says only "Connect call failed"
    return str(exc) or type(exc).__name__
