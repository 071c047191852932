"""Parts of JSON documents in queries, with plain Python over the same documents as the oracle."""

from __future__ import annotations

from typing import Any

import pytest

from transom.db import F, FieldError, create_tables, models
from transom.db.backends.base import Backend

DOCUMENTS: list[Any] = [
    {"name": "Ada", "age": 36, "tags": ["a", "b"], "address": {"city": "York", "zip": None}, "on": True},
    {"name": "bob%", "age": 7, "tags": [], "address": {"city": "Bath"}, "on": False},
    {"name": "O'Neil", "age": 36.5, "tags": ["b", {"c": 1}], "0": "zero", "on": None},
    {"age": "old"},
    ["Ada", 1, None],
    "Ada",
    None,
]


class Event(models.Model):
    data = models.JSONField(null=True)

    class Meta:
        ordering = ("pk",)


@pytest.fixture
async def events(database: Backend) -> list[Event]:
    await create_tables(Event)
    return await Event.objects.bulk_create([Event(data=document) for document in DOCUMENTS])


MISSING = object()


def part(document: Any, *steps: str | int) -> Any:
    for step in steps:
        if isinstance(document, dict) and str(step) in document:
            document = document[str(step)]
        elif isinstance(document, list) and isinstance(step, int) and step < len(document):
            document = document[step]
        else:
            return MISSING
    return document


def is_number(value: Any) -> bool:
    return isinstance(value, int | float) and not isinstance(value, bool)


def is_object(value: Any) -> bool:
    return isinstance(value, dict)


CASES: list[tuple[dict[str, Any], Any]] = [
    ({"data__name": "Ada"}, lambda d: part(d, "name") == "Ada"),
    ({"data__name": "O'Neil"}, lambda d: part(d, "name") == "O'Neil"),
    ({"data__age": 36}, lambda d: part(d, "age") == 36),
    ({"data__on": True}, lambda d: part(d, "on") is True),
    ({"data__on": None}, lambda d: part(d, "on") is None),
    ({"data__address__zip": None}, lambda d: part(d, "address", "zip") is None),
    ({"data__address__zip__isnull": True}, lambda d: part(d, "address", "zip") is MISSING),
    ({"data__tags__isnull": False}, lambda d: part(d, "tags") is not MISSING),
    ({"data__tags__0": "a"}, lambda d: part(d, "tags", 0) == "a"),
    ({"data__tags__1__c": 1}, lambda d: part(d, "tags", 1, "c") == 1),
    ({"data__0": "Ada"}, lambda d: part(d, 0) == "Ada"),
    ({"data__tags": ["a", "b"]}, lambda d: part(d, "tags") == ["a", "b"]),
    ({"data__address": {"city": "Bath"}}, lambda d: part(d, "address") == {"city": "Bath"}),
    ({"data__name__in": ["Ada", "bob%"]}, lambda d: part(d, "name") in ("Ada", "bob%")),
    ({"data__age__in": [7, "old"]}, lambda d: part(d, "age") in (7, "old")),
    ({"data__address__city__icontains": "TH"}, lambda d: part(d, "address", "city") == "Bath"),
    ({"data__name__startswith": "bob%"}, lambda d: str(part(d, "name")).startswith("bob%")),
    ({"data__name__iexact": "ada"}, lambda d: str(part(d, "name")).lower() == "ada"),
    ({"data__name__regex": "^[AO]"}, lambda d: str(part(d, "name"))[0] in "AO"),
    ({"data__has_key": "name"}, lambda d: is_object(d) and "name" in d),
    ({"data__address__has_key": "zip"}, lambda d: is_object(part(d, "address")) and "zip" in part(d, "address")),
    ({"data__has_keys": ["name", "on"]}, lambda d: is_object(d) and {"name", "on"} <= set(d)),
    ({"data__has_any_keys": ["0", "address"]}, lambda d: is_object(d) and bool({"0", "address"} & set(d))),
]  # fmt: skip


@pytest.mark.parametrize("number", range(len(CASES)))
async def test_a_lookup_says_what_python_says(number: int, events: list[Event], database: Backend) -> None:
    lookups, holds = CASES[number]
    expected = [event.pk for event in events if holds(event.data)]
    if database.vendor == "mysql" and "data__0" in lookups:
        expected.append(events[5].pk)  # it takes a text for an array of one
    assert await Event.objects.filter(**lookups).values_list("pk", flat=True) == expected
    others = [event.pk for event in events if event.pk not in expected]
    assert await Event.objects.exclude(**lookups).values_list("pk", flat=True) == others


async def test_numbers_in_documents_have_an_order(events: list[Event]) -> None:
    for limit in (0, 7, 36, 36.5, 100):
        numbers = Event.objects.filter(data__age__in=[7, 36, 36.5])
        for name, compare in (("gt", float.__gt__), ("lte", float.__le__)):
            expected = [
                event.pk
                for event in events
                if is_number(part(event.data, "age"))
                and compare(float(part(event.data, "age")), float(limit))
            ]
            found = await numbers.filter(**{f"data__age__{name}": limit}).values_list("pk", flat=True)
            assert found == expected
    assert await Event.objects.filter(data__age__range=(7, 36), data__name__isnull=False).count() == 2


async def test_typed_columns_lead_into_documents(events: list[Event]) -> None:
    assert await Event.objects.filter(Event.data["tags"][0] == "b").count() == 1
    assert await Event.objects.filter(Event.data["address"]["city"].startswith("Yo")).count() == 1
    assert await Event.objects.filter(Event.data.has_keys(["name", "tags"])).count() == 3
    assert await Event.objects.filter(Event.data["age"] > 30, Event.data["name"].is_null(False)).count() == 2
    with pytest.raises(FieldError, match="cannot say the key 'a__b'"):
        _ = Event.data["a__b"]


async def test_parts_are_selected_and_annotated_as_values(events: list[Event]) -> None:
    assert await Event.objects.filter(data__has_key="name").values_list("data__name", "data__tags__0") == [
        ("Ada", "a"),
        ("bob%", None),
        ("O'Neil", "b"),
    ]
    query = Event.objects.annotate(city=F("data__address__city")).filter(city="Bath")
    assert await query.values_list("city", flat=True) == ["Bath"]


async def test_one_document_in_another(events: list[Event], database: Backend) -> None:
    if database.vendor == "sqlite":
        with pytest.raises(FieldError, match="SQLite cannot tell"):
            await Event.objects.filter(data__contains={"age": 7})
        return
    assert await Event.objects.filter(data__contains={"age": 7}).count() == 1
    assert await Event.objects.filter(data__tags__contains=["b"]).count() == 2
    assert (
        await Event.objects.filter(Event.data["address"].contained_by({"city": "Bath", "zip": 1})).count()
        == 1
    )


@pytest.mark.parametrize(
    "lookups",
    [{"data__has_key": 'a"b'}, {"data__has_keys": "ab"}, {"data__age__gt": [1]}, {"data__age__gt": None}],
)
async def test_what_cannot_be_asked_is_refused(lookups: dict[str, Any], events: list[Event]) -> None:
    with pytest.raises(FieldError):
        await Event.objects.filter(**lookups)
    with pytest.raises(FieldError, match="quotation marks"):
        Event.objects.filter(**{'data__a"b': 1})
