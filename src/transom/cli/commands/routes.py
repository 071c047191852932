"""`transom routes`: what the site answers to."""

from __future__ import annotations

import click

from transom.cli.console import print_table
from transom.cli.project import app_option, load_app


@click.command("routes")
@app_option
def command(app_spec: str | None) -> None:
    """List the routes of the site, in the order of the URLconf."""
    app = load_app(app_spec)
    rows = [
        (route.pattern, route.kind, ", ".join(route.methods), route.name, route.target)
        for route in app.urlconf.routes()
    ]
    print_table("Routes", ("path", "kind", "methods", "name", "view"), rows)
