"""A mapping whose names may occur more than once: the query string, the fields and the files of a form."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from typing import Generic, TypeVar
from urllib.parse import parse_qsl, urlencode

from transom.web.errors import BadRequest

__all__ = ["MultiDict", "parse_urlencoded"]

V = TypeVar("V")
D = TypeVar("D")


class MultiDict(Mapping[str, V], Generic[V]):
    """An immutable mapping of names to one or more values, in the order they came.

    `d[name]` is the last value, as in Django; `getlist(name)` has them all.

    Args:
        pairs: names and values; a name may come again.
    """

    __slots__ = ("_lists", "_pairs")

    def __init__(self, pairs: Iterable[tuple[str, V]] = ()) -> None:
        self._pairs = tuple(pairs)
        self._lists: dict[str, list[V]] = {}
        for name, value in self._pairs:
            self._lists.setdefault(name, []).append(value)

    def __getitem__(self, name: str) -> V:
        return self._lists[name][-1]

    def __iter__(self) -> Iterator[str]:
        return iter(self._lists)

    def __len__(self) -> int:
        return len(self._lists)

    def __contains__(self, name: object) -> bool:
        return name in self._lists

    def __eq__(self, other: object) -> bool:
        if isinstance(other, MultiDict):
            return self._pairs == other._pairs  # pyright: ignore[reportUnknownMemberType]  # V of the other is free
        return NotImplemented

    def __hash__(self) -> int:
        return hash(self._pairs)

    def __repr__(self) -> str:
        return f"{type(self).__name__}({list(self._pairs)!r})"

    def getlist(self, name: str) -> list[V]:
        """Return every value of `name` in order; an empty list where there is none."""
        return list(self._lists.get(name, ()))

    def multi_items(self) -> list[tuple[str, V]]:
        """Return every pair in the order received, repeated names included."""
        return list(self._pairs)

    def urlencode(self) -> str:
        """Return the pairs as a query string, without the question mark."""
        return urlencode([(name, str(value)) for name, value in self._pairs])


def parse_urlencoded(data: bytes, *, max_fields: int, charset: str = "utf-8") -> list[tuple[str, str]]:
    """Return the pairs of a query string or urlencoded form; blank values are kept.

    The number of fields is checked before the first is split off, so that a refused input costs one scan.

    Raises:
        BadRequest: more than `max_fields` fields, or bytes that are not text in `charset`.

    Source: WHATWG URL, "application/x-www-form-urlencoded parsing".
    """
    if data.count(b"&") >= max_fields:
        raise BadRequest(f"more than {max_fields} form fields; raise max_form_fields if the site needs more")
    try:
        text = data.decode(charset)
        return parse_qsl(text, keep_blank_values=True, encoding=charset, errors="strict")
    except UnicodeDecodeError as exc:
        raise BadRequest(f"form data is not valid {charset} (byte {exc.start})") from exc
