"""Which application a command is about: named on the command line, in the environment or in pyproject.toml."""

from __future__ import annotations

import asyncio
import os
import sys
import tomllib
from pathlib import Path
from typing import TYPE_CHECKING, Any, TypeVar

import click

from transom.server import LoadError, load_application

if TYPE_CHECKING:
    from collections.abc import Callable, Coroutine

    from transom.web import App

T = TypeVar("T")

app_option = click.option(
    "--app",
    "app_spec",
    metavar="MODULE:APP",
    envvar="TRANSOM_APP",
    help="The application; default: `app` under [tool.transom] in pyproject.toml, else app:app.",
)


def find_app(spec: str | None) -> str:
    """Return the `module:attribute` of the application, and make its folder importable.

    Raises:
        click.UsageError: nothing names an application.
    """
    here = Path.cwd()
    if str(here) not in sys.path:
        sys.path.insert(0, str(here))
    found = spec or _from_pyproject(here / "pyproject.toml") or _from_files(here)
    if found is None:
        raise click.UsageError(
            "which application? name it as MODULE:APP, set TRANSOM_APP, or put\n\n"
            '    [tool.transom]\n    app = "module:app"\n\n'
            f"into {here / 'pyproject.toml'}; `transom new NAME` makes a site with all of it"
        )
    return found


def load_app(spec: str | None) -> App:
    """Import the site's application and return it.

    Raises:
        click.ClickException: it cannot be imported, or is an ASGI application of another framework.
    """
    from transom.conf import ImproperlyConfigured  # here, for `transom serve` needs none of them
    from transom.db.exceptions import ConfigurationError
    from transom.web import App

    target = find_app(spec)
    try:
        app = load_application(target)
    except (LoadError, ImproperlyConfigured, ConfigurationError) as exc:
        raise click.ClickException(str(exc)) from exc
    if not isinstance(app, App):
        raise click.ClickException(
            f"{target} is {type(app).__name__}, expected a transom.web.App; "
            "other ASGI applications can be served with `transom serve`"
        )
    return app


def run_async(
    function: Callable[[], Coroutine[Any, Any, T]],
) -> T:  # Any: what a coroutine yields is its loop's business
    """Run a coroutine function on a new loop, then close the databases it opened."""

    async def run() -> T:
        from transom.db import connections

        try:
            return await function()
        finally:
            await connections.aclose()

    return asyncio.run(run())


def enter_development() -> None:
    """Turn debug on for this process and its children, unless the environment says otherwise."""
    os.environ.setdefault("TRANSOM_DEBUG", "true")


def _from_pyproject(path: Path) -> str | None:
    if not path.is_file():
        return None
    try:
        tables = tomllib.loads(path.read_text(encoding="utf-8"))
    except tomllib.TOMLDecodeError as exc:
        raise click.ClickException(f"{path} is not valid TOML: {exc}") from exc
    app = tables.get("tool", {}).get("transom", {}).get("app")
    if app is not None and not isinstance(app, str):
        raise click.ClickException(
            f"{path}: app under [tool.transom] is {app!r}, expected text like 'module:app'"
        )
    return app


def _from_files(folder: Path) -> str | None:
    return next((f"{name}:app" for name in ("app", "main") if (folder / f"{name}.py").is_file()), None)
