"""Examples of what Django's documentation shows, as functions that run with Django and with us, and what they come to.

    examples = Examples(__file__)

    @examples.of("filter()", gives=["Moon phases"])
    def conditions_in_one_call_must_all_hold(m):
        return m.Entry.objects.filter(published__year=2024, headline__startswith="M")

`m` has the names of one framework: its models of `weblog.py`, and what its `models` and `functions` have. Where an
example needs a result to go on with, it yields what is to be awaited: `entry = yield m.Entry.objects.get(pk=1)`; Django
has it already. What comes out is compared by `repr`, with an object as its `str`, so types count.

Nothing here imports either framework before an example is run. Names that an example is of stand in `documented_names.txt`.
"""

from __future__ import annotations

import functools
import inspect
import os
import pickle
import subprocess
import sys
from collections.abc import Callable, Generator, Iterator, Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime
from decimal import Decimal
from pathlib import Path
from types import SimpleNamespace
from typing import TYPE_CHECKING, Any

from weblog import make_models, make_rows

if TYPE_CHECKING:
    from transom.db.backends.base import Backend

Function = Callable[[Any], Any]  # Any: the names of a framework; whatever comes out

HERE = Path(__file__).parent
VENDORS = ("sqlite", "postgresql", "mysql")
_SAME: Any = object()  # Any: where a result of any type stands


@dataclass(frozen=True)
class Raises:
    """What comes out of an example that ends with an error of this name, or of a class that derives from it."""

    name: str
    names: tuple[str, ...] = field(default=(), compare=False)  # of the classes of the error that came

    @classmethod
    def from_error(cls, error: Exception) -> Raises:
        return cls(str(error), tuple(each.__name__ for each in type(error).__mro__))

    def __repr__(self) -> str:
        return f"Raises({self.name!r})" if not self.names else f"{self.names[0]}: {self.name}"


Outcome = Raises | str  # the repr of a result


@dataclass(frozen=True)
class Example:
    """One use of something that Django documents.

    Attributes:
        names: what it shows, as in `documented_names.txt`.
        gives: what it comes to with us.
        django: what it comes to with Django.
        because: why the two differ, for readers.
        on: the databases that have the feature; Django is asked on SQLite.
        since: the version of Django that has it, (major, minor).
    """

    names: tuple[str, ...]
    run: Function
    gives: Any
    django: Any
    because: str
    on: tuple[str, ...]
    since: tuple[int, int]

    @property
    def label(self) -> str:
        return self.run.__name__


class Examples:
    """The examples of one test module, whose path it is made with."""

    def __init__(self, path: str) -> None:
        self.path = path
        self.all: list[Example] = []

    def of(
        self,
        *names: str,
        gives: Any,
        django: Any = _SAME,
        because: str = "",
        on: tuple[str, ...] = VENDORS,
        since: tuple[int, int] = (5, 2),
    ) -> Callable[[Function], Function]:
        """Take a function as an example; see `Example`. What Django gives is the same unless said, with a reason."""
        assert (django is _SAME) == (not because), f"say why Django differs in {names}"

        def take(run: Function) -> Function:
            assert all(each.label != run.__name__ for each in self.all), f"{run.__name__} is there twice"
            same = gives if django is _SAME else django
            self.all.append(Example(names, run, gives, same, because, on, since))
            return run

        return take

    async def check(self, database: Backend) -> None:
        """Fail with all that comes out with us on a database and is not what is written."""
        names = await fill(database)
        wrong: list[str] = []
        for example in self.all:
            if database.vendor in example.on:
                wrong += disagreement(example, example.gives, await run_ours(example, names))
        assert not wrong, "\n".join(wrong)

    def check_django(self) -> None:
        """Fail with all that comes out with Django and is not what is written."""
        (version, outcomes) = answers_of_django(self.path)
        wrong: list[str] = []
        for example in self.all:
            if "sqlite" in example.on and example.since <= version:
                wrong += disagreement(example, example.django, outcomes[example.label])
        assert not wrong, "\n".join(wrong)


def disagreement(example: Example, expected: Any, outcome: Outcome) -> list[str]:
    """Return a description of how an outcome is not as expected, if so."""
    if isinstance(expected, Raises) and isinstance(outcome, Raises):
        agrees = expected.name in outcome.names
    else:
        agrees = repr(plain(expected)) == outcome
    return [] if agrees else [f"{example.label}\n  written {expected!r}\n  found   {outcome}"]


def plain(result: Any) -> Any:
    """Return a result in a form that prints the same with both frameworks: objects become their str."""
    match result:
        case bool() | None | int() | bytes():
            return result
        case str():
            return str(result)  # a choice too
        case float():
            return round(result, 4)
        case Decimal():
            return round(result, 4).normalize()
        case datetime() if result.tzinfo is not None:
            return result.astimezone(UTC)
        case tuple():
            return tuple(map(plain, result))
        case list():
            return list(map(plain, result))
        case dict():
            return {key: plain(value) for key, value in result.items()}
        case _ if hasattr(result, "_meta"):
            return str(result)
        case _:
            return result


# -- with us


async def fill(database: Backend) -> SimpleNamespace:
    """Make the tables and rows, and return the names that examples have."""
    from transom.db import create_tables, exceptions, models
    from transom.db.models import functions

    made = our_models()
    await create_tables(*made.values())
    for name, rows in make_rows():
        model = functools.reduce(getattr, name.split("."), SimpleNamespace(**made))
        model = getattr(model, "through", model)
        await model.objects.bulk_create([model(**row) for row in rows])

    async def load(instance: Any, *names: str) -> None:
        await instance.load(*names)

    return SimpleNamespace(
        **{
            **vars(exceptions),
            **vars(models),
            **vars(functions),
            **made,
            "load": load,
            "vendor": database.vendor,
        }
    )


@functools.cache
def our_models() -> dict[str, Any]:
    from transom.db import models

    return make_models(models)


async def run_ours(example: Example, names: SimpleNamespace) -> Outcome:
    """Return what an example comes to; nothing that it writes stays."""
    from transom.db.transaction import atomic

    class Undo(Exception):
        pass

    outcome: Outcome = ""
    try:
        async with atomic():
            try:
                outcome = repr(plain(await drive(example.run(names))))
            except Exception as error:
                outcome = Raises.from_error(error)
            raise Undo
    except Undo:
        return outcome


async def drive(result: Any) -> Any:
    """Await what an example came to, and what it yields on the way."""
    if not inspect.isgenerator(result):
        return await result if inspect.isawaitable(result) else result
    steps: Generator[Any, Any, Any] = result
    try:
        wanted = next(steps)
        while True:
            try:
                found = await drive(wanted)
            except Exception as error:
                wanted = steps.throw(error)
            else:
                wanted = steps.send(found)
    except StopIteration as end:
        return await drive(end.value)


# -- with Django


@functools.cache
def answers_of_django(path: str) -> tuple[tuple[int, int], Mapping[str, Outcome]]:
    """Return the version of Django, and what it gives for the examples of a module, by their labels."""
    return _ask_django(path)


def names_of_django() -> set[str]:
    """Return what Django has of the names in `documented_names.txt`."""
    return _ask_django()


def _ask_django(*arguments: str) -> Any:  # Any: what the program writes
    """Run `oracle_examples.py`; TRANSOM_TEST_DJANGO names the Python, if another has another Django and pytest."""
    python = os.environ.get("TRANSOM_TEST_DJANGO", sys.executable)
    done = subprocess.run(
        [python, str(HERE / "oracle_examples.py"), *arguments], check=True, capture_output=True
    )
    return pickle.loads(done.stdout)


# -- what there is to show


def documented() -> Iterator[str]:
    """Yield the names of `documented_names.txt`."""
    for line in (HERE / "documented_names.txt").read_text().splitlines():
        if not line.startswith("#"):
            yield from line.split()
