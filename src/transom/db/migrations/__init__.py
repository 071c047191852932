"""Migrations: the history of the models as files, and the way from one state of the tables to another."""

from transom.db.migrations.commands import (
    MigrationStatus,
    NewMigration,
    makemigrations,
    migrate,
    show,
    sqlmigrate,
)
from transom.db.migrations.exceptions import (
    BadMigration,
    CircularDependency,
    ConflictingMigrations,
    DefaultNeeded,
    InconsistentHistory,
    IrreversibleMigration,
    MigrationError,
    NodeNotFound,
    StateError,
    UnknownMigration,
    Unserializable,
    UnsupportedChange,
)
from transom.db.migrations.migration import Migration, MigrationKey
from transom.db.migrations.operations import (
    AddField,
    CreateModel,
    DeleteModel,
    Operation,
    RemoveField,
    RunPython,
    RunSQL,
)
from transom.db.migrations.plan import OnProgress, PlanStep
from transom.db.migrations.questioner import InteractiveQuestioner, NonInteractiveQuestioner, Questioner
from transom.db.migrations.schema_editor import SchemaEditor

__all__ = [
    "AddField",
    "BadMigration",
    "CircularDependency",
    "ConflictingMigrations",
    "CreateModel",
    "DefaultNeeded",
    "DeleteModel",
    "InconsistentHistory",
    "InteractiveQuestioner",
    "IrreversibleMigration",
    "Migration",
    "MigrationError",
    "MigrationKey",
    "MigrationStatus",
    "NewMigration",
    "NodeNotFound",
    "NonInteractiveQuestioner",
    "OnProgress",
    "Operation",
    "PlanStep",
    "Questioner",
    "RemoveField",
    "RunPython",
    "RunSQL",
    "SchemaEditor",
    "StateError",
    "UnknownMigration",
    "Unserializable",
    "UnsupportedChange",
    "makemigrations",
    "migrate",
    "show",
    "sqlmigrate",
]
