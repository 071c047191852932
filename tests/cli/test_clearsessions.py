"""`transom clearsessions` against a site in a folder."""

import asyncio
import sys
from datetime import UTC, datetime, timedelta

import pytest
from click.testing import CliRunner

from transom.cli.main import cli
from transom.db import connections
from transom.db.migrations import migrate
from transom.sessions.models import StoredSession

SITE = """
from transom.web import App

app = App([], secret_key="k" * 40, installed_apps=[{apps}], databases={{"default": "sqlite:///{path}"}})
"""


@pytest.fixture
def make_site(tmp_path, monkeypatch):
    def make(apps='"transom.sessions"'):
        (tmp_path / "sessions_site.py").write_text(SITE.format(apps=apps, path=tmp_path / "site.sqlite3"))
        monkeypatch.chdir(tmp_path)
        monkeypatch.syspath_prepend(tmp_path)
        sys.modules.pop("sessions_site", None)
        monkeypatch.setenv("TRANSOM_APP", "sessions_site:app")
        __import__("sessions_site")

    yield make
    sys.modules.pop("sessions_site", None)


def run(function):
    async def closing():
        try:
            return await function()
        finally:
            await connections.aclose()

    return asyncio.run(closing())


async def fill():
    await migrate()
    now = datetime.now(UTC)
    for number, days in enumerate((-1, -2, 1)):
        await StoredSession.objects.create(
            key=str(number), content=b"", expires_at=now + timedelta(days=days)
        )


async def keys():
    return [row.key async for row in StoredSession.objects.all()]


def test_deletes_expired_sessions_and_says_how_many(make_site):
    make_site()
    run(fill)
    result = CliRunner().invoke(cli, ["clearsessions"])
    assert result.exit_code == 0, result.output
    assert "deleted 2 expired sessions" in result.output
    assert run(keys) == ["2"]


@pytest.mark.parametrize(
    ("apps", "arguments", "complaint"),
    [
        ("", [], "add 'transom.sessions' to installed_apps"),
        ('"transom.sessions"', ["--database", "archive"], "'archive', which the site does not have"),
        ('"transom.sessions"', [], "sessions_storedsession"),
    ],
)
def test_what_is_missing_is_one_line(make_site, apps, arguments, complaint):
    make_site(apps)
    result = CliRunner().invoke(cli, ["clearsessions", *arguments])
    assert result.exit_code == 1
    assert complaint in result.output
    assert "Traceback" not in result.output
