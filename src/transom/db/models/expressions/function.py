"""Functions of the database: what the ones that we know have in common, and those of an application's own."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Any, ClassVar

from transom.db.exceptions import FieldError
from transom.db.models.expressions.base import Bound, Expression
from transom.db.models.expressions.references import F
from transom.db.models.expressions.registration import RegisterLookupMixin
from transom.db.models.expressions.templates import Texts, all_of, by_place, declared, for_each
from transom.db.sql.shapes import FunctionOperand, TemplateOperand

if TYPE_CHECKING:
    from transom.db.models.expressions.base import Binder
    from transom.db.sql.column_type import ColumnKind


class Call(RegisterLookupMixin, Expression):
    """What functions share: operands, and that one with a single operand can be part of names, once it is registered."""

    __slots__ = ("operands",)

    lookup_name: ClassVar[str] = ""
    """Its name in queries: `name__length`."""
    is_contextual: ClassVar[bool] = False
    """Whether what it comes to depends on where it is bound, such as on the current time zone."""
    bilateral: ClassVar[bool] = False
    """Whether, as part of a name, it is applied to the right side of the comparison too."""

    operands: tuple[Any, ...]  # Any: expressions and values of any type

    def _take(self, operands: tuple[Any, ...]) -> None:
        self.operands = tuple([F(operand) if isinstance(operand, str) else operand for operand in operands])

    @property
    def lhs(self) -> Any:
        """The first operand: what the part is part of. Any: an expression, or a value of any type."""
        return self.operands[0]

    def __repr__(self) -> str:
        return f"{type(self).__name__}({', '.join(map(repr, self.operands))})"


class Function(Call):
    """A function that is called alike on all databases. Its subclasses are what applications use.

    Args:
        operands: expressions and values; a str is the name of a column, for a text write `Value("text")`. Any: of any type.
        output_field: the field whose values it returns, if not the function's own. Any: any field.
    """

    __slots__ = ("output_field",)

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
        self._take(operands)
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
        return operands[0].known_field if self.output is None else binder.field(self.output)


class Func(Call):
    """A function that only some databases have, or any other SQL around operands: `Func("lower", "name", output_field=…)`.

    A class of one's own says the same for all its uses:

        class Soundex(Func):
            function = "soundex"
            output_field = models.TextField()

    Args:
        operands: expressions and values; a str is the name of a column. Any: of any type.
        function: the name of the function; where databases call it differently, names by database.
        template: SQL with one `{}` for each operand, in the place of `function`; `%` and quotes as the database reads them. It
            is part of the program and must never be made of anything that users have sent. `{"mysql": …, "sqlite": …}` says
            it for each database, and leaves those out that have no such thing.
        output_field: the field whose values it returns. Any: any field.
    """

    function: Texts = ""
    template: Texts = ""
    output_field: Any = None

    def __init__(
        self, *operands: Any, function: Texts = "", template: Texts = "", output_field: Any = None
    ) -> None:
        self._take(operands)
        self.function = function or self.function
        self.template = template or self.template
        self.output_field = output_field or declared(self, "output_field")
        self._check()

    def _check(self) -> None:
        if bool(self.function) is bool(self.template):
            raise TypeError(f"{type(self).__name__} needs a function or a template, and not both")
        for function in all_of(self.function):
            if not re.fullmatch(r"[A-Za-z_][A-Za-z0-9_.]*", function):
                raise FieldError(f"{function!r} is no name of a function; for other SQL give a template")
        for template in all_of(self.template):
            if template.count("{}") != len(self.operands):
                raise TypeError(
                    f"the template {template!r} has {template.count('{}')} places for {len(self.operands)} operands"
                )
        self._check_output()

    def _check_output(self) -> None:
        if self.output_field is None:
            raise TypeError(f"{type(self).__name__} needs an output_field: what it returns, only you know")

    def bind(self, binder: Binder) -> Bound:
        """Return the call, with the operands bound one after the other."""
        operands = [binder.bind(operand) for operand in self.operands]
        field = self.find_field(binder, operands)
        calls = ", ".join("{}" for _ in operands)
        template = (
            for_each(self.template, by_place)
            if self.template
            else for_each(self.function, lambda function: by_place(f"{function}({calls})"))
        )
        shapes = tuple([operand.shape for operand in operands])
        return Bound(TemplateOperand(template, shapes, field.column_type(), type(self).__name__), field)

    def find_field(self, binder: Binder, operands: list[Bound]) -> Any:
        """Return the field of what is returned. Any: any field."""
        return binder.output(self.output_field)


class Transform(Func):
    """A function of one value that stands in names of queries once it is registered: `filter(change__abs__lt=3)`.

        @models.IntegerField.register_lookup
        class AbsoluteValue(models.Transform):
            lookup_name = "abs"
            function = "ABS"

    It has values of the field that it is applied to, if it says no `output_field`. Where `bilateral` is True it is applied to
    both sides of a comparison. Lookups can be registered on it too, for what it returns.

    Args:
        lhs: what it is applied to; a str is the name of a column. Any: an expression, or a value of any type.
        output_field: see `Func`.
    """

    def __init__(self, lhs: Any, *, output_field: Any = None) -> None:
        super().__init__(lhs, output_field=output_field)

    def _check_output(self) -> None:
        """Say nothing: without an output field, it is that of the operand."""

    def find_field(self, binder: Binder, operands: list[Bound]) -> Any:
        """Return the field of what is returned. Any: any field."""
        return operands[0].field if self.output_field is None else super().find_field(binder, operands)
