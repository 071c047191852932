"""A site's whole life with migrations, on each database: files written, applied, undone, and failing half way."""

from __future__ import annotations

import asyncio
import datetime
import importlib
import re
import sys
from collections import defaultdict
from collections.abc import Iterator, Sequence
from pathlib import Path
from textwrap import dedent
from typing import Any

import pytest

import transom.conf.apps as app_registry
from transom.db import connections
from transom.db.backends.base import Backend
from transom.db.exceptions import DatabaseError, ForeignKeyViolation, IntegrityError
from transom.db.migrations import (
    ConflictingMigrations,
    DefaultNeeded,
    InconsistentHistory,
    IrreversibleMigration,
    PlanStep,
    StateError,
    UnknownMigration,
    makemigrations,
    migrate,
    show,
    sqlmigrate,
)
from transom.db.migrations.introspection import existing_tables
from transom.db.migrations.loader import MigrationLoader
from transom.db.models import registry

POLLS = """
    class Question(models.Model):
        text = models.CharField(max_length=200)

    class Choice(models.Model):
        question = models.ForeignKey(Question, on_delete=models.CASCADE, related_name="choices")
        text = models.CharField(max_length=200, unique=True)
"""


class Site:
    """Packages in a folder of their own, which can be written again as in an editor."""

    def __init__(self, root: Path, monkeypatch: pytest.MonkeyPatch) -> None:
        self.root = root
        self._monkeypatch = monkeypatch
        self._apps: list[str] = []

    def models(self, source: str, app: str = "polls") -> None:
        """Write `models.py` of an app, and import everything anew as a restart would."""
        package = self.root / app
        package.mkdir(exist_ok=True)
        (package / "__init__.py").touch()
        (package / "models.py").write_text(
            "from transom.db import models\n" + dedent(source), encoding="utf-8"
        )
        self._apps.append(app)
        self.restart()

    def restart(self) -> None:
        self.forget()
        self._monkeypatch.setattr(app_registry, "_app_configs", {})
        self._monkeypatch.setattr(registry, "_models", {})
        self._monkeypatch.setattr(registry, "_waiting", defaultdict(list))
        app_registry.populate(self._apps)

    def forget(self) -> None:
        importlib.invalidate_caches()
        for name in [name for name in sys.modules if name.partition(".")[0] in self._apps]:
            del sys.modules[name]
        for cached in self.root.rglob("*.pyc"):  # files change faster than the clock that tells old from new
            cached.unlink()

    def migration(
        self,
        name: str,
        operations: str,
        *,
        after: str | None = None,
        app: str = "polls",
        head: str = "",
        more: str = "",
    ) -> None:
        """Write a migration by hand."""
        folder = self.root / app / "migrations"
        folder.mkdir(exist_ok=True)
        (folder / "__init__.py").touch()
        dependencies = [(app, after)] if after else []
        source = f"{dedent(head)}\nfrom transom.db import migrations, models\nclass Migration(migrations.Migration):\n"
        source += f"    dependencies = {dependencies!r}\n    operations = [{operations}]\n    {more}\n"
        (folder / f"{name}.py").write_text(source, encoding="utf-8")
        self.restart()


@pytest.fixture
def site(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Site]:
    monkeypatch.syspath_prepend(str(tmp_path))
    made = Site(tmp_path, monkeypatch)
    yield made
    made.forget()


@pytest.fixture
def polls(site: Site) -> Site:
    site.models(POLLS)
    makemigrations()
    return site


async def fetch(sql: str) -> list[tuple[Any, ...]]:
    return [tuple(row) for row in await connections.executor().fetch(sql)]


async def execute(sql: str) -> None:
    await connections.executor().execute(sql)


async def tables() -> set[str]:
    return await existing_tables(connections.executor()) - {"sqlite_sequence"}


def names(steps: Sequence[PlanStep]) -> list[str]:
    return [f"-{step}" if step.backwards else str(step) for step in steps]


async def snapshot() -> Any:
    """Return the whole schema and all rows of the polls tables, comparable."""
    executor = connections.executor()
    if executor.vendor == "sqlite":
        schema = await fetch("SELECT name, sql FROM sqlite_master ORDER BY name")
    elif executor.vendor == "mysql":
        made = [(await fetch(f"SHOW CREATE TABLE {name}"))[0] for name in sorted(await tables())]
        schema = [(name, re.sub(r" AUTO_INCREMENT=\d+", "", sql)) for name, sql in made]
    else:
        schema = await fetch(
            "SELECT table_name, column_name, data_type, is_nullable, column_default FROM information_schema.columns "
            "WHERE table_schema = 'public' ORDER BY table_name, ordinal_position"
        ) + await fetch(
            "SELECT conname, pg_get_constraintdef(oid) FROM pg_constraint WHERE connamespace = 'public'::regnamespace ORDER BY 1"
        )
    found = await tables()
    return schema, [(name, sorted(await fetch(f"SELECT * FROM {name}"), key=repr)) for name in sorted(found)]


async def indexes() -> set[str]:
    """Return the names of the indexes that were asked for."""
    catalogue = {
        "sqlite": "SELECT name FROM sqlite_master WHERE type = 'index'",
        "postgresql": "SELECT indexname FROM pg_indexes WHERE schemaname = 'public'",
        "mysql": "SELECT index_name FROM information_schema.statistics WHERE table_schema = DATABASE()",
    }
    rows = await fetch(catalogue[connections.executor().vendor])
    found = {row[0] for row in rows if row[0].startswith("ix_")}
    assert "ix_polls_choice_question_id" in found
    return found


async def add_rows() -> None:
    await execute("INSERT INTO polls_question (text) VALUES ('Why?'), ('How?')")
    await execute("INSERT INTO polls_choice (question_id, text) VALUES (1, 'a'), (2, 'b')")


async def test_create_and_back_to_zero(polls: Site, database: Backend) -> None:
    assert names(await migrate()) == ["polls.0001_initial"]
    assert await tables() == {"polls_question", "polls_choice", "transom_migrations"}
    await add_rows()
    assert names(await migrate(app_label="polls", target="zero")) == ["-polls.0001_initial"]
    assert await tables() == {"transom_migrations"}
    assert await fetch("SELECT * FROM transom_migrations") == []


async def test_constraints_of_created_tables_hold(polls: Site, database: Backend) -> None:
    await migrate()
    await add_rows()
    with pytest.raises(IntegrityError):
        await execute("INSERT INTO polls_choice (question_id, text) VALUES (1, 'a')")
    with pytest.raises(ForeignKeyViolation):
        await execute("INSERT INTO polls_choice (question_id, text) VALUES (9, 'z')")
    await execute("DELETE FROM polls_question WHERE id = 1")
    assert await fetch("SELECT id FROM polls_choice") == [(2,)]


async def test_tables_of_models_that_are_not_managed_are_left_alone(site: Site, database: Backend) -> None:
    source = """
    class Old(models.Model):
        name = models.CharField(max_length=9)
        {more}

        class Meta:
            managed = False

    class New(models.Model):
        old = models.ForeignKey(Old, on_delete=models.CASCADE)
    """
    key = {"sqlite": "INTEGER PRIMARY KEY", "postgresql": "bigserial PRIMARY KEY"}
    await execute(
        f"CREATE TABLE polls_old (id {key.get(database.vendor, 'bigint AUTO_INCREMENT PRIMARY KEY')})"
    )
    site.models(source.format(more=""))
    makemigrations()
    await migrate()
    site.models(source.format(more="note = models.TextField(null=True)"))
    makemigrations()
    await migrate()
    assert await tables() == {"polls_old", "polls_new", "transom_migrations"}
    await migrate(app_label="polls", target="zero")
    assert await tables() == {"polls_old", "transom_migrations"}


async def test_migrate_again_does_nothing(polls: Site, database: Backend) -> None:
    await migrate()
    assert await migrate() == []


async def test_makemigrations_again_writes_nothing(polls: Site) -> None:
    polls.restart()
    assert makemigrations() == []


async def test_field_added_to_rows_gets_its_default_once(polls: Site, database: Backend) -> None:
    await migrate()
    await add_rows()
    polls.models(
        POLLS.replace(
            "unique=True)",
            'unique=True)\n        note = models.CharField(max_length=40, default="it\'s 100%\t\\\\ :a")',
        )
    )
    assert [(new.name, new.changes) for new in makemigrations()] == [
        ("0002_choice_note", ("add field note to choice",))
    ]
    assert names(await migrate()) == ["polls.0002_choice_note"]
    assert await fetch("SELECT id, question_id, text, note FROM polls_choice ORDER BY id") == [
        (1, 1, "a", "it's 100%\t\\ :a"),
        (2, 2, "b", "it's 100%\t\\ :a"),
    ]
    with pytest.raises(IntegrityError):  # not null, and no default stayed behind in the database
        await execute("INSERT INTO polls_choice (question_id, text) VALUES (1, 'c')")


async def test_rebuilt_table_keeps_rows_that_refer_to_it(polls: Site, database: Backend) -> None:
    """SQLite makes the table anew; dropping the old one must not delete the choices."""
    await migrate()
    await add_rows()
    polls.models(POLLS.replace("200)\n\n", "200)\n        closed = models.BooleanField(default=False)\n\n"))
    makemigrations()
    await migrate()
    assert len(await fetch("SELECT id FROM polls_choice")) == 2
    await execute("DELETE FROM polls_question WHERE id = 1")
    assert await fetch("SELECT id FROM polls_choice") == [(2,)]


async def test_indexes_and_counter_of_keys_outlive_a_changed_table(polls: Site, database: Backend) -> None:
    await migrate()
    await add_rows()
    await execute("DELETE FROM polls_choice WHERE id = 2")
    before = await indexes()
    polls.models(POLLS + "        votes = models.IntegerField(default=0)\n")
    makemigrations()
    await migrate()
    assert await indexes() == before
    await execute("INSERT INTO polls_choice (question_id, text, votes) VALUES (1, 'c', 0)")
    assert await fetch("SELECT max(id) FROM polls_choice") == [(3,)]
    await migrate(app_label="polls", target="0001")
    assert await indexes() == before


@pytest.mark.parametrize(
    ("field", "expected"),
    [
        ("models.IntegerField(null=True)", None),
        ("models.IntegerField(default=7)", 7),
        ("models.FloatField(default=1.5)", 1.5),
        ("models.UUIDField(null=True, unique=True)", None),
        ("models.CharField(max_length=9, null=True, db_index=True)", None),
        ("models.ForeignKey(Question, on_delete=models.SET_NULL, null=True, related_name='+')", None),
    ],
)
async def test_added_column_and_back(polls: Site, database: Backend, field: str, expected: Any) -> None:
    await migrate()
    await add_rows()
    before = await snapshot()
    polls.models(POLLS + f"        extra = {field}\n")
    (new,) = makemigrations()
    await migrate()
    column = "extra_id" if "ForeignKey" in field else "extra"
    assert await fetch(f"SELECT {column} FROM polls_choice") == [(expected,)] * 2
    await migrate(app_label="polls", target="0001")
    after = await snapshot()
    assert after[1][:2] == before[1][:2]
    if database.vendor != "sqlite":
        assert after[0] == before[0]
    assert new.name == "0002_choice_extra"


async def test_every_kind_of_default_reaches_the_rows(site: Site, database: Backend) -> None:
    """The values are read back through the models, so as the application sees them."""
    site.models("class Thing(models.Model):\n    name = models.CharField(max_length=9)\n")
    makemigrations()
    await migrate()
    await execute("INSERT INTO polls_thing (name) VALUES ('x')")
    site.models(
        """
        import datetime, decimal, uuid

        class Thing(models.Model):
            name = models.CharField(max_length=9)
            flag = models.BooleanField(default=True)
            price = models.DecimalField(max_digits=9, decimal_places=2, default=decimal.Decimal("1.50"))
            code = models.UUIDField(default=uuid.UUID(int=5))
            made = models.DateTimeField(default=datetime.datetime(2026, 1, 2, 3, tzinfo=datetime.UTC))
            data = models.JSONField(default=dict)
            big = models.BigIntegerField(default=2**40)
        """
    )
    makemigrations()
    await migrate()
    thing = await registry.get_model("polls.Thing").objects.get()
    assert (thing.flag, str(thing.price), thing.code.int, thing.data, thing.big) == (
        True,
        "1.50",
        5,
        {},
        2**40,
    )
    assert thing.made == datetime.datetime(2026, 1, 2, 3, tzinfo=datetime.UTC)


async def test_removed_field_and_model(polls: Site, database: Backend) -> None:
    await migrate()
    await add_rows()
    before = await snapshot()
    polls.models("class Question(models.Model):\n    pass\n")
    (new,) = makemigrations()
    assert new.changes == ("remove field text from question", "delete model Choice")
    await migrate()
    assert await tables() == {"polls_question", "transom_migrations"}
    assert await fetch("SELECT * FROM polls_question ORDER BY id") == [(1,), (2,)]
    await execute("DELETE FROM polls_question")
    await migrate(app_label="polls", target="0001_initial")
    assert {row[0] for row in before[0]} == {row[0] for row in (await snapshot())[0]}


async def test_ring_of_models_can_be_created_and_undone(site: Site, database: Backend) -> None:
    site.models(
        """
        class Aa(models.Model):
            bb = models.ForeignKey("Bb", on_delete=models.CASCADE, related_name="+")

        class Bb(models.Model):
            aa = models.ForeignKey("Aa", on_delete=models.CASCADE, null=True, related_name="+")
        """
    )
    makemigrations()
    await migrate()
    with pytest.raises(IntegrityError):
        await execute("INSERT INTO polls_aa (bb_id) VALUES (9)")
    await migrate(app_label="polls", target="zero")
    assert await tables() == {"transom_migrations"}


async def test_failure_half_way_leaves_no_trace(polls: Site, database: Backend) -> None:
    await migrate()
    await add_rows()
    polls.migration(
        "0002_bad",
        """
        migrations.AddField("choice", "votes", models.IntegerField(default=0)),
        migrations.CreateModel("Extra", [("id", models.BigAutoField(primary_key=True))]),
        migrations.RunSQL("UPDATE polls_question SET text = 'changed'"),
        migrations.RunSQL("SELECT * FROM no_such_table"),
        """,
        after="0001_initial",
    )
    before = await snapshot()
    with pytest.raises(DatabaseError) as caught:
        await migrate()
    (note,) = caught.value.__notes__
    if database.vendor == "mysql":
        assert note.startswith("while applying migration polls.0002_bad; MySQL cannot undo changes of tables")
        assert await tables() == {"polls_question", "polls_choice", "polls_extra", "transom_migrations"}
        assert await fetch("SELECT DISTINCT text FROM polls_question") == [("changed",)]
        assert [status.applied is not None for status in await show()] == [True, False]
        return
    assert note == "while applying migration polls.0002_bad; nothing of it is left"
    assert await snapshot() == before
    if database.vendor == "sqlite":
        assert await connections.backend().execute_returning("PRAGMA foreign_keys") == [(1,)]


async def test_failure_of_python_half_way_leaves_no_trace(polls: Site, database: Backend) -> None:
    await migrate()
    await add_rows()
    polls.migration(
        "0002_bad",
        "migrations.RemoveField('choice', 'text'), migrations.RunPython(fail)",
        after="0001_initial",
        head="""
            async def fail(apps, schema_editor):
                await apps.get_model("polls", "Question").objects.create(text="new")
                raise ValueError("on purpose")
        """,
    )
    before = await snapshot()
    with pytest.raises(ValueError, match="on purpose"):
        await migrate()
    if (
        database.vendor == "mysql"
    ):  # it cannot undo the first operation; the function had a transaction of its own
        assert await fetch("SELECT text FROM polls_question ORDER BY id") == [("Why?",), ("How?",)]
    else:
        assert await snapshot() == before


async def test_steps_before_the_one_that_fails_stay(polls: Site, database: Backend) -> None:
    polls.migration("0002_bad", "migrations.RunSQL('SELECT * FROM no_such_table')", after="0001_initial")
    with pytest.raises(DatabaseError):
        await migrate()
    assert await tables() == {"polls_question", "polls_choice", "transom_migrations"}
    assert [status.applied is not None for status in await show()] == [True, False]


async def test_data_migration_sees_the_models_of_its_time(polls: Site, database: Backend) -> None:
    await migrate()
    await add_rows()
    polls.migration(
        "0002_data",
        "migrations.RunPython(shout, whisper)",
        after="0001_initial",
        head="""
            async def shout(apps, schema_editor):
                Question = apps.get_model("polls", "Question")
                assert not hasattr(Question, "added_later")
                await Question.objects.filter(choices__text="a").update(text="WHY?")

            async def whisper(apps, schema_editor):
                async for question in apps.get_model("polls", "question").objects.filter(text="WHY?"):
                    question.text = "why?"
                    await question.save()
        """,
    )
    polls.migration(
        "0003_more",
        "migrations.AddField('question', 'added_later', models.IntegerField(default=0))",
        after="0002_data",
    )
    await migrate()
    assert await fetch("SELECT text FROM polls_question ORDER BY id") == [("WHY?",), ("How?",)]
    await migrate(app_label="polls", target="0001")
    assert await fetch("SELECT text FROM polls_question ORDER BY id") == [("why?",), ("How?",)]


async def test_state_models_leave_the_real_ones_alone(polls: Site, database: Backend) -> None:
    question = registry.get_model("polls.Question")
    state_model = MigrationLoader().project_state().apps.get_model("polls", "Question")
    assert state_model is not question
    assert registry.get_model("polls.Question") is question
    assert len(question._meta.related_objects) == 1
    assert issubclass(state_model.DoesNotExist, question.DoesNotExist.__mro__[1])


async def test_irreversible_migration_is_refused_before_anything_is_undone(
    polls: Site, database: Backend
) -> None:
    polls.migration(
        "0002_sql", "migrations.RunSQL('UPDATE polls_question SET text = text')", after="0001_initial"
    )
    await migrate()
    before = await snapshot()
    with pytest.raises(IrreversibleMigration, match=r"polls\.0002_sql cannot be undone: 'run SQL'"):
        await migrate(app_label="polls", target="zero")
    assert await snapshot() == before


async def test_two_that_migrate_at_once_do_each_step_once(polls: Site, database: Backend) -> None:
    polls.migration(
        "0002_votes",
        "migrations.AddField('choice', 'votes', models.IntegerField(default=0))",
        after="0001_initial",
    )
    results = await asyncio.gather(*(migrate() for _ in range(5)))
    done = sorted(name for steps in results for name in names(steps))
    assert done == ["polls.0001_initial", "polls.0002_votes"]
    assert len(await fetch("SELECT * FROM transom_migrations")) == 2


async def test_two_processes_that_migrate_at_once_do_each_step_once(polls: Site, database: Backend) -> None:
    """Threads with loops of their own stand for processes: they share no connection and no lock of ours."""
    polls.migration(
        "0002_votes",
        "migrations.AddField('choice', 'votes', models.IntegerField(default=0))",
        after="0001_initial",
    )

    async def other_process() -> list[PlanStep]:
        try:
            return await migrate()
        finally:
            await connections.aclose()

    results = await asyncio.gather(
        *(asyncio.to_thread(asyncio.run, other_process()) for _ in range(2)), migrate()
    )
    done = sorted(name for steps in results for name in names(steps))
    assert done == ["polls.0001_initial", "polls.0002_votes"]


async def test_migration_without_transaction_keeps_what_was_done(polls: Site, database: Backend) -> None:
    await migrate()
    polls.migration(
        "0002_plain",
        """
        migrations.RunSQL("INSERT INTO polls_question (text) VALUES ('kept')"),
        migrations.RunSQL("SELECT * FROM no_such_table"),
        """,
        after="0001_initial",
        more="atomic = False",
    )
    with pytest.raises(DatabaseError):
        await migrate()
    assert await fetch("SELECT text FROM polls_question") == [("kept",)]
    assert [status.applied is not None for status in await show()] == [True, False]


async def test_migration_without_transaction_is_recorded(polls: Site, database: Backend) -> None:
    polls.migration(
        "0002_plain",
        "migrations.RunSQL('UPDATE polls_question SET text = text')",
        after="0001_initial",
        more="atomic = False",
    )
    assert names(await migrate()) == ["polls.0001_initial", "polls.0002_plain"]
    assert await migrate() == []


async def test_rebuild_without_transaction_keeps_rows_that_refer_to_it(
    polls: Site, database: Backend
) -> None:
    await migrate()
    await add_rows()
    polls.migration(
        "0002_plain",
        "migrations.RemoveField('question', 'text')",
        after="0001_initial",
        more="atomic = False",
    )
    await migrate()
    assert len(await fetch("SELECT id FROM polls_choice")) == 2


async def test_fake_writes_the_record_only(polls: Site, database: Backend) -> None:
    assert names(await migrate(fake=True)) == ["polls.0001_initial"]
    assert await tables() == {"transom_migrations"}


async def test_progress_is_told_before_and_after(polls: Site, database: Backend) -> None:
    told: list[tuple[str, bool]] = []
    await migrate(on_progress=lambda step, finished: told.append((str(step), finished)))
    assert told == [("polls.0001_initial", False), ("polls.0001_initial", True)]


async def test_history_with_a_hole_is_refused(polls: Site, database: Backend) -> None:
    polls.migration("0002_more", "", after="0001_initial")
    await migrate()
    await execute("DELETE FROM transom_migrations WHERE name = '0001_initial'")
    with pytest.raises(InconsistentHistory, match=r"polls\.0002_more applied, but not polls\.0001_initial"):
        await migrate()


async def test_branches_are_refused(polls: Site, database: Backend) -> None:
    polls.migration("0002_a", "", after="0001_initial")
    polls.migration("0002_b", "", after="0001_initial")
    with pytest.raises(ConflictingMigrations, match="2 last migrations: 0002_a, 0002_b"):
        await migrate()


async def test_unknown_names_give_the_choices(polls: Site, database: Backend) -> None:
    with pytest.raises(
        UnknownMigration, match=r"no migration of polls is named '0007'; choose from 0001_initial"
    ):
        await migrate(app_label="polls", target="0007")
    with pytest.raises(LookupError, match="did you mean 'polls'"):
        await migrate(app_label="pols")


async def test_deleted_rows_under_a_rebuild_are_found_on_sqlite(polls: Site, database: Backend) -> None:
    """ON DELETE is off while SQLite rebuilds a table; what that would leave dangling is an error, not a surprise."""
    await migrate()
    await add_rows()
    polls.migration(
        "0002_mixed",
        "migrations.RemoveField('choice', 'text'), migrations.RunSQL('DELETE FROM polls_question')",
        after="0001_initial",
    )
    before = await snapshot()
    if database.vendor == "sqlite":
        with pytest.raises(ForeignKeyViolation, match="a migration of their own"):
            await migrate()
        assert await snapshot() == before
    else:
        await migrate()
        assert await fetch("SELECT * FROM polls_choice") == []


async def test_operation_that_does_not_fit_the_state_says_so(polls: Site, database: Backend) -> None:
    polls.migration("0002_wrong", "migrations.RemoveField('chioce', 'text')", after="0001_initial")
    with pytest.raises(StateError, match=r"did you mean 'polls\.choice'"):
        await migrate()


@pytest.mark.parametrize("vendor", ["sqlite", "postgresql", "mysql"])
async def test_sqlmigrate_shows_statements_and_runs_none(polls: Site, vendor: Any) -> None:
    polls.migration(
        "0002_more",
        "migrations.RunPython(migrations.RunPython.noop, migrations.RunPython.noop)",
        after="0001_initial",
    )
    statements = await sqlmigrate("polls", "0001", vendor=vendor)
    assert statements[0].startswith("CREATE TABLE polls_question")
    assert any(statement.startswith("CREATE INDEX") for statement in statements)
    assert await sqlmigrate("polls", "0002", vendor=vendor) == [
        "-- Python: RunPython.noop(apps, schema_editor)"
    ]
    assert (await sqlmigrate("polls", "0001", vendor=vendor, backwards=True))[0] == "DROP TABLE polls_choice"


def test_dry_run_and_check_write_nothing(polls: Site) -> None:
    polls.models(POLLS + "        votes = models.IntegerField()\n")
    with pytest.raises(DefaultNeeded):
        makemigrations(dry_run=True)
    (new,) = makemigrations(check=True)
    assert (new.name, new.path) == ("0002_choice_votes", None)
    assert [path.name for path in (polls.root / "polls/migrations").glob("0*.py")] == ["0001_initial.py"]


def test_named_apps_bring_those_they_depend_on(site: Site) -> None:
    site.models("class User(models.Model):\n    pass\n", app="people")
    site.models("class Other(models.Model):\n    pass\n", app="other")
    site.models(
        "class Post(models.Model):\n    author = models.ForeignKey('people.User', on_delete=models.CASCADE)\n",
        app="blog",
    )
    assert [new.app_label for new in makemigrations(["blog"], name="start")] == ["blog", "people"]
    assert (site.root / "people/migrations/0001_start.py").exists()
    assert [new.app_label for new in makemigrations()] == ["other"]


TAGS = """
    class Tag(models.Model):
        name = models.CharField(max_length=20)

    class Question(models.Model):
        text = models.CharField(max_length=200)
        tags = models.ManyToManyField(Tag, related_name="questions")
        others = models.ManyToManyField("self")

    class Link(models.Model):
        question = models.ForeignKey(Question, models.CASCADE)
        tag = models.ForeignKey(Tag, models.CASCADE)

    class Loud(Question):
        class Meta:
            proxy = True

    class Topic(models.Model):
        question = models.OneToOneField(Loud, models.CASCADE)
        linked = models.ManyToManyField(Question, through="TopicLink", related_name="topics")

    class TopicLink(models.Model):
        topic = models.ForeignKey(Topic, models.CASCADE)
        question = models.ForeignKey(Question, models.CASCADE)
"""


async def test_many_to_many_fields_have_tables_that_come_and_go(site: Site, database: Backend) -> None:
    site.models(TAGS)
    makemigrations()
    assert names(await migrate()) == ["polls.0001_initial"]
    between = {"polls_question_tags", "polls_question_others"}
    own = {
        "polls_tag",
        "polls_question",
        "polls_link",
        "polls_topic",
        "polls_topiclink",
        "transom_migrations",
    }
    assert await tables() == own | between
    site.restart()
    assert makemigrations() == []
    await execute("INSERT INTO polls_tag (name) VALUES ('a')")
    await execute("INSERT INTO polls_question (text) VALUES ('Why?')")
    await execute("INSERT INTO polls_question_tags (question_id, tag_id) VALUES (1, 1)")
    with pytest.raises(IntegrityError):
        await execute("INSERT INTO polls_question_tags (question_id, tag_id) VALUES (1, 1)")
    site.models(TAGS.replace('        others = models.ManyToManyField("self")\n', ""))
    makemigrations()
    assert names(await migrate()) == ["polls.0002_remove_question_others"]
    assert await tables() == own | between - {"polls_question_others"}
    assert await fetch("SELECT question_id, tag_id FROM polls_question_tags") == [(1, 1)]
    await migrate(app_label="polls", target="0001")
    assert await tables() == own | between
    await migrate(app_label="polls", target="zero")
    assert await tables() == {"transom_migrations"}


async def test_data_migrations_know_many_to_many_fields(site: Site, database: Backend) -> None:
    site.models(TAGS)
    makemigrations()
    site.migration(
        "0002_fill",
        "migrations.RunPython(fill)",
        after="0001_initial",
        head="""
            async def fill(apps, schema_editor):
                Question, Tag = apps.get_model("polls", "Question"), apps.get_model("polls", "Tag")
                question = await Question.objects.create(text="Why?")
                await question.tags.create(name="a")
                await question.others.add(await Question.objects.create(text="How?"))
                assert await Tag.objects.filter(questions__text="Why?").count() == 1
        """,
    )
    await migrate()
    assert await fetch("SELECT question_id, tag_id FROM polls_question_tags") == [(1, 1)]
    assert sorted(await fetch("SELECT from_question_id, to_question_id FROM polls_question_others")) == [
        (1, 2),
        (2, 1),
    ]
