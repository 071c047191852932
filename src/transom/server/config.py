"""The options of the server, each declared once: value, default, help and flags.

The command line, the environment and the reference page are derived from `Config.options()`.
"""

from __future__ import annotations

import dataclasses
import types
from dataclasses import dataclass, field
from typing import (
    TYPE_CHECKING,
    Any,
    Literal,
    NamedTuple,
    TypeVar,
    Union,
    get_args,
    get_origin,
    get_type_hints,
)

from transom.server.http1 import Limits

if TYPE_CHECKING:
    from collections.abc import Iterator

T = TypeVar("T")

ENVIRONMENT_PREFIX = "TRANSOM_SERVE_"


class Option(NamedTuple):
    """One option as the command line sees it.

    Attributes:
        name: attribute of `Config`.
        type: `str`, `int`, `float` or `bool` of one value; with `choices`, `str`.
        default: value when nothing is given.
        help: one sentence; durations are seconds, sizes are bytes.
        flags: spelling on the command line, the main one first; for a bool `--name/--no-name`.
        environment: the environment variable.
        multiple: whether the flag may be given more than once; the value is a tuple then.
        choices: the values allowed, empty if any.
        optional: whether None is a value, meaning "not set".
    """

    name: str
    type: type[Any]  # Any: the type is data here
    default: Any  # Any: of that type
    help: str
    flags: tuple[str, ...]
    environment: str
    multiple: bool
    choices: tuple[str, ...]
    optional: bool


def _option(default: T, *flags: str, help: str) -> T:
    """Declare an option. Typed as its value, as `dataclasses.field` is."""
    return field(default=default, metadata={"flags": flags, "help": help})


@dataclass(frozen=True, slots=True, kw_only=True)
class Config:
    """How to serve. Durations are seconds, sizes are bytes; names are uvicorn's, short flags gunicorn's.

    Defaults are meant for the open internet: every limit exists and every wait ends.
    """

    bind: tuple[str, ...] = _option(
        (),
        "--bind",
        "-b",
        help="Address to listen on: HOST:PORT, [IPv6]:PORT or unix:PATH. May be repeated; wins over --host.",
    )
    host: str = _option("127.0.0.1", "--host", help="Address to listen on.")
    port: int = _option(8000, "--port", "-p", help="Port to listen on; 0 lets the system choose.")
    uds: str | None = _option(None, "--uds", help="Unix socket to listen on; wins over --host.")
    backlog: int = _option(2048, "--backlog", help="Connections the system queues before they are accepted.")
    workers: int = _option(1, "--workers", "-w", help="Worker processes.")
    reload: bool = _option(False, "--reload/--no-reload", help="Restart when code changes (development).")
    reload_dir: tuple[str, ...] = _option(
        (), "--reload-dir", help="Directory to watch instead of the current one. May be repeated."
    )
    loop: Literal["auto", "uvloop", "asyncio"] = _option(
        "auto", "--loop", help="Event loop; auto takes uvloop where it is installed."
    )
    lifespan: Literal["auto", "on", "off"] = _option(
        "auto", "--lifespan", help="auto asks the application, on demands it, off never starts it."
    )
    root_path: str = _option("", "--root-path", help="Path under which a proxy mounts the application.")
    log_level: Literal["critical", "error", "warning", "info", "debug"] = _option(
        "info", "--log-level", help="Least severe messages to log."
    )
    access_log: bool = _option(True, "--access-log/--no-access-log", help="Log each request.")
    server_header: bool = _option(True, "--server-header/--no-server-header", help="Send the Server field.")
    date_header: bool = _option(True, "--date-header/--no-date-header", help="Send the Date field.")
    # Load balancers keep idle connections for 60 s (AWS) or longer; whoever closes first should be the balancer.
    timeout_keep_alive: float = _option(
        75.0, "--timeout-keep-alive", "--keep-alive", help="Seconds an idle connection is kept."
    )
    timeout_header: float = _option(
        10.0, "--timeout-header", help="Seconds in which a request head must arrive, from its first byte."
    )
    timeout_lifespan: float = _option(
        60.0, "--timeout-lifespan", help="Seconds the application has to start, and again to shut down."
    )
    timeout_graceful_shutdown: float = _option(
        30.0,
        "--timeout-graceful-shutdown",
        "--graceful-timeout",
        help="Seconds that requests in progress have to finish when the server stops.",
    )
    limit_request_line: int = _option(
        8190, "--limit-request-line", help="Bytes of a request line (414 above)."
    )
    limit_request_fields: int = _option(
        100, "--limit-request-fields", help="Header fields of a request (431 above)."
    )
    limit_request_field_size: int = _option(
        8190, "--limit-request-field-size", help="Bytes of one header field (431 above)."
    )
    limit_request_head: int = _option(
        32_768, "--limit-request-head", help="Bytes of a whole request head (431 above)."
    )
    limit_request_body: int = _option(
        0, "--limit-request-body", help="Bytes of a request body (413 above); 0 leaves it to the application."
    )
    ws_max_size: int = _option(
        16_777_216, "--ws-max-size", help="Bytes of one WebSocket message (closed with 1009 above)."
    )
    ws_max_queue: int = _option(
        32, "--ws-max-queue", help="WebSocket messages waiting for the application before reading pauses."
    )
    ws_ping_interval: float = _option(
        20.0, "--ws-ping-interval", help="Seconds between WebSocket pings; 0 sends none."
    )
    ws_ping_timeout: float = _option(20.0, "--ws-ping-timeout", help="Seconds in which a pong must arrive.")

    def __post_init__(self) -> None:
        for option in self.options():
            value = getattr(self, option.name)
            if option.choices and value not in option.choices:
                raise ValueError(
                    f"{option.name} {value!r} is not a choice; choose from {', '.join(option.choices)}"
                )
            if option.type in (int, float) and value < 0:
                raise ValueError(f"{option.name} {value!r} must not be negative")
        if not self.port < 65_536:
            raise ValueError(f"port {self.port} is not a port; choose from 0 to 65535")
        if self.workers < 1:
            raise ValueError(f"workers {self.workers} must be at least 1")
        if self.root_path and (not self.root_path.startswith("/") or self.root_path.endswith("/")):
            raise ValueError(f"root_path {self.root_path!r} must begin with a slash and not end with one")

    @classmethod
    def options(cls) -> Iterator[Option]:
        """Iterate over all options in the order of the help page."""
        hints = get_type_hints(cls)
        for item in dataclasses.fields(cls):
            value_type, multiple, choices, optional = _describe(hints[item.name])
            yield Option(
                item.name,
                value_type,
                item.default,
                item.metadata["help"],
                item.metadata["flags"],
                ENVIRONMENT_PREFIX + item.name.upper(),
                multiple,
                choices,
                optional,
            )

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


def _describe(hint: Any) -> tuple[type[Any], bool, tuple[str, ...], bool]:  # Any: an annotation
    """Return (type of one value, whether repeated, choices, whether None is allowed)."""
    origin, arguments = get_origin(hint), get_args(hint)
    if origin is Literal:
        return str, False, arguments, False
    if origin is tuple:
        return arguments[0], True, (), False
    if origin in (Union, types.UnionType):
        return arguments[0], False, (), True
    return hint, False, (), False
