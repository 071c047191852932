"""Loading related rows for many objects at once: prefetch_related, Prefetch, load, and peers."""

from __future__ import annotations

import gc
import pickle
from typing import Any

import pytest

from transom.db import FieldError, NotLoaded, create_tables, models
from transom.db.backends.base import Backend
from transom.db.models import Prefetch, prefetch_related_objects
from transom.db.models.query.plans import PLANS


class Author(models.Model):
    books: models.Related[Book]
    portrait: models.RelatedObject[Portrait]
    name = models.CharField(max_length=20)


class Portrait(models.Model):
    author = models.OneToOneField(Author, models.CASCADE)


class Genre(models.Model):
    books: models.ManyRelated[Book]
    name = models.CharField(max_length=20)

    class Meta:
        ordering = ("name",)


class Book(models.Model):
    pages: models.Related[Page]
    title = models.CharField(max_length=20)
    author = models.ForeignKey(Author, models.SET_NULL, null=True, related_name="books")
    genres = models.ManyToManyField(Genre, related_name="books")
    good: list[Page]  # where a test puts it


class Page(models.Model):
    book = models.ForeignKey(Book, models.CASCADE, related_name="pages")
    number = models.IntegerField()


@pytest.fixture
async def books(database: Backend) -> list[Book]:
    """Four books: two of Ada's, one of Bob's, one of nobody's; the first three have pages and genres."""
    await create_tables(Portrait, Page)
    ada, bob = await Author.objects.bulk_create([Author(name="Ada"), Author(name="Bob")])
    await Portrait.objects.create(author=ada)
    made = await Book.objects.bulk_create(
        [
            Book(title="0", author=ada),
            Book(title="1", author=ada),
            Book(title="2", author=bob),
            Book(title="3"),
        ]
    )
    await Page.objects.bulk_create(
        [Page(book=book, number=number) for book in made[:3] for number in range(3)]
    )
    x, y = await Genre.objects.bulk_create([Genre(name="x"), Genre(name="y")])
    await made[0].genres.add(x, y)
    await made[1].genres.add(y)
    await made[2].genres.add(y)
    return made


BOOKS = Book.objects.order_by("title")


def numbers(book: Book) -> list[int]:
    return sorted(page.number for page in book.pages.loaded)


async def test_each_relation_takes_one_statement(books: list[Book], statements: list[str]) -> None:
    statements.clear()
    found = await BOOKS.prefetch_related("pages", "genres", "author")
    assert len(statements) == 4
    assert [numbers(book) for book in found] == [[0, 1, 2], [0, 1, 2], [0, 1, 2], []]
    assert [[genre.name for genre in book.genres.loaded] for book in found] == [["x", "y"], ["y"], ["y"], []]
    assert [book.author.name if book.author else None for book in found] == ["Ada", "Ada", "Bob", None]
    assert found[0].author is found[1].author
    assert found[0].pages.loaded[0].book is found[0]
    assert len(statements) == 4


async def test_loaded_rows_answer_all_but_nothing_further(books: list[Book], statements: list[str]) -> None:
    book = (await BOOKS.prefetch_related("pages"))[0]
    statements.clear()
    assert len(await book.pages.all()) == 3
    assert [page async for page in book.pages] == book.pages.loaded
    assert (await book.pages.count(), await book.pages.all().exists()) == (3, True)
    assert statements == []
    assert len(await book.pages.filter(number__gt=0)) == 2
    assert len(await book.pages.all()[:1]) == 1
    assert len(statements) == 2
    await book.pages.create(number=9)
    with pytest.raises(NotLoaded, match=r"prefetch_related\('pages'\)"):
        _ = book.pages.loaded
    assert len(await book.pages.all()) == 4


async def test_paths_share_what_they_have_in_common(books: list[Book], statements: list[str]) -> None:
    statements.clear()
    authors = await Author.objects.order_by("name").prefetch_related(
        "books", "books__pages", "books__genres__books__author", "portrait"
    )
    assert len(statements) == 7
    assert [[len(book.pages.loaded) for book in author.books.loaded] for author in authors] == [[3, 3], [3]]
    genre = authors[1].books.loaded[0].genres.loaded[0]
    assert {book.author.name for book in genre.books.loaded if book.author} == {"Ada", "Bob"}
    assert authors[0].portrait.author is authors[0]


async def test_nothing_is_asked_for_nothing(books: list[Book], statements: list[str]) -> None:
    statements.clear()
    assert await Book.objects.filter(title="none").prefetch_related("pages", "author__books") == []
    assert len(statements) == 1
    (alone,) = await Book.objects.filter(title="3").prefetch_related("author__books", "genres__books")
    assert len(statements) == 3
    assert alone.author is None
    assert alone.genres.loaded == []
    assert await Book.objects.none().prefetch_related("pages") == []
    assert len(statements) == 3


async def test_a_prefetch_says_which_rows_and_where_they_go(books: list[Book], statements: list[str]) -> None:
    last = Page.objects.filter(number__gt=0).order_by("-number")
    statements.clear()
    found = await BOOKS.prefetch_related(Prefetch("pages", last, to_attr="good"), "good__book", "pages")
    assert len(statements) == 3
    assert [[page.number for page in book.good] for book in found] == [[2, 1], [2, 1], [2, 1], []]
    assert found[0].good[0].book is found[0]
    assert numbers(found[0]) == [0, 1, 2]
    authors = await Author.objects.order_by("name").prefetch_related(
        Prefetch("books", Book.objects.filter(title="1").prefetch_related("pages")),
        Prefetch("books__genres", Genre.objects.filter(books__title="0", name="y").distinct()),
    )
    assert len(statements) == 7
    assert [[book.title for book in author.books.loaded] for author in authors] == [["1"], []]
    assert [genre.name for genre in authors[0].books.loaded[0].genres.loaded] == ["y"]
    one = await BOOKS.prefetch_related(Prefetch("author", Author.objects.filter(name="Bob")))
    assert one[2].author is not None
    with pytest.raises(NotLoaded):
        _ = one[0].author
    some = await BOOKS.prefetch_related(
        Prefetch("author", Author.objects.filter(name="Bob"), to_attr="writer")
    )
    assert [vars(book)["writer"] and vars(book)["writer"].name for book in some] == [None, None, "Bob", None]


async def test_a_link_may_have_a_condition_of_its_own(books: list[Book]) -> None:
    """The queryset's own join through the same relation must not decide whose the rows are."""
    others = Genre.objects.filter(books__title="0").order_by("-name")
    found = await BOOKS.prefetch_related(Prefetch("genres", others))
    assert [[genre.name for genre in book.genres.loaded] for book in found] == [["y", "x"], ["y"], ["y"], []]


async def test_columns_that_say_whose_rows_are_are_loaded_always(books: list[Book]) -> None:
    found = await BOOKS.only("title", "author").prefetch_related(
        Prefetch("pages", Page.objects.only("number").order_by("number")),
        Prefetch("genres", Genre.objects.only("name")),
        Prefetch("author", Author.objects.defer("name", "pk")),
    )
    assert [[page.number for page in book.pages.loaded] for book in found] == [[0, 1, 2]] * 3 + [[]]
    assert [[genre.name for genre in book.genres.loaded] for book in found] == [["x", "y"], ["y"], ["y"], []]
    assert found[0].author is not None
    deferred = await BOOKS.prefetch_related(Prefetch("pages", Page.objects.defer("book", "number")))
    assert len(deferred[0].pages.loaded) == 3


async def test_aggregates_are_of_all_rows_and_not_of_those_at_hand(
    books: list[Book], statements: list[str]
) -> None:
    statements.clear()
    counted = Genre.objects.annotate(count=models.Count("books")).order_by("-name")
    found = await BOOKS.prefetch_related(Prefetch("genres", counted))
    assert len(statements) == 3
    assert [[(genre.name, vars(genre)["count"]) for genre in book.genres.loaded] for book in found] == [
        [("y", 3), ("x", 1)],
        [("y", 3)],
        [("y", 3)],
        [],
    ]
    authors = await Author.objects.order_by("name").prefetch_related(
        Prefetch("books", Book.objects.annotate(count=models.Count("pages")))
    )
    assert [[vars(book)["count"] for book in author.books.loaded] for author in authors] == [[3, 3], [3]]


async def test_what_select_related_has_loaded_is_not_asked_for(
    books: list[Book], statements: list[str]
) -> None:
    statements.clear()
    found = await BOOKS.select_related("author").prefetch_related("author__books")
    assert len(statements) == 2
    assert found[0].author is not None
    assert len(found[0].author.books.loaded) == 2


async def test_rows_that_come_twice_get_theirs_twice(books: list[Book], statements: list[str]) -> None:
    statements.clear()
    found = await Book.objects.filter(pages__number__gte=0, title="0").prefetch_related("pages", "author")
    assert len(statements) == 3
    assert [len(book.pages.loaded) for book in found] == [3, 3, 3]
    assert found[0].pages.loaded is not found[1].pages.loaded
    assert found[0].author is found[2].author


async def test_none_takes_names_back(books: list[Book], statements: list[str]) -> None:
    statements.clear()
    found = await BOOKS.prefetch_related("pages").prefetch_related(None)
    assert len(statements) == 1
    with pytest.raises(NotLoaded):
        _ = found[0].pages.loaded


async def test_it_goes_with_every_way_of_reading(books: list[Book]) -> None:
    queryset = BOOKS.prefetch_related("pages")
    assert [len(book.pages.loaded) async for book in queryset] == [3, 3, 3, 0]
    first = await queryset.first()
    assert first is not None
    assert len(first.pages.loaded) == 3
    assert len((await queryset.get(title="1")).pages.loaded) == 3
    assert len((await queryset[2]).pages.loaded) == 3
    streamed = [len(book.pages.loaded) async for book in queryset.iterator(chunk_size=2)]
    assert streamed == [3, 3, 3, 0]
    assert await queryset.values_list("title", flat=True) == ["0", "1", "2", "3"]
    assert await Book.objects.filter(pk__in=queryset.filter(title="1")).count() == 1


def shown(book: Book) -> list[int]:
    return [page.number for page in book.pages.loaded]


async def test_a_slice_is_one_for_each_object(books: list[Book], statements: list[str]) -> None:
    statements.clear()
    newest = Page.objects.order_by("-number")
    found = await BOOKS.prefetch_related(Prefetch("pages", newest[:2]))
    assert len(statements) == 2
    assert [shown(book) for book in found] == [[2, 1], [2, 1], [2, 1], []]
    assert found[0].pages.loaded[0].book is found[0]
    for part, expected in (
        (slice(1, 2), [1]),
        (slice(1, None), [1, 0]),
        (slice(2, 9), [0]),
        (slice(3, 3), []),
    ):
        some = await BOOKS.prefetch_related(Prefetch("pages", newest[part], to_attr="good"))
        assert [[page.number for page in book.good] for book in some] == [expected] * 3 + [[]]
    few = await BOOKS.prefetch_related(Prefetch("pages", newest.filter(number__lt=2)[:1]))
    assert [shown(book) for book in few] == [[1], [1], [1], []]
    shifted = newest.order_by((models.F("number") + 1) % 3, "pk")  # an order with values in it
    assert [shown(book) for book in await BOOKS.prefetch_related(Prefetch("pages", shifted[:2]))] == [
        [2, 0]
    ] * 3 + [[]]
    assert len(await BOOKS.prefetch_related(Prefetch("pages", Page.objects.order_by("?")[:1]))) == 4
    assert [
        len(shown(book)) for book in await BOOKS.prefetch_related(Prefetch("pages", Page.objects.all()[:2]))
    ] == [2, 2, 2, 0]


async def test_a_slice_for_each_object_of_a_many_to_many_relation(
    books: list[Book], statements: list[str]
) -> None:
    statements.clear()
    found = await BOOKS.prefetch_related(Prefetch("genres", Genre.objects.order_by("-name")[:1]))
    assert len(statements) == 2
    assert [[genre.name for genre in book.genres.loaded] for book in found] == [["y"], ["y"], ["y"], []]
    second = await BOOKS.prefetch_related(Prefetch("genres", Genre.objects.all()[1:]))
    assert [[genre.name for genre in book.genres.loaded] for book in second] == [["y"], [], [], []]
    genres = await Genre.objects.prefetch_related(Prefetch("books", Book.objects.order_by("-title")[:2]))
    assert [[book.title for book in genre.books.loaded] for genre in genres] == [["0"], ["2", "1"]]
    counted = Genre.objects.annotate(count=models.Count("books")).order_by("-count")
    most = await BOOKS.prefetch_related(Prefetch("genres", counted[:1]))
    assert [[(genre.name, vars(genre)["count"]) for genre in book.genres.loaded] for book in most] == [
        [("y", 3)]
    ] * 3 + [[]]
    others = Genre.objects.filter(books__title="0").order_by("-name")
    assert [
        [genre.name for genre in book.genres.loaded]
        for book in await BOOKS.prefetch_related(Prefetch("genres", others[:1]))
    ] == [["y"], ["y"], ["y"], []]


async def test_slices_are_nested_and_go_with_all_relations(books: list[Book], statements: list[str]) -> None:
    statements.clear()
    pages = Prefetch("pages", Page.objects.order_by("number")[:1])
    authors = await Author.objects.order_by("name").prefetch_related(
        Prefetch("books", Book.objects.order_by("-title").prefetch_related(pages)[:1])
    )
    assert len(statements) == 3
    assert [[(book.title, shown(book)) for book in author.books.loaded] for author in authors] == [
        [("1", [0])], [("2", [0])],
    ]  # fmt: skip
    counted = Book.objects.annotate(count=models.Count("pages")).order_by("-count", "title")
    (ada, _) = await Author.objects.order_by("name").prefetch_related(Prefetch("books", counted[:1]))
    assert [(book.title, vars(book)["count"]) for book in ada.books.loaded] == [("0", 3)]
    book = await Book.objects.get(title="0")
    await book.load(
        Prefetch("pages", Page.objects.order_by("-number")[:1]), Prefetch("author", Author.objects.all()[:1])
    )
    assert shown(book) == [2]
    assert book.author == ada
    related = await BOOKS.prefetch_related(
        Prefetch("pages", Page.objects.select_related("book__author").order_by("number")[2:])
    )
    assert [page.number for page in related[0].pages.loaded] == [2]
    found = await Author.objects.prefetch_related(
        Prefetch("portrait", Portrait.objects.select_related("author")[:1])
    ).order_by("name")
    assert found[0].portrait.author == found[0]


async def test_the_bounds_of_a_slice_for_each_object_are_values(books: list[Book]) -> None:
    PLANS.clear()
    for high in range(1, 4):
        await BOOKS.prefetch_related(Prefetch("pages", Page.objects.order_by("number")[:high]))
    assert len(PLANS) == 2


MISTAKES: list[tuple[Any, type[Exception], str]] = [
    (["pagse"], FieldError, "Book has no relation 'pagse'; did you mean 'pages'"),
    (["title"], FieldError, "no relation 'title'; choose from author, genres, pages"),
    (["author__boks"], FieldError, "Author has no relation 'boks'"),
    (["pages", lambda: Prefetch("pages", Page.objects.all())], ValueError, "loaded already"),
    ([lambda: Prefetch("pages", to_attr="title")], ValueError, "is a field of Book"),
    ([lambda: Prefetch("pages", Author.objects.all())], ValueError, "leads to Page"),
    ([lambda: Prefetch("pages", Page.objects.distinct()[:3])], TypeError, "both sliced and distinct"),
    ([lambda: Prefetch("pages", Page.objects.values_list("pk"))], TypeError, "queryset of objects"),
    ([lambda: Prefetch("pages", to_attr="a b")], TypeError, "name of an attribute"),
]


@pytest.mark.parametrize(("lookups", "error", "message"), MISTAKES)
def test_mistakes_are_told_before_any_statement(
    lookups: list[Any], error: type[Exception], message: str
) -> None:
    with pytest.raises(error, match=message):
        Book.objects.prefetch_related(*[each if isinstance(each, str) else each() for each in lookups])


async def test_load_takes_every_kind_of_relation(books: list[Book], statements: list[str]) -> None:
    book = await Book.objects.get(title="0")
    statements.clear()
    await book.load("author__portrait", "pages", Prefetch("genres", Genre.objects.order_by("-name")))
    assert len(statements) == 4
    assert book.author is not None
    assert book.author.portrait.author is book.author
    assert [genre.name for genre in book.genres.loaded] == ["y", "x"]
    await book.load("author", "pages", "author__portrait")
    assert len(statements) == 4
    with pytest.raises(FieldError, match="choose from author, genres, pages"):
        await book.load("title")
    with pytest.raises(FieldError, match="has no id yet"):
        await Book(title="x").load("pages")


async def test_load_works_for_a_list(books: list[Book], statements: list[str]) -> None:
    some = await BOOKS[:3]
    await some[0].load("pages")
    statements.clear()
    await prefetch_related_objects(some, "pages", "author")
    assert len(statements) == 2
    assert [len(book.pages.loaded) for book in some] == [3, 3, 3]
    await prefetch_related_objects([], "pages")


async def test_peers_are_loaded_together(books: list[Book], statements: list[str]) -> None:
    found = await BOOKS.fetch_peers()
    statements.clear()
    for book in found:
        await book.load("author", "pages")
        for page in book.pages.loaded:
            await page.load("book__author__books")
    assert len(statements) == 3
    assert found[0].author is found[1].author
    alone = await BOOKS.filter(title="0").fetch_peers()
    await alone[0].load("author")
    joined = await BOOKS.select_related("author").fetch_peers()
    statements.clear()
    for book in joined:
        if book.author is not None:
            await book.author.load("books")
    assert len(statements) == 1


async def test_peers_do_not_keep_each_other_alive(books: list[Book]) -> None:
    found = await BOOKS.fetch_peers()
    first, gone = found[0], found[1]._peers
    del found
    gc.collect()
    assert [peer() for peer in gone] == [first, None, None, None]
    await first.load("pages")
    assert len(first.pages.loaded) == 3
    copy = pickle.loads(pickle.dumps(first))
    assert copy == first
    assert len(copy.pages.loaded) == 3


async def test_refresh_forgets_what_was_loaded(books: list[Book], statements: list[str]) -> None:
    book = await BOOKS.prefetch_related("pages", "author", "genres").get(title="0")
    await Book.objects.filter(pk=book.pk).update(title="new", author=None)
    statements.clear()
    await book.refresh(fields=["title", "pages"])
    assert len(statements) == 1
    assert book.title == "new"
    assert book.author is not None
    assert len(book.genres.loaded) == 2
    with pytest.raises(NotLoaded):
        _ = book.pages.loaded
    await book.refresh(fields=["author"])
    assert book.author is None
    await book.refresh(fields=["genres"])
    assert len(statements) == 2
    with pytest.raises(FieldError, match="no relation 'nope'"):
        await book.refresh(fields=["nope"])
    await Book.objects.filter(pk=book.pk).delete()
    with pytest.raises(Book.DoesNotExist):
        await book.refresh(fields=["title"])
