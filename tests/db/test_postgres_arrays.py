"""Arrays of PostgreSQL, with Python's lists as the oracle; and what other databases say of them."""

from __future__ import annotations

import copy
import io
import json
import pickle
import random
from collections.abc import Callable
from datetime import UTC, date, datetime, time, timedelta
from decimal import Decimal
from pathlib import Path
from typing import Any
from uuid import UUID

import pytest

from transom.conf import Settings, apps, run_checks
from transom.db import CheckViolation, DataError, F, FieldError, Q, create_tables, models
from transom.db.backends.base import Backend
from transom.db.fixtures import dump_data, load_data, read_items
from transom.db.models import Count, OuterRef, Subquery
from transom.db.models.fields import Field
from transom.db.postgres import (
    ArrayField,
    ArrayMaxLengthValidator,
    ArrayMinLengthValidator,
    ArraySubquery,
    DateRangeField,
    Range,
)
from transom.validators import MinValueValidator, ValidationError

on_postgresql = pytest.mark.parametrize(
    "database_url", [pytest.param("postgresql", marks=pytest.mark.postgres)], indirect=True
)
on_others = pytest.mark.parametrize(
    "database_url", ["sqlite", pytest.param("mysql", marks=pytest.mark.mysql)], indirect=True
)


class Flavour(models.TextChoices):
    SWEET = "s"
    SOUR = "o"


class ArrayPost(models.Model):
    tags = ArrayField(models.CharField(max_length=10), default=list, blank=True)
    scores = ArrayField(models.IntegerField(null=True), null=True)
    board = ArrayField(ArrayField(models.IntegerField()), default=list, blank=True)


class ArrayLine(models.Model):
    post = models.ForeignKey(ArrayPost, models.CASCADE, related_name="lines")
    word = models.TextField()


class ArrayAll(models.Model):
    text = ArrayField(models.TextField(), default=list)
    slug = ArrayField(models.SlugField(), default=list)
    flavour = ArrayField(models.CharField(max_length=1, choices=Flavour), default=list)
    small = ArrayField(models.SmallIntegerField(), default=list)
    number = ArrayField(models.IntegerField(), default=list)
    big = ArrayField(models.BigIntegerField(), default=list)
    share = ArrayField(models.FloatField(), default=list)
    price = ArrayField(models.DecimalField(max_digits=8, decimal_places=2), default=list)
    flag = ArrayField(models.BooleanField(), default=list)
    document = ArrayField(models.JSONField(), default=list)
    content = ArrayField(models.BinaryField(), default=list)
    day = ArrayField(models.DateField(), default=list)
    hour = ArrayField(models.TimeField(), default=list)
    moment = ArrayField(models.DateTimeField(), default=list)
    length = ArrayField(models.DurationField(), default=list)
    key = ArrayField(models.UUIDField(), default=list)
    address = ArrayField(models.GenericIPAddressField(), default=list)
    span = ArrayField(DateRangeField(), default=list)
    cube = ArrayField(ArrayField(ArrayField(models.TextField())), default=list)


VALUES: dict[str, list[Any]] = {
    "text": [
        "",
        "a",
        "NULL",
        "null",
        '"',
        "\\",
        "{}",
        "a,b",
        " ",
        "\n",
        "ä€😀",
        "';--",
        "$1",
        "%s",
        "\t'\"\\",
    ],
    "slug": ["a-b", "c_d"],
    "flavour": [Flavour.SWEET, Flavour.SOUR],
    "small": [-(1 << 15), 0, (1 << 15) - 1],
    "number": [-(1 << 31), 0, (1 << 31) - 1],
    "big": [-(1 << 63), 0, (1 << 63) - 1],
    "share": [0.1, -1e300, 5e-324, float("inf"), float("-inf")],
    "price": [Decimal("0.01"), Decimal("-999999.99")],
    "flag": [True, False],
    "document": [{"a": ['"', None, {}]}, [1, 2], "x", 1.5, False],
    "content": [b"", b"\0\xff\\", b'{"a"}'],
    "day": [date(1, 1, 1), date(2024, 2, 29), date(9999, 12, 31)],
    "hour": [time(0), time(23, 59, 59, 999999)],
    "moment": [datetime(1, 1, 1, tzinfo=UTC), datetime(2024, 2, 29, 12, 30, 1, 5, tzinfo=UTC)],
    "length": [timedelta(0), timedelta(-3, 5, 7), timedelta(400, 1)],
    "key": [UUID(int=0), UUID("12345678-1234-5678-1234-567812345678")],
    "address": ["127.0.0.1", "2001:db8::1"],
    "span": [Range(date(2024, 1, 1), date(2024, 2, 1)), Range(empty=True), Range(None, date(2024, 1, 1))],
    "cube": [[["a", 'b"'], ["{c}", "d,"]], [["", "\\"], ["NULL", " "]]],
}


@pytest.fixture
async def tables(database: Backend) -> None:
    await create_tables(ArrayPost, ArrayLine, ArrayAll)


@on_postgresql
class TestValues:
    @pytest.fixture(autouse=True)
    async def tables(self, tables: None) -> None:
        """The tables are there."""

    async def test_every_type_comes_back_as_it_was_and_is_found(self) -> None:
        for name, values in VALUES.items():
            with_none = [*values, None] if name != "cube" else values
            made = await ArrayAll.objects.create(**{name: with_none})
            found = getattr(await ArrayAll.objects.get(pk=made.pk), name)
            assert found == with_none
            assert all(isinstance(got, type(given)) for got, given in zip(found, with_none, strict=True))
            assert (
                await ArrayAll.objects.filter(**{name: with_none, f"{name}__contains": values}).get() == made
            )
            assert await ArrayAll.objects.filter(**{f"{name}__in": [values[:1], with_none]}).get() == made
            assert not await ArrayAll.objects.filter(**{f"{name}__in": [values[:1]]}).exists()

    async def test_bulk_create_and_bulk_update_keep_every_type(self) -> None:
        full, empty = ArrayAll(**copy.deepcopy(VALUES)), ArrayAll()
        await ArrayAll.objects.bulk_create([full, empty])
        rows = await ArrayAll.objects.order_by("pk")
        assert {name: getattr(rows[0], name) for name in VALUES} == VALUES
        assert all(getattr(rows[1], name) == [] for name in VALUES)
        for name in VALUES:
            setattr(rows[0], name, [])
            setattr(rows[1], name, list(reversed(VALUES[name])))
        await ArrayAll.objects.bulk_update(rows, list(VALUES))
        rows = await ArrayAll.objects.order_by("pk")
        assert all(getattr(rows[0], name) == [] for name in VALUES)
        assert {name: getattr(rows[1], name) for name in VALUES} == {
            name: list(reversed(values)) for name, values in VALUES.items()
        }

    async def test_rows_of_different_lengths_and_null_go_in_together(self) -> None:
        lists = [None, [], [1], [1, None], [None], list(range(1000))]
        await ArrayPost.objects.bulk_create([ArrayPost(scores=each) for each in lists])
        assert await ArrayPost.objects.order_by("pk").values_list("scores", flat=True) == lists

    async def test_upserts_take_arrays(self) -> None:
        made = await ArrayPost.objects.create(tags=["a"])
        again = ArrayPost(pk=made.pk, tags=["b", "c"], scores=[1])
        await ArrayPost.objects.bulk_create(
            [again], update_conflicts=True, update_fields=["tags", "scores"], unique_fields=["id"]
        )
        found = await ArrayPost.objects.get(pk=made.pk)
        assert (found.tags, found.scores) == (["b", "c"], [1])

    async def test_get_or_create_and_update_or_create_go_by_arrays(self) -> None:
        _, created = await ArrayPost.objects.get_or_create(tags=["a", "b"])
        assert created
        found, created = await ArrayPost.objects.get_or_create(tags=["a", "b"])
        assert not created
        changed, created = await ArrayPost.objects.update_or_create(pk=found.pk, defaults={"tags": ["c"]})
        assert (changed.tags, created) == (["c"], False)

    async def test_update_takes_lists_columns_and_null(self) -> None:
        post = await ArrayPost.objects.create(scores=[1, 2], board=[[1, 2]])
        await ArrayPost.objects.update(tags=["x"], scores=None)
        await post.refresh()
        assert (post.tags, post.scores) == (["x"], None)
        await ArrayPost.objects.update(scores=F("board__0_1"))
        await post.refresh()
        assert post.scores == [[1, 2]]  # SQL does not tell arrays by their dimensions

    async def test_only_defer_iterator_and_related_rows_have_arrays(self) -> None:
        post = await ArrayPost.objects.create(tags=["a"], board=[[1]])
        await ArrayLine.objects.create(post=post, word="w")
        assert (await ArrayPost.objects.only("tags").get()).tags == ["a"]
        assert (await ArrayPost.objects.defer("tags").get()).board == [[1]]
        assert [each.tags async for each in ArrayPost.objects.iterator()] == [["a"]]
        assert (await ArrayLine.objects.select_related("post").get()).post.tags == ["a"]
        assert await ArrayLine.objects.values_list("post__tags", "post__tags__0") == [(["a"], "a")]

    async def test_too_long_or_too_large_values_are_refused_with_the_name_of_the_field(self) -> None:
        with pytest.raises(DataError, match=r"ArrayPost\.tags"):
            await ArrayPost.objects.create(tags=["a" * 11])
        with pytest.raises(DataError, match=r"ArrayPost\.tags"):
            await ArrayPost.objects.bulk_create([ArrayPost(tags=["a" * 11])])
        with pytest.raises((DataError, FieldError), match=r"ArrayPost\.scores"):
            await ArrayPost.objects.create(scores=[1 << 31])
        with pytest.raises((DataError, FieldError), match=r"ArrayPost\.scores"):
            await ArrayPost.objects.filter(scores__contains=[1 << 31])
        assert await ArrayPost.objects.filter(tags__contains=["a" * 11]) == []

    @pytest.mark.parametrize("value", ["a", {"a"}, 5, {"a": 1}])
    async def test_what_is_no_list_is_refused(self, value: Any) -> None:
        with pytest.raises(FieldError, match=r"ArrayPost\.tags takes a list"):
            await ArrayPost.objects.create(tags=value)
        with pytest.raises(FieldError, match=r"ArrayPost\.tags takes a list"):
            await ArrayPost.objects.filter(tags__contains=value)

    async def test_values_of_the_wrong_type_are_refused_by_the_name_of_the_field(self) -> None:
        with pytest.raises(FieldError, match=r"ArrayPost\.tags takes a str, not 5"):
            await ArrayPost.objects.create(tags=["a", 5])

    @pytest.mark.parametrize("board", [[1], [[1], [2, 3]], [[1], None], [[[1]]], [[1], 2]])
    async def test_uneven_lists_in_lists_are_refused(self, board: Any) -> None:
        with pytest.raises(FieldError, match=r"ArrayPost\.board"):
            await ArrayPost.objects.create(board=board)

    async def test_empty_lists_in_lists_are_refused(self) -> None:
        with pytest.raises(FieldError, match=r"ArrayPost\.board takes no empty lists in a list"):
            await ArrayPost.objects.create(board=[[], []])

    async def test_the_size_is_held_where_rows_are_written(self, database: Backend) -> None:
        class ArraySized(models.Model):
            pair = ArrayField(models.IntegerField(), 2)

        await create_tables(ArraySized)
        await ArraySized.objects.create(pair=[1, 2])
        with pytest.raises(DataError, match=r"ArraySized\.pair takes 2 values at most, not 3"):
            await ArraySized.objects.create(pair=[1, 2, 3])

    async def test_defaults_of_the_database_and_constraints_hold_arrays(self, database: Backend) -> None:
        class ArrayDefault(models.Model):
            tags = ArrayField(models.CharField(max_length=5), db_default=["a'", 'b"\\'])
            none = ArrayField(models.IntegerField(), db_default=[])

            class Meta:
                constraints = [
                    models.CheckConstraint(
                        condition=Q(tags__len__lte=3) & ~Q(tags__contains=["x'"]), name="few"
                    )
                ]
                indexes = [models.GinIndex(fields=["tags"]), models.Index(F("tags__0"), name="first_tag")]

        await create_tables(ArrayDefault)
        made = await ArrayDefault.objects.create()
        assert (made.tags, made.none) == (["a'", 'b"\\'], [])
        for tags in ["x'"], ["a", "b", "c", "d"]:
            with pytest.raises(CheckViolation):
                await ArrayDefault.objects.create(tags=tags)
            with pytest.raises(ValidationError, match="few"):
                await ArrayDefault(tags=tags).full_clean(exclude=["none"])

    async def test_rows_are_dumped_and_loaded(self) -> None:
        await ArrayAll.objects.create(
            **{
                name: [*values, None][: 20 if name != "cube" else 2]
                for name, values in VALUES.items()
                if name != "share"
            }
        )
        before = await ArrayAll.objects.values()
        items: list[dict[str, Any]] = []
        await dump_data([ArrayAll], items.append)
        await ArrayAll.objects.all().delete()
        await load_data(read_items(io.StringIO(json.dumps(items)), "f.json"))
        assert await ArrayAll.objects.values() == before

    async def test_objects_with_arrays_are_pickled(self) -> None:
        post = await ArrayPost.objects.create(tags=["a"], board=[[1]])
        again = pickle.loads(pickle.dumps(await ArrayPost.objects.get(pk=post.pk)))
        assert (again.tags, again.board) == (["a"], [[1]])


Lookup = Callable[[list[Any], Any], bool]
LOOKUPS: dict[str, Lookup] = {
    "exact": lambda left, right: left == right,
    "contains": lambda left, right: all(each in left for each in right),
    "contained_by": lambda left, right: all(each in right for each in left),
    "overlap": lambda left, right: any(each in right for each in left),
    "gt": lambda left, right: left > right,
    "lte": lambda left, right: left <= right,
    "len": lambda left, right: len(left) == len(right),
}


@on_postgresql
class TestLookups:
    @pytest.fixture(autouse=True)
    async def tables(self, tables: None) -> None:
        """The tables are there."""

    async def test_lookups_and_their_negations_find_what_python_finds(self) -> None:
        draw = random.Random(5)
        rows = [[draw.choice("abcd") for _ in range(draw.randrange(5))] for _ in range(60)]
        numbers = [
            None if draw.random() < 0.2 else [draw.randrange(4) for _ in range(draw.randrange(5))]
            for _ in rows
        ]
        await ArrayPost.objects.bulk_create(
            [
                ArrayPost(pk=pk, tags=tags, scores=scores)
                for pk, (tags, scores) in enumerate(zip(rows, numbers, strict=True))
            ]
        )

        async def check(name: str, right: Any, expected: list[bool]) -> None:
            holds = (
                await ArrayPost.objects.filter(**{name: right}).order_by("pk").values_list("pk", flat=True)
            )
            fails = (
                await ArrayPost.objects.exclude(**{name: right}).order_by("pk").values_list("pk", flat=True)
            )
            assert holds == [pk for pk, each in enumerate(expected) if each], (name, right)
            assert fails == [pk for pk, each in enumerate(expected) if not each], (name, right)

        for _ in range(6):
            tags = [draw.choice("abcd") for _ in range(draw.randrange(4))]
            scores = [draw.randrange(4) for _ in range(draw.randrange(4))]
            for lookup, holds in LOOKUPS.items():
                given = (len(tags), len(scores)) if lookup == "len" else (tags, scores)
                await check(f"tags__{lookup}", given[0], [holds(row, tags) for row in rows])
                await check(
                    f"scores__{lookup}", given[1], [row is not None and holds(row, scores) for row in numbers]
                )
        for place in range(3):
            await check(f"tags__{place}", "a", [row[place : place + 1] == ["a"] for row in rows])
            await check(
                f"scores__{place}__gte",
                2,
                [row is not None and len(row) > place and row[place] >= 2 for row in numbers],
            )
            for end in range(1, 4):
                found = [rows[7][place:end], rows[9][place:end]]
                await check(f"tags__{place}_{end}__in", found, [row[place:end] in found for row in rows])
                await check(f"tags__{place}_{end}__len", 1, [len(row[place:end]) == 1 for row in rows])
        await check("tags__in", rows[:5], [row in rows[:5] for row in rows])
        await check("tags__in", [], [False for _ in rows])
        await check("scores__isnull", True, [row is None for row in numbers])

    async def test_lists_in_lists_have_a_place_for_each_dimension(self) -> None:
        await ArrayPost.objects.create(pk=1, board=[[1, 2], [3, 4], [5, 6]])
        assert await ArrayPost.objects.filter(board__1__0=3, board__2__1__gt=5, board__len=3).count() == 1
        assert await ArrayPost.objects.values_list(
            "board__2__1", "board__9__0", "board__1_2", "board__len"
        ) == [(6, None, [[3, 4]], 3)]
        assert await ArrayPost.objects.filter(board__1_3__1__0=5).count() == 1
        assert (
            await ArrayPost.objects.filter(board__contains=[[1, 6]], board=[[1, 2], [3, 4], [5, 6]]).count()
            == 1
        )
        for name in ("board__1", "board__1__gt", "board__1__len", "board__0__0_1"):
            with pytest.raises(FieldError):
                await ArrayPost.objects.filter(**{name: 1})
        with pytest.raises(FieldError, match="has several dimensions"):
            await ArrayPost.objects.values_list("board__1")

    async def test_columns_and_queries_stand_on_the_right_side(self) -> None:
        first = await ArrayPost.objects.create(tags=["a", "b"], scores=[1])
        second = await ArrayPost.objects.create(tags=["c"], scores=[2])
        for post, word in ((first, "c"), (first, "d"), (second, "c")):
            await ArrayLine.objects.create(post=post, word=word)
        words = ArrayLine.objects.values_list("word", flat=True)
        assert await ArrayPost.objects.filter(tags__overlap=words).get() == second
        assert await ArrayPost.objects.filter(tags__contained_by=words).get() == second
        assert await ArrayPost.objects.filter(tags__contains=words.filter(word="none")).count() == 2
        own = words.filter(post=OuterRef("pk"))
        assert await ArrayPost.objects.filter(tags__overlap=own).get() == second
        assert await ArrayPost.objects.filter(tags__contains=F("tags"), tags=F("tags")).count() == 2
        assert await ArrayPost.objects.exclude(tags__contained_by=F("tags__0_1")).get() == first
        assert (
            await ArrayPost.objects.filter(scores__contains=F("lines__post__scores")).distinct().count() == 2
        )
        newest = Subquery(ArrayPost.objects.order_by("-pk").values("tags")[:1])
        assert await ArrayPost.objects.filter(tags__contains=newest).get() == second
        assert (
            await ArrayPost.objects.filter(
                tags__in=ArrayPost.objects.filter(pk=first.pk).values("tags")
            ).get()
            == first
        )
        assert await ArrayPost.objects.filter(tags__0=F("lines__word")).get() == second
        with pytest.raises(FieldError, match="takes an array"):
            await ArrayPost.objects.filter(tags__contains=F("pk"))

    async def test_the_rows_of_a_query_are_an_array(self) -> None:
        post = await ArrayPost.objects.create()
        for word in "bca":
            await ArrayLine.objects.create(post=post, word=word)
        bare = await ArrayPost.objects.create()
        words = ArrayLine.objects.filter(post=OuterRef("pk")).order_by("word").values("word")
        rows = ArrayPost.objects.annotate(words=ArraySubquery(words)).order_by("pk")
        assert [(row.pk, row.words) for row in await rows] == [(post.pk, ["a", "b", "c"]), (bare.pk, [])]  # type: ignore[attr-defined]
        assert await rows.filter(words__overlap=["c"]).values_list("words__0", "words__len") == [("a", 3)]
        keys = ArrayPost.objects.annotate(
            keys=ArraySubquery(ArrayLine.objects.order_by("pk").values("post")[:2])
        )
        assert await keys.filter(pk=post.pk).values_list("keys", flat=True) == [[post.pk, post.pk]]

    async def test_arrays_are_ordered_grouped_and_distinct(self) -> None:
        for tags in (["b"], ["a", "b"], ["b"], []):
            await ArrayPost.objects.create(tags=tags)
        assert await ArrayPost.objects.order_by("-tags", "pk").values_list("tags", flat=True) == [
            ["b"],
            ["b"],
            ["a", "b"],
            [],
        ]
        assert await ArrayPost.objects.order_by("tags__len", "tags__0").values_list("tags__0", flat=True) == [
            None,
            "b",
            "b",
            "a",
        ]
        assert await ArrayPost.objects.values_list("tags", flat=True).distinct().order_by("tags") == [
            [],
            ["a", "b"],
            ["b"],
        ]
        counted = (
            ArrayPost.objects.values("tags").annotate(n=Count("pk")).order_by("tags").values_list("tags", "n")
        )
        assert await counted == [([], 1), (["a", "b"], 1), (["b"], 2)]

    async def test_typed_columns_say_the_same_lookups(self) -> None:
        post = await ArrayPost.objects.create(tags=["a", "b"], scores=[1])
        conditions = [
            ArrayPost.tags.contains(["a"]),
            ArrayPost.tags.contained_by(["a", "b", "c"]),
            ArrayPost.tags.overlap(["b", "x"]),
            ArrayPost.tags.len == 2,
            ArrayPost.tags[1] == "b",
            ArrayPost.tags[0:1] == ["a"],
            ArrayPost.tags[:2].contains(["a", "b"]),
            ArrayPost.tags == ["a", "b"],
            ArrayPost.scores[0] > 0,
            ArrayPost.tags.overlap(ArrayPost.objects.values_list("tags__0", flat=True)),
        ]
        for condition in conditions:
            assert await ArrayPost.objects.filter(condition).get() == post

    @pytest.mark.parametrize("place", [-1, slice(-2, 1), slice(1, None), slice(0, 4, 2)])
    def test_places_that_sql_cannot_say_are_refused(self, place: Any) -> None:
        with pytest.raises(FieldError):
            ArrayPost.tags[place]

    @pytest.mark.parametrize(
        "name",
        [
            "tags__icontains",
            "tags__startswith",
            "tags__fully_lt",
            "tags__-1",
            "tags__1_",
            "tags__9999999999",
            "tags__1_2_3",
            "tags__len__len",
        ],
    )
    async def test_what_arrays_do_not_have_is_refused(self, name: str) -> None:
        with pytest.raises(FieldError):
            await ArrayPost.objects.filter(**{name: ["a"]})

    async def test_a_key_of_a_document_may_be_called_like_a_lookup_of_arrays(self, database: Backend) -> None:
        class ArrayDocument(models.Model):
            data = models.JSONField()

        await create_tables(ArrayDocument)
        await ArrayDocument.objects.create(data={"overlap": 1, "adjacent_to": 2})
        assert await ArrayDocument.objects.filter(data__overlap=1, data__adjacent_to=2).count() == 1


class TestCleaning:
    def field(self) -> ArrayField[Any]:
        field = ArrayField(
            models.IntegerField(
                validators=[MinValueValidator(1)], choices=[(n, str(n)) for n in range(-5, 6)]
            ),
            size=3,
        )
        field.set_name("numbers")
        return field

    def test_values_are_made_of_text_and_of_lists(self) -> None:
        assert self.field().clean("[1, 2]", None) == [1, 2]
        assert self.field().clean(("1", 2), None) == [1, 2]
        nested = ArrayField(ArrayField(models.IntegerField()))
        assert nested.clean('[["1"], [2]]', None) == [[1], [2]]

    @pytest.mark.parametrize(
        ("value", "messages"),
        [
            ("x", ["Enter a list."]),
            ({"a": 1}, ["Enter a list."]),
            ("{}", ["Enter a list."]),
            ([1, "x", "y"], ["Item 2: Enter a whole number.", "Item 3: Enter a whole number."]),
            ([1, None], ["Item 2: Please fill this in."]),
            ([9], ["Item 1: This is not one of the choices."]),
            ([1, -1], ["Item 2: Enter 1 or more."]),
            ([1, 2, 3, 4], ["Enter no more than 3 of these, not 4."]),
            ([], ["Please fill this in."]),
            (None, ["Please fill this in."]),
        ],
    )
    def test_what_is_wrong_is_said_of_each_value(self, value: Any, messages: list[str]) -> None:
        with pytest.raises(ValidationError) as caught:
            self.field().clean(value, None)
        assert caught.value.messages == messages

    def test_lists_in_lists_are_of_one_length(self) -> None:
        field = ArrayField(ArrayField(models.IntegerField()))
        with pytest.raises(ValidationError, match="All lists in the list must be of the same length"):
            field.clean([[1], [2, 3]], None)
        with pytest.raises(ValidationError, match="Item 2: Item 1: Enter a whole number"):
            field.clean([[1], ["x"]], None)

    def test_choices_may_be_whole_lists(self) -> None:
        field = ArrayField(models.IntegerField(), choices=[([1], "one"), ([1, 2], "two")])
        assert field.clean([1, 2], None) == [1, 2]
        with pytest.raises(ValidationError, match="not one of the choices"):
            field.clean([2], None)
        assert field.display([1, 2]) == "two"

    def test_validators_count_values(self) -> None:
        ArrayMinLengthValidator(2)([1, 2])
        ArrayMaxLengthValidator(2)([1, 2])
        with pytest.raises(ValidationError, match="Enter 2 or more of these, not 1"):
            ArrayMinLengthValidator(2)([1])
        with pytest.raises(ValidationError, match="Enter no more than 2 of these, not 3"):
            ArrayMaxLengthValidator(2)([1, 2, 3])

    def test_the_errors_of_an_object_name_field_and_place(self) -> None:
        with pytest.raises(ValidationError) as caught:
            ArrayPost._meta.get_field("tags").clean(["a", "b" * 11], None)
        assert caught.value.messages == ["Item 2: Use at most 10 characters; these are 11."]


class TestDefinition:
    @pytest.mark.parametrize(
        "make",
        [
            lambda: ArrayField("text"),  # type: ignore[arg-type]  # pyright: ignore[reportArgumentType]
            lambda: ArrayField(models.ForeignKey("ArrayPost", models.CASCADE)),
            lambda: ArrayField(models.AutoField(primary_key=True)),
            lambda: ArrayField(models.IntegerField(unique=True)),
            lambda: ArrayField(models.UUIDField(primary_key=True)),
            lambda: ArrayField(models.GeneratedField(expression=F("x"), output_field=models.IntegerField())),
            lambda: ArrayField(models.IntegerField(), default=[]),
        ],
    )
    def test_what_no_array_can_be_made_of_is_refused(self, make: Callable[[], object]) -> None:
        with pytest.raises(TypeError):
            make()

    def test_fields_are_made_again_of_what_they_say_of_themselves(self) -> None:
        field = ArrayField(ArrayField(models.CharField(max_length=3), 2), 5, null=True, default=list)
        _, path, arguments, keywords = field.deconstruct()
        assert (path, arguments) == ("transom.db.postgres.ArrayField", [])
        again: Field[Any] = ArrayField(**keywords)
        assert repr(again.deconstruct()[1:3]) == repr(field.deconstruct()[1:3])
        assert (keywords["size"], keywords["base_field"].size, keywords["default"]) == (5, 2, list)

    def test_classes_that_inherit_a_field_have_their_own_names_in_errors(self) -> None:
        class ArrayAbstract(models.Model):
            words = ArrayField(models.TextField())

            class Meta:
                abstract = True

        class ArrayFirst(ArrayAbstract):
            pass

        class ArraySecond(ArrayAbstract):
            pass

        for model in (ArrayFirst, ArraySecond):
            with pytest.raises(FieldError, match=rf"{model.__name__}\.words takes a str"):
                model._meta.get_field("words").encoder("postgresql")([1])


@on_others
class TestOtherDatabases:
    async def test_tables_are_refused(self, database: Backend) -> None:
        with pytest.raises(
            FieldError,
            match=rf"ArrayPost\.tags: an array is PostgreSQL's alone, and {database.vendor} has none; take a JSONField",
        ):
            await create_tables(ArrayPost)

    async def test_queries_are_refused(self, database: Backend) -> None:
        for ask in (
            ArrayPost.objects.all(),
            ArrayPost.objects.filter(tags__contains=["a"]),
            ArrayPost.objects.create(tags=["a"]),
            ArrayPost.objects.bulk_create([ArrayPost()]),
            ArrayPost.objects.values_list("pk"),
            ArrayPost.objects.count(),
        ):
            with pytest.raises(FieldError, match="PostgreSQL's alone"):
                await ask


@pytest.mark.parametrize(
    ("url", "found"), [("sqlite:///x", True), ("mysql://h/x", True), ("postgresql://h/x", False)]
)
def test_fields_of_another_database_are_found_at_start_up(
    monkeypatch: pytest.MonkeyPatch, url: str, found: bool
) -> None:
    label = ArrayPost._meta.app_label
    assert "postgres.E001" not in {message.id for message in run_checks(Settings(databases={"default": url}))}
    config = apps.AppConfig(name=label, label=label, path=Path())
    monkeypatch.setattr(apps, "_app_configs", {label: config})
    messages = [
        message
        for message in run_checks(Settings(databases={"default": url}))
        if message.id == "postgres.E001" and "ArrayPost.tags is a ArrayField" in message.msg
    ]
    assert bool(messages) is found
    assert all("JSONField" in message.hint for message in messages)
