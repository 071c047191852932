"""`create_tables`: what is missing, what it refers to, all or nothing."""

from __future__ import annotations

from collections import defaultdict
from typing import Any

import pytest

from transom.db import connections, models
from transom.db.backends.base import Backend
from transom.db.exceptions import DatabaseError
from transom.db.migrations import MigrationError
from transom.db.migrations.introspection import existing_tables
from transom.db.models import registry
from transom.db.schema import create_tables
from transom.db.transaction import atomic


@pytest.fixture(autouse=True)
def own_registry(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(registry, "_models", {})
    monkeypatch.setattr(registry, "_waiting", defaultdict(list))


def blog() -> tuple[Any, Any, Any]:
    class Author(models.Model):
        name = models.CharField(max_length=9)

        class Meta:
            app_label = "blog"

    class Post(models.Model):
        author = models.ForeignKey(Author, on_delete=models.CASCADE)

        class Meta:
            app_label = "blog"

    class Unrelated(models.Model):
        class Meta:
            app_label = "blog"

    return Author, Post, Unrelated


async def tables() -> set[str]:
    return await existing_tables(connections.executor()) - {"sqlite_sequence"}


async def test_creates_what_the_model_refers_to_and_nothing_else(database: Backend) -> None:
    _, post, _ = blog()
    assert sorted(await create_tables(post)) == ["blog_author", "blog_post"]
    assert await tables() == {"blog_author", "blog_post"}


async def test_again_creates_nothing_and_keeps_rows(database: Backend) -> None:
    author, post, _ = blog()
    await create_tables(author)
    await author.objects.create(name="Ada")
    assert await create_tables(post) == ["blog_post"]
    assert await create_tables(post) == []
    assert await author.objects.count() == 1


async def test_without_models_takes_all_that_are_defined(database: Backend) -> None:
    blog()
    assert sorted(await create_tables()) == ["blog_author", "blog_post", "blog_unrelated"]


async def test_models_that_refer_to_each_other_and_themselves(database: Backend) -> None:
    class Aa(models.Model):
        bb = models.ForeignKey("Bb", on_delete=models.CASCADE, null=True, related_name="+")
        parent = models.ForeignKey("self", on_delete=models.CASCADE, null=True, related_name="+")

        class Meta:
            app_label = "ring"

    class Bb(models.Model):
        aa = models.ForeignKey(Aa, on_delete=models.CASCADE, related_name="+")

        class Meta:
            app_label = "ring"

    assert sorted(await create_tables(Bb)) == ["ring_aa", "ring_bb"]
    first = await Aa.objects.create(parent=None, bb=None)
    second = await Bb.objects.create(aa=first)
    await Aa.objects.create(parent=first, bb=second)
    with pytest.raises(DatabaseError):
        await Bb.objects.create(aa_id=99)


async def test_failure_creates_no_table(database: Backend) -> None:
    if database.vendor == "mysql":
        pytest.skip("MariaDB commits at each CREATE TABLE, so those before the failure stay")
    author, post, _ = blog()
    await connections.executor().execute("CREATE TABLE other (id INTEGER)")
    await connections.executor().execute("CREATE INDEX ix_blog_post_author_id ON other (id)")
    with pytest.raises(DatabaseError):
        await create_tables(author, post)
    assert await tables() == {"other"}


async def test_inside_a_transaction_that_it_would_commit_is_refused(database: Backend) -> None:
    if database.vendor != "mysql":
        pytest.skip("tables can be part of a transaction here")
    author, _, _ = blog()
    async with atomic():
        with pytest.raises(MigrationError, match=r"outside atomic\(\)"):
            await create_tables(author)
    assert await tables() == set()
