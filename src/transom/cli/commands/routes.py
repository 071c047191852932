"""`transom routes`: what the site answers to."""

from __future__ import annotations

from typing import TYPE_CHECKING
from urllib.parse import unquote, urlsplit

import click

from transom.cli.console import err, out, print_lines, print_table
from transom.cli.project import app_option, load_app

if TYPE_CHECKING:
    from transom.web.urls import RouteInfo, URLconf

COLUMNS = ("host", "path", "kind", "methods", "name", "view")


@click.command("routes")
@click.argument("text", required=False, default="")
@app_option
@click.option("--method", "-m", help="Only routes that answer this method.")
@click.option("--host", help="Only routes that this host reaches, e.g. acme.example.com.")
@click.option("--kind", type=click.Choice(["http", "websocket", "mount"]), help="Only routes of this kind.")
@click.option(
    "--match", "url", metavar="PATH", help="The one route that answers a path, with --method and --host."
)
def command(
    text: str, app_spec: str | None, method: str | None, host: str | None, kind: str | None, url: str | None
) -> None:
    """List the routes of the site, in the order of the URLconf.

    TEXT: only those that have it in their host, path, name or view.

    A terminal gets a table; anything else gets a line for each route, its columns separated by tabs: host, path, kind,
    methods, name, view. What is empty is a hyphen. The exit code is 1 where there is none.
    """
    urlconf = load_app(app_spec).urlconf
    method, host = (method or "").upper(), (host or "").lower()
    routes = _answering(urlconf, url, method or "GET", host) if url is not None else urlconf.routes()
    chosen = [
        route
        for route in routes
        if _is_chosen(route, text, method, kind) and (not host or urlconf.is_reached(route, host))
    ]
    rows = [tuple(cell or "-" for cell in _cells(route)) for route in chosen]
    if not rows:
        err.print("no such route")
        raise SystemExit(1)
    if out.is_terminal:
        print_table("Routes", COLUMNS, rows)
    else:
        print_lines(rows)


def _cells(route: RouteInfo) -> tuple[str, ...]:
    return route.host, route.pattern, route.kind, ",".join(route.methods), route.name, route.target


def _is_chosen(route: RouteInfo, text: str, method: str, kind: str | None) -> bool:
    searched = (route.host + route.pattern, route.name, route.target)
    return (
        any(text.lower() in each.lower() for each in searched)
        and (not method or not route.methods or method in route.methods)
        and kind in (None, route.kind)
    )


def _answering(urlconf: URLconf, url: str, method: str, host: str) -> list[RouteInfo]:
    from transom.web.urls.listing import describe

    match = urlconf.resolve(unquote(urlsplit(url).path), method, host)
    return [] if match is None else [describe(match.matched)]
