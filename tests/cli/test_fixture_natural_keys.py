"""`transom dumpdata --natural-primary` and back."""

from __future__ import annotations

import asyncio
import json
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest
from click.testing import CliRunner

from transom.auth import User
from transom.cli.main import cli
from transom.db import connections
from transom.db.migrations import migrate

SITE = """
from transom.web import App

app = App([], secret_key="k" * 40, installed_apps=["transom.auth"], databases={{"default": "sqlite:///{path}"}})
"""


@pytest.fixture
def site(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Path]:
    (tmp_path / "natural_site.py").write_text(SITE.format(path=tmp_path / "site.sqlite3"))
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr(sys, "path", [str(tmp_path), *sys.path])
    sys.modules.pop("natural_site", None)
    monkeypatch.setenv("TRANSOM_APP", "natural_site:app")
    __import__("natural_site")

    async def prepare() -> None:
        await migrate()
        await User.objects.create(username="editors", password="x")
        await connections.aclose()

    asyncio.run(prepare())
    yield tmp_path
    sys.modules.pop("natural_site", None)


def test_users_go_without_their_keys_and_find_their_rows_again(site: Path):
    dumped = CliRunner().invoke(cli, ["dumpdata", "auth.User", "--natural-foreign", "--natural-primary"])
    (item,) = json.loads(dumped.stdout)
    assert "pk" not in item
    (site / "users.json").write_text(dumped.stdout)
    loaded = CliRunner().invoke(cli, ["loaddata", "users.json"])
    assert loaded.exit_code == 0, loaded.output

    async def count() -> int:
        found = await User.objects.filter(username="editors").count()
        await connections.aclose()
        return found

    assert asyncio.run(count()) == 1
