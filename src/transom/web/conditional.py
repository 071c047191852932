"""Conditional requests: is what the client has, or expects, still what we have?"""

from __future__ import annotations

import re
from dataclasses import dataclass
from datetime import UTC, datetime
from email.utils import format_datetime, parsedate_to_datetime
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from transom.web.headers import Headers

__all__ = ["ETAG", "Validators", "evaluate_preconditions", "is_range_current", "parse_etags"]

ETAG = re.compile(r'(?:W/)?"[\x21\x23-\x7e\x80-\xff]*"')


@dataclass(frozen=True, slots=True)
class Validators:
    """What tells one state of a resource from another.

    Args:
        etag: with its quotes, and `W/` where it is weak; None where it is not known.
        last_modified: aware, in whole seconds; None where it is not known.
    """

    etag: str | None
    last_modified: datetime | None

    @property
    def http_date(self) -> str:
        """The `last-modified` field; empty where it is not known."""
        return (
            ""
            if self.last_modified is None
            else format_datetime(self.last_modified.astimezone(UTC), usegmt=True)
        )


def parse_etags(header: str) -> list[str]:
    """Return the entity tags of `if-match` or `if-none-match`; `["*"]` for any, and what is no tag is dropped."""
    return ["*"] if header.strip() == "*" else ETAG.findall(header)


def evaluate_preconditions(method: str, headers: Headers, current: Validators) -> int | None:
    """Return 412 or 304 where the request's conditions say so, else None.

    Source: RFC 9110 section 13.2.2, in its order.
    """
    modified = current.last_modified
    if (if_match := headers.get("if-match")) is not None:
        if not _any_strong(parse_etags(if_match), current.etag):
            return 412
    elif modified and (since := _parse_date(headers.get("if-unmodified-since"))) and modified > since:
        return 412
    safe = method in ("GET", "HEAD")
    if (if_none_match := headers.get("if-none-match")) is not None:
        if _any_weak(parse_etags(if_none_match), current.etag):
            return 304 if safe else 412
    elif modified and safe and (since := _parse_date(headers.get("if-modified-since"))) and modified <= since:
        return 304
    return None


def is_range_current(if_range: str | None, current: Validators) -> bool:
    """Say whether parts may be sent: the client's copy, named in `if-range`, is the state we have.

    Source: RFC 9110 section 13.1.5: strong comparison, and a date must be equal to the second.
    """
    if if_range is None:
        return True
    value = if_range.strip()
    if value.startswith(('"', "W/")):
        return _any_strong([value], current.etag)
    return _parse_date(value) == current.last_modified


def _any_strong(tags: list[str], etag: str | None) -> bool:
    if etag is None:
        return False
    return tags == ["*"] or (not etag.startswith("W/") and etag in tags)


def _any_weak(tags: list[str], etag: str | None) -> bool:
    if etag is None:
        return False
    return tags == ["*"] or etag.removeprefix("W/") in {tag.removeprefix("W/") for tag in tags}


def _parse_date(value: str | None) -> datetime | None:
    """Return an HTTP date; None where there is none or it is invalid, which RFC 9110 13.1.3 says to ignore."""
    if value is None:
        return None
    try:
        date = parsedate_to_datetime(value)
    except (ValueError, OverflowError):
        return None
    return date.astimezone(UTC) if date.tzinfo else date.replace(tzinfo=UTC)
