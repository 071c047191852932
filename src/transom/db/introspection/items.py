"""Indexes and constraints of a table as `class Meta` says them, and in words where it cannot."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from transom.db import models
from transom.db.migrations.code import Code, call, sequence
from transom.db.migrations.serializer import serialize
from transom.db.models.names import MAX_NAME_BYTES

if TYPE_CHECKING:
    from collections.abc import Iterator

    from transom.db.introspection.meaning import Reader
    from transom.db.introspection.plan import ModelPlan
    from transom.db.introspection.tables import IndexInfo

_KINDS: dict[str, type[models.Index]] = {
    "btree": models.Index,
    "gin": models.GinIndex,
    "gist": models.GistIndex,
    "spgist": models.SpGistIndex,
    "brin": models.BrinIndex,
    "hash": models.HashIndex,
}


class Items:
    """What a table has beside its columns, but for what options of fields say.

    Attributes:
        indexed: the columns that have an index of their own.
        led_by: the columns that some index begins with.
        notes: what cannot be said, for people.
    """

    def __init__(self, plan: ModelPlan, reader: Reader, positive: set[str]) -> None:
        self._plan = plan
        self._reader = reader
        self._names: set[str] = set()
        self.notes: list[str] = []
        table = plan.table
        single = [each for each in table.indexes if each.is_plain and len(each.columns) == 1]
        self.indexed = {each.columns[0] for each in single if not each.unique}
        first = [each.columns[0] for each in table.indexes if each.columns and each.condition is None]
        self.led_by = {*first, *table.primary_key[:1]}
        rest = [each for each in table.indexes if each not in single]
        self._indexes = [self._index(each) for each in rest if not each.unique]
        self._constraints = [self._index(each) for each in rest if each.unique]
        for check in table.checks:
            if reader.is_not_negative(check.sql) not in positive:
                self._constraints.append(self._check(check.name, check.sql))
        self.notes += table.others

    def options(self) -> Iterator[tuple[str, Code]]:
        """Yield the options of `class Meta`."""
        for option, items in (("indexes", self._indexes), ("constraints", self._constraints)):
            found = [item for item in items if item is not None]
            if found:
                yield option, sequence("[]", found, exploded=True)

    def _check(self, name: str, sql: str) -> Code | None:
        condition = self._reader.condition(sql)
        if condition is None:
            self.notes.append(f"check {name}: {sql}")
            return None
        return _code(models.CheckConstraint(condition=condition, name=self._name(name)))

    def _index(self, index: IndexInfo) -> Code | None:
        try:
            found = self._item(index)
        except TypeError as exc:  # options that a model does not take together
            found, index_note = None, str(exc)
        else:
            index_note = index.note
        if found is None:
            self.notes.append(_said(index, index_note))
            return None
        return _code(found)

    def _item(self, index: IndexInfo) -> models.Index | models.UniqueConstraint | None:
        condition = None if index.condition is None else self._reader.condition(index.condition)
        if not index.columns or index.note or (index.condition is not None and condition is None):
            return None
        opclasses = [key.opclass for key in index.keys]
        if any(opclasses) and not all(opclasses):
            return None
        options: dict[str, Any] = {
            "name": self._name(index.name),
            "condition": condition,
            "include": [self._plan.fields[name] for name in index.include],
            "opclasses": opclasses if any(opclasses) else [],
        }
        if index.unique:
            return self._unique(index, options)
        kind = _KINDS.get(index.method)
        if kind is None:
            return None
        fields = [
            f"{'-' if key.descending else ''}{self._plan.fields[key.column]}"
            for key in index.keys
            if key.column
        ]
        return kind(fields=fields, **options)

    def _unique(self, index: IndexInfo, options: dict[str, Any]) -> models.UniqueConstraint:
        return models.UniqueConstraint(
            fields=[self._plan.fields[name] for name in index.columns],
            deferrable=models.Deferrable(index.deferrable) if index.deferrable else None,
            nulls_distinct=None if index.nulls_distinct else False,
            **options,
        )

    def _name(self, name: str) -> str | None:
        """Return a name as `class Meta` takes it; None for one to be made anew."""
        short = len(name.encode()) <= MAX_NAME_BYTES and not name.startswith("sqlite_autoindex")
        if not name or not short or name in self._names:
            return None
        self._names.add(name)
        return name.replace("%", "%%")


def _said(index: IndexInfo, note: str) -> str:
    keys = ", ".join(f"{key.sql}{' DESC' if key.descending else ''}" for key in index.keys)
    words = f"{'unique ' if index.unique else ''}index {index.name}: {keys}"
    condition = f" where {index.condition}" if index.condition else ""
    return f"{words}{condition}{f' ({note})' if note else ''}"


def _code(item: models.Index | models.BaseConstraint) -> Code:
    path, args, keywords = item.deconstruct()
    named = [(key, serialize(value)) for key, value in keywords.items() if value != ""]
    return call(Code(f"models.{path.rpartition('.')[2]}"), map(serialize, args), named)
