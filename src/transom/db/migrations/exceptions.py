"""What goes wrong with migrations.

MigrationError
├── BadMigration                a migration file does not hold what one must hold
├── UnknownMigration            no migration of this name
├── NodeNotFound                a dependency names a migration that does not exist
├── CircularDependency          migrations depend on each other in a ring
├── ConflictingMigrations       an app has two last migrations
├── InconsistentHistory         the database has a migration without one that it depends on
├── IrreversibleMigration       an operation cannot be undone
├── StateError                  an operation names a model or field that is not there (or is there already)
├── DefaultNeeded               rows that exist need a value for a new column
├── UnsupportedChange           models changed in a way no operation stands for
└── Unserializable              a value cannot be written into a migration file
"""

from __future__ import annotations

from transom.db.exceptions import DatabaseError


class MigrationError(DatabaseError):
    """The base of all errors of migrations."""


class BadMigration(MigrationError):
    """A file in a migrations package holds no `Migration` class, or one that is malformed."""


class UnknownMigration(MigrationError):
    """No migration, or more than one, goes by the name asked for."""


class NodeNotFound(MigrationError):
    """A migration depends on one that does not exist."""


class CircularDependency(MigrationError):
    """Migrations depend on each other in a ring; the message shows it."""


class ConflictingMigrations(MigrationError):
    """An app has more than one migration that no other follows, so its last state is not known."""


class InconsistentHistory(MigrationError):
    """The database records a migration as applied, but not one it depends on."""


class IrreversibleMigration(MigrationError):
    """An operation says nothing of how to undo it."""


class StateError(MigrationError):
    """An operation does not fit the state before it: what it names is missing, or is there already."""


class DefaultNeeded(MigrationError):
    """A field without default and not null was added to a model that may have rows."""


class UnsupportedChange(MigrationError):
    """The models differ from the migrations in a way that no operation can carry out."""


class Unserializable(MigrationError):
    """A value has no form as source code in a migration file."""
