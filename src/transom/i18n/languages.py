"""Language tags: `de`, `pt-BR`; which of a site's languages a visitor would rather read. Pure.

Source: RFC 5646 for tags, RFC 4647 for matching them, RFC 9110 section 12.5.4 for the `accept-language` field.
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, NamedTuple

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

TAG = re.compile(r"[A-Za-z]{2,8}(?:-[A-Za-z0-9]{1,8}){0,4}")
RANGE = re.compile(
    r"(\*|[A-Za-z]{1,8}(?:-[A-Za-z0-9]{1,8}){0,8})(?:[ \t]*;[ \t]*[qQ]=(0(?:\.[0-9]{0,3})?|1(?:\.0{0,3})?))?"
)
# Browsers send a dozen ranges at most; the rest is not looked at.
MAX_RANGES = 20
MAX_LENGTH = 500


class LanguageRange(NamedTuple):
    """One part of an `accept-language` field; the tag is in lower case, or `*`."""

    tag: str
    quality: float


def parse_accept_language(header: str) -> list[LanguageRange]:
    """Return the ranges of the field, the best first, equals in their order; malformed ones are left out."""
    parts = header[:MAX_LENGTH].split(",")[:MAX_RANGES]
    if len(header) > MAX_LENGTH:
        parts.pop()  # it is cut, perhaps to another language
    found = (RANGE.fullmatch(part.strip(" \t")) for part in parts)
    ranges = [LanguageRange(match[1].lower(), float(match[2] or 1)) for match in found if match]
    return sorted(ranges, key=lambda item: -item.quality)


def choose_language(header: str, languages: Sequence[str]) -> str | None:
    """Return the language that fits an `accept-language` field best, or None where none does.

    A range finds the language it names, else the nearest more general one (`de-AT` finds `de`), else the first more
    special one (`pt` finds `pt-BR`). A range with `q=0` takes its languages out, unless a closer one names them.

    Args:
        header: the value of the field.
        languages: the tags to choose from; `*` in the field means the first of them.
    """
    ranges = parse_accept_language(header)
    acceptable = {tag.lower(): tag for tag in languages if not _is_refused(tag.lower(), ranges)}
    for item in ranges:
        found = _lookup(item.tag, acceptable) if item.quality > 0 else None
        if found is not None:
            return found
    return None


def to_locale(tag: str) -> str:
    """Return the name of a language's folder of translations: `pt_BR` for `pt-br`, `zh_Hans` for `zh-hans`.

    Raises:
        ValueError: it is no language tag.
    """
    if not TAG.fullmatch(tag):
        raise ValueError(f"{tag!r} is no language tag; expected one like 'de' or 'pt-BR'")
    language, *parts = tag.split("-")
    return "_".join([language.lower(), *(part.title() if len(part) == 4 else part.upper() for part in parts)])


def iter_general(tag: str) -> Iterator[str]:
    """Iterate over a tag and the more general ones: `zh-Hant-TW`, `zh-Hant`, `zh`."""
    parts = tag.split("-")
    for length in range(len(parts), 0, -1):
        yield "-".join(parts[:length])


def _lookup(tag: str, languages: dict[str, str]) -> str | None:
    if tag == "*":
        return next(iter(languages.values()), None)
    for general in iter_general(tag):
        if general in languages:
            return languages[general]
    return next((language for key, language in languages.items() if key.startswith(f"{tag}-")), None)


def _is_refused(tag: str, ranges: Sequence[LanguageRange]) -> bool:
    qualities = {item.tag: item.quality for item in ranges}
    closest = next((general for general in iter_general(tag) if general in qualities), "*")
    return qualities.get(closest, 1.0) == 0
