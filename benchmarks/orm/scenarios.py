"""What is asked of every contender, and the answer that it must give.

An operation takes a key and returns plain values, read from what the contender made of the rows: what is read is loaded, and what
is returned is checked.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, datetime
from decimal import Decimal
from typing import Any

from orm import data

Answer = Any  # plain values, which each scenario compares with its own


@dataclass(frozen=True, slots=True)
class Scenario:
    """One question.

    Attributes:
        title: its row in the table.
        key: makes a key of a random number from 1 to `data.LAST_KEY`, and of how many operations there were before.
        expected: the answer for a key.
        uses_entries: whether it changes the table of entries, which is then made anew before.
    """

    title: str
    key: Callable[[int, int], int]
    expected: Callable[[int], Answer]
    uses_entries: bool = False


def _some(random: int, _number: int) -> int:
    return random


def _in_turn(_random: int, number: int) -> int:
    return number + 1


def _author(random: int, _number: int) -> int:
    return random % (data.AUTHORS - data.JOINED)


def _names(key: int) -> list[str]:
    """Return the names of a page: the next active items after a key."""
    first = key + 2 - key % 2
    return [data.item(number)["name"] for number in range(first, first + 2 * data.PAGE, 2)]


def _first(key: int) -> tuple[int, Decimal, datetime]:
    row = data.item(key + 1)
    return data.LIST, row["price"], row["created"]


def _joined(key: int) -> list[tuple[str, str]]:
    rows = map(data.post, range(key + 1, key + 1 + data.JOINED))
    return [(row["title"], data.author(row["author_id"])["name"]) for row in rows]


def _prefetched(key: int) -> list[tuple[str, list[str]]]:
    return [
        (
            data.author(number)["name"],
            [
                data.post(post)["title"]
                for post in range((number - 1) * data.POSTS_EACH + 1, number * data.POSTS_EACH + 1)
            ],
        )
        for number in range(key + 1, key + 1 + data.JOINED)
    ]


def _aggregated(key: int) -> tuple[int, float, int]:
    rows = [data.item(number) for number in range(key + 1, key + 1 + data.AGGREGATED)]
    return len(rows), sum(row["weight"] for row in rows) / len(rows), max(row["quantity"] for row in rows)


SCENARIOS = {
    "get": Scenario("get by key", _some, lambda key: data.item(key)["name"]),
    "page": Scenario("filtered page of 20", _some, _names),
    "list": Scenario("1000 rows, 10 columns", _some, _first),
    "join": Scenario("100 posts joined with their author", _some, _joined),
    "prefetch": Scenario("100 authors, 10 posts each prefetched", _author, _prefetched),
    "insert": Scenario("insert", _in_turn, lambda _key: True, uses_entries=True),
    "bulk": Scenario("bulk insert of 10,000", _in_turn, lambda _key: data.BULK, uses_entries=True),
    "update": Scenario("update by key", _some, lambda _key: 1),
    "delete": Scenario("delete by key", _in_turn, lambda _key: 1, uses_entries=True),
    "aggregate": Scenario("count, average, maximum of 100 rows", _some, _aggregated),
    "gather": Scenario(
        "50 gets at a time",
        _some,
        lambda key: [data.item((key + number) % data.ITEMS + 1)["name"] for number in range(data.GATHERED)],
    ),
}
"""By name, in the order of the tables."""


def check(name: str, key: int, answer: Answer) -> None:
    """Refuse a wrong answer.

    Raises:
        ValueError: it is another than the rows of `data` give.
    """
    expected = SCENARIOS[name].expected(key)
    if plain(answer) != plain(expected):
        raise ValueError(f"{name}({key}) gave {answer!r:.300}, expected {expected!r:.300}")


def plain(value: Any) -> Any:  # Any: an answer
    """Return a value as it can be compared: where a database has no such type, what a contender makes of it is its own affair."""
    if isinstance(value, list | tuple):
        return [plain(each) for each in value]
    if isinstance(value, str):
        return _plain_text(value)
    if isinstance(value, datetime):
        return value.replace(tzinfo=value.tzinfo or UTC)
    if isinstance(value, int | float | Decimal):
        return round(float(value), 4)
    return value


def _plain_text(value: str) -> Any:
    """Return the number or time that a driver without such types has as text, else the text."""
    for parse in (float, lambda text: plain(datetime.fromisoformat(text))):
        try:
            return parse(value)
        except ValueError:
            continue
    return value
