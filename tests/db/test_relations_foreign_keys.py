"""Foreign keys beyond the plain ones: managers of the other side, keys of unique columns, names, choices."""

from __future__ import annotations

from typing import Any

import pytest

from transom.db import FieldError, Q, create_tables, models
from transom.db.backends.base import Backend
from transom.validators import ValidationError


class Country(models.Model):
    towns: models.Related[Town]
    code = models.CharField(max_length=2, unique=True)
    name = models.CharField(max_length=20)


class Town(models.Model):
    mayors: models.Related[Mayor]
    name = models.CharField(max_length=20)
    country = models.ForeignKey(
        Country, models.CASCADE, to_field="code", related_name="towns", related_query_name="town"
    )
    twin: models.ForeignKey[Town | None] = models.ForeignKey(
        "self", models.SET_NULL, null=True, limit_choices_to={"name__startswith": "B"}
    )


class Mayor(models.Model):
    name = models.CharField(max_length=20)
    town = models.ForeignKey(
        Town, models.SET_NULL, null=True, related_name="mayors", limit_choices_to=lambda: Q(name="Bern")
    )


@pytest.fixture
async def towns(database: Backend) -> tuple[Town, Town]:
    await create_tables(Mayor)
    swiss = await Country.objects.create(code="ch", name="Switzerland")
    return (
        await Town.objects.create(name="Bern", country=swiss),
        await Town.objects.create(name="Basel", country_id="ch"),
    )


async def test_a_key_may_be_that_of_a_unique_column(towns: tuple[Town, Town], statements: list[str]) -> None:
    bern, basel = towns
    assert (bern.country_id, basel.country_id) == ("ch", "ch")  # type: ignore[attr-defined]
    swiss = await Country.objects.get()
    assert await swiss.towns.order_by("name") == [basel, bern]
    assert await Town.objects.filter(country=swiss, country__name="Switzerland").count() == 2
    assert await Town.objects.filter(country="ch", country__code="ch", country__pk=swiss.pk).count() == 2
    assert await Country.objects.filter(town__name="Bern") == [swiss]
    assert await Town.objects.filter(country__in=Country.objects.all()).count() == 2
    assert await Town.objects.filter(country__in=[swiss]).count() == 2
    statements.clear()
    assert await Town.objects.filter(country__code="ch").count() == 2
    assert "JOIN" not in statements[0]
    loaded = await Town.objects.select_related("country").get(name="Bern")
    assert loaded.country == swiss
    await basel.load("country__towns")
    assert {town.name for town in basel.country.towns.loaded} == {"Bern", "Basel"}
    other = Country(code="fr", name="France")
    await other.save()
    basel.country = other
    await basel.save()
    assert await other.towns.all() == [basel]
    with pytest.raises(FieldError, match="choose from"):
        Country.objects.filter(towns__name="x")


async def test_assigning_before_saving_takes_the_key_when_it_is_there(towns: tuple[Town, Town]) -> None:
    country = Country(name="Italy", code="it")
    town = Town(name="Rome", country=country)
    await country.save()
    await town.save()
    assert town.country_id == "it"  # type: ignore[attr-defined]
    field = Town._meta.get_field("country")
    assert field.deconstruct()[3]["to_field"] == "code"


def test_a_key_of_a_column_that_is_not_unique_is_refused() -> None:
    with pytest.raises(TypeError, match=r"Country\.name, which is not unique"):

        class Wrong(models.Model):
            country = models.ForeignKey(Country, models.CASCADE, to_field="name", related_name="+")


async def test_the_other_side_adds_and_lets_go(towns: tuple[Town, Town], statements: list[str]) -> None:
    bern, basel = towns
    one, two, three = await Mayor.objects.bulk_create([Mayor(name=name) for name in "abc"])
    statements.clear()
    await bern.mayors.add(one, two)
    assert len(statements) == 1
    assert one.town is bern
    assert await bern.mayors.count() == 2
    assert [mayor.town is bern for mayor in await bern.mayors.all()] == [True, True]
    with pytest.raises(Mayor.DoesNotExist, match="does not refer to"):
        await bern.mayors.remove(three)
    statements.clear()
    await bern.mayors.remove(one)
    assert len(statements) == 1
    assert one.town is None
    await bern.mayors.set([one, three])
    assert len(statements) == 3
    assert {mayor.name for mayor in await bern.mayors.all()} == {"a", "c"}
    await bern.mayors.set([three], clear=True)
    assert await Mayor.objects.filter(town=None).count() == 2
    await basel.mayors.add(three)
    await basel.mayors.clear()
    assert await Mayor.objects.filter(town=None).count() == 3
    made, is_new = await basel.mayors.get_or_create(name="d")
    assert (made.town, is_new) == (basel, True)
    assert await basel.mayors.get_or_create(name="d") == (made, False)
    changed, is_new = await basel.mayors.update_or_create({"name": "e"}, name="d")
    assert (changed.pk, changed.name, is_new) == (made.pk, "e", False)
    other, is_new = await bern.mayors.update_or_create({"name": "e"}, name="e")
    assert (other.town, is_new) == (bern, True)
    with pytest.raises(FieldError, match="has no id yet"):
        await bern.mayors.add(Mayor(name="new"))
    wrong: Any = bern
    with pytest.raises(FieldError, match="takes references of Mayor"):
        await bern.mayors.add(wrong)
    with pytest.raises(AttributeError, match=r"await obj.mayors.set"):
        setattr(bern, "mayors", [])  # noqa: B010


async def test_a_key_that_takes_no_null_cannot_be_let_go(towns: tuple[Town, Town]) -> None:
    bern, basel = towns
    swiss = await Country.objects.get()
    for change in (swiss.towns.clear(), swiss.towns.remove(bern)):
        with pytest.raises(TypeError, match="delete the rows instead"):
            await change
    france = await Country.objects.create(code="fr", name="France")
    await france.towns.set([basel])
    assert await france.towns.all() == [basel]
    assert await swiss.towns.all() == [bern]


async def test_checking_an_object_minds_the_choices(towns: tuple[Town, Town]) -> None:
    bern, basel = towns
    await Mayor(name="a", town=bern).full_clean()
    await Town(name="x", country_id="ch", twin=basel).full_clean()
    for wrong in (Mayor(name="a", town=basel), Town(name="x", country_id="fr")):
        with pytest.raises(ValidationError):
            await wrong.full_clean()


def test_choices_may_be_limited() -> None:
    town, twin = Mayor._meta.get_field("town"), Town._meta.get_field("twin")
    assert isinstance(town, models.ForeignKey)
    assert isinstance(twin, models.ForeignKey)
    assert repr(town.get_limit_choices_to()) == "Q(name='Bern')"
    assert repr(twin.get_limit_choices_to()) == "Q(name__startswith='B')"


async def test_typed_columns_lead_along_the_other_side(towns: tuple[Town, Town]) -> None:
    assert await Country.objects.filter(Country.towns.follow(Town.name) == "Bern").count() == 1
