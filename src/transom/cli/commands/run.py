"""`transom run`: serve the site for development."""

from __future__ import annotations

import sys

import click

from transom.cli.project import enter_development, find_app
from transom.server import Config, run


@click.command("run")
@click.argument("app", required=False, metavar="[MODULE:APP]", envvar="TRANSOM_APP")
@click.option("--host", default="127.0.0.1", show_default=True, help="Address to listen on.")
@click.option(
    "--port", default=8000, show_default=True, type=click.IntRange(0, 65535), help="Port; 0 picks a free one."
)
@click.option("--reload/--no-reload", default=True, show_default=True, help="Restart when a file changes.")
def command(app: str | None, host: str, port: int, reload: bool) -> None:
    """Serve the site for development: debug pages, reload on change.

    MODULE:APP defaults to `app` under [tool.transom] in pyproject.toml, else app:app. Not for production: error pages
    show source code. Use `transom serve` there.
    """
    enter_development()
    sys.exit(run(find_app(app), Config(host=host, port=port, reload=reload)))
