"""`transom dumpdata`: write rows as JSON."""

from __future__ import annotations

import json
import os
import sys
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Any, TextIO

import click
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn

from transom.cli.console import err
from transom.cli.project import app_option, load_app, run_async
from transom.db import DatabaseError
from transom.db.fixtures import dump_data, sort_models
from transom.db.models import Model, QuerySet, registry

if TYPE_CHECKING:
    from collections.abc import Generator


@click.command("dumpdata")
@click.argument("labels", nargs=-1, metavar="[APP[.MODEL]]...")
@app_option
@click.option("--output", "-o", type=click.Path(dir_okay=False, path_type=Path), help="File to write to.")
@click.option("--indent", type=click.IntRange(0), help="Spaces to indent by; one row on a line if not given.")
@click.option("--exclude", "-e", multiple=True, metavar="APP[.MODEL]", help="What to leave out.")
@click.option(
    "--natural-foreign", is_flag=True, help="Refer to rows by natural keys, where models have them."
)
@click.option(
    "--natural-primary", is_flag=True, help="Leave out primary keys of rows that have a natural key."
)
@click.option("--database", "using", default="default", show_default=True, help="Alias of the database.")
def command(
    labels: tuple[str, ...],
    app_spec: str | None,
    output: Path | None,
    indent: int | None,
    exclude: tuple[str, ...],
    natural_foreign: bool,
    natural_primary: bool,
    using: str,
) -> None:
    """Write the rows of all models, of apps, or of single models, as JSON that `loaddata` reads.

    All rows are those of one moment. A file that is there is replaced once everything was written.
    """
    app = load_app(app_spec)
    if not app.settings.databases:
        raise click.ClickException("the site has no database; set DATABASE_URL, e.g. sqlite:///site.sqlite3")
    try:
        left_out = {model for label in exclude for model in find_models(label)}
        chosen = [model for label in labels for model in find_models(label)] or registry.get_models()
        models = sort_models([model for model in chosen if model not in left_out])
        with _target(output) as file:
            options = {"using": using, "natural_foreign": natural_foreign, "natural_primary": natural_primary}
            count = run_async(lambda: _dump(models, file, indent, options))
    except (DatabaseError, LookupError, OSError) as exc:
        raise click.ClickException(str(exc)) from exc
    err.print(f"[green]\u2713[/] wrote {count} rows of {len(models)} models")


def find_models(label: str) -> list[type[Model]]:
    """Return the models of an app, or the one of `app.Model`.

    Raises:
        LookupError: there is none.
    """
    if "." in label:
        return [registry.get_model(label)]
    models = registry.get_models(label)
    if not models:
        known = sorted({model._meta.app_label for model in registry.get_models()})
        raise LookupError(f"no app {label!r} has models; choose from {', '.join(known) or 'none'}")
    return models


@contextmanager
def _target(output: Path | None) -> Generator[TextIO]:
    """Open what to write to; a file takes its name only when it is whole."""
    if output is None:
        yield sys.stdout
        return
    part = output.with_name(f"{output.name}.part")
    try:
        with part.open("w", encoding="utf-8") as file:
            yield file
        os.replace(part, output)
    finally:
        part.unlink(missing_ok=True)


async def _dump(models: list[type[Model]], file: TextIO, indent: int | None, options: dict[str, Any]) -> int:
    total = sum([await QuerySet(model, options["using"]).count() for model in models])
    columns = (TextColumn("Writing rows"), BarColumn(), MofNCompleteColumn())
    with Progress(*columns, console=err, transient=True, disable=not err.is_terminal) as progress:
        task = progress.add_task("", total=total)
        written = 0

        def write(item: dict[str, Any]) -> None:  # Any: values of every type
            nonlocal written
            file.write(",\n" if written else "\n")
            file.write(json.dumps(item, ensure_ascii=False, indent=indent or None))
            written += 1
            progress.update(task, completed=written)

        file.write("[")
        count = await dump_data(models, write, **options)
        file.write("\n]\n" if written else "]\n")
    return count
