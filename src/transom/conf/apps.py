"""The registry of installed apps: packages that bring models, templates, static files and migrations.

The registry is one per process, as modules are. `populate` adds to it; nothing else changes it.
"""

from __future__ import annotations

import importlib
import importlib.util
from dataclasses import dataclass
from difflib import get_close_matches
from pathlib import Path
from typing import TYPE_CHECKING

from transom.conf.exceptions import ImproperlyConfigured

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator
    from types import ModuleType


@dataclass(frozen=True, slots=True)
class AppConfig:
    """One installed app.

    Attributes:
        name: dotted name of the package, e.g. `"site.polls"`.
        label: last part of the name, unique in the site: the prefix of table names and migrations.
        path: folder of the package.
    """

    name: str
    label: str
    path: Path


_app_configs: dict[str, AppConfig] = {}


def populate(names: Iterable[str]) -> None:
    """Import each app and then its `models` module, if it has one; apps already known are left alone.

    Raises:
        ImproperlyConfigured: an app cannot be found, is no package, or has the label of another.
    """
    added = [
        _load(name) for name in dict.fromkeys(names) if name not in {c.name for c in _app_configs.values()}
    ]
    for config in added:
        if importlib.util.find_spec(f"{config.name}.models") is not None:
            importlib.import_module(f"{config.name}.models")


def get_app_configs() -> tuple[AppConfig, ...]:
    """Return the installed apps in the order of their installation."""
    return tuple(_app_configs.values())


def get_app_config(label: str) -> AppConfig:
    """Return the app of this label.

    Raises:
        LookupError: there is none; the message names the labels there are.
    """
    try:
        return _app_configs[label]
    except KeyError:
        close = get_close_matches(label, _app_configs, n=1)
        hint = (
            f"did you mean {close[0]!r}?"
            if close
            else f"choose from {', '.join(_app_configs) or 'none: installed_apps is empty'}"
        )
        raise LookupError(f"no installed app has the label {label!r}; {hint}") from None


def get_containing_app_config(module: str) -> AppConfig | None:
    """Return the app whose package holds the module of this dotted name; the innermost where they nest."""
    for name in _ancestors(module):
        for config in _app_configs.values():
            if config.name == name:
                return config
    return None


def _ancestors(module: str) -> Iterator[str]:
    parts = module.split(".")
    for length in range(len(parts), 0, -1):
        yield ".".join(parts[:length])


def _load(name: str) -> AppConfig:
    module = _import_app(name)
    if not hasattr(module, "__path__"):
        raise ImproperlyConfigured(
            f"installed app {name!r} is a single module; an app is a package (a folder)"
        )
    label = name.rpartition(".")[2]
    other = _app_configs.get(label)
    if other is not None:
        raise ImproperlyConfigured(
            f"installed apps {other.name!r} and {name!r} share the label {label!r}; rename one"
        )
    # A namespace package has no __file__; its first folder is where its files are.
    config = AppConfig(name=name, label=label, path=Path(next(iter(module.__path__))))
    _app_configs[label] = config
    return config


def _import_app(name: str) -> ModuleType:
    try:
        return importlib.import_module(name)
    except ModuleNotFoundError as exc:
        # The app itself is missing; a missing import inside it is an error of its own, shown as it is.
        if exc.name is not None and (name == exc.name or name.startswith(f"{exc.name}.")):
            raise ImproperlyConfigured(
                f"installed app {name!r} cannot be found; check the spelling and that its folder is importable"
            ) from exc
        raise
