"""Functions of numbers."""

from __future__ import annotations

from transom.db.models.expressions.function import Function

# Of numbers for which they are not defined, all of these are NULL on all databases.


class Abs(Function):
    """A number without its sign."""

    __slots__ = ()

    name = "abs"
    lookup_name = "abs"


class Ceil(Function):
    """The smallest whole number that is not smaller."""

    __slots__ = ()

    name = "ceil"
    lookup_name = "ceil"


class Exp(Function):
    """e to the power of a number."""

    __slots__ = ()

    name = "exp"
    lookup_name = "exp"
    output = "float"


class Floor(Function):
    """The largest whole number that is not larger."""

    __slots__ = ()

    name = "floor"
    lookup_name = "floor"


class Ln(Function):
    """The natural logarithm of a number; NULL of one that is not above 0."""

    __slots__ = ()

    name = "ln"
    lookup_name = "ln"
    output = "float"


class Mod(Function):
    """What is left when the first is divided by the second; it has the sign of the first. NULL where the second is 0."""

    __slots__ = ()

    name = "mod"
    arity = (2, 2)


class Power(Function):
    """The first to the power of the second; NULL of 0 to less than 0, and of less than 0 to what is no whole number."""

    __slots__ = ()

    name = "power"
    output = "float"
    arity = (2, 2)


class Round(Function):
    """A number rounded, to so many digits behind the point if a second operand says so.

    A decimal that is half way is rounded away from 0; of a float in the middle each database has its own idea.
    """

    __slots__ = ()

    name = "round"
    lookup_name = "round"
    arity = (1, 2)


class Sign(Function):
    """-1, 0 or 1."""

    __slots__ = ()

    name = "sign"
    lookup_name = "sign"
    output = "integer"


class Sqrt(Function):
    """The square root of a number; NULL of one below 0."""

    __slots__ = ()

    name = "sqrt"
    lookup_name = "sqrt"
    output = "float"


class ACos(Function):
    """The angle in radians whose cosine a number is; NULL of one beyond -1 and 1."""

    __slots__ = ()

    name = "acos"
    lookup_name = "acos"
    output = "float"


class ASin(Function):
    """The angle in radians whose sine a number is; NULL of one beyond -1 and 1."""

    __slots__ = ()

    name = "asin"
    lookup_name = "asin"
    output = "float"


class ATan(Function):
    """The angle in radians whose tangent a number is."""

    __slots__ = ()

    name = "atan"
    lookup_name = "atan"
    output = "float"


class Cos(Function):
    """The cosine of an angle in radians."""

    __slots__ = ()

    name = "cos"
    lookup_name = "cos"
    output = "float"


class Cot(Function):
    """The cotangent of an angle in radians; NULL of 0."""

    __slots__ = ()

    name = "cot"
    lookup_name = "cot"
    output = "float"


class Degrees(Function):
    """An angle in radians, in degrees."""

    __slots__ = ()

    name = "degrees"
    lookup_name = "degrees"
    output = "float"


class Radians(Function):
    """An angle in degrees, in radians."""

    __slots__ = ()

    name = "radians"
    lookup_name = "radians"
    output = "float"


class Sin(Function):
    """The sine of an angle in radians."""

    __slots__ = ()

    name = "sin"
    lookup_name = "sin"
    output = "float"


class Tan(Function):
    """The tangent of an angle in radians."""

    __slots__ = ()

    name = "tan"
    lookup_name = "tan"
    output = "float"


class ATan2(Function):
    """The angle in radians of a point: `ATan2("y", "x")`."""

    __slots__ = ()

    name = "atan2"
    output = "float"
    arity = (2, 2)


class Log(Function):
    """The logarithm of the second, to the base of the first; NULL where one of them is not above 0, or the base is 1."""

    __slots__ = ()

    name = "log"
    output = "float"
    arity = (2, 2)


class Pi(Function):
    """The number π."""

    __slots__ = ()

    name = "pi"
    output = "float"
    arity = (0, 0)


class Random(Function):
    """A random number from 0 on, below 1; another one for each row."""

    __slots__ = ()

    name = "random_number"
    output = "float"
    arity = (0, 0)
