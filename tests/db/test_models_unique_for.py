"""`unique_for_date` and its like: what full_clean() asks about dates."""

from __future__ import annotations

from datetime import UTC, date, datetime, timedelta, timezone
from typing import Any

import pytest

from transom.db import create_tables, models
from transom.db.backends.base import Backend
from transom.db.exceptions import FieldError
from transom.validators import ValidationError


class ForPost(models.Model):
    slug = models.CharField(max_length=9, unique_for_date="at")
    title = models.CharField(max_length=9, unique_for_month="day")
    author = models.IntegerField(unique_for_year="day")
    at = models.DateTimeField(null=True, blank=True)
    day = models.DateField(null=True, blank=True)


@pytest.fixture(autouse=True)
async def post(database: Backend) -> Any:
    await create_tables(ForPost)
    return await ForPost.objects.create(
        slug="a", title="t", author=1, at=datetime(2026, 5, 3, 23, 30, tzinfo=UTC), day=date(2026, 5, 3)
    )


def at(hour: int, *, day: int = 3, offset: int = 0) -> datetime:
    return datetime(2026, 5, day, hour, tzinfo=timezone(timedelta(hours=offset)))


async def codes(**values: Any) -> dict[str, list[str]]:
    made = ForPost(**{"slug": "z", "title": "z", "author": 9, **values})
    try:
        await made.full_clean()
    except ValidationError as exc:
        return {name: [error.code for error in errors] for name, errors in (exc.error_dict or {}).items()}
    return {}


async def test_the_same_value_on_the_same_day_is_refused():
    assert await codes(slug="a", at=at(1)) == {"slug": ["unique_for_date"]}
    assert await codes(slug="a", at=at(1, day=4)) == {}
    assert await codes(slug="b", at=at(1)) == {}


async def test_the_day_is_that_of_utc():
    assert await codes(slug="a", at=at(1, day=4, offset=2)) == {"slug": ["unique_for_date"]}
    assert await codes(slug="a", at=at(1, day=3, offset=2)) == {}


async def test_the_month_counts_in_every_year_and_the_year_in_every_month():
    assert await codes(title="t", day=date(2020, 5, 1)) == {"title": ["unique_for_month"]}
    assert await codes(title="t", day=date(2026, 6, 1)) == {}
    assert await codes(author=1, day=date(2026, 12, 1)) == {"author": ["unique_for_year"]}
    assert await codes(author=1, day=date(2025, 5, 3)) == {}


async def test_without_a_date_there_is_nothing_to_ask():
    assert await codes(slug="a", title="t", author=1) == {}


async def test_the_object_itself_does_not_count(post: ForPost):
    await post.full_clean()


async def test_excluded_fields_are_not_asked_about():
    made = ForPost(slug="a", title="z", author=9, at=at(1))
    await made.full_clean(exclude=["slug"])
    await made.full_clean(exclude=["at"])
    await made.full_clean(validate_unique=False)


def test_the_name_must_be_that_of_a_date():
    day, number = models.CharField(max_length=9, unique_for_year="gone"), models.IntegerField()
    with pytest.raises(FieldError, match="no field 'gone'"):
        type("WrongName", (models.Model,), {"__module__": __name__, "day": day})
    slug = models.CharField(max_length=9, unique_for_date="n")
    with pytest.raises(TypeError, match=r"unique_for_date='n', which is no DateField or DateTimeField"):
        type("WrongKind", (models.Model,), {"__module__": __name__, "n": number, "slug": slug})


def test_the_option_is_part_of_the_field():
    assert ForPost._meta.get_field("slug").deconstruct()[3]["unique_for_date"] == "at"
