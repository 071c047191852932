"""`transom migrate`: bring the database to the state of the migrations."""

from __future__ import annotations

from typing import TYPE_CHECKING

import click

from transom.cli.console import out, print_table
from transom.cli.project import app_option, load_app, run_async
from transom.db import DatabaseError
from transom.db.migrations import MigrationError, migrate, show

if TYPE_CHECKING:
    from transom.db.migrations import PlanStep


@click.command("migrate")
@click.argument("app_label", required=False, metavar="[APP]")
@click.argument("target", required=False, metavar="[MIGRATION]")
@app_option
@click.option("--database", "using", default="default", show_default=True, help="Alias of the database.")
@click.option("--fake", is_flag=True, help="Record the migrations without running them.")
@click.option("--plan", is_flag=True, help="Show which migrations are applied and which are not.")
def command(
    app_label: str | None, target: str | None, app_spec: str | None, using: str, fake: bool, plan: bool
) -> None:
    """Bring the database to the state of the migrations, forwards or backwards.

    Without arguments every app goes to its newest migration; APP alone takes one app there; `APP 0001_initial` goes to
    that migration and `APP zero` undoes all of them. A migration that fails leaves the database as it was before it.
    """
    app = load_app(app_spec)
    if not app.settings.databases:
        raise click.ClickException("the site has no database; set DATABASE_URL, e.g. sqlite:///site.sqlite3")
    try:
        if plan:
            _print_plan(using)
        else:
            _migrate(app_label, target, using, fake)
    except (MigrationError, DatabaseError, LookupError) as exc:
        # A note says which migration it was that failed.
        raise click.ClickException("\n".join([str(exc), *getattr(exc, "__notes__", ())])) from exc


def _migrate(app_label: str | None, target: str | None, using: str, fake: bool) -> None:
    with out.status("Reading the migrations") as status:

        def on_progress(step: PlanStep, done: bool) -> None:
            doing, did = ("Undoing", "undid") if step.backwards else ("Applying", "applied")
            if done:
                out.print(f"  [green]\u2713[/] {did} {step.key.app_label}.{step.key.name}")
            else:
                status.update(f"{doing} {step.key.app_label}.{step.key.name}")

        steps = run_async(lambda: migrate(using, app_label, target, fake=fake, on_progress=on_progress))
    out.print(f"{len(steps)} migrations done." if steps else "The database is up to date.")


def _print_plan(using: str) -> None:
    rows = [
        (
            status.app_label,
            status.name,
            f"{status.applied:%Y-%m-%d %H:%M}" if status.applied else "not applied",
        )
        for status in run_async(lambda: show(using))
    ]
    print_table("Migrations", ("app", "migration", "applied (UTC)"), rows)
