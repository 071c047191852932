"""The data layer: models, querysets, transactions and connections, on SQLite and PostgreSQL."""

from transom.db import connections, models
from transom.db.exceptions import (
    CheckViolation,
    ConnectionFailed,
    DatabaseError,
    DataError,
    DeadlockDetected,
    FieldError,
    ForeignKeyViolation,
    IntegrityError,
    MultipleObjectsReturned,
    NotLoaded,
    NotNullViolation,
    ObjectDoesNotExist,
    OperationalError,
    PoolTimeout,
    ProgrammingError,
    SerializationFailure,
    TransactionClosed,
    TransactionError,
    TransactionOwnerError,
    UniqueViolation,
)
from transom.db.models import F, Model, Q
from transom.db.schema import create_tables
from transom.db.transaction import atomic, on_commit

__all__ = [
    "CheckViolation",
    "ConnectionFailed",
    "DataError",
    "DatabaseError",
    "DeadlockDetected",
    "F",
    "FieldError",
    "ForeignKeyViolation",
    "IntegrityError",
    "Model",
    "MultipleObjectsReturned",
    "NotLoaded",
    "NotNullViolation",
    "ObjectDoesNotExist",
    "OperationalError",
    "PoolTimeout",
    "ProgrammingError",
    "Q",
    "SerializationFailure",
    "TransactionClosed",
    "TransactionError",
    "TransactionOwnerError",
    "UniqueViolation",
    "atomic",
    "connections",
    "create_tables",
    "models",
    "on_commit",
]
