"""What is asked for, the same for every HTTP version: in a request line, or in the pseudo-fields of HTTP/2."""

from __future__ import annotations

from typing import NamedTuple
from urllib.parse import unquote_to_bytes


class RequestLine(NamedTuple):
    """The parts of a request line.

    Attributes:
        method: upper-case name.
        raw_path: path of the request target as received, without query; `*` for the asterisk-form.
        path: the same, decoded.
        query: what follows the first `?` of the target, without it.
        http_version: "1.0" or "1.1", as in an ASGI scope.
        authority: of a target in absolute-form, else None.
    """

    method: str
    raw_path: bytes
    path: str
    query: bytes
    http_version: str
    authority: bytes | None


def decode_path(raw_path: bytes) -> str:
    """Return the path for people: percent-decoded, then UTF-8 with U+FFFD for what is none.

    Dots, double slashes and semicolons stay: they are the application's to judge.

    Source: ASGI HTTP specification 2.5, "path".
    """
    # Not `b"%" in raw_path`: CPython tries the operand as a number first, and the exception inside costs ten times the search.
    if raw_path.find(b"%") == -1:
        return raw_path.decode("utf-8", "replace")
    return unquote_to_bytes(raw_path).decode("utf-8", "replace")
