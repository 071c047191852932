"""Operations of migrations that only PostgreSQL carries out: collations, and changes that block nobody.

Other databases pass over collations, and make indexes and constraints in their usual way, so that the same
migrations run in tests on SQLite.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, ClassVar, Literal, TypeAlias, cast

from transom.db.migrations.operations import AddConstraint, AddIndex, Operation, RemoveIndex
from transom.db.models import CheckConstraint
from transom.db.models.names import MAX_NAME_BYTES

if TYPE_CHECKING:
    from transom.db.migrations import SchemaEditor
    from transom.db.migrations.state import ProjectState

Provider: TypeAlias = Literal["libc", "icu", "builtin"]
"""Which library a collation comes from."""


def _check_name(name: object, what: str) -> None:
    if not isinstance(name, str) or not name or "\0" in name or len(name.encode()) > MAX_NAME_BYTES:
        raise TypeError(f"{name!r} is no name of a {what}; give one of 1 to {MAX_NAME_BYTES} bytes")


class _Collation(Operation):
    """What creating and removing a collation share; the models see nothing of it."""

    _defaults: ClassVar[dict[str, Any]] = {"provider": "libc", "deterministic": True}

    def __init__(
        self, name: str, locale: str, *, provider: Provider = "libc", deterministic: bool = True
    ) -> None:
        _check_name(name, "collation")
        _check_name(locale, "locale")
        if provider not in ("libc", "icu", "builtin"):
            raise TypeError(f"{provider!r} provides no collations; choose from libc, icu, builtin")
        if not deterministic and provider != "icu":
            raise TypeError("only provider='icu' has collations that are not deterministic")
        self.name, self.locale = name, locale
        self.provider, self.deterministic = provider, deterministic
        super().__init__(name=name, locale=locale, provider=provider, deterministic=deterministic)

    @property
    def about(self) -> str | None:
        """None: it is about no model."""
        return None

    def state_forwards(self, app_label: str, state: ProjectState) -> None:
        """Leave the models as they are."""

    async def create(self, editor: SchemaEditor) -> None:
        """Create the collation, on PostgreSQL."""
        locale = self.locale.replace("'", "''")
        options = f"provider = {self.provider}, locale = '{locale}'"
        if not self.deterministic:
            options += ", deterministic = false"
        if editor.vendor == "postgresql":
            await editor.execute(f"CREATE COLLATION {self._quoted} ({options})")

    async def drop(self, editor: SchemaEditor) -> None:
        """Drop the collation, on PostgreSQL."""
        if editor.vendor == "postgresql":
            await editor.execute(f"DROP COLLATION {self._quoted}")

    @property
    def _quoted(self) -> str:
        return '"' + self.name.replace('"', '""') + '"'


class CreateCollation(_Collation):
    """Create a collation, by which text is ordered and compared.

        CreateCollation("german_phonebook", "de-u-co-phonebk", provider="icu")
        CreateCollation("ignore_case", "und-u-ks-level2", provider="icu", deterministic=False)

    Args:
        name: of the collation.
        locale: as the provider calls it.
        provider: the library it comes from.
        deterministic: False for one by which different texts may be equal; of `icu` alone.
    """

    async def database_forwards(
        self, app_label: str, editor: SchemaEditor, from_state: ProjectState, to_state: ProjectState
    ) -> None:
        """Create the collation."""
        await self.create(editor)

    async def database_backwards(
        self, app_label: str, editor: SchemaEditor, from_state: ProjectState, to_state: ProjectState
    ) -> None:
        """Drop the collation."""
        await self.drop(editor)

    def describe(self) -> str:
        """Return what it does."""
        return f"create collation {self.name}"

    @property
    def name_fragment(self) -> str:
        """`create_collation_` and the name."""
        return f"create_collation_{self.name}".lower()


class RemoveCollation(_Collation):
    """Drop a collation; undone, it is created as the arguments say, which are those of `CreateCollation`."""

    async def database_forwards(
        self, app_label: str, editor: SchemaEditor, from_state: ProjectState, to_state: ProjectState
    ) -> None:
        """Drop the collation."""
        await self.drop(editor)

    async def database_backwards(
        self, app_label: str, editor: SchemaEditor, from_state: ProjectState, to_state: ProjectState
    ) -> None:
        """Create the collation."""
        await self.create(editor)

    def describe(self) -> str:
        """Return what it does."""
        return f"remove collation {self.name}"

    @property
    def name_fragment(self) -> str:
        """`remove_collation_` and the name."""
        return f"remove_collation_{self.name}".lower()


class AddIndexConcurrently(AddIndex):
    """Add an index while others go on writing to the table, in a migration with `atomic = False`.

    It takes longer than `AddIndex`. One that fails leaves an index that is not valid: drop it by hand, then migrate again.
    Other databases add the index in their usual way.

    Args:
        model_name: name of the model, in any case.
        index: the index; it has a name.
    """

    outside_transactions = True

    async def database_forwards(
        self, app_label: str, editor: SchemaEditor, from_state: ProjectState, to_state: ProjectState
    ) -> None:
        """Add it to the table."""
        model = to_state.get_model(app_label, self.model_name)
        await editor.add_item(model, self.item.name, concurrently=True)

    async def database_backwards(
        self, app_label: str, editor: SchemaEditor, from_state: ProjectState, to_state: ProjectState
    ) -> None:
        """Remove it from the table."""
        having, without = (state.get_model(app_label, self.model_name) for state in (from_state, to_state))
        await editor.remove_item(having, without, self.item.name, concurrently=True)

    def describe(self) -> str:
        """Return what it does."""
        return f"concurrently {super().describe()}"


class RemoveIndexConcurrently(RemoveIndex):
    """Remove an index while others go on using the table, in a migration with `atomic = False`.

    Other databases remove the index in their usual way.

    Args:
        model_name: name of the model, in any case.
        name: name of the index.
    """

    outside_transactions = True

    async def database_forwards(
        self, app_label: str, editor: SchemaEditor, from_state: ProjectState, to_state: ProjectState
    ) -> None:
        """Remove it from the table."""
        having, without = (state.get_model(app_label, self.model_name) for state in (from_state, to_state))
        await editor.remove_item(having, without, self.name, concurrently=True)

    async def database_backwards(
        self, app_label: str, editor: SchemaEditor, from_state: ProjectState, to_state: ProjectState
    ) -> None:
        """Add it to the table again."""
        await editor.add_item(to_state.get_model(app_label, self.model_name), self.name, concurrently=True)

    def describe(self) -> str:
        """Return what it does."""
        return f"concurrently {super().describe()}"


class AddConstraintNotValid(AddConstraint):
    """Add a check constraint that new rows must meet, without looking at those that are there: `ValidateConstraint` does.

    So the table is locked for a moment only. Put the two into different migrations. Other databases check all rows at once.

    Args:
        model_name: name of the model, in any case.
        constraint: the check constraint; it has a name.
    """

    def __init__(self, model_name: str, constraint: CheckConstraint) -> None:
        if not isinstance(cast("object", constraint), CheckConstraint):
            raise TypeError(f"AddConstraintNotValid takes a CheckConstraint, not {constraint!r}")
        super().__init__(model_name, constraint)

    async def database_forwards(
        self, app_label: str, editor: SchemaEditor, from_state: ProjectState, to_state: ProjectState
    ) -> None:
        """Add it to the table."""
        model = to_state.get_model(app_label, self.model_name)
        await editor.add_item(model, self.item.name, not_valid=True)

    def describe(self) -> str:
        """Return what it does."""
        return f"{super().describe()}, not valid yet"

    @property
    def name_fragment(self) -> str:
        """That of `AddConstraint`, and `_not_valid`."""
        return f"{super().name_fragment}_not_valid"


class ValidateConstraint(Operation):
    """Check the rows against a constraint of `AddConstraintNotValid`, while others go on writing.

    Args:
        model_name: name of the model, in any case.
        name: name of the constraint.
    """

    def __init__(self, model_name: str, name: str) -> None:
        self.model_name = model_name
        self.name = name
        super().__init__(model_name=model_name, name=name)

    def state_forwards(self, app_label: str, state: ProjectState) -> None:
        """Leave the models as they are.

        Raises:
            StateError: there is no such constraint.
        """
        state.find_item(app_label, self.model_name, "constraints", self.name)

    async def database_forwards(
        self, app_label: str, editor: SchemaEditor, from_state: ProjectState, to_state: ProjectState
    ) -> None:
        """Check the rows."""
        await editor.validate_constraint(from_state.get_model(app_label, self.model_name), self.name)

    async def database_backwards(
        self, app_label: str, editor: SchemaEditor, from_state: ProjectState, to_state: ProjectState
    ) -> None:
        """Do nothing: rows that meet a constraint may go on doing so."""

    def describe(self) -> str:
        """Return what it does."""
        return f"validate constraint {self.name} of {self.model_name}"

    @property
    def name_fragment(self) -> str:
        """The name of the model, `_validate_`, and its own."""
        return f"{self.model_name}_validate_{self.name}".lower()
