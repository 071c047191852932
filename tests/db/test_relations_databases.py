"""Relations where there are several databases, and inside transactions."""

from __future__ import annotations

from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import pytest

from transom.db import atomic, connections, create_tables, models
from transom.db.backends.base import Backend
from transom.db.router import Router


class Shop(models.Model):
    goods: models.Related[Good]
    name = models.CharField(max_length=20)


class Good(models.Model):
    shop = models.ForeignKey(Shop, models.CASCADE, null=True, related_name="goods")
    colors: models.ManyToManyField[Color] = models.ManyToManyField("Color", related_name="goods")


class Color(models.Model):
    name = models.CharField(max_length=20)


@pytest.fixture
async def two_databases(tmp_path: Path) -> AsyncIterator[None]:
    connections.configure({name: f"sqlite:///{tmp_path / name}.sqlite3" for name in ("default", "other")})
    for name in ("default", "other"):
        await create_tables(Good, using=name)
    yield
    await connections.aclose()
    connections.configure({})


async def test_related_rows_are_those_of_the_same_database(two_databases: None) -> None:
    shop = await Shop.objects.using("other").create(name="x")
    good = await shop.goods.create()
    color = await good.colors.create(name="red")
    await good.colors.set([color.pk])
    assert (good._using, color._using) == ("other", "other")
    assert await Good.colors.through.objects.using("other").count() == 1
    assert await Good.colors.through.objects.count() == 0
    (found,) = await Shop.objects.using("other").prefetch_related("goods__colors")
    assert found.goods.loaded[0].colors.loaded == [color]
    again = await Good.objects.using("other").get()
    await again.load("shop", "colors")
    assert again.shop is not None
    assert again.shop._using == "other"
    await again.shop.goods.clear()
    assert await Good.objects.using("other").filter(shop=None).count() == 1


async def test_routers_choose_for_relations_too(two_databases: None, tmp_path: Path) -> None:
    asked: list[tuple[str, Any]] = []

    class Noting(Router):
        def db_for_read(self, model: type[Any], **hints: Any) -> str | None:
            asked.append((model.__name__, hints.get("instance")))
            return "other" if model is Color else None

        def db_for_write(self, model: type[Any], **hints: Any) -> str | None:
            return "other"

    good = await Good.objects.using("other").create()
    urls = {name: f"sqlite:///{tmp_path / name}.sqlite3" for name in ("default", "other")}
    connections.configure(urls, routers=[Noting()])
    await good.colors.add(await Color.objects.create(name="red"))
    assert [color.name for color in await good.colors.all()] == ["red"]
    await good.load("colors")
    assert asked[-1] == ("Color", good)


async def test_a_stream_in_a_transaction_prefetches_by_the_chunk(database: Backend) -> None:
    await create_tables(Good)
    shops = await Shop.objects.bulk_create([Shop(name=str(number)) for number in range(5)])
    await Good.objects.bulk_create([Good(shop=shop) for shop in shops])
    async with atomic():
        queryset = Shop.objects.order_by("pk").prefetch_related("goods")
        assert [len(shop.goods.loaded) async for shop in queryset.iterator(chunk_size=2)] == [1] * 5
