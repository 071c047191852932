"""Users and their passwords in the database."""

import pytest

from transom.auth import PasswordHasher, User, set_password_hasher
from transom.db import UniqueViolation, connections
from transom.db.migrations import makemigrations, migrate


async def test_new_user_may_log_in_and_nothing_else(ann):
    user = await User.objects.get(username="ann")
    assert (user.is_active, user.is_staff, user.is_superuser) == (True, False, False)
    assert user.last_login is None
    assert user.date_joined.tzinfo is not None
    assert await user.check_password("correct horse battery staple")
    assert not await user.check_password("wrong")
    assert "correct" not in user.password
    assert user.password not in repr(user)


async def test_superuser_is_staff(site):
    user = await User.objects.create_superuser("root", "secret")
    assert (user.is_staff, user.is_superuser) == (True, True)


async def test_user_without_a_password_cannot_log_in_with_any(site):
    user = await User.objects.create_user("robot")
    assert not user.has_usable_password
    assert not await user.check_password("")
    assert not await user.check_password(user.password)


async def test_username_is_unique_in_its_normal_form(ann):
    with pytest.raises(UniqueViolation):
        await User.objects.create_user("\uff41nn")  # a fullwidth letter
    assert await User.objects.create_user("Ann")  # case counts


@pytest.mark.parametrize("username", ["", "a b", "a\n", "a\0", "x" * 151, "<b>", "a\u200bb", "a/b"])
async def test_malformed_username_is_refused(site, username):
    with pytest.raises(ValueError, match="is malformed"):
        await User.objects.create_user(username, "secret")


async def test_domain_of_the_address_is_stored_in_lower_case(site):
    assert (await User.objects.create_user("a", email="Ann.B@EXAMPLE.com")).email == "Ann.B@example.com"
    assert (await User.objects.create_user("b", email="")).email == ""


async def test_old_hash_is_renewed_when_the_password_is_right(ann, hasher):
    set_password_hasher(PasswordHasher(time_cost=2, memory_cost=16, parallelism=1))
    old = ann.password
    assert not await ann.check_password("wrong")
    assert (await User.objects.get(pk=ann.pk)).password == old
    assert await ann.check_password("correct horse battery staple")
    stored = (await User.objects.get(pk=ann.pk)).password
    assert stored.startswith("$argon2id$v=19$m=16,t=2,p=1$")
    assert ann.password == stored
    assert await ann.check_password("correct horse battery staple")


async def test_renewing_a_hash_does_not_undo_a_change_of_the_password(ann):
    set_password_hasher(PasswordHasher(time_cost=2, memory_cost=16, parallelism=1))
    stale = await User.objects.get(pk=ann.pk)
    await ann.set_password("another horse battery staple")
    await ann.save()
    assert await stale.check_password("correct horse battery staple")
    assert (await User.objects.get(pk=ann.pk)).password == ann.password


async def test_hash_in_sessions_depends_on_password_and_key(ann):
    first = ann.get_session_auth_hash(b"k" * 40)
    assert first != ann.get_session_auth_hash(b"x" * 40)
    await ann.set_password("correct horse battery staple")  # the same, with another salt
    assert first != ann.get_session_auth_hash(b"k" * 40)


@pytest.fixture(params=["sqlite", pytest.param("postgresql", marks=pytest.mark.postgres)])
def empty_database(request, tmp_path):
    if request.param == "postgresql":
        return request.getfixturevalue("postgres_url")
    return f"sqlite:///{tmp_path}/empty.sqlite3"


async def test_migrations_make_the_table_and_match_the_models(make_site, empty_database):
    make_site(databases={"default": empty_database})
    try:
        assert [step.key.name for step in await migrate(app_label="auth")] == ["0001_initial"]
        user = await User.objects.create_user("ann", "secret", email="ann@example.com")
        assert (await User.objects.get(pk=user.pk)).date_joined == user.date_joined
        with pytest.raises(UniqueViolation):
            await User.objects.create_user("ann")
        assert makemigrations(["auth"], dry_run=True) == []
        await migrate(app_label="auth", target="zero")
    finally:
        await connections.aclose()
