"""Values and rows at the edges: nothing but a key, infinity, very long patterns, several constraints on one column."""

from __future__ import annotations

import math

import pytest

from transom.db import DataError, UniqueViolation, create_tables, models
from transom.db.backends.base import Backend


class EdgeKey(models.Model):
    pass


class EdgeDefault(models.Model):
    made = models.IntegerField(db_default=7)


class EdgeFloat(models.Model):
    share = models.FloatField(null=True)
    text = models.CharField(max_length=20, default="")


class EdgeTwice(models.Model):
    code = models.IntegerField()
    other = models.IntegerField(unique=True, default=0)
    live = models.BooleanField(default=True)

    class Meta:
        constraints = [
            models.UniqueConstraint(fields=["code"], condition=models.Q(live=True), name="edge_live"),
            models.UniqueConstraint(fields=["code"], condition=models.Q(code__lt=5), name="edge_small"),
        ]


@pytest.mark.parametrize("model", [EdgeKey, EdgeDefault])
async def test_rows_of_which_the_database_makes_everything_can_be_made_at_once(
    database: Backend, model: type[models.Model]
):
    await create_tables(model)
    made = await model.objects.bulk_create([model(), model(), model()])
    assert [each.pk for each in made] == [1, 2, 3]
    assert await model.objects.count() == 3
    assert {getattr(each, "made", 7) for each in made} == {7}
    await model.objects.bulk_create([model(pk=9), model()])
    assert await model.objects.order_by("pk").values_list("pk", flat=True) in (
        [1, 2, 3, 9, 10],
        [1, 2, 3, 4, 9],
    )


async def test_a_failure_among_them_leaves_none(database: Backend):
    await create_tables(EdgeKey)
    with pytest.raises(UniqueViolation):
        await EdgeKey.objects.bulk_create([EdgeKey(), EdgeKey(pk=5), EdgeKey(pk=5)])
    assert await EdgeKey.objects.count() == 0


async def test_infinite_numbers_in_many_rows(database: Backend):
    await create_tables(EdgeFloat)
    values = [math.inf, -math.inf, 0.5, None]
    rows = [EdgeFloat(share=value, text="Infinity -Infinity") for value in values]
    if database.vendor == "mysql":
        with pytest.raises(DataError, match="cannot hold inf"):
            await EdgeFloat.objects.bulk_create(rows)
        return
    await EdgeFloat.objects.bulk_create(rows)
    assert await EdgeFloat.objects.order_by("pk").values_list("share", flat=True) == values
    assert await EdgeFloat.objects.filter(text="Infinity -Infinity").count() == 4
    assert await EdgeFloat.objects.filter(share__in=[-math.inf, 0.5]).count() == 2
    for row in rows:
        row.share = -math.inf
    await EdgeFloat.objects.bulk_update(rows, ["share"])
    assert await EdgeFloat.objects.filter(share=-math.inf).count() == 4


async def test_a_pattern_that_is_too_long_is_a_wrong_value(database: Backend):
    await create_tables(EdgeFloat)
    await EdgeFloat.objects.create(text="short")
    for lookup in ("contains", "icontains", "startswith"):
        rows = EdgeFloat.objects.filter(**{f"text__{lookup}": "x" * 1_000_001})
        if database.vendor == "sqlite":
            with pytest.raises(DataError, match="too complex"):
                await rows.count()
        else:
            assert await rows.count() == 0


async def test_of_several_constraints_on_one_column_none_is_named_by_mistake(database: Backend):
    if database.vendor == "mysql":
        pytest.skip("has no unique constraints under a condition")
    await create_tables(EdgeTwice)
    await EdgeTwice.objects.create(code=1, other=1)
    with pytest.raises(UniqueViolation) as small:
        await EdgeTwice.objects.create(code=1, other=2, live=False)
    with pytest.raises(UniqueViolation) as single:
        await EdgeTwice.objects.create(code=9, other=1)
    assert single.value.constraint == "uq_test_values_at_the_edges_edgetwice_other"
    if database.vendor == "sqlite":  # which says the columns alone
        assert (small.value.columns, small.value.constraint) == (("code",), None)
    else:
        assert small.value.constraint == "edge_small"
