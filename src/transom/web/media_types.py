"""Media types: those a client accepts, and the one a body has."""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import TYPE_CHECKING

from python_multipart.multipart import parse_options_header

if TYPE_CHECKING:
    from collections.abc import Iterable

__all__ = ["AcceptedTypes", "parse_content_type"]

QUALITY = re.compile(r"(?:0(?:\.[0-9]{0,3})?|1(?:\.0{0,3})?)")
# More ranges than any browser sends (eight at most); the rest is not looked at.
MAX_RANGES = 50


@dataclass(frozen=True, slots=True)
class _Range:
    """One media range of an `accept` field, without its parameters."""

    type: str
    subtype: str
    quality: float

    def specificity(self, media_type: str) -> int:
        """Return how closely this range names a type: 3 exactly, 2 its family, 1 anything, 0 not at all."""
        main, _, sub = media_type.partition("/")
        if (self.type, self.subtype) == (main, sub):
            return 3
        if self.subtype != "*":
            return 0
        return 2 if self.type == main else int(self.type == "*")


class AcceptedTypes:
    """The media types of an `accept` field.

    Args:
        header: the field's value; empty means that anything is accepted.

    Source: RFC 9110 section 12.5.1. Parameters other than `q` are not compared.
    """

    def __init__(self, header: str) -> None:
        self._ranges = [item for part in header.split(",")[:MAX_RANGES] if (item := _parse_range(part))]
        self._anything = not header.strip()

    def quality(self, media_type: str) -> float:
        """Return the client's preference from 0 (refused) to 1; the closest range decides."""
        return self._rank(media_type.lower())[0]

    def best(self, media_types: Iterable[str]) -> str | None:
        """Return the type the client would rather have, the earlier of two equals; None where it takes none.

        Of two types of equal quality the one that is named wins over one that a wildcard covers.
        """
        ranked = [(self._rank(media_type.lower()), media_type) for media_type in media_types]
        acceptable = [item for item in ranked if item[0][0] > 0]
        return max(acceptable, key=lambda item: item[0])[1] if acceptable else None

    def _rank(self, media_type: str) -> tuple[float, int]:
        """Return (quality, specificity) by the range that names the type most closely."""
        if self._anything:
            return 1.0, 0
        closest = max(self._ranges, key=lambda item: item.specificity(media_type), default=None)
        specificity = closest.specificity(media_type) if closest else 0
        return (closest.quality, specificity) if closest and specificity else (0.0, 0)


def _parse_range(part: str) -> _Range | None:
    essence, _, parameters = part.partition(";")
    main, slash, sub = essence.strip().lower().partition("/")
    if not (main and slash and sub):
        return None
    for parameter in parameters.split(";"):
        name, _, value = parameter.strip().partition("=")
        if name.lower() == "q":
            return _Range(main, sub, float(value)) if QUALITY.fullmatch(value) else None
    return _Range(main, sub, 1.0)


def parse_content_type(header: str) -> tuple[str, dict[str, str]]:
    """Return the media type in lower case and its parameters; their names in lower case, values as sent."""
    essence, parameters = parse_options_header(header)
    return essence.decode("latin-1").strip(), {
        name.decode("latin-1").lower(): value.decode("latin-1") for name, value in parameters.items()
    }
