"""Functions of text."""

from __future__ import annotations

from transom.db.models.expressions.function import Function


class Concat(Function):
    """Several texts, one after the other; NULL counts as empty."""

    __slots__ = ()

    name = "concat"
    output = "text"
    arity = (2, None)


class Left(Function):
    """The first characters of a text: `Left("name", 3)`."""

    __slots__ = ()

    name = "left"
    output = "text"
    arity = (2, 2)


class Length(Function):
    """How many characters a text has."""

    __slots__ = ()

    name = "length"
    lookup_name = "length"
    output = "integer"


class Lower(Function):
    """A text in lower case; on SQLite only ASCII letters change."""

    __slots__ = ()

    name = "lower"
    lookup_name = "lower"


class LTrim(Function):
    """A text without the spaces at its beginning."""

    __slots__ = ()

    name = "ltrim"
    lookup_name = "ltrim"


class Replace(Function):
    """A text with each of one piece replaced: `Replace("name", Value("a"), Value("b"))`."""

    __slots__ = ()

    name = "replace"
    arity = (3, 3)


class Right(Function):
    """The last characters of a text: `Right("name", 3)`."""

    __slots__ = ()

    name = "right"
    output = "text"
    arity = (2, 2)


class RTrim(Function):
    """A text without the spaces at its end."""

    __slots__ = ()

    name = "rtrim"
    lookup_name = "rtrim"


class StrIndex(Function):
    """Where a piece begins in a text, counted from 1; 0 if it is not there: `StrIndex("name", Value("a"))`."""

    __slots__ = ()

    name = "position"
    output = "integer"
    arity = (2, 2)


class Substr(Function):
    """A piece of a text, from a position counted from 1, and of a length: `Substr("name", 2, 3)`."""

    __slots__ = ()

    name = "substr"
    output = "text"
    arity = (2, 3)


class Trim(Function):
    """A text without the spaces around it."""

    __slots__ = ()

    name = "trim"
    lookup_name = "trim"


class Upper(Function):
    """A text in upper case; on SQLite only ASCII letters change."""

    __slots__ = ()

    name = "upper"
    lookup_name = "upper"
