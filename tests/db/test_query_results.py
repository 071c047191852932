"""Querysets against real databases, with plain Python over the same rows as the oracle."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from decimal import Decimal
from typing import Any

import pytest

from transom.db import F, Q, create_tables, models
from transom.db.backends.base import Backend


class Author(models.Model):
    name = models.CharField(max_length=50)
    nick = models.CharField(max_length=50, null=True)


class Post(models.Model):
    author: models.ForeignKey[Author | None] = models.ForeignKey(
        Author, models.SET_NULL, null=True, related_name="posts"
    )
    parent: models.ForeignKey[Post | None] = models.ForeignKey(
        "self", models.CASCADE, null=True, related_name="replies"
    )
    title = models.CharField(max_length=50)
    likes = models.IntegerField(null=True)
    price = models.DecimalField(max_digits=8, decimal_places=2, default=Decimal("0.00"))
    rating = models.FloatField(default=0.0)
    published = models.DateTimeField()
    visible = models.BooleanField(default=True)


class Comment(models.Model):
    post = models.ForeignKey(Post, models.CASCADE, related_name="comments")
    text = models.TextField()
    score = models.IntegerField(null=True)


START = datetime(2024, 1, 1, 12, tzinfo=UTC)


class World:
    """The rows, as Python objects with all relations loaded."""

    def __init__(self) -> None:
        self.authors: list[Author] = []
        self.posts: list[Post] = []
        self.comments: list[Comment] = []

    def comments_of(self, post: Post) -> list[Comment]:
        return [comment for comment in self.comments if comment.post_id == post.pk]

    def replies_of(self, post: Post) -> list[Post]:
        return [other for other in self.posts if other.parent_id == post.pk]


@pytest.fixture
async def world(database: Backend) -> World:
    await create_tables(Author, Post, Comment)
    world = World()
    world.authors = await Author.objects.bulk_create(
        [Author(name="Ada", nick="a_b"), Author(name="bob", nick=None), Author(name="Ada%", nick="x*")]
    )
    ada, bob, percent = world.authors
    rows: list[tuple[str, Author | None, int | None, str, bool]] = [
        ("Async", ada, 3, "9.50", True),
        ("async io", ada, None, "10.00", True),
        ("50% off", bob, 0, "100.25", False),
        ("a_b [x] *?!", None, 7, "0.01", True),
        ("", percent, None, "9.50", False),
        ("Zen", bob, 3, "2.00", True),
    ]
    world.posts = await Post.objects.bulk_create(
        Post(
            title=title,
            author=author,
            likes=likes,
            price=Decimal(price),
            rating=number / 2,
            visible=visible,
            published=START + timedelta(days=number),
        )
        for number, (title, author, likes, price, visible) in enumerate(rows)
    )
    for child, parent in ((1, 0), (2, 0), (3, 1)):
        world.posts[child].parent = world.posts[parent]
        await world.posts[child].save(update_fields=["parent"])
    texts = [(0, "x", 1), (0, "y", 5), (1, "x", None), (2, "y", 9), (5, "x", 5)]
    world.comments = await Comment.objects.bulk_create(
        Comment(post=world.posts[post], text=text, score=score) for post, text, score in texts
    )
    return world


def less(a: Any, b: Any) -> bool:
    """Compare as SQL does where NULL counts as false."""
    return a is not None and b is not None and a < b


# Each case: a condition, and the same in Python of one post. exclude() must give just the others.
ONE_ROW: dict[str, tuple[Q, Any]] = {
    "exact": (Q(title="Async"), lambda w, p: p.title == "Async"),
    "exact null": (Q(likes=None), lambda w, p: p.likes is None),
    "exact int": (Q(likes=3), lambda w, p: p.likes == 3),
    "iexact": (Q(title__iexact="aSYNC"), lambda w, p: p.title.lower() == "async"),
    "contains": (Q(title__contains="sync"), lambda w, p: "sync" in p.title),
    "contains minds case": (Q(title__contains="a"), lambda w, p: "a" in p.title),
    "icontains": (Q(title__icontains="A"), lambda w, p: "a" in p.title.lower()),
    "contains percent": (Q(title__contains="%"), lambda w, p: "%" in p.title),
    "icontains percent": (Q(title__icontains="%"), lambda w, p: "%" in p.title),
    "icontains underscore": (Q(title__icontains="_"), lambda w, p: "_" in p.title),
    "contains bracket": (Q(title__contains="[x]"), lambda w, p: "[x]" in p.title),
    "contains star": (Q(title__contains="*?"), lambda w, p: "*?" in p.title),
    "icontains escape": (Q(title__icontains="!"), lambda w, p: "!" in p.title),
    "startswith": (Q(title__startswith="a"), lambda w, p: p.title.startswith("a")),
    "istartswith": (Q(title__istartswith="a"), lambda w, p: p.title.lower().startswith("a")),
    "endswith": (Q(title__endswith="n"), lambda w, p: p.title.endswith("n")),
    "iendswith": (Q(title__iendswith="OFF"), lambda w, p: p.title.lower().endswith("off")),
    "contains empty": (Q(title__contains=""), lambda w, p: True),
    "gt": (Q(likes__gt=2), lambda w, p: less(2, p.likes)),
    "gte": (Q(likes__gte=3), lambda w, p: p.likes is not None and p.likes >= 3),
    "lt": (Q(likes__lt=3), lambda w, p: less(p.likes, 3)),
    "lte": (Q(likes__lte=3), lambda w, p: p.likes is not None and p.likes <= 3),
    "in": (Q(likes__in=[0, 7, 99]), lambda w, p: p.likes in (0, 7)),
    "in with none": (Q(likes__in=[3, None]), lambda w, p: p.likes == 3),
    "in nothing": (Q(likes__in=[]), lambda w, p: False),
    "in text": (Q(title__in=["Zen", "", "%"]), lambda w, p: p.title in ("Zen", "")),
    "range": (Q(likes__range=(0, 3)), lambda w, p: p.likes is not None and 0 <= p.likes <= 3),
    "isnull": (Q(likes__isnull=True), lambda w, p: p.likes is None),
    "not isnull": (Q(likes__isnull=False), lambda w, p: p.likes is not None),
    "decimal gt": (Q(price__gt=Decimal("9.50")), lambda w, p: p.price > Decimal("9.50")),
    "decimal exact": (Q(price=Decimal("9.5")), lambda w, p: p.price == Decimal("9.5")),
    "decimal in": (Q(price__in=[Decimal("9.5"), 10]), lambda w, p: p.price in (Decimal("9.5"), 10)),
    "decimal range": (Q(price__range=(1, 10)), lambda w, p: 1 <= p.price <= 10),
    "float": (Q(rating__lte=1), lambda w, p: p.rating <= 1),
    "bool": (Q(visible=False), lambda w, p: not p.visible),
    "datetime": (
        Q(published__gt=START.astimezone(UTC) + timedelta(days=2, microseconds=-1)),
        lambda w, p: p.published >= START + timedelta(days=2),
    ),
    "datetime in": (Q(published__in=[START]), lambda w, p: p.published == START),
    "beyond 64 bits": (Q(likes=10**30), lambda w, p: False),
    "below 64 bits": (Q(likes__lt=10**30), lambda w, p: p.likes is not None),
    "range beyond 64 bits": (Q(likes__range=(3, 10**30)), lambda w, p: less(2, p.likes)),
    "and": (Q(likes=3, visible=True), lambda w, p: p.likes == 3 and p.visible),
    "or": (Q(likes=3) | Q(title=""), lambda w, p: p.likes == 3 or p.title == ""),
    "not": (~Q(likes=3), lambda w, p: p.likes != 3),
    "not not": (~~Q(likes=3), lambda w, p: p.likes == 3),
    "not inside not": (~Q(~Q(likes=3), visible=True), lambda w, p: not (p.likes != 3 and p.visible)),
    "not or": (~(Q(likes=3) | Q(visible=False)), lambda w, p: not (p.likes == 3 or not p.visible)),
    "or not": (Q(likes__gt=5) | ~Q(likes=3), lambda w, p: less(5, p.likes) or p.likes != 3),
    "F": (Q(likes__gt=F("rating")), lambda w, p: less(p.rating, p.likes)),
    "F sum": (Q(likes__lt=F("rating") * 2 + 1), lambda w, p: less(p.likes, p.rating * 2 + 1)),
    "F across": (
        Q(title__lt=F("author__name")),
        lambda w, p: p.author is not None and p.title < p.author.name,
    ),
    "fk object": (Q(author__name="Ada"), lambda w, p: p.author is not None and p.author.name == "Ada"),
    "fk null column": (Q(author__nick="a_b"), lambda w, p: p.author is not None and p.author.nick == "a_b"),
    "fk column isnull": (
        Q(author__nick__isnull=True),
        lambda w, p: p.author is None or p.author.nick is None,
    ),
    "fk isnull": (Q(author__isnull=True), lambda w, p: p.author is None),
    "fk or": (
        Q(author__name="bob") | Q(likes=7),
        lambda w, p: (p.author is not None and p.author.name == "bob") or p.likes == 7,
    ),
    "fk twice": (
        Q(parent__author__name="Ada"),
        lambda w, p: p.parent is not None and p.parent.author is not None and p.parent.author.name == "Ada",
    ),
    "typed": ((Post.title == "Zen") | Post.likes.is_null(), lambda w, p: p.title == "Zen" or p.likes is None),
    "typed not": (Post.likes != 3, lambda w, p: p.likes != 3),
    "typed follow": (
        Post.author.follow(Author.name).istartswith("ada"),
        lambda w, p: p.author is not None and p.author.name.lower().startswith("ada"),
    ),
    "typed between": (Post.likes.between(1, 3), lambda w, p: p.likes is not None and 1 <= p.likes <= 3),
    "reverse": (Q(comments__text="x"), lambda w, p: any(c.text == "x" for c in w.comments_of(p))),
    "reverse same row": (
        Q(comments__score__gt=4),
        lambda w, p: any(less(4, c.score) for c in w.comments_of(p)),
    ),
    "reverse null column": (Q(comments__score=5), lambda w, p: any(c.score == 5 for c in w.comments_of(p))),
    "reverse isnull": (Q(comments__isnull=True), lambda w, p: not w.comments_of(p)),
    "reverse not isnull": (Q(comments__isnull=False), lambda w, p: bool(w.comments_of(p))),
    "reverse or": (
        Q(comments__text="y") | Q(likes=7),
        lambda w, p: any(c.text == "y" for c in w.comments_of(p)) or p.likes == 7,
    ),
    "reverse self": (Q(replies__likes=0), lambda w, p: any(r.likes == 0 for r in w.replies_of(p))),
    "reverse twice": (
        Q(replies__comments__text="y"),
        lambda w, p: any(c.text == "y" for r in w.replies_of(p) for c in w.comments_of(r)),
    ),
    "forward then reverse": (
        Q(parent__comments__score__lt=5),
        lambda w, p: p.parent is not None and any(less(c.score, 5) for c in w.comments_of(p.parent)),
    ),
}


async def titles(queryset: Any) -> list[str]:
    return sorted({post.title for post in await queryset})


@pytest.mark.slow
async def test_filter_and_exclude_say_what_python_says(world: World) -> None:
    """Every condition, as it is and negated: between them they give all rows, and none twice over."""
    wrong: list[str] = []
    for name, (condition, holds) in ONE_ROW.items():
        expected = sorted(post.title for post in world.posts if holds(world, post))
        rest = sorted(post.title for post in world.posts if not holds(world, post))
        for method, wanted in ((Post.objects.filter, expected), (Post.objects.exclude, rest)):
            found = await titles(method(condition))
            if found != wanted:
                wrong.append(f"{method.__name__}({name}): {found} instead of {wanted}")
    assert not wrong


async def test_conditions_of_one_call_speak_of_the_same_related_row(world: World) -> None:
    same = Post.objects.filter(comments__text="x", comments__score=5)
    any_row = Post.objects.filter(comments__text="x").filter(comments__score=5)
    assert await titles(same) == ["Zen"]
    assert await titles(any_row) == ["Async", "Zen"]


async def test_a_row_comes_once_per_related_row_that_fits_unless_distinct(world: World) -> None:
    queryset = Post.objects.filter(comments__score__gt=0)
    assert [post.title for post in await queryset].count("Async") == 2
    assert [post.title for post in await queryset.distinct()].count("Async") == 1
    assert (await queryset.count(), await queryset.distinct().count()) == (4, 3)
    ordered = queryset.distinct().order_by("author__name", "-pk")
    assert [post.title for post in await ordered] == ["Async", "Zen", "50% off"]
    assert await ordered.values_list("title", flat=True) == ["Async", "Zen", "50% off"]
    assert await ordered[1:].count() == 2


async def test_order_slice_first_last_and_reverse(world: World) -> None:
    by_price = Post.objects.order_by("-price", "title")
    names = [post.title for post in await by_price]
    assert names == ["50% off", "async io", "", "Async", "Zen", "a_b [x] *?!"]
    assert [post.title for post in await by_price[1:4][1:]] == names[2:4]
    assert [post.title for post in await by_price[4:]] == names[4:]
    assert [post.title for post in await by_price.reverse()] == names[::-1]
    assert (await by_price[2]).title == names[2]
    with pytest.raises(IndexError, match="index 99"):
        await by_price[99]
    first, last = await by_price.first(), await by_price.last()
    assert first is not None
    assert last is not None
    assert (first.title, last.title) == (names[0], names[-1])
    assert (await by_price[1:3].count(), await by_price[5:].count(), await by_price[6:].exists()) == (
        2,
        1,
        False,
    )
    unordered = await Post.objects.first()
    assert unordered == world.posts[0]


async def test_order_by_related_and_typed_columns(world: World) -> None:
    queryset = Post.objects.filter(author__isnull=False)
    expected = [p.title for p in sorted(world.posts, key=lambda p: p.title) if p.author]
    by_author = await queryset.order_by(Post.author.follow(Author.name).desc(), Post.title.asc())
    assert sorted(post.title for post in by_author) == expected
    assert by_author[0].title == "50% off"
    assert [p.pk for p in await queryset.order_by(Post.title)] == [
        p.pk for p in await queryset.order_by("title")
    ]
    assert len(await Post.objects.order_by("?")) == 6


async def test_select_related_loads_with_one_statement_and_leaves_null_alone(world: World) -> None:
    posts = await Post.objects.select_related("author", "parent__author").order_by("pk")
    assert [p.author and p.author.name for p in posts] == [p.author and p.author.name for p in world.posts]
    assert posts[3].parent is not None
    assert posts[3].parent.author == world.authors[0]
    assert posts[0].parent is None


async def test_subqueries_stand_beside_in(world: World) -> None:
    liked = Comment.objects.filter(score__gte=5)
    assert await titles(Post.objects.filter(pk__in=liked.values_list("post_id", flat=True))) == [
        "50% off",
        "Async",
        "Zen",
    ]
    assert await titles(Post.objects.exclude(author__in=Author.objects.filter(name__startswith="Ada"))) == [
        "50% off",
        "Zen",
        "a_b [x] *?!",
    ]
    newest = Post.objects.order_by("-published")[:2]
    assert await titles(Post.objects.filter(pk__in=newest)) == ["", "Zen"]
    assert await titles(Post.objects.filter(pk__in=Post.objects.none())) == []


async def test_a_subquery_with_null_excludes_as_python_does(world: World) -> None:
    """SQL's NOT IN is never true once the list has a NULL."""
    parents = Post.objects.values_list("parent_id", flat=True)
    assert await titles(Post.objects.exclude(pk__in=parents)) == ["", "50% off", "Zen", "a_b [x] *?!"]


async def test_update_computes_in_the_database_and_counts(world: World) -> None:
    assert await Post.objects.filter(likes__isnull=False).update(likes=F("likes") * 2 + 1, title="t") == 4
    assert sorted(p.likes for p in await Post.objects.filter(title="t") if p.likes is not None) == [
        1,
        7,
        7,
        15,
    ]
    assert (
        await Post.objects.filter(comments__score__gt=8).update(
            author=None, price=F("price") + Decimal("0.05")
        )
        == 1
    )
    changed = await Post.objects.get(pk=world.posts[2].pk)
    assert (changed.author_id, changed.price) == (None, Decimal("100.30"))


async def test_delete_takes_rows_across_relations_and_their_dependents(world: World) -> None:
    await Post.objects.filter(comments__text="y").delete()
    assert await titles(Post.objects.all()) == ["", "Zen"]
    assert await Comment.objects.count() == 1
    assert await Post.objects.filter(title="Zen").delete() == 1
    assert await Post.objects.none().delete() == 0


async def test_values_lists_and_dicts_cross_relations(world: World) -> None:
    rows = Comment.objects.order_by("pk")
    assert (await rows.values("text", "post__title"))[1] == {"text": "y", "post__title": "Async"}
    assert (await rows.values_list("score", flat=True)[:2]) == [1, 5]
    authors = Post.objects.order_by("pk").values_list("author__name", "price")
    assert (await authors)[3] == (None, Decimal("0.01"))


async def test_streaming_and_async_for_give_the_same_rows(world: World) -> None:
    expected = [post.pk for post in await Post.objects.order_by("pk")]
    assert [post.pk async for post in Post.objects.order_by("pk")] == expected
    assert [post.pk async for post in Post.objects.order_by("pk").iterator(chunk_size=2)] == expected


async def test_get_says_what_was_asked_for(world: World) -> None:
    assert await Post.objects.get(title="Zen") == world.posts[5]
    with pytest.raises(Post.DoesNotExist, match="no Post matches \\(title='nope'\\)"):
        await Post.objects.get(title="nope")
    with pytest.raises(Post.MultipleObjectsReturned, match="more than one Post"):
        await Post.objects.get(likes=3)


async def test_related_manager_filters_and_creates(world: World) -> None:
    post: Any = world.posts[0]  # Any: no annotation tells of `comments`
    assert await post.comments.count() == 2
    made = await post.comments.create(text="new")
    assert made.post_id == post.pk
    assert [c.text for c in await post.comments.filter(score=None)] == ["new"]
    assert (await post.comments.get_or_create(text="new"))[1] is False
    assert (await post.comments.get_or_create({"score": 4}, text="newer"))[1] is True
