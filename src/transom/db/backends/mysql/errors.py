"""From asyncmy's exceptions, and those of the network, to ours.

The server says in its messages what PostgreSQL says in fields of its own: names of constraints and columns are read out
of them, and the table, where they do not name it, out of the statement.
"""

from __future__ import annotations

import os
import re
import ssl

from asyncmy.errors import InterfaceError, InternalError, MySQLError

from transom.db.exceptions import (
    CheckViolation,
    ConnectionFailed,
    ConnectionLost,
    DatabaseError,
    DataError,
    DeadlockDetected,
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

# What a call of asyncmy raises; the last two for arguments that it cannot encode, or that are too many or too few.
DRIVER_ERRORS = (MySQLError, OSError, ValueError, TypeError)

INTEGRITY: dict[int, type[IntegrityError]] = {
    1022: UniqueViolation,
    1048: NotNullViolation,
    1062: UniqueViolation,
    1216: ForeignKeyViolation,
    1217: ForeignKeyViolation,
    1364: NotNullViolation,  # no value was given, and the column has no default
    1451: ForeignKeyViolation,
    1452: ForeignKeyViolation,
    1557: ForeignKeyViolation,
    1586: UniqueViolation,
    1761: ForeignKeyViolation,
    1762: ForeignKeyViolation,
    4025: CheckViolation,
}
OUT_OF_RANGE = 1690
NO_ZONE = "transom_no_zone"  # of `sql/zones.py`
NO_ZONE_MESSAGE = (
    "MariaDB converts no time to this zone: it knows only zones that were loaded by "
    "`mysql_tzinfo_to_sql /usr/share/zoneinfo | mariadb mysql`, and the years from 1970 to 2037"
)
NUMBERS: dict[int, type[DatabaseError]] = {
    1020: SerializationFailure,  # the row has changed since the transaction's snapshot
    1040: ConnectionFailed,  # too many connections
    1053: ConnectionLost,  # the server is shutting down
    1111: ProgrammingError,  # an aggregate where none may be
    1193: ProgrammingError,  # no such variable
    1205: LockNotAvailable,
    1213: DeadlockDetected,
    1264: DataError,  # out of range
    1265: DataError,  # truncated
    1290: ReadOnlyViolation,  # the server is a replica
    1292: DataError,  # no such date, number, …
    1317: QueryCanceled,
    1365: DataError,  # division by zero
    1366: DataError,  # not of the type
    1367: DataError,
    1406: DataError,  # too long
    1411: DataError,
    1690: DataError,  # a computed number is out of range
    1792: ReadOnlyViolation,
    1906: ProgrammingError,  # a generated column was written
    1927: ConnectionLost,  # killed
    1969: QueryCanceled,  # max_statement_time
    2002: ConnectionFailed,
    2003: ConnectionFailed,
    2006: ConnectionLost,
    2013: ConnectionLost,
    4079: DataError,  # illegal parameter types
}
CLASSES: dict[str, type[DatabaseError]] = {
    "08": ConnectionLost,
    "22": DataError,
    "23": IntegrityError,
    "28": ConnectionFailed,  # access denied
    "42": ProgrammingError,
}
GONE_BEFORE = 2006  # asyncmy: the connection was closed before the statement could be sent
ENDED_BY_SERVER = (1053, 1927)

FOREIGN_KEY = re.compile(r"\((?:`[^`]*`\.)?`([^`]+)`, CONSTRAINT `([^`]+)` FOREIGN KEY \(([^)]+)\)")
DUPLICATE = re.compile(r" for key '(?:[^'.]+\.)?([^'.]+)'$")
COLUMN = re.compile(r"^(?:Column|Field) '([^']+)'")
CHECK = re.compile(r"CONSTRAINT `([^`]+)` failed for `[^`]*`\.`([^`]+)`")
TABLE = re.compile(
    r"\s*(?:INSERT|REPLACE|UPDATE|DELETE)\s+(?:IGNORE\s+)?(?:INTO\s+|FROM\s+)?`?(\w+)`?", re.IGNORECASE
)


def translate(exc: BaseException, sql: str = "") -> DatabaseError:
    """Return our error for one of `DRIVER_ERRORS`, that the statement raised."""
    message = describe(exc)
    if isinstance(
        exc, InterfaceError | InternalError
    ):  # the connection was closed before, or has lost its thread
        return ConnectionLost(message)
    if isinstance(exc, MySQLError):
        return translate_report(exc, message, sql)
    if isinstance(exc, TypeError):
        return ProgrammingError(message)
    if isinstance(exc, ValueError):
        return DataError(message)
    return ConnectionLost(f"the connection broke: {message}")


def translate_report(exc: MySQLError, message: str, sql: str) -> DatabaseError:
    """Return our error for what the server reported, by its number, else by its SQLSTATE.

    The server's own state is kept only where the class says nothing as exact: it has one for all constraints.
    """
    number = error_number(exc)
    if number == OUT_OF_RANGE and NO_ZONE in message:
        return OperationalError(NO_ZONE_MESSAGE)
    state = str(getattr(exc, "sqlstate", None) or "")
    if number in INTEGRITY:
        return translate_integrity(INTEGRITY[number], message, sql)
    error = (NUMBERS.get(number) or CLASSES.get(state[:2]) or OperationalError)(message)
    if state and state != "HY000" and (error.sqlstate is None or error.sqlstate.endswith("000")):
        error.sqlstate = state
    return error


def error_number(exc: BaseException) -> int:
    """Return the number of an error of the server or the driver; 0 for one that has none."""
    return exc.args[0] if isinstance(exc, MySQLError) and exc.args and isinstance(exc.args[0], int) else 0


def translate_write(exc: BaseException, sql: str = "") -> DatabaseError:
    """Return our error for a write or a COMMIT that was to be kept, and is in doubt if its answer never came."""
    error = translate(exc, sql)
    if isinstance(error, ConnectionLost):
        error.in_doubt = not was_never_sent(exc)
    return error


def was_never_sent(exc: BaseException) -> bool:
    """Whether the driver knew before the statement that the connection is of no use."""
    return isinstance(exc, InterfaceError) or error_number(exc) == GONE_BEFORE


def has_left_no_trace(exc: BaseException) -> bool:
    """Whether a reading statement may run again, its connection being lost: it was never sent, or was undone."""
    return was_never_sent(exc) or error_number(exc) in ENDED_BY_SERVER


def translate_integrity(kind: type[IntegrityError], message: str, sql: str) -> IntegrityError:
    """Read table, columns and constraint out of the message, as far as it names them."""
    if match := FOREIGN_KEY.search(message):
        columns = tuple(name.strip(" `") for name in match[3].split(","))
        return kind(message, table=match[1], columns=columns, constraint=match[2])
    if match := CHECK.search(message):
        return kind(message, table=match[2], constraint=match[1])
    written = TABLE.match(sql)
    table = written[1] if written else None
    if match := DUPLICATE.search(message):
        return kind(message, table=table, constraint=match[1])
    match = COLUMN.match(message)
    return kind(message, table=table, columns=(match[1],) if match else ())


def describe(exc: BaseException) -> str:
    """Return the message, or the kind of the error where it has none."""
    if isinstance(exc.__cause__, OSError):  # asyncmy wraps what the network said
        return describe(exc.__cause__)
    if isinstance(exc, MySQLError):
        return str(exc.args[-1]) if exc.args else type(exc).__name__
    if isinstance(exc, OSError) and not isinstance(exc, ssl.SSLError) and (exc.errno or 0) > 0:
        return os.strerror(exc.errno or 0)
    return str(exc) or type(exc).__name__
