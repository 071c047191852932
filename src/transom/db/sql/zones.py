"""Points in time in a zone: their days and times of day, and when the parts that they are in began.

Functions get the point in time and, unless that is UTC, the zone, which is a value: its name, or how far it is from UTC.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final, TypeAlias

import sqlalchemy as sa

from transom.db.sql.column_type import ColumnType
from transom.db.sql.types import parameter_type

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence

    from transom.db.sql.metadata import Vendor

# Any: columns of every type
Column: TypeAlias = "sa.ColumnElement[Any]"

MICROSECOND: Final = sa.literal_column("MICROSECOND", sa.Text())
_LESS_THAN_DAYS: Final = ("hour", "minute", "second")
BEGINNINGS: Final[Mapping[str, str]] = {
    "year": "%Y-01-01T00:00:00",
    "quarter": "",
    "month": "%Y-%m-01T00:00:00",
    "week": "",
    "day": "%Y-%m-%dT00:00:00",
    "hour": "%Y-%m-%dT%H:00:00",
    "minute": "%Y-%m-%dT%H:%M:00",
    "second": "%Y-%m-%dT%H:%M:%S",
}
"""How the beginning of a part is written; not so for those that need reckoning."""


def _text(text: str) -> Column:
    """Return a text that is part of the SQL; only ever one of this module's own."""
    return sa.literal_column(f"'{text}'", sa.Text())


def _number(number: int) -> Column:
    return sa.literal_column(str(number), sa.Integer())


def start(text: Column, length: int) -> Column:
    """Return the first characters of a text."""
    return sa.func.substr(text, _number(1), _number(length), type_=sa.Text())


def in_zone(operands: Sequence[Column], vendor: Vendor) -> Column:
    """Return what a clock in the zone shows at a point in time, as a time without a zone; other operands as they are."""
    value, *zones = operands
    if vendor == "postgresql":
        is_point = isinstance(value.type, sa.DateTime)
        return sa.func.timezone(*zones or [_text("UTC")], value, type_=sa.DateTime()) if is_point else value
    if not zones or isinstance(value.type, sa.Date | sa.Time):
        return value
    if vendor == "sqlite":
        return sa.func.transom_in_zone(value, *zones, type_=sa.Text())
    return _in_zone_of_mysql(value, zones[0])


# What CONVERT_TZ converts; other points in time it returns as they are.
_FIRST, _END = _text("1970-01-02 00:00:00"), _text("2038-01-19 00:00:00")


def _in_zone_of_mysql(value: Column, zone: Column) -> Column:
    """Return the time there; a zone without a name is a number of microseconds.

    CONVERT_TZ says NULL of names that it does not know. That would be a wrong answer, so then a number overflows, in an error
    that has our words in it; see `backends/mysql/errors.py`.
    """
    kind = parameter_type(ColumnType("datetime"), "mysql")
    if isinstance(zone.type, sa.Integer):
        return sa.func.timestampadd(MICROSECOND, zone, value, type_=kind)
    known = sa.case((sa.and_(value >= _FIRST, value < _END), value))
    found = sa.func.convert_tz(known, _text("+00:00"), zone, type_=kind)
    words = sa.func.char_length(sa.func.concat(_text("transom_no_zone"), value))
    overflow = sa.literal_column("18446744073709551615", sa.BigInteger()) + words
    return sa.func.coalesce(
        found, sa.func.timestampadd(sa.literal_column("SECOND"), overflow, value), type_=kind
    )


def date_of(operands: Sequence[Column], output: ColumnType | None, vendor: Vendor) -> Column:
    """Return the day of a point in time."""
    local = in_zone(operands, vendor)
    return start(local, 10) if vendor == "sqlite" else sa.cast(local, sa.Date())


def time_of(operands: Sequence[Column], output: ColumnType | None, vendor: Vendor) -> Column:
    """Return the time of day of a point in time."""
    local = in_zone(operands, vendor)
    if vendor == "sqlite":
        return sa.func.substr(local, _number(12), _number(15), type_=sa.Text())
    return sa.cast(local, parameter_type(ColumnType("time"), vendor))


def trunc(part: str) -> Callable[[Sequence[Column], ColumnType | None, Vendor], Column]:
    """Return the entry for when a year, month and so on began: as a day where that is wanted, else as a point in time."""

    def build(operands: Sequence[Column], output: ColumnType | None, vendor: Vendor) -> Column:
        is_day = output is not None and output.kind == "date"
        if vendor == "sqlite":
            return _trunc_of_sqlite(part, operands, is_day=is_day)
        if vendor == "mysql":
            return _trunc_of_mysql(part, operands, is_day=is_day)
        return _trunc_of_postgresql(part, operands, is_day=is_day)

    return build


def _trunc_of_sqlite(part: str, operands: Sequence[Column], *, is_day: bool) -> Column:
    value, *zones = operands
    form = BEGINNINGS[part]
    if zones or not form:
        zone = zones[0] if zones else sa.null()
        return sa.func.transom_trunc(value, _text(part), zone, _number(int(is_day)), type_=sa.Text())
    form = form.partition("T")[0] if is_day else form + ".000000+00:00"
    return sa.func.strftime(_text(form), start(value, 19), type_=sa.Text())


def _trunc_of_postgresql(part: str, operands: Sequence[Column], *, is_day: bool) -> Column:
    value, *zones = operands
    if is_day:
        return sa.cast(sa.func.date_trunc(_text(part), in_zone(operands, "postgresql")), sa.Date())
    kind: sa.DateTime = sa.DateTime(timezone=True)
    if zones and not isinstance(zones[0].type, sa.Text):
        local = sa.func.date_trunc(_text(part), in_zone(operands, "postgresql"))
        return sa.func.timezone(zones[0], local, type_=kind)
    return sa.func.date_trunc(_text(part), value, *zones or [_text("UTC")], type_=kind)


def _trunc_of_mysql(part: str, operands: Sequence[Column], *, is_day: bool) -> Column:
    value, *zones = operands
    kind = parameter_type(ColumnType("datetime"), "mysql")
    local = in_zone(operands, "mysql")
    began: Column = sa.cast(
        _beginning_of_mysql(part, local), parameter_type(ColumnType("date"), "mysql") if is_day else kind
    )
    if is_day or not zones:
        return began
    if part in _LESS_THAN_DAYS or isinstance(zones[0].type, sa.Integer):
        # As long before as a clock shows that goes on as it did.
        since = sa.func.timestampdiff(MICROSECOND, local, began, type_=sa.BigInteger())
        return sa.func.timestampadd(MICROSECOND, since, value, type_=kind)
    return sa.func.convert_tz(began, zones[0], _text("+00:00"), type_=kind)


def _beginning_of_mysql(part: str, local: Column) -> Column:
    form = _text(BEGINNINGS[part].replace("%M", "%i").replace("%S", "%s"))
    if part == "week":
        local = sa.func.timestampadd(
            sa.literal_column("DAY"), -sa.func.weekday(local, type_=sa.Integer()), local
        )
        form = _text(BEGINNINGS["day"])
    if part == "quarter":
        month = sa.func.quarter(local, type_=sa.Integer()) * _number(3) - _number(2)
        form = sa.func.concat(
            _text("%Y-"), sa.func.lpad(month, _number(2), _text("0")), _text("-01T00:00:00")
        )
    return sa.func.date_format(local, form)
