"""JSON documents made of values."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from transom.db.models.expressions.base import Bound
from transom.db.models.expressions.function import Function
from transom.db.models.expressions.references import Value
from transom.db.sql.shapes import FunctionOperand

if TYPE_CHECKING:
    from transom.db.models.expressions.base import Binder


class JSONArray(Function):
    """An array of values: `JSONArray("title", "pages")`. Truth values are true and false, documents parts of the array.

    What JSON has no word for, such as points in time, is text as the database writes it.
    """

    __slots__ = ()

    name = "json_array"
    output = "json"
    arity = (0, None)

    def bind(self, binder: Binder) -> Bound:
        """Return the call, with each operand as a part of a document."""
        operands = [self._part(binder.bind(operand)) for operand in self.operands]
        field = self.find_field(binder, [])
        return Bound(FunctionOperand(self.name, tuple(operands), field.column_type()), field)

    def _part(self, value: Bound) -> Any:
        """Return a value as a part of a document. Any: a shape."""
        if value.field is None:  # of a query around, of which nothing is known yet
            return value.shape
        return FunctionOperand("json_part", (value.shape,), value.field.column_type())


class JSONObject(JSONArray):
    """An object of values by keys: `JSONObject(title="title", length=Length("title"))`; see `JSONArray`.

    Args:
        fields: expressions by key; a str is the name of a column. Any: see `Function`.
    """

    __slots__ = ()

    name = "json_object"

    def __init__(self, **fields: Any) -> None:
        operands: list[Any] = []
        for key, value in fields.items():
            operands += [Value(key), value]
        super().__init__(*operands)
