"""`transom inspectdb`: print models of the tables that a database has."""

from __future__ import annotations

import click

from transom.cli.console import err
from transom.cli.project import app_option, load_app, run_async
from transom.db import DatabaseError
from transom.db.introspection import inspect_database


@click.command("inspectdb")
@click.argument("tables", nargs=-1, metavar="[TABLE]...")
@app_option
@click.option("--database", "using", default="default", show_default=True, help="Alias of the database.")
@click.option("--include-views", is_flag=True, help="Views too.")
@click.option("--include-partitions", is_flag=True, help="Partitions too, on PostgreSQL.")
def command(
    tables: tuple[str, ...], app_spec: str | None, using: str, include_views: bool, include_partitions: bool
) -> None:
    """Print a module with models of the tables that the database has, or of those that are named.

    Redirect it into a file and read that over; what could not be said of a model stands there in comments.
    """
    app = load_app(app_spec)
    if not app.settings.databases:
        raise click.ClickException("the site has no database; set DATABASE_URL, e.g. sqlite:///site.sqlite3")
    try:
        source = run_async(
            lambda: inspect_database(
                tables, using=using, include_views=include_views, include_partitions=include_partitions
            )
        )
    except (DatabaseError, LookupError) as exc:
        raise click.ClickException(str(exc)) from exc
    click.echo(source, nl=False)
    count = source.count("\nclass ")
    err.print(
        f"[green]\u2713[/] {count} models; read over what the comments say" if count else "no tables found"
    )
