"""Indexes, as `class Meta` declares them."""

from __future__ import annotations

import copy
from typing import TYPE_CHECKING, Any, ClassVar, cast

from transom.db.models.expressions import Condition, Expression, F, Q, When
from transom.db.models.names import digest, fill_name, import_path, make_name

if TYPE_CHECKING:
    from collections.abc import Sequence
    from typing import Self

    from transom.db.models.expressions import Binder, Bound
    from transom.db.models.names import Owner


class OpClass(Expression):
    """A part of an index with its operator class: `GinIndex(OpClass(Upper("name"), name="gin_trgm_ops"), name="by_name")`.

    Other databases than PostgreSQL know no operator classes and pass over the name.

    Args:
        expression: the part; a str is the name of a column.
        name: the operator class.
    """

    __slots__ = ("expression", "name")

    def __init__(self, expression: Expression | str, name: str) -> None:
        check_opclasses((name,), 1)
        self.expression = F(expression) if isinstance(expression, str) else expression
        self.name = name

    def bind(self, binder: Binder) -> Bound:
        """Return the part, which the class changes nothing of."""
        return binder.bind(self.expression)

    def deconstruct(self) -> tuple[str, list[Any], dict[str, Any]]:
        """Return what makes an equal one. Any: arguments of any type."""
        return import_path(type(self)), [self.expression], {"name": self.name}

    def __repr__(self) -> str:
        return f"OpClass({self.expression!r}, name={self.name!r})"


class Index:
    """An index over fields, or over expressions of them. It makes queries faster and changes no result.

        class Meta:
            indexes = [
                models.Index(fields=["author", "-published"]),
                models.Index(fields=["slug"], condition=models.Q(published=True), name="published_slugs"),
                models.Index(models.F("likes") - models.F("dislikes"), name="balance"),
            ]

    Args:
        expressions: expressions over columns of the model; or `fields`.
        fields: names of fields, with `-` before them for the largest first.
        name: made of table and fields if not given.
        condition: which rows are in the index; all if None. It speaks of the model's own columns.
        include: fields that are kept in the index without ordering it, so that it can answer by itself; on PostgreSQL.
        opclasses: an operator class for each field, on PostgreSQL.

    Attributes:
        method: the kind of index, which only PostgreSQL knows; other databases pass over what is not the usual kind.
    """

    method: ClassVar[str | None] = None

    def __init__(
        self,
        *expressions: Expression,
        fields: Sequence[str] = (),
        name: str | None = None,
        condition: Q | None = None,
        include: Sequence[str] = (),
        opclasses: Sequence[str] = (),
    ) -> None:
        if bool(expressions) == bool(fields):
            raise TypeError(f"{type(self).__name__} takes either expressions or fields=[…], and one of them")
        check_opclasses(opclasses, len(fields))
        self.expressions = expressions
        self.fields = tuple(fields)
        self.name: str = name or ""
        self.condition = condition
        self.include = tuple(include)
        self.opclasses = tuple(opclasses)

    @property
    def storage(self) -> dict[str, Any]:
        """The storage parameters. Any: numbers and words."""
        return {}

    @property
    def suffix(self) -> str:
        """What the kind of index adds to a name that is made."""
        return self.method or ""

    def for_model(self, options: Owner) -> Self:
        """Return a copy for one model, which has a name."""
        made = copy.copy(self)
        made.name = fill_name(self.name, options) if self.name else self._make_name(options)
        return made

    def _make_name(self, options: Owner) -> str:
        named = [field.replace("-", "") for field in self.fields]
        told = repr((self.expressions, self.condition, self.include))
        differs = bool(self.expressions) or self.condition is not None or bool(self.include)
        descends = "desc" if any(field.startswith("-") for field in self.fields) else ""
        return make_name(
            "ix", options.db_table, *named, descends, self.suffix, digest(told) if differs else ""
        )

    def field_orders(self) -> list[tuple[str, bool]]:
        """Return the fields, each with whether it is descending."""
        return [(field.removeprefix("-"), field.startswith("-")) for field in self.fields]

    def deconstruct(self) -> tuple[str, list[Any], dict[str, Any]]:
        """Return the import path and arguments from which an equal one can be made. Any: arguments of any type."""
        keywords: dict[str, Any] = {
            "fields": list(self.fields),
            "name": self.name,
            "condition": self.condition,
            "include": list(self.include),
            "opclasses": list(self.opclasses),
            **self.storage,
        }
        given = {key: value for key, value in keywords.items() if value is not None and value != []}
        return import_path(type(self)), list(self.expressions), given

    def __repr__(self) -> str:
        subjects = self.fields or self.expressions
        return f"<{type(self).__name__} {self.name!r} on {', '.join(map(str, subjects))}>"


class PostgresIndex(Index):
    """What the kinds of indexes share that only PostgreSQL knows; other databases pass over them."""

    def __init__(
        self,
        *expressions: Expression,
        fields: Sequence[str] = (),
        name: str | None = None,
        condition: Q | None = None,
        include: Sequence[str] = (),
        opclasses: Sequence[str] = (),
        **storage: Any,  # Any: numbers and words
    ) -> None:
        super().__init__(
            *expressions, fields=fields, name=name, condition=condition, include=include, opclasses=opclasses
        )
        unknown = storage.keys() - set(self.parameters)
        if unknown:
            choices = ", ".join(self.parameters) or "none"
            raise TypeError(f"{type(self).__name__} has no option {min(unknown)!r}; choose from {choices}")
        self._storage = {key: value for key, value in storage.items() if value is not None}

    parameters: ClassVar[tuple[str, ...]] = ()

    @property
    def storage(self) -> dict[str, Any]:
        """The storage parameters, as PostgreSQL calls them."""
        return self._storage


class BTreeIndex(PostgresIndex):
    """The usual, sorted index, with storage parameters."""

    method = "btree"
    parameters = ("fillfactor", "deduplicate_items")


class GinIndex(PostgresIndex):
    """An index of what values consist of: members of arrays, keys and values of JSON, words of a text."""

    method = "gin"
    parameters = ("fastupdate", "gin_pending_list_limit")


class GistIndex(PostgresIndex):
    """An index of what overlaps or is near: ranges, addresses, shapes."""

    method = "gist"
    parameters = ("buffering", "fillfactor")


class SpGistIndex(PostgresIndex):
    """An index of values in a space that is divided: addresses, points, beginnings of texts."""

    method = "spgist"
    parameters = ("fillfactor",)


class BrinIndex(PostgresIndex):
    """A tiny index for large tables whose rows lie on disk in the order of the column."""

    method = "brin"
    parameters = ("autosummarize", "pages_per_range")


class BloomIndex(PostgresIndex):
    """A small index of many columns at once, for `exact` on any of them; it needs the extension `bloom`.

    Args:
        fields: names of fields, at most 32.
        length: of an entry, in bits, rounded up to a multiple of 16; at most 4096.
        columns: how many bits each field takes, at most 4095.
        options: see `Index`. Any: of several types.
    """

    method = "bloom"
    parameters = ("length", *(f"col{number}" for number in range(1, 33)))

    def __init__(
        self, *, fields: Sequence[str], length: int | None = None, columns: Sequence[int] = (), **options: Any
    ) -> None:
        if len(fields) > 32 or len(columns) > len(fields):
            raise TypeError("a BloomIndex has at most 32 fields, and one number of columns for each of them")
        if not 0 < (length or 1) <= 4096 or not all(0 < bits <= 4095 for bits in columns):
            raise TypeError("a BloomIndex has a length of 1 to 4096 bits, and 1 to 4095 for each of columns")
        bits = {f"col{number}": count for number, count in enumerate(columns, 1)}
        super().__init__(fields=fields, length=length, **bits, **options)
        self.columns = tuple(columns)

    def deconstruct(self) -> tuple[str, list[Any], dict[str, Any]]:
        """Return what makes an equal one. Any: arguments of any type."""
        path, positional, keywords = super().deconstruct()
        kept = {name: value for name, value in keywords.items() if not name.startswith("col")}
        return path, positional, kept | ({"columns": list(self.columns)} if self.columns else {})


class HashIndex(PostgresIndex):
    """An index for nothing but `exact`, small for long values."""

    method = "hash"
    parameters = ("fillfactor",)


def check_opclasses(opclasses: Sequence[str], count: int) -> None:
    """Refuse operator classes that are not one for each field, or no names.

    Raises:
        TypeError: they are not.
    """
    if opclasses and len(opclasses) != count:
        raise TypeError(
            f"opclasses needs one operator class for each of {count} fields, not {len(opclasses)}"
        )
    for opclass in opclasses:
        if not all(part.isidentifier() for part in opclass.split(".")):  # it gets into the SQL as it is
            raise TypeError(f"{opclass!r} is no operator class; take one such as 'jsonb_path_ops'")


def expression_names(expression: object) -> set[str]:
    """Return the names of the fields that an expression reads."""
    match expression:
        case F():
            return {expression.path.split("__")[0]}
        case When():
            return condition_names(expression.condition) | expression_names(expression.then)
        case tuple():
            parts = cast("tuple[object, ...]", expression)
        case Expression():
            slots = [name for cls in type(expression).__mro__ for name in getattr(cls, "__slots__", ())]
            parts = (*(getattr(expression, name, None) for name in slots), *vars_of(expression))
        case _:
            return set()
    return {name for part in parts for name in expression_names(part)}


def vars_of(expression: Expression) -> list[object]:
    """Return the values of an expression of a class without slots."""
    return list(getattr(expression, "__dict__", {}).values())


def condition_names(condition: Q | Condition | Expression) -> set[str]:
    """Return the names of the fields that a condition speaks of."""
    if isinstance(condition, Expression):
        return expression_names(condition)
    if not isinstance(condition, Condition):
        return {name for child in condition.children for name in condition_names(child)}
    value = condition.value
    inside = expression_names(value) if isinstance(value, Expression) else set[str]()
    return {condition.name.split("__")[0], *inside}
