"""Functions of text."""

from __future__ import annotations

from typing import Any

from transom.db.models.expressions.function import Function
from transom.db.models.expressions.references import Value


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


class Chr(Function):
    """The character of a code point: `Chr(65)` is `"A"`."""

    __slots__ = ()

    name = "chr"
    lookup_name = "chr"
    output = "text"


class Ord(Function):
    """The code point of the first character of a text; 0 of an empty one."""

    __slots__ = ()

    name = "ord"
    lookup_name = "ord"
    output = "integer"


class Reverse(Function):
    """A text from its end to its beginning."""

    __slots__ = ()

    name = "reverse"
    lookup_name = "reverse"


class MD5(Function):
    """The MD5 hash of a text in UTF-8, as hexadecimal digits."""

    __slots__ = ()

    name = "md5"
    lookup_name = "md5"
    output = "text"


class SHA1(Function):
    """The SHA-1 hash of a text in UTF-8, as hexadecimal digits; on PostgreSQL by the extension pgcrypto."""

    __slots__ = ()

    name = "sha1"
    lookup_name = "sha1"
    output = "text"


class SHA224(Function):
    """The SHA-224 hash of a text in UTF-8, as hexadecimal digits."""

    __slots__ = ()

    name = "sha224"
    lookup_name = "sha224"
    output = "text"


class SHA256(Function):
    """The SHA-256 hash of a text in UTF-8, as hexadecimal digits."""

    __slots__ = ()

    name = "sha256"
    lookup_name = "sha256"
    output = "text"


class SHA384(Function):
    """The SHA-384 hash of a text in UTF-8, as hexadecimal digits."""

    __slots__ = ()

    name = "sha384"
    lookup_name = "sha384"
    output = "text"


class SHA512(Function):
    """The SHA-512 hash of a text in UTF-8, as hexadecimal digits."""

    __slots__ = ()

    name = "sha512"
    lookup_name = "sha512"
    output = "text"


class ConcatPair(Concat):
    """Two texts, one after the other; NULL counts as empty."""

    __slots__ = ()

    arity = (2, 2)


class Repeat(Function):
    """A text several times: `Repeat("name", 3)`; none at all is an empty text."""

    __slots__ = ()

    name = "repeat"
    output = "text"
    arity = (2, 2)


class LPad(Function):
    """A text of a length, with spaces in front of it, or with a third operand: `LPad("name", 8, Value("."))`.

    A text that is longer loses its end.
    """

    __slots__ = ()

    name = "lpad"
    output = "text"
    arity = (2, 3)

    def __init__(self, *operands: Any, output_field: Any = None) -> None:  # Any: see `Function`
        fill = () if len(operands) != 2 else (Value(" "),)
        super().__init__(*operands, *fill, output_field=output_field)


class RPad(LPad):
    """A text of a length, with spaces behind it, or with a third operand: `RPad("name", 8, Value("."))`.

    A text that is longer loses its end.
    """

    __slots__ = ()

    name = "rpad"
