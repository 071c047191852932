"""Lookups and transforms that are there for one test."""

from __future__ import annotations

from contextlib import contextmanager
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Generator

    from transom.db.models.expressions import Expression, RegisterLookupMixin


@contextmanager
def register_lookup(
    where: type[RegisterLookupMixin] | RegisterLookupMixin,
    *lookups: type[Expression],
    lookup_name: str | None = None,
) -> Generator[None]:
    """Register lookups and transforms within a block; behind it, names mean what they did before.

    Args:
        where: a class of fields or one field, or a transform.
        lookups: what to register.
        lookup_name: the name, if not their own.

    Raises:
        FieldError: as of `register_lookup`.
    """
    own = "class_lookups" if isinstance(where, type) else "instance_lookups"
    before: dict[str, type[Expression]] = dict(vars(where).get(own, {}))
    added: list[type[Expression]] = []
    try:
        for lookup in lookups:
            added.append(where.register_lookup(lookup, lookup_name))
        yield
    finally:
        for lookup in added:
            where.unregister_lookup(lookup, lookup_name)
        for name, lookup in before.items():
            where.register_lookup(lookup, name)
