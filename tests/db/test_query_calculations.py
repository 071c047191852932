"""Functions of numbers and text, and documents made of values, against Python."""

from __future__ import annotations

import hashlib
import math
from collections.abc import Callable
from decimal import Decimal
from typing import Any

import pytest

from transom.db import F, FieldError, connections, create_tables, models
from transom.db.backends.base import Backend
from transom.db.exceptions import DatabaseError
from transom.db.models import Q, Value
from transom.db.models import functions as of
from transom.testing import register_lookup

ROWS = [
    ("", 0, 0.0),
    ("a", 1, 0.5),
    ("Ab", -1, -0.25),
    ("banana", 9, 1.0),
    ("50% [ß]€", -7, -2.5),
    ("𝄞 clef", 2, 3.75),
]


class Sample(models.Model):
    text = models.CharField(max_length=50)
    number = models.IntegerField()
    ratio = models.FloatField()
    price = models.DecimalField(max_digits=8, decimal_places=2)
    maybe = models.CharField(max_length=50, null=True)
    flag = models.BooleanField(null=True)
    data = models.JSONField()

    class Meta:
        ordering = ("pk",)


@pytest.fixture
async def samples(database: Backend) -> list[Sample]:
    await create_tables(Sample)
    return await Sample.objects.bulk_create(
        Sample(
            text=text,
            number=number,
            ratio=ratio,
            price=Decimal(number) / 4,
            flag=(None, True, False)[place % 3],
            data={"at": [place, None]},
        )
        for place, (text, number, ratio) in enumerate(ROWS)
    )


def pad(text: str, size: int, fill: str, *, left: bool) -> str:
    filled = (fill * size)[: size - len(text)] if len(text) < size else ""
    return filled + text[:size] if left else text[:size] + filled


def hashed(name: str) -> Callable[[Sample], str]:
    return lambda sample: hashlib.new(name, sample.text.encode()).hexdigest()


HASHES = (of.MD5, of.SHA224, of.SHA256, of.SHA384, of.SHA512)
NUMBERS: dict[str, tuple[Any, Callable[[Sample], float | None]]] = {
    "acos": (of.ACos("ratio"), lambda s: math.acos(s.ratio) if abs(s.ratio) <= 1 else None),
    "asin": (of.ASin("ratio"), lambda s: math.asin(s.ratio) if abs(s.ratio) <= 1 else None),
    "atan": (of.ATan("number"), lambda s: math.atan(s.number)),
    "atan2": (of.ATan2("ratio", "number"), lambda s: math.atan2(s.ratio, s.number)),
    "cos": (of.Cos("ratio"), lambda s: math.cos(s.ratio)),
    "cot": (of.Cot("ratio"), lambda s: 1 / math.tan(s.ratio) if s.ratio else None),
    "degrees": (of.Degrees("ratio"), lambda s: math.degrees(s.ratio)),
    "exp": (of.Exp("number"), lambda s: math.exp(s.number)),
    "ln": (of.Ln("ratio"), lambda s: math.log(s.ratio) if s.ratio > 0 else None),
    "ln of decimals": (of.Ln("price"), lambda s: math.log(s.price) if s.price > 0 else None),
    "log": (of.Log(2, "number"), lambda s: math.log(s.number, 2) if s.number > 0 else None),
    "log to no base": (of.Log(1, "number"), lambda s: None),
    "mod": (of.Mod("number", 4), lambda s: math.fmod(s.number, 4)),
    "mod of floats": (of.Mod("ratio", 0.75), lambda s: math.fmod(s.ratio, 0.75)),
    "mod by nothing": (of.Mod("number", F("number") * 0), lambda s: None),
    "pi": (of.Pi(), lambda s: math.pi),
    "power": (of.Power("number", 3), lambda s: s.number**3),
    "root as a power": (of.Power("ratio", 0.5), lambda s: math.sqrt(s.ratio) if s.ratio >= 0 else None),
    "power below nothing": (of.Power("number", -1), lambda s: 1 / s.number if s.number else None),
    "radians": (of.Radians("number"), lambda s: math.radians(s.number)),
    "sign": (of.Sign("ratio"), lambda s: (s.ratio > 0) - (s.ratio < 0)),
    "sin": (of.Sin("ratio"), lambda s: math.sin(s.ratio)),
    "sqrt": (of.Sqrt("number"), lambda s: math.sqrt(s.number) if s.number >= 0 else None),
    "tan": (of.Tan("ratio"), lambda s: math.tan(s.ratio)),
}
TEXTS: dict[str, tuple[Any, Callable[[Sample], Any]]] = {
    "chr": (of.Chr(F("number") + 8400), lambda s: chr(s.number + 8400)),
    "chr beyond 16 bits": (of.Chr(F("number") + 0x1D11E), lambda s: chr(s.number + 0x1D11E)),
    "ord": (of.Ord("text"), lambda s: ord(s.text[0]) if s.text else 0),
    "reverse": (of.Reverse("text"), lambda s: s.text[::-1]),
    "repeat": (of.Repeat("text", 3), lambda s: s.text * 3),
    "repeat as often as a column says": (of.Repeat("text", "number"), lambda s: s.text * s.number),
    "lpad": (of.LPad("text", 5), lambda s: pad(s.text, 5, " ", left=True)),
    "lpad with text": (of.LPad("text", 8, Value("xyz")), lambda s: pad(s.text, 8, "xyz", left=True)),
    "rpad": (of.RPad("text", 8, Value("€")), lambda s: pad(s.text, 8, "€", left=False)),
    "concat pair": (of.ConcatPair("text", Value("!")), lambda s: s.text + "!"),
    "of NULL": (of.Reverse(of.LPad("maybe", 3)), lambda s: None),
    "hash of NULL": (of.MD5("maybe"), lambda s: None),
    "collate": (of.Collate("text", "BINARY"), lambda s: s.text),
    **{f"hash {make.__name__}": (make("text"), hashed(make.__name__.lower())) for make in HASHES},
    "array": (
        of.JSONArray("text", "number", "ratio", "maybe", "flag", "data", Value(True)),
        lambda s: [s.text, s.number, s.ratio, None, s.flag, s.data, True],
    ),
    "object": (
        of.JSONObject(
            text=of.Upper("maybe"), inner=of.JSONObject(n="number", flag="flag"), list=of.JSONArray()
        ),
        lambda s: {"text": None, "inner": {"n": s.number, "flag": s.flag}, "list": []},
    ),
}
COLLATIONS = {"sqlite": "BINARY", "postgresql": "C", "mysql": "utf8mb4_nopad_bin"}


async def test_functions_of_numbers_say_what_python_says_and_null_where_there_is_nothing(
    samples: list[Sample],
) -> None:
    for case, (expression, expected) in NUMBERS.items():
        found = await Sample.objects.annotate(found=expression).values_list("found", flat=True)
        for value, wanted in zip(found, map(expected, samples), strict=True):
            assert value == (None if wanted is None else pytest.approx(wanted)), case
        assert await Sample.objects.filter(Q(pk__gt=0) & ~Q(pk=0)).annotate(x=expression).filter(
            x__isnull=True
        ).count() == sum(expected(sample) is None for sample in samples), case


async def test_functions_of_text_say_what_python_says(samples: list[Sample]) -> None:
    vendor = connections.backend("default").vendor
    for case, (expression, expected) in TEXTS.items():
        if case == "collate":
            expression = of.Collate("text", COLLATIONS[vendor])
        query = Sample.objects.annotate(found=expression)
        found = await query.values_list("found", flat=True)
        assert found == [expected(sample) for sample in samples], case
        if "array" not in case and "object" not in case:
            assert await query.filter(found=F("found")).count() == sum(
                value is not None for value in found
            ), case
            assert await query.filter(found=found[1]).count() >= (found[1] is not None), case


async def test_sha1_is_there_where_the_database_has_it(samples: list[Sample]) -> None:
    hashes = Sample.objects.values_list(of.SHA1("text"), flat=True)
    if connections.backend("default").vendor == "postgresql":
        with pytest.raises(DatabaseError, match="digest"):  # of the extension pgcrypto
            await hashes
    else:
        assert await hashes == [
            hashlib.sha1(s.text.encode(), usedforsecurity=False).hexdigest() for s in samples
        ]


async def test_random_numbers_are_below_1_and_differ(samples: list[Sample]) -> None:
    found = await Sample.objects.values_list(of.Random(), flat=True)
    assert all(0 <= number < 1 for number in found)
    assert len(set(found)) == len(samples)


async def test_texts_are_ordered_and_compared_by_a_collation(samples: list[Sample]) -> None:
    collation = {"sqlite": "NOCASE", "postgresql": "und-x-icu", "mysql": "utf8mb4_general_ci"}
    vendor = connections.backend("default").vendor
    folded = of.Collate("text", collation[vendor])
    words = Sample.objects.filter(text__in=["a", "Ab", "banana"])
    assert await words.order_by(folded).values_list("text", flat=True) == ["a", "Ab", "banana"]
    if vendor != "postgresql":
        assert await Sample.objects.annotate(folded=folded).filter(folded="BANANA").count() == 1
    with pytest.raises(FieldError, match="is no name of a collation"):
        of.Collate("text", 'x" OR 1')


async def test_they_are_registered_as_parts_like_all_functions(samples: list[Sample]) -> None:
    with (
        register_lookup(models.CharField, of.MD5, of.Ord, of.Reverse),
        register_lookup(models.FloatField, of.Degrees),
    ):
        assert await Sample.objects.filter(text__md5=hashlib.md5(b"banana").hexdigest()).count() == 1
        assert await Sample.objects.filter(text__reverse__startswith="an", text__ord__gt=97).count() == 1
        assert await Sample.objects.filter(ratio__degrees__gt=100).count() == 1


async def test_sqlite_without_functions_of_numbers_has_ours() -> None:
    import sqlite3

    from transom.db.backends.sqlite.calculations import OF_ONE_NUMBER, install_numbers

    plain, ours = sqlite3.connect(":memory:"), sqlite3.connect(":memory:")
    install_numbers(ours)
    for name in [*OF_ONE_NUMBER, "power", "mod", "atan2"]:
        for number in (None, -3.5, 0.0, 0.5, 2.0, 1000.0):
            call = f"SELECT {name}(?1)" if name in OF_ONE_NUMBER else f"SELECT {name}(?1, 2)"
            theirs, found = (each.execute(call, (number,)).fetchone()[0] for each in (plain, ours))
            assert found == (theirs if theirs is None else pytest.approx(theirs)), (name, number)
    plain.close()
    ours.close()
