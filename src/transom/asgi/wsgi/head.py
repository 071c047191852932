"""What a WSGI application gives to `start_response`, checked and as an ASGI message.

Source: PEP 3333, "The start_response() Callable"; RFC 9110 section 5.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from functools import lru_cache
from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    from collections.abc import Iterable

_STATUS = re.compile(r"([2-5][0-9][0-9])(?: [\t\x20-\x7e\x80-\xff]*)?")
_TOKEN = re.compile(r"[!#$%&'*+\-.^_`|~0-9A-Za-z]+")
_NOT_IN_VALUES = re.compile(r"[^\t\x20-\x7e\x80-\xff]")
# PEP 3333 forbids them to applications; as gunicorn does, they are left out and not held against it.
HOP_BY_HOP: Final = frozenset(
    {
        *("connection", "keep-alive", "proxy-authenticate", "proxy-authorization"),
        *("te", "trailer", "trailers", "transfer-encoding", "upgrade"),
    }
)
BODILESS: Final = frozenset({204, 304})


@dataclass(slots=True)
class Head:
    """Status and fields of a response.

    `content_length` is what the application promised, or None.
    """

    status: int
    fields: list[tuple[bytes, bytes]]
    content_length: int | None = None

    @classmethod
    def parse(cls, status: str, fields: Iterable[tuple[str, str]]) -> Head:
        """Return the head that the application described. The reason phrase is dropped: ASGI has no place for it.

        Raises:
            ValueError: the status is not like "200 OK", or a field is malformed.
            TypeError: something is not a str.
        """
        head = cls(_parse_status(status), [])
        for name, value in fields:
            encoded = _encode_name(name)
            if encoded is None:
                continue
            data = _encode_value(name, value)
            if encoded == b"content-length":
                head.content_length = _parse_length(value)
            head.fields.append((encoded, data))
        return head

    def set_length(self, size: int) -> None:
        """Promise that many bytes, if nothing was promised and a body may follow."""
        if self.content_length is None and self.status not in BODILESS:
            self.content_length = size
            self.fields.append((b"content-length", b"%d" % size))

    def to_message(self) -> dict[str, object]:
        """Return the ASGI message."""
        return {"type": "http.response.start", "status": self.status, "headers": self.fields}


@lru_cache(maxsize=256)
def _parse_status(status: str) -> int:
    match = _STATUS.fullmatch(status) if isinstance(status, str) else None  # pyright: ignore[reportUnnecessaryIsInstance]
    if match is None:
        raise ValueError(f"status {status!r} is malformed; it must be like '200 OK', and final")
    return int(match[1])


@lru_cache(maxsize=1024)
def _encode_name(name: str) -> bytes | None:
    """Return the name in lower case, or None if the field is not for the application to set."""
    if not isinstance(name, str):  # pyright: ignore[reportUnnecessaryIsInstance]
        raise TypeError(f"header name {name!r} must be str, not {type(name).__name__}")
    if _TOKEN.fullmatch(name) is None:
        raise ValueError(f"header name {name!r} is not a token (RFC 9110 section 5.1)")
    lower = name.lower()
    return None if lower in HOP_BY_HOP else lower.encode()


def _encode_value(name: str, value: str) -> bytes:
    if not isinstance(value, str):  # pyright: ignore[reportUnnecessaryIsInstance]
        raise TypeError(f"value of header {name!r} must be str, not {type(value).__name__}")
    if not (value.isascii() and value.isprintable()) and _NOT_IN_VALUES.search(value):
        # Not shown: it may be a secret, and what is wrong with it can be told without.
        raise ValueError(
            f"value of header {name!r} holds a control character, or one beyond latin-1 (RFC 9110 section 5.5)"
        )
    return value.strip(" \t").encode("latin-1")


def _parse_length(value: str) -> int:
    if not (value.isascii() and value.isdigit()):
        raise ValueError(f"content-length {value!r} is not a number")
    return int(value)
