"""Helpers for tests of adapters: one request, without a server."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Callable, Iterable
from typing import Any

import pytest

from transom.asgi import WSGIToASGI, validate

END = {"type": "http.request", "body": b"", "more_body": False}


def http_scope(**changes: Any) -> dict[str, Any]:
    return {
        "type": "http",
        "asgi": {"version": "3.0", "spec_version": "2.5"},
        "http_version": "1.1",
        "method": "GET",
        "scheme": "http",
        "path": "/",
        "raw_path": b"/",
        "query_string": b"",
        "root_path": "",
        "headers": [(b"host", b"example.org")],
        "client": ("192.0.2.1", 5000),
        "server": ("192.0.2.2", 8000),
    } | changes


@pytest.fixture(name="http_scope")
def http_scope_fixture() -> Callable[..., dict[str, Any]]:
    return http_scope


class Conversation:
    """What passes between a fake server and an application. `run` is one request; `sent` is what was answered."""

    def __init__(self, app: Any, scope: dict[str, Any], incoming: Iterable[dict[str, Any]]) -> None:
        self._app = app
        self._scope = scope
        self._incoming = iter(incoming)
        self.received = 0
        self.sent: list[dict[str, Any]] = []
        self.on_send: Callable[[dict[str, Any]], Any] | None = None

    async def receive(self) -> dict[str, Any]:
        self.received += 1
        for message in self._incoming:
            return message
        await asyncio.get_running_loop().create_future()
        raise AssertionError

    async def send(self, message: dict[str, Any]) -> None:
        if self.on_send is not None:
            answer = self.on_send(message)
            if answer is not None:
                await answer
        self.sent.append(message)

    async def run(self) -> Conversation:
        await asyncio.wait_for(self._app(self._scope, self.receive, self.send), 10)
        return self

    @property
    def status(self) -> int:
        return self.sent[0]["status"]

    @property
    def headers(self) -> dict[bytes, bytes]:
        return dict(self.sent[0]["headers"])

    @property
    def body(self) -> bytes:
        return b"".join(message.get("body", b"") for message in self.sent[1:])


Converse = Callable[..., Conversation]


@pytest.fixture
async def converse() -> AsyncIterator[Converse]:
    """Prepare a request to a WSGI application: `await converse(app, method="POST", pieces=[b"a"]).run()`."""
    adapters: list[WSGIToASGI] = []

    def prepare(
        app: Any, *, pieces: Iterable[bytes] | None = None, incoming: Any = None, **changes: Any
    ) -> Conversation:
        adapter = app if isinstance(app, WSGIToASGI) else WSGIToASGI(app, threads=2)
        adapters.append(adapter)
        scope = http_scope(**changes)
        if pieces is not None:
            scope["headers"] = [*scope["headers"], (b"transfer-encoding", b"chunked")]
            incoming = [{"type": "http.request", "body": each, "more_body": True} for each in pieces] + [END]
        return Conversation(validate(adapter), scope, [END] if incoming is None else incoming)

    yield prepare
    for adapter in adapters:
        await adapter.aclose()
