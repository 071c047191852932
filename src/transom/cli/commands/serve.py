"""`transom serve`: serve any ASGI or WSGI application in production."""

from __future__ import annotations

import os
import sys
from itertools import groupby
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from transom.cli.project import find_app
from transom.server import Config, run
from transom.server.env_file import load_env_file
from transom.server.exceptions import ConfigError
from transom.server.option_sources import (
    CONFIG_VARIABLE,
    ConfigFile,
    build_config,
    read_command_line,
    read_config_file,
    read_environment,
)

if TYPE_CHECKING:
    from collections.abc import Iterable

    from transom.server import Option

_METAVARS = {str: "TEXT", int: "NUMBER", float: "NUMBER"}


class UsageMistake(click.ClickException):
    """A mistake in the options: one line, and the exit code of a wrong usage."""

    exit_code = 2


class ServeCommand(click.Command):
    """The command with the options of the server, listed in their groups."""

    def parse_args(self, ctx: click.Context, args: list[str]) -> list[str]:
        """Parse, and keep the arguments as they were typed."""
        ctx.meta["transom.arguments"] = list(args)
        return super().parse_args(ctx, args)

    def format_options(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:
        """List the options under their headings."""
        for group, options in groupby(Config.options(), key=lambda option: option.group):
            with formatter.section(group):
                formatter.write_dl([(_describe_flags(option), _describe(option)) for option in options])
        names = {option.name for option in Config.options()}
        others = [
            each for each in self.get_params(ctx) if isinstance(each, click.Option) and each.name not in names
        ]
        with formatter.section("Configuration"):
            formatter.write_dl([record for each in others if (record := each.get_help_record(ctx))])


def _describe_flags(option: Option) -> str:
    """Return the flags as a manual has them: short ones first, then what follows."""
    if option.type is bool:
        return option.flags[0].partition("/")[0].replace("--", "--[no-]")
    flags = sorted(option.flags, key=lambda flag: flag.startswith("--"))
    return f"{', '.join(flags)} {'|'.join(option.choices) or _METAVARS[option.type]}"


def _describe(option: Option) -> str:
    if option.default in ((), None, ""):
        return option.help
    default: Any = option.default  # Any: of the option's type
    if option.type is bool:
        default = "on" if default else "off"
    elif option.type is float:
        default = f"{default:g}"
    elif option.multiple:
        default = " ".join(default)
    return f"{option.help} [{default}]"


def _to_click(option: Option) -> click.Option:
    """Return the flag of a server option, which hands its text on: types are checked where other sources are read, too."""
    return click.Option(
        [*option.flags, option.name],
        type=None if option.type is bool else str,
        default=None,
        multiple=option.multiple,
    )


@click.command(
    "serve",
    cls=ServeCommand,
    params=[_to_click(option) for option in Config.options()],
    context_settings={"max_content_width": 110},
)
@click.option(
    "--config",
    "-c",
    "config_file",
    metavar="FILE",
    help=f"TOML file with options, also {CONFIG_VARIABLE}; default: [tool.transom.serve] of pyproject.toml.",
)
@click.argument("app", required=False, metavar="[MODULE:APP]")
@click.pass_context
def command(
    ctx: click.Context, app: str | None, config_file: str | None, **options: Any
) -> None:  # Any: text, bools and tuples, checked below
    """Serve an ASGI or WSGI application: Transom's, Starlette's, FastAPI's, Django's, Flask's or any other.

    MODULE:APP defaults to TRANSOM_APP, then to `app` in the file of options or under [tool.transom] in pyproject.toml, else to
    app:app. Exits with 0 after a stop that was asked for, with 2 where an option is wrong, with 3 where the application did not
    start.

    Each option can also be set in the environment, --log-level as TRANSOM_SERVE_LOG_LEVEL, and in a TOML file, as log-level =
    "info". The command line wins over the environment, and that over the file. Durations are seconds, sizes are bytes.
    """
    try:
        file, config = _read_options(options, config_file, ctx.meta["transom.arguments"])
    except ConfigError as exc:
        raise UsageMistake(str(exc)) from exc
    sys.exit(run(find_app(app or os.environ.get("TRANSOM_APP") or file.app), config))


def _read_options(
    options: dict[str, Any], config_file: str | None, arguments: Iterable[str]
) -> tuple[ConfigFile, Config]:  # Any: as in command
    command_line = read_command_line(options, arguments)
    file = _read_file(config_file or os.environ.get(CONFIG_VARIABLE))
    environment = read_environment(os.environ)
    sources = command_line, environment, file.source
    env_file = next((source["env_file"].value for source in sources if "env_file" in source), None)
    if env_file is not None:
        load_env_file(env_file, os.environ)
        environment = read_environment(os.environ)
    return file, build_config(command_line, environment, file.source)


def _read_file(path: str | None) -> ConfigFile:
    found = Path(path or "pyproject.toml")
    return read_config_file(found) if path or found.is_file() else ConfigFile({}, None)
