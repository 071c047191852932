"""The SSL options of a URL, against a server that speaks TLS."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from urllib.parse import urlencode

import pytest
from postgres_cluster import PostgresCluster, running_cluster

from transom.db.backends.postgresql import PostgreSQLBackend
from transom.db.exceptions import ConnectionFailed
from transom.db.url import DatabaseURL, PostgreSQLOptions

pytestmark = [pytest.mark.postgres, pytest.mark.slow]

ENCRYPTED = "SELECT ssl, client_dn IS NOT NULL FROM pg_stat_ssl WHERE pid = pg_backend_pid()"


@pytest.fixture(scope="module")
def postgres_cluster(next_port: Callable[[], int]) -> Iterator[PostgresCluster]:
    with running_cluster(next_port()) as cluster:
        yield cluster


async def ask(cluster: PostgresCluster, host: str = "127.0.0.1", **options: object) -> tuple[bool, bool]:
    """Return whether a connection is encrypted, and whether the server knows us by a certificate."""
    url = DatabaseURL.parse(f"postgresql://postgres@{host}:{cluster.port}/postgres?{urlencode(options)}")
    assert isinstance(url.options, PostgreSQLOptions)
    backend = PostgreSQLBackend("default", url, url.options)
    try:
        return tuple((await backend.fetch(ENCRYPTED))[0])
    finally:
        await backend.aclose()


@pytest.mark.parametrize(("sslmode", "encrypted"), [("disable", False), ("prefer", True), ("require", True)])
async def test_sslmode_decides_on_encryption(
    postgres_cluster: PostgresCluster, sslmode: str, encrypted: bool
):
    assert await ask(postgres_cluster, sslmode=sslmode) == (encrypted, False)


@pytest.mark.parametrize("sslmode", ["verify-ca", "verify-full"])
async def test_server_is_verified(postgres_cluster: PostgresCluster, sslmode: str):
    assert (await ask(postgres_cluster, sslmode=sslmode, sslrootcert=postgres_cluster.authority))[0]
    with pytest.raises(ConnectionFailed, match="certificate verify failed"):
        await ask(postgres_cluster, sslmode=sslmode, sslrootcert=postgres_cluster.stranger)


async def test_only_verify_full_looks_at_the_name(postgres_cluster: PostgresCluster):
    trusted = {"sslrootcert": postgres_cluster.authority}
    assert (await ask(postgres_cluster, "localhost", sslmode="verify-ca", **trusted))[0]
    with pytest.raises(ConnectionFailed, match="certificate"):
        await ask(postgres_cluster, "localhost", sslmode="verify-full", **trusted)


async def test_certificate_and_key_log_in(postgres_cluster: PostgresCluster):
    certificate, key = postgres_cluster.client
    postgres_cluster.demand_client_certificates(True)
    postgres_cluster.reload()
    try:
        assert await ask(postgres_cluster, sslmode="require", sslcert=certificate, sslkey=key) == (True, True)
        with pytest.raises(ConnectionFailed, match="certificate") as caught:
            await ask(postgres_cluster, sslmode="require")
        assert caught.value.sqlstate == "28000"
    finally:
        postgres_cluster.demand_client_certificates(False)
        postgres_cluster.reload()


async def test_missing_certificate_file_is_named(postgres_cluster: PostgresCluster):
    with pytest.raises(ConnectionFailed, match=r"nowhere\.pem"):
        await ask(postgres_cluster, sslmode="verify-full", sslrootcert="/nowhere.pem")
