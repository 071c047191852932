"""Listening sockets: from the options to bound sockets, with errors one can act on."""

from __future__ import annotations

import contextlib
import errno
import os
import socket
import stat
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

from transom.server.exceptions import BindError
from transom.server.sockets.systemd import take_descriptors

if TYPE_CHECKING:
    from collections.abc import Sequence

    from transom.server.config import Config

_HINTS: Final = {
    errno.EADDRINUSE: "another process listens there; stop it or choose another port with --port",
    errno.EACCES: "this user may not listen there; choose a port above 1023 or another path",
    errno.EADDRNOTAVAIL: "this machine has no such address; 0.0.0.0 means all",
    errno.ENOENT: "its directory does not exist; create it or choose another path",
    errno.EBADF: "nobody handed such a descriptor down to this process",
    errno.ENOTSOCK: "it is not a socket; hand down one that is bound and listens",
}
_ABSENT: Final = (errno.EADDRNOTAVAIL, errno.EAFNOSUPPORT)  # a family which this machine has not
_TRIES: Final = 8  # to find a free port that is free in every family


class BoundSocket(socket.socket):
    """A socket that this process bound itself: whoever closes it removes the file of a Unix socket.

    Those that were handed down, by systemd or a parent, are plain sockets: their addresses are not ours to bind or remove.
    """

    _file: tuple[str, int, int, int] | None = None  # path, device and inode, and our process

    def bind_file(self, path: str, permissions: int) -> None:
        """Bind a path in the file system.

        Raises:
            OSError: as `bind`.
        """
        self.bind(path)
        # Nobody can connect before `listen`, so there is no moment with other permissions.
        os.chmod(path, permissions)
        status = os.stat(path)
        self._file = path, status.st_dev, status.st_ino, os.getpid()

    def close(self) -> None:
        """Close, and remove the file if it is still this socket's: another process may have bound the path again.

        A process that was forked has a copy, and does not remove it.
        """
        super().close()
        file, self._file = self._file, None
        if file is not None:
            with contextlib.suppress(OSError):
                status = os.stat(file[0])
                if (status.st_dev, status.st_ino, os.getpid()) == file[1:]:
                    os.unlink(file[0])


def bind_sockets(config: Config, *, reuse_port: bool = False) -> list[socket.socket]:
    """Return the bound sockets for all addresses of the options; a host name may stand for several.

    Where no address was chosen, those that systemd hands down are taken, if it does.

    Args:
        config: `bind` wins over `uds`, which wins over `fd`, which wins over `host` and `port`.
        reuse_port: let several processes bind the same TCP address, each with a queue of its own.

    Raises:
        BindError: an address is malformed, in use, not ours, or not allowed. None is left open.
    """
    sockets: list[socket.socket] = []
    try:
        for address in _addresses(config):
            sockets += bind_address(address, int(config.uds_permissions, 8), reuse_port=reuse_port)
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
    if config.fd is not None:
        return [f"fd://{config.fd}"]
    default = type(config)()
    if (config.host, config.port) == (default.host, default.port) and (inherited := take_descriptors()):
        return [f"fd://{descriptor}" for descriptor in inherited]
    host = f"[{config.host}]" if ":" in config.host else config.host
    return [f"{host}:{config.port}"]


def bind_address(
    address: str, permissions: int = 0o666, *, reuse_port: bool = False, option: str = "--port"
) -> list[socket.socket]:
    """Return the sockets for one address as `--bind` takes it; those of Unix sockets get the permissions.

    Raises:
        BindError: as `bind_sockets`.
    """
    try:
        if address.startswith("unix:"):
            return [_bind_unix(address.removeprefix("unix:"), permissions)]
        if address.startswith("fd://"):
            return [_adopt(address.removeprefix("fd://"))]
        return _bind_name(*parse_address(address), reuse_port)
    except OSError as exc:
        raise explain(address, exc, option) from exc


def explain(address: str, error: OSError, option: str = "--port") -> BindError:
    """Return the error that says which address cannot be listened on, why, and what to do."""
    hint = _HINTS.get(error.errno or 0, "check the address").replace("--port", option)
    return BindError(f"cannot listen on {address}: {error.strerror or error}; {hint}")


def parse_address(address: str) -> tuple[str, int]:
    """Return host and port of `HOST:PORT`, `[IPv6]:PORT`, `:PORT` (all addresses) or `PORT` (this machine only).

    Raises:
        BindError: it is none of these.
    """
    host, colon, port = address.rpartition(":")
    if not (port.isascii() and port.isdecimal()) or int(port) > 65_535 or (":" in host and host[0] != "["):
        raise BindError(
            f"malformed address {address!r}; use HOST:PORT, [IPv6]:PORT, unix:PATH or fd://NUMBER"
        )
    if not host:
        return "0.0.0.0" if colon else "127.0.0.1", int(port)  # noqa: S104  the user asked for all addresses
    return host.strip("[]"), int(port)


def _bind_name(host: str, port: int, reuse_port: bool) -> list[socket.socket]:
    """Bind every address of a name, such as 127.0.0.1 and ::1 of localhost, to the same port."""
    found = socket.getaddrinfo(host, port, type=socket.SOCK_STREAM, flags=socket.AI_PASSIVE)
    addresses = list(dict.fromkeys((family, address) for family, _, _, _, address in found))
    for attempt in range(_TRIES):
        try:
            return _bind_all(addresses, reuse_port)
        except OSError as exc:
            # Port 0: the one that was free in the first family need not be in the second.
            if port != 0 or exc.errno != errno.EADDRINUSE or attempt == _TRIES - 1:
                raise
    raise AssertionError("the last attempt returns or raises")


def _bind_all(
    addresses: Sequence[tuple[int, tuple[Any, ...]]],  # Any: the shape of an address depends on the family
    reuse_port: bool,
) -> list[socket.socket]:
    sockets: list[socket.socket] = []
    failed: OSError | None = None
    for family, (host, port, *rest) in addresses:
        if port == 0 and sockets:
            port = sockets[0].getsockname()[1]
        try:
            sockets.append(_bind_tcp(family, (host, port, *rest), reuse_port))
        except OSError as exc:
            failed = exc
            if exc.errno not in _ABSENT:
                break
    if failed is not None and (not sockets or failed.errno not in _ABSENT):
        for opened in sockets:
            opened.close()
        raise failed
    return sockets


def _bind_tcp(family: int, address: tuple[Any, ...], reuse_port: bool) -> socket.socket:
    # The protocol is named for asyncio, which sends small pieces at once (TCP_NODELAY) only where it is.
    listener = BoundSocket(family, socket.SOCK_STREAM, socket.IPPROTO_TCP)
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


def _bind_unix(path: str, permissions: int) -> socket.socket:
    _remove_stale(path)
    listener = BoundSocket(socket.AF_UNIX)
    try:
        listener.bind_file(path, permissions)
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


def _adopt(number: str) -> socket.socket:
    """Return the socket of a descriptor that was handed down."""
    if not (number.isascii() and number.isdecimal()):
        raise BindError(f"malformed address 'fd://{number}'; use fd:// and the number of a descriptor")
    listener = socket.socket(fileno=int(number))
    if flaw := _find_flaw(listener):
        listener.detach()  # it is not ours to close
        raise BindError(
            f"cannot listen on fd://{number}: it is {flaw}; hand down a TCP or Unix stream socket"
        )
    listener.set_inheritable(False)
    listener.setblocking(False)
    return listener


def _find_flaw(listener: socket.socket) -> str:
    """Return what is handed down in place of a socket to listen on, or an empty string."""
    families = (socket.AF_INET, socket.AF_INET6, socket.AF_UNIX)
    if listener.type != socket.SOCK_STREAM or listener.family not in families:
        return f"{listener.family.name} {listener.type.name}"
    try:
        listener.getpeername()
    except OSError:
        return ""
    return "a connection"


def describe_socket(listener: socket.socket, *, secure: bool = False) -> str:
    """Return the address for people: a URL, or `unix:PATH`."""
    if listener.family == socket.AF_UNIX:
        return f"unix:{listener.getsockname()}"
    host, port = listener.getsockname()[:2]
    scheme = "https" if secure else "http"
    return f"{scheme}://[{host}]:{port}" if ":" in host else f"{scheme}://{host}:{port}"
