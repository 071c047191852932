"""The `transom` command: one group, one file per subcommand, imported when it is called."""

from __future__ import annotations

import importlib
import sys

import click

from transom import __version__

# In the order of a site's life; the help shows them so.
COMMANDS = {
    "new": "Make a new site.",
    "run": "Serve the site for development: debug pages, reload on change.",
    "serve": "Serve an ASGI application in production.",
    "makemigrations": "Write migrations for what changed in the models.",
    "migrate": "Bring the database to the state of the migrations.",
    "inspectdb": "Print models of the tables that a database has.",
    "dumpdata": "Write rows of the database as JSON.",
    "loaddata": "Read rows from JSON files into the database.",
    "createsuperuser": "Create a user who may do everything.",
    "clearsessions": "Delete expired sessions from the database.",
    "shell": "An interpreter with await and the site's models.",
    "check": "Look for mistakes in the site without serving it.",
    "routes": "List the routes of the site.",
}


class LazyGroup(click.Group):
    """A group that imports a subcommand only when it is asked for: `transom --help` stays fast."""

    def list_commands(self, ctx: click.Context) -> list[str]:
        """Return the names in the order of COMMANDS."""
        return list(COMMANDS)

    def get_command(self, ctx: click.Context, cmd_name: str) -> click.Command | None:
        """Import and return the command, or None where there is none of this name."""
        if cmd_name not in COMMANDS:
            return None
        return importlib.import_module(f"transom.cli.commands.{cmd_name}").command

    def format_commands(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:
        """List the commands without importing them."""
        with formatter.section("Commands"):
            formatter.write_dl(list(COMMANDS.items()))

    def resolve_command(
        self, ctx: click.Context, args: list[str]
    ) -> tuple[str | None, click.Command | None, list[str]]:
        """Name the close command where one was mistyped."""
        if args and args[0] not in COMMANDS and not args[0].startswith("-"):
            from difflib import get_close_matches

            close = get_close_matches(args[0], COMMANDS, n=1)
            hint = f"did you mean {close[0]!r}?" if close else f"choose from {', '.join(COMMANDS)}"
            ctx.fail(f"no command {args[0]!r}; {hint}")
        return super().resolve_command(ctx, args)


@click.group(cls=LazyGroup, context_settings={"help_option_names": ["-h", "--help"]})
@click.version_option(__version__, prog_name="transom")
def cli() -> None:
    """Transom: an async-native web stack, from the socket to the database."""


def main() -> None:
    """Run the command line; a mistake of the user's is one line, not a traceback."""
    try:
        cli(prog_name="transom")
    except Exception as exc:
        # Only now: they take longer to import than `--help` to print.
        from transom.conf import ImproperlyConfigured
        from transom.db.exceptions import ConfigurationError

        if not isinstance(exc, ImproperlyConfigured | ConfigurationError):
            raise
        sys.exit(f"Error: {exc}")
