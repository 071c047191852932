"""Which backend an alias means, here and now."""

from __future__ import annotations

import asyncio
import sys
from pathlib import Path

import pytest

from transom.db import connections
from transom.db.exceptions import ConfigurationError, ConnectionFailed
from transom.db.transaction import atomic


@pytest.fixture(autouse=True)
async def clean():
    yield
    await connections.aclose()
    connections.configure({})


async def test_nothing_configured_says_how_to():
    connections.configure({})
    with pytest.raises(ConfigurationError, match="DATABASE_URL"):
        connections.executor()


async def test_unknown_alias_names_the_others():
    connections.configure({"default": "sqlite://:memory:", "replica": "sqlite://:memory:"})
    with pytest.raises(ConfigurationError, match=r"did you mean 'replica'\? choose from default, replica"):
        connections.executor("replika")


async def test_wrong_url_changes_nothing():
    connections.configure({"default": "sqlite://:memory:"})
    with pytest.raises(ConfigurationError):
        connections.configure({"default": "sqlite://:memory:", "other": "nosql://x/y"})
    assert connections.aliases() == ("default",)


async def test_configure_opens_nothing(tmp_path: Path):
    connections.configure({"default": f"sqlite:///{tmp_path}/a.db"})
    connections.executor()
    assert list(tmp_path.iterdir()) == []


async def test_same_backend_until_closed():
    connections.configure({"default": "sqlite://:memory:"})
    backend = connections.backend()
    assert connections.executor() is backend
    await connections.aclose()
    assert connections.executor() is not backend


def test_each_loop_has_its_own_backend():
    connections.configure({"default": "sqlite://:memory:"})

    async def get() -> int:
        backend = connections.backend()
        await backend.execute("CREATE TABLE once (id INTEGER)")
        await connections.aclose()
        return id(backend)

    asyncio.run(get())
    asyncio.run(get())


async def test_new_url_means_a_new_backend(tmp_path: Path):
    connections.configure({"default": f"sqlite:///{tmp_path}/a.db", "other": f"sqlite:///{tmp_path}/o.db"})
    before, other = connections.backend(), connections.backend("other")
    connections.configure({"default": f"sqlite:///{tmp_path}/b.db", "other": f"sqlite:///{tmp_path}/o.db"})
    assert connections.backend() is not before
    assert connections.backend("other") is other


async def test_transactions_on_two_databases_keep_apart(tmp_path: Path):
    connections.configure({name: f"sqlite:///{tmp_path}/{name}.db" for name in ("default", "other")})
    async with atomic():
        first = connections.executor()
        assert connections.executor("other") is connections.backend("other")
        async with atomic("other"):
            assert connections.executor() is first
            assert connections.executor("other") not in (first, connections.backend("other"))


@pytest.mark.parametrize(
    ("vendor", "driver", "extra"), [("postgresql", "asyncpg", "postgres"), ("mysql", "asyncmy", "mysql")]
)
async def test_missing_driver_names_the_extra(
    monkeypatch: pytest.MonkeyPatch, vendor: str, driver: str, extra: str
):
    for name in [name for name in sys.modules if name.startswith(f"transom.db.backends.{vendor}")]:
        monkeypatch.delitem(sys.modules, name)
    for name in [name for name in sys.modules if name.startswith(f"{driver}.")]:
        monkeypatch.delitem(sys.modules, name)
    monkeypatch.setitem(sys.modules, driver, None)
    connections.configure({"default": f"{vendor}://ann:s3cret@localhost/n"})
    with pytest.raises(ConfigurationError, match=rf"needs {driver}; install transom\[{extra}\]") as caught:
        connections.backend()
    assert "s3cret" not in str(caught.value)


@pytest.mark.parametrize("vendor", ["postgresql", "mysql"])
async def test_unreachable_server_names_url_and_cause(vendor: str):
    connections.configure({"default": f"{vendor}://ann:s3cret@127.0.0.1:1/n"})
    with pytest.raises(ConnectionFailed, match=rf"{vendor}://ann:\*\*\*@127.0.0.1:1/n: Connection refused"):
        await connections.executor().fetch("SELECT 1")


async def test_silent_server_is_given_up():
    async def say_nothing(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await reader.read()
        writer.close()

    server = await asyncio.start_server(say_nothing, "127.0.0.1", 0)
    port = server.sockets[0].getsockname()[1]
    connections.configure({"default": f"postgresql://ann@127.0.0.1:{port}/n?connect_timeout=0.01"})
    with pytest.raises(ConnectionFailed, match=r"no answer within 0\.01 s"):
        await connections.executor().fetch("SELECT 1")
    server.close()
    await server.wait_closed()


async def test_folder_that_is_not_there_is_named(tmp_path: Path):
    connections.configure({"default": f"sqlite:///{tmp_path}/none/a.db"})
    with pytest.raises(ConnectionFailed, match=r"none/a\.db: unable to open"):
        await connections.executor().fetch("SELECT 1")


async def test_file_that_is_no_database_is_named(tmp_path: Path):
    (tmp_path / "a.db").write_text("a diary, which is no database at all")
    connections.configure({"default": f"sqlite:///{tmp_path}/a.db"})
    with pytest.raises(ConnectionFailed, match=r"a\.db: file is not a database"):
        await connections.executor().fetch("SELECT 1")
