"""Operations of migrations that create extensions of the database: more types, functions and kinds of indexes."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, ClassVar

from transom.db.migrations import Operation

if TYPE_CHECKING:
    from transom.db.migrations.schema_editor import SchemaEditor
    from transom.db.migrations.state import ProjectState

_NAME = re.compile(r"[a-z][a-z0-9_-]{0,62}")


class CreateExtension(Operation):
    """Create an extension unless it is there; on other databases than PostgreSQL do nothing.

        operations = [CreateExtension("btree_gist"), ...]

    Where it is not there, the role needs the right to create it: most are trusted, so that CREATE on the database is enough.

    Args:
        name: of the extension, as PostgreSQL knows it.

    Raises:
        ValueError: it is no name of an extension.
    """

    def __init__(self, name: str) -> None:
        if not _NAME.fullmatch(name):
            raise ValueError(f"{name!r} is no name of an extension; take one such as 'btree_gist'")
        self.name = name
        super().__init__(name=name)

    @property
    def about(self) -> str | None:
        """None: it is about no model."""
        return None

    def state_forwards(self, app_label: str, state: ProjectState) -> None:
        """Leave the models as they are."""

    async def database_forwards(
        self, app_label: str, editor: SchemaEditor, from_state: ProjectState, to_state: ProjectState
    ) -> None:
        """Create the extension."""
        if editor.vendor == "postgresql":
            await editor.execute(f'CREATE EXTENSION IF NOT EXISTS "{self.name}"')

    async def database_backwards(
        self, app_label: str, editor: SchemaEditor, from_state: ProjectState, to_state: ProjectState
    ) -> None:
        """Drop the extension; it is an error where something still uses it."""
        if editor.vendor == "postgresql":
            await editor.execute(f'DROP EXTENSION IF EXISTS "{self.name}"')

    def describe(self) -> str:
        """Return what it does."""
        return f"create extension {self.name}"

    @property
    def name_fragment(self) -> str | None:
        """What it adds to the name of a migration."""
        return f"create_extension_{self.name.replace('-', '_')}"


class _KnownExtension(CreateExtension):
    """An extension with a class of its own."""

    extension: ClassVar[str]

    def __init__(self) -> None:
        super().__init__(self.extension)
        self._arguments = {}


class BloomExtension(_KnownExtension):
    """Indexes that tell by many columns at once which rows are out of the question."""

    extension = "bloom"


class BtreeGinExtension(_KnownExtension):
    """Plain values in GIN indexes, beside arrays and documents."""

    extension = "btree_gin"


class BtreeGistExtension(_KnownExtension):
    """Plain values in GiST indexes, and so in exclusion constraints beside ranges: `("room", "=")`."""

    extension = "btree_gist"


class CITextExtension(_KnownExtension):
    """Text that compares without regard to the case of letters."""

    extension = "citext"


class CryptoExtension(_KnownExtension):
    """Functions of cryptography."""

    extension = "pgcrypto"


class HStoreExtension(_KnownExtension):
    """Texts by keys."""

    extension = "hstore"


class TrigramExtension(_KnownExtension):
    """How similar texts are, and indexes for it."""

    extension = "pg_trgm"


class UnaccentExtension(_KnownExtension):
    """Text without its accents."""

    extension = "unaccent"
