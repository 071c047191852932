"""`transom check`: the start-up checks, without starting."""

from __future__ import annotations

import sys

import click

from transom.cli.console import out
from transom.cli.project import app_option, load_app
from transom.conf import Severity, run_checks


@click.command("check")
@app_option
@click.option("--deploy", is_flag=True, help="Also check what matters only in production.")
def command(app_spec: str | None, deploy: bool) -> None:
    """Look for mistakes in the site without serving it.

    Exits with 1 where there is an error, with 0 where there are only warnings.
    """
    app = load_app(app_spec)
    messages = [*app.check(), *run_checks(app.settings, deploy=deploy)]
    for message in messages:
        out.print(str(message), markup=False)
    errors = sum(message.severity >= Severity.ERROR for message in messages)
    out.print(f"{errors} errors, {len(messages) - errors} warnings" if messages else "No mistakes found.")
    sys.exit(1 if errors else 0)
