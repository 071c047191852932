"""The setting `database_routers`, and the fixtures for tests of a site that has replicas."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from transom.conf import ImproperlyConfigured
from transom.db import ReplicaRouter, Router, connections, router
from transom.testing.databases import TemporaryDatabases
from transom.web import App

replicas = ReplicaRouter("replica")


class Silent(Router):
    """Has no opinion."""


@pytest.fixture(autouse=True)
def nothing_configured() -> Iterator[None]:
    yield
    connections.configure({})


@pytest.fixture
def databases(tmp_path: Path) -> dict[str, str]:
    return {alias: f"sqlite:///{tmp_path}/{alias}.sqlite3" for alias in ("default", "replica")}


@pytest.fixture
def here(monkeypatch: pytest.MonkeyPatch) -> str:
    """A name under which this module can be imported."""
    import sys

    monkeypatch.setitem(sys.modules, "site_routers", sys.modules[__name__])
    return "site_routers"


def test_names_become_routers(databases: dict[str, str], here: str):
    App([], databases=databases, database_routers=[f"{here}:Silent", f"{here}:replicas"])
    first, second = router.installed()
    assert isinstance(first, Silent)
    assert second is replicas


@pytest.mark.parametrize("name", ["nowhere.to:find", "site_routers:missing", "no name at all"])
def test_name_of_nothing_is_said(databases: dict[str, str], here: str, name: str):
    with pytest.raises(
        ImproperlyConfigured, match=r"database_routers: cannot import .*expected `package\.module:name`"
    ):
        App([], databases=databases, database_routers=[name])


def test_stand_ins_of_a_test_session_keep_the_routers(databases: dict[str, str], here: str, tmp_path: Path):
    app = App([], databases=databases, database_routers=[f"{here}:replicas"])
    temporary = TemporaryDatabases(tmp_path, "")
    temporary.adopt(app)
    assert router.installed() == (replicas,)
    temporary.restore()


def test_configuring_anew_forgets_the_routers(databases: dict[str, str], here: str):
    App([], databases=databases, database_routers=[f"{here}:replicas"])
    connections.configure(databases)
    assert not router.active
