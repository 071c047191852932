"""`transom clearsessions`: delete expired sessions from the database."""

from __future__ import annotations

import click

from transom.cli.console import out
from transom.cli.project import app_option, load_app, run_async
from transom.db import DatabaseError
from transom.sessions import DatabaseSessions


@click.command("clearsessions")
@app_option
@click.option("--database", "using", default="default", show_default=True, help="Alias of the database.")
def command(app_spec: str | None, using: str) -> None:
    """Delete expired sessions from the database.

    Nobody can use them any more; run this regularly to keep the table small. Sessions in cookies or a cache need none of it.
    """
    store = DatabaseSessions(using)
    if problems := store.check_app(load_app(app_spec)):
        raise click.ClickException("; ".join(f"{problem.msg}: {problem.hint}" for problem in problems))
    try:
        count = run_async(store.clear_expired)
    except DatabaseError as exc:
        raise click.ClickException(str(exc)) from exc
    out.print(f"[green]\u2713[/] deleted {count} expired sessions")
