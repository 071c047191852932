"""The functions that databases have in common, each by one name and with one meaning, in the SQL of each.

Every entry takes the operands, what the function returns where its caller says, and the vendor.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final, TypeAlias

import sqlalchemy as sa

from transom.db.sql.calculations import FUNCTIONS_OF_NUMBERS
from transom.db.sql.search import SEARCH_FUNCTIONS
from transom.db.sql.texts import FUNCTIONS_OF_TEXT
from transom.db.sql.types import TextualType, element_name, parameter_type
from transom.db.sql.zones import BEGINNINGS, MICROSECOND, date_of, in_zone, start, time_of, trunc

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence

    from transom.db.sql.column_type import ColumnType
    from transom.db.sql.metadata import Vendor

# Any: columns of every type
Column: TypeAlias = "sa.ColumnElement[Any]"
Build: TypeAlias = "Callable[[Sequence[Column], ColumnType | None, Vendor], Column]"


def _text(text: str) -> Column:
    """Return a text that is part of the SQL; only ever one of this module's own."""
    return sa.literal_column(f"'{text}'", sa.Text())


def _number(number: int) -> Column:
    """Return a number that is part of the SQL."""
    return sa.literal_column(str(number), sa.Integer())


def _plain(name: str, sqlite: str | None = None) -> Build:
    """Return an entry for a function that is called alike everywhere, but for its name."""

    def build(operands: Sequence[Column], output: ColumnType | None, vendor: Vendor) -> Column:
        called = sqlite if sqlite is not None and vendor == "sqlite" else name
        kind = None if output is None else parameter_type(output, vendor)
        return getattr(sa.func, called)(*operands, type_=kind)

    return build


def _counting(name: str, *places: int) -> Build:
    """Return an entry for a function with numbers in some places, which PostgreSQL takes in 32 bits."""

    def build(operands: Sequence[Column], output: ColumnType | None, vendor: Vendor) -> Column:
        called = [
            sa.cast(operand, sa.Integer()) if place in places and vendor == "postgresql" else operand
            for place, operand in enumerate(operands)
        ]
        return getattr(sa.func, name)(
            *called, type_=None if output is None else parameter_type(output, vendor)
        )

    return build


def _one(operands: Sequence[Column], output: ColumnType | None, vendor: Vendor) -> Column:
    return _number(1)


def _cast(operands: Sequence[Column], output: ColumnType | None, vendor: Vendor) -> Column:
    if output is None:
        raise AssertionError("a cast says what it returns")
    if vendor == "sqlite" and output.kind == "decimal":
        return sa.cast(operands[0], sa.Numeric())
    return sa.cast(operands[0], parameter_type(output, vendor))


def _cast_exactly(operands: Sequence[Column], output: ColumnType | None, vendor: Vendor) -> Column:
    """Return a value as one that arrays and ranges of this type are made of, on PostgreSQL."""
    if output is None:
        raise AssertionError("a cast says what it returns")
    return sa.cast(operands[0], TextualType(element_name(output)))


def _concat(operands: Sequence[Column], output: ColumnType | None, vendor: Vendor) -> Column:
    """Return the texts one after the other; NULL counts as empty, as in Django."""
    texts = [sa.func.coalesce(sa.cast(operand, sa.Text()), _text("")) for operand in operands]
    joined: Column = texts[0]
    for text in texts[1:]:
        joined = joined.op("||", return_type=sa.Text())(text)
    return sa.type_coerce(joined, sa.Text())


def _length(operands: Sequence[Column], output: ColumnType | None, vendor: Vendor) -> Column:
    # length() counts bytes on MySQL, and SQLite knows no other name.
    return _plain("length" if vendor == "sqlite" else "char_length")(operands, output, vendor)


def _left(operands: Sequence[Column], output: ColumnType | None, vendor: Vendor) -> Column:
    text, count = operands
    return _counting("substr", 2)([text, _number(1), count], output, vendor)


def _right(operands: Sequence[Column], output: ColumnType | None, vendor: Vendor) -> Column:
    text, count = operands
    if vendor == "sqlite":
        # From the end; substr() of 0 characters from there would be all of them.
        tail = sa.func.substr(text, -count, type_=sa.Text())
        return sa.case((count == _number(0), _text("")), else_=tail)
    return sa.func.right(text, sa.cast(count, sa.Integer()), type_=sa.Text())


def _position(operands: Sequence[Column], output: ColumnType | None, vendor: Vendor) -> Column:
    name = "strpos" if vendor == "postgresql" else "instr"
    return getattr(sa.func, name)(*operands, type_=sa.Integer())


def _now(operands: Sequence[Column], output: ColumnType | None, vendor: Vendor) -> Column:
    if vendor == "mysql":
        return sa.func.utc_timestamp(_number(6), type_=sa.DateTime())
    if vendor == "sqlite":
        # As datetimes are stored: ISO 8601 in UTC, with microseconds.
        form = _text("%Y-%m-%dT%H:%M:%f000+00:00")
        return sa.func.strftime(form, _text("now"), type_=sa.Text())
    return sa.func.statement_timestamp(type_=sa.DateTime(timezone=True))


def _round(operands: Sequence[Column], output: ColumnType | None, vendor: Vendor) -> Column:
    number, *digits = operands
    if not digits or vendor != "postgresql":
        return sa.func.round(number, *digits, type_=number.type)
    # PostgreSQL rounds only decimals to a number of digits, which it takes in 32 bits.
    rounded = sa.func.round(sa.cast(number, sa.Numeric()), sa.cast(digits[0], sa.Integer()))
    return rounded if output is None else sa.cast(rounded, parameter_type(output, vendor))


def _extremes(name: str) -> Build:
    """Return the largest or smallest of several operands: scalar max() and min() are SQLite's names for it."""
    return _plain(name, sqlite="max" if name == "greatest" else "min")


_PARTS_OF_SQLITE: Final[Mapping[str, str]] = {
    "year": "%Y",
    "month": "%m",
    "day": "%d",
    "hour": "%H",
    "minute": "%M",
    "second": "%S",
}


def _extract(part: str) -> Build:
    """Return a part of a date or time, or of a point in time in a zone, as a whole number."""

    def build(operands: Sequence[Column], output: ColumnType | None, vendor: Vendor) -> Column:
        value = in_zone(operands, vendor)
        if vendor == "sqlite":
            return _extract_of_sqlite(part, value)
        if vendor == "mysql":
            return _extract_of_mysql(part, value)
        field = {"week_day": "dow", "iso_week_day": "isodow", "iso_year": "isoyear"}.get(part, part)
        number: Column = sa.cast(sa.func.floor(sa.extract(field, value)), sa.Integer())
        return (number + _number(1)).self_group() if part == "week_day" else number

    return build


def _extract_of_mysql(part: str, value: Column) -> Column:
    match part:
        case "week_day":  # Sunday is 1
            return sa.func.dayofweek(value, type_=sa.Integer())
        case "iso_week_day":  # Monday is 0 there
            return (sa.func.weekday(value, type_=sa.Integer()) + _number(1)).self_group()
        case "week":  # 3: as ISO 8601 counts them
            return sa.func.week(value, _number(3), type_=sa.Integer())
        case "iso_year":
            return (
                sa.func.yearweek(value, _number(3), type_=sa.Integer()).op("DIV")(_number(100)).self_group()
            )
        case _:
            return sa.extract(part, value)


def _extract_of_sqlite(part: str, value: Column) -> Column:
    # To the second: SQLite rounds to milliseconds, and so sometimes to the next day.
    value = start(value, 19)

    def number(form: str, *modifiers: str) -> Column:
        return sa.cast(sa.func.strftime(_text(form), value, *map(_text, modifiers)), sa.Integer())

    def shifted(number: Column, by: int, length: int) -> Column:
        return ((number + _number(by)).self_group().op("%")(_number(length)) + _number(1)).self_group()

    def parts(number: Column, before: int, length: int) -> Column:
        return ((number - _number(before)).self_group().op("/")(_number(length)) + _number(1)).self_group()

    match part:
        case "week_day":  # Sunday is 1
            return shifted(number("%w"), 0, 7)
        case "iso_week_day":  # Monday is 1
            return shifted(number("%w"), 6, 7)
        case "quarter":
            return parts(number("%m"), 1, 3)
        # The Thursday of a week is in the year that the week counts for.
        case "iso_year":
            return number("%Y", "-3 days", "weekday 4")
        case "week":
            return parts(number("%j", "-3 days", "weekday 4"), 1, 7)
        case _:
            return number(_PARTS_OF_SQLITE[part])


def _shift(operator: str, *, swapped: bool = False) -> Build:
    """Return a point in time moved by a length of time; swapped, that comes first."""

    def build(operands: Sequence[Column], output: ColumnType | None, vendor: Vendor) -> Column:
        point, length = reversed(operands) if swapped else operands
        if vendor == "sqlite":
            moved = length if operator == "+" else -length
            return sa.func.transom_later(point, moved, type_=sa.Text())
        if vendor == "mysql":  # a length of time is a number of microseconds there
            moved = length if operator == "+" else -length
            return sa.func.timestampadd(MICROSECOND, moved, point, type_=sa.DateTime())
        return sa.type_coerce(point.op(operator)(length), sa.DateTime(timezone=True)).self_group()

    return build


def _elapsed(operands: Sequence[Column], output: ColumnType | None, vendor: Vendor) -> Column:
    """Return the time from the second point to the first."""
    if vendor == "sqlite":
        return sa.func.transom_elapsed(*operands, type_=sa.BigInteger())
    if vendor == "mysql":
        return sa.func.timestampdiff(MICROSECOND, operands[1], operands[0], type_=sa.BigInteger())
    return sa.type_coerce(operands[0].op("-")(operands[1]), sa.Interval()).self_group()


PARTS: Final = (
    "year", "iso_year", "quarter", "month", "week", "day", "week_day", "iso_week_day", "hour", "minute", "second",
)  # fmt: skip
"""The parts of dates and times."""

FUNCTIONS: Final[Mapping[str, Build]] = {
    "one": _one,
    "cast": _cast,
    "cast_exactly": _cast_exactly,
    # text
    "concat": _concat,
    "left": _left,
    "length": _length,
    "lower": _plain("lower"),
    "ltrim": _plain("ltrim"),
    "position": _position,
    "replace": _plain("replace"),
    "right": _right,
    "rtrim": _plain("rtrim"),
    "substr": _counting("substr", 1, 2),
    "trim": _plain("trim"),
    "upper": _plain("upper"),
    # one of several
    "coalesce": _plain("coalesce"),
    "greatest": _extremes("greatest"),
    "least": _extremes("least"),
    "nullif": _plain("nullif"),
    **FUNCTIONS_OF_TEXT,
    # numbers
    "abs": _plain("abs"),
    "ceil": _plain("ceil"),
    "floor": _plain("floor"),
    "round": _round,
    "sign": _plain("sign"),
    **FUNCTIONS_OF_NUMBERS,
    # time
    "now": _now,
    "date_of": date_of,
    "earlier": _shift("-"),
    "elapsed": _elapsed,
    "later": _shift("+"),
    "later_by": _shift("+", swapped=True),
    "time_of": time_of,
    **{f"extract_{part}": _extract(part) for part in PARTS},
    **{f"trunc_{part}": trunc(part) for part in BEGINNINGS},
    # windows
    "cume_dist": _plain("cume_dist"),
    "dense_rank": _plain("dense_rank"),
    "first_value": _plain("first_value"),
    "lag": _counting("lag", 1),
    "last_value": _plain("last_value"),
    "lead": _counting("lead", 1),
    "nth_value": _counting("nth_value", 1),
    "ntile": _counting("ntile", 0),
    "percent_rank": _plain("percent_rank"),
    "rank": _plain("rank"),
    "row_number": _plain("row_number"),
    # PostgreSQL's own
    **SEARCH_FUNCTIONS,
}
