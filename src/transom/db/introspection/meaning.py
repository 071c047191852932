"""What SQL read by `sql_text.py` means in the words of models: conditions, values, expressions."""

from __future__ import annotations

import json
from dataclasses import dataclass
from decimal import Decimal
from functools import reduce
from operator import add, mul, sub
from typing import TYPE_CHECKING, Any, Final

from transom.db.exceptions import FieldError
from transom.db.introspection.sql_text import UnknownSQL, parse
from transom.db.models import F, Now, Q, RandomUUID
from transom.validators import ValidationError

if TYPE_CHECKING:
    from collections.abc import Mapping

    from transom.db.backends.base import Vendor
    from transom.db.introspection.sql_text import Node
    from transom.db.models import Field
    from transom.db.models.expressions import Expression

# Any, here and below: fields and values of every type
_LOOKUPS: Final = {"=": "", "<": "__lt", "<=": "__lte", ">": "__gt", ">=": "__gte"}
_MIRRORED: Final = {"=": "=", "<>": "<>", "<": ">", "<=": ">=", ">": "<", ">=": "<="}
_CONSTANTS: Final = ("number", "text", "boolean")
_NOW: Final = ("now", "current_timestamp", "transaction_timestamp", "statement_timestamp", "utc_timestamp")
_PRESENT: Final = {
    "DateTimeField": _NOW,
    "DateField": ("current_date", "curdate", "utc_date"),
    "TimeField": ("current_time", "curtime", "utc_time"),
}
_UUIDS: Final = ("gen_random_uuid", "uuid_generate_v4", "uuid")
_NO_CONSTANTS: Final = ("BinaryField", "JSONField")


@dataclass(frozen=True, slots=True)
class Known:
    """A column as SQL can speak of it: the name of its field, and a field of the type of its values."""

    name: str
    field: Field[Any]
    is_reference: bool = False

    @property
    def kind(self) -> str:
        """The class of the field."""
        return type(self.field).__name__


class Reader:
    """Reads SQL about the columns of one table.

    Args:
        columns: the fields by the names of their columns.
        vendor: whose SQL it is.
    """

    def __init__(self, columns: Mapping[str, Known], vendor: Vendor) -> None:
        self._columns = dict(columns)
        self._in_lower_case = {name.lower(): known for name, known in columns.items()}
        self._vendor: Vendor = vendor

    def condition(self, sql: str) -> Q | None:
        """Return a condition as models say it, or None where they cannot."""
        try:
            return self._condition(parse(sql, self._vendor))
        except (UnknownSQL, ValidationError, FieldError, ArithmeticError, ValueError):
            return None

    def arithmetic(self, sql: str) -> Expression | None:
        """Return an expression over columns, or None where models cannot say it."""
        try:
            found = self._arithmetic(parse(sql, self._vendor))
        except UnknownSQL:
            return None
        return None if isinstance(found, int | Decimal) else found

    def default(self, sql: str, column: str) -> Any:
        """Return the value, or what makes it, of a column's default; None where models cannot say it."""
        known = self._columns[column]
        try:
            node = parse(sql, self._vendor)
            if node.kind == "call":
                return self._made(node.text, known)
            if known.kind == "JSONField" and node.kind == "text":
                return json.loads(node.text)
            return self._value(node, known)
        except (UnknownSQL, ValidationError, ArithmeticError, ValueError):
            return None

    def _made(self, function: str, known: Known) -> Any:
        if function in _PRESENT.get(known.kind, ()) and self._vendor != "sqlite":
            return Now()
        return RandomUUID() if known.kind == "UUIDField" and function in _UUIDS else None

    def is_not_negative(self, sql: str) -> str | None:
        """Return the column of which a condition says nothing but that it is at least 0."""
        try:
            node = parse(sql, self._vendor)
        except UnknownSQL:
            return None
        if node.kind != "compare" or node.text != ">=" or node.parts[0].kind != "column":
            return None
        return node.parts[0].text if node.parts[1].text == "0" else None

    def _known(self, node: Node) -> Known:
        if node.kind != "column":
            raise UnknownSQL(node.kind)
        known = self._columns.get(node.text) or self._in_lower_case.get(node.text.lower())
        if known is None:
            raise UnknownSQL(node.text)
        return known

    def _condition(self, node: Node) -> Q:
        match node.kind:
            case "and":
                return reduce(lambda one, other: one & other, map(self._condition, node.parts))
            case "or":
                return reduce(lambda one, other: one | other, map(self._condition, node.parts))
            case "compare":
                return self._comparison(node)
            case "is":
                return Q(**{f"{self._known(node.parts[0]).name}__isnull": node.text == "NULL"})
            case "in":
                known = self._known(node.parts[0])
                return Q(**{f"{known.name}__in": [self._comparable(each, known) for each in node.parts[1:]]})
            case "column" if self._known(node).kind == "BooleanField":
                return Q(**{self._known(node).name: True})
            case "not" if (
                node.parts[0].kind == "column" and self._known(node.parts[0]).kind == "BooleanField"
            ):
                return Q(**{self._known(node.parts[0]).name: False})
            case _:
                # NOT of more than a truth value: SQL's and ours part where NULL is about.
                raise UnknownSQL(node.kind)

    def _comparison(self, node: Node) -> Q:
        left, right = node.parts
        sign = node.text
        if sign == "<>":
            raise UnknownSQL(sign)  # as below
        if left.kind in _CONSTANTS:
            left, right, sign = right, left, _MIRRORED[sign]
        known = self._known(left)
        if right.kind == "column":
            value: Any = F(self._known(right).name)
        else:
            value = self._comparable(right, known)
        return Q(**{f"{known.name}{_LOOKUPS[sign]}": value})

    def _comparable(self, node: Node, known: Known) -> Any:
        if known.kind in _NO_CONSTANTS or known.is_reference:
            raise UnknownSQL(known.kind)
        return self._value(node, known)

    def _value(self, node: Node, known: Known) -> Any:
        """Return a constant as a value of a field."""
        if node.kind not in _CONSTANTS or known.kind in _NO_CONSTANTS:
            raise UnknownSQL(node.kind)
        if node.kind == "boolean":
            value: Any = node.text == "true"
        else:
            value = _number(node.text) if node.kind == "number" else node.text
        if isinstance(value, Decimal) and known.kind == "FloatField":
            value = float(value)
        return known.field.to_python(value)

    def _arithmetic(self, node: Node) -> Any:
        if node.kind == "number":
            return _number(node.text)
        if node.kind == "column":
            return F(self._known(node).name)
        if node.kind != "arithmetic":
            raise UnknownSQL(node.kind)
        left, right = map(self._arithmetic, node.parts)
        return {"+": add, "-": sub, "*": mul}[node.text](left, right)


def _number(text: str) -> int | Decimal:
    return int(text) if text.lstrip("-").isdigit() else Decimal(text)
