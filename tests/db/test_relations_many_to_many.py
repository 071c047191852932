"""Many-to-many relations: the managers of both sides, the model in between, lookups through it."""

from __future__ import annotations

import asyncio
import pickle
from typing import Any

import pytest

from transom.db import FieldError, ForeignKeyViolation, Q, UniqueViolation, atomic, create_tables, models
from transom.db.backends.base import Backend


class Tag(models.Model):
    posts: models.ManyRelated[Post]
    name = models.CharField(max_length=20, unique=True)

    class Meta:
        ordering = ("name",)


class Post(models.Model):
    title = models.CharField(max_length=20)
    tags = models.ManyToManyField(Tag, related_name="posts")


class Person(models.Model):
    groups: models.ManyRelated[Group]
    followers: models.ManyRelated[Person]

    name = models.CharField(max_length=20)
    friends: models.ManyToManyField[Person] = models.ManyToManyField("self")
    follows: models.ManyToManyField[Person] = models.ManyToManyField(
        "self", symmetrical=False, related_name="followers", db_table="follow"
    )


class Group(models.Model):
    memberships: models.Related[Membership]
    name = models.CharField(max_length=20, default="")
    members: models.ManyToManyField[Person] = models.ManyToManyField(
        Person, through="Membership", through_fields=("group", "person"), related_name="groups"
    )


class Membership(models.Model):
    group = models.ForeignKey(Group, models.CASCADE, related_name="memberships")
    person = models.ForeignKey(Person, models.CASCADE, related_name="memberships")
    inviter = models.ForeignKey(Person, models.SET_NULL, null=True, related_name="invitations")
    reason = models.CharField(max_length=20, default="")


@pytest.fixture
async def tags(database: Backend) -> list[Tag]:
    await create_tables(Post, Group)
    return await Tag.objects.bulk_create([Tag(name=name) for name in "abcd"])


async def names(post: Post) -> str:
    return "".join([tag.name async for tag in post.tags])


async def test_rows_are_linked_and_unlinked(tags: list[Tag], statements: list[str]) -> None:
    a, b, c, d = tags
    post = await Post.objects.create(title="x")
    statements.clear()
    await post.tags.add(a, b, b, c.pk)
    assert len(statements) == 2
    assert await names(post) == "abc"
    statements.clear()
    await post.tags.add(a, b)
    assert len(statements) == 1
    await post.tags.remove(a, d, c.pk)
    assert len(statements) == 2
    assert await names(post) == "b"
    assert await b.posts.all() == [post]
    await d.posts.add(post)
    assert await names(post) == "bd"
    await post.tags.clear()
    assert await post.tags.count() == 0
    assert await Tag.objects.count() == 4
    await post.tags.add()
    await post.tags.remove()


async def test_set_links_these_and_no_others(tags: list[Tag], statements: list[str]) -> None:
    a, b, c, d = tags
    post = await Post.objects.create(title="x")
    other = await Post.objects.create(title="y")
    await other.tags.set(tags)
    await post.tags.set([a, b])
    kept = await Post.tags.through.objects.get(post=post, tag=b)
    statements.clear()
    await post.tags.set([b, c, d.pk])
    assert len(statements) == 3
    assert await names(post) == "bcd"
    assert await Post.tags.through.objects.get(post=post, tag=b) == kept
    await post.tags.set([b], clear=True)
    assert await names(post) == "b"
    assert await Post.tags.through.objects.get(post=post, tag=b) != kept
    await post.tags.set([])
    assert await names(post) == ""
    assert await names(other) == "abcd"


async def test_the_number_of_statements_does_not_grow(tags: list[Tag], statements: list[str]) -> None:
    post = await Post.objects.create(title="x")
    many = await Tag.objects.bulk_create([Tag(name=f"n{number}") for number in range(300)])
    for change, most in ((post.tags.add, 2), (post.tags.remove, 1), (post.tags.add, 2)):
        statements.clear()
        await change(*many)
        assert len(statements) == most
    statements.clear()
    await post.tags.set(tags)
    assert len(statements) == 3
    assert await names(post) == "abcd"


async def test_rows_are_made_and_linked(tags: list[Tag]) -> None:
    post = await Post.objects.create(title="x")
    made = await post.tags.create(name="new")
    assert (await post.tags.get_or_create(name="new"), made.pk is not None) == ((made, False), True)
    another, is_new = await post.tags.get_or_create(name="e")
    assert is_new
    assert await post.tags.filter(name="e") == [another]
    with pytest.raises(UniqueViolation):  # as in Django: there is such a row, but it is not linked
        await post.tags.get_or_create(name="a")
    await post.tags.bulk_create([Tag(name="y"), Tag(name="z")])
    assert await names(post) == "enewyz"
    changed, is_new = await post.tags.update_or_create({"name": "f"}, name="e")
    assert (changed, is_new) == (another, False)
    assert (await post.tags.update_or_create({"name": "g"}, {"name": "h"}, name="none"))[1]
    assert await names(post) == "fhnewyz"


async def test_an_unsaved_object_has_no_rows(tags: list[Tag]) -> None:
    post = Post(title="x")
    with pytest.raises(FieldError, match="has no id yet"):
        post.tags.all()
    saved = await Post.objects.create(title="x")
    with pytest.raises(FieldError, match="has no id yet"):
        await saved.tags.add(Tag(name="x"))
    with pytest.raises(FieldError, match="takes a Tag, or its key"):
        await saved.tags.add(saved)
    with pytest.raises(ForeignKeyViolation):
        await saved.tags.add(12345)
    with pytest.raises(AttributeError, match=r"await obj.tags.set"):
        setattr(saved, "tags", tags)  # noqa: B010
    with pytest.raises(TypeError, match=r"await obj.tags.set"):
        Post(tags=tags)


async def test_linking_at_the_same_time_links_once(tags: list[Tag]) -> None:
    post = await Post.objects.create(title="x")
    await asyncio.gather(*(post.tags.add(*tags[::step]) for step in (1, -1, 1, -1, 1)))
    assert await names(post) == "abcd"
    assert await Post.tags.through.objects.count() == 4


async def test_a_failure_leaves_everything_as_it_was(tags: list[Tag]) -> None:
    post = await Post.objects.create(title="x")
    await post.tags.add(tags[0])
    with pytest.raises(ForeignKeyViolation):
        await post.tags.set([tags[1].pk, 12345])
    assert await names(post) == "a"
    async with atomic():
        with pytest.raises(ForeignKeyViolation):
            await post.tags.add(12345)
        await post.tags.add(tags[2])
    assert await names(post) == "ac"


async def test_lookups_go_through_in_both_directions(tags: list[Tag], statements: list[str]) -> None:
    a, b, c, _ = tags
    one, two, none = await Post.objects.bulk_create([Post(title="1"), Post(title="2"), Post(title="3")])
    await one.tags.set([a, b])
    await two.tags.set([b, c])
    posts = Post.objects.order_by("title")
    assert await posts.filter(tags__name="b") == [one, two]
    assert await posts.filter(tags=a) == [one]
    assert await posts.filter(tags=c.pk) == [two]
    assert await posts.filter(tags__in=[a, c]) == [one, two]
    assert await posts.filter(tags__in=Tag.objects.filter(name="a")) == [one]
    assert await posts.filter(tags=None) == [none]
    assert await posts.filter(tags__name="a").filter(tags__name="b") == [one]
    assert await posts.filter(tags__name="a", tags__pk=b.pk) == []
    assert await posts.exclude(tags__name="a") == [two, none]
    assert await posts.exclude(tags=b) == [none]
    assert await posts.filter(Post.tags.follow(Tag.name) == "c") == [two]
    assert await Tag.objects.filter(Tag.posts.follow(Post.title) == "1") == [a, b]
    assert await Tag.objects.filter(posts__tags__name="c").distinct() == [b, c]
    assert await Tag.objects.exclude(posts=one).filter(posts__isnull=False) == [c]
    assert await Post.objects.order_by("-tags__name", "title").values_list("title", "tags__name") in (
        [("3", None), ("2", "c"), ("1", "b"), ("2", "b"), ("1", "a")],  # NULL first
        [("2", "c"), ("1", "b"), ("2", "b"), ("1", "a"), ("3", None)],
    )
    assert "JOIN" in statements[-1]
    by_key = Post.objects.filter(tags=a)
    statements.clear()
    await by_key
    assert statements[0].count("JOIN") == 1  # the key is in the table between


async def test_names_that_are_none_are_refused(tags: list[Tag]) -> None:
    with pytest.raises(FieldError, match="did you mean 'name'"):
        Post.objects.filter(tags__nmae="a")
    with pytest.raises(FieldError, match="relation without a column"):
        await Post.objects.update(tags=3)
    with pytest.raises(FieldError, match="no foreign key 'tags'"):
        Post.objects.select_related("tags")
    assert Post._meta.choices() == ["id", "tags", "title"]


async def test_a_relation_to_itself_holds_both_ways(tags: list[Tag]) -> None:
    ada, bob, cem = await Person.objects.bulk_create([Person(name=name) for name in ("ada", "bob", "cem")])
    await ada.friends.add(bob, cem)
    assert await bob.friends.all() == [ada]
    assert await Person.objects.filter(friends=cem) == [ada]
    await bob.friends.set([cem])
    assert await ada.friends.all() == [cem]
    assert await cem.friends.order_by("name") == [ada, bob]
    await cem.friends.remove(ada)
    assert await ada.friends.all() == []
    await ada.friends.add(ada)
    assert await ada.friends.all() == [ada]
    await cem.friends.clear()
    assert await bob.friends.all() == []


async def test_a_relation_to_itself_may_hold_one_way(tags: list[Tag]) -> None:
    ada, bob = await Person.objects.bulk_create([Person(name="ada"), Person(name="bob")])
    await ada.follows.add(bob)
    assert await bob.followers.all() == [ada]
    assert await bob.follows.all() == []
    assert await Person.objects.filter(followers__name="ada") == [bob]
    assert Person.follows.through._meta.db_table == "follow"


async def test_the_model_in_between_may_be_ones_own(tags: list[Tag], statements: list[str]) -> None:
    group, other = await Group.objects.bulk_create([Group(), Group()])
    ada, bob = await Person.objects.bulk_create([Person(name="ada"), Person(name="bob")])
    await group.members.add(ada, through_defaults={"reason": "asked", "inviter": bob})
    await group.members.add(bob, through_defaults={"reason": lambda: "came"})
    await other.members.add(ada)
    assert Group.members.through is Membership
    assert await Membership.objects.filter(person=ada, group=group).values_list("reason", "inviter") == [
        ("asked", bob.pk)
    ]
    # A filter right behind the manager is about the same rows in between.
    assert await group.members.filter(memberships__reason="came") == [bob]
    assert await ada.groups.filter(memberships__reason="") == [other]
    assert await Group.objects.filter(members__name="ada", memberships__reason="asked") == [group]
    assert await Group.objects.filter(memberships__inviter=bob) == [group]
    made = await group.members.create(name="new", through_defaults={"reason": "made"})
    assert await group.members.filter(memberships__reason="made") == [made]


async def test_rows_of_the_model_in_between_are_objects(tags: list[Tag]) -> None:
    post = await Post.objects.create(title="x")
    await post.tags.add(tags[0])
    link = await Post.tags.through.objects.select_related("post", "tag").get()
    assert (link.post, link.tag) == (post, tags[0])
    assert pickle.loads(pickle.dumps(link)) == link
    assert Tag.posts.through is Post.tags.through
    await post.delete()
    assert await Post.tags.through.objects.count() == 0


async def test_it_is_no_column_and_not_among_the_models(tags: list[Tag]) -> None:
    from transom.db.models import registry

    assert [field.name for field in Post._meta.fields] == ["id", "title"]
    through = Post.tags.through
    assert through not in registry.get_models()
    assert registry.get_model(through._meta.label) is through
    assert through._meta.db_table == f"{Post._meta.db_table}_tags"
    assert [field.name for field in through._meta.fields] == ["id", "post", "tag"]
    assert await Tag.objects.filter(~Q(posts=None)) == []


def test_an_abstract_model_hands_the_field_down() -> None:
    class Labelled(models.Model):
        labels = models.ManyToManyField(
            Tag, related_name="%(app_label)s_%(class)s_set", related_query_name="%(class)s"
        )

        class Meta:
            abstract = True

    class Leaf(Labelled):
        pass

    class Twig(Labelled):
        pass

    assert Leaf.labels.through is not Twig.labels.through
    assert hasattr(Tag, f"{Leaf._meta.app_label}_leaf_set")
    assert Tag._meta.find("twig") is not None


def test_meta_may_name_the_other_side_of_all_relations() -> None:
    class Folder(models.Model):
        tag: models.ForeignKey[Tag] = models.ForeignKey(Tag, models.CASCADE)
        parts: models.ManyToManyField[Person] = models.ManyToManyField(Person, related_name="parts")
        people: models.ManyToManyField[Person] = models.ManyToManyField(Person)
        others: models.ManyToManyField[Folder] = models.ManyToManyField("self")

        class Meta:
            default_related_name = "%(app_label)s_folders"

    name = f"{Folder._meta.app_label}_folders"
    assert Tag._meta.find(name) is Folder._meta.get_field("tag").remote_field
    assert hasattr(Person, name)
    assert hasattr(Person, "parts")
    assert Folder._meta.choices() == ["id", "others", "parts", "people", "tag", "tag_id"]


def test_a_through_model_without_one_way_is_refused() -> None:
    class Side(models.Model):
        pass

    class Between(models.Model):
        first: models.ForeignKey[Any] = models.ForeignKey(Side, models.CASCADE, related_name="+")
        second: models.ForeignKey[Any] = models.ForeignKey(Side, models.CASCADE, related_name="+")
        third: models.ForeignKey[Any] = models.ForeignKey(Side, models.CASCADE, related_name="+")

    class Holder(models.Model):
        sides = models.ManyToManyField(Side, through=Between)

    with pytest.raises(FieldError, match="give through_fields"):
        Holder.objects.filter(sides=1)


MISTAKES: list[tuple[dict[str, Any], str]] = [
    ({"to": Tag, "through": "X", "db_table": "y"}, "give one of the two"),
    ({"to": Tag, "through_fields": ("a", "b")}, "two foreign keys of a through model"),
    ({"to": Tag, "symmetrical": True}, "to itself"),
]


@pytest.mark.parametrize(("options", "message"), MISTAKES)
def test_wrong_options_are_told_at_once(options: dict[str, Any], message: str) -> None:
    with pytest.raises(TypeError, match=message):
        models.ManyToManyField(**options)


def test_a_model_in_between_may_be_defined_later() -> None:
    class Early(models.Model):
        lates: models.ManyToManyField[Any] = models.ManyToManyField("Late")

    with pytest.raises(FieldError, match="'Late', which is not defined"):
        Early.objects.filter(lates=1)

    class Late(models.Model):
        pass

    assert Early.lates.through._meta.object_name == "Early_lates"
    assert Late._meta.choices() == ["early", "id"]
