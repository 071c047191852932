"""Values as source code: what is written must make an equal value again."""

from __future__ import annotations

import datetime
import decimal
import enum
import functools
import pathlib
import uuid
import zoneinfo
from typing import Any

import pytest

from transom.db import models
from transom.db.migrations.exceptions import Unserializable
from transom.db.migrations.serializer import serialize


class Colour(enum.Enum):
    RED = 1


class Level(enum.StrEnum):
    LOW = "low"


class Factory:
    @classmethod
    def make(cls) -> str:
        return "made"


def round_trip(value: Any) -> Any:
    code = serialize(value)
    namespace: dict[str, Any] = {"models": models}
    for module in set(code.iter_imports()) - {"transom.db.models"}:
        namespace[module.partition(".")[0]] = __import__(module)
    return eval(code.layout(), namespace)


@pytest.mark.parametrize(
    "value",
    [
        None,
        True,
        -7,
        1.5,
        "plain",
        'it\'s "both"\n',
        "tab\there, ünïcode",
        b"\x00bytes",
        [1, [2]],
        (1,),
        (),
        {"a": [1], 2: ("b",)},
        {3, 1, 2},
        set(),
        frozenset({1}),
        frozenset(),
        decimal.Decimal("1.50"),
        uuid.UUID(int=5),
        datetime.date(2026, 1, 2),
        datetime.datetime(2026, 1, 2),
        datetime.datetime(2026, 1, 2, 3, 4, 5, 6, tzinfo=datetime.UTC),
        datetime.datetime(2026, 1, 2, 3, tzinfo=zoneinfo.ZoneInfo("Europe/Paris")),
        datetime.datetime(2026, 1, 2, 0, 4, tzinfo=datetime.timezone(datetime.timedelta(hours=-2))),
        datetime.time(12, 30),
        datetime.time(),
        datetime.timedelta(days=-1, seconds=3),
        pathlib.PurePosixPath("/srv/files"),
        Level.LOW,
        dict,
        uuid.uuid4,
        datetime.datetime.now,
        models.CASCADE,
    ],
    ids=lambda value: getattr(value, "__qualname__", None) or repr(value),
)
def test_value_comes_back_equal(value: Any) -> None:
    assert round_trip(value) == value


def test_infinity_comes_back() -> None:
    assert round_trip(float("-inf")) == float("-inf")


def test_partial_comes_back() -> None:
    made = round_trip(functools.partial(int, "ff", base=16))
    assert made() == 255


def test_on_delete_is_written_as_people_write_it() -> None:
    assert serialize(models.SET_NULL).layout() == "models.SET_NULL"


def test_field_is_written_as_people_write_it() -> None:
    assert serialize(models.CharField(max_length=200)).layout() == "models.CharField(max_length=200)"


def test_member_of_a_plain_value_is_written_as_the_value() -> None:
    assert serialize(Level.LOW).layout() == '"low"'


def test_sets_are_written_in_one_order() -> None:
    assert serialize({"b", "a", "c"}).layout() == '{"a", "b", "c"}'


def test_long_call_has_one_argument_a_line() -> None:
    code = serialize(["x" * 40, "y" * 40, "z" * 40])
    assert code.layout() == "[\n" + "".join(f'    "{c * 40}",\n' for c in "xyz") + "]"


def test_lambda_is_refused_with_the_fix() -> None:
    with pytest.raises(Unserializable, match=r"lambda.*make it a function of the module"):
        serialize(lambda: 1)


def test_function_in_a_function_is_refused() -> None:
    def local() -> int:
        return 1

    with pytest.raises(Unserializable, match="move it to the top of a module"):
        serialize(local)


def test_bound_method_is_refused() -> None:
    with pytest.raises(Unserializable, match="does not lead to it"):
        serialize("text".upper)


def test_object_without_deconstruct_is_refused_with_the_fix() -> None:
    with pytest.raises(Unserializable, match=r"give the type a deconstruct\(\) method"):
        serialize(object())


@pytest.mark.parametrize("value", ["\\'", '\\"', "a\\\\'b\"", "''\"", '""\'', "\\", "\x7f\u2028\N{SNOWMAN}"])
def test_quotes_and_backslashes_come_back(value: str) -> None:
    assert round_trip(value) == value


def test_a_long_sum_is_broken_before_its_operator_as_ruff_does() -> None:
    short, long = models.F("a") + 1, models.F("a" * 40) * 2 - models.F("b" * 40)
    assert serialize(short).layout() == 'models.F("a") + 1'
    assert serialize(long).layout("    ", len("x = ")) == (
        f'(models.F("{"a" * 40}") * 2)\n    - models.F("{"b" * 40}")'
    )
    assert (
        serialize(models.F("a") + datetime.timedelta(1)).layout()
        == 'models.F("a") + datetime.timedelta(days=1)'
    )
    assert set(serialize(models.F("a") + datetime.timedelta(1)).iter_imports()) == {
        "datetime",
        "transom.db.models",
    }
