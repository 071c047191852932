"""Filters of Django's that Jinja2 does not have, by Django's names."""

from __future__ import annotations

import re
import unicodedata
from datetime import date, datetime, timedelta
from typing import TYPE_CHECKING, Any

import msgspec
from jinja2.utils import htmlsafe_json_dumps
from markupsafe import Markup, escape

from transom.templates.dates import format_date

if TYPE_CHECKING:
    from collections.abc import Callable
    from datetime import tzinfo


def build_filters(time_zone: tzinfo | None) -> dict[str, Callable[..., Any]]:
    """Return the filters by name; aware datetimes are shown in `time_zone`."""

    def date_filter(value: date | None, format: str = "N j, Y") -> str:
        """Format a date or datetime with Django's format letters; None is shown as nothing."""
        if value is None:
            return ""
        if isinstance(value, datetime) and value.tzinfo is not None and time_zone is not None:
            value = value.astimezone(time_zone)
        return format_date(value, format)

    return {
        "date": date_filter,
        "json_script": json_script,
        "linebreaks": linebreaks,
        "linebreaksbr": linebreaksbr,
        "pluralize": pluralize,
        "slugify": slugify,
        "timesince": timesince,
        "truncatewords": truncatewords,
        "yesno": yesno,
    }


def dump_json(value: object, *, indent: int | None = None) -> str:
    """Return JSON text; knows datetime, UUID, Decimal and dataclasses."""
    encoded = msgspec.json.encode(value)
    return (msgspec.json.format(encoded, indent=indent) if indent else encoded).decode()


def json_script(value: object, element_id: str | None = None) -> Markup:
    """Return the value as JSON in a `<script type="application/json">` element that no content can break out of."""
    attribute = Markup(' id="{}"').format(element_id) if element_id else ""
    body = htmlsafe_json_dumps(value, dumps=dump_json)
    return Markup('<script{} type="application/json">{}</script>').format(attribute, body)


def linebreaks(value: object) -> Markup:
    """Escape the text; blank lines separate `<p>` elements, other line ends become `<br>`."""
    text = re.sub(r"\r\n?", "\n", str(escape(value))).strip("\n")
    paragraphs = [paragraph for paragraph in re.split(r"\n{2,}", text) if paragraph]
    # S704: the text is escaped above; only the tags are added.
    return Markup("\n\n".join(f"<p>{p.replace(chr(10), '<br>')}</p>" for p in paragraphs))  # noqa: S704


def linebreaksbr(value: object) -> Markup:
    """Escape the text; every line end becomes `<br>`."""
    # S704: escaped, then only the tag is added.
    return Markup(re.sub(r"\r\n?|\n", "<br>", str(escape(value))))  # noqa: S704


def pluralize(value: Any, forms: str = "s") -> str:  # Any: a number, its text, or something with a length
    """Return the ending for a number: `pluralize("es")`, or `pluralize("y,ies")` for singular and plural.

    Raises:
        TypeError: the value is neither a number nor has a length.
    """
    singular, _, plural = forms.rpartition(",")
    try:
        number = float(value)
    except (TypeError, ValueError):
        number = len(value)
    return singular if number == 1 else plural


def slugify(value: object) -> str:
    """Return ASCII letters, digits, `_` and `-` in lower case: what a URL can show."""
    ascii_text = unicodedata.normalize("NFKD", str(value)).encode("ascii", "ignore").decode()
    words = re.sub(r"[^\w\s-]", "", ascii_text.lower())
    return re.sub(r"[-\s]+", "-", words).strip("-_")


def timesince(value: datetime, now: datetime | None = None) -> str:
    """Return the time between two moments in at most two units: `1 day, 3 hours`; `0 minutes` for the future.

    Months have 30 days and years 365, as befits an answer in two units.
    """
    seconds = int(((now or datetime.now(value.tzinfo)) - value) / timedelta(seconds=1))
    parts: list[str] = []
    for name, size in _UNITS:
        count, rest = divmod(max(seconds, 0), size)
        if count:
            parts.append(f"{count} {name}{pluralize(count)}")
            seconds = rest
        elif parts:
            break  # only neighbouring units: "1 year", not "1 year, 3 minutes"
        if len(parts) == 2:
            break
    return ", ".join(parts) or "0 minutes"


_DAY = 86_400
_UNITS = (
    ("year", 365 * _DAY),
    ("month", 30 * _DAY),
    ("week", 7 * _DAY),
    ("day", _DAY),
    ("hour", 3600),
    ("minute", 60),
)


def truncatewords(value: object, count: int) -> str:
    """Return the first words of a text, with an ellipsis if any were cut."""
    words = str(value).split()
    return " ".join(words) if len(words) <= count else " ".join(words[:count]) + " …"


def yesno(value: object, forms: str = "yes,no") -> str:
    """Return one of `yes,no` or `yes,no,maybe`; None is `no` where no third form is given."""
    yes, no, *maybe = forms.split(",")
    if value is None and maybe:
        return maybe[0]
    return yes if value else no
