"""Functions of the database: what the ones that we know have in common, and those of an application's own."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Any, ClassVar

from transom.db.exceptions import FieldError
from transom.db.models.expressions.base import Bound, Expression
from transom.db.models.expressions.references import F
from transom.db.sql.shapes import FunctionOperand, TemplateOperand

if TYPE_CHECKING:
    from transom.db.models.expressions.base import Binder
    from transom.db.sql.column_type import ColumnKind


class Function(Expression):
    """A function that is called alike on all databases. Its subclasses are what applications use.

    Args:
        operands: expressions and values; a str is the name of a column, for a text write `Value("text")`. Any: of any type.
        output_field: the field whose values it returns, if not the function's own. Any: any field.
    """

    __slots__ = ("operands", "output_field")

    name: ClassVar[str]
    """The entry of `sql/functions.py`."""
    output: ClassVar[ColumnKind | None] = None
    """What it returns; None for the same as its first operand."""
    arity: ClassVar[tuple[int, int | None]] = (1, 1)
    """The least and the largest number of operands; None for any number."""

    def __init__(self, *operands: Any, output_field: Any = None) -> None:
        least, most = self.arity
        if len(operands) < least or (most is not None and len(operands) > most):
            counts = (
                f"{least}" if least == most else f"{least} or more" if most is None else f"{least} to {most}"
            )
            raise TypeError(f"{type(self).__name__} takes {counts} operands, not {len(operands)}")
        self.operands = tuple([F(operand) if isinstance(operand, str) else operand for operand in operands])
        self.output_field = output_field

    def bind(self, binder: Binder) -> Bound:
        """Return the call, with the operands bound one after the other."""
        operands = [binder.bind(operand) for operand in self.operands]
        field = self.find_field(binder, operands)
        shapes = tuple([operand.shape for operand in operands])
        return Bound(FunctionOperand(self.name, shapes, field.column_type()), field)

    def find_field(self, binder: Binder, operands: list[Bound]) -> Any:
        """Return the field of what is returned. Any: any field."""
        if self.output_field is not None:
            return binder.output(self.output_field)
        return operands[0].field if self.output is None else binder.field(self.output)

    def __repr__(self) -> str:
        return f"{type(self).__name__}({', '.join(map(repr, self.operands))})"


class Func(Expression):
    """A function that only some databases have, or any other SQL around operands: `Func("lower", "name", output_field=…)`.

    A class of one's own says the same for all its uses:

        class Soundex(Func):
            function = "soundex"
            output_field = models.TextField()

    Args:
        operands: expressions and values; a str is the name of a column. Any: of any type.
        function: the name of the function.
        template: SQL with one `{}` for each operand, in the place of `function`; `%` and quotes as the database reads them. It
            is part of the program and must never be made of anything that users have sent.
        output_field: the field whose values it returns. Any: any field.
    """

    function: str = ""
    template: str = ""
    output_field: Any = None

    def __init__(
        self, *operands: Any, function: str = "", template: str = "", output_field: Any = None
    ) -> None:
        self.operands = tuple([F(operand) if isinstance(operand, str) else operand for operand in operands])
        self.function = function or self.function
        self.template = template or self.template
        self.output_field = output_field or self._declared_output()
        self._check()

    def _declared_output(self) -> Any:
        """Return the field that the class declares; to read it as an attribute would be to read a model's column."""
        return next(vars(at)["output_field"] for at in type(self).__mro__ if "output_field" in vars(at))

    def _check(self) -> None:
        if bool(self.function) is bool(self.template):
            raise TypeError(f"{type(self).__name__} needs a function or a template, and not both")
        if self.function and not re.fullmatch(r"[A-Za-z_][A-Za-z0-9_.]*", self.function):
            raise FieldError(f"{self.function!r} is no name of a function; for other SQL give a template")
        if self.template and self.template.count("{}") != len(self.operands):
            raise TypeError(
                f"the template {self.template!r} has {self.template.count('{}')} places for {len(self.operands)} operands"
            )
        if self.output_field is None:
            raise TypeError(f"{type(self).__name__} needs an output_field: what it returns, only you know")

    def bind(self, binder: Binder) -> Bound:
        """Return the call, with the operands bound one after the other."""
        operands = tuple([binder.bind(operand).shape for operand in self.operands])
        field = binder.output(self.output_field)
        template = self.template or f"{self.function}({', '.join('{}' for _ in operands)})"
        return Bound(TemplateOperand(template, operands, field.column_type()), field)

    def __repr__(self) -> str:
        return f"{type(self).__name__}({', '.join(map(repr, self.operands))})"
