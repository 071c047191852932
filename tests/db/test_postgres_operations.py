"""Operations of PostgreSQL's own in migrations: collations, and what is done while others go on writing."""

from __future__ import annotations

import importlib
import sys
from collections import defaultdict
from collections.abc import AsyncIterator, Iterator
from pathlib import Path
from typing import Any

import pytest

import transom.conf.apps as app_registry
from transom.db import CheckViolation, OperationalError, atomic, connections, models
from transom.db.backends.base import Backend
from transom.db.migrations import MigrationError, StateError, makemigrations, migrate, sqlmigrate
from transom.db.migrations.model_state import ModelState
from transom.db.migrations.serializer import serialize
from transom.db.migrations.state import ProjectState
from transom.db.models import registry
from transom.db.postgres import operations
from transom.db.postgres.operations import (
    AddConstraintNotValid,
    AddIndexConcurrently,
    CreateCollation,
    RemoveCollation,
    ValidateConstraint,
)

MODELS = """
from transom.db import models


class Pet(models.Model):
    name = models.CharField(max_length=20)
    age = models.IntegerField(default=0)
"""
HEAD = """
from transom.db import migrations, models
from transom.db.postgres import operations


class Migration(migrations.Migration):
"""


class Site:
    """An app "zoo" in a folder of its own, with a first migration that creates the table of pets."""

    def __init__(self, root: Path, monkeypatch: pytest.MonkeyPatch) -> None:
        self.package = root / "zoo"
        self.package.mkdir()
        (self.package / "__init__.py").touch()
        (self.package / "models.py").write_text(MODELS)
        self._monkeypatch = monkeypatch
        self._written = ["0001_initial"]
        self.restart()
        makemigrations()
        self.restart()

    def restart(self) -> None:
        self.forget()
        self._monkeypatch.setattr(app_registry, "_app_configs", {})
        self._monkeypatch.setattr(registry, "_models", {})
        self._monkeypatch.setattr(registry, "_waiting", defaultdict[Any, list[Any]](list))
        app_registry.populate(["zoo"])

    def forget(self) -> None:
        importlib.invalidate_caches()
        for name in [name for name in sys.modules if name.partition(".")[0] == "zoo"]:
            del sys.modules[name]
        for cached in self.package.rglob("*.pyc"):
            cached.unlink()

    def migration(self, *lines: str, atomic: bool = True) -> str:
        """Write a migration behind those that are there, of operations as source, and return its name."""
        name = f"{len(self._written) + 1:04}_more"
        text = f"{HEAD}    atomic = {atomic}\n    dependencies = [('zoo', {self._written[-1]!r})]\n"
        (self.package / "migrations" / f"{name}.py").write_text(
            text + f"    operations = [{', '.join(lines)}]\n"
        )
        self._written.append(name)
        self.restart()
        return name


@pytest.fixture
def site(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Site]:
    monkeypatch.setattr(sys, "path", [str(tmp_path), *sys.path])
    made = Site(tmp_path, monkeypatch)
    yield made
    made.forget()


@pytest.fixture
async def postgres(postgres_url: str) -> AsyncIterator[Backend]:
    connections.configure({"default": postgres_url})
    yield connections.backend("default")
    await connections.backend("default").execute("DROP SCHEMA public CASCADE")
    await connections.backend("default").execute("CREATE SCHEMA public")
    await connections.aclose()
    connections.configure({})


async def ask(sql: str) -> list[Any]:
    return [row[0] for row in await connections.executor().fetch(sql)]


@pytest.mark.parametrize("name", ["", "a\0b", "x" * 64, 3])
def test_names_that_postgresql_cannot_have_are_refused(name: Any) -> None:
    with pytest.raises(TypeError, match="no name of a collation"):
        CreateCollation(name, "C")
    with pytest.raises(TypeError, match="no name of a locale"):
        CreateCollation("x", name)


# -- collations


@pytest.mark.postgres
async def test_a_collation_orders_text_and_goes_again(site: Site, postgres: Backend) -> None:
    locale = "und-u-ks-level2"
    site.migration(
        f"operations.CreateCollation('no case', '{locale}', provider='icu', deterministic=False)",
        "operations.CreateCollation('plain', 'C')",
    )
    site.migration("operations.RemoveCollation('plain', 'C')")
    await migrate()
    assert await ask("""SELECT 'ada' = 'ADA' COLLATE "no case" """) == [True]
    assert await ask("SELECT count(*) FROM pg_collation WHERE collname = 'plain'") == [0]
    await migrate(app_label="zoo", target="0002")
    assert await ask("SELECT count(*) FROM pg_collation WHERE collname = 'plain'") == [1]
    await migrate(app_label="zoo", target="0001")
    assert await ask("SELECT count(*) FROM pg_collation WHERE collname IN ('plain', 'no case')") == [0]


@pytest.mark.postgres
async def test_a_hostile_locale_stays_in_its_quotes(site: Site, postgres: Backend) -> None:
    site.migration("""operations.CreateCollation('bad', "C'); DROP TABLE zoo_pet; --")""")
    with pytest.raises(Exception, match="locale"):
        await migrate()
    await migrate(app_label="zoo", target="0001")
    assert await ask("SELECT count(*) FROM zoo_pet") == [0]


def test_a_collation_says_what_it_can_be() -> None:
    with pytest.raises(TypeError, match="choose from libc, icu, builtin"):
        CreateCollation("x", "C", provider="glibc; DROP TABLE x")  # type: ignore[arg-type]  # what is refused
    with pytest.raises(TypeError, match="provider='icu'"):
        CreateCollation("x", "C", deterministic=False)


# -- while others go on writing

INDEX = "operations.AddIndexConcurrently('pet', models.Index(fields=['name'], name='by_name'))"
INDEXES = "SELECT indexdef FROM pg_indexes WHERE tablename = 'zoo_pet' AND indexname <> 'pk_zoo_pet'"


@pytest.mark.postgres
async def test_an_index_is_added_and_removed_concurrently(site: Site, postgres: Backend) -> None:
    added = site.migration(INDEX, atomic=False)
    removed = site.migration("operations.RemoveIndexConcurrently('pet', 'by_name')", atomic=False)
    create, drop = "CREATE INDEX CONCURRENTLY by_name ON zoo_pet (name)", "DROP INDEX CONCURRENTLY by_name"
    assert await sqlmigrate("zoo", added) == [create]
    assert await sqlmigrate("zoo", added, backwards=True) == [drop]
    assert await sqlmigrate("zoo", removed) == [drop]
    assert await sqlmigrate("zoo", removed, backwards=True) == [create]
    await migrate(app_label="zoo", target=added)
    assert len(await ask(INDEXES)) == 1
    await migrate()
    assert await ask(INDEXES) == []
    await migrate(app_label="zoo", target="0002")
    assert len(await ask(INDEXES)) == 1
    await migrate(app_label="zoo", target="0001")
    assert await ask(INDEXES) == []


@pytest.mark.postgres
async def test_the_lock_of_the_migration_does_not_keep_the_index_waiting(
    site: Site, postgres: Backend
) -> None:
    """A transaction beside it that keeps its snapshot would, until the end of time."""
    name = (await ask("SELECT current_database()"))[0]
    settings = {"default_transaction_isolation": "'repeatable read'", "statement_timeout": "'10s'"}
    for setting, value in settings.items():
        await postgres.execute(f'ALTER DATABASE "{name}" SET {setting} = {value}')
    try:
        await connections.aclose()
        site.migration(INDEX, atomic=False)
        await migrate()
        assert len(await ask(INDEXES)) == 1
    finally:
        await connections.backend("default").execute(f'ALTER DATABASE "{name}" RESET ALL')


@pytest.mark.parametrize("operation", [INDEX, "operations.RemoveIndexConcurrently('pet', 'by_name')"])
async def test_a_migration_in_a_transaction_is_refused_before_anything_is_done(
    site: Site, operation: str
) -> None:
    if "Remove" in operation:
        site.migration(INDEX, atomic=False)
    name = site.migration("migrations.RunSQL('SELECT 1')", operation)
    connections.configure({"default": "postgresql://127.0.0.1:1/none"})
    try:
        with pytest.raises(MigrationError, match="write `atomic = False`"):
            await sqlmigrate("zoo", name)
        with pytest.raises(MigrationError, match="write `atomic = False`"):
            await sqlmigrate("zoo", name, backwards=True)
        assert await sqlmigrate("zoo", name, vendor="sqlite")
    finally:
        connections.configure({})


@pytest.mark.postgres
async def test_inside_of_a_transaction_of_ones_own_postgresql_refuses(site: Site, postgres: Backend) -> None:
    await migrate()
    site.migration(INDEX, atomic=False)
    with pytest.raises(OperationalError, match="cannot run inside a transaction block"):
        async with atomic():
            await migrate()
    assert await ask(INDEXES) == []


CHECK = "models.CheckConstraint(condition=models.Q(age__gte=0), name='born')"


@pytest.mark.postgres
async def test_a_constraint_is_added_first_and_validated_later(site: Site, postgres: Backend) -> None:
    site.migration(f"operations.AddConstraintNotValid('pet', {CHECK})")
    site.migration("operations.ValidateConstraint('pet', 'born')")
    await migrate(app_label="zoo", target="0001")
    await postgres.execute("INSERT INTO zoo_pet (name, age) VALUES ('old', -1)")
    await migrate(app_label="zoo", target="0002")
    with pytest.raises(CheckViolation):
        await postgres.execute("INSERT INTO zoo_pet (name, age) VALUES ('new', -1)")
    with pytest.raises(CheckViolation):
        await migrate()
    await postgres.execute("UPDATE zoo_pet SET age = 1")
    await migrate()
    assert await ask("SELECT convalidated FROM pg_constraint WHERE conname = 'born'") == [True]
    await migrate(app_label="zoo", target="0001")
    assert await ask("SELECT count(*) FROM pg_constraint WHERE conname = 'born'") == [0]


async def test_other_databases_do_it_in_their_usual_way(site: Site, database: Backend) -> None:
    """The same migrations run everywhere, and what they promise of rows holds everywhere."""
    if database.vendor == "postgresql":
        pytest.skip("PostgreSQL has them all")
    site.migration("operations.CreateCollation('x', 'C')")
    site.migration(INDEX, atomic=False)
    site.migration(f"operations.AddConstraintNotValid('pet', {CHECK})")
    site.migration("operations.ValidateConstraint('pet', 'born')", "operations.RemoveCollation('x', 'C')")
    site.migration("operations.RemoveIndexConcurrently('pet', 'by_name')", atomic=False)
    assert [await sqlmigrate("zoo", name) for name in ("0002", "0005")] == [[], []]
    assert await sqlmigrate("zoo", "0003") == ["CREATE INDEX by_name ON zoo_pet (name)"]
    await migrate()
    with pytest.raises(CheckViolation):
        await database.execute("INSERT INTO zoo_pet (name, age) VALUES ('new', -1)")
    await migrate(app_label="zoo", target="zero")


# -- full-text search

WORDS = """
from transom.db import models
from transom.db.postgres import SearchVector, SearchVectorField


class Pet(models.Model):
    name = models.CharField(max_length=20)
    age = models.IntegerField(default=0)
    plain = SearchVectorField(null=True)
    words = models.GeneratedField(
        expression=SearchVector("name", weight="A", config="english") + SearchVector("age", config="simple"),
        output_field=SearchVectorField(),
    )

    class Meta:
        indexes = [
            models.GinIndex(SearchVector("name", config="english"), name="by_name"),
            models.GinIndex(fields=["words"], name="by_words"),
        ]
"""


@pytest.mark.postgres
async def test_columns_and_indexes_of_words_come_and_go(site: Site, postgres: Backend) -> None:
    await migrate()
    await postgres.execute("INSERT INTO zoo_pet (name, age) VALUES ('Cats', 3)")
    (site.package / "models.py").write_text(WORDS)
    site.restart()
    assert len(makemigrations()) == 1
    site.restart()
    assert makemigrations() == []
    await migrate()
    assert await ask("SELECT words::text FROM zoo_pet") == ["'3':2 'cat':1A"]
    indexes = sorted(await ask(INDEXES))
    assert indexes[0].endswith(
        "by_name ON public.zoo_pet USING gin (to_tsvector('english'::regconfig, "
        "(COALESCE(name, ''::character varying))::text))"
    )
    assert indexes[1].endswith("by_words ON public.zoo_pet USING gin (words)")
    await migrate(app_label="zoo", target="0001")
    assert await ask(INDEXES) == []
    await migrate(app_label="zoo", target="zero")


# -- what is written into files, and what they may say


def test_operations_are_written_as_they_were_made() -> None:
    constraint = models.CheckConstraint(condition=models.Q(age__gte=0), name="born")
    made = [
        CreateCollation("x", "de", provider="icu", deterministic=False),
        RemoveCollation("x", "C"),
        AddIndexConcurrently("pet", models.Index(fields=["name"], name="by_name")),
        AddConstraintNotValid("pet", constraint),
        ValidateConstraint("pet", "born"),
    ]
    for operation in made:
        code = serialize(operation)
        assert "transom.db.postgres.operations" in set(code.iter_imports())
        names = {"transom": sys.modules["transom"], "models": models}
        again = eval(code.layout(), names)  # the source is ours
        assert type(again) is type(operation)
        assert repr(again) == repr(operation)
        assert serialize(again).layout() == code.layout()
        assert operation.name_fragment
        assert operation.describe()


def test_the_state_is_that_of_the_operations_of_all_databases() -> None:
    pet = ModelState(
        "zoo", "Pet", {"id": models.BigAutoField(primary_key=True), "age": models.IntegerField()}
    )
    state = ProjectState([pet])
    constraint = models.CheckConstraint(condition=models.Q(age__gte=0), name="born")
    AddConstraintNotValid("pet", constraint).state_forwards("zoo", state)
    AddIndexConcurrently("pet", models.Index(fields=["age"], name="by_age")).state_forwards("zoo", state)
    assert state.find_item("zoo", "pet", "constraints", "born") is constraint
    operations.RemoveIndexConcurrently("pet", "by_age").state_forwards("zoo", state)
    assert state.items("zoo", "pet", "indexes") == []
    with pytest.raises(StateError, match="has no 'boring' among its constraints; choose from born"):
        ValidateConstraint("pet", "boring").state_forwards("zoo", state)


def test_only_checks_can_wait_for_their_validation() -> None:
    constraint = models.UniqueConstraint(fields=["age"], name="ages")
    with pytest.raises(TypeError, match="takes a CheckConstraint"):
        AddConstraintNotValid("pet", constraint)  # type: ignore[arg-type]  # what is refused
