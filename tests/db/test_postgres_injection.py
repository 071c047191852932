"""Hostile names and values beside arrays and ranges: values are arguments, and names are known or refused."""

from __future__ import annotations

import asyncio
import random
from collections.abc import Iterator
from typing import Any, Protocol

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from transom.db import DataError, FieldError, connections, models
from transom.db.backends.base import Backend
from transom.db.models.query.plans import PLANS
from transom.db.postgres import ArrayAgg, ArrayField, IntegerRangeField, Range
from transom.db.postgres.text import quote, write_array

FRAGMENTS = [
    "'; DROP TABLE thing; --", '"', "\\", "{", "}", ",", "NULL", "null", "$1", "%s", "?", ":p0", "{}", "[", "]", "(", ")",
    "::text", "'", "\n", "\t", " ", "\u202e", "\\'", '\\"', "}','{", "empty", "x" * 500,
]  # fmt: skip
hostile_text = st.one_of(
    st.lists(st.sampled_from(FRAGMENTS), min_size=1, max_size=4).map("".join),
    st.text(st.characters(exclude_categories=("Cs",), exclude_characters="\0"), max_size=30),
)


class HostileThing(models.Model):
    tags = ArrayField(models.TextField(), default=list)
    board = ArrayField(ArrayField(models.TextField()), default=list)
    ages = IntegerRangeField(null=True)


class Recorder:
    """An executor that notes statements and has no rows."""

    alias = "default"
    vendor = "postgresql"

    def __init__(self) -> None:
        self.statements: list[tuple[str, tuple[Any, ...]]] = []

    async def fetch(self, sql: str, args: Any = ()) -> list[Any]:
        self.statements.append((sql, tuple(args)))
        return []


class Ask(Protocol):
    def __call__(self, query: Any) -> list[tuple[str, tuple[Any, ...]]]: ...


@pytest.fixture(scope="module")
def ask() -> Iterator[Ask]:
    """A function that returns the statements of a query."""
    PLANS.clear()
    with asyncio.Runner() as runner:

        async def note(query: Any, recorder: Any) -> None:
            connections.substitute("default", recorder)
            try:
                await query
            finally:
                connections.substitute("default", None)

        def ask(query: Any) -> list[tuple[str, tuple[Any, ...]]]:
            recorder = Recorder()
            runner.run(note(query, recorder))
            return recorder.statements

        yield ask
    PLANS.clear()


@settings(max_examples=100)
@given(
    stem=st.sampled_from(
        ["tags__", "tags__0_", "tags__len__", "board__0__", "ages__", "ages__startswith__", "tags__0__"]
    ),
    rest=hostile_text.filter(lambda text: bool(text.strip("_")) and not text.isdecimal()),
    method=st.sampled_from(["filter", "values", "order_by", "aggregate"]),
)
def test_a_hostile_place_or_part_is_refused_before_any_sql(
    ask: Ask, stem: str, rest: str, method: str
) -> None:
    statements: list[Any] = []
    name = stem + rest
    things = HostileThing.objects
    with pytest.raises((FieldError, TypeError)):
        match method:
            case "filter":
                statements = ask(things.filter(**{name: ["x"]}))
            case "values":
                statements = ask(things.values(name))
            case "order_by":
                statements = ask(things.order_by(name))
            case _:
                statements = ask(things.annotate(found=ArrayAgg(name)))
    assert statements == []


@pytest.mark.parametrize(
    "name", ["tags__²", "tags__٣", "tags__0_٣", "tags__+1", "tags__1e3", "tags__0x1", "tags__ 1"]
)
def test_only_plain_digits_are_places(ask: Ask, name: str) -> None:
    with pytest.raises(FieldError):
        ask(HostileThing.objects.filter(**{name: "x"}))


@settings(max_examples=100)
@given(text=hostile_text, use=st.sampled_from(["contains", "overlap", "exact", "in", "0", "0_2"]))
def test_a_hostile_value_travels_as_an_argument(ask: Ask, text: str, use: str) -> None:
    def query(value: str) -> Any:
        values: Any = {"in": [[value], ["y", value]], "0": value}.get(use, [value, value])
        return HostileThing.objects.filter(**{f"tags__{use}": values}).exclude(board__contains=[[value]])

    (sql, arguments), (harmless, others) = ask(query(text))[0], ask(query("x"))[0]
    assert sql == harmless
    assert len(arguments) == len(others)


def test_texts_with_nul_are_refused(ask: Ask) -> None:
    with pytest.raises(DataError, match="NUL"):
        ask(HostileThing.objects.filter(tags__contains=["a\0b"]))


@pytest.mark.parametrize("value", [Range("1,5) OR (1"), Range("1", "5"), "[1,5)", Range(1.5, 2.5)])
def test_bounds_that_are_no_numbers_are_refused(ask: Ask, value: Any) -> None:
    with pytest.raises(FieldError):
        ask(HostileThing.objects.filter(ages__overlap=value))


@pytest.mark.parametrize(
    "database_url", [pytest.param("postgresql", marks=pytest.mark.postgres)], indirect=True
)
async def test_postgresql_reads_hostile_texts_as_they_are(database: Backend) -> None:
    draw = random.Random(3)
    lists = [
        [
            None if draw.random() < 0.1 else "".join(draw.choices(FRAGMENTS, k=draw.randrange(4)))
            for _ in range(draw.randrange(5))
        ]
        for _ in range(400)
    ]
    texts = [write_array(each, quote) for each in lists]
    rows = await database.fetch(
        "SELECT CAST(t AS text[]) FROM unnest($1::text[]) WITH ORDINALITY AS r(t, n) ORDER BY n", (texts,)
    )
    assert [row[0] for row in rows] == lists
