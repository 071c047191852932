"""Values computed for each row and for groups of rows, with plain Python over the same rows as the oracle."""

from __future__ import annotations

import re
from collections import Counter
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from statistics import mean
from typing import Any, cast

import pytest

from transom.db import F, FieldError, Q, create_tables, models
from transom.db.backends.base import Backend
from transom.db.models import (
    Avg,
    Case,
    Count,
    Exists,
    Func,
    Max,
    Min,
    OuterRef,
    StringAgg,
    Subquery,
    Sum,
    Truth,
    Value,
    When,
    Window,
)
from transom.db.models.functions import (
    Coalesce,
    DenseRank,
    FirstValue,
    Lag,
    Length,
    Lower,
    Ntile,
    Rank,
    RowNumber,
    RowRange,
)

START = datetime(2024, 1, 1, 12, tzinfo=UTC)


class Writer(models.Model):
    name = models.CharField(max_length=50)
    mentor: models.ForeignKey[Writer | None] = models.ForeignKey("self", models.SET_NULL, null=True)

    class Meta:
        ordering = ("name",)


class Book(models.Model):
    writer: models.ForeignKey[Writer | None] = models.ForeignKey(
        Writer, models.SET_NULL, null=True, related_name="books"
    )
    writer_id: int | None
    title = models.CharField(max_length=50)
    genre = models.CharField(max_length=20)
    pages = models.IntegerField(null=True)
    price = models.DecimalField(max_digits=8, decimal_places=2)
    published = models.DateTimeField()

    class Meta:
        ordering = ("title",)


class Review(models.Model):
    book = models.ForeignKey(Book, models.CASCADE, related_name="reviews")
    book_id: int
    stars = models.IntegerField()


BOOKS = [  # title, writer, genre, pages, price
    ("Atlas", 0, "science", 300, "30.10"),
    ("Birds", 0, "nature", None, "12.00"),
    ("Comets", 1, "science", 120, "8.95"),
    ("Dunes", 1, "nature", 80, "8.95"),
    ("Eels", None, "nature", 200, "15.50"),
]
REVIEWS = [(0, 5), (0, 3), (1, 4), (2, 1), (2, 1), (2, 5), (4, 2)]


class Library:
    def __init__(self, writers: list[Writer], books: list[Book], reviews: list[Review]) -> None:
        self.writers = writers
        self.books = books
        self.reviews = reviews

    def books_of(self, writer: Writer) -> list[Book]:
        return [book for book in self.books if book.writer_id == writer.pk]

    def stars_of(self, book: Book) -> list[int]:
        return [review.stars for review in self.reviews if review.book_id == book.pk]


@pytest.fixture
async def library(database: Backend) -> Library:
    await create_tables(Writer, Book, Review)
    writers = await Writer.objects.bulk_create([Writer(name=name) for name in ("Ada", "Bo", "Cy")])
    writers[1].mentor = writers[0]
    await writers[1].save()
    books = await Book.objects.bulk_create(
        Book(
            title=title,
            writer=None if writer is None else writers[writer],
            genre=genre,
            pages=pages,
            price=Decimal(price),
            published=START + timedelta(days=40 * number),
        )
        for number, (title, writer, genre, pages, price) in enumerate(BOOKS)
    )
    reviews = await Review.objects.bulk_create(
        Review(book=books[book], stars=stars) for book, stars in REVIEWS
    )
    return Library(writers, books, reviews)


# -- for each row


async def test_an_annotation_is_an_attribute_and_has_the_type_of_its_field(library: Library) -> None:
    query = Book.objects.annotate(
        double=F("pages") * 2,
        lower=Lower("title"),
        cost=F("price"),
        seen=F("published"),
        large=Q(pages__gt=100),
    )
    for book in await query:
        assert book.__dict__["double"] == (None if book.pages is None else book.pages * 2)
        assert book.__dict__["lower"] == book.title.lower()
        assert book.__dict__["cost"] == book.price
        assert isinstance(book.__dict__["cost"], Decimal)
        assert book.__dict__["seen"] == book.published
        assert book.__dict__["large"] is (None if book.pages is None else book.pages > 100)


async def test_an_annotation_stands_in_filter_order_by_and_further_annotations(library: Library) -> None:
    query = Book.objects.annotate(size=Length("title") + Coalesce("pages", 0)).annotate(twice=F("size") * 2)
    expected = {book.title: 2 * (len(book.title) + (book.pages or 0)) for book in library.books}
    assert dict(await query.values_list("title", "twice")) == expected
    big = query.filter(twice__gte=400, size__lt=400).order_by("-twice")
    assert [book.title for book in await big] == ["Atlas", "Eels"]
    assert await query.exclude(twice__gt=400).count() == sum(value <= 400 for value in expected.values())
    assert await query.filter(size__in=[5, 85]).order_by("size").values_list("size", flat=True) == [5, 85]


async def test_decimals_divide_as_decimals_and_whole_numbers_as_whole_numbers(library: Library) -> None:
    query = Book.objects.filter(title="Birds").annotate(part=F("price") / 5, back=F("writer_id") * 0 + 7)
    (found,) = await query.annotate(whole=F("back") / 2).values("part", "whole")
    assert found == {"part": Decimal("2.4"), "whole": 3}


async def test_an_alias_can_be_asked_for_but_is_not_there(library: Library) -> None:
    book = await Book.objects.alias(size=F("pages") + 1).filter(size=301).get()
    assert book.title == "Atlas"
    assert "size" not in vars(book)
    assert await Book.objects.alias(size=F("pages") + 1).order_by("-size").filter(size__gt=0).values_list(
        "size", flat=True
    ) == [301, 201, 121, 81]


async def test_related_columns_are_joined_once(library: Library) -> None:
    query = Book.objects.annotate(by=F("writer__name"), master=F("writer__mentor__name"))
    assert await query.values_list("title", "by", "master") == [
        ("Atlas", "Ada", None),
        ("Birds", "Ada", None),
        ("Comets", "Bo", "Ada"),
        ("Dunes", "Bo", "Ada"),
        ("Eels", None, None),
    ]
    assert await query.select_related("writer").filter(by="Bo").count() == 2


async def test_case_takes_the_first_branch_that_holds(library: Library) -> None:
    size = Case(
        When(pages__gte=200, then=Value("thick")),
        When(Q(pages__gte=100) & ~Q(genre="nature"), then=Value("middle")),
        When(pages=None, then="genre"),
        default=Value("thin"),
    )
    assert await Book.objects.annotate(size=size).values_list("size", flat=True) == [
        "thick", "nature", "middle", "thin", "thick",
    ]  # fmt: skip
    assert await Book.objects.filter(pages=Case(When(genre="nature", then=80), default=120)).count() == 2
    nothing = Case(When(pages__gt=1000, then=1))
    assert await Book.objects.annotate(none=nothing).values_list("none", flat=True) == [None] * 5


async def test_update_takes_expressions_of_the_row_and_of_subqueries(library: Library) -> None:
    await Book.objects.update(
        pages=Case(When(genre="science", then=F("pages") + 1), default=Coalesce("pages", 7)),
        title=Subquery(Writer.objects.filter(pk=OuterRef("writer")).values("name")[:1])
        if False
        else Lower("title"),
    )
    assert await Book.objects.values_list("title", "pages") == [
        ("atlas", 301), ("birds", 7), ("comets", 121), ("dunes", 80), ("eels", 200),
    ]  # fmt: skip
    best = Review.objects.filter(book=OuterRef("pk")).order_by("-stars").values("stars")[:1]
    await Book.objects.update(pages=Subquery(best))
    assert await Book.objects.values_list("pages", flat=True) == [5, 4, 5, None, 2]


async def test_a_function_of_ones_own(library: Library) -> None:
    class Shout(Func):
        template = "(upper({}) || '%!')"
        output_field = models.TextField()

    assert await Book.objects.annotate(shout=Shout("title")).filter(shout__startswith="A").values_list(
        "shout", flat=True
    ) == ["ATLAS%!"]
    half = Func("pages", Value(2), template="({} / {})", output_field=models.IntegerField())
    assert await Book.objects.annotate(half=half).filter(half=60).count() == 1


# -- for groups


async def test_aggregates_of_related_rows(library: Library) -> None:
    query = Book.objects.annotate(
        n=Count("reviews"),
        best=Max("reviews__stars"),
        worst=Min("reviews__stars"),
        total=Sum("reviews__stars", default=0),
        average=Avg("reviews__stars"),
        kinds=Count("reviews__stars", distinct=True),
        good=Count("reviews", filter=Q(reviews__stars__gte=4)),
    )
    for book in await query:
        stars, found = library.stars_of(book), vars(book)
        assert found["n"] == len(stars)
        assert found["best"] == (max(stars) if stars else None)
        assert found["worst"] == (min(stars) if stars else None)
        assert found["total"] == sum(stars)
        assert found["average"] == (pytest.approx(mean(stars)) if stars else None)
        assert found["kinds"] == len(set(stars))
        assert found["good"] == sum(star >= 4 for star in stars)


async def test_a_condition_on_an_aggregate_is_one_on_the_group(library: Library) -> None:
    counts = {writer.name: len(library.books_of(writer)) for writer in library.writers}
    query = Writer.objects.annotate(n=Count("books"))
    for low in range(4):
        expected = [name for name, count in counts.items() if count >= low]
        assert await query.filter(n__gte=low).values_list("name", flat=True) == expected
        assert await query.filter(n__gte=low).count() == len(expected)
        assert await query.filter(n__gte=low).exists() is bool(expected)
        assert await query.exclude(n__gte=low).count() == len(counts) - len(expected)
    assert await query.filter(Q(n=0) | Q(name="Ada")).values_list("name", flat=True) == ["Ada", "Cy"]
    assert await query.filter(n__gt=F("pk") * 0 + 1, name__startswith="B").values_list("name", flat=True) == [
        "Bo"
    ]


async def test_an_aggregate_speaks_of_the_rows_that_were_chosen_before_it(library: Library) -> None:
    """As in Django: filter() before annotate() counts only what fits; behind it, it chooses among the results."""
    before = Writer.objects.filter(books__genre="science").annotate(n=Count("books"))
    assert await before.values_list("name", "n") == [("Ada", 1), ("Bo", 1)]
    behind = Writer.objects.annotate(n=Count("books")).filter(books__genre="science")
    assert await behind.values_list("name", "n") == [("Ada", 2), ("Bo", 2)]


async def test_values_before_an_aggregate_make_the_groups(library: Library) -> None:
    by_genre = Book.objects.values("genre").annotate(n=Count("pk"), thickest=Max("pages"))
    assert await by_genre.order_by("genre") == [
        {"genre": "nature", "n": 3, "thickest": 200},
        {"genre": "science", "n": 2, "thickest": 300},
    ]
    assert await by_genre.filter(n__gt=2).values_list("genre", flat=True) == ["nature"]
    assert await by_genre.count() == 2
    by_writer = Book.objects.values_list("writer__name").annotate(Sum("price")).order_by("writer__name")
    assert Counter(await by_writer) == Counter(
        [("Ada", Decimal("42.10")), ("Bo", Decimal("17.90")), (None, Decimal("15.50"))]
    )
    by_initial = Book.objects.values(year=F("published__year"), month=F("published__month")).annotate(
        n=Count("*")
    )
    assert await by_initial.order_by("month") == [
        {"year": 2024, "month": month, "n": 1} for month in (1, 2, 3, 4, 6)
    ]


async def test_values_behind_an_aggregate_leave_the_groups_alone(library: Library) -> None:
    query = Writer.objects.annotate(n=Count("books")).values("n")
    assert await query.order_by("n") == [{"n": 0}, {"n": 2}, {"n": 2}]
    assert await query.distinct().order_by("n") == [{"n": 0}, {"n": 2}]
    assert await query.distinct().count() == 2


async def test_groups_are_ordered_by_expressions_with_values_in_them(library: Library) -> None:
    first = Case(When(name="Cy", then=0), When(name="Bo", then=F("n") - 1), default=F("n") * 2)
    query = Writer.objects.annotate(n=Count("books")).order_by(first, "name")
    assert [writer.name for writer in await query.filter(n__lt=3)] == ["Cy", "Bo", "Ada"]
    by_genre = Book.objects.values("genre").annotate(n=Count("*"))
    rank = Case(When(genre="science", then=0), default=1)
    assert await by_genre.order_by(rank).values_list("genre", "n") == [("science", 2), ("nature", 3)]


async def test_values_behind_groups_choose_other_columns(library: Library) -> None:
    """As in Django, what is chosen then is equal within a group too."""
    query = Book.objects.values("writer").annotate(n=Count("pk")).values_list("title", "n").order_by("title")
    assert await query == [(book.title, 1) for book in library.books]


async def test_aggregates_with_related_rows_read_along(library: Library) -> None:
    books = await Book.objects.select_related("writer__mentor").annotate(n=Count("reviews"))
    assert [(book.title, vars(book)["n"]) for book in books] == [
        ("Atlas", 2), ("Birds", 1), ("Comets", 3), ("Dunes", 0), ("Eels", 1),
    ]  # fmt: skip
    assert books[2].writer is not None
    assert books[2].writer.mentor == library.writers[0]


async def test_columns_of_related_rows_stand_beside_aggregates(library: Library) -> None:
    query = Book.objects.annotate(n=Count("reviews"), by=F("writer__name")).filter(n__gt=1)
    expected = [("Atlas", "Ada", None, 2), ("Comets", "Bo", "Ada", 3)]
    assert await query.values_list("title", "writer__name", "writer__mentor__name", "n") == expected
    assert await query.values_list("writer__name", "by").distinct().order_by("writer__name").count() == 2


async def test_text_of_a_group(library: Library) -> None:
    found = await Writer.objects.annotate(titles=StringAgg("books__title", Value(", "))).values_list(
        "name", "titles"
    )
    assert [(name, titles and sorted(titles.split(", "))) for name, titles in found] == [
        ("Ada", ["Atlas", "Birds"]), ("Bo", ["Comets", "Dunes"]), ("Cy", None),
    ]  # fmt: skip


# -- over all rows


async def test_aggregate_over_all_rows(library: Library) -> None:
    pages = [book.pages for book in library.books if book.pages is not None]
    assert await Book.objects.aggregate(
        Sum("price"),
        Avg("pages"),
        n=Count("*"),
        with_pages=Count("pages"),
        newest=Max("published"),
        first=Min("title"),
        thick=Count("*", filter=Q(pages__gt=100)),
        ratio=Sum("pages") / Count("pages"),
    ) == {
        "price__sum": sum(book.price for book in library.books),
        "pages__avg": pytest.approx(mean(pages)),
        "n": 5,
        "with_pages": 4,
        "newest": library.books[-1].published,
        "first": "Atlas",
        "thick": 3,
        "ratio": sum(pages) // len(pages),
    }
    assert await Book.objects.aggregate() == {}
    assert await Book.objects.filter(title="nothing").aggregate(
        Sum("pages"), n=Count("*"), total=Sum("pages", default=0)
    ) == {"pages__sum": None, "n": 0, "total": 0}
    assert await Book.objects.none().aggregate(n=Count("*")) == {"n": 0}


async def test_aggregate_over_a_slice_over_distinct_rows_and_over_groups(library: Library) -> None:
    assert await Book.objects.order_by("-price")[1:3].aggregate(Sum("price"), n=Count("*")) == {
        "price__sum": Decimal("27.50"),
        "n": 2,
    }
    assert await Book.objects.values("price").distinct().aggregate(n=Count("*"), s=Sum("price")) == {
        "n": 4,
        "s": Decimal("66.55"),
    }
    assert await Writer.objects.annotate(n=Count("books")).aggregate(
        Avg("n"), most=Max("n"), none=Count("pk", filter=Q(n=0)), gain=Max("n", default=3) + 1
    ) == {"n__avg": pytest.approx(4 / 3), "most": 2, "none": 1, "gain": 3}


# -- other queries


async def test_subqueries_speak_of_the_row_around_them(library: Library) -> None:
    newest = Book.objects.filter(writer=OuterRef("pk")).order_by("-published")
    query = Writer.objects.annotate(newest=Subquery(newest.values("title")[:1]))
    assert await query.values_list("name", "newest") == [("Ada", "Birds"), ("Bo", "Dunes"), ("Cy", None)]
    assert await query.filter(newest__startswith="D").values_list("name", flat=True) == ["Bo"]
    totals = Review.objects.filter(book=OuterRef("pk")).values("book").annotate(n=Count("*")).values("n")
    assert await Book.objects.annotate(n=Coalesce(Subquery(totals), 0)).values_list("n", flat=True) == [
        2,
        1,
        3,
        0,
        1,
    ]


async def test_exists_is_a_condition_and_a_value(library: Library) -> None:
    science = Exists(Book.objects.filter(writer=OuterRef("pk"), genre="science"))
    thin = Exists(Book.objects.filter(writer=OuterRef("pk"), pages__lt=100).values("title", "pages"))
    names = Writer.objects.values_list("name", flat=True)
    assert await names.filter(science) == ["Ada", "Bo"]
    assert await names.filter(~science) == ["Cy"]
    assert await names.exclude(science) == ["Cy"]
    assert await names.filter(science & ~thin) == ["Ada"]
    assert await names.filter(~science | thin) == ["Bo", "Cy"]
    assert await names.filter(science, name="Bo") == ["Bo"]
    assert await Writer.objects.annotate(s=science, t=Truth(name="Bo")).values_list("s", "t") == [
        (True, False), (True, True), (False, False),
    ]  # fmt: skip


async def test_a_subquery_in_a_subquery_speaks_of_the_outermost_row(library: Library) -> None:
    good = Review.objects.filter(book=OuterRef("pk"), stars__gt=OuterRef(OuterRef("pk")) * 0 + 4)
    query = Writer.objects.filter(Exists(Book.objects.filter(Exists(good), writer=OuterRef("pk"))))
    assert await query.values_list("name", flat=True) == ["Ada", "Bo"]
    members = Book.objects.filter(writer=OuterRef("pk")).values("pk")
    assert await Writer.objects.filter(books__in=members).distinct().count() == 2


# -- windows


async def test_windows_see_the_rows_around(library: Library, database: Backend) -> None:
    if database.vendor == "mysql":
        pytest.skip("MariaDB has no GROUP_CONCAT() over a window")
    by_genre: dict[str, Any] = {"partition_by": "genre", "order_by": ["-price", "title"]}
    found = await Book.objects.annotate(
        number=Window(RowNumber(), **by_genre),
        dearest=Window(FirstValue("title"), **by_genre),
        before=Window(Lag("title", 1, Value("-")), **by_genre),
        rank=Window(Rank(), order_by=F("price").desc()),
        dense=Window(DenseRank(), order_by="-price"),
        half=Window(Ntile(2), order_by="title"),
        so_far=Window(Sum("price"), order_by="title", frame=RowRange(None, 0)),
        share=Window(Count("*"), partition_by="genre"),
    ).values_list("title", "number", "dearest", "before", "rank", "dense", "half", "so_far", "share")
    assert found == [
        ("Atlas", 1, "Atlas", "-", 1, 1, 1, Decimal("30.10"), 2),
        ("Birds", 2, "Eels", "Eels", 3, 3, 1, Decimal("42.10"), 3),
        ("Comets", 2, "Atlas", "Atlas", 4, 4, 1, Decimal("51.05"), 2),
        ("Dunes", 3, "Eels", "Birds", 4, 4, 2, Decimal("60.00"), 3),
        ("Eels", 1, "Eels", "-", 2, 2, 2, Decimal("75.50"), 3),
    ]


# -- order


async def test_order_by_expressions_and_where_null_stands(library: Library) -> None:
    titles = Book.objects.values_list("title", flat=True)
    assert await titles.order_by(Length("title"), "-title") == ["Eels", "Dunes", "Birds", "Atlas", "Comets"]
    assert (await titles.order_by(F("pages").asc(nulls_first=True)))[0] == "Birds"
    assert (await titles.order_by(F("pages").desc(nulls_last=True)))[-1] == "Birds"
    assert (await titles.order_by(F("pages").asc(nulls_first=True)).reverse())[-1] == "Birds"
    assert await titles.order_by(Case(When(title="Eels", then=0), default=1), "title") == [
        "Eels", "Atlas", "Birds", "Comets", "Dunes",
    ]  # fmt: skip
    assert await titles.filter(pages__gt=1).order_by(Case(When(pages=80, then=0), default=1), "title")[1:3] == [
        "Atlas", "Comets",
    ]  # fmt: skip


# -- what is refused


@pytest.mark.parametrize(
    ("make", "message"),
    [
        (lambda: Book.objects.annotate(title=Lower("title")), "has a field 'title'"),
        (lambda: Book.objects.annotate(save=Lower("title")), "has an attribute 'save'"),
        (
            lambda: Book.objects.annotate(x=cast("Any", "title")),
            "is no expression; for a constant write Value('title')",
        ),
        (lambda: Book.objects.annotate(cast("Any", Lower("title"))), "is no aggregate and needs a name"),
        (lambda: Book.objects.annotate(Sum(F("pages") + 1)), "needs a name"),
        (lambda: Book.objects.annotate(x=F("nothing")), "no field 'nothing'"),
        (lambda: Book.objects.annotate(x=F("title") + 1), "columns of numbers, not a varchar (Book.title)"),
        (lambda: Book.objects.annotate(x=OuterRef("pk")), "give it an output_field"),
        (lambda: Book.objects.filter(Lower("title")), "is neither true nor false"),
        (lambda: Book.objects.annotate(x=F("pages")).filter(x__icontains="1"), "has no lookup 'icontains'"),
        (lambda: Book.objects.annotate(x=F("pages")).filter(x__nothing=1), "has no lookup 'nothing'"),
        (
            lambda: Book.objects.annotate(x=Func("pages", function="a b", output_field=models.TextField())),
            "no name",
        ),
        (lambda: Book.objects.update(title=F("writer__name")), "can only use columns of Book itself"),
        (lambda: Book.objects.annotate(**{"a b": F("pages")}), "no name for an annotation"),
    ],
)
async def test_what_makes_no_sense_is_refused_with_a_reason(
    make: Any, message: str, database: Backend
) -> None:
    await create_tables(Writer, Book, Review)
    with pytest.raises((FieldError, TypeError), match=re.escape(message)):
        await make()


async def test_aggregate_takes_aggregates_only(database: Backend) -> None:
    with pytest.raises(FieldError, match="takes aggregates"):
        await Book.objects.aggregate(x=F("pages"))
    with pytest.raises(FieldError, match=re.escape('Count("*") counts rows')):
        Count("*", distinct=True)
