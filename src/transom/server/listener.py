"""Listening sockets: from the options to bound sockets, with errors one can act on."""

from __future__ import annotations

import errno
import os
import socket
import stat
from pathlib import Path
from typing import TYPE_CHECKING

from transom.server.exceptions import BindError

if TYPE_CHECKING:
    from transom.server.config import Config

_HINTS = {
    errno.EADDRINUSE: "another process listens there; stop it or choose another port with --port",
    errno.EACCES: "this user may not listen there; choose a port above 1023 or another path",
    errno.EADDRNOTAVAIL: "this machine has no such address; 0.0.0.0 means all",
}


def bind_sockets(config: Config, *, reuse_port: bool = False) -> list[socket.socket]:
    """Return one bound socket, not yet listening, per address of the options.

    Args:
        config: `bind` wins over `uds`, which wins over `host` and `port`.
        reuse_port: let several processes bind the same TCP address, each with a queue of its own.

    Raises:
        BindError: an address is malformed, in use, not ours, or not allowed. None is left open.
    """
    sockets: list[socket.socket] = []
    try:
        for address in _addresses(config):
            sockets.append(_bind(address, reuse_port))
    except BindError:
        for opened in sockets:
            opened.close()
        raise
    return sockets


def _addresses(config: Config) -> list[str]:
    if config.bind:
        return list(config.bind)
    if config.uds is not None:
        return [f"unix:{config.uds}"]
    host = f"[{config.host}]" if ":" in config.host else config.host
    return [f"{host}:{config.port}"]


def _bind(address: str, reuse_port: bool) -> socket.socket:
    try:
        if address.startswith("unix:"):
            return _bind_unix(address.removeprefix("unix:"))
        return _bind_tcp(*parse_address(address), reuse_port)
    except OSError as exc:
        hint = _HINTS.get(exc.errno or 0, "check the address")
        raise BindError(f"cannot listen on {address}: {exc.strerror or exc}; {hint}") from exc


def parse_address(address: str) -> tuple[str, int]:
    """Return host and port of `HOST:PORT`, `[IPv6]:PORT`, `:PORT` (all addresses) or `PORT` (this machine only).

    Raises:
        BindError: it is none of these.
    """
    host, colon, port = address.rpartition(":")
    if not port.isdecimal() or int(port) > 65_535 or (":" in host and not host.startswith("[")):
        raise BindError(f"malformed address {address!r}; use HOST:PORT, [IPv6]:PORT or unix:PATH")
    if not host:
        return "0.0.0.0" if colon else "127.0.0.1", int(port)  # noqa: S104  the user asked for all addresses
    return host.strip("[]"), int(port)


def _bind_tcp(host: str, port: int, reuse_port: bool) -> socket.socket:
    found = socket.getaddrinfo(host, port, type=socket.SOCK_STREAM, flags=socket.AI_PASSIVE)
    family, kind, protocol, _, address = found[0]
    listener = socket.socket(family, kind, protocol)
    try:
        listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        if reuse_port:
            listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEPORT, 1)
        if family == socket.AF_INET6:
            # So that [::]:8000 and 0.0.0.0:8000 can be bound side by side, on every system.
            listener.setsockopt(socket.IPPROTO_IPV6, socket.IPV6_V6ONLY, 1)
        listener.bind(address)
        listener.setblocking(False)
    except OSError:
        listener.close()
        raise
    return listener


def _bind_unix(path: str) -> socket.socket:
    _remove_stale(path)
    listener = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
    try:
        listener.bind(path)
        os.chmod(path, 0o666)  # noqa: S103  as uvicorn and gunicorn do: the proxy often is another user; the directory decides
        listener.setblocking(False)
    except OSError:
        listener.close()
        raise
    return listener


def _remove_stale(path: str) -> None:
    """Remove a socket that nobody listens on any more, and nothing else."""
    try:
        if not stat.S_ISSOCK(os.stat(path).st_mode):
            return
    except FileNotFoundError:
        return
    with socket.socket(socket.AF_UNIX, socket.SOCK_STREAM) as probe:
        try:
            probe.connect(path)
        except ConnectionRefusedError:
            Path(path).unlink(missing_ok=True)


def describe_socket(listener: socket.socket) -> str:
    """Return the address for people: a URL, or `unix:PATH`."""
    if listener.family == socket.AF_UNIX:
        return f"unix:{listener.getsockname()}"
    host, port = listener.getsockname()[:2]
    return f"http://[{host}]:{port}" if ":" in host else f"http://{host}:{port}"
