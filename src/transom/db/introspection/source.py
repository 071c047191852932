"""Models as the text of a module."""

from __future__ import annotations

import textwrap
from typing import TYPE_CHECKING, Any

from transom.db import models
from transom.db.introspection.items import Items
from transom.db.introspection.meaning import Known, Reader
from transom.db.introspection.plan import plan_models
from transom.db.migrations.code import LINE_LENGTH, Code, call
from transom.db.migrations.serializer import MODELS, serialize

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    from transom.db.backends.base import Vendor
    from transom.db.introspection.plan import ModelPlan, ReferencePlan
    from transom.db.introspection.tables import Column, TableInfo

_INDENT = "    "
_AUTOMATIC = {"SmallIntegerField": "SmallAutoField", "IntegerField": "AutoField"}
_POSITIVE = {
    "SmallIntegerField": "PositiveSmallIntegerField",
    "IntegerField": "PositiveIntegerField",
    "BigIntegerField": "PositiveBigIntegerField",
}
_RULES = {
    "CASCADE": "CASCADE",
    "RESTRICT": "PROTECT",
    "NO ACTION": "DO_NOTHING",
    "SET NULL": "SET_NULL",
    "SET DEFAULT": "SET_DEFAULT",
}
_HEAD = '''"""Models of the database {alias}, as `transom inspectdb` found it.

Read them over: their names, their relations, and what the comments say. Migrations leave the tables
alone as long as `managed = False` stands here.
"""
'''


def module_source(tables: Iterable[TableInfo], vendor: Vendor, alias: str) -> str:
    """Return the text of a module with the models of tables."""
    plans = plan_models(tables)
    seen: set[str] = set()
    writers: list[_ModelWriter] = []
    for plan in plans:
        writers.append(_ModelWriter(plan, vendor, frozenset(seen)))
        seen.add(plan.name)
    bodies = ["\n".join(writer.lines()) for writer in writers]
    modules = {module for writer in writers for module in writer.imports} - {MODELS}
    imports = [*(f"import {module}" for module in sorted(modules)), *([""] if modules else [])]
    head = [_HEAD.format(alias=_in_docstring(alias)), *imports, "from transom.db import models"]
    return "\n".join(["\n".join(head), *(f"\n\n{body}" for body in bodies)]) + "\n"


class _ModelWriter:
    """Writes one model.

    Args:
        plan: the model.
        vendor: whose SQL the table is described in.
        defined: the classes that stand above this one in the module.
    """

    def __init__(self, plan: ModelPlan, vendor: Vendor, defined: frozenset[str]) -> None:
        self._plan = plan
        self._defined = defined
        self._known = {column.name: self._as_known(column) for column in plan.table.columns}
        self._reader = Reader(self._known, vendor)
        positive = {self._reader.is_not_negative(check.sql) for check in plan.table.checks}
        self._positive = {
            column.name
            for column in plan.table.columns
            if column.name in positive and self._can_be_positive(column)
        }
        self._items = Items(plan, self._reader, self._positive)
        self.imports: set[str] = set()

    def _as_known(self, column: Column) -> Known:
        made: Any = getattr(models, column.guess.name)(**column.guess.options)
        return Known(self._plan.fields[column.name], made, column.name in self._plan.references)

    def _can_be_positive(self, column: Column) -> bool:
        return column.guess.name in _POSITIVE and column.name not in {*self._plan.references, self._plan.key}

    def lines(self) -> Iterator[str]:
        """Yield the lines of the class."""
        table = self._plan.table
        text = table.comment or f"The {table.kind} {table.name}."
        yield f"class {self._plan.name}(models.Model):"
        yield from _docstring(text, _INDENT)
        yield ""
        if self._plan.keys:
            names = [serialize(self._plan.fields[column]) for column in self._plan.keys]
            key = _call("CompositePrimaryKey", {}, *names)
            yield f"{_INDENT}pk = {self._laid_out(key, _INDENT, len('pk = '))}"
        for column in table.columns:
            yield from self._field_lines(column)
        yield ""
        yield from self._meta_lines()

    def _field_lines(self, column: Column) -> Iterator[str]:
        name = self._plan.fields[column.name]
        code, notes = self._field(column)
        for note in (column.comment, *notes):
            yield from _comment(note, _INDENT)
        yield f"{_INDENT}{name} = {self._laid_out(code, _INDENT, len(name) + 3)}"

    def _laid_out(self, code: Code, indent: str, before: int = 0) -> str:
        self.imports |= set(code.iter_imports())
        return code.layout(indent, before)

    def _field(self, column: Column) -> tuple[Code, list[str]]:
        """Return the call that makes a field, and what a reader should know of it."""
        reference = self._plan.references.get(column.name)
        notes = list(self._plan.lost.get(column.name, ()))
        options: dict[str, Any] = {}
        if column.name == self._plan.key:
            notes.append(self._plan.key_note)
            options["primary_key"] = True
        elif column.null:
            options.update(null=True, blank=True)
        if column.computed is not None:
            code = self._computed(column)
            if code is not None:
                return code, notes
            notes.append(f"the database computes it, as {column.computed}: it cannot be saved")
        options.update(self._default(column, notes))
        if reference is not None:
            return self._reference(column, reference, options, notes), notes
        guess = column.guess
        notes.append(guess.note)
        name = self._class_of(column, notes)
        options |= self._single_options(column)
        return _call(name, options if name.endswith("AutoField") else {**guess.options, **options}), notes

    def _class_of(self, column: Column, notes: list[str]) -> str:
        if column.name in self._positive:
            return _POSITIVE[column.guess.name]
        if column.counts_up and column.name == self._plan.key:
            return _AUTOMATIC.get(column.guess.name, "BigAutoField")
        if column.counts_up:
            notes.append("the database counts it up")
        return column.guess.name

    def _single_options(self, column: Column) -> dict[str, Any]:
        """Return the options of a field that is no relation, after its type."""
        options: dict[str, Any] = {}
        if column.name != self._plan.key and column.name in self._plan.table.unique_columns:
            options["unique"] = True
        elif column.name in self._items.indexed:
            options["db_index"] = True
        if self._plan.fields[column.name] != column.name:
            options["db_column"] = column.name
        return options

    def _default(self, column: Column, notes: list[str]) -> dict[str, Any]:
        if column.default is None or column.default.upper() == "NULL" or column.computed is not None:
            return {}
        value = self._reader.default(column.default, column.name)
        if value is None or self._is_hidden(serialize(value)):
            notes.append(f"the database fills it in: {column.default}")
            return {}
        return {"db_default": value}

    def _computed(self, column: Column) -> Code | None:
        """Return a generated field, if models can say what it is computed of."""
        expression = self._reader.arithmetic(column.computed or "")
        if expression is None or column.name in {*self._plan.references, self._plan.key}:
            return None
        output = _call(column.guess.name, {**column.guess.options, **({"null": True} if column.null else {})})
        options = {"expression": expression, "output_field": output, **self._single_options(column)}
        code = _call("GeneratedField", options)
        return None if self._is_hidden(code) else code

    def _is_hidden(self, code: Code) -> bool:
        """Whether a field has the name of a module that the code speaks of, and would stand there in its place."""
        return not self._plan.names.isdisjoint(code.iter_imports())

    def _reference(
        self, column: Column, reference: ReferencePlan, options: dict[str, Any], notes: list[str]
    ) -> Code:
        name = self._plan.fields[column.name]
        target = reference.target
        given: dict[str, Any] = {
            "on_delete": Code(f"models.{self._on_delete(column, reference, options, notes)}")
        }
        if reference.to_column != target.key:
            given["to_field"] = target.fields[reference.to_column]
        if reference.related_name is not None:
            given["related_name"] = reference.related_name
        if not reference.one and column.name not in self._items.led_by:
            options["db_index"] = False
        if column.name != f"{name}_id":
            options["db_column"] = column.name
        return _call(
            "OneToOneField" if reference.one else "ForeignKey", {**given, **options}, self._target(target)
        )

    def _on_delete(
        self, column: Column, reference: ReferencePlan, options: dict[str, Any], notes: list[str]
    ) -> str:
        rule = _RULES.get(reference.on_delete, "DO_NOTHING")
        if rule == "SET_DEFAULT" and "db_default" in options:
            options["default"] = options.pop("db_default")
        elif rule == "SET_DEFAULT" or (rule == "SET_NULL" and not options.get("null")):
            notes.append(f"ON DELETE {reference.on_delete}, which the column does not take")
            return "DO_NOTHING"
        return rule

    def _target(self, target: ModelPlan) -> Code:
        if target is self._plan:
            return serialize("self")
        hidden = target.name not in self._defined or target.name in self._plan.names
        return serialize(target.name) if hidden else Code(target.name)

    def _meta_lines(self) -> Iterator[str]:
        inner = _INDENT * 2
        yield f"{_INDENT}class Meta:"
        yield f"{inner}managed = False"
        yield f"{inner}db_table = {serialize(self._plan.table.name).layout()}"
        for option, code in self._items.options():
            yield f"{inner}{option} = {self._laid_out(code, inner, len(option) + 3)}"
        for note in self._items.notes:
            yield from _comment(note, inner)


def _call(name: str, options: dict[str, Any], *args: Code) -> Code:
    keywords = [
        (key, value if isinstance(value, Code) else serialize(value)) for key, value in options.items()
    ]
    return call(Code(f"models.{name}"), args, keywords)


def _comment(text: str, indent: str) -> list[str]:
    mark = f"{indent}# "
    words = " ".join(text.replace("\0", " ").split())
    return textwrap.wrap(words, LINE_LENGTH, initial_indent=mark, subsequent_indent=mark)


def _docstring(text: str, indent: str) -> list[str]:
    quotes = '"""'
    whole = f"{indent}{quotes}{_in_docstring(text)}{quotes}"
    if len(whole) <= LINE_LENGTH:
        return [whole]
    lines = textwrap.wrap(
        _in_docstring(text), LINE_LENGTH - 3, initial_indent=indent + quotes, subsequent_indent=indent
    )
    return [*lines[:-1], f"{lines[-1]}{quotes}"] if len(lines) == 1 else [*lines, f"{indent}{quotes}"]


def _in_docstring(text: str) -> str:
    words = " ".join(text.replace("\0", " ").split())
    return words.replace("\\", "\\\\").replace('"', '\\"')
