"""Transom's models."""

from contextlib import asynccontextmanager

from orm_contenders._timing import main
from transom.db import connections, models


class Item(models.Model):
    """One row of the table."""

    id = models.BigAutoField(primary_key=True)
    name = models.CharField(max_length=100)
    description = models.TextField()
    quantity = models.IntegerField()
    price = models.DecimalField(max_digits=10, decimal_places=2)
    weight = models.FloatField()
    active = models.BooleanField()
    created = models.DateTimeField()
    code = models.UUIDField()
    note = models.CharField(max_length=100, null=True)

    class Meta:
        app_label = "bench"
        db_table = "item"


async def page(key):
    """Return 1000 rows."""
    return await Item.objects.filter(id__gt=key % 9000).order_by("id")[:1000]


@asynccontextmanager
async def connect(url):
    """Name the database."""
    connections.configure({"default": url})
    try:
        yield {"get": lambda key: Item.objects.get(pk=key), "list": page}
    finally:
        await connections.aclose()


if __name__ == "__main__":
    main(connect)
