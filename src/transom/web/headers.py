"""Header fields: those of a request, read-only, and those of a response, checked as they are set."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Mapping, MutableMapping
from functools import lru_cache
from typing import TypeAlias, cast

__all__ = ["Headers", "HeadersInit", "MutableHeaders", "encode_header"]

HeadersInit: TypeAlias = Mapping[str, str] | Iterable[tuple[str, str]]
RawHeaders: TypeAlias = list[tuple[bytes, bytes]]

TOKEN = re.compile(r"[!#$%&'*+\-.^_`|~0-9A-Za-z]+")
# RFC 9110 5.5: visible characters, obs-text, space and tab; so no CR, LF or NUL can split a response.
FORBIDDEN_IN_VALUE = re.compile(r"[^\t\x20-\x7e\x80-\xff]")


class _FieldMapping(Mapping[str, str]):
    """Reading by name over a list of raw field lines; names ignore case."""

    __slots__ = ("raw",)

    raw: RawHeaders

    def getlist(self, name: str) -> list[str]:
        """Return the value of every line of this name, in order."""
        key = _lookup_key(name)
        return [value.decode("latin-1") for field, value in self.raw if field == key]

    def __getitem__(self, name: str) -> str:
        values = self.getlist(name)
        if not values:
            raise KeyError(name)
        # RFC 9110 5.3: repeated lines mean their values joined by commas; RFC 9113 8.2.3: cookies by semicolons.
        return values[0] if len(values) == 1 else _separator(name).join(values)

    def __contains__(self, name: object) -> bool:
        return isinstance(name, str) and any(field == _lookup_key(name) for field, _ in self.raw)

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

    def getlist(self, name: str) -> list[str]:
        """Return the value of every line of this name, in order."""
        return [value.decode("latin-1") for value in self._indexed().get(_lookup_key(name), ())]

    def __contains__(self, name: object) -> bool:
        return isinstance(name, str) and _lookup_key(name) in self._indexed()

    def _indexed(self) -> dict[bytes, list[bytes]]:
        if self._index is None:
            self._index = {}
            for field, value in self.raw:
                self._index.setdefault(field, []).append(value)
        return self._index


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
        first = next((index for index, (field, _) in enumerate(self.raw) if field == name), None)
        if first is None:
            self.raw.append((name, value))
        else:
            self.raw[first:] = [(name, value), *(line for line in self.raw[first + 1 :] if line[0] != name)]

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


def _lookup_key(name: str) -> bytes:
    # A name outside latin-1 is in no request: a question mark is in no field name, so it finds nothing.
    return name.lower().encode("latin-1", "replace")


def _separator(name: str) -> str:
    return "; " if name.lower() == "cookie" else ", "
