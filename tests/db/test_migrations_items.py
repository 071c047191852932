"""Migrations of indexes, constraints and what fields bring with them: written, applied, undone, on every database."""

from __future__ import annotations

import importlib
import sys
from collections import defaultdict
from collections.abc import Iterator
from pathlib import Path
from textwrap import dedent
from typing import Any

import pytest

import transom.conf.apps as app_registry
from transom.db import CheckViolation, IntegrityError, Q, UniqueViolation, connections, models
from transom.db.backends.base import Backend
from transom.db.migrations import StateError, makemigrations, migrate, sqlmigrate
from transom.db.migrations.model_state import ModelState
from transom.db.migrations.operations import AddConstraint, AddIndex, RemoveIndex, RenameIndex
from transom.db.migrations.state import ProjectState
from transom.db.models import registry

PLAIN = """
    class Owner(models.Model):
        name = models.CharField(max_length=20)

    class Pet(models.Model):
        owner = models.ForeignKey(Owner, on_delete=models.CASCADE, null=True)
        name = models.CharField(max_length=20)
        age = models.IntegerField(default=0)
"""
META = """
        class Meta:
            indexes = [
                models.Index(fields=["name", "-age"], name="by_name"),
                models.Index(models.F("age") * 2, name="twice"),
                models.Index(fields=["age"], condition=models.Q(name="it's"), name="few"),
            ]
            constraints = [
                models.CheckConstraint(condition=models.Q(age__gte=0) | models.Q(name="Methuselah"), name="born"),
                models.UniqueConstraint(fields=["owner", "name"], name="names"),
                models.UniqueConstraint(fields=["name"], condition=models.Q(age=0), name="babies"),
            ]
"""


class Site:
    """An app in a folder of its own, whose models can be written again as in an editor."""

    def __init__(self, root: Path, monkeypatch: pytest.MonkeyPatch) -> None:
        self.package = root / "zoo"
        self.package.mkdir()
        (self.package / "__init__.py").touch()
        self._monkeypatch = monkeypatch

    def models(self, source: str) -> None:
        (self.package / "models.py").write_text(
            "from transom.db import models\n" + dedent(source), encoding="utf-8"
        )
        self.restart()

    def restart(self) -> None:
        self.forget()
        self._monkeypatch.setattr(app_registry, "_app_configs", {})
        self._monkeypatch.setattr(registry, "_models", {})
        self._monkeypatch.setattr(registry, "_waiting", defaultdict(list))
        app_registry.populate(["zoo"])

    def forget(self) -> None:
        importlib.invalidate_caches()
        for name in [name for name in sys.modules if name.partition(".")[0] == "zoo"]:
            del sys.modules[name]
        for cached in self.package.rglob("*.pyc"):
            cached.unlink()

    def change(self, source: str) -> tuple[str, ...]:
        """Write the models and a migration to them, and return what it does."""
        self.models(source)
        (new,) = makemigrations()
        self.restart()
        assert makemigrations() == []
        return new.changes


@pytest.fixture
def site(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Site]:
    monkeypatch.syspath_prepend(str(tmp_path))
    made = Site(tmp_path, monkeypatch)
    yield made
    made.forget()


async def execute(sql: str) -> None:
    await connections.executor().execute(sql)


async def insert(name: str, age: int = 5, owner: str = "NULL") -> None:
    await execute(f"INSERT INTO zoo_pet (owner_id, name, age) VALUES ({owner}, '{name}', {age})")


async def schema() -> list[Any]:
    """Return what the database says of indexes and constraints."""
    executor = connections.executor()
    if executor.vendor == "sqlite":
        sql = "SELECT name, sql FROM sqlite_master WHERE tbl_name = 'zoo_pet' ORDER BY name"
        rows = await executor.fetch(sql)
        # SQLAlchemy writes the constraints of a table in any order.
        return [(row[0], sorted(str(row[1]).replace('"', "").replace(",", " ").split())) for row in rows]
    if executor.vendor == "mysql":
        where = "table_name = 'zoo_pet'"
        indexes = (
            "SELECT index_name, GROUP_CONCAT(column_name, IF(collation = 'D', ' DESC', '') ORDER BY seq_in_index) "
            f"FROM information_schema.statistics WHERE table_schema = DATABASE() AND {where} GROUP BY 1 ORDER BY 1"
        )
        checks = (
            "SELECT constraint_name, check_clause FROM information_schema.check_constraints "
            f"WHERE constraint_schema = DATABASE() AND {where} ORDER BY 1"
        )
        return [tuple(row) for sql in (indexes, checks) for row in await executor.fetch(sql)]
    indexes = "SELECT indexname, indexdef FROM pg_indexes WHERE tablename = 'zoo_pet' ORDER BY 1"
    checks = "SELECT conname, pg_get_constraintdef(oid) FROM pg_constraint WHERE conrelid = 'zoo_pet'::regclass ORDER BY 1"
    return [tuple(row) for sql in (indexes, checks) for row in await executor.fetch(sql)]


def skip_without_conditions(database: Backend) -> None:
    if database.vendor == "mysql":
        pytest.skip("the names of newborn pets are unique under a condition, which MariaDB cannot hold")


async def test_created_with_the_table(site: Site, database: Backend) -> None:
    skip_without_conditions(database)
    assert site.change(PLAIN + META) == ("create model Owner", "create model Pet")
    await migrate()
    await insert("a")
    with pytest.raises(CheckViolation) as caught:
        await insert("b", -1)
    assert caught.value.constraint == "born"
    await insert("Methuselah", -1)
    await insert("a", 0)
    with pytest.raises(UniqueViolation) as unique:
        await insert("a", 0)
    assert unique.value.constraint == "babies"
    await migrate(app_label="zoo", target="zero")


async def test_added_and_removed_in_both_directions(site: Site, database: Backend) -> None:
    skip_without_conditions(database)
    site.change(PLAIN)
    await migrate()
    await execute("INSERT INTO zoo_owner (name) VALUES ('Ada')")
    await insert("a", owner="1")
    before = await schema()
    assert site.change(PLAIN + META) == (
        "add index by_name to pet",
        "add index twice to pet",
        "add index few to pet",
        "add constraint born to pet",
        "add constraint names to pet",
        "add constraint babies to pet",
    )
    await migrate()
    with pytest.raises(CheckViolation):
        await insert("b", -1)
    with pytest.raises(UniqueViolation) as caught:
        await insert("a", owner="1")
    assert caught.value.constraint == "names"
    full = await schema()
    assert {"by_name", "twice", "few", "babies", "names"} <= {row[0] for row in full}
    await migrate(app_label="zoo", target="0001")
    assert await schema() == before
    await insert("b", -1)
    await execute("DELETE FROM zoo_pet WHERE age = -1")
    await migrate()
    assert await schema() == full

    assert site.change(PLAIN)[:3] == (
        "remove constraint born from pet",
        "remove constraint names from pet",
        "remove constraint babies from pet",
    )
    await migrate()
    assert await schema() == before
    await migrate(app_label="zoo", target="0002")
    assert await schema() == full
    assert len(await connections.executor().fetch("SELECT id FROM zoo_pet")) == 1


async def test_a_row_that_breaks_a_new_constraint_stops_the_migration(site: Site, database: Backend) -> None:
    skip_without_conditions(database)
    site.change(PLAIN)
    await migrate()
    await insert("a", -1)
    before = await schema()
    site.change(PLAIN + META)
    with pytest.raises(IntegrityError):
        await migrate()
    assert await schema() == before
    assert len(await connections.executor().fetch("SELECT id FROM zoo_pet")) == 1


async def test_an_index_is_renamed(site: Site, database: Backend) -> None:
    index = '\n        class Meta:\n            indexes = [models.Index(fields=["name"], name="{}")]\n'
    site.change(PLAIN + index.format("first"))
    await migrate()
    before = await schema()
    assert site.change(PLAIN + index.format("second")) == ("rename index first on pet to second",)
    await migrate()
    names = {row[0] for row in await schema()}
    assert "second" in names
    assert "first" not in names
    await migrate(app_label="zoo", target="0001")
    assert await schema() == before


async def test_a_changed_index_is_made_anew(site: Site, database: Backend) -> None:
    index = '\n        class Meta:\n            indexes = [models.Index(fields=[{}], name="it")]\n'
    site.change(PLAIN + index.format('"name"'))
    await migrate()
    assert site.change(PLAIN + index.format('"-name"')) == ("remove index it from pet", "add index it to pet")
    await migrate()
    assert any("DESC" in str(row[1]) for row in await schema())


async def test_a_field_goes_with_its_index_and_comes_with_one(site: Site, database: Backend) -> None:
    skip_without_conditions(database)
    site.change(PLAIN + META)
    await migrate()
    await insert("a")
    before = await schema()
    changed = PLAIN.replace("age = models.IntegerField(default=0)", "born = models.DateField(null=True)")
    changes = site.change(
        changed + '\n        class Meta:\n            indexes = [models.Index(fields=["born"], name="x")]\n'
    )
    assert changes[-3:] == ("remove field age from pet", "add field born to pet", "add index x to pet")
    await migrate()
    await insert_name("b")
    await execute("DELETE FROM zoo_pet WHERE name = 'b'")
    await migrate(app_label="zoo", target="0001")
    assert {row[0] for row in await schema()} == {row[0] for row in before}
    with pytest.raises(CheckViolation):
        await insert("c", -1)


async def insert_name(name: str) -> None:
    await execute(f"INSERT INTO zoo_pet (name) VALUES ('{name}')")


async def test_a_ring_of_models_gets_its_indexes_last(site: Site, database: Backend) -> None:
    changes = site.change(
        """
        class Aa(models.Model):
            bb = models.ForeignKey("Bb", on_delete=models.CASCADE, related_name="+")

            class Meta:
                constraints = [models.UniqueConstraint(fields=["bb", "id"], name="pair")]

        class Bb(models.Model):
            aa = models.ForeignKey("Aa", on_delete=models.CASCADE, null=True, related_name="+")
        """
    )
    assert changes[-1] == "add constraint pair to aa"
    await migrate()
    await migrate(app_label="zoo", target="zero")


async def test_unique_together_is_a_constraint(site: Site, database: Backend) -> None:
    site.change(PLAIN)
    changes = site.change(PLAIN + '\n        class Meta:\n            unique_together = ["owner", "name"]\n')
    assert changes == ("add constraint uq_zoo_pet_owner_name to pet",)


@pytest.mark.parametrize(
    ("field", "expected"),
    [
        ("models.PositiveIntegerField(default=7)", 7),
        ("models.PositiveSmallIntegerField(null=True)", None),
        ("models.IntegerField(db_default=3)", 3),
        ('models.CharField(max_length=9, db_default="it\'s")', "it's"),
        ("models.CharField(max_length=1, choices=[('a', 'A')], default='a')", "a"),
        ("models.SlugField(default='s')", "s"),
        ("models.DateTimeField(db_default=models.Now())", ...),
        ("models.GenericIPAddressField(default='192.0.2.1')", ...),
        ("models.GeneratedField(expression=models.F('age') + 1, output_field=models.IntegerField())", 6),
    ],
)
async def test_a_field_is_added_and_removed(site: Site, database: Backend, field: str, expected: Any) -> None:
    site.change(PLAIN)
    await migrate()
    await insert("a")
    before = await schema()
    site.change(PLAIN + f"        extra = {field}\n")
    await migrate()
    ((value,),) = await connections.executor().fetch("SELECT extra FROM zoo_pet")
    assert value is not None if expected is ... else value == expected
    if "Positive" in field:
        with pytest.raises(CheckViolation) as caught:
            await execute("UPDATE zoo_pet SET extra = -1")
        assert caught.value.constraint == "ck_zoo_pet_extra"
    if "db_default" in field:
        await insert("b")
        assert (
            len(await connections.executor().fetch("SELECT extra FROM zoo_pet WHERE extra IS NOT NULL")) == 2
        )
    await migrate(app_label="zoo", target="0001")
    assert [row[0] for row in await schema()] == [row[0] for row in before]
    await migrate()


async def test_values_of_every_kind_are_given_to_rows(site: Site, database: Backend) -> None:
    site.change(PLAIN)
    await migrate()
    await insert("a")
    site.change(
        "    import datetime\n"
        + PLAIN
        + '        raw = models.BinaryField(default=b"\\x00\'")\n'
        + "        day = models.DateField(default=datetime.date(2026, 1, 2))\n"
        + "        hour = models.TimeField(default=datetime.time(9, 30))\n"
        + "        span = models.DurationField(default=datetime.timedelta(days=-1, seconds=5))\n"
    )
    await migrate()
    pet = await registry.get_model("zoo.Pet").objects.get()
    assert pet.raw == b"\x00'"
    assert (str(pet.day), str(pet.hour), pet.span.total_seconds()) == ("2026-01-02", "09:30:00", -86395.0)


async def test_functions_are_written_into_migrations(site: Site, database: Backend) -> None:
    if database.vendor == "mysql":
        pytest.skip("MariaDB has no indexes on expressions")
    site.change(PLAIN)
    changes = site.change(
        "    from transom.db.models.functions import Lower\n"
        + PLAIN
        + "        low = models.GeneratedField(\n"
        + "            expression=Lower('name'), output_field=models.CharField(max_length=20)\n        )\n\n"
        + "        class Meta:\n"
        + "            indexes = [models.Index(Lower('name'), models.Case(\n"
        + "                models.When(age__gt=3, then='age'), default=models.Value(0)), name='low')]\n"
    )
    assert changes == ("add field low to pet", "add index low to pet")
    await migrate()
    await insert("Ab")
    assert [row[0] for row in await connections.executor().fetch("SELECT low FROM zoo_pet")] == ["ab"]
    await migrate(app_label="zoo", target="0001")


async def test_sql_is_shown(site: Site, database: Backend) -> None:
    skip_without_conditions(database)
    site.change(PLAIN)
    site.change(PLAIN + META)
    shown = await sqlmigrate("zoo", "0002")
    text = shown if isinstance(shown, str) else "\n".join(shown)
    assert "CREATE INDEX few ON zoo_pet (age) WHERE name = 'it''s'" in text


def pet() -> ModelState:
    fields: dict[str, models.Field[Any]] = {
        "id": models.BigAutoField(primary_key=True),
        "age": models.IntegerField(),
    }
    return ModelState("zoo", "Pet", fields)


def test_operations_that_do_not_fit_the_state_say_so() -> None:
    state = ProjectState([pet()])
    index = models.Index(fields=["age"], name="x")
    AddIndex("pet", index).state_forwards("zoo", state)
    with pytest.raises(StateError, match="has 'x' among its indexes already"):
        AddIndex("pet", index).state_forwards("zoo", state)
    RenameIndex("pet", "y", "x").state_forwards("zoo", state)
    assert index.name == "x"
    with pytest.raises(StateError, match="no 'x' among its indexes; choose from y"):
        RemoveIndex("pet", "x").state_forwards("zoo", state)
    RemoveIndex("pet", "y").state_forwards("zoo", state)
    assert state.model_state("zoo", "pet").options == {}
    with pytest.raises(StateError, match="needs a name"):
        AddConstraint("pet", models.CheckConstraint(condition=Q(age=1)))
