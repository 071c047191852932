"""Writes migrations as Python files that read well, pass ruff, and come out the same every time."""

from __future__ import annotations

import importlib.util
import sys
import sysconfig
from pathlib import Path
from typing import TYPE_CHECKING

from transom.db.migrations.code import Code, sequence
from transom.db.migrations.serializer import MIGRATIONS, MODELS, serialize, serialize_operation

if TYPE_CHECKING:
    from collections.abc import Iterable

    from transom.conf import AppConfig
    from transom.db.migrations.migration import Migration

PACKAGE_DOCSTRING = '"""Migrations: how the tables of this app came to be, step by step."""\n'


def write_migration(migration: Migration, config: AppConfig) -> Path:
    """Write a migration into the `migrations` package of its app, making the package if need be.

    Returns:
        The path of the new file. A file that is there already is never written over.

    Raises:
        FileExistsError: there is a file of this name.
        Unserializable: a value has no form as source code.
    """
    source = migration_source(migration)
    folder = config.path / "migrations"
    folder.mkdir(parents=True, exist_ok=True)
    if not (folder / "__init__.py").exists():
        (folder / "__init__.py").write_text(PACKAGE_DOCSTRING, encoding="utf-8")
    path = folder / f"{migration.name}.py"
    with path.open("x", encoding="utf-8") as file:
        file.write(source)
    return path


def migration_source(migration: Migration) -> str:
    """Return the text of the file of a migration."""
    dependencies = sequence("[]", map(serialize, sorted(migration.dependencies)), exploded=True)
    operations = sequence("[]", map(serialize_operation, migration.operations), exploded=True)
    indent = "    "
    return "\n".join(
        [
            f'"""Migration {migration.name} of {migration.app_label}."""',
            "",
            *_import_lines([dependencies, operations]),
            "",
            "",
            "class Migration(migrations.Migration):",
            f'{indent}"""{_summary(migration)}"""',
            "",
            f"{indent}dependencies = {dependencies.layout(indent, len('dependencies = '))}",
            "",
            f"{indent}operations = {operations.layout(indent, len('operations = '))}",
            "",
        ]
    )


def _summary(migration: Migration) -> str:
    """Return what the migration does in one line that fits the file."""
    phrases = [operation.describe() for operation in migration.operations]
    while len(line := _sentence(phrases)) > LONGEST_SUMMARY and len(phrases) > 1:
        phrases = [*phrases[:-2], "more"]
    return line


LONGEST_SUMMARY = 76  # of 88 columns, less the indent and the quotes


def _sentence(phrases: list[str]) -> str:
    text = ", ".join(phrases[:-1]) + " and " + phrases[-1] if len(phrases) > 1 else phrases[0]
    return f"{text[0].upper()}{text[1:]}."


def _import_lines(code: Iterable[Code]) -> list[str]:
    """Return the import lines in isort's order: the standard library, what is installed, the site itself."""
    modules = {module for expression in code for module in expression.iter_imports()}
    sections: list[list[str]] = [[], [], []]
    for module in sorted(modules - {MODELS, MIGRATIONS}):
        sections[_section(module)].append(f"import {module}")
    names = "migrations, models" if MODELS in modules else "migrations"
    sections[1].append(f"from transom.db import {names}")
    lines = [line for section in filter(None, sections) for line in ["", *section]]
    return lines[1:]


def _section(module: str) -> int:
    top = module.partition(".")[0]
    if top in sys.stdlib_module_names:
        return 0
    spec = importlib.util.find_spec(top)
    installed = Path(sysconfig.get_path("purelib"))
    origin = spec.origin if spec is not None else None
    return 1 if origin is not None and installed in Path(origin).parents else 2
