"""Everything the data layer raises.

DatabaseError
├── ConfigurationError          a database URL or alias is wrong, or its driver is not installed
├── OperationalError            the server, the network or the disk
│   ├── ConnectionFailed        could not connect, or the connection broke
│   ├── PoolTimeout             no connection came free in time
│   ├── SerializationFailure    the transaction may be tried again
│   └── DeadlockDetected        the transaction may be tried again
├── ProgrammingError            the statement is wrong: no such table, syntax
├── DataError                   a value does not fit its column
├── IntegrityError
│   ├── UniqueViolation
│   ├── ForeignKeyViolation
│   ├── NotNullViolation
│   └── CheckViolation
├── TransactionError            atomic() was used wrongly
│   ├── TransactionClosed
│   └── TransactionOwnerError
├── FieldError                  unknown field, lookup or relation; wrong kind of value
├── ObjectDoesNotExist          each model has its own DoesNotExist
├── MultipleObjectsReturned     each model has its own
└── NotLoaded                   a relation or column was not loaded, and nothing loads by itself
"""

from __future__ import annotations


class DatabaseError(Exception):
    """The base of all errors of the data layer."""


class ConfigurationError(DatabaseError):
    """A database URL, one of its options or an alias is wrong, or the driver is not installed."""


class OperationalError(DatabaseError):
    """The server, the network or the disk failed, not the statement."""


class ConnectionFailed(OperationalError):
    """No connection could be made, or it broke; the message names the URL (without its password) and the cause."""


class PoolTimeout(OperationalError):
    """Every connection of the pool stayed in use for the whole waiting time."""


class SerializationFailure(OperationalError):
    """Concurrent transactions could not be put in order; run the whole transaction again."""


class DeadlockDetected(OperationalError):
    """The database broke a deadlock by ending this transaction; run it again."""


class ProgrammingError(DatabaseError):
    """The statement is wrong: an unknown table or column, or bad syntax."""


class DataError(DatabaseError):
    """A value does not fit its column: out of range, too long, not of the type."""


class IntegrityError(DatabaseError):
    """A constraint refused the change.

    Attributes:
        table: name of the table, or None where the database does not say.
        columns: names of the columns of the constraint, in its order; empty where unknown.
        constraint: name of the constraint, or None.
    """

    def __init__(
        self,
        message: str,
        *,
        table: str | None = None,
        columns: tuple[str, ...] = (),
        constraint: str | None = None,
    ) -> None:
        super().__init__(message)
        self.table = table
        self.columns = columns
        self.constraint = constraint


class UniqueViolation(IntegrityError):
    """A row with the same values exists."""


class ForeignKeyViolation(IntegrityError):
    """The row referred to does not exist, or is still referred to."""


class NotNullViolation(IntegrityError):
    """A column that takes no NULL was given one."""


class CheckViolation(IntegrityError):
    """A check constraint is false for the row."""


class TransactionError(DatabaseError):
    """atomic() was used wrongly."""


class TransactionClosed(TransactionError):
    """The transaction of this context has ended; a statement would have run outside it."""


class TransactionOwnerError(TransactionError):
    """Another task than the one that opened the transaction tried to use it."""


class FieldError(DatabaseError):
    """An unknown field, lookup or relation, or a value of the wrong kind for one."""


class ObjectDoesNotExist(DatabaseError):
    """The query found no row; the base of every model's `DoesNotExist`."""


class MultipleObjectsReturned(DatabaseError):
    """The query found more than one row where one was asked for; the base of every model's own class."""


class NotLoaded(DatabaseError):
    """A relation or column was not loaded; the message names the call that loads it."""
