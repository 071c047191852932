"""Columns that the database computes."""

from __future__ import annotations

import pytest

from transom.db import F, NotLoaded, ProgrammingError, Q, create_tables, models
from transom.db.backends.base import Backend
from transom.db.migrations.model_state import clone_field


class Box(models.Model):
    width = models.IntegerField()
    height = models.IntegerField(null=True)
    area = models.GeneratedField(
        expression=F("width") * F("height"), output_field=models.IntegerField(null=True), db_index=True
    )
    double = models.GeneratedField(
        expression=F("width") * 2, output_field=models.BigIntegerField(), unique=True
    )

    class Meta:
        constraints = [models.CheckConstraint(condition=Q(area__lt=100), name="small")]


async def test_the_value_is_there_after_the_row_is_inserted(database: Backend) -> None:
    await create_tables(Box)
    box = Box(width=3, height=4)
    with pytest.raises(NotLoaded, match=r"Box\.area"):
        _ = box.area
    await box.full_clean()
    await box.save()
    assert (box.area, box.double) == (12, 6)
    found = await Box.objects.get(area=12)
    assert (found, found.area) == (box, 12)


async def test_saving_again_forgets_it(database: Backend) -> None:
    await create_tables(Box)
    box = await Box.objects.create(width=3, height=4)
    box.width = 5
    await box.save()
    with pytest.raises(NotLoaded):
        _ = box.area
    await box.refresh()
    assert (box.area, box.double) == (20, 10)
    box.height = None
    await box.save(update_fields=["height"])
    await box.refresh()
    assert box.area is None


async def test_many_at_once(database: Backend) -> None:
    await create_tables(Box)
    boxes = [Box(width=number, height=2) for number in (1, 2, 3)]
    await Box.objects.bulk_create(boxes)
    assert [box.area for box in boxes] == [2, 4, 6]
    assert await Box.objects.order_by("-area").values_list("area", flat=True) == [6, 4, 2]


async def test_it_cannot_be_written(database: Backend) -> None:
    await create_tables(Box)
    await Box.objects.create(width=3, height=4)
    with pytest.raises(ProgrammingError):
        await Box.objects.update(area=5)


def test_it_can_be_made_again_from_its_parts() -> None:
    field = Box._meta.get_field("area")
    made = clone_field(field)
    assert (
        made.deconstruct()[3].keys()
        == field.deconstruct()[3].keys()
        == {"expression", "output_field", "db_index"}
    )
    assert made.null
