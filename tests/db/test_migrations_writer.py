"""Written files: what they look like, that they run, and that ruff has nothing to say."""

from __future__ import annotations

import datetime
import decimal
import subprocess
import sys
import uuid
from pathlib import Path
from typing import Any

import pytest

from transom.conf import AppConfig
from transom.db import models
from transom.db.migrations.migration import Migration
from transom.db.migrations.operations import (
    AddField,
    CreateModel,
    DeleteModel,
    Operation,
    RemoveField,
    RunSQL,
)
from transom.db.migrations.writer import migration_source, write_migration

PROJECT = Path(__file__).parents[2]

GOLDEN = '''\
"""Migration 0001_initial of polls."""

from transom.db import migrations, models


class Migration(migrations.Migration):
    """Create model Question and create model Choice."""

    dependencies = [
        ("auth", "0001_initial"),
    ]

    operations = [
        migrations.CreateModel(
            name="Question",
            fields=[
                ("id", models.BigAutoField(primary_key=True, verbose_name="ID")),
                ("text", models.CharField(max_length=200)),
            ],
            options={"ordering": ["-id"]},
        ),
        migrations.CreateModel(
            name="Choice",
            fields=[
                ("id", models.BigAutoField(primary_key=True)),
                (
                    "question",
                    models.ForeignKey(
                        to="polls.Question",
                        on_delete=models.CASCADE,
                        related_name="choices",
                    ),
                ),
                ("votes", models.IntegerField(default=0)),
            ],
        ),
    ]
'''


def migration(
    *operations: Operation, name: str = "0001_initial", after: tuple[tuple[str, str], ...] = ()
) -> Migration:
    made = Migration(name, "polls")
    made.operations, made.dependencies = operations, after
    return made


def polls() -> Migration:
    return migration(
        CreateModel(
            "Question",
            [
                ("id", models.BigAutoField("ID", primary_key=True)),
                ("text", models.CharField(max_length=200)),
            ],
            {"ordering": ["-id"]},
        ),
        CreateModel(
            "Choice",
            [
                ("id", models.BigAutoField(primary_key=True)),
                ("question", models.ForeignKey("polls.Question", models.CASCADE, related_name="choices")),
                ("votes", models.IntegerField(default=0)),
            ],
        ),
        after=(("auth", "0001_initial"),),
    )


def many_values() -> Migration:
    """A migration whose file needs every kind of import and the longest lines."""
    when = datetime.datetime(2026, 1, 1, tzinfo=datetime.UTC)
    return migration(
        DeleteModel("Old"),
        RemoveField("choice", "old"),
        RunSQL(["SELECT 1", ("SELECT ?", [1])], RunSQL.noop),
        AddField(
            "choice",
            "price",
            models.DecimalField(max_digits=9, decimal_places=2, default=decimal.Decimal("0.5")),
        ),
        AddField(
            "choice", "code", models.UUIDField(default=uuid.uuid4, help_text="a \"quoted\" 'text' " * 4)
        ),
        AddField("choice", "made", models.DateTimeField(default=when), preserve_default=False),
        AddField("choice", "label", models.CharField(max_length=9, default=Path.cwd)),
    )


def execute(source: str) -> Migration:
    namespace: dict[str, Any] = {"__name__": "written"}
    exec(compile(source, "written.py", "exec"), namespace)
    return namespace["Migration"]("0001_initial", "polls")


def test_file_reads_as_a_person_would_write_it() -> None:
    assert migration_source(polls()) == GOLDEN


@pytest.mark.parametrize("build", [polls, many_values])
def test_file_run_again_gives_the_same_file(build: Any) -> None:
    source = migration_source(build())
    assert migration_source(execute(source)) == source


def test_imports_stand_in_sections() -> None:
    lines = migration_source(many_values()).splitlines()
    assert lines[2:9] == [
        "import datetime",
        "import decimal",
        "import pathlib",
        "import uuid",
        "",
        "from transom.db import migrations, models",
        "",
    ]


def test_models_are_imported_only_where_they_are_named() -> None:
    assert "from transom.db import migrations\n" in migration_source(migration(DeleteModel("Old")))


# RUF012: lists of a class body are declarations here, as in `class Meta`.
@pytest.mark.slow
@pytest.mark.parametrize("config", [["--isolated"], ["--config", str(PROJECT / "pyproject.toml")]])
@pytest.mark.parametrize("arguments", [["check", "--extend-ignore=RUF012"], ["format", "--check"]])
def test_ruff_has_nothing_to_say(arguments: list[str], config: list[str], tmp_path: Path) -> None:
    for number, build in enumerate((polls, many_values)):
        write_migration(build(), AppConfig(f"written{number}", f"written{number}", tmp_path / str(number)))
    command = [sys.executable, "-m", "ruff", *arguments, *config, "--no-cache", str(tmp_path)]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stdout + done.stderr


def test_writing_makes_the_package_and_never_writes_over_a_file(tmp_path: Path) -> None:
    config = AppConfig("polls", "polls", tmp_path)
    path = write_migration(polls(), config)
    assert path == tmp_path / "migrations" / "0001_initial.py"
    assert path.read_text(encoding="utf-8") == GOLDEN
    assert (tmp_path / "migrations" / "__init__.py").exists()
    with pytest.raises(FileExistsError):
        write_migration(migration(DeleteModel("Old")), config)
    assert path.read_text(encoding="utf-8") == GOLDEN


def test_long_summary_is_cut() -> None:
    fields = [AddField("choice", f"field_{n}", models.IntegerField(default=0)) for n in range(9)]
    assert all(len(line) <= 88 for line in migration_source(migration(*fields)).splitlines())
    assert " and more." in migration_source(migration(*fields))
