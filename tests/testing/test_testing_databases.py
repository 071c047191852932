"""Stand-ins for the databases of a site's settings."""

from __future__ import annotations

from types import SimpleNamespace

import pytest

from transom.db import connections
from transom.testing import DatabaseBlocked
from transom.testing.databases import TemporaryDatabases


def make_app(**databases: str) -> SimpleNamespace:
    return SimpleNamespace(settings=SimpleNamespace(databases=databases, installed_apps=[]))


@pytest.fixture
def temporary(tmp_path):
    databases = TemporaryDatabases(tmp_path, "gw1")
    yield databases
    databases.restore()
    connections.configure({})


def test_settings_are_changed_in_place_and_given_back(temporary, tmp_path):
    app = make_app(
        default="sqlite:///site.sqlite3", stats="postgresql://user:p%40ss@db.example:5433/stats?pool_max=3"
    )
    adopted = temporary.adopt(app)
    assert adopted == app.settings.databases
    assert adopted == {
        "default": f"sqlite:///{tmp_path}/0.sqlite3",
        "stats": "postgresql://user:p%40ss@db.example:5433/test_stats_gw1?pool_max=3",
    }
    assert temporary.adopt(app) == adopted
    temporary.restore()
    assert app.settings.databases["default"] == "sqlite:///site.sqlite3"


def test_long_names_are_cut_and_still_tell_workers_apart(temporary):
    adopted = temporary.adopt(make_app(default=f"postgresql://localhost/{'ä' * 31}"))
    assert adopted["default"].endswith(f"/test_{'%C3%A4' * 27}_gw1")


def test_applications_of_one_database_share_its_stand_in(temporary):
    one = temporary.adopt(make_app(default="sqlite:///a.sqlite3"))
    two = temporary.adopt(make_app(default="sqlite:///a.sqlite3", other="sqlite:///b.sqlite3"))
    assert one["default"] == two["default"] != two["other"]


def test_application_without_databases_is_left_alone(temporary):
    assert temporary.adopt(make_app()) == {}
    assert temporary.adopt(lambda scope, receive, send: None) == {}


async def test_blocked_database_raises_whatever_is_asked(temporary):
    temporary.block(temporary.adopt(make_app(default="sqlite:///a.sqlite3")))
    with pytest.raises(DatabaseBlocked, match="add `db` to the parameters"):
        await connections.executor().fetch("SELECT 1")
    with pytest.raises(DatabaseBlocked):
        connections.backend().transaction()
    await connections.aclose()
