"""Reading database URLs."""

from __future__ import annotations

import pytest

from transom.db.exceptions import ConfigurationError
from transom.db.url import DatabaseURL, MySQLOptions, PostgreSQLOptions, SQLiteOptions


@pytest.mark.parametrize(
    ("url", "path"),
    [
        ("sqlite:///site.sqlite3", "site.sqlite3"),
        ("sqlite:///data/site.sqlite3", "data/site.sqlite3"),
        ("sqlite:////srv/site.sqlite3", "/srv/site.sqlite3"),
        ("sqlite:///with%20space%3F.db", "with space?.db"),
        ("sqlite://:memory:", ":memory:"),
        ("sqlite:///:memory:", ":memory:"),
        ("sqlite://", ":memory:"),
    ],
)
def test_sqlite_path(url: str, path: str):
    assert DatabaseURL.parse(url).database == path


@pytest.mark.parametrize(
    "url",
    [
        "sqlite:///site.sqlite3",
        "sqlite:////srv/site%20two.sqlite3?busy_timeout=1.5",
        "sqlite://:memory:",
        "postgresql://ann@db.example:5433/shop",
        "postgresql:///shop",
        "postgresql://[::1]:5432/shop?pool_max=3",
        "mysql://ann@db.example:3307/shop?ssl_mode=REQUIRED",
    ],
)
def test_url_is_written_as_it_was_read(url: str):
    assert str(DatabaseURL.parse(url)) == url


def test_sqlite_options():
    options = DatabaseURL.parse("sqlite:///a.db?busy_timeout=0.5&readers=2&synchronous=FULL").options
    assert options == SQLiteOptions(busy_timeout=0.5, readers=2, synchronous="FULL")


def test_server_parts_are_percent_decoded():
    url = DatabaseURL.parse("postgres://an%40n:p%3Ass%2Fw%40rd@db.example:5433/my%20shop")
    assert (url.scheme, url.username, url.password) == ("postgresql", "an@n", "p:ss/w@rd")
    assert (url.host, url.port, url.database) == ("db.example", 5433, "my shop")


def test_postgresql_options():
    url = DatabaseURL.parse(
        "postgresql://h/n?pool_min=1&pool_max=5&pool_timeout=2.5&connect_timeout=3&statement_cache_size=0"
        "&sslmode=require&sslrootcert=/etc/ca.pem"
    )
    assert url.options == PostgreSQLOptions(
        pool_min=1,
        pool_max=5,
        pool_timeout=2.5,
        connect_timeout=3.0,
        statement_cache_size=0,
        sslmode="require",
        sslrootcert="/etc/ca.pem",
    )


def test_mysql_options():
    url = DatabaseURL.parse(
        "mariadb://an%40n@h/n?pool_max=5&statement_cache_size=0&unix_socket=/run/mysqld/mysqld.sock"
        "&ssl_mode=VERIFY_CA&ssl_ca=/etc/ca.pem"
    )
    assert (url.scheme, url.username, url.host, url.database) == ("mysql", "an@n", "h", "n")
    assert url.options == MySQLOptions(
        pool_max=5,
        statement_cache_size=0,
        unix_socket="/run/mysqld/mysqld.sock",
        ssl_mode="VERIFY_CA",
        ssl_ca="/etc/ca.pem",
    )


def test_host_option_names_a_socket_folder():
    assert DatabaseURL.parse("postgresql:///name?host=/run/postgresql").host == "/run/postgresql"


@pytest.mark.parametrize("show", [str, repr, lambda url: url.safe], ids=["str", "repr", "safe"])
def test_password_is_hidden(show):
    text = show(DatabaseURL.parse("postgresql://ann:s3cret@h/n"))
    assert "s3cret" not in text
    assert "ann:***@h" in text


@pytest.mark.parametrize(
    ("url", "message"),
    [
        ("mysqlite:///x", "unknown scheme 'mysqlite'.*choose from sqlite, postgresql"),
        ("site.sqlite3", "unknown scheme ''"),
        ("sqlite://site.sqlite3", "three slashes"),
        ("sqlite:///a?pool_max=3", "unknown option 'pool_max'.*choose from busy_timeout, readers"),
        ("postgresql://h/n?pool_maks=3", "did you mean 'pool_max'"),
        ("postgresql://h/n?pool_max=many", "pool_max='many'.*whole number"),
        ("postgresql://h/n?pool_timeout=soon", "pool_timeout='soon'.*seconds"),
        ("postgresql://h/n?pool_timeout=-1", "from 0 up"),
        ("postgresql://h/n?pool_timeout=inf", "from 0 up"),
        ("postgresql://h/n?pool_min=5&pool_max=2", "pool_min=5 and pool_max=2"),
        ("postgresql://h/n?pool_max=0", "at least 1"),
        ("postgresql://h", "names no database"),
        ("mysql://h", "names no database; expected mysql://"),
        ("mysql://h/n?ssl_mode=PREFERRED", "ssl_mode='PREFERRED'; choose from DISABLED, REQUIRED"),
        ("mysql://h/n?sslmode=require", "did you mean 'ssl_mode'"),
        ("postgresql://h:port/n", "bad host or port"),
        ("sqlite:///a?synchronous=OFF", "choose from NORMAL, FULL"),
        ("sqlite:///a?readers=0", "at least 1"),
    ],
)
def test_wrong_url_says_what_is_expected(url: str, message: str):
    with pytest.raises(ConfigurationError, match=message):
        DatabaseURL.parse(url)


def test_error_about_a_url_keeps_the_password_out():
    with pytest.raises(ConfigurationError) as caught:
        DatabaseURL.parse("postgresql://ann:s3cret@h:port/n?x=1")
    assert "s3cret" not in str(caught.value)
