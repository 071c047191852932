"""`transom makemigrations`: write migrations for what changed in the models."""

from __future__ import annotations

import sys

import click

from transom.cli.console import out
from transom.cli.project import app_option, load_app
from transom.db.migrations import (
    InteractiveQuestioner,
    MigrationError,
    NonInteractiveQuestioner,
    makemigrations,
)


@click.command("makemigrations")
@click.argument("app_labels", nargs=-1, metavar="[APP]...")
@app_option
@click.option("--name", "-n", help="Name of the migration, after its number.")
@click.option("--dry-run", is_flag=True, help="Show what would be written.")
@click.option("--check", is_flag=True, help="Write nothing; exit with 1 where something would be written.")
@click.option("--no-input", is_flag=True, help="Fail rather than ask.")
def command(
    app_labels: tuple[str, ...],
    app_spec: str | None,
    name: str | None,
    dry_run: bool,
    check: bool,
    no_input: bool,
) -> None:
    """Write migrations for what changed in the models of the named apps, or of all.

    No database is needed: the models are compared with the migrations there are.
    """
    load_app(app_spec)
    interactive = sys.stdin.isatty() and not (no_input or dry_run or check)
    questioner = InteractiveQuestioner() if interactive else NonInteractiveQuestioner()
    try:
        written = makemigrations(
            app_labels or None, name=name, dry_run=dry_run or check, questioner=questioner
        )
    except (MigrationError, LookupError) as exc:
        raise click.ClickException(str(exc)) from exc
    for migration in written:
        out.print(f"[bold]{migration.app_label}[/]: {migration.name}.py")
        for change in migration.changes:
            out.print(f"  - {change}", markup=False)
    if not written:
        out.print("No changes.")
    sys.exit(1 if check and written else 0)
