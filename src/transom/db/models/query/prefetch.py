"""Loading what objects are related to, level by level, each with one statement however many objects there are.

Names are taken apart when `prefetch_related()` is called, into a tree: words that several names begin with are one node,
so they are loaded once. Running the tree loads a level for all objects of the level above, then goes down.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, TypeAlias
from weakref import ref

from transom.db.models.query.base import Query
from transom.db.models.query.related_rows import RelatedRows, rows_of
from transom.db.models.query.values import ValuesQuery

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from transom.db.models.options import Options
    from transom.db.models.record import Record
    from transom.db.sql.metadata import Hop

    Level: TypeAlias = "dict[str, Node]"

SEPARATOR = "__"


class Prefetch:
    """One name for `prefetch_related()`, with the rows to load or the attribute to keep them in.

    Args:
        lookup: the way to what is to be loaded: `"choices"`, `"choices__author"`.
        queryset: where to look for the last of these, in what order, with what else; all rows if None. A slice of it is one
            for each object: `Comment.objects.order_by("-pk")[:3]` are the three newest of each.
        to_attr: the attribute for it, a list or one object; in place of the relation's own if None.

    Raises:
        TypeError: the queryset gives no objects, or is sliced and distinct.
    """

    # Any: a queryset of any model
    def __init__(self, lookup: str, queryset: Query[Any] | None = None, to_attr: str | None = None) -> None:
        if queryset is not None and not _gives_objects(queryset):
            raise TypeError(f"Prefetch takes a queryset of objects, not {queryset!r}")
        if queryset is not None and queryset._is_sliced and queryset._distinct:
            raise TypeError(
                "Prefetch takes no queryset that is both sliced and distinct: equal rows have no numbers"
            )
        if to_attr is not None and not to_attr.isidentifier():
            raise TypeError(f"to_attr takes the name of an attribute, not {to_attr!r}")
        self.lookup = lookup
        self.queryset = queryset
        self.to_attr = to_attr

    def __repr__(self) -> str:
        return f"Prefetch({self.lookup!r})"


def _gives_objects(queryset: object) -> bool:
    return isinstance(queryset, Query) and not isinstance(queryset, ValuesQuery)


@dataclass(slots=True)
class Node:
    """What one word of a name leads to. Not changed once its tree is built.

    Attributes:
        rows: how to get it.
        name: the key under which objects keep it.
        queryset: where to look for it; None for all rows. Any: of any model.
        below: what is loaded for the objects found.
    """

    rows: RelatedRows
    name: str
    queryset: Any = None
    below: Level = field(default_factory=dict[str, "Node"])

    async def load(self, instances: Sequence[Record], *, peers: bool) -> None:
        """Load it for all objects that do not have it yet, and what is below it."""
        own = self.queryset is None and self.name == self.rows.cache_name
        missing = [one for one in instances if not (own and self.rows.is_loaded(one))]
        for using in dict.fromkeys(one._using for one in missing):
            there = [one for one in missing if one._using == using]
            await self.rows.fetch(there, self._query(there[0], peers), self.name)
        if self.below:
            await load_level(self.below, self._found(instances), peers=peers)

    def _query(self, instance: Record, peers: bool) -> Any:
        queryset = self.rows.base() if self.queryset is None else self.queryset
        queryset = queryset._of(instance)
        return queryset.fetch_peers() if peers else queryset

    def _found(self, instances: Sequence[Record]) -> list[Record]:
        """Return what the objects keep, each object once."""
        found: dict[int, Record] = {}
        for instance in instances:
            value: Any = instance.__dict__.get(self.name)
            rows: list[Record | None] = value if self.rows.many else [value]
            found.update((id(row), row) for row in rows or () if row is not None)
        return list(found.values())


async def load_level(level: Level, instances: Sequence[Record], *, peers: bool) -> None:
    """Load what a level of the tree names for objects of one model."""
    if instances:
        for node in level.values():
            await node.load(instances, peers=peers)


def build_tree(options: Options, lookups: Iterable[str | Prefetch]) -> Level:
    """Return the tree of what names lead to.

    Raises:
        FieldError: a word is no relation; the message names the choices.
        ValueError: one relation is to be loaded in two ways, or over a field.
    """
    tree: Level = {}
    for lookup in lookups:
        _add(tree, options, lookup if isinstance(lookup, Prefetch) else Prefetch(lookup))
    return tree


def _add(level: Level, options: Options, prefetch: Prefetch) -> None:
    *way, last = prefetch.lookup.split(SEPARATOR)
    for word in way:
        node = level.get(word)
        if node is None:
            rows = rows_of(options, word)
            node = level[word] = Node(rows, rows.cache_name)
        level, options = node.below, node.rows.options
    key = prefetch.to_attr or last
    if key in level:
        if prefetch.queryset is not None or prefetch.to_attr is not None:
            raise ValueError(
                f"{prefetch.lookup!r} is loaded already; put the Prefetch of it before other names"
            )
        return
    rows = rows_of(options, last)
    asked = rows.options if prefetch.queryset is None else prefetch.queryset._options
    if asked.concrete_model is not rows.options.concrete_model:
        raise ValueError(
            f"{prefetch.lookup!r} leads to {rows.options.object_name}, and the queryset is of {asked.object_name}"
        )
    if prefetch.to_attr is not None and options.find(prefetch.to_attr) is not None:
        raise ValueError(
            f"to_attr={prefetch.to_attr!r} is a field of {options.object_name}; choose another name"
        )
    level[key] = Node(rows, prefetch.to_attr or rows.cache_name, prefetch.queryset)


async def prefetch_related_objects(
    instances: Iterable[Record], *lookups: str | Prefetch, peers: bool = False
) -> None:
    """Load what objects of one model are related to, as `prefetch_related()` does for the rows of a queryset.

    What an object has loaded already is not asked for again.

    Args:
        instances: the objects.
        lookups: names of relations and paths of them, or Prefetch objects.
        peers: whether what is loaded shall be loaded further as by `fetch_peers()`.

    Raises:
        FieldError: a name is no relation, or an object was never saved.
    """
    known = list(instances)
    if known:
        await load_level(build_tree(known[0]._meta, lookups), known, peers=peers)


@dataclass(frozen=True, slots=True)
class Extras:
    """What a queryset does with its objects once they are there.

    Attributes:
        lookups: the names given to `prefetch_related()`.
        tree: the same, taken apart.
        known: what every object is related to, by the key under which it keeps that.
        peers: whether the objects shall know each other.
    """

    lookups: tuple[str | Prefetch, ...] = ()
    tree: Level = field(default_factory=dict[str, "Node"])
    known: tuple[tuple[str, Record], ...] = ()
    peers: bool = False

    async def apply(self, rows: Sequence[Record], related: Sequence[tuple[Hop, ...]]) -> None:
        """Complete objects that were just read, with what `related` says was joined to them."""
        for name, instance in self.known:
            for row in rows:
                row.__dict__[name] = instance
        if self.peers:
            introduce(rows)
            for way in {hops[:length] for hops in related for length in range(1, len(hops) + 1)}:
                introduce(_at(rows, way))
        await load_level(self.tree, rows, peers=self.peers)


def introduce(rows: Sequence[Record]) -> None:
    """Let objects know each other, without keeping each other alive."""
    if len(rows) > 1:
        peers = tuple([ref(row) for row in rows])
        for row in rows:
            row._peers = peers


def _at(rows: Sequence[Record], way: tuple[Hop, ...]) -> list[Record]:
    found: list[Any] = list(rows)
    for hop in way:
        loaded = [row.__dict__.get(f"_loaded_{hop.name}") for row in found]
        found = [row for row in loaded if row is not None]
    return found
