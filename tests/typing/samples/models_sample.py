"""What type checkers must make of models: each `reveal_type` has the expected type beside it, for both tools."""

from __future__ import annotations

from datetime import date, datetime, time, timedelta
from decimal import Decimal
from typing import TYPE_CHECKING, ClassVar
from uuid import UUID

from transom.db import F, Q, execute_sql, fetch_sql, models

if TYPE_CHECKING:
    from typing import reveal_type


class Author(models.Model):
    books: models.Related[Book]
    profile: models.RelatedObject[Profile]

    name = models.CharField(max_length=50)
    nick = models.CharField("nickname", max_length=50, null=True)
    born = models.DateTimeField(null=True)


class Kind(models.TextChoices):
    PAPER = "p", "On paper"
    SCREEN = "s"


class Grade(models.IntegerChoices):
    LOW = 1
    HIGH = 2, "Very high"


class Profile(models.Model):
    author = models.OneToOneField(Author, models.CASCADE)
    ghost = models.OneToOneField(Author, models.SET_NULL, null=True, related_name="+")
    twin: models.OneToOneField[Profile] = models.OneToOneField("self", models.CASCADE)


class Genre(models.Model):
    books: models.ManyRelated[Book]
    parents: models.ManyToManyField[Genre] = models.ManyToManyField("self", symmetrical=False)

    name = models.CharField(max_length=50)


class Page(models.Model):
    pk = models.CompositePrimaryKey("book", "number")
    book = models.ForeignKey("Book", models.CASCADE)
    number = models.IntegerField()


class ProfileQuerySet(models.QuerySet[Profile]):
    def lively(self) -> ProfileQuerySet:
        return self.exclude(ghost=None)


class LivelyProfile(Profile):
    objects: ClassVar[models.QuerySetManager[ProfileQuerySet]] = ProfileQuerySet.as_manager()

    class Meta:
        proxy = True


class BookManager(models.Manager["Book"]):
    def cheap(self) -> models.QuerySet[Book]:
        return self.filter(price__lt=5)


class Book(models.Model):
    id: models.BigAutoField = models.BigAutoField(primary_key=True)
    author = models.ForeignKey(Author, models.CASCADE, related_name="books")
    editor = models.ForeignKey(Author, models.SET_NULL, null=True, related_name="edited")
    sequel: models.ForeignKey[Book | None] = models.ForeignKey("self", models.SET_NULL, null=True)
    author_id: int
    genres = models.ManyToManyField(Genre, related_name="books")

    text = models.TextField(null=True)
    pages = models.IntegerField(default=0)
    stock = models.SmallIntegerField(null=True)
    price = models.DecimalField(max_digits=5, decimal_places=2)
    weight = models.FloatField(null=True)
    code = models.UUIDField()
    lent = models.BooleanField(default=False)
    added = models.DateTimeField(auto_now_add=True)

    kind = models.CharField(max_length=1, choices=Kind, default=Kind.PAPER)
    old_kind = models.TextField(choices=Kind, null=True)
    grade = models.PositiveSmallIntegerField(choices=Grade)
    old_grade = models.IntegerField(choices=Grade, null=True, default=None)
    size = models.CharField(max_length=1, choices=[("s", "Small")], default="s")
    cover = models.BinaryField(null=True)
    day = models.DateField(null=True)
    hour = models.TimeField(db_default=models.Now())
    span = models.DurationField(default=timedelta)
    mail = models.EmailField()
    slug = models.SlugField(null=True)
    link = models.URLField()
    scan = models.FilePathField(path="scans", unique_for_date="day")
    old_scan = models.FilePathField(path=lambda: "scans", null=True)
    address = models.GenericIPAddressField(protocol="IPv4")
    copies = models.PositiveIntegerField(default=0)
    sold = models.PositiveBigIntegerField(null=True)

    objects: ClassVar[BookManager] = BookManager()


async def values(author: Author, book: Book) -> None:
    reveal_type(author.name)  # str
    reveal_type(author.nick)  # str | None
    reveal_type(author.born)  # datetime | None
    reveal_type(book.id)  # int
    reveal_type(book.author)  # Author
    reveal_type(book.author_id)  # int
    reveal_type(book.editor)  # Author | None
    reveal_type(book.sequel)  # Book | None
    reveal_type(book.text)  # str | None
    reveal_type(book.pages)  # int
    reveal_type(book.stock)  # int | None
    reveal_type(book.price)  # Decimal
    reveal_type(book.weight)  # float | None
    reveal_type(book.code)  # UUID
    reveal_type(book.lent)  # bool
    reveal_type(book.added)  # datetime
    reveal_type(book.kind)  # Kind
    reveal_type(book.old_kind)  # Kind | None
    reveal_type(book.grade)  # Grade
    reveal_type(book.old_grade)  # Grade | None
    reveal_type(book.kind.label)  # str
    reveal_type(book.kind.value)  # str
    reveal_type(book.grade.value)  # int
    reveal_type(Kind.labels)  # list[str]
    reveal_type(book.size)  # str
    reveal_type(book.cover)  # bytes | None
    reveal_type(book.day)  # date | None
    reveal_type(book.hour)  # time
    reveal_type(book.span)  # timedelta
    reveal_type(book.mail)  # str
    reveal_type(book.slug)  # str | None
    reveal_type(book.link)  # str
    reveal_type(book.scan)  # str
    reveal_type(book.old_scan)  # str | None
    reveal_type(book.address)  # str
    reveal_type(book.copies)  # int
    reveal_type(book.sold)  # int | None
    book.kind = Kind.SCREEN
    book.text = None
    book.editor = author


async def keys(page: Page) -> None:
    reveal_type(page.pk)  # Any
    page.pk = (1, 2)
    reveal_type(await Page.objects.filter(Page.pk == (1, 2)).get(pk=(1, 2)))  # Page


async def columns() -> None:
    reveal_type(Author.name)  # TextColumn[str]
    reveal_type(Author.nick)  # TextColumn[str | None]
    reveal_type(Book.pages)  # Column[int]
    reveal_type(Book.author)  # RelationColumn[Author]
    reveal_type(Author.name.icontains("x"))  # Q
    reveal_type(Book.pages > 3)  # Q
    reveal_type((Book.pages == 3) | ~(Author.nick == None))  # Q  # noqa: E711
    reveal_type(Book.author.follow(Author.name))  # TextColumn[str]
    reveal_type(Book.pages.in_([1, 2]) & Book.stock.is_null())  # Q
    reveal_type(Book.pages.desc())  # OrderBy
    reveal_type(Book.pages + 1)  # Combined


async def querysets(author: Author, book: Book) -> None:
    reveal_type(Author.objects)  # Manager[Author]
    reveal_type(Author.objects.filter(Q(name="x"), Author.name == "y", nick=None))  # QuerySet[Author]
    ordered = Author.objects.exclude(nick="y").order_by("name", Author.nick.asc())
    reveal_type(await ordered[:5])  # list[Author]
    reveal_type(await Author.objects.get(pk=1))  # Author
    reveal_type(await Author.objects.all().first())  # Author | None
    reveal_type(await Author.objects.all()[3])  # Author
    reveal_type(await Author.objects.count())  # int
    reveal_type(await Author.objects.create(name="x"))  # Author
    reveal_type(await Author.objects.get_or_create(name="x"))  # tuple[Author, bool]
    reveal_type(await Author.objects.values("name"))  # list[dict[str, Any]]
    reveal_type(await Author.objects.values_list("name", "nick"))  # list[tuple[Any, ...]]
    reveal_type(await Author.objects.values_list("name", flat=True))  # list[Any]
    raw = Author.objects.raw("SELECT * FROM author WHERE id = %s", [1], translations={"nickname": "nick"})
    reveal_type(raw.prefetch_related("books").using("replica"))  # RawQuerySet[Author]
    reveal_type(await raw)  # list[Author]
    async for each_raw in Author.objects.all().raw("SELECT * FROM author WHERE id = %(id)s", {"id": 1}):
        reveal_type(each_raw)  # Author
    own = models.RawSQL("length(name) + %s", [1], models.IntegerField())
    reveal_type(Author.objects.annotate(n=own).filter(n__lt=own).order_by(own.desc()))  # QuerySet[Author]
    reveal_type(await fetch_sql("SELECT 1"))  # list[dict[str, Any]]
    reveal_type(await execute_sql("DELETE FROM author WHERE id = %s", (1,)))  # int
    cte = models.CTE(Author.objects.filter(nick=None), "authors")
    reveal_type(await cte.queryset())  # list[Author]
    reveal_type(cte.join(Book, author=cte.col.id))  # QuerySet[Book]
    pairs = cte.join(Profile.objects.values_list("pk"), author=cte.col.id, outer=True)
    reveal_type(pairs)  # ValuesQuery[Profile, tuple[Any, ...]]
    tree = models.CTE.recursive(
        Book.objects.filter(sequel=None), lambda cte: cte.join(Book, sequel=cte.col.id), "tree", all=False
    )
    reveal_type(tree)  # CTE[QuerySet[Book]]
    reveal_type(Book.objects)  # BookManager
    reveal_type(await Book.objects.cheap())  # list[Book]
    reveal_type(author.books)  # RelatedManager[Book]
    reveal_type(await author.books.filter(pages__gt=3))  # list[Book]
    reveal_type(await Book.objects.update(pages=F("pages") + 1))  # int
    reveal_type(Author.objects.filter(nick=None) | ordered)  # QuerySet[Author]
    reveal_type(Q(name="x") ^ Q(nick=None))  # Q
    reveal_type(await Author.objects.all().contains(author))  # bool
    reveal_type(await Author.objects.in_bulk([1]))  # dict[Any, Author]
    reveal_type(await Author.objects.all().latest("born"))  # Author
    reveal_type(await Book.objects.dates("day", "month"))  # list[date]
    reveal_type(await Author.objects.datetimes("born", "year"))  # list[datetime]
    reveal_type(await Author.objects.values("name").first())  # dict[str, Any] | None
    reveal_type(await Author.objects.values_list("name", "nick")[0])  # tuple[Any, ...]
    reveal_type(await Author.objects.values("name").in_bulk())  # dict[Any, dict[str, Any]]
    async for row in Author.objects.values("name").iterator():
        reveal_type(row)  # dict[str, Any]
    async for each in Author.objects.all():
        reveal_type(each)  # Author
    async for each_book in Book.objects.all().iterator():
        reveal_type(each_book)  # Book


async def relations(author: Author, book: Book, profile: Profile, genre: Genre) -> None:
    reveal_type(profile.author)  # Author
    reveal_type(profile.ghost)  # Author | None
    reveal_type(profile.twin)  # Profile
    reveal_type(author.profile)  # Profile
    reveal_type(Author.profile)  # RelationColumn[Profile]
    reveal_type(Profile.author.follow(Author.name))  # TextColumn[str]
    reveal_type(book.genres)  # ManyRelatedManager[Genre]
    reveal_type(genre.books)  # ManyRelatedManager[Book]
    reveal_type(genre.parents)  # ManyRelatedManager[Genre]
    reveal_type(Book.genres)  # ManyToManyColumn[Genre]
    reveal_type(Book.genres.follow(Genre.name) == "x")  # Q
    reveal_type(Author.books.follow(Book.pages) > 3)  # Q
    reveal_type(await book.genres.filter(name="x"))  # list[Genre]
    reveal_type(await book.genres.create(name="x"))  # Genre
    reveal_type(await book.genres.get_or_create(name="x"))  # tuple[Genre, bool]
    reveal_type(book.genres.loaded)  # list[Genre]
    reveal_type(author.books.loaded)  # list[Book]
    await book.genres.add(genre, 3, through_defaults={"since": 3})
    await book.genres.set([genre])
    await author.books.add(book)
    reveal_type(await Book.objects.prefetch_related("genres", models.Prefetch("author")))  # list[Book]
    reveal_type(await Book.objects.fetch_peers())  # list[Book]
    reveal_type(LivelyProfile.objects)  # ProfileQuerySet
    reveal_type(LivelyProfile.objects.filter(author=author).lively())  # ProfileQuerySet
    reveal_type(await LivelyProfile.objects.lively())  # list[Profile]
    async for each in genre.books:
        reveal_type(each)  # Book
    await models.prefetch_related_objects([book], "genres")
    author.profile = profile


@models.Field.register_lookup
class NotEqual(models.Lookup):
    lookup_name = "ne"
    template = {"sqlite": "{lhs} IS NOT {rhs}", "postgresql": "{lhs} IS DISTINCT FROM {rhs}"}


@models.IntegerField.register_lookup
class AbsoluteValue(models.Transform):
    lookup_name = "abs"
    function = "ABS"
    output_field = models.IntegerField()


async def lookups() -> None:
    reveal_type(NotEqual("pages", 3))  # NotEqual
    registered = Book._meta.get_field("pages").register_lookup(AbsoluteValue, "size")
    reveal_type(registered("pages"))  # AbsoluteValue
    reveal_type(NotEqual("pages", 3) & models.Q(pages__abs=3))  # Q
    reveal_type(~NotEqual("pages", F("pages")))  # Q
    reveal_type(await Book.objects.filter(NotEqual("pages", 3)))  # list[Book]
    reveal_type(await Book.objects.dates("added", "month"))  # list[date]
    days = Book.objects.all().datetimes("added", "day", "DESC", tzinfo="Europe/Berlin")
    reveal_type(await days)  # list[datetime]


USED = (date, datetime, time, timedelta, Decimal, UUID)
