"""Database URLs: which database, where, and with which options.

    sqlite:///site.sqlite3           a file, relative to the working directory
    sqlite:////srv/site.sqlite3      a file, absolute
    sqlite://:memory:                a database that ends with its connection
    postgresql://user:password@host:5432/name?pool_max=20&sslmode=require
    mysql://user:password@host:3306/name?ssl_mode=REQUIRED          MariaDB; mariadb:// is the same

Every option is declared once, as a field of the dataclass of its vendor.
"""

from __future__ import annotations

import difflib
from dataclasses import dataclass, fields
from typing import Any, Literal, TypeAlias, cast
from urllib.parse import parse_qsl, quote, unquote, urlencode, urlsplit

from .exceptions import ConfigurationError

MEMORY = ":memory:"


@dataclass(frozen=True, slots=True)
class SQLiteOptions:
    """What may follow the `?` of a SQLite URL.

    Attributes:
        busy_timeout: seconds a statement waits for the writer, of this process or another.
        readers: how many threads run reads that take longer than the inline deadline.
        synchronous: NORMAL keeps the file whole through a power cut but may lose the last commits; FULL keeps them.
    """

    busy_timeout: float = 5.0  # the sqlite3 module's own default
    readers: int = 4
    synchronous: Literal["NORMAL", "FULL"] = "NORMAL"


@dataclass(frozen=True, slots=True)
class PostgreSQLOptions:
    """What may follow the `?` of a PostgreSQL URL; the names without `pool_` are libpq's, with its meaning.

    Attributes:
        pool_min: connections kept open when nobody needs them.
        pool_max: connections open at most.
        pool_timeout: seconds a statement waits for a free connection.
        pool_idle: seconds after which connections above `pool_min` that nobody needed are closed.
        connect_timeout: seconds to open a connection.
        statement_cache_size: prepared statements kept per connection.
        pgbouncer: whether the server is PgBouncer in transaction mode: nothing is left in a session for the next transaction.
        keepalives_idle: seconds of silence after which the kernel asks whether the server's host is still there, and again three
            times, ten seconds apart; 0 for never.
        tcp_user_timeout: milliseconds for what was sent to arrive at all; 0 for the kernel's default, a quarter of an hour.
        sslmode: disable, prefer, require, verify-ca or verify-full; only the last two know whom they talk to.
        sslrootcert: file of the certificates to trust.
        sslcert, sslkey: files of a certificate of our own, with which the server may know us, and of its key.
    """

    pool_min: int = 0
    pool_max: int = 10
    pool_timeout: float = 30.0  # psycopg_pool and SQLAlchemy wait as long
    pool_idle: float = 300.0
    connect_timeout: float = 10.0
    statement_cache_size: int = 512
    pgbouncer: bool = False
    host: str = ""
    application_name: str = "transom"
    keepalives_idle: int = 60
    tcp_user_timeout: int = 60_000
    sslmode: str = ""
    sslrootcert: str = ""
    sslcert: str = ""
    sslkey: str = ""


@dataclass(frozen=True, slots=True)
class MySQLOptions:
    """What may follow the `?` of a MySQL URL; the names without `pool_` are those of MySQL's clients, with their meaning.

    Attributes:
        pool_min: connections kept open when nobody needs them.
        pool_max: connections open at most.
        pool_timeout: seconds a statement waits for a free connection.
        pool_idle: seconds after which connections above `pool_min` that nobody needed are closed.
        connect_timeout: seconds to open a connection.
        statement_cache_size: prepared statements kept per connection; a server holds 16,382 in all by default.
        unix_socket: path of the server's socket, instead of host and port.
        keepalives_idle, tcp_user_timeout: as for PostgreSQL.
        ssl_mode: DISABLED; REQUIRED encrypts and checks nothing; VERIFY_CA checks the certificate, VERIFY_IDENTITY the
            host's name in it too. By default VERIFY_CA if `ssl_ca` is given, else DISABLED.
    """

    pool_min: int = 0
    pool_max: int = 10
    pool_timeout: float = 30.0
    pool_idle: float = 300.0
    connect_timeout: float = 10.0
    statement_cache_size: int = 128
    unix_socket: str = ""
    application_name: str = "transom"
    keepalives_idle: int = 60
    tcp_user_timeout: int = 60_000
    ssl_mode: str = ""
    ssl_ca: str = ""
    ssl_cert: str = ""
    ssl_key: str = ""


SSL_MODES = ("DISABLED", "REQUIRED", "VERIFY_CA", "VERIFY_IDENTITY")
Options: TypeAlias = SQLiteOptions | PostgreSQLOptions | MySQLOptions
SCHEMES: dict[str, type[Options]] = {
    "sqlite": SQLiteOptions,
    "postgresql": PostgreSQLOptions,
    "postgres": PostgreSQLOptions,
    "mysql": MySQLOptions,
    "mariadb": MySQLOptions,
}


@dataclass(frozen=True, slots=True, repr=False)
class DatabaseURL:
    """A parsed database URL; `str()` and `repr()` never show the password.

    Attributes:
        scheme: "sqlite", "postgresql" or "mysql".
        database: path of the file (or ":memory:"), or name of the database.
        options: the options of the vendor, with defaults where the URL names none.
    """

    scheme: str
    database: str
    username: str | None = None
    password: str | None = None
    host: str | None = None
    port: int | None = None
    options: Options = SQLiteOptions()

    @classmethod
    def parse(cls, url: str) -> DatabaseURL:
        """Read a URL, percent-decoding each part.

        Raises:
            ConfigurationError: an unknown scheme or option, or a value that is none of its kind.
        """
        scheme, separator, rest = url.partition("://")
        if not separator or scheme not in SCHEMES:
            raise ConfigurationError(
                f"unknown scheme {scheme if separator else ''!r} in a database URL; choose from {', '.join(SCHEMES)}, "
                "as in sqlite:///site.sqlite3, postgresql://user@host/name or mysql://user@host/name"
            )
        location, _, query = rest.partition("?")
        options = parse_options(SCHEMES[scheme], query)
        if isinstance(options, SQLiteOptions):
            return cls("sqlite", parse_path(location), options=options)
        return parse_server(location, options)

    @property
    def is_memory(self) -> bool:
        """Whether this is a SQLite database without a file."""
        return self.scheme == "sqlite" and self.database == MEMORY

    @property
    def safe(self) -> str:
        """The URL with its password replaced by `***`, for messages and logs."""
        return self.build("***" if self.password else None)

    def build(self, password: str | None) -> str:
        """Write the URL again, with this password and the options that differ from the defaults."""
        query = urlencode(changed_options(self.options))
        if self.scheme == "sqlite":
            location = MEMORY if self.is_memory else "/" + quote(self.database)
        else:
            location = f"{build_authority(self, password)}/{quote(self.database, safe='')}"
        return f"{self.scheme}://{location}{'?' if query else ''}{query}"

    def __str__(self) -> str:
        return self.safe

    def __repr__(self) -> str:
        return f"DatabaseURL({self.safe!r})"


def parse_path(location: str) -> str:
    """Return the path in what follows `sqlite://`."""
    if location in ("", "/", MEMORY, f"/{MEMORY}"):
        return MEMORY
    if not location.startswith("/"):
        raise ConfigurationError(
            f"sqlite://{location} names no file; expected three slashes before a relative path "
            f"(sqlite:///{location}) and four before an absolute one"
        )
    return unquote(location[1:])


def parse_server(location: str, options: PostgreSQLOptions | MySQLOptions) -> DatabaseURL:
    """Read `user:password@host:port/name`."""
    try:
        parts = urlsplit(f"//{location}")
        port = parts.port
    except ValueError as exc:
        raise ConfigurationError(f"bad host or port in a database URL: {exc}") from None
    database = unquote(parts.path[1:])
    is_postgresql = isinstance(options, PostgreSQLOptions)
    scheme = "postgresql" if is_postgresql else "mysql"
    if not database:
        raise ConfigurationError(
            f"the database URL names no database; expected {scheme}://user@host:port/name"
        )
    return DatabaseURL(
        scheme,
        database,
        username=unquote(parts.username) if parts.username else None,
        password=unquote(parts.password) if parts.password else None,
        host=(options.host if is_postgresql else None)
        or (unquote(parts.hostname) if parts.hostname else None),
        port=port,
        options=options,
    )


def parse_options(kind: type[Options], query: str) -> Options:
    """Turn the query part into the dataclass of options."""
    known = {option.name: option for option in fields(kind)}
    values: dict[str, Any] = {}  # Any: each option has its own type
    for given, text in parse_qsl(query, keep_blank_values=True):
        name = given.replace("-", "_")  # MySQL's clients write ssl-mode
        if name not in known:
            raise ConfigurationError(
                f"unknown option {name!r} in a database URL; {suggest(name, list(known))}"
            )
        values[name] = parse_value(name, text, known[name].default)
    return check_ranges(kind(**values))


def parse_value(name: str, text: str, default: object) -> object:
    """Read one option's value as the type of its default."""
    if isinstance(default, bool):
        return parse_switch(name, text)
    try:
        value = type(default)(text)  # type: ignore[call-arg]  # int, float and str all take a string
    except ValueError:
        kind = {int: "a whole number", float: "seconds"}[cast("type[int] | type[float]", type(default))]
        raise ConfigurationError(f"option {name}={text!r} in a database URL; expected {kind}") from None
    if isinstance(value, int | float) and not 0 <= value < float("inf"):
        raise ConfigurationError(f"option {name}={text!r} in a database URL; expected a number from 0 up")
    return value


def parse_switch(name: str, text: str) -> bool:
    """Read a value that is yes or no."""
    switches = {"true": True, "1": True, "false": False, "0": False}
    if text.lower() not in switches:
        raise ConfigurationError(f"option {name}={text!r} in a database URL; expected true or false")
    return switches[text.lower()]


def check_ranges(options: Options) -> Options:
    """Refuse values that are right by themselves but make no sense."""
    if isinstance(options, SQLiteOptions):
        if options.synchronous not in ("NORMAL", "FULL"):
            raise ConfigurationError(f"synchronous={options.synchronous!r}; choose from NORMAL, FULL")
        if options.readers < 1:
            raise ConfigurationError("readers=0 in a database URL; expected at least 1")
    elif not options.pool_min <= options.pool_max or options.pool_max < 1:
        raise ConfigurationError(
            f"pool_min={options.pool_min} and pool_max={options.pool_max} in a database URL; "
            "expected pool_max of at least 1 and of at least pool_min"
        )
    elif isinstance(options, MySQLOptions) and options.ssl_mode not in ("", *SSL_MODES):
        raise ConfigurationError(f"ssl_mode={options.ssl_mode!r}; choose from {', '.join(SSL_MODES)}")
    return options


def changed_options(options: Options) -> dict[str, object]:
    """Return the options that differ from their defaults."""
    return {
        option.name: str(value).lower() if isinstance(value, bool) else value
        for option in fields(options)
        if (value := getattr(options, option.name)) != option.default
    }


def build_authority(url: DatabaseURL, password: str | None) -> str:
    """Return `user:password@host:port`."""
    user = quote(url.username, safe="") if url.username else ""
    secret = f":{quote(password, safe='*')}" if password else ""
    host = url.host or ""
    if ":" in host:
        host = f"[{host}]"
    port = f":{url.port}" if url.port else ""
    return f"{user}{secret}{'@' if user or secret else ''}{quote(host, safe='[]:')}{port}"


def suggest(name: str, known: list[str]) -> str:
    """Return "did you mean …? choose from …" for an unknown name."""
    close = difflib.get_close_matches(name, known, n=1)
    return f"{f'did you mean {close[0]!r}? ' if close else ''}choose from {', '.join(known)}"
