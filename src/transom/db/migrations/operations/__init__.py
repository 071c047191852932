"""The operations a migration is made of."""

from transom.db.migrations.operations.base import Operation
from transom.db.migrations.operations.constraints import AddConstraint, RemoveConstraint
from transom.db.migrations.operations.fields import AddField, RemoveField
from transom.db.migrations.operations.indexes import AddIndex, RemoveIndex, RenameIndex
from transom.db.migrations.operations.models import CreateModel, DeleteModel
from transom.db.migrations.operations.special import RunPython, RunSQL

__all__ = [
    "AddConstraint",
    "AddField",
    "AddIndex",
    "CreateModel",
    "DeleteModel",
    "Operation",
    "RemoveConstraint",
    "RemoveField",
    "RemoveIndex",
    "RenameIndex",
    "RunPython",
    "RunSQL",
]
