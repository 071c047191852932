"""Django's asynchronous queries, with a persistent connection on psycopg 3."""

import os
import sys
from contextlib import asynccontextmanager
from urllib.parse import urlsplit

import django
from django.conf import settings

PARTS = urlsplit(sys.argv[3])
settings.configure(
    DATABASES={
        "default": {
            "ENGINE": "django.db.backends.postgresql",
            "NAME": PARTS.path[1:],
            "USER": PARTS.username,
            "PASSWORD": PARTS.password or "",
            "HOST": PARTS.hostname,
            "PORT": PARTS.port or 5432,
            "CONN_MAX_AGE": None,
        }
    },
    USE_TZ=True,
)
os.environ.pop("DJANGO_SETTINGS_MODULE", None)
django.setup()

from django.db import models  # noqa: E402  # Django's models need its settings first

from orm_contenders._timing import main  # noqa: E402


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
    return [item async for item in Item.objects.filter(id__gt=key % 9000).order_by("id")[:1000]]


@asynccontextmanager
async def connect(url):
    """Django connects by itself."""
    yield {"get": lambda key: Item.objects.aget(pk=key), "list": page}


if __name__ == "__main__":
    main(connect)
