"""The options of the server, each declared once: value, default, help and flags.

The command line, the environment, configuration files and the reference page are derived from `Config.options()`.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import partial
from typing import Literal

from transom.server.http1 import Limits
from transom.server.http2 import Cost, SessionConfig, build_budgets
from transom.server.option_checks import CHECKS, find_contradiction, parse_header
from transom.server.options import Option, OptionError, list_options, option

_sockets = partial(option, group="Sockets")
_tls = partial(option, group="TLS")
_proxies = partial(option, group="Proxies")
_application = partial(option, group="Application")
_processes = partial(option, group="Processes")
_logs = partial(option, group="Logs and metrics")
_timeouts = partial(option, group="Timeouts")
_limits = partial(option, group="Limits")
_http2 = partial(option, group="HTTP/2")
_websocket = partial(option, group="WebSocket")


@dataclass(frozen=True, slots=True, kw_only=True)
class Config:
    """How to serve. Durations are seconds, sizes are bytes; names are uvicorn's, short flags gunicorn's.

    Defaults are meant for the open internet: every limit exists and every wait ends.
    """

    bind: tuple[str, ...] = _sockets(
        (),
        "--bind",
        "-b",
        help="Address to listen on: HOST:PORT, [IPv6]:PORT, unix:PATH or fd://NUMBER. May be repeated; wins over --host.",
    )
    host: str = _sockets("127.0.0.1", "--host", help="Address to listen on.")
    port: int = _sockets(8000, "--port", "-p", help="Port to listen on; 0 lets the system choose.")
    uds: str | None = _sockets(None, "--uds", help="Unix socket to listen on; wins over --host.")
    uds_permissions: str = _sockets(
        "666", "--uds-permissions", help="Octal permissions of Unix sockets; the directory decides too."
    )
    fd: int | None = _sockets(
        None, "--fd", help="Inherited file descriptor of a bound socket to listen on; wins over --host."
    )
    backlog: int = _sockets(2048, "--backlog", help="Connections the system queues before they are accepted.")

    ssl_certfile: str | None = _tls(
        None,
        "--ssl-certfile",
        "--certfile",
        help="Certificate chain in PEM; serves HTTPS. Read again when it changes.",
    )
    ssl_keyfile: str | None = _tls(
        None,
        "--ssl-keyfile",
        "--keyfile",
        help="Private key in PEM; without it, it stands in the certificate file.",
    )
    ssl_keyfile_password: str | None = _tls(
        None, "--ssl-keyfile-password", help="Password of the private key."
    )
    ssl_sni: tuple[str, ...] = _tls(
        (),
        "--ssl-sni",
        help="Certificate for one host name: NAME=CERTFILE or NAME=CERTFILE,KEYFILE; *.NAME is its subdomains. May be repeated.",
    )
    ssl_minimum_version: Literal["TLSv1.2", "TLSv1.3"] = _tls(
        "TLSv1.2", "--ssl-minimum-version", help="Oldest version of TLS that is spoken."
    )
    ssl_ciphers: str | None = _tls(
        None,
        "--ssl-ciphers",
        "--ciphers",
        help="Ciphers of TLS 1.2, in OpenSSL's notation; default: Python's.",
    )
    ssl_ca_certs: str | None = _tls(
        None,
        "--ssl-ca-certs",
        "--ca-certs",
        help="Authorities in PEM that client certificates are checked against.",
    )
    ssl_cert_reqs: Literal["none", "optional", "required"] = _tls(
        "none",
        "--ssl-cert-reqs",
        "--cert-reqs",
        help="Whether clients must show a certificate; needs --ssl-ca-certs.",
    )

    proxy_headers: bool = _proxies(
        True,
        "--proxy-headers/--no-proxy-headers",
        help="Take client, scheme and host from the forwarded fields of trusted proxies.",
    )
    forwarded_fields: Literal["x-forwarded", "x-forwarded-host", "forwarded"] = _proxies(
        "x-forwarded",
        "--forwarded-fields",
        help="What proxies set: X-Forwarded-For and -Proto; -Host and -Port too; or Forwarded (RFC 7239). Others are ignored.",
    )
    forwarded_allow_ips: tuple[str, ...] = _proxies(
        ("127.0.0.1", "::1", "unix"),
        "--forwarded-allow-ips",
        help="Proxies to trust: addresses, networks (10.0.0.0/8), unix (sockets), * for all. May be repeated; commas separate.",
    )
    proxy_protocol: bool = _proxies(
        False,
        "--proxy-protocol/--no-proxy-protocol",
        help="Expect a PROXY protocol header (v1 or v2) from trusted peers; connections from others are closed.",
    )

    interface: Literal["auto", "asgi3", "asgi2", "wsgi"] = _application(
        "auto", "--interface", help="What the application is; auto looks at it."
    )
    factory: bool = _application(
        False, "--factory/--no-factory", help="The target is a function that makes the application."
    )
    app_dir: str = _application("", "--app-dir", "--chdir", help="Directory to import the application from.")
    env_file: str | None = _application(
        None, "--env-file", help="File of NAME=value lines that are added to the environment."
    )
    lifespan: Literal["auto", "on", "off"] = _application(
        "auto", "--lifespan", help="auto asks the application, on demands it, off never starts it."
    )
    root_path: str = _application("", "--root-path", help="Path under which a proxy mounts the application.")
    wsgi_threads: int = _application(
        8, "--wsgi-threads", "--threads", help="Threads of one worker that run a WSGI application."
    )
    header: tuple[str, ...] = _application(
        (), "--header", help="Field to add to every response, as NAME:VALUE. May be repeated."
    )
    server_header: bool = _application(
        True, "--server-header/--no-server-header", help="Send the Server field."
    )
    date_header: bool = _application(True, "--date-header/--no-date-header", help="Send the Date field.")

    workers: int = _processes(1, "--workers", "-w", help="Worker processes.")
    loop: Literal["auto", "uvloop", "asyncio"] = _processes(
        "auto", "--loop", help="Event loop; auto takes uvloop where it is installed."
    )
    pid: str | None = _processes(None, "--pid", help="File to write the process id to.")
    limit_max_requests: int = _processes(
        0,
        "--limit-max-requests",
        "--max-requests",
        help="Requests after which a worker is replaced; 0 for never.",
    )
    limit_max_requests_jitter: int = _processes(
        0,
        "--limit-max-requests-jitter",
        "--max-requests-jitter",
        help="Most requests, drawn at random per worker, to add to --limit-max-requests.",
    )
    limit_max_memory: int = _processes(
        0, "--limit-max-memory", help="Resident bytes above which a worker is replaced; 0 for never."
    )
    limit_max_age: float = _processes(
        0.0, "--limit-max-age", help="Seconds after which a worker is replaced; 0 for never."
    )
    limit_max_age_jitter: float = _processes(
        0.0,
        "--limit-max-age-jitter",
        help="Most seconds, drawn at random per worker, to add to --limit-max-age.",
    )
    reload: bool = _processes(False, "--reload/--no-reload", help="Restart when code changes (development).")
    reload_dir: tuple[str, ...] = _processes(
        (),
        "--reload-dir",
        help="Directory to watch instead of --app-dir or the current one. May be repeated.",
    )
    reload_include: tuple[str, ...] = _processes(
        (),
        "--reload-include",
        help="Pattern of further files that cause a restart, such as *.md. May be repeated.",
    )
    reload_exclude: tuple[str, ...] = _processes(
        (), "--reload-exclude", help="Pattern of files that cause none. May be repeated."
    )

    log_level: Literal["critical", "error", "warning", "info", "debug"] = _logs(
        "info", "--log-level", help="Least severe messages to log."
    )
    log_config: str | None = _logs(
        None, "--log-config", help="File with a logging configuration (dictConfig) in TOML or JSON."
    )
    access_log: bool = _logs(True, "--access-log/--no-access-log", help="Log each request.")
    access_log_format: str = _logs(
        "combined",
        "--access-log-format",
        "--access-logformat",
        help="combined, json, or a format of one's own with gunicorn's atoms, such as '%(h)s %(s)s %(D)s'.",
    )
    request_id: bool = _logs(
        False,
        "--request-id/--no-request-id",
        help="Give each request an X-Request-ID: the trusted proxy's or a new one, for application, response and log.",
    )
    metrics_bind: str | None = _logs(
        None,
        "--metrics-bind",
        help="Address for /metrics (Prometheus) and /health: HOST:PORT, [IPv6]:PORT or unix:PATH.",
    )

    # Load balancers keep idle connections for 60 s (AWS) or longer; whoever closes first should be the balancer.
    timeout_keep_alive: float = _timeouts(
        75.0, "--timeout-keep-alive", "--keep-alive", help="Seconds an idle connection is kept."
    )
    timeout_header: float = _timeouts(
        10.0, "--timeout-header", help="Seconds in which a request head must arrive, from its first byte."
    )
    timeout_body: float = _timeouts(
        20.0,
        "--timeout-body",
        help="Seconds without a byte of a request body after which the connection closes.",
    )
    timeout_write: float = _timeouts(
        30.0, "--timeout-write", help="Seconds in which a client must read something of what waits for it."
    )
    timeout_tls_handshake: float = _timeouts(
        10.0, "--timeout-tls-handshake", help="Seconds for a TLS handshake, and for a PROXY protocol header."
    )
    timeout_lifespan: float = _timeouts(
        60.0, "--timeout-lifespan", help="Seconds the application has to start, and again to shut down."
    )
    timeout_graceful_shutdown: float = _timeouts(
        30.0,
        "--timeout-graceful-shutdown",
        "--graceful-timeout",
        help="Seconds that requests in progress have to finish when the server stops.",
    )
    timeout_worker_healthcheck: float = _timeouts(
        60.0,
        "--timeout-worker-healthcheck",
        "--timeout",
        "-t",
        help="Seconds without a turn of its event loop after which a worker is killed and replaced; 0 for never.",
    )

    limit_concurrency: int = _limits(
        0,
        "--limit-concurrency",
        help="Open connections of one worker (503 above); 0 for as many as there are file descriptors.",
    )
    limit_request_line: int = _limits(
        8190, "--limit-request-line", help="Bytes of a request line (414 above)."
    )
    limit_request_fields: int = _limits(
        100, "--limit-request-fields", help="Header fields of a request (431 above)."
    )
    limit_request_field_size: int = _limits(
        8190, "--limit-request-field-size", help="Bytes of one header field (431 above)."
    )
    limit_request_head: int = _limits(
        32_768, "--limit-request-head", help="Bytes of a whole request head (431 above)."
    )
    limit_request_body: int = _limits(
        0, "--limit-request-body", help="Bytes of a request body (413 above); 0 leaves it to the application."
    )
    limit_body_rate: int = _limits(
        240,
        "--limit-body-rate",
        help="Bytes a second that a request body must bring on average, after its first 5 seconds; 0 for any (408 below).",
    )
    limit_pipelined: int = _limits(
        65_536,
        "--limit-pipelined",
        help="Bytes of pipelined requests that wait in the worker before reading pauses.",
    )

    # Of one connection. Whoever wants too much in a period is told so with GOAWAY, and the connection closed.
    http2: bool = _http2(
        True,
        "--http2/--no-http2",
        help="Speak HTTP/2 with clients that do: by ALPN over TLS, by prior knowledge without.",
    )
    http2_max_concurrent_streams: int = _http2(
        100,
        "--http2-max-concurrent-streams",
        help="Requests at a time on one connection, reset ones too while their application goes on (refused above).",
    )
    http2_initial_window_size: int = _http2(
        262_144,
        "--http2-initial-window-size",
        help="Bytes of one request body that a client may send before the application takes them.",
    )
    http2_connection_window_size: int = _http2(
        1_048_576,
        "--http2-connection-window-size",
        help="Bytes of all request bodies of one connection that wait for applications; from 65535.",
    )
    http2_max_block_size: int = _http2(
        32_768,
        "--http2-max-block-size",
        help="Bytes of a request head as it is encoded, in all its frames; from 16384 (GOAWAY above).",
    )
    http2_budget_period: float = _http2(
        10.0, "--http2-budget-period", help="Seconds for which each of the numbers below is meant; from 1."
    )
    http2_max_client_resets: int = _http2(
        200, "--http2-max-client-resets", help="Requests in a period that their client resets (GOAWAY above)."
    )
    http2_max_server_resets: int = _http2(
        10,
        "--http2-max-server-resets",
        help="Requests in a period that we must reset for what their client sends (GOAWAY above).",
    )
    # A client may not have seen our limit when it begins.
    http2_max_refused_streams: int = _http2(
        1000,
        "--http2-max-refused-streams",
        help="Requests in a period beyond --http2-max-concurrent-streams (GOAWAY above).",
    )
    http2_max_control_frames: int = _http2(
        1000,
        "--http2-max-control-frames",
        help="Settings, and PING, PRIORITY and other frames without work, in a period; from 20 (GOAWAY above).",
    )
    http2_max_window_updates: int = _http2(
        1000,
        "--http2-max-window-updates",
        help="WINDOW_UPDATE frames in a period beyond two for each DATA frame that we send (GOAWAY above).",
    )
    http2_max_empty_data: int = _http2(
        100, "--http2-max-empty-data", help="DATA frames in a period without data or end (GOAWAY above)."
    )
    http2_max_continuations: int = _http2(
        100, "--http2-max-continuations", help="CONTINUATION frames in a period (GOAWAY above)."
    )

    ws_max_size: int = _websocket(
        1_048_576, "--ws-max-size", help="Bytes of one WebSocket message (closed with 1009 above)."
    )
    # DEFLATE reaches 1032; JSON of the kind that servers log reaches 28, more than Bandit's limit of 25. As in Apache POI.
    ws_max_ratio: int = _websocket(
        100,
        "--ws-max-ratio",
        help="Bytes that one compressed byte of a message may become, beyond 64 KiB (closed with 1009 above); 0 for any.",
    )
    ws_max_queue: int = _websocket(
        32, "--ws-max-queue", help="WebSocket messages waiting for the application before reading pauses."
    )
    ws_ping_interval: float = _websocket(
        20.0, "--ws-ping-interval", help="Seconds between WebSocket pings; 0 sends none."
    )
    ws_ping_timeout: float = _websocket(
        20.0, "--ws-ping-timeout", help="Seconds in which a pong must arrive."
    )
    ws_per_message_deflate: bool = _websocket(
        True,
        "--ws-per-message-deflate/--no-ws-per-message-deflate",
        help="Compress WebSocket messages for clients that ask for it.",
    )

    def __post_init__(self) -> None:
        """Check every value.

        Raises:
            OptionError: an option does not take the value it was given.
        """
        values = {item.name: getattr(self, item.name) for item in self.options()}
        for item in self.options():
            value = values[item.name]
            item.check(value)
            if item.name in CHECKS:
                for each in value if item.multiple else (value,):
                    if problem := CHECKS[item.name](each):
                        raise OptionError(item.name, each, problem)
        if (contradiction := find_contradiction(values)) is not None:
            raise OptionError(*contradiction)

    @classmethod
    def options(cls) -> tuple[Option, ...]:
        """Return all options in the order of the help page."""
        return list_options(cls)

    @property
    def limits(self) -> Limits:
        """The limits of an HTTP/1.1 request."""
        return Limits(
            self.limit_request_line,
            self.limit_request_field_size,
            self.limit_request_fields,
            self.limit_request_head,
            self.limit_request_body,
        )

    @property
    def http2_session(self) -> SessionConfig:
        """What a client of HTTP/2 may do at a time."""
        limits = {
            Cost.CLIENT_RESET: self.http2_max_client_resets,
            Cost.SERVER_RESET: self.http2_max_server_resets,
            Cost.REFUSED_STREAM: self.http2_max_refused_streams,
            Cost.CONTROL: self.http2_max_control_frames,
            Cost.WINDOW_UPDATE: self.http2_max_window_updates,
            Cost.EMPTY_DATA: self.http2_max_empty_data,
            Cost.CONTINUATION: self.http2_max_continuations,
        }
        return SessionConfig(
            self.http2_max_concurrent_streams,
            self.http2_initial_window_size,
            self.http2_connection_window_size,
            self.http2_max_block_size,
            build_budgets(limits, self.http2_budget_period),
        )

    @property
    def headers(self) -> tuple[tuple[bytes, bytes], ...]:
        """Names and values of the fields to add to every response."""
        return tuple(map(parse_header, self.header))
