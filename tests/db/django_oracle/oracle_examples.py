"""A program that runs the examples of a test module with Django: it writes a pickle of the version and the outcomes.

Without a module it writes a pickle of the names that this Django has.
"""

from __future__ import annotations

import functools
import importlib.util
import inspect
import pickle
import sys
import warnings
from types import SimpleNamespace
from typing import Any

import django
from django.conf import settings
from django_examples import Example, Examples, Outcome, Raises, plain
from weblog import make_models, make_rows

settings.configure(
    INSTALLED_APPS=[
        "weblog"
    ],  # Django follows relations backwards only between installed apps: any module is one
    DATABASES={"default": {"ENGINE": "django.db.backends.sqlite3", "NAME": ":memory:"}},
    USE_TZ=True,
    TIME_ZONE="UTC",
    DEFAULT_AUTO_FIELD="django.db.models.BigAutoField",
)
django.setup()

from django import db  # noqa: E402  Django wants its settings before
from django.core import exceptions  # noqa: E402
from django.db import connection, models, transaction  # noqa: E402
from django.db.models import functions  # noqa: E402


def load_examples(path: str) -> Examples:
    spec = importlib.util.spec_from_file_location("examples", path)
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module.examples


def fill() -> SimpleNamespace:
    made = make_models(models)
    with connection.schema_editor() as editor:
        for model in made.values():
            editor.create_model(model)
    for name, rows in make_rows():
        model: Any = functools.reduce(getattr, name.split("."), SimpleNamespace(**made))
        model = getattr(model, "through", model)
        model.objects.bulk_create([model(**row) for row in rows])
    return SimpleNamespace(
        **{
            **vars(exceptions),
            **vars(db),
            **vars(models),
            **vars(functions),
            **made,
            "load": lambda *_: None,  # reading an attribute loads
            "vendor": "sqlite",
        }
    )


def take(wanted: Any) -> Any:
    """Return what awaiting comes to with us: a list for a queryset."""
    if inspect.isgenerator(wanted):
        return drive(wanted)
    return list(wanted) if isinstance(wanted, models.QuerySet) else wanted


def drive(steps: Any) -> Any:
    try:
        wanted = next(steps)
        while True:
            try:
                found = take(wanted)
            except Exception as error:
                wanted = steps.throw(error)
            else:
                wanted = steps.send(found)
    except StopIteration as end:
        return take(end.value)


def run(example: Example, names: SimpleNamespace) -> Outcome:
    with transaction.atomic():
        try:
            return repr(plain(take(example.run(names))))
        except Exception as error:
            return Raises.from_error(error)
        finally:
            transaction.set_rollback(True)


UNDOCUMENTED = {"complex_filter", "query", "resolve_expression"}


def names_of_django() -> set[str]:
    """Return what this Django has of the names in `documented_names.txt`: of querysets, lookups, aggregates and functions."""
    public = {name for name in dir(models.QuerySet) if name[0] != "_"} - UNDOCUMENTED
    methods = {name for name in public if not (name[0] == "a" and name[1:] in public)}
    fields = (models.CharField, models.DateTimeField, models.TimeField)
    return {
        *(f"{name}()" if callable(getattr(models.QuerySet, name)) else name for name in methods),
        *(lookup for field in fields for lookup in field.get_lookups()),
        *(
            f"json.{lookup}"
            for lookup in models.JSONField.get_lookups()
            if lookup.startswith(("has_", "contain"))
        ),
        *(f"RelatedManager.{name}()" for name in ("add", "create", "remove", "clear", "set")),
    }


def main() -> None:
    warnings.simplefilter("error")
    if len(sys.argv) == 1:
        sys.stdout.buffer.write(pickle.dumps(names_of_django()))
        return
    names = fill()
    outcomes: dict[str, Outcome] = {}
    for example in load_examples(sys.argv[1]).all:
        if "sqlite" in example.on and example.since <= django.VERSION[:2]:
            outcomes[example.label] = run(example, names)
    sys.stdout.buffer.write(pickle.dumps((django.VERSION[:2], outcomes)))


main()
