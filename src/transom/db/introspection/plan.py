"""Decides what tables become: names of models and fields, keys, and relations that get in nobody's way."""

from __future__ import annotations

from collections import defaultdict
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from transom.db.introspection.names import RESERVED, class_name, field_name, reference_name

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from transom.db.introspection.tables import Column, ForeignKeyInfo, TableInfo


@dataclass(eq=False, slots=True)
class ReferencePlan:
    """A column that becomes a foreign key, or a one-to-one field.

    Attributes:
        target: the model it refers to.
        to_column: the column there.
        on_delete: the rule of SQL.
        one: whether no two rows refer to the same.
        related_name: what the way back is called, where its usual name is taken.
    """

    target: ModelPlan
    to_column: str
    on_delete: str
    one: bool
    related_name: str | None = None


@dataclass(eq=False, slots=True)
class ModelPlan:
    """One model.

    Attributes:
        table: what it is of.
        name: of the class.
        key: the column that is the primary key of the model; empty where `keys` are.
        key_note: why it is, if the table does not say so.
        fields: names of fields by names of columns.
        references: by the name of the column.
        lost: what becomes of no field, by the name of the (first) column, for people.
    """

    table: TableInfo
    name: str
    key: str
    key_note: str
    fields: dict[str, str] = field(default_factory=dict[str, str])
    references: dict[str, ReferencePlan] = field(default_factory=dict[str, ReferencePlan])
    lost: dict[str, list[str]] = field(default_factory=lambda: defaultdict[str, list[str]](list))

    @property
    def keys(self) -> tuple[str, ...]:
        """The columns of a primary key of several."""
        return () if self.key else self.table.primary_key

    @property
    def names(self) -> set[str]:
        """The attributes that the fields take: of a foreign key, both."""
        keys = {f"{self.fields[column]}_id" for column in self.references}
        return {*self.fields.values(), *keys}


def plan_models(tables: Iterable[TableInfo]) -> list[ModelPlan]:
    """Return the models of tables, each behind those it refers to, as far as they do not go round in circles."""
    plans: dict[str, ModelPlan] = {}
    for table in tables:
        if table.columns:
            taken = {plan.name.lower() for plan in plans.values()}
            plans[table.name] = ModelPlan(table, class_name(table.name, taken), *_key(table))
    for plan in plans.values():
        _plan_references(plan, plans)
    for plan in plans.values():
        _name_fields(plan)
    _name_ways_back(plans.values())
    return _sorted(plans.values())


def _key(table: TableInfo) -> tuple[str, str]:
    """Return the column that is the key of the model, empty for several, and why, if the table does not say so."""
    known = {column.name: column for column in table.columns}
    if len(table.primary_key) == 1:
        return table.primary_key[0], ""
    if table.primary_key and _can_be_key([known[name] for name in table.primary_key]):
        return "", ""
    if table.primary_key:
        first, names = table.primary_key[0], ", ".join(table.primary_key)
        return first, (
            f"the primary key is of several columns ({names}), of which one is computed or counted up; the first stands in"
        )
    alone = [name for name in known if name in table.unique_columns and not known[name].null]
    if alone:
        return alone[0], f"the {table.kind} has no primary key; this unique column stands in"
    named = next((name for name in known if name.lower() == "id"), None)
    name = named or _first_writable(table.columns).name
    return name, f"the {table.kind} has no primary key; name the column whose values are unique"


def _can_be_key(columns: Iterable[Column]) -> bool:
    """Whether a model can have these columns as its key."""
    return not any(column.computed is not None or column.counts_up for column in columns)


def _first_writable(columns: Sequence[Column]) -> Column:
    return next((column for column in columns if column.computed is None), columns[0])


def _plan_references(plan: ModelPlan, plans: dict[str, ModelPlan]) -> None:
    by_lower_case = {name.lower(): each for name, each in plans.items()}
    known = {column.name: column for column in plan.table.columns}
    in_lower_case = {name.lower(): name for name in known}
    for key in plan.table.foreign_keys:
        columns = [each if each in known else in_lower_case.get(each.lower(), each) for each in key.columns]
        # SQLite minds no case of letters, the others write both alike.
        target = plans.get(key.table) or by_lower_case.get(key.table.lower())
        reason = _hindrance(key, target, columns[0] in plan.references)
        if target is None or reason:
            plan.lost[columns[0]].append(f"{_said(key)}{reason}")
            continue
        (to_column,) = _target_columns(key, target)
        one = columns[0] in plan.table.unique_columns
        plan.references[columns[0]] = ReferencePlan(target, to_column, key.on_delete, one)


def _said(key: ForeignKeyInfo) -> str:
    there = f" ({', '.join(key.target_columns)})" if key.target_columns else ""
    here = f"({', '.join(key.columns)}) refers" if len(key.columns) > 1 else "refers"
    return f"{here} to {key.table}{there}"


def _hindrance(key: ForeignKeyInfo, target: ModelPlan | None, has_one: bool) -> str:
    """Return why a foreign key can be no field; nothing if it can."""
    if target is None:
        return ", which is not among these models"
    if len(key.columns) > 1:
        return ": no field stands for a foreign key of several columns"
    columns = _target_columns(key, target)
    if len(columns) != 1 or columns[0] not in target.table.unique_columns:
        return ", which is not unique by itself"
    return " as well" if has_one else ""


def _target_columns(key: ForeignKeyInfo, target: ModelPlan) -> list[str]:
    """Return the columns referred to, as the other table writes them: its key where none are named."""
    known = {column.name.lower(): column.name for column in target.table.columns}
    return [known.get(name.lower(), name) for name in key.target_columns or target.table.primary_key]


def _name_fields(plan: ModelPlan) -> None:
    columns = [column.name for column in plan.table.columns]
    for name in columns:
        if name not in plan.references:
            plan.fields[name] = field_name(name, plan.fields.values())
    taken = set(plan.fields.values())
    for name in columns:
        if name in plan.references:
            plan.fields[name] = reference_name(name, taken)
            taken |= {plan.fields[name], f"{plan.fields[name]}_id"}


def _name_ways_back(plans: Iterable[ModelPlan]) -> None:
    """Give relations names of their own where the usual ones would clash on the model they lead to."""
    attributes = {plan: plan.names | RESERVED for plan in plans}
    words = {plan: set(plan.names) for plan in attributes}
    for plan in attributes:
        for column in [each.name for each in plan.table.columns if each.name in plan.references]:
            reference = plan.references[column]
            word = plan.name.lower()
            accessor = word if reference.one else f"{word}_set"
            number, target = 1, reference.target
            while accessor in attributes[target] or word in words[target]:
                suffix = f"{'' if reference.one else '_set'}{'' if number == 1 else f'_{number}'}"
                accessor = word = f"{plan.name.lower()}_{plan.fields[column]}{suffix}"
                reference.related_name, number = accessor, number + 1
            attributes[target].add(accessor)
            words[target].add(word)


def _sorted(plans: Iterable[ModelPlan]) -> list[ModelPlan]:
    ordered: dict[ModelPlan, None] = {}
    visited: set[ModelPlan] = set()

    def visit(plan: ModelPlan) -> None:
        if plan not in visited:
            visited.add(plan)
            for reference in plan.references.values():
                visit(reference.target)
            ordered[plan] = None

    for plan in plans:
        visit(plan)
    return list(ordered)
