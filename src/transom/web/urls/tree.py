"""The segment trie: which endpoint a path leads to.

A node stands for the segments before it. Its children are tried in this order: literal text (one dictionary look-up),
single-segment expressions (those with literal text first, `<slug>` and `<str>` last), then tails, which take the whole
rest of the path (`<path:…>`, mounts). A child that leads nowhere is given up for the next. Each node is visited at most
once per search, so a path costs at most the number of nodes of its depth, whatever it looks like.

The tree is built once and then only read.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple, TypeAlias

from transom.web.urls.patterns import Param, build_regex
from transom.web.urls.routes import Kind

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from transom.web.urls.patterns import Pattern, Piece
    from transom.web.urls.routes import Route

Values: TypeAlias = tuple[object, ...]

# A slug may be a number or a UUID, and any segment is a str: the narrow converters, and those of a site, are asked first.
WIDTHS = {"slug": 2, "str": 3}
_TAIL_RANK = 1_000_000  # behind all segments, however much text a tail has


class Endpoint:
    """The routes that end at one place, by method."""

    __slots__ = ("any_method", "by_method")

    def __init__(self) -> None:
        self.by_method: dict[str, Route] = {}
        self.any_method: Route | None = None

    def add(self, route: Route) -> bool:
        """Add a route behind the ones already here; return whether any method is left for it."""
        if self.any_method is not None:
            return False
        if route.methods is None:
            self.any_method = route
            return True
        left = route.methods - self.by_method.keys()
        self.by_method.update(dict.fromkeys(left, route))
        return bool(left)

    @property
    def routes(self) -> list[Route]:
        """The routes that are here, in order of declaration."""
        return [*dict.fromkeys(self.by_method.values()), *([self.any_method] if self.any_method else [])]

    def get(self, method: str) -> Route | None:
        """Return the route that answers this method."""
        return self.by_method.get(method) or self.any_method


class Found(NamedTuple):
    """The end of a search: a route and the values of its parameters, in order."""

    route: Route
    values: Values


class Edge:
    """A way on from a node that has to be matched and converted."""

    __slots__ = ("_conversions", "_fullmatch", "node", "rank")

    def __init__(self, pieces: Sequence[Piece], rank: int) -> None:
        params = [piece for piece in pieces if isinstance(piece, Param)]
        self._fullmatch = build_regex(pieces).fullmatch
        self._conversions = [(f"p{i}", param.converter.to_python) for i, param in enumerate(params)]
        self.rank = rank
        self.node = Node()

    def match(self, text: str) -> Values | None:
        """Return the converted parts, or None where the text does not fit."""
        match = self._fullmatch(text)
        if match is None:
            return None
        try:
            return tuple([convert(match[group]) for group, convert in self._conversions])
        except ValueError:  # the converter's way to say no
            return None


class MountEdge(Edge):
    """A way on that takes whatever is left, nothing included."""

    __slots__ = ()

    def match(self, text: str) -> Values | None:
        """Match anything and keep nothing of it: the mounted application reads the path itself."""
        return ()


class Node:
    """One place in the tree."""

    __slots__ = ("_edges", "dynamic", "endpoint", "literals", "tails")

    def __init__(self) -> None:
        self.literals: dict[str, Node] = {}
        self.dynamic: list[Edge] = []
        self.tails: list[Edge] = []
        self.endpoint: Endpoint | None = None
        self._edges: dict[object, Edge] = {}

    def child(self, segment: tuple[Piece, ...]) -> Node:
        """Return the node behind a segment, made when missing."""
        if len(segment) == 1 and isinstance(segment[0], str):
            return self.literals.setdefault(segment[0], Node())
        return self._edge(self.dynamic, segment, _segment_rank(segment)).node

    def tail(self, pieces: tuple[Piece, ...]) -> Node:
        """Return the node behind pieces that match the whole rest of the path, made when missing."""
        return self._edge(self.tails, pieces, _tail_rank(pieces)).node

    def mount(self) -> Node:
        """Return the node behind everything else, made when missing."""
        if "mount" not in self._edges:
            _insert(self.tails, self._edges, "mount", MountEdge((), rank=1))
        return self._edges["mount"].node

    def _edge(self, edges: list[Edge], pieces: tuple[Piece, ...], rank: int) -> Edge:
        key = _key(pieces)
        if key not in self._edges:
            _insert(edges, self._edges, key, Edge(pieces, rank))
        return self._edges[key]


class Tree:
    """A trie of routes."""

    def __init__(self) -> None:
        self._root = Node()

    def add(self, route: Route) -> bool:
        """Add a route; return whether it can be reached.

        Raises:
            PatternError: its text is written wrongly.
        """
        node = self._place(route)
        if node.endpoint is None:
            node.endpoint = Endpoint()
        return node.endpoint.add(route)

    def search(self, path: str, accept: Callable[[Endpoint], Route | None]) -> Found | None:
        """Return the first route, in order of specificity, that `accept` picks from its endpoint.

        Args:
            path: the path without its leading slash.
            accept: told each endpoint the path leads to; None means to look further.
        """
        return _descend(self._root, path.split("/"), 0, (), accept)

    def _place(self, route: Route) -> Node:
        node = self._root
        segments = route.pattern.segments
        if route.kind is Kind.MOUNT:
            for segment in segments[:-1]:
                node = node.child(segment)
            return node.mount()
        for index, segment in enumerate(segments):
            if _spans_segments(segment):
                return node.tail(_join(segments[index:]))
            node = node.child(segment)
        return node


class Place(NamedTuple):
    """How specific one segment of a route is: the lower the rank, the earlier it is tried; and what tells it from others."""

    rank: int
    key: object


def specificity(pattern: Pattern) -> list[Place]:
    """Return the places of a route in the tree, from the first segment on."""
    places: list[Place] = []
    for index, segment in enumerate(pattern.segments):
        if _spans_segments(segment):
            pieces = _join(pattern.segments[index:])
            return [*places, Place(_TAIL_RANK + _tail_rank(pieces), _key(pieces))]
        is_text = len(segment) == 1 and isinstance(segment[0], str)
        places.append(Place(-1 if is_text else _segment_rank(segment), _key(segment)))
    return places


def _descend(
    node: Node,
    segments: list[str],
    index: int,
    values: Values,
    accept: Callable[[Endpoint], Route | None],
) -> Found | None:
    if index == len(segments):
        return _accepted(node, values, accept)
    segment = segments[index]
    child = node.literals.get(segment)
    if child is not None:
        found = _descend(child, segments, index + 1, values, accept)
        if found is not None:
            return found
    for edge in node.dynamic:
        converted = edge.match(segment)
        if converted is not None:
            found = _descend(edge.node, segments, index + 1, values + converted, accept)
            if found is not None:
                return found
    return _match_tails(node, segments, index, values, accept) if node.tails else None


def _match_tails(
    node: Node,
    segments: list[str],
    index: int,
    values: Values,
    accept: Callable[[Endpoint], Route | None],
) -> Found | None:
    rest = "/".join(segments[index:])
    for edge in node.tails:
        converted = edge.match(rest)
        if converted is not None:
            found = _accepted(edge.node, values + converted, accept)
            if found is not None:
                return found
    return None


def _accepted(node: Node, values: Values, accept: Callable[[Endpoint], Route | None]) -> Found | None:
    route = None if node.endpoint is None else accept(node.endpoint)
    return None if route is None else Found(route, values)


def _key(pieces: tuple[Piece, ...]) -> object:
    # Parameter names are no part of it: `<int:pk>/a/` and `<int:id>/b/` share the conversion.
    return tuple(piece if isinstance(piece, str) else (piece.converter_name,) for piece in pieces)


def _spans_segments(segment: tuple[Piece, ...]) -> bool:
    return any(isinstance(piece, Param) and piece.converter.multi_segment for piece in segment)


def _tail_rank(pieces: tuple[Piece, ...]) -> int:
    # More literal text is more specific: `<path:page>/edit/` comes before `<path:page>`.
    return -sum(len(piece) for piece in pieces if isinstance(piece, str))


def _segment_rank(segment: tuple[Piece, ...]) -> int:
    if any(isinstance(piece, str) for piece in segment):
        return 0
    return max(WIDTHS.get(piece.converter_name, 1) for piece in segment if isinstance(piece, Param))


def _insert(edges: list[Edge], by_key: dict[object, Edge], key: object, edge: Edge) -> None:
    by_key[key] = edge
    edges.append(edge)
    edges.sort(key=lambda each: each.rank)  # stable: the first declared stays first among equals


def _join(segments: Sequence[tuple[Piece, ...]]) -> tuple[Piece, ...]:
    joined: list[Piece] = []
    for index, segment in enumerate(segments):
        joined += ["/"] if index else []
        joined += segment
    return tuple(piece for piece in joined if piece != "")
