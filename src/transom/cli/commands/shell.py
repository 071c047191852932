"""`transom shell`: an interpreter with await and the site's models."""

from __future__ import annotations

import ast
import asyncio
import code
import contextlib
import importlib
import inspect
import sys
from types import CodeType, FunctionType
from typing import TYPE_CHECKING, Any

import click

from transom import __version__
from transom.cli.project import app_option, load_app

if TYPE_CHECKING:
    from transom.web import App

Namespace = dict[str, Any]  # Any: an interpreter's names hold anything


@click.command("shell")
@app_option
@click.option(
    "-c",
    "--command",
    "source",
    metavar="CODE",
    help="Run this code and exit; `await` works at its top level.",
)
def command(app_spec: str | None, source: str | None) -> None:
    """An interpreter with await and the site's models.

    The models of the installed apps are imported by name, and so are `app`, `settings`, `atomic`, `F` and `Q`.
    """
    namespace = build_namespace(load_app(app_spec))
    with asyncio.Runner() as runner:
        console = AsyncConsole(namespace, runner)
        try:
            sys.exit(console.run_source(source) if source is not None else console.run_interactively())
        finally:
            runner.run(_close_databases())


def build_namespace(app: App) -> Namespace:
    """Return the names the interpreter starts with; where two models share a name, the first app's wins."""
    from transom.db import F, Q, atomic
    from transom.db.models import registry

    namespace: Namespace = {model.__name__: model for model in reversed(registry.get_models())}
    namespace |= {"app": app, "settings": app.settings, "atomic": atomic, "F": F, "Q": Q, "asyncio": asyncio}
    return namespace


class AsyncConsole(code.InteractiveConsole):
    """An interpreter that awaits what it is told to, on one loop that runs while a statement does."""

    def __init__(self, namespace: Namespace, runner: asyncio.Runner) -> None:
        super().__init__(namespace)
        self.compile.compiler.flags |= ast.PyCF_ALLOW_TOP_LEVEL_AWAIT
        self._runner = runner
        self._failed = False

    def runcode(self, code: CodeType) -> None:
        """Run one compiled statement; what it raises is shown, only SystemExit leaves."""
        try:
            result = FunctionType(code, self.locals)()  # type: ignore[arg-type]  # locals is our own dict
            if inspect.iscoroutine(result):
                self._runner.run(result)
        except SystemExit:
            raise
        except BaseException:
            self._failed = True
            self.showtraceback()

    def run_source(self, source: str) -> int:
        """Run a whole program and return its exit code: 1 where it raised."""
        try:
            compiled = compile(source, "<command>", "exec", flags=ast.PyCF_ALLOW_TOP_LEVEL_AWAIT)
        except SyntaxError:
            self.showsyntaxerror("<command>")
            return 1
        self.runcode(compiled)
        return int(self._failed)

    def run_interactively(self) -> int:
        """Read and run statements until the end of input."""
        with contextlib.suppress(ImportError):  # line editing, where the platform has it
            importlib.import_module("readline")  # importing it is what turns it on
        names = ", ".join(name for name in self.locals if not name.startswith("__"))
        self.interact(
            banner=f"Transom {__version__}, Python {sys.version.split()[0]}; await works here.\nNames: {names}",
            exitmsg="",
        )
        return 0


async def _close_databases() -> None:
    from transom.db import connections

    await connections.aclose()
