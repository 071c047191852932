"""SQL that an application writes down itself: `%s` and `%(name)s` for values, on every database.

A text is taken apart into the pieces between its placeholders, and put together again with those of a driver. No value
ever comes near the text.
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any, Final, NamedTuple, TypeAlias, cast

from transom.db.exceptions import FieldError

if TYPE_CHECKING:
    from transom.db.sql.metadata import Vendor

# Any: values of all types
Params: TypeAlias = "Sequence[Any] | Mapping[str, Any] | None"


class Text(NamedTuple):
    """SQL with places for values.

    Attributes:
        pieces: what stands around the places; one more than there are.
        values: what goes there, in the order of the text. Any: values of all types.
    """

    pieces: tuple[str, ...]
    values: tuple[Any, ...]


_MARK: Final = re.compile(r"%(?:(s)|\(([^()]*)\)s|(%))?")


def parse_placeholders(sql: str, params: Params) -> Text:
    """Take a text apart.

    Args:
        sql: with `%s` for each value, or `%(name)s`; `%%` is a percent sign.
        params: a sequence for the one, a mapping for the other; None for a text without places, whose percent signs stay.

    Raises:
        FieldError: there are more or fewer values than places, a name has no value, or a percent sign stands by itself.
        TypeError: `params` is neither.
    """
    if not isinstance(cast("object", sql), str):
        raise TypeError(f"SQL is a str, not {sql!r}")
    if params is None:
        return Text((sql,), ())
    if isinstance(params, str | bytes) or not isinstance(cast("object", params), Sequence | Mapping):
        raise TypeError(f"params are a list, a tuple or a dict of values, not {params!r}")
    pieces, names = _split(sql)
    if isinstance(params, Mapping):
        return Text(pieces, _by_name(names, params))
    if any(name is not None for name in names):
        raise FieldError("%(name)s takes its value from a dict of params")
    if len(names) != len(params):
        raise FieldError(f"the SQL has {len(names)} places (%s) and there are {len(params)} params")
    return Text(pieces, tuple(params))


def _split(sql: str) -> tuple[tuple[str, ...], list[str | None]]:
    """Return the pieces, and the names of the places between them; None for `%s`."""
    pieces, names, end = [""], list[str | None](), 0
    for found in _MARK.finditer(sql):
        pieces[-1] += sql[end : found.start()]
        end = found.end()
        if found[3]:
            pieces[-1] += "%"
        elif found[1] or found[2]:
            names.append(found[2])
            pieces.append("")
        else:
            raise FieldError(
                f"write %% for a percent sign, not {sql[found.start() :][:12]!r}; %s is a place for a value"
            )
    pieces[-1] += sql[end:]
    return tuple(pieces), names


def _by_name(names: list[str | None], params: Mapping[str, Any]) -> tuple[Any, ...]:
    if None in names:
        raise FieldError("%s takes its value from a list of params; with a dict write %(name)s")
    wanted = cast("list[str]", names)
    missing = [name for name in wanted if name not in params]
    unused = [name for name in params if name not in wanted]
    if missing or unused:
        word, wrong = (
            ("no param is called", missing) if missing else ("no place is there for the param", unused)
        )
        raise FieldError(
            f"{word} {wrong[0]!r}; the SQL has {', '.join(dict.fromkeys(wanted)) or 'no places'}"
        )
    return tuple([params[name] for name in wanted])


def write_placeholders(pieces: Sequence[str], vendor: Vendor) -> str:
    """Return the text with the placeholders of a driver.

    Raises:
        FieldError: a place stands within quotation marks or a comment, where it is none.
    """
    if any(PLACE in piece for piece in pieces):
        raise FieldError("SQL has no NUL in it")
    check_quotes(PLACE.join(pieces), vendor)
    if len(pieces) == 1:
        return pieces[0]
    if vendor == "postgresql":
        return "".join(f"${number}{piece}" if number else piece for number, piece in enumerate(pieces))
    if vendor == "mysql":
        return "%s".join(piece.replace("%", "%%") for piece in pieces)
    return "?".join(pieces)


PLACE: Final = "\0"
"""What stands for a place in a text that is looked at."""

_QUOTED: Final = {
    "mysql": re.compile(
        r"""'(?:[^'\\]|\\.|'')*' | "(?:[^"\\]|\\.|"")*" | `[^`]*` | (?:\#|--\s)[^\n]* | /\*.*?\*/""",
        re.DOTALL | re.VERBOSE,
    ),
    "postgresql": re.compile(
        r"""\b[eE]'(?:[^'\\]|\\.|'')*' | '[^']*' | "[^"]*" | --[^\n]* | /\*.*?\*/ | \$(\w*)\$.*?\$\1\$""",
        re.DOTALL | re.VERBOSE,
    ),
    "sqlite": re.compile(r"""'[^']*' | "[^"]*" | `[^`]*` | --[^\n]* | /\*.*?\*/""", re.DOTALL | re.VERBOSE),
}


def check_quotes(text: str, vendor: Vendor) -> None:
    """Refuse a place within quotation marks or a comment: no driver puts a value there, but asyncmy would write it down.

    Raises:
        FieldError: there is one.
    """
    if PLACE not in text:
        return
    for found in _QUOTED[vendor].finditer(text):
        if PLACE in found[0]:
            shown = found[0].replace(PLACE, "%s")
            raise FieldError(
                f"a place for a value stands alone, not within quotation marks or a comment: {shown!r}"
            )
