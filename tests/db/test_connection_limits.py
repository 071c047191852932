"""What the options of a URL bound, on PostgreSQL and MariaDB: at the limit it works, past it the error names the limit."""

from __future__ import annotations

import asyncio
import socket
import time
from collections.abc import AsyncIterator, Callable
from contextlib import AsyncExitStack
from typing import Any
from urllib.parse import urlsplit

import pytest

from transom.db import connections
from transom.db.exceptions import ConfigurationError, ConnectionFailed, PoolTimeout
from transom.db.url import DatabaseURL, MySQLOptions

Opening = Callable[[str], Any]  # Any: the backend of a server, with its pool


@pytest.fixture(
    params=[
        pytest.param("postgres_url", marks=pytest.mark.postgres),
        pytest.param("mysql_url", marks=pytest.mark.mysql),
    ]
)
def url(request: pytest.FixtureRequest) -> str:
    return request.getfixturevalue(request.param)


@pytest.fixture
async def opened(url: str) -> AsyncIterator[Opening]:
    """What opens a backend with options."""

    def make(options: str) -> Any:
        connections.configure({"default": f"{url}?{options}"})
        return connections.backend("default")

    yield make
    await connections.aclose()
    connections.configure({})


async def test_as_many_connections_as_pool_max_and_no_more(opened: Opening):
    backend = opened("pool_max=3&pool_timeout=0.01")
    async with AsyncExitStack() as held:
        for _ in range(3):
            await held.enter_async_context(backend.transaction())
        assert backend.pool.in_use == 3
        with pytest.raises(PoolTimeout, match=r"0\.01 s: all 3 are in use \(pool_max\)"):
            await backend.fetch("SELECT 1")
    assert len(await backend.fetch("SELECT 1")) == 1
    assert backend.pool.size <= 3


async def test_who_waits_less_than_pool_timeout_gets_a_connection(opened: Opening):
    backend = opened("pool_max=1&pool_timeout=30")
    async with backend.transaction():
        waiting = asyncio.create_task(backend.fetch("SELECT 1"))
        await asyncio.sleep(0)
        assert not waiting.done()
    assert len(await waiting) == 1


async def test_idle_connections_above_pool_min_are_closed(opened: Opening):
    backend = opened("pool_max=3&pool_min=1&pool_idle=0.01")
    async with AsyncExitStack() as held:
        for _ in range(3):
            await held.enter_async_context(backend.transaction())
    async with asyncio.timeout(10):
        while backend.pool.size > 1:
            await asyncio.sleep(0.005)
    assert backend.pool.size == 1


async def test_a_server_that_does_not_answer_is_given_up_after_connect_timeout(url: str, opened: Opening):
    with socket.create_server(("127.0.0.1", 0)) as silent:
        parts = urlsplit(url)
        port: int = silent.getsockname()[1]
        connections.configure({"default": f"{parts.scheme}://u@127.0.0.1:{port}/x?connect_timeout=0.05"})
        started = time.monotonic()
        with pytest.raises(ConnectionFailed, match=r"no answer within 0\.05 s \(connect_timeout\)"):
            await connections.backend("default").fetch("SELECT 1")
        assert time.monotonic() - started < 5


async def prepared(transaction: Any, vendor: str) -> int:
    """Return how many statements the session has prepared."""
    if vendor == "postgresql":
        return (await transaction.fetch("SELECT count(*) FROM pg_prepared_statements"))[0][0]
    status = dict(await transaction.fetch("SHOW SESSION STATUS LIKE 'Com_stmt_%'"))
    return int(status["Com_stmt_prepare"]) - int(status["Com_stmt_close"])


async def test_no_more_statements_are_kept_than_the_cache_holds(opened: Opening):
    backend = opened("statement_cache_size=4")
    place = "$1::int" if backend.vendor == "postgresql" else "%s"
    async with backend.transaction() as transaction:
        for number in range(12):
            for _ in range(2):
                await transaction.fetch(f"SELECT {place} + {number}", (1,))
        assert 2 <= await prepared(transaction, backend.vendor) <= 5  # the one that asks may be among them


@pytest.mark.parametrize(
    ("options", "expected"), [("", (1, 60, 60_000)), ("keepalives_idle=0&tcp_user_timeout=5", (0, None, 5))]
)
async def test_the_kernel_watches_over_the_network(
    opened: Opening, options: str, expected: tuple[int, int | None, int]
):
    backend = opened(options)
    connection = await backend.pool.take()
    driver = getattr(connection, "_driver", connection)
    sock = driver._transport.get_extra_info("socket")
    assert bool(sock.getsockopt(socket.SOL_SOCKET, socket.SO_KEEPALIVE)) == bool(expected[0])
    if expected[1] is not None:
        assert sock.getsockopt(socket.IPPROTO_TCP, socket.TCP_KEEPIDLE) == expected[1]
    assert sock.getsockopt(socket.IPPROTO_TCP, socket.TCP_USER_TIMEOUT) == expected[2]
    backend.pool.give_back(connection)


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ("pool_max=0", "expected pool_max of at least 1"),
        ("pool_min=5&pool_max=4", "expected pool_max of at least 1 and of at least pool_min"),
        ("pool_timeout=soon", "option pool_timeout='soon' in a database URL; expected seconds"),
        ("connect_timeout=-1", "expected a number from 0 up"),
    ],
)
@pytest.mark.parametrize("scheme", ["postgresql", "mysql"])
def test_limits_that_make_no_sense_are_refused(scheme: str, options: str, message: str):
    with pytest.raises(ConfigurationError, match=message):
        DatabaseURL.parse(f"{scheme}://h/n?{options}")


def test_options_may_be_written_with_hyphens():
    parsed = DatabaseURL.parse("mysql://h/n?ssl-mode=VERIFY_CA&ssl-ca=/ca.pem").options
    assert isinstance(parsed, MySQLOptions)
    assert (parsed.ssl_mode, parsed.ssl_ca) == ("VERIFY_CA", "/ca.pem")
    with pytest.raises(ConfigurationError, match=r"ssl_mode='MAYBE'; choose from DISABLED"):
        DatabaseURL.parse("mysql://h/n?ssl-mode=MAYBE")
