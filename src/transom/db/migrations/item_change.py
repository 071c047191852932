"""Which indexes and constraints of one model came, went, or got another name."""

from __future__ import annotations

from typing import TYPE_CHECKING, cast

from transom.db.migrations.operations import (
    AddConstraint,
    AddIndex,
    RemoveConstraint,
    RemoveIndex,
    RenameIndex,
)
from transom.db.migrations.serializer import serialize

if TYPE_CHECKING:
    from collections.abc import Iterator

    from transom.db.migrations.model_state import AnyItem, ItemKind, ModelState
    from transom.db.migrations.operations import Operation
    from transom.db.models.constraints import BaseConstraint
    from transom.db.models.indexes import Index


class ItemChange:
    """The difference between two states of a model. Items are the same if the same source code makes them."""

    def __init__(self, app_label: str, old: ModelState, new: ModelState) -> None:
        self.app_label = app_label
        self._model_name = new.name.lower()
        self._old = old
        self._new = new
        self._renamed = dict(self._find_renamed())

    def removals(self) -> Iterator[Operation]:
        """Yield what must go before fields do."""
        for item in self._missing(self._old, self._new, "constraints"):
            yield RemoveConstraint(self._model_name, item.name)
        for item in self._missing(self._old, self._new, "indexes"):
            if item.name not in self._renamed:
                yield RemoveIndex(self._model_name, item.name)

    def additions(self) -> Iterator[Operation]:
        """Yield what comes after new fields have."""
        for old_name, new_name in self._renamed.items():
            yield RenameIndex(self._model_name, new_name, old_name)
        for item in self._missing(self._new, self._old, "indexes"):
            if item.name not in self._renamed.values():
                yield AddIndex(self._model_name, cast("Index", item))
        for item in self._missing(self._new, self._old, "constraints"):
            yield AddConstraint(self._model_name, cast("BaseConstraint", item))

    def _find_renamed(self) -> Iterator[tuple[str, str]]:
        """Yield old and new name of each index that is the same but for the name."""
        came = {
            _source(item, named=False): item.name for item in self._missing(self._new, self._old, "indexes")
        }
        for item in self._missing(self._old, self._new, "indexes"):
            new_name = came.pop(_source(item, named=False), None)
            if new_name is not None and new_name != item.name:
                yield item.name, new_name

    def _missing(self, model: ModelState, other: ModelState, kind: ItemKind) -> list[AnyItem]:
        """Return what the model has and the other has not."""
        known = {_source(item) for item in other.options.get(kind, ())}
        return [item for item in model.options.get(kind, ()) if _source(item) not in known]


def _source(item: AnyItem, *, named: bool = True) -> str:
    """Return the source code that makes an index or constraint, with its name or without."""
    path, args, kwargs = item.deconstruct()
    kept = {key: value for key, value in kwargs.items() if named or key != "name"}
    return serialize([path, args, kept]).layout()
