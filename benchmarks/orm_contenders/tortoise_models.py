"""Tortoise ORM on asyncpg."""

from contextlib import asynccontextmanager

from tortoise import Tortoise, fields
from tortoise.models import Model

from orm_contenders._timing import main


class Item(Model):
    """One row of the table."""

    id = fields.BigIntField(primary_key=True)
    name = fields.CharField(max_length=100)
    description = fields.TextField()
    quantity = fields.IntField()
    price = fields.DecimalField(max_digits=10, decimal_places=2)
    weight = fields.FloatField()
    active = fields.BooleanField()
    created = fields.DatetimeField()
    code = fields.UUIDField()
    note = fields.CharField(max_length=100, null=True)

    class Meta:
        table = "item"


async def page(key):
    """Return 1000 rows."""
    return await Item.filter(id__gt=key % 9000).order_by("id").limit(1000)


@asynccontextmanager
async def connect(url):
    """Open Tortoise's connections."""
    await Tortoise.init(db_url=url.replace("postgresql://", "asyncpg://"), modules={"models": [__name__]})
    try:
        yield {"get": lambda key: Item.get(id=key), "list": page}
    finally:
        await Tortoise.close_connections()


if __name__ == "__main__":
    main(connect)
