"""`transom serve`: serve any ASGI application in production."""

from __future__ import annotations

import sys
from typing import TYPE_CHECKING, Any

import click

from transom.cli.project import find_app
from transom.server import Config, run

if TYPE_CHECKING:
    from transom.server.config import Option


def _to_click(option: Option) -> click.Option:
    """Return the flag of a server option: name, default, help and environment variable are declared there."""
    kind = click.Choice(option.choices) if option.choices else option.type
    return click.Option(
        [*(flag for flag in option.flags), option.name],
        type=None if option.type is bool else kind,
        default=option.default,
        multiple=option.multiple,
        envvar=option.environment,
        show_envvar=True,
        show_default=option.default not in ((), None, ""),
        help=option.help,
    )


@click.command("serve", params=[_to_click(option) for option in Config.options()])
@click.argument("app", required=False, metavar="[MODULE:APP]", envvar="TRANSOM_APP")
def command(
    app: str | None, **options: Any
) -> None:  # Any: each option has a type of its own, checked by Config
    """Serve an ASGI application: Transom's, Starlette's, FastAPI's, Django's or any other.

    MODULE:APP defaults to `app` under [tool.transom] in pyproject.toml, else app:app. Exits with 0 after a stop that was
    asked for, with 3 where the application did not start.
    """
    try:
        config = Config(**options)
    except ValueError as exc:
        raise click.UsageError(str(exc)) from exc
    sys.exit(run(find_app(app), config))
