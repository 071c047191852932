"""Values as SQL text, for DDL, which takes no parameters: defaults of columns, conditions of indexes and constraints.

They come from models and migrations, never from a request. Still each is written so that it can only be read as the
value that it is.
"""

from __future__ import annotations

import math
from datetime import date, time, timedelta
from decimal import Decimal
from typing import TYPE_CHECKING, Any, cast
from uuid import UUID

import sqlalchemy as sa
from sqlalchemy.ext.compiler import compiles

from transom.db.exceptions import DataError

if TYPE_CHECKING:
    from sqlalchemy.sql.compiler import SQLCompiler

    from transom.db.sql.metadata import Vendor
    from transom.db.sql.types import SQLType

# Where a backslash in quotes would escape what follows it. PostgreSQL: not since standard_conforming_strings.
_WITH_BACKSLASHES: frozenset[str] = frozenset({"mysql"})
# Databases that tell the type of a value from a cast; the others hold such values in the form in which they are written.
_WITH_CASTS: frozenset[str] = frozenset({"postgresql"})
# Kinds of columns beside which a literal is read as what it is.
_SELF_EVIDENT = (sa.String, sa.Integer, sa.Numeric, sa.Boolean)


class Constant(sa.ColumnElement[Any]):
    """Text that stands for a value; unlike `sa.literal_column`, SQLAlchemy never takes it for a column of a table."""

    inherit_cache = False

    def __init__(self, text: str, kind: SQLType) -> None:
        self.text = text
        self.type = kind


@compiles(Constant)
def _compile(element: Constant, compiler: SQLCompiler, **_options: Any) -> str:
    # Any: options of SQLAlchemy's own
    text: str = cast("Any", compiler).escape_literal_column(element.text)  # Any: it is not annotated
    return text


def literal(value: Any, kind: SQLType, vendor: Vendor) -> sa.ColumnElement[Any]:
    """Return a value, as the driver would take it (Any), as a constant in SQL.

    Raises:
        DataError: it cannot be written: text with a NUL, or a type that no driver takes.
    """
    constant = Constant(literal_text(value, vendor), kind)
    plain = value is None or (isinstance(kind, _SELF_EVIDENT) and not isinstance(value, float))
    return constant if plain or vendor not in _WITH_CASTS else sa.cast(constant, kind)


def literal_text(value: Any, vendor: Vendor) -> str:
    """Return a value as the text of a constant."""
    match value:
        case None:
            return "NULL"
        case bool():
            return ("true" if value else "false") if vendor == "postgresql" else str(int(value))
        case int():
            return int.__repr__(value)
        case float():
            return _float_text(value, vendor)
        case Decimal() if value.is_finite():
            return format(value, "f")
        case bytes():
            return f"'\\x{value.hex()}'" if vendor == "postgresql" else f"X'{value.hex()}'"
        case str():
            return quote(value, vendor)
        case timedelta():
            return f"'{value.days} days {value.seconds} seconds {value.microseconds} microseconds'"
        case date() | time():  # datetime is a date
            return quote(value.isoformat(), vendor)
        case UUID():
            return quote(str(value), vendor)
        case _:
            raise DataError(
                f"{value!r} ({type(value).__name__}) cannot be written into SQL; use another value"
            )


def _float_text(value: float, vendor: Vendor) -> str:
    if math.isfinite(value):
        return repr(value)
    if vendor == "postgresql":
        return f"'{value}'"
    if math.isnan(value):
        raise DataError("NaN cannot be written into SQL here; use another value")
    return "9e999" if value > 0 else "-9e999"


def quote(text: str, vendor: Vendor) -> str:
    """Return text in quotes.

    Raises:
        DataError: it has a NUL, at which some databases would stop reading.
    """
    if "\0" in text:
        raise DataError(f"text with a NUL character cannot be written into SQL: {text!r}")
    if vendor in _WITH_BACKSLASHES:
        text = text.replace("\\", "\\\\")
    return "'" + text.replace("'", "''") + "'"
