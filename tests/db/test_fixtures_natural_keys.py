"""Natural keys in fixtures: rows and references without primary keys, in any order."""

from __future__ import annotations

import io
import json
from typing import Any, ClassVar

import pytest

from transom.db import create_tables, models
from transom.db.backends.base import Backend
from transom.db.fixtures import FixtureError, dump_data, load_data, read_items, sort_models
from transom.db.models.manager import Manager


class ByName(Manager[Any]):
    async def get_by_natural_key(self, name: str) -> Any:
        return await self.get(name=name)


class NatCity(models.Model):
    name = models.CharField(max_length=20, unique=True)
    objects: ClassVar[ByName] = ByName()

    def natural_key(self) -> tuple[str]:
        return (self.name,)


class ByStreet(Manager[Any]):
    async def get_by_natural_key(self, street: str, city: str) -> Any:
        return await self.get(street=street, city__name=city)


class NatHouse(models.Model):
    street = models.CharField(max_length=20)
    city = models.ForeignKey(NatCity, models.CASCADE)
    neighbour: models.ForeignKey[NatHouse | None] = models.ForeignKey("self", models.CASCADE, null=True)
    objects: ClassVar[ByStreet] = ByStreet()

    def natural_key(self) -> tuple[str, ...]:
        return (self.street, *self.city.natural_key())

    natural_key.dependencies = ["test_fixtures_natural_keys.NatCity"]  # type: ignore[attr-defined]


class NatPerson(models.Model):
    name = models.CharField(max_length=20)
    home = models.ForeignKey(NatHouse, models.CASCADE)
    second = models.ForeignKey(NatHouse, models.CASCADE, null=True, related_name="+")
    cities = models.ManyToManyField(NatCity)
    objects: ClassVar[ByName] = ByName()

    async def natural_key(self) -> tuple[str]:
        return (self.name,)


MODELS: tuple[type[models.Model], ...] = (NatPerson, NatHouse, NatCity)
CITY, HOUSE, PERSON = (model._meta.label for model in (NatCity, NatHouse, NatPerson))


@pytest.fixture(autouse=True)
async def tables(database: Backend) -> None:
    await create_tables(*MODELS)


async def dump(**options: Any) -> list[dict[str, Any]]:
    items: list[dict[str, Any]] = []
    await dump_data(sort_models(MODELS), items.append, **options)
    return json.loads(json.dumps(items))


async def load(items: list[Any]) -> int:
    return await load_data(read_items(io.StringIO(json.dumps(items)), "f.json"))


async def fill() -> None:
    oslo, bergen = [await NatCity.objects.create(name=name) for name in ("Oslo", "Bergen")]
    first = await NatHouse.objects.create(street="A", city=oslo)
    house = await NatHouse.objects.create(street="A", city=bergen, neighbour=first)
    ada = await NatPerson.objects.create(name="Ada", home=house)
    await ada.cities.add(oslo, bergen)


async def seen() -> dict[str, Any]:
    people = await NatPerson.objects.select_related("home__city", "home__neighbour__city").order_by("name")
    return {
        person.name: (
            person.home.street,
            person.home.city.name,
            person.home.neighbour and person.home.neighbour.city.name,
            sorted([city.name for city in await person.cities.all()]),
        )
        for person in people
    }


ADA = {"Ada": ("A", "Bergen", "Oslo", ["Bergen", "Oslo"])}


async def test_references_are_natural_keys_where_the_models_have_them():
    await fill()
    items = {(item["model"], item["pk"]): item["fields"] for item in await dump(natural_foreign=True)}
    (person,) = [fields for (model, _), fields in items.items() if model == PERSON.lower()]
    assert person == {
        "name": "Ada",
        "home": ["A", "Bergen"],
        "second": None,
        "cities": [["Bergen"], ["Oslo"]],
    }
    houses = [fields for (model, _), fields in items.items() if model == HOUSE.lower()]
    assert {house["neighbour"] and house["neighbour"][1] for house in houses} == {None, "Oslo"}


async def test_models_come_behind_those_that_their_keys_depend_on():
    assert [model._meta.label for model in sort_models(MODELS)] == [CITY, HOUSE, PERSON]


async def test_rows_without_primary_keys_come_back_under_other_keys():
    await fill()
    items = await dump(natural_foreign=True, natural_primary=True)
    assert all("pk" not in item for item in items)
    await NatCity.objects.all().delete()
    await NatCity.objects.create(name="Tromsø")
    await load(items)
    assert await seen() == ADA
    assert await NatCity.objects.count() == 3


async def test_a_row_with_the_natural_key_is_changed_and_not_doubled():
    await fill()
    items = await dump(natural_foreign=True, natural_primary=True)
    before = await NatPerson.objects.get(name="Ada")
    await NatPerson.objects.all().update(second=await NatHouse.objects.get(city__name="Oslo"))
    assert await load([*items, *items]) == 2 * len(items)
    after = await NatPerson.objects.get(name="Ada")
    assert (after.pk, after.second_id) == (before.pk, None)
    assert await seen() == ADA


@pytest.mark.parametrize("primary", [True, False])
async def test_the_order_does_not_matter(primary: bool):
    await fill()
    items = await dump(natural_foreign=True, natural_primary=primary)
    await NatPerson.objects.all().delete()
    await NatHouse.objects.all().delete()
    await NatCity.objects.all().delete()
    await load(items[::-1])
    assert await seen() == ADA


async def test_rows_that_refer_to_each_other():
    await load(
        [
            {"model": HOUSE, "fields": {"street": "A", "city": ["Oslo"], "neighbour": ["B", "Oslo"]}},
            {"model": HOUSE, "fields": {"street": "B", "city": ["Oslo"], "neighbour": ["A", "Oslo"]}},
            {"model": CITY, "fields": {"name": "Oslo"}},
        ]
    )
    pairs = NatHouse.objects.order_by("street").values_list("street", "neighbour__street")
    assert await pairs == [("A", "B"), ("B", "A")]


async def test_the_key_may_depend_on_a_row_that_is_named_by_its_primary_key():
    city = {"model": CITY, "pk": 5, "fields": {"name": "Oslo"}}
    house = {"model": HOUSE, "fields": {"street": "A", "city": 5}}
    await load([house, city])
    await load([city, house])
    assert await NatHouse.objects.values_list("street", "city__name") == [("A", "Oslo")]


async def test_a_key_that_changed_is_looked_up_anew():
    await load([{"model": CITY, "pk": 1, "fields": {"name": "Oslo"}}])
    with pytest.raises(FixtureError, match=r"item 2: NatHouse.city refers to \['Oslo'\]"):
        await load(
            [
                {"model": HOUSE, "fields": {"street": "A", "city": ["Oslo"]}},
                {"model": CITY, "pk": 1, "fields": {"name": "Kristiania"}},
                {"model": HOUSE, "fields": {"street": "B", "city": ["Oslo"]}},
            ]
        )
    assert await NatHouse.objects.count() == 0


WRONG = [
    (
        {"model": HOUSE, "fields": {"street": "A", "city": ["Oslo"]}},
        r"item 0: NatHouse.city refers to \['Oslo'\], which",
    ),
    (
        {"model": PERSON, "pk": 1, "fields": {"name": "x", "home": ["A", "B"]}},
        r"item 0: NatPerson.home refers to \['A', 'B'\]",
    ),
    (
        {"model": HOUSE, "fields": {"street": "A", "city": ["a", "b"]}},
        r"item 0: get_by_natural_key\(\) of .*NatCity does not take \['a', 'b'\]",
    ),
]


@pytest.mark.parametrize(("item", "message"), WRONG, ids=[message for _, message in WRONG])
async def test_a_mistake_is_named_with_its_place(item: dict[str, Any], message: str):
    with pytest.raises(FixtureError, match=message):
        await load([item])


async def test_a_missing_link_is_refused_at_the_end_and_nothing_is_written():
    await fill()
    items = await dump(natural_foreign=True)
    items[-1]["fields"]["cities"] = [["Oslo"], ["Nowhere"]]
    await NatPerson.objects.all().delete()
    with pytest.raises(FixtureError, match=r"NatPerson\.cities refers to"):
        await load(items)
    assert await NatPerson.objects.count() == 0


async def test_a_key_that_reads_what_is_not_loaded_is_refused_with_the_remedy(
    monkeypatch: pytest.MonkeyPatch,
):
    await fill()
    monkeypatch.delattr(NatHouse.natural_key, "dependencies")
    with pytest.raises(FixtureError, match=r"name the other model in natural_key\.dependencies"):
        await dump(natural_foreign=True)


async def test_a_list_for_a_model_without_natural_keys_is_refused(monkeypatch: pytest.MonkeyPatch):
    monkeypatch.delattr(ByName, "get_by_natural_key")
    with pytest.raises(FixtureError, match=r"has no get_by_natural_key\(\)"):
        await load([{"model": HOUSE, "pk": 1, "fields": {"street": "A", "city": ["Oslo"]}}])
