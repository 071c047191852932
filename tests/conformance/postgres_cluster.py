"""A PostgreSQL server of a test's own: to speak TLS with, to restart, and to kill."""

from __future__ import annotations

import os
import shutil
import signal
import subprocess
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from glob import glob
from pathlib import Path

import asyncpg
import pytest
import trustme

OPTIONS = (
    "fsync=off",  # what the kernel has been given outlives every way in which the tests kill the server
    "max_connections=40",
    "shared_buffers=16MB",
    "unix_socket_directories=",
    "listen_addresses=127.0.0.1",
    "ssl=on",
)
UNPRIVILEGED = "nobody"  # PostgreSQL refuses to run as root


def find_binaries() -> Path | None:
    """Return the folder of initdb and pg_ctl, the newest one where Debian keeps several."""
    found = shutil.which("initdb")
    places = sorted(glob("/usr/lib/postgresql/*/bin/initdb"), key=lambda path: float(path.split("/")[4]))
    return Path(found).parent if found else Path(places[-1]).parent if places else None


@contextmanager
def running_cluster(port: int) -> Iterator[PostgresCluster]:
    """A server of the tests' own, which answers; without PostgreSQL's programs the test is skipped."""
    binaries = find_binaries()
    if binaries is None:
        pytest.skip("no initdb on the PATH or in /usr/lib/postgresql; install PostgreSQL's server")
    cluster = PostgresCluster(binaries, port)
    try:
        cluster.start()
        yield cluster
    finally:
        cluster.remove()


class PostgresCluster:
    """One server in a temporary folder; anybody may connect as `postgres`, from this machine."""

    def __init__(self, binaries: Path, port: int) -> None:
        self._binaries = binaries
        self.port = port
        self.folder = Path(tempfile.mkdtemp(prefix="transom-postgres-"))
        self._data = self.folder / "data"
        self._user = UNPRIVILEGED if os.getuid() == 0 else None
        if self._user:
            shutil.chown(self.folder, self._user)
        self._run(
            "initdb", "--pgdata", self._data, "-A", "trust", "-U", "postgres", "--no-sync", "-E", "UTF8"
        )
        self._make_certificates()

    @property
    def url(self) -> str:
        """Of its database `postgres`."""
        return f"postgresql://postgres@127.0.0.1:{self.port}/postgres"

    @property
    def authority(self) -> Path:
        """The certificate that the server's, and a client's, is signed by."""
        return self.folder / "authority.pem"

    @property
    def stranger(self) -> Path:
        """The certificate of an authority that has signed nothing."""
        return self.folder / "stranger.pem"

    @property
    def client(self) -> tuple[Path, Path]:
        """A certificate of the user `postgres`, and its key."""
        return self.folder / "client.pem", self.folder / "client.key"

    def start(self) -> None:
        """Start the server, and wait until it answers."""
        settings = " ".join(f"-c {option}" for option in OPTIONS)
        self._control("start", "-o", f"-p {self.port} {settings}", "-l", self.folder / "log")

    def stop(self, mode: str) -> None:
        """Stop it: `fast` ends every session with a word, `immediate` without one."""
        self._control("stop", "-m", mode)

    def reload(self) -> None:
        """Let it read its settings, and who may connect, anew; no session ends."""
        self._control("reload")

    def kill(self) -> None:
        """Let the server and its sessions die at once, in the middle of whatever they do."""
        parent = int((self._data / "postmaster.pid").read_text().split()[0])
        children = Path(f"/proc/{parent}/task/{parent}/children").read_text().split()
        for process in (parent, *map(int, children)):
            os.kill(process, signal.SIGKILL)
        deadline = time.monotonic() + 10
        while any(_is_alive(process) for process in (parent, *map(int, children))):
            if time.monotonic() > deadline:
                raise TimeoutError("the server outlives SIGKILL")
            time.sleep(0.005)
        (self._data / "postmaster.pid").unlink()

    def remove(self) -> None:
        """Stop it and delete everything."""
        if (self._data / "postmaster.pid").exists():
            self.stop("immediate")
        shutil.rmtree(self.folder, ignore_errors=True)

    def demand_client_certificates(self, wanted: bool) -> None:
        """Let in only who has a certificate of the authority, from the next start on."""
        how = "hostssl all all 127.0.0.1/32 cert" if wanted else "host all all 127.0.0.1/32 trust"
        (self._data / "pg_hba.conf").write_text(f"{how}\n")

    async def wait_for_answer(self) -> None:
        """Return once a session can be opened."""
        connection = await asyncpg.connect(self.url)
        await connection.close()

    def _make_certificates(self) -> None:
        authority = trustme.CA()
        server, client = authority.issue_cert("127.0.0.1"), authority.issue_cert(common_name="postgres")
        authority.cert_pem.write_to_path(self.authority)
        authority.cert_pem.write_to_path(self._data / "root.crt")
        trustme.CA().cert_pem.write_to_path(self.stranger)
        server.cert_chain_pems[0].write_to_path(self._data / "server.crt")
        server.private_key_pem.write_to_path(self._data / "server.key")
        client.cert_chain_pems[0].write_to_path(self.client[0])
        client.private_key_pem.write_to_path(self.client[1])
        for key in (self._data / "server.key", self.client[1]):
            key.chmod(0o600)
        for name in ("server.key", "server.crt", "root.crt"):
            if self._user:
                shutil.chown(self._data / name, self._user)
        with (self._data / "postgresql.conf").open("a") as settings:
            settings.write("ssl_ca_file = 'root.crt'\n")

    def _control(self, *arguments: str | Path) -> None:
        self._run("pg_ctl", "--pgdata", self._data, "-w", *arguments)

    def _run(self, program: str, *arguments: str | Path) -> None:
        done = subprocess.run(
            [self._binaries / program, *arguments],
            user=self._user,
            cwd=self.folder,
            stdin=subprocess.DEVNULL,
            stdout=subprocess.DEVNULL,
            stderr=subprocess.PIPE,
            text=True,
            timeout=60,
            check=False,
        )
        if done.returncode:
            raise RuntimeError(f"{program} failed: {done.stderr}")


def _is_alive(process: int) -> bool:
    try:
        return "Z" not in Path(f"/proc/{process}/stat").read_text().rpartition(")")[2].split()[0]
    except OSError:
        return False
