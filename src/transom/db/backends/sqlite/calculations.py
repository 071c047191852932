"""Functions of text and numbers that SQLite lacks, or may lack: those of numbers depend on how it was built."""

from __future__ import annotations

import hashlib
import math
from typing import TYPE_CHECKING, Any, Final, TypeAlias

if TYPE_CHECKING:
    import sqlite3
    from collections.abc import Callable

# Any: values of the types that SQLite has
Call: TypeAlias = "Callable[..., Any]"

HASHES: Final = ("md5", "sha1", "sha224", "sha256", "sha384", "sha512")


def install_calculations(driver: sqlite3.Connection) -> None:
    """Give a connection the functions."""
    for name in HASHES:
        driver.create_function(f"transom_{name}", 1, _unless_null(_hash_by(name)), deterministic=True)
    for name, (count, function) in OF_TEXT.items():
        driver.create_function(f"transom_{name}", count, _unless_null(function), deterministic=True)
    if not driver.execute("SELECT sqlite_compileoption_used('ENABLE_MATH_FUNCTIONS')").fetchone()[0]:
        install_numbers(driver)


def install_numbers(driver: sqlite3.Connection) -> None:
    """Give a connection the functions of numbers, as SQLite has them where it was built with them."""
    driver.create_function("pi", 0, lambda: math.pi, deterministic=True)
    for count, functions in ((1, OF_ONE_NUMBER), (2, OF_TWO_NUMBERS)):
        for name, function in functions.items():
            driver.create_function(name, count, _unless_null(_defined(function)), deterministic=True)


def _unless_null(function: Call) -> Call:
    """Return a function that is NULL of NULL."""

    def call(*values: Any) -> Any:
        return None if None in values else function(*values)

    return call


def _defined(function: Call) -> Call:
    """Return a function that is NULL of what it is not defined of, and infinite of what is too large."""

    def call(*numbers: Any) -> Any:
        try:
            return function(*map(float, numbers))
        except ValueError:
            return None
        except OverflowError:
            return math.inf

    return call


def _hash_by(name: str) -> Call:
    def make(text: Any) -> str:
        return hashlib.new(name, str(text).encode(), usedforsecurity=False).hexdigest()

    return make


def _filling(text: Any, size: int, fill: str) -> tuple[str, str]:
    """Return a text cut to a size, and what fills it up."""
    size = max(size, 0)
    cut = str(text)[:size]
    missing = size - len(cut)
    return cut, (fill * missing)[:missing]


def _lpad(text: Any, size: int, fill: str) -> str:
    cut, filling = _filling(text, size, fill)
    return filling + cut


def _rpad(text: Any, size: int, fill: str) -> str:
    return "".join(_filling(text, size, fill))


def _repeat(text: Any, times: int) -> str:
    return str(text) * times


def _reverse(text: Any) -> str:
    return str(text)[::-1]


def _sign(number: float) -> int:
    return (number > 0) - (number < 0)


OF_TEXT: Final[dict[str, tuple[int, Call]]] = {
    "lpad": (3, _lpad),
    "repeat": (2, _repeat),
    "reverse": (1, _reverse),
    "rpad": (3, _rpad),
}
OF_TWO_NUMBERS: Final[dict[str, Call]] = {"atan2": math.atan2, "mod": math.fmod, "power": math.pow}
OF_ONE_NUMBER: Final[dict[str, Call]] = {
    "acos": math.acos,
    "asin": math.asin,
    "atan": math.atan,
    "ceil": math.ceil,
    "cos": math.cos,
    "degrees": math.degrees,
    "exp": math.exp,
    "floor": math.floor,
    "ln": math.log,
    "radians": math.radians,
    "sign": _sign,
    "sin": math.sin,
    "sqrt": math.sqrt,
    "tan": math.tan,
}
