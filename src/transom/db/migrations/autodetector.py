"""Compares two states of the models and says which operations lead from one to the other; no database is asked.

How it works, in three steps, each a function of the one before:

1. differences: models and fields that came and went. A change that no operation stands for is refused, all at once.
2. operations, in an order that a database accepts: what refers goes before what it refers to, and the other way round
   for new tables. Where new models refer to each other in a ring, one reference is added after both tables.
3. migrations, with names and dependencies: `arrange.py`.

Removals come before additions, so that no state in between has two models under one related name.
"""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING, Any

from transom.db.migrations.arrange import Step, arrange
from transom.db.migrations.exceptions import UnsupportedChange
from transom.db.migrations.item_change import ItemChange
from transom.db.migrations.model_state import ModelKey, clone_field, has_value_for_rows
from transom.db.migrations.operations import AddField, CreateModel, DeleteModel, RemoveField
from transom.db.migrations.serializer import serialize
from transom.db.models import Field, OnDelete
from transom.db.models.expressions import Expression
from transom.db.models.fields import UNIQUE_FOR

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator, Mapping

    from transom.db.migrations.graph import MigrationGraph
    from transom.db.migrations.migration import Migration
    from transom.db.migrations.model_state import ItemKind, ModelState
    from transom.db.migrations.questioner import Questioner
    from transom.db.migrations.state import ProjectState

# Arguments of a field that say nothing of its column; a change of one needs no migration.
NOT_IN_DATABASE = frozenset(
    {
        *UNIQUE_FOR,
        "allow_files",
        "allow_folders",
        "blank",
        "choices",
        "default",
        "editable",
        "error_messages",
        "help_text",
        "match",
        "path",
        "recursive",
        "related_name",
        "related_query_name",
        "symmetrical",
        "validators",
        "verbose_name",
    }
)
# Options of a model that say nothing of its table.
OPTIONS_NOT_IN_DATABASE = frozenset({"get_latest_by", "ordering", "verbose_name", "verbose_name_plural"})
# Options of a model that have operations of their own.
ITEMS: tuple[ItemKind, ...] = ("indexes", "constraints")


def detect_changes(
    from_state: ProjectState, to_state: ProjectState, graph: MigrationGraph, questioner: Questioner
) -> list[Migration]:
    """Return the migrations that lead from one state to the other, in the order of their application.

    Args:
        from_state: what the migration files say.
        to_state: what the models say.
        graph: the migrations there are: new ones are numbered after them and depend on them.
        questioner: asked for values that cannot be seen from the models.

    Raises:
        UnsupportedChange: the models changed in ways no operation stands for; all are listed.
        DefaultNeeded: a new field has no value for rows that exist, and nobody gave one.
    """
    _refuse_unsupported(from_state, to_state)
    created: dict[ModelKey, Step] = {}
    items = list(_changed_items(from_state, to_state))
    steps = [
        *(Step(change.app_label, operation) for change in items for operation in change.removals()),
        *_removals(from_state, to_state),
        *_creations(from_state, to_state, created),
        *_additions(from_state, to_state, created, questioner),
        *(Step(change.app_label, operation) for change in items for operation in change.additions()),
    ]
    return arrange(steps, graph)


def _refuse_unsupported(from_state: ProjectState, to_state: ProjectState) -> None:
    changes = [
        change
        for key in sorted(from_state.models.keys() & to_state.models.keys())
        for change in _iter_unsupported(from_state.models[key], to_state.models[key])
    ]
    if changes:
        raise UnsupportedChange(
            f"no operation stands for {'; '.join(changes)}; take the change back, "
            "or remove the field in one migration and add it again in the next (its values are lost)"
        )


def _iter_unsupported(old: ModelState, new: ModelState) -> Iterator[str]:
    if _table_options(old) != _table_options(new):
        yield f"the changed Meta of {new.label}: {_table_options(old)} became {_table_options(new)}"
    if old.key_fields != new.key_fields:
        before, after = (
            model.key_fields if len(model.key_fields) > 1 else model.pk_name for model in (old, new)
        )
        yield (
            f"the changed primary key of {new.label}: {before!r} became {after!r} (make a model with the new one, copy the "
            "rows by RunPython, and delete the old model)"
        )
    for name in (name for name in old.fields if name in new.fields and name != "pk"):
        before, after = _signature(old, name), _signature(new, name)
        if before != after:
            yield f"the changed field {new.label}.{name}: {_show_change(before, after)}"


def _table_options(model: ModelState) -> dict[str, Any]:
    passed_over = OPTIONS_NOT_IN_DATABASE | set(ITEMS)
    return {name: value for name, value in model.options.items() if name not in passed_over}


def _signature(model: ModelState, name: str) -> dict[str, Any]:
    """Return what of a field the database sees."""
    _, path, args, kwargs = model.fields[name].deconstruct()
    seen: dict[str, Any] = {
        key: serialize(value).layout() if isinstance(value, Expression | Field) else value
        for key, value in kwargs.items()
        if key not in NOT_IN_DATABASE
    }
    if seen.get("on_delete") is OnDelete.SET_DEFAULT:  # the one default that the database knows
        seen["default"] = kwargs.get("default")
    for argument, found in (("to", model.targets()), ("through", model.throughs())):
        if name in found:
            seen[argument] = found[name]
    return {"type": path, "args": tuple(args), **seen}


def _show_change(before: Mapping[str, Any], after: Mapping[str, Any]) -> str:
    names = sorted(
        name for name in before.keys() | after.keys() if before.get(name, ...) != after.get(name, ...)
    )
    return ", ".join(f"{name} {_show(before, name)} became {_show(after, name)}" for name in names)


def _show(signature: Mapping[str, Any], name: str) -> str:
    return repr(signature[name]) if name in signature else "(not given)"


def _changed_items(from_state: ProjectState, to_state: ProjectState) -> Iterator[ItemChange]:
    for key in sorted(from_state.models.keys() & to_state.models.keys()):
        yield ItemChange(key.app_label, from_state.models[key], to_state.models[key])


def _removals(from_state: ProjectState, to_state: ProjectState) -> list[Step]:
    gone = {key: model for key, model in from_state.models.items() if key not in to_state.models}
    # Steps that take away a reference to a table that is to be dropped.
    pointing: dict[ModelKey, list[Step]] = {key: [] for key in gone}
    steps: list[Step] = []

    def remove(key: ModelKey, name: str) -> None:
        model = from_state.models[key]
        step = Step(key.app_label, RemoveField(model.name.lower(), name))
        for other, target in model.references():
            if other == name:
                pointing.get(target, []).append(step)
        steps.append(step)

    for key in sorted(from_state.models.keys() & to_state.models.keys()):
        for name in from_state.models[key].fields:
            if name not in to_state.models[key].fields:
                remove(key, name)
    order = list(_creation_order(gone))
    for key, ring in order:
        for name in ring:
            remove(key, name)
    # Creation order read backwards: a table goes before those it refers to.
    for key, ring in reversed(order):
        step = Step(key.app_label, DeleteModel(gone[key].name), pointing[key])
        for name, target in gone[key].references():
            if name not in ring and target != key:
                pointing.get(target, []).append(step)
        steps.append(step)
    return steps


def _creations(
    from_state: ProjectState, to_state: ProjectState, created: dict[ModelKey, Step]
) -> Iterator[Step]:
    new = {key: model for key, model in to_state.models.items() if key not in from_state.models}
    order = list(_creation_order(new))
    for key, late in order:
        fields = [(name, clone_field(field)) for name, field in new[key].fields.items() if name not in late]
        # What speaks of a field that comes late comes after it.
        kept = _without_items(new[key].options) if late else new[key].options
        step = Step(key.app_label, CreateModel(new[key].name, fields, kept))
        _note_targets(step, new[key], (name for name, _ in fields), created)
        created[key] = step
        yield step
    for key, late in order:
        for name in late:
            operation = AddField(new[key].name.lower(), name, clone_field(new[key].fields[name]))
            yield _note_targets(Step(key.app_label, operation, [created[key]]), new[key], [name], created)
        if late:
            change = ItemChange(key.app_label, replace(new[key], options={}), new[key])
            yield from (Step(key.app_label, operation, [created[key]]) for operation in change.additions())


def _without_items(options: Mapping[str, Any]) -> dict[str, Any]:
    return {name: value for name, value in options.items() if name not in ITEMS}


def _creation_order(models: Mapping[ModelKey, ModelState]) -> Iterator[tuple[ModelKey, list[str]]]:
    """Yield models so that each comes after those it refers to, with the fields that must wait to break a ring."""
    waiting = {
        key: {target for _, target in models[key].references() if target in models and target != key}
        for key in sorted(models)
    }

    def can_wait(key: ModelKey) -> bool:
        late = [name for name, target in models[key].references() if target in waiting and target != key]
        return not set(late) & set(models[key].key_fields)

    while waiting:
        key = next((key for key, needs in waiting.items() if not needs & waiting.keys()), None)
        key = _member_of_ring(waiting, can_wait) if key is None else key
        del waiting[key]
        late = [name for name, target in models[key].references() if target in waiting]
        yield key, list(dict.fromkeys(late))


def _member_of_ring(
    waiting: Mapping[ModelKey, set[ModelKey]], can_wait: Callable[[ModelKey], bool]
) -> ModelKey:
    """Return a model that is created first in a ring: one whose references can come later, as those of a key cannot."""
    key, seen = next(iter(waiting)), list[ModelKey]()
    while key not in seen:
        seen.append(key)
        key = min(waiting[key] & waiting.keys())
    ring = seen[seen.index(key) :]
    return next(filter(can_wait, ring), key)


def _additions(
    from_state: ProjectState,
    to_state: ProjectState,
    created: Mapping[ModelKey, Step],
    questioner: Questioner,
) -> Iterator[Step]:
    for key in sorted(from_state.models.keys() & to_state.models.keys()):
        model = to_state.models[key]
        for name in model.fields:
            if name not in from_state.models[key].fields:
                step = Step(key.app_label, _add_field(model, name, questioner))
                yield _note_targets(step, model, [name], created)


def _add_field(model: ModelState, name: str, questioner: Questioner) -> AddField:
    field = clone_field(model.fields[name])
    if has_value_for_rows(field):
        return AddField(model.name.lower(), name, field)
    value = questioner.ask_default(model.label, name)
    return AddField(model.name.lower(), name, clone_field(field, default=value), preserve_default=False)


def _note_targets(
    step: Step, model: ModelState, names: Iterable[str], created: Mapping[ModelKey, Step]
) -> Step:
    """Make the step come after what these fields of the model refer to, and return it."""
    wanted = set(names)
    for name, target in model.references():
        if name not in wanted:
            continue
        if target in created:
            step.needs.append(created[target])
        else:
            step.refers_to.add(target.app_label)
    return step
