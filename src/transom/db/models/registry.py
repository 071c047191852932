"""All models of the process by name, and the callbacks that wait for one to be defined."""

from __future__ import annotations

from collections import defaultdict
from difflib import get_close_matches
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Callable

# Any: a model found by its name has fields that no type checker can know.
_models: dict[str, type[Any]] = {}
_waiting: dict[str, list[Callable[[type[Any]], None]]] = defaultdict(list)


def register(model: type[Any]) -> None:
    """Add a model, and tell those who waited for it.

    Raises:
        RuntimeError: another class has the same label. (The same class again, from a module run again, replaces it.)
    """
    label = model._meta.label
    other = _models.get(label.lower())
    if other is not None and (other.__module__, other.__qualname__) != (model.__module__, model.__qualname__):
        raise RuntimeError(
            f"two models are called {label!r}: {other.__module__}.{other.__qualname__} and "
            f"{model.__module__}.{model.__qualname__}; rename one, or give it another app_label in class Meta"
        )
    _models[label.lower()] = model
    for callback in _waiting.pop(label.lower(), ()):
        callback(model)


def when_defined(label: str, callback: Callable[[type[Any]], None]) -> None:
    """Call back with the model of this label: at once if it is defined, else as soon as it is."""
    model = _models.get(label.lower())
    if model is None:
        _waiting[label.lower()].append(callback)
    else:
        callback(model)


def get_model(label: str) -> type[Any]:
    """Return the model of a label such as `"polls.Question"`, in any case of letters.

    Raises:
        LookupError: there is none; the message names close ones.
    """
    try:
        return _models[label.lower()]
    except KeyError:
        known = [model._meta.label for model in _models.values()]
        close = get_close_matches(label, known, 1)
        hint = f"did you mean {close[0]!r}?" if close else f"choose from {', '.join(sorted(known)) or 'none'}"
        raise LookupError(f"no model is called {label!r}; {hint}") from None


def get_models(app_label: str | None = None) -> list[type[Any]]:
    """Return the models in the order of their definition: all, or those of one application.

    Those that many-to-many fields made are left out; see `Options.auto_created`.
    """
    return [
        model
        for model in _models.values()
        if app_label in (None, model._meta.app_label) and model._meta.auto_created is None
    ]
