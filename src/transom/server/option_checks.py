"""What single options take beyond their type: one function each, which returns what is wrong with a value, or None.

Of an option that may be repeated, the value is one of its values.
"""

from __future__ import annotations

import re
from math import inf
from typing import TYPE_CHECKING, Any, Final, TypeVar

from transom.server.http1.grammar import TOKEN
from transom.server.http2.frames.header import DEFAULT_MAX_FRAME_SIZE
from transom.server.http2.windows import DEFAULT_SIZE, MAX_SIZE
from transom.server.logs.access_format import compile_format
from transom.server.server_names import parse_server_names
from transom.server.trust import TrustedProxies

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

T = TypeVar("T")

# The server frames responses; Date and Server have options of their own.
_OURS: Final = frozenset(
    {b"connection", b"content-length", b"date", b"server", b"trailer", b"transfer-encoding", b"upgrade"}
)
_FIELD: Final = re.compile(rb"(" + TOKEN.pattern + rb"):[ \t]*([\x20-\x7e\x80-\xff\t]*?)[ \t]*")


def parse_header(text: str) -> tuple[bytes, bytes]:
    """Return name and value of `NAME:VALUE`.

    Raises:
        ValueError: it is no header field, or one that the server sets itself.
    """
    match = _FIELD.fullmatch(text.encode("latin-1", "replace"))
    if match is None:
        raise ValueError("is not NAME:VALUE")
    name = match[1].lower()
    if name in _OURS:
        raise ValueError(f"names {name.decode()}, which the server sets itself")
    return name, match[2]


def _check_header(text: str) -> str | None:
    return _find_problem(parse_header, text)


def _check_access_log_format(text: str) -> str | None:
    return _find_problem(compile_format, text)


def _find_problem(parse: Callable[[T], object], value: T) -> str | None:
    try:
        parse(value)
    except ValueError as exc:
        return str(exc)
    return None


def _check_proxy(entry: str) -> str | None:
    try:
        TrustedProxies((entry,))
    except ValueError:
        return "is no address or network; choose from 192.0.2.1, 10.0.0.0/8, 2001:db8::/32, unix and *"
    return None


def _check_port(port: int) -> str | None:
    return None if port < 65_536 else "is not a port; choose from 0 to 65535"


def _within(least: int, most: float = inf) -> Callable[[float], str | None]:
    """Return a check that a number is in a range."""
    problem = f"must be at least {least}" if most == inf else f"must be from {least} to {most}"
    return lambda number: None if least <= number <= most else problem


def _check_permissions(text: str) -> str | None:
    return None if re.fullmatch(r"[0-7]{3,4}", text) else "is not an octal mode such as 660"


def _check_root_path(path: str) -> str | None:
    if not path or (path.startswith("/") and not path.endswith("/")):
        return None
    return "must begin with a slash and not end with one"


def _check_server_name(entry: str) -> str | None:
    return _find_problem(parse_server_names, (entry,))


def find_contradiction(
    options: Mapping[str, Any],  # Any: each has a type of its own
) -> tuple[str, object, str] | None:
    """Return an option that does not go with another, its value, and what is wrong with it; or None."""
    if options["ssl_certfile"] is None:
        for name in ("ssl_keyfile", "ssl_sni", "ssl_ciphers", "ssl_ca_certs"):
            if value := options[name]:
                return name, value, "needs ssl_certfile, the certificate to show"
    demand, ca_certs = options["ssl_cert_reqs"], options["ssl_ca_certs"]
    if demand != "none" and ca_certs is None:
        return "ssl_cert_reqs", demand, "needs ssl_ca_certs, the authorities whose certificates count"
    if demand == "none" and ca_certs is not None:
        return "ssl_ca_certs", ca_certs, "is of no use with ssl_cert_reqs none; choose optional or required"
    problem = _find_problem(parse_server_names, options["ssl_sni"])
    return ("ssl_sni", options["ssl_sni"], problem) if problem else None


CHECKS: Final[Mapping[str, Callable[[Any], str | None]]] = {  # Any: each takes its option's type
    "access_log_format": _check_access_log_format,
    "forwarded_allow_ips": _check_proxy,
    "header": _check_header,
    "http2_budget_period": _within(1),  # our clock is not finer
    "http2_connection_window_size": _within(DEFAULT_SIZE, MAX_SIZE),  # it can only be made larger
    "http2_initial_window_size": _within(1, MAX_SIZE),
    "http2_max_block_size": _within(DEFAULT_MAX_FRAME_SIZE),
    "http2_max_client_resets": _within(1),
    "http2_max_concurrent_streams": _within(1, 0x7FFF_FFFF),
    "http2_max_continuations": _within(1),
    "http2_max_control_frames": _within(20),  # the settings that a client begins with are some
    "http2_max_empty_data": _within(1),
    "http2_max_refused_streams": _within(1),
    "http2_max_server_resets": _within(1),
    "http2_max_window_updates": _within(1),
    "port": _check_port,
    "root_path": _check_root_path,
    "ssl_sni": _check_server_name,
    "uds_permissions": _check_permissions,
    "workers": _within(1),
    "wsgi_threads": _within(1),
}
