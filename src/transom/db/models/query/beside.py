"""What few queries have, and so is one slot of all of them: a lock, and CTEs."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, NamedTuple, Protocol

from transom.db.exceptions import FieldError

if TYPE_CHECKING:
    from collections.abc import Iterable

    from transom.db.sql.shapes import CTEShape, Lock


class AnyCTE(Protocol):
    """A CTE as queries see it, which stand below it."""

    name: str

    @property
    def needs(self) -> tuple[AnyCTE, ...]:
        """The CTEs that it speaks of itself, each before those that speak of it."""
        ...

    @property
    def shape(self) -> CTEShape:
        """What its SQL depends on."""
        ...

    @property
    def values(self) -> tuple[Any, ...]:  # Any: values of all types
        """The values in it."""
        ...


class Beside(NamedTuple):
    """What few queries have.

    Attributes:
        lock: how the rows are locked.
        ctes: what stands before the query, each before those that speak of it.
    """

    lock: Lock | None = None
    ctes: tuple[AnyCTE, ...] = ()

    def shapes(self) -> tuple[Lock | None, tuple[CTEShape, ...]]:
        """Return what SQL depends on."""
        return self.lock, tuple([cte.shape for cte in self.ctes])

    def values(self) -> tuple[Any, ...]:
        """Return the values of the CTEs, of all types."""
        return tuple([value for cte in self.ctes for value in cte.values])


def merge_ctes(known: tuple[AnyCTE, ...], added: Iterable[AnyCTE]) -> tuple[AnyCTE, ...]:
    """Return CTEs and others, with what these speak of, each once.

    Raises:
        FieldError: two have the same name.
    """
    merged = list(known)
    for cte in [each for one in added for each in (*one.needs, one)]:
        if any(cte is other for other in merged):
            continue
        if any(cte.name.lower() == other.name.lower() for other in merged):
            raise FieldError(f"two CTEs of one query are called {cte.name!r}; give one of them another name")
        merged.append(cte)
    return tuple(merged)
