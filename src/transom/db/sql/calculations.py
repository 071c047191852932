"""Functions of numbers: NULL where they are not defined, on all databases, for errors of one row would end the whole query."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final, TypeAlias

import sqlalchemy as sa

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence

    from transom.db.sql.column_type import ColumnType
    from transom.db.sql.metadata import Vendor

# Any: columns of every type
Column: TypeAlias = "sa.ColumnElement[Any]"
Build: TypeAlias = "Callable[[Sequence[Column], ColumnType | None, Vendor], Column]"

_DOUBLE: sa.Double[Any] = sa.Double()


def _number(number: str) -> Column:
    return sa.literal_column(number, sa.Integer())


def _real(operand: Column) -> Column:
    """Return a number as a floating one, of which all databases have all functions."""
    return sa.cast(operand, _DOUBLE)


def _call(name: str, *operands: Column) -> Column:
    return getattr(sa.func, name)(*operands, type_=_DOUBLE)


def _of_one(name: str, is_defined: Callable[[Column], sa.ColumnElement[bool]] | None = None) -> Build:
    """Return an entry for a function of one number; PostgreSQL must be kept from numbers of which it is not defined."""

    def build(operands: Sequence[Column], output: ColumnType | None, vendor: Vendor) -> Column:
        number = _real(operands[0]) if vendor == "postgresql" else operands[0]
        called = _call(name, number)
        return (
            called if is_defined is None or vendor != "postgresql" else sa.case((is_defined(number), called))
        )

    return build


def _is_ratio(number: Column) -> sa.ColumnElement[bool]:
    return sa.func.abs(number) <= _number("1")


def _cot(operands: Sequence[Column], output: ColumnType | None, vendor: Vendor) -> Column:
    tangent = _of_one("tan")(operands, output, vendor)
    return (
        sa.literal_column("1.0", _DOUBLE)
        .op("/", return_type=_DOUBLE)(sa.func.nullif(tangent, _number("0")))
        .self_group()
    )


def _atan2(operands: Sequence[Column], output: ColumnType | None, vendor: Vendor) -> Column:
    return _call("atan2", *(_real(operand) if vendor == "postgresql" else operand for operand in operands))


def _log(operands: Sequence[Column], output: ColumnType | None, vendor: Vendor) -> Column:
    """Return a quotient of natural logarithms: PostgreSQL has other bases only for decimals."""
    base, number = (FUNCTIONS_OF_NUMBERS["ln"]([operand], output, vendor) for operand in operands)
    return number.op("/", return_type=_DOUBLE)(sa.func.nullif(base, _number("0"), type_=_DOUBLE)).self_group()


def _power(operands: Sequence[Column], output: ColumnType | None, vendor: Vendor) -> Column:
    base, exponent = (_real(operand) if vendor == "postgresql" else operand for operand in operands)
    zero = _number("0")
    is_undefined = sa.or_(
        sa.and_(base == zero, exponent < zero),
        sa.and_(base < zero, exponent != sa.func.floor(exponent)),
    )
    return sa.case((sa.not_(is_undefined), _call("power", base, exponent)))


def _mod(operands: Sequence[Column], output: ColumnType | None, vendor: Vendor) -> Column:
    number, divisor = operands
    is_real = any(isinstance(operand.type, sa.Float) for operand in operands)
    if vendor == "postgresql" and is_real:  # it divides only whole numbers and decimals so
        number, divisor = (sa.cast(operand, sa.Numeric()) for operand in operands)
    rest = sa.func.mod(number, sa.func.nullif(divisor, _number("0"), type_=divisor.type), type_=number.type)
    return _real(rest) if vendor == "postgresql" and is_real else rest


def _random(operands: Sequence[Column], output: ColumnType | None, vendor: Vendor) -> Column:
    if vendor == "sqlite":  # 53 of its 64 random bits, as many as such a number has
        return sa.literal_column("(((random() >> 11) + 4503599627370496) / 9007199254740992.0)", _DOUBLE)
    return sa.func.random(type_=_DOUBLE)  # written as rand() on MySQL


FUNCTIONS_OF_NUMBERS: Final[Mapping[str, Build]] = {
    "acos": _of_one("acos", _is_ratio),
    "asin": _of_one("asin", _is_ratio),
    "atan": _of_one("atan"),
    "atan2": _atan2,
    "cos": _of_one("cos"),
    "cot": _cot,
    "degrees": _of_one("degrees"),
    "exp": _of_one("exp"),
    "ln": _of_one("ln", lambda number: number > _number("0")),
    "log": _log,
    "mod": _mod,
    "pi": lambda operands, output, vendor: _call("pi"),
    "power": _power,
    "radians": _of_one("radians"),
    "random_number": _random,
    "sin": _of_one("sin"),
    "sqrt": _of_one("sqrt", lambda number: number >= _number("0")),
    "tan": _of_one("tan"),
}
