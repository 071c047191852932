"""Which database the rows of a model are read from and written to, where there are several.

    connections.configure({"default": ..., "replica": ...}, routers=[ReplicaRouter("replica")])

A query asks when it runs. First comes what the code says, `using("replica")` or `save(using="replica")`; then the routers,
in their order, until one has an opinion; then the database that the object at hand came from; then "default".
"""

from __future__ import annotations

from contextvars import ContextVar
from time import monotonic
from typing import TYPE_CHECKING, Any, Final, Protocol

from .exceptions import FieldError

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence

DEFAULT: Final = "default"

active = False
"""Whether any router is installed; asked before each statement, so that none of this costs a site with one database."""

_routers: tuple[Router, ...] = ()
_writes: ContextVar[Mapping[str, float]] = ContextVar("transom.db.writes", default={})  # noqa: B039  # never changed


class Stored(Protocol):
    """What routing knows of an object of a model."""

    _adding: bool
    _using: str


class Router(Protocol):
    """Chooses databases. Subclass it, and override what it has an opinion on; None leaves it to the next router.

    The methods are called in the middle of statements: they must not wait.
    """

    def db_for_read(self, model: type[Any], **hints: Any) -> str | None:  # Any: any model, whatever hints
        """Return the alias of the database to read rows of a model from.

        Args:
            model: the model.
            hints: `instance`, the object whose relation is followed or that is read again, where there is one.
        """
        return None

    def db_for_write(self, model: type[Any], **hints: Any) -> str | None:
        """Return the alias of the database to write rows of a model to.

        Args:
            model: the model.
            hints: `instance`, the object that is saved or deleted or whose relation is written, where there is one.
        """
        return None

    def allow_relation(self, first: Any, second: Any, **hints: Any) -> bool | None:
        """Return whether an object may refer to another; without an opinion, only if both came from one database."""
        return None

    def allow_migrate(
        self, db: str, app_label: str, model_name: str | None = None, **hints: Any
    ) -> bool | None:
        """Return whether tables belong into a database; without an opinion they do.

        Args:
            db: alias of the database.
            app_label: label of the app.
            model_name: name of the model in lower case; None for an operation that is not about one model.
            hints: nothing as yet.
        """
        return None


def install(routers: Sequence[Router]) -> None:
    """Ask these routers from now on, in place of those before; `connections.configure` calls it."""
    global active, _routers
    _routers = tuple(routers)
    active = bool(_routers)


def installed() -> tuple[Router, ...]:
    """Return the routers that are asked, in order."""
    return _routers


def for_read(model: type[Any], chosen: str | None = None, instance: Stored | None = None) -> str:
    """Return the alias of the database to read rows of a model from.

    Args:
        model: the model.
        chosen: the alias that the code names; it wins.
        instance: the object whose relation is followed.
    """
    return chosen or _choose("db_for_read", model, instance)


def for_write(model: type[Any], chosen: str | None = None, instance: Stored | None = None) -> str:
    """Return the alias of the database to write rows of a model to; the arguments are those of `for_read`."""
    alias = chosen or _choose("db_for_write", model, instance)
    record_write(alias)
    return alias


def check_relation(instance: Stored, value: Stored) -> None:
    """Refuse that an object refers to one of another database.

    Raises:
        FieldError: the routers do not allow it.
    """
    if not active or instance._adding or value._adding:
        return
    allowed = _ask("allow_relation", value, instance)
    if not (instance._using == value._using if allowed is None else allowed):
        raise FieldError(
            f"{instance!r} of database {instance._using!r} cannot refer to {value!r} of {value._using!r}; "
            "use objects of one database, or let allow_relation() of a router return True"
        )


def allows_migration(alias: str, app_label: str, model_name: str | None = None) -> bool:
    """Return whether the tables of an app, or of one of its models, belong into a database."""
    allowed = _ask("allow_migrate", alias, app_label, model_name=model_name)
    return allowed is None or bool(allowed)


def record_write(alias: str) -> None:
    """Remember that this context has written to a database."""
    if active:
        _writes.set({**_writes.get(), alias: monotonic()})


def has_written(alias: str, within: float | None = None) -> bool:
    """Return whether this context has written to a database.

    A context is that of a task, and so of a request: what the tasks it has started write is not seen here.

    Args:
        alias: of the database.
        within: so many seconds ago at most; None for ever.
    """
    last = _writes.get().get(alias)
    return last is not None and (within is None or monotonic() - last <= within)


def _choose(method: str, model: type[Any], instance: Stored | None) -> str:
    if active:
        hints = {} if instance is None else {"instance": instance}
        alias = _ask(method, model, **hints)
        if alias is not None:
            return str(alias)
    return DEFAULT if instance is None else instance._using


def _ask(method: str, *args: object, **hints: object) -> object | None:
    for router in _routers:
        ask: Callable[..., object | None] | None = getattr(
            router, method, None
        )  # as in Django, none is a must
        if ask is not None and (answer := ask(*args, **hints)) is not None:
            return answer
    return None
