"""A program that runs the examples of a test module with Django: it writes a pickle of the version and the outcomes."""

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


def main() -> None:
    warnings.simplefilter("error")
    names = fill()
    outcomes: dict[str, Outcome] = {}
    for example in load_examples(sys.argv[1]).all:
        if "sqlite" in example.on and example.since <= django.VERSION[:2]:
            outcomes[example.label] = run(example, names)
    sys.stdout.buffer.write(pickle.dumps((django.VERSION[:2], outcomes)))


main()
