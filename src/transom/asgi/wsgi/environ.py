"""From an ASGI scope to a WSGI environ.

WSGI holds bytes in str, each byte as the character of that number: what ASGI has decoded as UTF-8 is encoded again.

Source: PEP 3333, "environ Variables"; RFC 3875 section 4.1.
"""

from __future__ import annotations

import sys
from functools import lru_cache
from typing import TYPE_CHECKING, Any, Final
from urllib.parse import unquote_to_bytes

from transom.asgi.wsgi.filewrapper import FileWrapper

if TYPE_CHECKING:
    from wsgiref.types import InputStream, WSGIEnvironment

    from transom.asgi.types import HTTPScope

_CONSTANT: Final = {
    "wsgi.version": (1, 0),
    "wsgi.multithread": True,
    "wsgi.run_once": False,
    "wsgi.file_wrapper": FileWrapper,
    # Not in PEP 3333, but what Werkzeug, Django and gunicorn agreed on: a body without content-length may be read to its end.
    "wsgi.input_terminated": True,
}
_DEFAULT_PORTS: Final = {"http": "80", "https": "443"}


def build_environ(scope: HTTPScope, body: InputStream, *, multiprocess: bool) -> WSGIEnvironment:
    """Return the environ of one request.

    Besides the variables of PEP 3333: REMOTE_ADDR and REMOTE_PORT, RAW_URI (the target before percent-decoding) and `asgi.scope`.
    """
    root_path = scope.get("root_path") or ""
    raw_path = scope.get("raw_path") or b""
    query = scope["query_string"].decode("latin-1")
    environ: dict[str, Any] = _CONSTANT.copy()  # Any: as in WSGIEnvironment
    environ["REQUEST_METHOD"] = scope["method"]
    environ["SCRIPT_NAME"] = _to_wsgi(root_path)
    environ["PATH_INFO"] = _find_path_info(scope["path"], raw_path, root_path)
    environ["QUERY_STRING"] = query
    environ["RAW_URI"] = raw_path.decode("latin-1") + (f"?{query}" if query else "")
    environ["SERVER_PROTOCOL"] = f"HTTP/{scope['http_version']}"
    environ["wsgi.url_scheme"] = scheme = scope.get("scheme") or "http"
    environ["wsgi.input"] = body
    environ["wsgi.errors"] = sys.stderr
    environ["wsgi.multiprocess"] = multiprocess
    environ["asgi.scope"] = scope
    _add_fields(environ, scope["headers"])
    _add_addresses(environ, scope, scheme)
    return environ


def _to_wsgi(text: str) -> str:
    return text if text.isascii() else text.encode("utf-8", "surrogateescape").decode("latin-1")


def _find_path_info(path: str, raw_path: bytes, root_path: str) -> str:
    """Return the path below the root path as the bytes that were sent."""
    if "\N{REPLACEMENT CHARACTER}" in path:
        # Not UTF-8, and the bytes are lost in `path`; but if `raw_path` is still about the same path, it has them.
        sent = unquote_to_bytes(raw_path)
        if sent.decode("utf-8", "replace") == path:
            return sent.decode("latin-1").removeprefix(_to_wsgi(root_path))
    # Servers that leave the root path out of `path` are understood as well.
    if root_path and path.startswith(root_path) and path[len(root_path) : len(root_path) + 1] in ("", "/"):
        path = path[len(root_path) :]
    return _to_wsgi(path)


def _add_fields(environ: dict[str, Any], fields: Any) -> None:  # Any: an iterable of pairs
    """Add the header fields; those of one name are joined, once and at the end: no value is copied for each."""
    repeated: dict[str, list[str]] = {}
    for name, value in fields:
        key = _find_key(name)
        if key is None:
            continue
        text = value.decode("latin-1")
        if key not in environ:
            environ[key] = text
        elif key in repeated:
            repeated[key].append(text)
        else:
            repeated[key] = [environ[key], text]
    for key, values in repeated.items():
        # RFC 6265 5.4 has one Cookie field; HTTP/2 may split it (RFC 9113 8.2.3), to be joined with a semicolon.
        environ[key] = ("; " if key == "HTTP_COOKIE" else ",").join(values)


@lru_cache(maxsize=512)  # names come from clients: bounded
def _find_key(name: bytes) -> str | None:
    """Return the variable of a field name, or None for a name that would pass for another one.

    `X_Forwarded_For` and `X-Forwarded-For` have the same variable. A proxy that sets the latter lets the former through.
    """
    if b"_" in name:
        return None
    key = name.decode("latin-1").upper().replace("-", "_")
    return key if key in ("CONTENT_TYPE", "CONTENT_LENGTH") else f"HTTP_{key}"


def _add_addresses(environ: dict[str, Any], scope: HTTPScope, scheme: str) -> None:
    """Add both ends of the connection. A Unix socket has neither host nor port: then the Host field must do."""
    server, client = scope.get("server"), scope.get("client")
    if server is not None and server[1] is not None:
        environ["SERVER_NAME"], environ["SERVER_PORT"] = server[0], str(server[1])
    else:
        host, _, port = environ.get("HTTP_HOST", "").rpartition(":")
        if not port.isdigit():
            host, port = environ.get("HTTP_HOST", ""), ""
        environ["SERVER_NAME"] = host or "localhost"
        environ["SERVER_PORT"] = port or _DEFAULT_PORTS.get(scheme, "80")
    environ["REMOTE_ADDR"] = client[0] if client else ""
    if client:
        environ["REMOTE_PORT"] = str(client[1])
