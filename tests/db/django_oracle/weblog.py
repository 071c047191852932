"""A weblog, a book shop and a few more tables, declared once for either framework, with the rows that examples speak of.

Nothing here imports either: `make_models(models)` takes the module with the fields.
"""

from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC, date, datetime, time, timedelta
from decimal import Decimal
from typing import Any

Row = dict[str, Any]  # Any: values of all fields


def make_models(models: Any) -> dict[str, Any]:
    """Return the models by name. Any: the `models` of either framework, and models of it."""

    class Named(models.Model):
        class Meta:
            abstract = True

        def __str__(self) -> str:
            return str(self.name)

    class Blog(Named):
        name = models.CharField(max_length=50)
        slug = models.SlugField(unique=True)
        tagline = models.TextField()

        class Meta:
            app_label = "weblog"

    class AgedQuerySet(models.QuerySet):
        def old(self) -> Any:
            return self.filter(age__gt=50)

    class Polite(models.Manager):
        def hello(self) -> str:
            return "hello"

    class Elders(models.Manager):
        def get_queryset(self) -> Any:
            return super().get_queryset().filter(age__gt=50)

    class Author(Named):
        name = models.CharField(max_length=50)
        alias = models.CharField(max_length=50, null=True)
        age = models.IntegerField()

        objects = models.Manager()
        aged = AgedQuerySet.as_manager()
        greeted = Polite.from_queryset(AgedQuerySet)()
        elders = Elders()

        class Meta:
            app_label = "weblog"

    class Entry(models.Model):
        blog = models.ForeignKey(Blog, models.CASCADE)
        headline = models.CharField(max_length=100)
        body = models.TextField(default="")
        published = models.DateField(null=True)
        changed = models.DateField()
        posted = models.DateTimeField(null=True)
        authors = models.ManyToManyField(Author)
        comments = models.IntegerField(default=0)
        links = models.IntegerField(default=0)
        rating = models.IntegerField(default=5)
        is_open = models.BooleanField(default=True)

        class Meta:
            app_label = "weblog"
            get_latest_by = "changed"

        def __str__(self) -> str:
            return str(self.headline)

    class Detail(models.Model):
        entry = models.OneToOneField(Entry, models.CASCADE)
        text = models.TextField()
        read_at = models.TimeField()

        class Meta:
            app_label = "weblog"

        def __str__(self) -> str:
            return str(self.text)

    class Publisher(Named):
        name = models.CharField(max_length=50)

        class Meta:
            app_label = "weblog"
            ordering = ["-name"]

    class Book(Named):
        name = models.CharField(max_length=50)
        pages = models.IntegerField()
        price = models.DecimalField(max_digits=8, decimal_places=2)
        rating = models.FloatField()
        published = models.DateField()
        publisher = models.ForeignKey(Publisher, models.CASCADE)
        authors = models.ManyToManyField(Author)

        class Meta:
            app_label = "weblog"

    class Store(Named):
        name = models.CharField(max_length=50)
        books = models.ManyToManyField(Book, related_name="stores")
        best = models.ForeignKey(Book, models.SET_NULL, null=True, related_name="best_in")

        class Meta:
            app_label = "weblog"

    class Company(Named):
        name = models.CharField(max_length=50)
        motto = models.CharField(max_length=50, null=True)
        ticker = models.CharField(max_length=10, null=True)
        employees = models.IntegerField()
        chairs = models.IntegerField()
        is_active = models.BooleanField(default=True)

        class Meta:
            app_label = "weblog"

    class Job(Named):
        name = models.CharField(max_length=50)
        begins = models.DateTimeField()
        takes = models.DurationField()

        class Meta:
            app_label = "weblog"

    class Account(models.TextChoices):
        REGULAR = "R", "Regular"
        GOLD = "G", "Gold"
        PLATINUM = "P", "Platinum"

    class Client(Named):
        name = models.CharField(max_length=50)
        account = models.CharField(max_length=1, choices=Account.choices, default=Account.REGULAR)
        since = models.DateField()

        class Meta:
            app_label = "weblog"

    class Dog(Named):
        name = models.CharField(max_length=50)
        data = models.JSONField(null=True)

        class Meta:
            app_label = "weblog"

    classes = [Blog, Author, Entry, Detail, Publisher, Book, Store, Company, Job, Client, Dog]
    return {each.__name__: each for each in classes}


def _day(text: str | None) -> date | None:
    return None if text is None else date.fromisoformat(text)


def _moment(text: str | None) -> datetime | None:
    return None if text is None else datetime.fromisoformat(text).replace(tzinfo=UTC)


def _table(names: str, *rows: tuple[Any, ...]) -> list[Row]:
    return [dict(zip(names.split(), row, strict=True)) for row in rows]


def make_rows() -> Iterator[tuple[str, list[Row]]]:
    """Yield rows by model in an order in which they can be inserted; their keys are 1, 2, 3 and so on."""
    yield (
        "Blog",
        _table(
            "name slug tagline",
            ("Tide Tables", "tides", "Notes from the coast"),
            ("Cheese Log", "cheese", "All about cheese"),
            ("Empty Pages", "empty", ""),
        ),
    )
    yield (
        "Author",
        _table("name alias age", ("Ada", "ace", 36), ("Bo", None, 52), ("Cy", "cyan", 28), ("Dee", None, 61)),
    )
    entries = [
        (1, "What tides do", "Water comes and goes", "2023-11-20", "2023-11-27", "2023-11-20 09:30", 4, 2, 5, True),
        (1, "Moon phases", "The moon pulls", "2024-01-03", "2024-01-04", "2024-01-03 14:30:15", 0, 3, 3, True),
        (1, "what waves do", "", "2024-01-03", "2024-03-01", "2024-01-03 23:05:59", 9, 1, 4, False),
        (2, "Brie 100%", "Soft food", "2024-06-14", "2024-06-14", "2024-06-14 08:00", 2, 2, 5, True),
        (2, "The_Rind", "Hard food", None, "2024-07-01", None, 1, 0, 1, True),
    ]  # fmt: skip
    names = "blog_id headline body published changed posted comments links rating is_open"
    yield (
        "Entry",
        _table(
            names,
            *(
                (*head, _day(published), _day(changed), _moment(posted), *rest)
                for *head, published, changed, posted, comments, links, rating, is_open in entries
                for rest in [(comments, links, rating, is_open)]
            ),
        ),
    )
    pairs = [(1, 1), (1, 2), (2, 1), (3, 2), (3, 3), (4, 3)]
    yield "Entry.authors", _table("entry_id author_id", *pairs)
    yield (
        "Detail",
        _table("entry_id text read_at", (1, "long", time(5, 46, 2)), (4, "short", time(17))),
    )
    yield "Publisher", _table("name", ("Arch",), ("Bell",), ("Cove",))
    yield (
        "Book",
        _table(
            "name pages price rating published publisher_id",
            ("Atlas", 300, Decimal("30.10"), 4.5, date(2021, 1, 3), 1),
            ("Birds", 90, Decimal("12.00"), 3.0, date(2022, 5, 1), 1),
            ("Comets", 120, Decimal("8.95"), 5.0, date(2022, 9, 30), 2),
            ("Dunes", 700, Decimal("20.00"), 1.0, date(2023, 3, 15), 2),
        ),
    )
    yield "Book.authors", _table("book_id author_id", (1, 1), (1, 2), (2, 1), (3, 3))
    yield "Store", _table("name best_id", ("North", 1), ("South", None))
    yield "Store.books", _table("store_id book_id", (1, 1), (1, 2), (1, 3), (2, 1))
    yield (
        "Company",
        _table(
            "name motto ticker employees chairs is_active",
            ("Acme", None, "acm", 120, 50, True),
            ("Bolt", "Fast", "BLT", 10, 20, False),
            ("Cog", None, None, 7, 7, True),
        ),
    )
    morning = datetime(2024, 1, 1, 8, tzinfo=UTC)
    yield (
        "Job",
        _table(
            "name begins takes",
            ("paint", morning, timedelta(minutes=90)),
            ("dry", morning + timedelta(hours=2), timedelta(days=1)),
        ),
    )
    yield (
        "Client",
        _table(
            "name account since",
            ("Jane", "R", date(2024, 2, 10)),
            ("James", "G", date(2024, 3, 12)),
            ("Jack", "P", date(2014, 3, 1)),
            ("Jill", "P", date(2024, 3, 17)),
        ),
    )
    rex = {"breed": "labrador", "owner": {"name": "Bob", "pets": [{"name": "Fin"}, {"name": "Gil"}]}}
    yield (
        "Dog",
        _table(
            "name data",
            ("Rex", rex),
            ("Mia", {"breed": "collie", "owner": None}),
            ("Fox", {}),
            ("Max", None),
            ("Zoe", {"breed": "pug", "tricks": ["fetch", "dance"]}),
        ),
    )
