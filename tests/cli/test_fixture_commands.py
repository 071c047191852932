"""`transom dumpdata` and `transom loaddata` against a site in a folder."""

import asyncio
import json
import sys

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
def site(tmp_path, monkeypatch):
    (tmp_path / "fixture_site.py").write_text(SITE.format(path=tmp_path / "site.sqlite3"))
    monkeypatch.chdir(tmp_path)
    monkeypatch.syspath_prepend(tmp_path)
    sys.modules.pop("fixture_site", None)
    monkeypatch.setenv("TRANSOM_APP", "fixture_site:app")
    __import__("fixture_site")
    run(migrate)
    yield tmp_path
    sys.modules.pop("fixture_site", None)


def run(function):
    async def closing():
        try:
            return await function()
        finally:
            await connections.aclose()

    return asyncio.run(closing())


def call(*arguments):
    return CliRunner().invoke(cli, arguments)


def names():
    async def read():
        return [name async for name in User.objects.order_by("username").values_list("username", flat=True)]

    return run(read)


def test_what_was_dumped_is_loaded_again(site):
    run(lambda: User.objects.create(username="editors", password="x"))
    dumped = call("dumpdata", "auth.User", "--output", "users.json", "--indent", "2")
    assert dumped.exit_code == 0, dumped.output
    (item,) = json.loads((site / "users.json").read_text())
    assert (item["model"], item["fields"]["username"]) == ("auth.user", "editors")
    run(lambda: User.objects.all().update(username="changed"))
    loaded = call("loaddata", "users.json")
    assert loaded.exit_code == 0, loaded.output
    assert "loaded 1 rows from 1 files" in loaded.output
    assert names() == ["editors"]


def test_standard_output_is_json_and_exclude_leaves_models_out(site):
    run(lambda: User.objects.create(username="editors", password="x"))
    assert [item["model"] for item in json.loads(call("dumpdata", "auth.user").stdout)] == ["auth.user"]
    assert json.loads(call("dumpdata", "auth.User", "-e", "auth").stdout) == []


def test_a_mistake_in_a_file_is_one_line_and_loads_nothing(site):
    (site / "good.json").write_text(
        '[{"model": "auth.user", "pk": 1, "fields": {"username": "good", "password": "x"}}]'
    )
    (site / "bad.json").write_text('[{"model": "auth.user", "pk": "x", "fields": {}}]')
    failed = call("loaddata", "good.json", "bad.json")
    assert failed.exit_code == 1
    assert "bad.json, item 0: User.id does not take 'x'" in failed.output
    assert names() == []


def test_a_failed_dump_leaves_the_file_as_it_was(site):
    (site / "kept.json").write_text("kept")
    failed = call("dumpdata", "nothing", "--output", "kept.json")
    assert failed.exit_code == 1
    assert "no app 'nothing' has models" in failed.output
    assert (site / "kept.json").read_text() == "kept"
    assert not (site / "kept.json.part").exists()
