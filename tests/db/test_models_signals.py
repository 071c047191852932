"""Signals of models: what sends which, and what sends none."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest

from transom.db import atomic, create_tables, models
from transom.db.backends.base import Backend
from transom.db.models.signals import m2m_changed, post_delete, post_save, pre_delete, pre_save
from transom.signals import Signal

SIGNALS = {
    "pre_save": pre_save,
    "post_save": post_save,
    "pre_delete": pre_delete,
    "post_delete": post_delete,
    "m2m_changed": m2m_changed,
}


class Tag(models.Model):
    posts: models.ManyRelated[Post]
    name = models.CharField(max_length=20)


class Post(models.Model):
    title = models.CharField(max_length=20)
    likes = models.IntegerField(default=0)
    tags = models.ManyToManyField(Tag, related_name="posts")


class Draft(Post):
    class Meta:
        proxy = True


class Sent:
    """What was sent since it was last read, less the senders and signals."""

    def __init__(self) -> None:
        self.calls: list[tuple[str, dict[str, Any]]] = []

    async def hear(self, signal: Signal, sender: object, **details: Any) -> None:
        name = next(name for name, each in SIGNALS.items() if each is signal)
        self.calls.append((name, details))

    def names(self) -> list[str]:
        names = [details.get("action", name) for name, details in self.calls]
        self.calls.clear()
        return names


@pytest.fixture
async def prepared(database: Backend) -> Backend:
    await create_tables(Post, Tag)
    return database


@pytest.fixture
def sent(prepared: Backend) -> Iterator[Sent]:
    heard = Sent()
    senders: dict[str, list[Any]] = {name: [Post, Draft] for name in SIGNALS}
    senders["m2m_changed"] = [Post.tags.through]
    for name, signal in SIGNALS.items():
        for sender in senders[name]:
            signal.connect(heard.hear, sender=sender)
    yield heard
    for name, signal in SIGNALS.items():
        for sender in senders[name]:
            assert signal.disconnect(heard.hear, sender=sender)


async def test_saving_says_whether_the_row_is_new(sent: Sent):
    post = Post(title="a")
    await post.save()
    await post.save(update_fields=["title", "likes"])
    assert sent.calls == [
        ("pre_save", {"instance": post, "raw": False, "using": "default", "update_fields": None}),
        (
            "post_save",
            {"instance": post, "created": True, "raw": False, "using": "default", "update_fields": None},
        ),
        (
            "pre_save",
            {
                "instance": post,
                "raw": False,
                "using": "default",
                "update_fields": frozenset({"title", "likes"}),
            },
        ),
        (
            "post_save",
            {
                "instance": post,
                "created": False,
                "raw": False,
                "using": "default",
                "update_fields": frozenset({"title", "likes"}),
            },
        ),
    ]


async def test_a_key_of_ones_own_is_new_only_if_no_row_has_it(sent: Sent):
    await Post(pk=5, title="a").save()
    await Post(pk=5, title="b").save()
    assert [details["created"] for name, details in sent.calls if name == "post_save"] == [True, False]


async def test_the_shortcuts_of_querysets_send_what_saving_does(sent: Sent):
    await Post.objects.create(title="a")
    await Post.objects.get_or_create(title="b")
    await Post.objects.get_or_create(title="b")
    assert sent.names() == ["pre_save", "post_save"] * 2
    await Post.objects.update_or_create({"likes": 1}, title="b")
    assert sent.calls[1][1]["update_fields"] == {"likes"}
    assert sent.names() == ["pre_save", "post_save"]


async def test_a_receiver_before_saving_may_change_what_is_written(sent: Sent):
    def shout(instance: Post, **details: Any) -> None:
        instance.title = instance.title.upper()

    pre_save.connect(shout, sender=Post)
    await Post.objects.create(title="a")
    assert await Post.objects.values_list("title", flat=True) == ["A"]


async def test_an_exception_of_a_receiver_undoes_the_transaction_around_it(sent: Sent):
    def refuse(**details: Any) -> None:
        raise ValueError("no")

    post_save.connect(refuse, sender=Post)
    with pytest.raises(ValueError, match="no"):
        async with atomic():
            await Post.objects.create(title="a")
    assert await Post.objects.count() == 0


async def test_deleting_an_object_sends_before_and_after(sent: Sent):
    post = await Post.objects.create(title="a")
    sent.calls.clear()
    await post.delete()
    assert sent.calls == [
        ("pre_delete", {"instance": post, "using": "default"}),
        ("post_delete", {"instance": post, "using": "default"}),
    ]


async def test_changes_of_many_rows_send_nothing(sent: Sent):
    posts = await Post.objects.bulk_create([Post(title="a"), Post(title="b")])
    await Post.objects.bulk_update(posts, ["title"])
    await Post.objects.all().update(likes=1)
    await Post.objects.all().delete()
    assert sent.names() == []


async def test_saving_no_fields_sends_nothing(sent: Sent):
    post = await Post.objects.create(title="a")
    sent.calls.clear()
    await post.save(update_fields=[])
    assert sent.names() == []


async def test_linking_says_what_is_linked(sent: Sent):
    post = await Post.objects.create(title="a")
    a, b = await Tag.objects.bulk_create([Tag(name="a"), Tag(name="b")])
    await post.tags.add(a)
    sent.calls.clear()
    await post.tags.add(a, b)
    common = {"instance": post, "reverse": False, "model": Tag, "pk_set": {b.pk}, "using": "default"}
    assert sent.calls == [
        ("m2m_changed", {"action": "pre_add", **common}),
        ("m2m_changed", {"action": "post_add", **common}),
    ]
    await post.tags.add(a, b)
    await a.posts.remove(post)
    assert sent.calls[-1][1]["reverse"] is True
    assert sent.calls[-1][1]["pk_set"] == {post.pk}
    sent.calls.clear()
    await post.tags.set([a])
    assert sent.names() == ["pre_remove", "post_remove", "pre_add", "post_add"]
    await post.tags.set([b], clear=True)
    await post.tags.clear()
    assert sent.calls[-1][1]["pk_set"] is None
    assert sent.names() == ["pre_clear", "post_clear", "pre_add", "post_add", "pre_clear", "post_clear"]
    await post.tags.create(name="c")
    assert sent.names() == ["pre_add", "post_add"]


async def test_a_receiver_after_linking_sees_the_new_rows(sent: Sent):
    post = await Post.objects.create(title="a")
    await post.load("tags")
    seen: list[list[Tag]] = []

    async def look(instance: Post, action: str, **details: Any) -> None:
        if action == "post_add":
            seen.append(await instance.tags.all())

    m2m_changed.connect(look, sender=Post.tags.through)
    tag = await post.tags.create(name="a")
    assert seen == [[tag]]


async def test_a_proxy_is_a_sender_of_its_own(prepared: Backend):
    heard: list[object] = []

    def hear(sender: object, **details: Any) -> None:
        heard.append(sender)

    post_save.connect(hear, sender=Draft)
    await Post.objects.create(title="a")
    await Draft.objects.create(title="a")
    assert heard == [Draft]


def test_a_sender_may_be_named_before_it_is_defined():
    def hear(**details: Any) -> None: ...

    pre_save.connect(hear, sender="tests.LaterNote")

    class LaterNote(models.Model):
        class Meta:
            app_label = "tests"

    assert pre_save.has_listeners(LaterNote)
    assert pre_save.disconnect(hear, sender="tests.LaterNote")
    assert not pre_save.has_listeners(LaterNote)


async def test_without_receivers_nothing_is_sent(prepared: Backend, monkeypatch: pytest.MonkeyPatch):
    def refuse(*arguments: object, **named: object) -> None:
        raise AssertionError("sent")

    for signal in SIGNALS.values():
        monkeypatch.setattr(signal, "send", refuse)
    post = await Post.objects.create(title="a")
    await post.save()
    await post.tags.create(name="a")
    await post.delete()
