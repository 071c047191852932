"""`transom loaddata`: read rows from files that `transom dumpdata` wrote."""

from __future__ import annotations

from contextlib import closing
from io import TextIOWrapper
from pathlib import Path
from typing import TYPE_CHECKING

import click
from rich.progress import BarColumn, DownloadColumn, Progress, TextColumn

from transom.cli.console import err, out
from transom.cli.project import app_option, load_app, run_async
from transom.db import DatabaseError
from transom.db.fixtures import load_data, read_items

if TYPE_CHECKING:
    from collections.abc import Generator

    from transom.db.fixtures import Item


@click.command("loaddata")
@click.argument(
    "files",
    nargs=-1,
    required=True,
    metavar="FILE...",
    type=click.Path(exists=True, dir_okay=False, path_type=Path),
)
@app_option
@click.option("--database", "using", default="default", show_default=True, help="Alias of the database.")
def command(files: tuple[Path, ...], app_spec: str | None, using: str) -> None:
    """Write the rows of JSON files to the database, all of them or none.

    A row whose key is there is changed, else it is inserted.
    """
    app = load_app(app_spec)
    if not app.settings.databases:
        raise click.ClickException("the site has no database; set DATABASE_URL, e.g. sqlite:///site.sqlite3")
    columns = (TextColumn("Loading {task.description}"), BarColumn(), DownloadColumn())
    try:
        with (
            Progress(*columns, console=err, transient=True, disable=not err.is_terminal) as progress,
            closing(_items(files, progress)) as items,
        ):
            count = run_async(lambda: load_data(items, using=using))
    except UnicodeDecodeError as exc:
        raise click.ClickException(f"a file is not UTF-8: {exc}") from exc
    except (DatabaseError, OSError) as exc:
        raise click.ClickException(str(exc)) from exc
    out.print(f"[green]\u2713[/] loaded {count} rows from {len(files)} files")


def _items(files: tuple[Path, ...], progress: Progress) -> Generator[Item]:
    task = progress.add_task("", total=sum(path.stat().st_size for path in files))
    done = 0
    for path in files:
        progress.update(task, description=path.name)
        with path.open("rb") as file, TextIOWrapper(file, encoding="utf-8") as text:
            for item in read_items(text, str(path)):
                progress.update(task, completed=done + file.tell())
                yield item
        done += path.stat().st_size
