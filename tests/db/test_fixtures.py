"""Fixtures: rows come back as they were, references in any order, and mistakes are named."""

from __future__ import annotations

import io
import json
from datetime import UTC, date, datetime, time, timedelta
from decimal import Decimal
from typing import Any
from uuid import UUID

import pytest

from transom.db import IntegrityError, atomic, create_tables, models
from transom.db.backends.base import Backend
from transom.db.fixtures import FixtureError, dump_data, load_data, read_items, sort_models
from transom.db.models.signals import post_save


class Level(models.IntegerChoices):
    LOW = 1
    HIGH = 2


class FixtureTag(models.Model):
    name = models.CharField(max_length=20)


class FixtureNode(models.Model):
    parent: models.ForeignKey[FixtureNode | None] = models.ForeignKey("self", models.CASCADE, null=True)
    tags = models.ManyToManyField(FixtureTag)
    friends: models.ManyToManyField[FixtureNode] = models.ManyToManyField("self")


class FixtureAll(models.Model):
    key = models.UUIDField(primary_key=True)
    node = models.ForeignKey(FixtureNode, models.CASCADE, null=True)
    text = models.TextField(default="")
    level = models.IntegerField(choices=Level, default=Level.LOW)
    number = models.BigIntegerField(null=True)
    share = models.FloatField(default=0.0)
    price = models.DecimalField(max_digits=8, decimal_places=2, null=True)
    flag = models.BooleanField(default=False)
    document = models.JSONField(null=True)
    content = models.BinaryField(default=b"")
    day = models.DateField(null=True)
    hour = models.TimeField(null=True)
    length = models.DurationField(null=True)
    address = models.GenericIPAddressField(null=True)
    changed = models.DateTimeField(auto_now=True)
    added = models.DateTimeField(auto_now_add=True)
    made = models.DateTimeField(db_default=models.Now())
    twice = models.GeneratedField(
        expression=models.F("number") * 2, output_field=models.BigIntegerField(null=True)
    )


class FixtureLink(models.Model):
    pk = models.CompositePrimaryKey("node", "day")
    day = models.DateField()
    node = models.ForeignKey(FixtureNode, models.CASCADE)
    text = models.TextField(default="")


MODELS: tuple[type[models.Model], ...] = (FixtureTag, FixtureNode, FixtureAll, FixtureLink)


@pytest.fixture(autouse=True)
async def tables(database: Backend) -> None:
    await create_tables(*MODELS)


async def dump(*wanted: type[models.Model]) -> str:
    items: list[dict[str, Any]] = []
    await dump_data(sort_models(wanted or MODELS), items.append, chunk_size=2)
    return json.dumps(items)


async def load(text: str | list[Any]) -> int:
    file = io.StringIO(text if isinstance(text, str) else json.dumps(text))
    return await load_data(read_items(file, "f.json"))


async def empty() -> None:
    for model in reversed(MODELS):
        await model.objects.all().delete()


async def test_every_field_comes_back_as_it_was():
    node = await FixtureNode.objects.create()
    await FixtureAll.objects.create(
        key=UUID(int=7),
        node=node,
        text='ä "quoted"\n',
        level=Level.HIGH,
        number=2**60,
        share=0.1,
        price=Decimal("12.50"),
        flag=True,
        document={"a": [1, None, "x"]},
        content=b"\x00\xff",
        day=date(2026, 7, 14),
        hour=time(9, 30, 0, 5),
        length=-timedelta(days=2, microseconds=1),
        address="::1",
    )
    await FixtureAll.objects.create(key=UUID(int=8))
    before = [vars(row) for row in await FixtureAll.objects.order_by("key")]
    text = await dump()
    await empty()
    assert await load(text) == 3
    assert [vars(row) for row in await FixtureAll.objects.order_by("key")] == before


async def test_loading_again_changes_rows_and_keeps_others():
    tag = await FixtureTag.objects.create(name="old")
    other = await FixtureTag.objects.create(name="other")
    await load([{"model": FixtureTag._meta.label, "pk": tag.pk, "fields": {"name": "new"}}])
    assert await FixtureTag.objects.order_by("pk").values_list("pk", "name") == [
        (tag.pk, "new"),
        (other.pk, "other"),
    ]


async def test_many_to_many_links_come_back_and_others_go():
    a, b, c = await FixtureTag.objects.bulk_create([FixtureTag(name=name) for name in "abc"])
    node, friend = await FixtureNode.objects.create(), await FixtureNode.objects.create()
    await node.tags.set([a, b])
    await node.friends.add(friend)
    text = await dump()
    await node.tags.set([c])
    await node.friends.clear()
    await load(text)
    assert [tag.pk for tag in await node.tags.order_by("pk")] == [a.pk, b.pk]
    assert await node.friends.all() == [friend]
    assert await friend.friends.all() == [node]


async def test_references_may_lead_to_rows_that_come_later(database: Backend):
    if database.vendor == "mysql":
        pytest.skip("checks foreign keys with each row")
    label = FixtureNode._meta.label
    tag = FixtureTag._meta.label
    first = {"model": FixtureAll._meta.label, "pk": str(UUID(int=1)), "fields": {"node": 1}}
    first["fields"] |= {"changed": "2026-01-01T00:00:00+00:00", "added": "2026-01-01T00:00:00+00:00"}
    await load(
        [
            first,
            {"model": label, "pk": 1, "fields": {"parent": 2, "tags": [5]}},
            {"model": tag, "pk": 5, "fields": {"name": "late"}},
            {"model": label, "pk": 2, "fields": {"parent": 1, "tags": []}},
        ]
    )
    node = await FixtureNode.objects.get(pk=1)
    assert node.parent_id == 2
    assert [each.name for each in await node.tags.all()] == ["late"]
    loaded = await FixtureAll.objects.get()
    assert loaded.changed == loaded.added == datetime(2026, 1, 1, tzinfo=UTC)
    await load(await dump())


async def test_a_reference_to_nothing_is_refused_at_the_end_and_nothing_is_written():
    with pytest.raises((FixtureError, IntegrityError), match=r"(?i)fixture_?node"):
        await load([{"model": FixtureNode._meta.label, "pk": 1, "fields": {"parent": 9}}])
    assert await FixtureNode.objects.count() == 0


async def test_foreign_keys_are_checked_at_once_again_after_loading():
    async with atomic():
        await load([{"model": FixtureNode._meta.label, "pk": 1, "fields": {"parent": 1}}])
        with pytest.raises(IntegrityError):
            async with atomic():
                await FixtureNode.objects.create(parent_id=99)
    assert await FixtureNode.objects.count() == 1


async def test_new_keys_go_on_after_those_that_were_loaded():
    await load([{"model": FixtureTag._meta.label, "pk": 40, "fields": {"name": "a"}}])
    assert (await FixtureTag.objects.create(name="b")).pk == 41
    await load([{"model": FixtureTag._meta.label, "pk": 3, "fields": {"name": "c"}}])
    assert (await FixtureTag.objects.create(name="d")).pk == 42


async def test_rows_without_a_key_get_one():
    item = {"model": FixtureTag._meta.label, "pk": None, "fields": {"name": "a"}}
    assert await load([item, item]) == 2
    assert await FixtureTag.objects.count() == 2


async def test_the_last_of_two_rows_with_one_key_stands():
    item = {"model": FixtureTag._meta.label, "pk": 1}
    await load([{**item, "fields": {"name": "a"}}, {**item, "fields": {"name": "b"}}])
    assert (await FixtureTag.objects.get()).name == "b"


async def test_signals_say_that_a_row_is_raw_and_whether_it_is_new():
    told: list[tuple[int, bool, bool]] = []

    def hear(instance: FixtureTag, created: bool, raw: bool, **details: Any) -> None:
        told.append((instance.pk, created, raw))

    await FixtureTag.objects.create(pk=1, name="a")
    post_save.connect(hear, sender=FixtureTag)
    label = FixtureTag._meta.label
    await load([{"model": label, "pk": pk, "fields": {"name": "x"}} for pk in (1, 2)])
    assert told == [(1, False, True), (2, True, True)]


WRONG = [
    ("{}", "f.json is not a list of objects"),
    ("", "f.json is not a list of objects"),
    ('[{"model": "TAG", "pk": 1, "fields": {"name": "a"}}', "f.json: expected ',' or ']' behind item 0"),
    ("[1]", "f.json, item 0: expected an object"),
    ('[{"model": ]', "f.json, item 0 is not JSON"),
    ("[] []", "f.json goes on behind its list"),
    ('[{"model": "no.such"}]', "f.json, item 0: no model is called 'no.such'"),
    ([{"model": "TAG", "pk": "x"}], "f.json, item 0: FixtureTag.id does not take 'x'"),
    ([{"model": "TAG", "pk": 1, "fields": {"nam": 1}}], "f.json, item 0: FixtureTag has no field 'nam'"),
    (
        [
            {"model": "TAG", "pk": 1, "fields": {"name": "fits"}},
            {"model": "TAG", "pk": 2, "fields": {"name": "x" * 21}},
        ],
        "f.json, item 1: FixtureTag.name",
    ),
    ([{"model": "TAG", "pk": 1, "fields": {"name": None}}], "f.json, item 0: .*name"),
    ([{"model": "NODE", "pk": 1, "fields": {"tags": 1}}], "FixtureNode.tags takes a list of keys, not 1"),
    ([{"model": "NODE", "pk": 1, "fields": {"tags": ["x"]}}], "f.json, item 0: .* does not take 'x'"),
]


@pytest.mark.parametrize(("text", "message"), WRONG, ids=[message for _, message in WRONG])
async def test_a_mistake_is_named_with_its_place(text: Any, message: str):
    written = text if isinstance(text, str) else json.dumps(text)
    written = written.replace('"TAG"', f'"{FixtureTag._meta.label}"')
    written = written.replace('"NODE"', f'"{FixtureNode._meta.label}"')
    with pytest.raises(FixtureError, match=message):
        await load(written)
    assert await FixtureTag.objects.count() == 0


async def test_a_file_is_read_item_by_item():
    class Slow(io.StringIO):
        def read(self, size: int | None = -1, /) -> str:
            return super().read(3 if size is None or size > 0 else size)

    text = json.dumps([{"model": "a.b", "pk": pk, "fields": {"t": "[{]}"}} for pk in range(3)], indent=2)
    file = Slow(text)
    items = read_items(file, "f.json")
    assert next(items).pk == 0
    assert file.tell() < len(text) / 2
    assert [item.pk for item in items] == [1, 2]


async def test_a_key_of_several_fields_is_a_list():
    node = await FixtureNode.objects.create()
    await FixtureLink.objects.bulk_create(
        [FixtureLink(node=node, day=date(2026, 7, day), text=str(day)) for day in (1, 2)]
    )
    text = await dump(FixtureLink)
    first, _ = json.loads(text)
    assert first["pk"] == [node.pk, "2026-07-01"]
    assert first["fields"] == {"text": "1"}
    await FixtureLink.objects.filter(text="1").delete()
    await FixtureLink.objects.update(text="old")
    assert await load(text) == 2
    assert await FixtureLink.objects.order_by("pk").values_list("pk", "text") == [
        ((node.pk, date(2026, 7, 1)), "1"), ((node.pk, date(2026, 7, 2)), "2"),
    ]  # fmt: skip
    fields = {"node": node.pk, "day": "2026-07-03", "text": "3"}
    assert await load([{"model": "test_fixtures.fixturelink", "fields": fields}]) == 1
    assert await FixtureLink.objects.count() == 3
    for key in (1, [1], "ab", [1, "2026-07-01", 3]):
        with pytest.raises(
            FixtureError, match=r"f.json, item 0: FixtureLink.pk takes a list of node, day, not"
        ):
            await load([{"model": "test_fixtures.fixturelink", "pk": key, "fields": {}}])
