"""Signals of models: a row is about to be saved, deleted or linked, or was."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from transom.db.models import registry
from transom.signals import Receiver, Signal

if TYPE_CHECKING:
    from collections.abc import Callable

__all__ = ["ModelSignal", "m2m_changed", "post_delete", "post_save", "pre_delete", "pre_save"]


class ModelSignal(Signal):
    """A signal whose senders are models; it remembers who listens to each, so that nobody listening costs nothing."""

    def __init__(self) -> None:
        super().__init__()
        self._heard: dict[object, bool] = {}

    def connect(
        self, receiver: Receiver, sender: object = None, weak: bool = True, dispatch_uid: object = None
    ) -> None:
        """See `Signal.connect`; the sender may be the label of a model that is defined later: `"polls.Question"`."""
        self._when_defined(
            sender, lambda model: super(ModelSignal, self).connect(receiver, model, weak, dispatch_uid)
        )

    def disconnect(
        self, receiver: Receiver | None = None, sender: object = None, dispatch_uid: object = None
    ) -> bool:
        """See `Signal.disconnect`; the sender may be the label of a model.

        Raises:
            LookupError: no model has this label.
        """
        model = registry.get_model(sender) if isinstance(sender, str) else sender
        return super().disconnect(receiver, model, dispatch_uid)

    def has_listeners(self, sender: object = None) -> bool:
        """Whether anything would be called for this model; a receiver that is gone counts until the next connection."""
        if not self._connections:
            return False
        heard = self._heard.get(sender)
        if heard is None:
            heard = self._heard[sender] = bool(self._receivers(sender))
        return heard

    def _replace(self, connections: Any) -> None:  # Any: the base's own
        super()._replace(connections)
        self._heard = {}

    @staticmethod
    def _when_defined(sender: object, connect: Callable[[object], None]) -> None:
        if isinstance(sender, str):
            registry.when_defined(sender, connect)
        else:
            connect(sender)


pre_save = ModelSignal()
"""Before `save()` or `create()` writes. Keywords: `instance`, `raw`, `using`, `update_fields` (a frozenset, or None)."""

post_save = ModelSignal()
"""After `save()` or `create()` has written. Keywords: those of `pre_save`, and `created`: whether the row is new."""

pre_delete = ModelSignal()
"""Before `obj.delete()`. Keywords: `instance`, `using`."""

post_delete = ModelSignal()
"""After `obj.delete()`; the object still has its key. Keywords: `instance`, `using`."""

m2m_changed = ModelSignal()
"""Before and after rows are linked or unlinked by a many-to-many manager; the sender is the model in between.

Keywords: `instance`, whose manager it is; `action`: `"pre_add"`, `"post_add"`, and so for `remove` and `clear`;
`reverse`, whether the manager is on the side without the field; `model`, the model of the rows linked; `pk_set`, their
keys (None for `clear`); `using`.
"""
