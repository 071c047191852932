"""Everything the data layer raises.

DatabaseError
├── ConfigurationError          a database URL or alias is wrong, or its driver is not installed
├── OperationalError            the server, the network or the disk
│   ├── ConnectionFailed        no connection: nothing was sent
│   │   └── ConnectionLost      the connection broke; `in_doubt` says whether a write may have been kept
│   ├── PoolTimeout             no connection came free in time
│   ├── LockNotAvailable        somebody else kept a lock for too long, or at all with NOWAIT
│   ├── QueryCanceled           the statement took too long, or was stopped from outside
│   ├── ReadOnlyViolation       a write in a read-only transaction, or on a replica
│   ├── SerializationFailure    the transaction may be tried again
│   └── DeadlockDetected        the transaction may be tried again
├── ProgrammingError            the statement is wrong: no such table, syntax
├── DataError                   a value does not fit its column
├── IntegrityError
│   ├── UniqueViolation
│   ├── ForeignKeyViolation
│   ├── NotNullViolation
│   ├── CheckViolation
│   └── ExclusionViolation
├── TransactionError            atomic() was used wrongly
│   ├── TransactionClosed
│   └── TransactionOwnerError
├── FieldError                  unknown field, lookup or relation; wrong kind of value
├── ObjectDoesNotExist          each model has its own DoesNotExist
├── MultipleObjectsReturned     each model has its own
└── NotLoaded                   a relation or column was not loaded, and nothing loads by itself

Each has the `sqlstate` that the server reported. A database that reports none, as SQLite, gives that of the class, so one
comparison serves everywhere; None is for what never reached a database.
"""

from __future__ import annotations


class DatabaseError(Exception):
    """The base of all errors of the data layer.

    Attributes:
        sqlstate: the five letters of the SQL standard and of PostgreSQL's appendix A, or None.
    """

    sqlstate: str | None = None


class ConfigurationError(DatabaseError):
    """A database URL, one of its options or an alias is wrong, or the driver is not installed."""


class OperationalError(DatabaseError):
    """The server, the network or the disk failed, not the statement."""


class ConnectionFailed(OperationalError):
    """No connection could be made, so nothing was done; the message names the URL (without its password) and the cause."""

    sqlstate = "08001"


class ConnectionLost(ConnectionFailed):
    """The connection broke, or the server ended it.

    Attributes:
        in_doubt: whether a write may have been kept all the same: the statement (outside a transaction) or the COMMIT was
            on its way, and its answer never came. False means that nothing of it is left.
    """

    sqlstate = "08006"

    def __init__(self, message: str, *, in_doubt: bool = False) -> None:
        super().__init__(message)
        self.in_doubt = in_doubt


class PoolTimeout(OperationalError):
    """Every connection of the pool stayed in use for the whole waiting time."""


class LockNotAvailable(OperationalError):
    """Another transaction kept a lock: for the whole `lock_timeout` or `busy_timeout`, or at all with NOWAIT."""

    sqlstate = "55P03"


class QueryCanceled(OperationalError):
    """The statement was stopped: it took longer than `statement_timeout`, or somebody else cancelled it."""

    sqlstate = "57014"


class ReadOnlyViolation(OperationalError):
    """A write where only reads are allowed: in `atomic(readonly=True)`, on a replica, in a file that is read-only."""

    sqlstate = "25006"


class SerializationFailure(OperationalError):
    """Concurrent transactions could not be put in order; run the whole transaction again: `retry_on_conflict`."""

    sqlstate = "40001"


class DeadlockDetected(OperationalError):
    """The database broke a deadlock by ending this transaction; run it again: `retry_on_conflict`."""

    sqlstate = "40P01"


class ProgrammingError(DatabaseError):
    """The statement is wrong: an unknown table or column, or bad syntax."""

    sqlstate = "42000"


class DataError(DatabaseError):
    """A value does not fit its column: out of range, too long, not of the type."""

    sqlstate = "22000"


class IntegrityError(DatabaseError):
    """A constraint refused the change.

    Attributes:
        table: name of the table, or None where the database does not say.
        columns: names of the columns of the constraint, in its order; empty where unknown.
        constraint: name of the constraint, or None.
    """

    sqlstate = "23000"

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

    sqlstate = "23505"


class ForeignKeyViolation(IntegrityError):
    """The row referred to does not exist, or is still referred to."""

    sqlstate = "23503"


class NotNullViolation(IntegrityError):
    """A column that takes no NULL was given one."""

    sqlstate = "23502"


class CheckViolation(IntegrityError):
    """A check constraint is false for the row."""

    sqlstate = "23514"


class ExclusionViolation(IntegrityError):
    """A row that an exclusion constraint does not let stand beside this one exists."""


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
