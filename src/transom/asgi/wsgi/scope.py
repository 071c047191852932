"""From a WSGI environ to an ASGI scope.

Source: PEP 3333, "environ Variables"; ASGI HTTP specification 2.5, "HTTP Connection Scope".
"""

from __future__ import annotations

from functools import lru_cache
from typing import TYPE_CHECKING, Any
from urllib.parse import quote

if TYPE_CHECKING:
    from wsgiref.types import WSGIEnvironment

    from transom.asgi.types import Headers


def build_scope(environ: WSGIEnvironment, state: dict[str, Any] | None) -> dict[str, Any]:
    """Return the scope of one request; besides what ASGI has in it, `wsgi.environ`.

    Args:
        environ: of the request.
        state: what the application kept at start-up, or None if it has no lifespan.
    """
    root_path = environ.get("SCRIPT_NAME", "").encode("latin-1")
    path = root_path + environ.get("PATH_INFO", "").encode("latin-1")
    scope: dict[str, Any] = {
        "type": "http",
        "asgi": {"version": "3.0", "spec_version": "2.5"},
        "http_version": _find_version(environ.get("SERVER_PROTOCOL", "")),
        "method": environ["REQUEST_METHOD"].upper(),
        "scheme": environ.get("wsgi.url_scheme", "http"),
        "path": path.decode("utf-8", "replace"),
        "raw_path": _find_raw_path(environ, path),
        "query_string": environ.get("QUERY_STRING", "").encode("latin-1"),
        "root_path": root_path.decode("utf-8", "replace"),
        "headers": _find_headers(environ),
        "client": _find_address(environ.get("REMOTE_ADDR"), environ.get("REMOTE_PORT")),
        "server": _find_address(environ.get("SERVER_NAME"), environ.get("SERVER_PORT")),
        "extensions": {},
        "wsgi.environ": environ,
    }
    if state is not None:
        scope["state"] = state.copy()
    return scope


def _find_version(protocol: str) -> str:
    version = protocol.partition("/")[2] or "1.1"
    return {"2.0": "2", "3.0": "3"}.get(version, version)


def _find_raw_path(environ: WSGIEnvironment, path: bytes) -> bytes:
    """Return the path as it was sent where the server tells (gunicorn, uWSGI), else encoded again."""
    target: str = environ.get("RAW_URI") or environ.get("REQUEST_URI") or ""
    if target.startswith("/"):
        return target.partition("?")[0].encode("latin-1")
    return quote(path, safe="/!$&'()*+,;=:@~").encode()  # RFC 3986 3.3: what a path may hold as it is


def _find_headers(environ: WSGIEnvironment) -> Headers:
    headers: Headers = []
    for key, value in environ.items():
        name = _find_name(key)
        if name is not None and value:
            headers.append((name, value.encode("latin-1")))
    return headers


@lru_cache(maxsize=1024)
def _find_name(key: str) -> bytes | None:
    if key in ("CONTENT_TYPE", "CONTENT_LENGTH"):
        return key.lower().replace("_", "-").encode()
    if key.startswith("HTTP_") and key not in ("HTTP_CONTENT_TYPE", "HTTP_CONTENT_LENGTH"):
        return key[5:].lower().replace("_", "-").encode("latin-1")
    return None


def _find_address(host: str | None, port: str | None) -> tuple[str, int] | None:
    if not host:
        return None
    return host, int(port) if port and port.isascii() and port.isdigit() else 0
