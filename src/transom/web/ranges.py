"""The `range` field: which bytes of a file are wanted."""

from __future__ import annotations

import re
from typing import TypeAlias

__all__ = ["Span", "UnsatisfiableRange", "parse_range"]

Span: TypeAlias = tuple[int, int]
"""First byte, and the byte after the last."""

# 18 digits: far above any file, far below where Python's int() costs or refuses.
RANGE_SPEC = re.compile(r"([0-9]{0,18})-([0-9]{0,18})")
# Players and download managers ask for a few; a request for hundreds is an attack (CVE-2011-3192).
MAX_RANGES = 16


class UnsatisfiableRange(ValueError):
    """None of the ranges overlaps the file: answer 416."""


def parse_range(header: str, size: int) -> list[Span] | None:
    """Return the spans to send, or None where the field is to be ignored and the whole file sent.

    Ignored are units other than bytes, malformed fields, more than 16 ranges, and any range of an empty file. Spans that
    overlap or touch are merged, so the answer is never larger than the file; others stay in the order asked for.

    Args:
        header: the field's value.
        size: of the file, in bytes.

    Raises:
        UnsatisfiableRange: every range begins behind the end.

    Source: RFC 9110 sections 14.1.2 and 14.2.
    """
    unit, equals, specs = header.partition("=")
    if not equals or unit.strip().lower() != "bytes" or size == 0 or specs.count(",") >= MAX_RANGES:
        return None
    spans: list[Span] = []
    if not specs.strip(" \t,"):
        return None
    # RFC 9110 5.6.1.2: empty elements of a list mean nothing.
    for spec in filter(None, (spec.strip(" \t") for spec in specs.split(","))):
        match = RANGE_SPEC.fullmatch(spec)
        if match is None or not _is_valid(match[1], match[2]):
            return None
        start, stop = _resolve(match[1], match[2], size)
        if start < stop:
            spans.append((start, stop))
    if not spans:
        raise UnsatisfiableRange(f"no range of {header!r} is within {size} bytes")
    return _merge(spans)


def _is_valid(first: str, last: str) -> bool:
    # RFC 9110 14.1.2: an int-range whose last-pos is less than its first-pos is invalid.
    return bool(first or last) and not (first and last and int(last) < int(first))


def _resolve(first: str, last: str, size: int) -> Span:
    if not first:
        return max(size - int(last), 0), size
    return int(first), min(int(last) + 1, size) if last else size


def _merge(spans: list[Span]) -> list[Span]:
    merged: list[Span] = []
    for start, stop in sorted(spans):
        if merged and start <= merged[-1][1]:
            merged[-1] = (merged[-1][0], max(stop, merged[-1][1]))
        else:
            merged.append((start, stop))
    return merged if len(merged) < len(spans) else spans
