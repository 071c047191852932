"""Clients that are connected to a server of the suite's application."""

from __future__ import annotations

import os
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from http2.client import Client
from served import run_server

HERE = Path(__file__).parent


@pytest.fixture(scope="session")
def address() -> Iterator[tuple[str, int]]:
    """Where the server listens; TRANSOM_TEST_HTTP2=HOST:PORT names another one that serves the same application."""
    if named := os.environ.get("TRANSOM_TEST_HTTP2"):
        host, _, port = named.rpartition(":")
        yield host, int(port)
        return
    with run_server(HERE, "app:app") as (_, address):
        yield address


@pytest.fixture
def connect(address: tuple[str, int]) -> Iterator[Callable[..., Client]]:
    """Connect: `connect()` with a handshake, `connect(settings)` with these settings, `connect(silent=True)` without a word."""
    clients: list[Client] = []

    def new(
        settings: dict[int, int] | list[tuple[int, int]] | None = None, *, silent: bool = False
    ) -> Client:
        clients.append(Client(address))
        if not silent:
            clients[-1].handshake(settings)
        return clients[-1]

    yield new
    for client in clients:
        client.close()


@pytest.fixture
def client(connect: Callable[..., Client]) -> Client:
    """A client behind its handshake."""
    return connect()
