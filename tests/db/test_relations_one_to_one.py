"""One-to-one relations: the object on both sides, loaded or not, there or not."""

from __future__ import annotations

from typing import Any

import pytest

from transom.db import FieldError, NotLoaded, UniqueViolation, create_tables, models
from transom.db.backends.base import Backend


class User(models.Model):
    profile: models.RelatedObject[Profile]
    badge: models.RelatedObject[Badge]

    name = models.CharField(max_length=20)


class Profile(models.Model):
    user = models.OneToOneField(User, models.CASCADE)
    spare: models.OneToOneField[User | None] = models.OneToOneField(
        User, models.SET_NULL, null=True, related_name="+"
    )
    text = models.CharField(max_length=20, default="")


class Badge(models.Model):
    """Its key is that of the user."""

    pins: models.Related[Pin]

    user = models.OneToOneField(User, models.CASCADE, primary_key=True, related_query_name="medal")
    number = models.IntegerField()


class Pin(models.Model):
    badge = models.ForeignKey(Badge, models.CASCADE, related_name="pins")


@pytest.fixture
async def users(database: Backend) -> tuple[User, User]:
    """Ada, who has a profile and a badge, and Bob, who has neither."""
    await create_tables(User, Profile, Badge, Pin)
    ada, bob = await User.objects.bulk_create([User(name="Ada"), User(name="Bob")])
    await Profile.objects.create(user=ada, text="hello")
    await Badge.objects.create(user=ada, number=7)
    return await User.objects.get(pk=ada.pk), await User.objects.get(pk=bob.pk)


async def test_the_other_side_is_an_object_once_it_is_loaded(users: tuple[User, User]) -> None:
    ada, bob = users
    with pytest.raises(
        NotLoaded, match=r"User.profile is not loaded.*select_related\('profile'\).*load\('profile'\)"
    ):
        _ = ada.profile
    await ada.load("profile")
    assert ada.profile.text == "hello"
    assert ada.profile.user is ada
    await bob.load("profile")
    with pytest.raises(Profile.DoesNotExist, match="no Profile refers to it"):
        _ = bob.profile
    with pytest.raises(models.RelatedObjectDoesNotExist):
        _ = bob.profile
    assert not hasattr(bob, "profile")


async def test_select_related_follows_it_both_ways(users: tuple[User, User], statements: list[str]) -> None:
    statements.clear()
    ada, bob = await User.objects.select_related("profile").order_by("name")
    assert ada.profile.user is ada
    assert not hasattr(bob, "profile")
    profile = await Profile.objects.select_related("user").get()
    assert profile.user.profile is profile
    pinless = await Profile.objects.select_related("user__medal", "spare").get()
    assert pinless.user.badge.number == 7
    assert pinless.spare is None
    assert len(statements) == 3


async def test_it_stands_in_lookups(users: tuple[User, User]) -> None:
    ada, bob = users
    profile = await Profile.objects.get()
    assert await User.objects.filter(profile__text="hello") == [ada]
    assert await User.objects.exclude(profile__text="hello") == [bob]
    assert await User.objects.filter(profile=None) == [bob]
    assert await User.objects.filter(profile=profile) == [ada]
    assert await User.objects.filter(User.profile.follow(Profile.text) == "hello") == [ada]
    assert await User.objects.filter(medal__number__gt=6) == [ada]
    with pytest.raises(FieldError, match=r"choose from .*medal.*profile"):
        User.objects.filter(badge__number=7)


async def test_a_key_may_be_that_of_the_other_object(users: tuple[User, User]) -> None:
    ada, _ = users
    badge = await Badge.objects.get(pk=ada.pk)
    assert badge.pk == ada.pk
    assert await User.objects.filter(medal=badge) == [ada]
    assert await User.objects.filter(medal__in=Badge.objects.filter(number=7)) == [ada]
    pin = await Pin.objects.create(badge=badge)
    assert pin.badge_id == ada.pk  # type: ignore[attr-defined]
    assert await Pin.objects.filter(badge__user__name="Ada", badge=badge) == [pin]
    again = await Pin.objects.select_related("badge__user").get()
    assert again.badge.user.badge is again.badge
    assert await badge.pins.all() == [pin]


async def test_no_two_rows_refer_to_one(users: tuple[User, User]) -> None:
    with pytest.raises(UniqueViolation):
        await Profile.objects.create(user=users[0])


async def test_assigning_one_side_tells_the_other(users: tuple[User, User], statements: list[str]) -> None:
    _, bob = users
    profile = Profile(user=bob)
    assert bob.profile is profile
    other = Profile(text="other")
    bob.profile = other
    assert (other.user, bob.profile) == (bob, other)
    await other.save()
    assert (await Profile.objects.get(text="other")).user_id == bob.pk  # type: ignore[attr-defined]
    wrong: Any = bob
    with pytest.raises(TypeError, match=r"User.profile takes a Profile"):
        bob.profile = wrong


async def test_prefetching_it_takes_one_statement_each(
    users: tuple[User, User], statements: list[str]
) -> None:
    statements.clear()
    found = await User.objects.order_by("name").prefetch_related("profile", "badge__pins")
    assert len(statements) == 4
    assert found[0].profile.user is found[0]
    assert found[0].badge.pins.loaded == []
    assert not hasattr(found[1], "badge")
    profiles = await Profile.objects.prefetch_related("user", "spare")
    assert profiles[0].user.profile is profiles[0]
    assert profiles[0].spare is None
    assert len(statements) == 6


def test_options_of_foreign_keys_hold_here_too() -> None:
    field = Profile._meta.get_field("user")
    assert isinstance(field, models.OneToOneField)
    assert field.unique
    name, path, arguments, keywords = field.deconstruct()
    assert (name, path, arguments) == ("user", "transom.db.models.OneToOneField", [])
    assert keywords == {"to": f"{User._meta.label}", "on_delete": models.CASCADE}
