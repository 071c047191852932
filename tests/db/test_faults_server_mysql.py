"""A MariaDB server of the tests' own that is restarted or killed while it is being worked with, and that speaks TLS."""

from __future__ import annotations

import asyncio
import os
import shutil
import signal
import subprocess
import tempfile
import time
from collections.abc import AsyncIterator, Awaitable, Callable, Iterator
from itertools import count
from pathlib import Path

import pytest
import trustme

from transom.db.backends.mysql import MySQLBackend
from transom.db.exceptions import ConnectionFailed, ConnectionLost, DatabaseError
from transom.db.url import DatabaseURL, MySQLOptions

pytestmark = [pytest.mark.mysql, pytest.mark.slow]

HEALS_WITHIN = 1.0  # seconds
INSERT = "INSERT INTO kept (id) VALUES (%s)"
OPTIONS = (
    "--no-defaults",
    "--bind-address=127.0.0.1",
    "--innodb-buffer-pool-size=16M",
    "--innodb-flush-log-at-trx-commit=2",  # what the kernel has been given outlives every way of killing the server
    "--max-connections=40",
    "--skip-name-resolve",
    "--performance-schema=OFF",
)
UNPRIVILEGED = "nobody"


class MariaDBServer:
    """One server in a temporary folder; `root` needs no password, `sealed` a certificate."""

    def __init__(self, port: int) -> None:
        self._port = port
        self.folder = Path(tempfile.mkdtemp(prefix="transom-mariadb-"))
        self._user = UNPRIVILEGED if os.getuid() == 0 else None
        self._process: subprocess.Popen[bytes] | None = None
        self._make_certificates()
        if self._user:
            for path in (self.folder, *self.folder.iterdir()):
                shutil.chown(path, self._user)
        self._run(
            "mariadb-install-db",
            "--no-defaults",
            f"--datadir={self.folder / 'data'}",
            "--auth-root-authentication-method=normal",
            "--skip-test-db",
        )

    @property
    def url(self) -> str:
        """Of its database `mysql`."""
        return f"mysql://root@127.0.0.1:{self._port}/mysql"

    def start(self) -> None:
        """Start the server, and wait until it answers."""
        command = [
            "mariadbd",
            *OPTIONS,
            f"--datadir={self.folder / 'data'}",
            f"--port={self._port}",
            f"--socket={self.folder / 'socket'}",
            f"--pid-file={self.folder / 'pid'}",
            f"--ssl-ca={self.folder / 'authority.pem'}",
            f"--ssl-cert={self.folder / 'server.pem'}",
            f"--ssl-key={self.folder / 'server.key'}",
        ]
        with (self.folder / "log").open("ab") as log:
            self._process = subprocess.Popen(command, user=self._user, stdout=log, stderr=log)
        asyncio.run(asyncio.wait_for(self._wait_for_answer(), 30))

    def stop(self) -> None:
        """Let it end every session, and then itself."""
        self._end(signal.SIGTERM)

    def kill(self) -> None:
        """Let the server and its sessions die at once, in the middle of whatever they do."""
        self._end(signal.SIGKILL)

    def _end(self, how: signal.Signals) -> None:
        if self._process is not None:
            self._process.send_signal(how)
            self._process.wait(30)
            self._process = None

    def remove(self) -> None:
        """Kill it and delete everything."""
        self.kill()
        shutil.rmtree(self.folder, ignore_errors=True)

    async def _wait_for_answer(self) -> None:
        backend = make(self.url)
        while True:
            try:
                await backend.fetch("SELECT 1")
                return await backend.aclose()
            except ConnectionFailed:
                await asyncio.sleep(0.005)

    def _make_certificates(self) -> None:
        authority, stranger = trustme.CA(), trustme.CA()
        server, client = authority.issue_cert("127.0.0.1"), authority.issue_cert(common_name="sealed")
        authority.cert_pem.write_to_path(self.folder / "authority.pem")
        stranger.cert_pem.write_to_path(self.folder / "stranger.pem")
        for name, certificate in (("server", server), ("client", client)):
            certificate.cert_chain_pems[0].write_to_path(self.folder / f"{name}.pem")
            certificate.private_key_pem.write_to_path(self.folder / f"{name}.key")

    def _run(self, *command: str) -> None:
        done = subprocess.run(
            command, user=self._user, capture_output=True, text=True, timeout=60, check=False
        )
        if done.returncode:
            raise RuntimeError(f"{command[0]} failed: {done.stderr or done.stdout}")


def make(url: str) -> MySQLBackend:
    parsed = DatabaseURL.parse(url)
    assert isinstance(parsed.options, MySQLOptions)
    return MySQLBackend("default", parsed, parsed.options)


@pytest.fixture(scope="module")
def server(next_port: Callable[[], int]) -> Iterator[MariaDBServer]:
    if not (shutil.which("mariadbd") and shutil.which("mariadb-install-db")):
        pytest.skip("no mariadbd and mariadb-install-db on the PATH; install MariaDB's server")
    made = MariaDBServer(next_port())
    try:
        made.start()
        yield made
    finally:
        made.remove()


@pytest.fixture
async def backend(server: MariaDBServer) -> AsyncIterator[MySQLBackend]:
    backend = make(f"{server.url}?pool_max=4&pool_timeout=5")
    await backend.execute("CREATE TABLE kept (id INTEGER PRIMARY KEY) ENGINE=InnoDB")
    yield backend
    await backend.execute("DROP TABLE kept")
    await backend.aclose()


class Load:
    """Tasks that read and write without end, and remember what became of each row."""

    def __init__(self, backend: MySQLBackend) -> None:
        self.committed: set[int] = set()
        self.refused: set[int] = set()
        self.in_doubt: set[int] = set()
        self.errors: set[type[BaseException]] = set()
        self.reads = 0
        self._backend = backend
        self._keys = count()
        self._stopping = False

    def start(self, group: asyncio.TaskGroup) -> None:
        for work in (self._insert, self._insert, self._insert_in_transaction, self._insert_in_transaction):
            group.create_task(self._write(work))
        group.create_task(self._read())
        group.create_task(self._read())

    def stop(self) -> None:
        self._stopping = True

    async def make_progress(self) -> None:
        """Return once every kind of work has succeeded a few times more."""
        writes, reads = len(self.committed) + 20, self.reads + 20
        while len(self.committed) < writes or self.reads < reads:
            await asyncio.sleep(0.001)

    async def _insert(self, key: int) -> None:
        await self._backend.execute(INSERT, (key,))

    async def _insert_in_transaction(self, key: int) -> None:
        async with self._backend.transaction() as transaction:
            await transaction.execute(INSERT, (key,))
            await transaction.fetch("SELECT 1")

    async def _write(self, work: Callable[[int], Awaitable[None]]) -> None:
        while not self._stopping:
            key = next(self._keys)
            try:
                await work(key)
            except DatabaseError as exc:
                is_open = isinstance(exc, ConnectionLost) and exc.in_doubt
                (self.in_doubt if is_open else self.refused).add(key)
                await self._note(exc)
            else:
                self.committed.add(key)

    async def _read(self) -> None:
        while not self._stopping:
            try:
                await self._backend.fetch("SELECT count(*) FROM kept")
                self.reads += 1
            except DatabaseError as exc:
                await self._note(exc)

    async def _note(self, error: DatabaseError) -> None:
        self.errors.add(type(error))
        await asyncio.sleep(0.002)  # there is no server, and no use in asking without a pause


@pytest.mark.parametrize("how", ["stop", "kill"])
async def test_nothing_is_lost_and_the_pool_heals(server: MariaDBServer, backend: MySQLBackend, how: str):
    """What was committed is there, what failed for certain is not, and only what was in doubt may be either."""
    load = Load(backend)
    async with asyncio.TaskGroup() as group:
        load.start(group)
        await load.make_progress()
        await asyncio.to_thread(server.stop if how == "stop" else server.kill)
        await asyncio.to_thread(server.start)
        started = time.monotonic()
        await asyncio.wait_for(load.make_progress(), 10)
        healed = time.monotonic() - started
        load.stop()
    stored = {row[0] for row in await backend.fetch("SELECT id FROM kept")}
    assert load.committed - stored == set()
    assert load.refused & stored == set()
    assert stored <= load.committed | load.in_doubt
    assert load.errors <= {ConnectionFailed, ConnectionLost}
    assert ConnectionFailed in load.errors
    assert (backend.pool.in_use, backend.pool.size <= 4) == (0, True)
    assert healed < HEALS_WITHIN
    rows = await backend.fetch("SELECT count(*) FROM information_schema.innodb_trx")
    assert rows[0][0] == 0


async def test_write_whose_answer_never_came_is_in_doubt(server: MariaDBServer, backend: MySQLBackend):
    """And it was not sent again."""
    task = asyncio.create_task(backend.execute("INSERT INTO kept SELECT 1 WHERE SLEEP(60) = 0"))
    while not await backend.fetch("SELECT 1 FROM information_schema.processlist WHERE state = 'User sleep'"):
        pass
    await asyncio.to_thread(server.kill)
    await asyncio.to_thread(server.start)
    with pytest.raises(ConnectionLost) as caught:
        await task
    assert caught.value.in_doubt
    assert await backend.fetch("SELECT id FROM kept") == []


async def test_statement_of_a_transaction_is_never_in_doubt(server: MariaDBServer, backend: MySQLBackend):
    with pytest.raises(ConnectionLost) as caught:
        async with backend.transaction() as transaction:
            await transaction.execute(INSERT, (1,))
            await asyncio.to_thread(server.kill)
            await asyncio.to_thread(server.start)
            await transaction.fetch("SELECT 1")
    assert not caught.value.in_doubt
    assert await backend.fetch("SELECT id FROM kept") == []


async def test_server_that_is_down_is_said_to_be(server: MariaDBServer, backend: MySQLBackend):
    await backend.fetch("SELECT 1")
    await asyncio.to_thread(server.stop)
    try:
        with pytest.raises(ConnectionFailed, match=r"could not connect to \S+: Connection refused") as caught:
            await backend.fetch("SELECT 1")
        assert caught.value.sqlstate == "08001"
    finally:
        await asyncio.to_thread(server.start)
    assert len(await backend.fetch("SELECT 1")) == 1


async def cipher(url: str) -> str:
    """Return the cipher of a new connection; nothing for one without TLS."""
    backend = make(url)
    try:
        return (await backend.fetch("SHOW SESSION STATUS LIKE 'Ssl_cipher'"))[0][1]
    finally:
        await backend.aclose()


@pytest.mark.parametrize(
    ("options", "encrypted"),
    [
        ("", False),
        ("ssl_mode=DISABLED", False),
        ("ssl_mode=REQUIRED", True),
        ("ssl-mode=REQUIRED", True),  # as clients of MySQL and hosts of databases write it
        ("ssl_ca={folder}/authority.pem", True),
        ("ssl_mode=VERIFY_CA&ssl_ca={folder}/authority.pem", True),
        ("ssl_mode=VERIFY_IDENTITY&ssl_ca={folder}/authority.pem", True),
    ],
)
async def test_the_mode_decides_on_encryption(server: MariaDBServer, options: str, encrypted: bool):
    assert bool(await cipher(f"{server.url}?{options.format(folder=server.folder)}")) == encrypted


@pytest.mark.parametrize("mode", ["VERIFY_CA", "VERIFY_IDENTITY"])
async def test_a_server_that_a_stranger_vouches_for_is_refused(server: MariaDBServer, mode: str):
    with pytest.raises(ConnectionFailed, match="certificate verify failed"):
        await cipher(f"{server.url}?ssl_mode={mode}&ssl_ca={server.folder}/stranger.pem")


async def test_only_verify_identity_looks_at_the_name(server: MariaDBServer):
    url = server.url.replace("127.0.0.1", "localhost") + f"?ssl_ca={server.folder}/authority.pem"
    assert await cipher(f"{url}&ssl_mode=VERIFY_CA")
    with pytest.raises(ConnectionFailed, match="certificate is not valid for 'localhost'"):
        await cipher(f"{url}&ssl_mode=VERIFY_IDENTITY")


async def test_certificate_and_key_log_in(server: MariaDBServer, backend: MySQLBackend):
    await backend.execute("CREATE OR REPLACE USER sealed REQUIRE X509")
    await backend.execute("GRANT SELECT ON mysql.* TO sealed")
    folder, url = server.folder, server.url.replace("root@", "sealed@")
    with pytest.raises(ConnectionFailed, match="Access denied"):
        await cipher(f"{url}?ssl_mode=REQUIRED")
    own = f"ssl_cert={folder}/client.pem&ssl_key={folder}/client.key"
    assert await cipher(f"{url}?ssl_mode=REQUIRED&{own}")
