"""From asyncpg's exceptions, and those of the network, to ours."""

from __future__ import annotations

import os
import re
import ssl
from typing import Protocol, cast

import asyncpg  # type: ignore[import-untyped]  # it has no stubs

from transom.db.exceptions import (
    CheckViolation,
    ConnectionFailed,
    ConnectionLost,
    DatabaseError,
    DataError,
    DeadlockDetected,
    ExclusionViolation,
    ForeignKeyViolation,
    IntegrityError,
    LockNotAvailable,
    NotNullViolation,
    OperationalError,
    ProgrammingError,
    QueryCanceled,
    ReadOnlyViolation,
    SerializationFailure,
    TransactionError,
    UniqueViolation,
)

# What a call of asyncpg raises; InterfaceError covers its own complaints, such as a value it cannot encode.
DRIVER_ERRORS = (asyncpg.PostgresError, asyncpg.InterfaceError, asyncpg.InternalClientError, OSError)

INTEGRITY: dict[str, type[IntegrityError]] = {
    "23505": UniqueViolation,
    "23001": ForeignKeyViolation,  # ON DELETE RESTRICT, from PostgreSQL 18 on
    "23503": ForeignKeyViolation,
    "23502": NotNullViolation,
    "23514": CheckViolation,
    "23P01": ExclusionViolation,
}
STATES: dict[str, type[DatabaseError]] = {
    "08001": ConnectionFailed,  # could not establish the connection
    "08004": ConnectionFailed,  # the server rejected it
    "25006": ReadOnlyViolation,
    "25P03": ConnectionLost,  # idle_in_transaction_session_timeout
    "25P04": ConnectionLost,  # transaction_timeout
    "40001": SerializationFailure,
    "40P01": DeadlockDetected,
    "53300": ConnectionFailed,  # too many connections
    "55P03": LockNotAvailable,
    "57014": QueryCanceled,
    "57P01": ConnectionLost,  # admin shutdown
    "57P02": ConnectionLost,  # crash shutdown
    "57P03": ConnectionFailed,  # cannot connect now
    "57P04": ConnectionLost,  # the database was dropped
    "57P05": ConnectionLost,  # idle_session_timeout
}
CLASSES: dict[str, type[DatabaseError]] = {
    "08": ConnectionLost,
    "22": DataError,
    "28": ConnectionFailed,  # invalid authorization
    "42": ProgrammingError,
}
IN_FAILED_TRANSACTION = "25P02"
SYNTAX_ERROR = "42601"
# Files of PostgreSQL's source that read tsquery and tsvector: what they cannot read is a value, and no statement.
_OF_WORDS = frozenset({"tsquery.c", "tsvector_parser.c"})
ENDED_BY_SERVER = frozenset({"25P03", "25P04", "57P01", "57P02", "57P05"})


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
    if isinstance(
        exc, asyncpg.InvalidCachedStatementError
    ):  # asyncpg has dropped it: the next attempt prepares it anew
        return SerializationFailure(
            "a table was changed since its statement was prepared; run the transaction again"
        )
    if isinstance(exc, asyncpg.PostgresError):
        return translate_report(cast("ServerReport", exc), describe(exc))
    message = describe(exc)
    if isinstance(exc, asyncpg.DataError | ValueError):  # asyncpg could not encode an argument
        return DataError(message)
    if isinstance(exc, asyncpg.InterfaceError):
        return ConnectionLost(message) if "clos" in message else ProgrammingError(message)
    if isinstance(exc, asyncpg.InternalClientError):
        return ConnectionLost(message) if was_never_sent(exc) else OperationalError(message)
    return ConnectionLost(f"the connection broke: {message}")


def translate_report(report: ServerReport, message: str) -> DatabaseError:
    """Return our error for what the server reported, by its SQLSTATE."""
    state = report.sqlstate or ""
    if state.startswith("23"):
        error = translate_integrity(report, state, message)
    elif state == IN_FAILED_TRANSACTION:
        error = TransactionError(
            "an earlier statement of this transaction failed, and PostgreSQL runs no other until it is rolled back; "
            "wrap a statement that may fail in an atomic() of its own"
        )
    elif state == SYNTAX_ERROR and getattr(report, "server_source_filename", None) in _OF_WORDS:
        error = DataError(message)
    else:
        error = (STATES.get(state) or CLASSES.get(state[:2]) or OperationalError)(message)
    error.sqlstate = state or error.sqlstate
    return error


def translate_write(exc: BaseException) -> DatabaseError:
    """Return our error for a write or a COMMIT that was to be kept, and is in doubt if its answer never came.

    What the server reports is no answer: a COMMIT that waits for a synchronous replica is kept, though the server
    reports that it ends the session.
    """
    error = translate(exc)
    if isinstance(error, ConnectionLost):
        error.in_doubt = not was_never_sent(exc)
    return error


def was_never_sent(exc: BaseException) -> bool:
    """Whether the driver knew before the statement that the connection is of no use."""
    if isinstance(exc, asyncpg.InternalClientError):  # it has read the server's farewell, but not yet the end
        return str(exc).startswith("cannot switch to state")
    return isinstance(exc, asyncpg.InterfaceError)


def has_left_no_trace(exc: BaseException) -> bool:
    """Whether a reading statement may run again, its connection being lost: it was never sent, or was undone."""
    if was_never_sent(exc):
        return isinstance(translate(exc), ConnectionLost)
    reports = (
        exc,
        exc.__cause__,
    )  # asyncpg: the second, where the connection went before the end of the answer
    return any(getattr(report, "sqlstate", None) in ENDED_BY_SERVER for report in reports)


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
    if isinstance(exc, OSError) and not isinstance(exc, ssl.SSLError) and (exc.errno or 0) > 0:
        return os.strerror(exc.errno or 0)  # asyncio says only "Connect call failed"
    return str(exc) or type(exc).__name__
