"""Reading from copies of a database that follow it."""

from __future__ import annotations

from itertools import cycle
from typing import Any

from .exceptions import ConfigurationError
from .open_transaction import find_open
from .router import DEFAULT, Router, has_written, installed


class ReplicaRouter(Router):
    """Sends writes to a primary and reads to its replicas, in turn, so that every context reads what it has written.

    A replica is behind its primary, by milliseconds or more. So reads go to the primary where the context has a transaction
    open on it, and once the context has written to it: by a model, or by an `atomic()` that was not readonly. A context is
    that of one task: each request has its own, and what a task started by it writes it does not know of.

    Put it behind routers that know more about single models: this one has an opinion on all of them.

    Args:
        replicas: aliases of the replicas; migrations leave them alone.
        primary: alias of the database that they follow.
        sticky: seconds after a write for which its context reads from the primary; None for the rest of the context.
            Choose more than the replicas are ever behind.

    Raises:
        ConfigurationError: there are no replicas, or the primary is among them.
    """

    def __init__(self, *replicas: str, primary: str = DEFAULT, sticky: float | None = None) -> None:
        if not replicas or primary in replicas:
            raise ConfigurationError(
                f"ReplicaRouter got the replicas {replicas!r} of {primary!r}; expected at least one other alias"
            )
        self.primary = primary
        self.replicas = replicas
        self._sticky = sticky
        self._turns = cycle(replicas)
        self._family = frozenset((primary, *replicas))

    def db_for_read(self, model: type[Any], **hints: Any) -> str | None:  # Any: as in Router, here and below
        """Return the next replica, or the primary where a replica might be behind what this context knows."""
        if self._is_stranger(hints):
            return None
        if find_open(self.primary) is not None or has_written(self.primary, self._sticky):
            return self.primary
        return next(self._turns)

    def db_for_write(self, model: type[Any], **hints: Any) -> str | None:
        """Return the primary."""
        return None if self._is_stranger(hints) else self.primary

    def allow_relation(self, first: Any, second: Any, **hints: Any) -> bool | None:
        """Allow relations within the family: its members hold the same rows."""
        return True if {first._using, second._using} <= self._family else None

    def allow_migrate(
        self, db: str, app_label: str, model_name: str | None = None, **hints: Any
    ) -> bool | None:
        """Keep migrations off the replicas: the tables come from the primary."""
        return False if db in self.replicas else None

    def _is_stranger(self, hints: dict[str, Any]) -> bool:
        instance = hints.get("instance")
        return instance is not None and instance._using not in self._family


def replicas_of(primary: str) -> tuple[str, ...]:
    """Return the aliases of the replicas that the installed routers know of a database."""
    return tuple(
        alias
        for router in installed()
        if isinstance(router, ReplicaRouter) and router.primary == primary
        for alias in router.replicas
    )
