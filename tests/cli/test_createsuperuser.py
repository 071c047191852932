"""`transom createsuperuser` against a site in a folder."""

import asyncio
import sys

import pytest
from click.testing import CliRunner

from transom.auth import PasswordHasher, User, set_password_hasher
from transom.cli.main import cli
from transom.db import connections
from transom.db.migrations import migrate

GOOD = "correct horse battery staple"
SITE = """
from transom.web import App

app = App([], secret_key="k" * 40, installed_apps=[{apps}], databases={{"default": "sqlite:///{path}"}})
"""


@pytest.fixture(autouse=True)
def cheap_hashes():
    previous = set_password_hasher(PasswordHasher(time_cost=1, memory_cost=8, parallelism=1))
    yield
    set_password_hasher(previous)


@pytest.fixture
def make_site(tmp_path, monkeypatch):
    def make(apps='"transom.auth"', migrated=True):
        (tmp_path / "superuser_site.py").write_text(SITE.format(apps=apps, path=tmp_path / "site.sqlite3"))
        monkeypatch.chdir(tmp_path)
        monkeypatch.syspath_prepend(tmp_path)
        sys.modules.pop("superuser_site", None)
        monkeypatch.setenv("TRANSOM_APP", "superuser_site:app")
        monkeypatch.delenv("TRANSOM_SUPERUSER_PASSWORD", raising=False)
        if migrated:
            __import__("superuser_site")
            run(migrate)

    yield make
    sys.modules.pop("superuser_site", None)


def run(function):
    async def closing():
        try:
            return await function()
        finally:
            await connections.aclose()

    return asyncio.run(closing())


def call(*arguments, **options):
    return CliRunner().invoke(cli, ["createsuperuser", *arguments], **options)


async def find(username):
    user = await User.objects.get(username=username)
    return user.is_superuser, user.is_staff, user.email, await user.check_password(GOOD)


def test_asks_until_the_password_is_good(make_site):
    make_site()
    result = call(input=f"ann\nann@example.com\nshort\nshort\n{GOOD}\nother\n{GOOD}\n{GOOD}\n")
    assert result.exit_code == 0, result.output
    assert "at least 15" in result.stderr
    assert GOOD not in result.output
    assert run(lambda: find("ann")) == (True, True, "ann@example.com", True)


def test_without_input_the_password_is_in_the_environment(make_site, monkeypatch):
    make_site()
    monkeypatch.setenv("TRANSOM_SUPERUSER_PASSWORD", GOOD)
    result = call("--no-input", "--username", "ann")
    assert result.exit_code == 0, result.output
    assert "created superuser ann" in result.output
    assert run(lambda: find("ann")) == (True, True, "", True)
    again = call("--no-input", "--username", "ann")
    assert again.exit_code == 1
    assert "there is a user 'ann' already" in again.output


@pytest.mark.parametrize(
    ("arguments", "password", "complaint"),
    [
        (["--no-input"], GOOD, "needs --username"),
        (["--no-input", "--username", "ann"], "", "TRANSOM_SUPERUSER_PASSWORD"),
        (["--no-input", "--username", "ann"], "short", "at least 15"),
        (["--no-input", "--username", "a b"], GOOD, "is malformed"),
    ],
)
def test_what_is_missing_or_wrong_is_named(make_site, monkeypatch, arguments, password, complaint):
    make_site()
    monkeypatch.setenv("TRANSOM_SUPERUSER_PASSWORD", password)
    result = call(*arguments)
    assert result.exit_code != 0
    assert complaint in result.output


def test_site_without_users_is_told_how_to_get_them(make_site):
    make_site(apps="", migrated=False)
    result = call("--username", "ann")
    assert result.exit_code == 1
    assert "add 'transom.auth' to installed_apps" in result.output


def test_missing_table_is_one_line(make_site, monkeypatch):
    make_site(migrated=False)
    monkeypatch.setenv("TRANSOM_SUPERUSER_PASSWORD", GOOD)
    result = call("--no-input", "--username", "ann")
    assert result.exit_code == 1
    assert "auth_user" in result.output
    assert "Traceback" not in result.output
