"""Which databases there are, and what runs a statement now.

    connections.configure({"default": "sqlite:///site.sqlite3"})
    rows = await connections.executor().fetch("SELECT 1")

A backend belongs to the event loop that runs when it is first asked for: its sockets, locks and timers do. Nothing is
opened before the first statement, and `aclose()` closes what the running loop has opened.
"""

from __future__ import annotations

import asyncio
from contextlib import contextmanager
from typing import TYPE_CHECKING
from weakref import WeakKeyDictionary

from .exceptions import ConfigurationError
from .open_transaction import find_open, innermost
from .router import DEFAULT, install
from .url import DatabaseURL, MySQLOptions, PostgreSQLOptions, SQLiteOptions, suggest

if TYPE_CHECKING:
    from collections.abc import Generator, Mapping, Sequence

    from .backends.base import Backend, Executor
    from .router import Router


class LoopBackends:
    """The backends of one event loop."""

    def __init__(self) -> None:
        self.current: dict[str, Backend] = {}
        self.retired: list[Backend] = []  # their URL was configured away; closed with the rest
        self.pinned: set[str] = set()  # aliases that `aclose` leaves alone

    def forget(self) -> list[Backend]:
        """Take out all backends but the pinned ones."""
        forgotten = [self.current.pop(alias) for alias in self.current.keys() - self.pinned]
        forgotten += self.retired
        self.retired = []
        return forgotten


_urls: dict[str, DatabaseURL] = {}
_loops: WeakKeyDictionary[asyncio.AbstractEventLoop, LoopBackends] = WeakKeyDictionary()


def configure(databases: Mapping[str, str], routers: Sequence[Router] = ()) -> None:
    """Name the databases, in place of those named before, and who chooses between them. Opens nothing.

    Args:
        databases: alias to URL; see `transom.db.url` for what a URL may say.
        routers: asked in order which database a model is read from and written to; see `transom.db.router`.

    Raises:
        ConfigurationError: a URL is wrong; nothing has changed then.
    """
    urls = {alias: DatabaseURL.parse(url) for alias, url in databases.items()}
    changed = {alias for alias, url in _urls.items() if urls.get(alias) != url}
    _urls.clear()
    _urls.update(urls)
    install(routers)
    for backends in _loops.values():
        for alias in changed & backends.current.keys():
            backends.retired.append(backends.current.pop(alias))


def aliases() -> tuple[str, ...]:
    """Return the names of the databases."""
    return tuple(_urls)


def executor(using: str = DEFAULT) -> Executor:
    """Return what runs a statement here: the open transaction of this context, else the backend in autocommit.

    Raises:
        ConfigurationError: no database has this alias.
    """
    if innermost.get() is not None and (transaction := find_open(using)) is not None:
        return transaction
    return backend(using)


def backend(using: str = DEFAULT) -> Backend:
    """Return the running loop's backend, whose statements run in autocommit even inside `atomic()`.

    Raises:
        ConfigurationError: no database has this alias, or its driver is not installed.
    """
    backends = _loops.get(asyncio.get_running_loop())
    if backends is not None and (found := backends.current.get(using)) is not None:
        return found
    return open_backend(using)


def open_backend(using: str) -> Backend:
    """Make the running loop's backend for an alias."""
    url = _urls.get(using)
    if url is None:
        raise ConfigurationError(describe_unknown(using))
    opened = build_backend(using, url)
    loop_backends().current[using] = opened
    return opened


def loop_backends() -> LoopBackends:
    """Return the running loop's backends."""
    for loop in [loop for loop in _loops if loop.is_closed()]:
        del _loops[loop]  # its backends refer to it, so the weak reference alone would not let go
    return _loops.setdefault(asyncio.get_running_loop(), LoopBackends())


def build_backend(alias: str, url: DatabaseURL) -> Backend:
    """Import the vendor's backend, and nobody else's."""
    if isinstance(url.options, SQLiteOptions):
        from .backends.sqlite import SQLiteBackend

        return SQLiteBackend(alias, url, url.options)
    try:
        return build_server_backend(alias, url, url.options)
    except ModuleNotFoundError as exc:
        driver = (exc.name or "").partition(".")[0]
        extra = {"asyncpg": "postgres", "asyncmy": "mysql"}.get(driver)
        if extra is None:
            raise
        raise ConfigurationError(
            f"database {alias!r} ({url.safe}) needs {driver}; install transom[{extra}]"
        ) from exc


def build_server_backend(alias: str, url: DatabaseURL, options: PostgreSQLOptions | MySQLOptions) -> Backend:
    """Import the backend of a database on a server, which needs a driver."""
    if isinstance(options, PostgreSQLOptions):
        from .backends.postgresql import PostgreSQLBackend

        return PostgreSQLBackend(alias, url, options)
    from .backends.mysql import MySQLBackend

    return MySQLBackend(alias, url, options)


def substitute(using: str, stand_in: Backend | None) -> Backend | None:
    """Put a backend in the place of the running loop's own, or take it out with None; return what was there."""
    backends = loop_backends()
    previous = backends.current.pop(using, None)
    if stand_in is not None:
        backends.current[using] = stand_in
    return previous


@contextmanager
def stand_in(using: str, backend: Backend) -> Generator[None]:
    """Put a backend in the place of the running loop's own for a block, in which `aclose()` leaves both alone.

    For tests: an application that is shut down inside the block closes what it opened, and this is not its own.
    """
    backends = loop_backends()
    before, was_pinned = backends.current.get(using), using in backends.pinned
    backends.current[using] = backend
    backends.pinned.add(using)
    try:
        yield
    finally:
        if not was_pinned:
            backends.pinned.discard(using)
        substitute(using, before)


async def aclose() -> None:
    """Close every connection and thread that the running loop opened; a later statement opens new ones."""
    loop = asyncio.get_running_loop()
    if (backends := _loops.get(loop)) is None:
        return
    forgotten = backends.forget()
    if not backends.current:
        del _loops[loop]
    errors: list[Exception] = []
    for opened in forgotten:
        try:
            await opened.aclose()
        except Exception as exc:  # the others are closed all the same
            errors.append(exc)
    if errors:
        raise errors[0]


def describe_unknown(using: str) -> str:
    """Say why there is no such database."""
    if not _urls:
        return (
            f"no database {using!r}: none is configured; set DATABASE_URL, or `databases` in the settings, "
            'or call connections.configure({"default": "sqlite:///site.sqlite3"})'
        )
    return f"no database {using!r}; {suggest(using, list(_urls))}"
