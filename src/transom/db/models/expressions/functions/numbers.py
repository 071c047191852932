"""Functions of numbers."""

from __future__ import annotations

from transom.db.models.expressions.function import Function


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
    """The natural logarithm of a number."""

    __slots__ = ()

    name = "ln"
    lookup_name = "ln"
    output = "float"


class Mod(Function):
    """What is left when the first is divided by the second; it has the sign of the first."""

    __slots__ = ()

    name = "mod"
    arity = (2, 2)


class Power(Function):
    """The first to the power of the second."""

    __slots__ = ()

    name = "power"
    output = "float"
    arity = (2, 2)


class Round(Function):
    """A number rounded, to so many digits behind the point if a second operand says so."""

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
    """The square root of a number."""

    __slots__ = ()

    name = "sqrt"
    lookup_name = "sqrt"
    output = "float"
