"""The operations a migration is made of."""

from transom.db.migrations.operations.base import Operation
from transom.db.migrations.operations.fields import AddField, RemoveField
from transom.db.migrations.operations.models import CreateModel, DeleteModel
from transom.db.migrations.operations.special import RunPython, RunSQL

__all__ = ["AddField", "CreateModel", "DeleteModel", "Operation", "RemoveField", "RunPython", "RunSQL"]
