"""Find the application that a target such as `mysite.app:app` names."""

from __future__ import annotations

import difflib
import importlib
import inspect
import re
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Any

from transom.server.exceptions import LoadError

if TYPE_CHECKING:
    from types import ModuleType

    from transom.server.interface import Application

_TARGET = re.compile(r"(?P<module>\w+(?:\.\w+)*):(?P<attribute>\w+(?:\.\w+)*)(?P<call>\(\))?")
_PATH = re.compile(r"(?:\./)?(?P<path>\w+(?:/\w+)*)(?:\.py|/)?(?::(?P<attribute>.*))?")


def load_application(target: str, *, factory: bool = False, app_dir: str = "") -> Application:
    """Import an application.

    Args:
        target: `module:attribute`, or `module:factory()` to call a function that takes no arguments and returns the application.
            Both sides may be dotted.
        factory: whether to call what the target names, without parentheses too.
        app_dir: directory to look for the module in before any other.

    Raises:
        LoadError: the target is malformed, or the module or attribute is not there, or it cannot be called.
        Exception: whatever the module or the factory itself raises: it is the user's traceback to read.
    """
    match = _TARGET.fullmatch(target)
    if match is None:
        raise LoadError(f"malformed target {target!r}; {_suggest_target(target)}")
    if app_dir:
        _add_directory(app_dir)
    found = _find_attribute(_import_module(match["module"], target), match["attribute"], target)
    if match["call"] or factory:
        found = _call_factory(found, target)
    if not callable(found):
        raise LoadError(
            f"{target!r} is {type(found).__name__}, which cannot be called; it must be an ASGI or WSGI application"
        )
    return found


def _suggest_target(target: str) -> str:
    """Return what was meant by a path to a file."""
    match = _PATH.fullmatch(target)
    if match is None or (match["path"] == target and "/" not in target):
        return "use module:attribute, such as mysite.app:app"
    module = match["path"].removesuffix("/__init__").replace("/", ".")
    return f"a module is named as in an import: {module}:{match['attribute'] or 'app'}"


def _add_directory(name: str) -> None:
    path = Path(name).resolve()
    if not path.is_dir():
        raise LoadError(f"--app-dir {name!r} is no directory")
    if str(path) not in sys.path:
        sys.path.insert(0, str(path))


def _import_module(name: str, target: str) -> ModuleType:
    try:
        return importlib.import_module(name)
    except ModuleNotFoundError as exc:
        # The module, or a package above it; anything else is an import of the application's own that fails.
        if exc.name is None or not f"{name}.".startswith(f"{exc.name}."):
            raise
        raise LoadError(
            f"no module {exc.name!r} for {target!r}; start from the folder that holds it, name that with --app-dir, or install it"
        ) from exc


def _find_attribute(module: ModuleType, path: str, target: str) -> Any:  # Any: whatever the module holds
    found: Any = module
    for name in path.split("."):
        try:
            found = getattr(found, name)
        except AttributeError as exc:
            raise LoadError(f"no attribute {name!r} for {target!r}; {_suggest(name, found)}") from exc
    return found


def _suggest(name: str, holder: object) -> str:
    public = (
        [each for each in vars(holder) if not each.startswith("_")] if hasattr(holder, "__dict__") else []
    )
    close = difflib.get_close_matches(name, public, n=3)
    if close:
        return f"did you mean {' or '.join(map(repr, close))}?"
    callables = [each for each in public if callable(getattr(holder, each, None))]
    return f"choose from {', '.join(callables[:10])}" if callables else "nothing there can be called"


def _call_factory(factory: Any, target: str) -> Any:  # Any: checked here
    if not callable(factory):
        raise LoadError(
            f"{target!r} calls {type(factory).__name__}, which is no function; leave out the parentheses, or --factory"
        )
    if inspect.iscoroutinefunction(factory):
        raise LoadError(
            f"{target!r} is asynchronous: an application, or a factory that must be a plain function;"
            " what has to be awaited belongs into the application's lifespan"
        )
    try:
        inspect.signature(factory).bind()
    except TypeError as exc:
        raise LoadError(
            f"{target!r} cannot be called without arguments ({exc}); leave out the parentheses, or --factory"
        ) from None
    except ValueError:
        pass  # it has no signature to look at
    made = factory()
    if made is None:
        raise LoadError(f"{target!r} returned None; a factory must return the application")
    return made
