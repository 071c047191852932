"""Shapes of scopes and messages as data: which keys, which types, which are needed.

A shape maps a key to the test its value must pass. Unknown keys are allowed everywhere: ASGI lets either side add some.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from typing import Any, TypeAlias

Test: TypeAlias = Callable[[Any], bool]  # Any: whether it is what it should be is the question


@dataclass(frozen=True, slots=True)
class Field:
    """One key: what its value must be, in words and as a test, and whether it may be left out."""

    expected: str
    test: Test
    required: bool = True


Shape: TypeAlias = Mapping[str, Field]

_NAME = re.compile(rb"[!#$%&'*+\-.^_`|~0-9a-z]+")


def find_fault(shape: Shape, value: Mapping[str, Any]) -> str | None:  # Any: as in Test
    """Return what is wrong with a dict of that shape, or None."""
    for key, field in shape.items():
        if key not in value:
            if field.required:
                return f"{key!r} is missing, expected {field.expected}"
        elif not field.test(value[key]):
            return f"{key!r} is {value[key]!r}, expected {field.expected}"
    return None


def _is_int(value: object) -> bool:
    return isinstance(value, int) and not isinstance(value, bool)


def _is_optional(kind: type) -> Test:
    return lambda value: value is None or isinstance(value, kind)


def _is_headers(value: object) -> bool:
    if isinstance(value, (str, bytes, Mapping)) or not isinstance(value, Iterable):
        return False
    items: list[object] = list(value)  # pyright: ignore[reportUnknownArgumentType]  what is in it is looked at next
    return all(_is_header(item) for item in items)


def _is_header(item: Any) -> bool:  # Any: as in Test
    if not _is_sequence(item) or len(item) != 2:
        return False
    name, value = item
    return (
        isinstance(name, bytes)
        and isinstance(value, bytes)
        and _NAME.fullmatch(name) is not None  # lower case, and no pseudo header
        and not any(code in value for code in b"\r\n\0")
    )


def _is_address(value: Any) -> bool:  # Any: as in Test
    return value is None or (
        _is_sequence(value)
        and len(value) == 2
        and isinstance(value[0], str)
        and (_is_int(value[1]) or value[1] is None)
    )


def _is_versions(value: Any) -> bool:  # Any: as in Test
    return (
        _is_dict(value) and value.get("version") in ("2.0", "3.0") and _is_str(value.get("spec_version", ""))
    )


def _is_str(value: object) -> bool:
    return isinstance(value, str)


def _is_bool(value: object) -> bool:
    return isinstance(value, bool)


def _is_dict(value: object) -> bool:
    return isinstance(value, dict)


def _is_sequence(value: object) -> bool:
    return isinstance(value, (list, tuple))


VERSIONS = Field('a dict with "version" "3.0"', _is_versions)
HEADERS = Field("an iterable of pairs (lower-case name, value) of bytes without CR, LF and NUL", _is_headers)
ADDRESS = Field("a pair (host, port) or None", _is_address, required=False)
STR = Field("a str", _is_str)
BYTES = Field("bytes", lambda value: isinstance(value, bytes))
OPTIONAL_BYTES = Field("bytes or None", _is_optional(bytes), required=False)
OPTIONAL_STR = Field("a str or None", _is_optional(str), required=False)
OPTIONAL_BOOL = Field("a bool", _is_bool, required=False)
# Wider than the letter of the specification, as every server is.
BODY = Field(
    "bytes, bytearray or memoryview",
    lambda value: isinstance(value, (bytes, bytearray, memoryview)),
    required=False,
)


def _optional(field: Field) -> Field:
    return Field(field.expected, field.test, required=False)


_CONNECTION: Shape = {
    "asgi": VERSIONS,
    "http_version": Field('"1.0", "1.1", "2" or "3"', lambda value: value in ("1.0", "1.1", "2", "3")),
    "path": STR,
    "raw_path": OPTIONAL_BYTES,
    "query_string": BYTES,
    "root_path": _optional(STR),
    "headers": HEADERS,
    "client": ADDRESS,
    "server": ADDRESS,
    "state": Field("a dict", _is_dict, required=False),
    "extensions": Field(
        "a dict of dicts, or None", lambda value: value is None or _is_dict(value), required=False
    ),
}

SCOPES: Mapping[str, Shape] = {
    "http": {
        **_CONNECTION,
        "method": Field(
            "an upper-case str", lambda value: _is_str(value) and bool(value) and value == value.upper()
        ),
        "scheme": Field('"http" or "https"', lambda value: value in ("http", "https"), required=False),
    },
    "websocket": {
        **_CONNECTION,
        "scheme": Field('"ws" or "wss"', lambda value: value in ("ws", "wss"), required=False),
        "subprotocols": Field(
            "a list of str",
            lambda value: _is_sequence(value) and all(map(_is_str, value)),
            required=False,
        ),
    },
    "lifespan": {"asgi": VERSIONS, "state": Field("a dict", _is_dict, required=False)},
}

MESSAGES: Mapping[str, Shape] = {
    "http.request": {"body": _optional(BYTES), "more_body": OPTIONAL_BOOL},
    "http.disconnect": {},
    "http.response.start": {
        "status": Field("an int from 200 to 599", lambda value: _is_int(value) and 200 <= value <= 599),
        "headers": _optional(HEADERS),
        "trailers": OPTIONAL_BOOL,
    },
    "http.response.body": {"body": BODY, "more_body": OPTIONAL_BOOL},
    "http.response.trailers": {"headers": _optional(HEADERS), "more_trailers": OPTIONAL_BOOL},
    "http.response.pathsend": {"path": STR},
    "http.response.zerocopysend": {
        "file": Field("an open file with a descriptor", lambda value: hasattr(value, "fileno")),
        "offset": Field("an int", _is_int, required=False),
        "count": Field("an int", _is_int, required=False),
        "more_body": OPTIONAL_BOOL,
    },
    "http.response.early_hint": {
        "links": Field("an iterable of bytes", lambda value: isinstance(value, Iterable))
    },
    "http.response.push": {"path": STR, "headers": HEADERS},
    "websocket.connect": {},
    "websocket.receive": {"bytes": OPTIONAL_BYTES, "text": OPTIONAL_STR},
    "websocket.disconnect": {"code": Field("an int", _is_int), "reason": OPTIONAL_STR},
    "websocket.accept": {"subprotocol": OPTIONAL_STR, "headers": _optional(HEADERS)},
    "websocket.send": {"bytes": OPTIONAL_BYTES, "text": OPTIONAL_STR},
    "websocket.close": {
        "code": Field(
            "a close code: 1000-1014 or 3000-4999", lambda value: _is_close_code(value), required=False
        ),
        "reason": OPTIONAL_STR,
    },
    "websocket.http.response.start": {
        "status": Field("an int from 200 to 599", lambda value: _is_int(value) and 200 <= value <= 599),
        "headers": _optional(HEADERS),
    },
    "websocket.http.response.body": {"body": BODY, "more_body": OPTIONAL_BOOL},
    "lifespan.startup": {},
    "lifespan.shutdown": {},
    "lifespan.startup.complete": {},
    "lifespan.startup.failed": {"message": _optional(STR)},
    "lifespan.shutdown.complete": {},
    "lifespan.shutdown.failed": {"message": _optional(STR)},
}


def _is_close_code(value: object) -> bool:
    # RFC 6455 7.4: 1004 is reserved; 1005, 1006 and 1015 say what happened, they are never sent.
    return isinstance(value, int) and (
        value in (1000, 1001, 1002, 1003, *range(1007, 1015)) or 3000 <= value <= 4999
    )
