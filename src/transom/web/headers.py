"""Header fields: those of a request, read-only, and those of a response, checked as they are set."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Mapping, MutableMapping, Sequence
from functools import lru_cache
from typing import TypeAlias, TypeVar, cast, overload

__all__ = ["Headers", "HeadersInit", "MutableHeaders", "encode_header"]

HeadersInit: TypeAlias = Mapping[str, str] | Iterable[tuple[str, str]]
RawHeaders: TypeAlias = list[tuple[bytes, bytes]]
T = TypeVar("T")

TOKEN = re.compile(r"[!#$%&'*+\-.^_`|~0-9A-Za-z]+")
# RFC 9110 5.5: visible characters, obs-text, space and tab; so no CR, LF or NUL can split a response.
FORBIDDEN_IN_VALUE = re.compile(r"[^\t\x20-\x7e\x80-\xff]")


class _FieldMapping(Mapping[str, str]):
    """Reading by name over a list of raw field lines; names ignore case."""

    __slots__ = ("raw",)

    raw: RawHeaders

    def getlist(self, name: str) -> list[str]:
        """Return the value of every line of this name, in order."""
        return [value.decode("latin-1") for value in self._find(_lookup_key(name))]

    @overload
    def get(self, name: str, /) -> str | None: ...
    @overload
    def get(self, name: str, /, default: str | T) -> str | T: ...
    def get(self, name: str, /, default: str | T | None = None) -> str | T | None:
        """Return the value of a field, or the default; the mapping's own would raise and catch an error to find out."""
        values = self._find(_lookup_key(name))
        return _join(name, values) if values else default

    def __getitem__(self, name: str) -> str:
        values = self._find(_lookup_key(name))
        if not values:
            raise KeyError(name)
        return _join(name, values)

    def __contains__(self, name: object) -> bool:
        return isinstance(name, str) and bool(self._find(_lookup_key(name)))

    def _find(self, key: bytes) -> Sequence[bytes]:
        return [value for field, value in self.raw if field == key]

    def __iter__(self) -> Iterator[str]:
        return iter(dict.fromkeys(field.decode("latin-1") for field, _ in self.raw))

    def __len__(self) -> int:
        return len({field for field, _ in self.raw})

    def __repr__(self) -> str:
        # Names only: values hold cookies and credentials, and a repr ends up in logs.
        return f"<{type(self).__name__} {', '.join(self)}>"

    def multi_items(self) -> list[tuple[str, str]]:
        """Return every line as (name, value), in order."""
        return [(field.decode("latin-1"), value.decode("latin-1")) for field, value in self.raw]


class Headers(_FieldMapping):
    """The immutable header fields of a request.

    `headers["accept"]` ignores the case of the name; lines of one name are joined as RFC 9110 section 5.3 says, and
    `getlist` keeps them apart. The scope's list is indexed when a field is first asked for.

    Args:
        raw: lower-case names and values, as in `scope["headers"]`.
    """

    __slots__ = ("_index",)

    def __init__(self, raw: RawHeaders | None = None) -> None:
        self.raw = [] if raw is None else raw
        self._index: dict[bytes, list[bytes]] | None = None

    def _find(self, key: bytes) -> Sequence[bytes]:
        index = self._index
        if index is None:
            index = self._index = _build_index(self.raw)
        return index.get(key, ())


class MutableHeaders(_FieldMapping, MutableMapping[str, str]):
    """The header fields of a response: a mapping whose names ignore case, and which `add` lets repeat.

    Raises:
        ValueError: a name is no token, or a value holds CR, LF, NUL or another control character, or text outside
            latin-1.

    Args:
        headers: a mapping or pairs to start from.
    """

    __slots__ = ()

    def __init__(self, headers: HeadersInit | None = None) -> None:
        self.raw = []
        if headers is not None:
            self.raw.extend(encode_header(name, value) for name, value in _pairs(headers))

    def __setitem__(self, name: str, value: str) -> None:
        """Replace every line of this name by one, in the place of the first."""
        self.set_raw(*encode_header(name, value))

    def set_raw(self, name: bytes, value: bytes) -> None:
        """Do what `headers[name] = value` does, unchecked: for a lower-case name and a value known to be well formed."""
        for index, (field, _) in enumerate(self.raw):
            if field == name:
                self.raw[index:] = [
                    (name, value),
                    *(line for line in self.raw[index + 1 :] if line[0] != name),
                ]
                return
        self.raw.append((name, value))

    def __delitem__(self, name: str) -> None:
        key = _lookup_key(name)
        kept = [line for line in self.raw if line[0] != key]
        if len(kept) == len(self.raw):
            raise KeyError(name)
        self.raw[:] = kept

    def add(self, name: str, value: str) -> None:
        """Append a line and keep those that are there; for `set-cookie`, `link` and the like."""
        self.raw.append(encode_header(name, value))

    def add_vary(self, *names: str) -> None:
        """Add names to `vary`, each once; `*` is left alone, since it covers everything."""
        present = [item.strip() for item in self.get("vary", "").split(",") if item.strip()]
        known = {item.lower() for item in present}
        new = [name for name in names if name.lower() not in known]
        if new and "*" not in known:
            self["vary"] = ", ".join([*present, *new])


def encode_header(name: str, value: str) -> tuple[bytes, bytes]:
    """Return a field line as ASGI wants it, its name in lower case.

    Raises:
        ValueError: see `MutableHeaders`.

    Source: RFC 9110 sections 5.1 and 5.5.
    """
    if bad := FORBIDDEN_IN_VALUE.search(value):
        raise ValueError(
            f"value of header {name!r} holds {bad.group()!r} at {bad.start()}; remove control characters and "
            "percent-encode what is not latin-1"
        )
    return _encode_name(name), value.strip(" \t").encode("latin-1")


def _pairs(headers: HeadersInit) -> Iterable[tuple[str, str]]:
    # The cast: a pair of strings is never a Mapping, but an iterable of them could claim to be one.
    return cast("Mapping[str, str]", headers).items() if isinstance(headers, Mapping) else headers


@lru_cache(maxsize=512)
def _encode_name(name: str) -> bytes:
    if not TOKEN.fullmatch(name):
        raise ValueError(f"header name {name!r} is no token; use letters, digits and hyphens")
    return name.lower().encode("ascii")


@lru_cache(maxsize=512)
def _lookup_key(name: str) -> bytes:
    # A name outside latin-1 is in no request: a question mark is in no field name, so it finds nothing.
    return name.lower().encode("latin-1", "replace")


def _build_index(raw: RawHeaders) -> dict[bytes, list[bytes]]:
    index: dict[bytes, list[bytes]] = {}
    for field, value in raw:
        if field in index:
            index[field].append(value)
        else:
            index[field] = [value]
    return index


def _join(name: str, values: Sequence[bytes]) -> str:
    if len(values) == 1:
        return values[0].decode("latin-1")
    # RFC 9110 5.3: repeated lines mean their values joined by commas; RFC 9113 8.2.3: cookies by semicolons.
    separator = b"; " if name.lower() == "cookie" else b", "
    return separator.join(values).decode("latin-1")
