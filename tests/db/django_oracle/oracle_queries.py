"""Queries as data: each is built once of Django's names and once of ours, and must come to the same rows.

Nothing here imports either framework. The generator is seeded, so both sides make the same list by themselves.

Where the two differ on purpose, the generator keeps away from it:

- `NULL_ON_THE_RIGHT`: a column that may be NULL is never what a column is compared with under a NOT. There Django drops
  the row, for SQL says NULL; ours keeps it, for a comparison with NULL is false and its negation true.
- `TWO_RELATED_CONDITIONS_UNDER_NOT`: one NOT has one condition on a relation with several rows. Django lets two of them
  speak of different rows; ours lets them speak of the same one, as in filter().
- `NULL_AGGREGATE_UNDER_NOT`: exclude() speaks of aggregates that are never NULL. Django drops groups where it is NULL.
- `RANGE_OF_KEY`: Django knows no range of a foreign key.
- `AGGREGATE_OF_NOTHING`: the filter of an aggregate is no empty list, for which Django raises an error.
- `CASE_OF_LIKE`: `contains` and its like ask for lower case of lower case. Django folds the case there on SQLite.
- `PLACE_OF_NULL`: who orders by a column that may be NULL says where NULL goes, for databases differ.
"""

from __future__ import annotations

import operator
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from random import Random
from typing import Any, cast

START = datetime(2023, 11, 20, 9, 30, tzinfo=UTC)
WORDS = ["atlas", "birds", "comets", "dunes", "eels", "ferns", "a%b", "x_y", "it's", "", "100%"]


# -- descriptions


@dataclass(frozen=True)
class Call:
    """A call of something by its name: a class of expressions, an operator of OPERATORS, or a method of a query."""

    name: str
    args: tuple[Any, ...] = ()
    options: dict[str, Any] = field(default_factory=dict[str, Any])

    def __repr__(self) -> str:
        options = [f"{name}={value!r}" for name, value in self.options.items()]
        return f"{self.name}({', '.join([*map(repr, self.args), *options])})"


def call(name: str, /, *args: Any, **options: Any) -> Call:
    return Call(name, args, options)


@dataclass(frozen=True)
class Query:
    """A queryset of a model, its methods called in turn. Where it is not ordered, its rows are compared as a bag."""

    model: str
    steps: tuple[Call, ...] = ()
    ordered: bool = True

    def then(self, name: str, /, *args: Any, **options: Any) -> Query:
        return Query(self.model, (*self.steps, Call(name, args, options)), self.ordered)

    def unordered(self) -> Query:
        return Query(self.model, self.steps, ordered=False)

    def __repr__(self) -> str:
        return ".".join([f"{self.model}.objects", *map(repr, self.steps)])


OPERATORS: dict[str, Any] = {
    "AND": cast("Any", operator).and_,
    "OR": cast("Any", operator).or_,
    "NOT": operator.invert,
    "ADD": operator.add,
    "SUB": operator.sub,
    "MUL": operator.mul,
    "ASC": operator.methodcaller("asc", nulls_last=True),
    "DESC": operator.methodcaller("desc", nulls_first=True),
}


def build(description: Any, names: dict[str, Any]) -> Any:
    """Return what a description comes to with the names of one framework; other values as they are."""
    match description:
        case Query(model=model, steps=steps):
            made = names[model].objects
            for step in steps:
                made = (
                    made[slice(*step.args)]
                    if step.name == "slice"
                    else _apply(getattr(made, step.name), step, names)
                )
            return made
        case list():
            return [build(each, names) for each in cast("list[Any]", description)]
        case Call(name=name):
            return _apply(OPERATORS.get(name) or names[name], description, names)
        case _:
            return description


def _apply(function: Any, step: Call, names: dict[str, Any]) -> Any:
    options = {name: build(value, names) for name, value in step.options.items()}
    return function(*[build(value, names) for value in step.args], **options)


def canonical(value: Any) -> Any:
    """Return a result in a form that is equal for equal results: of numbers their kind and five decimals.

    MariaDB averages decimals with four digits more than the column has.
    """
    match value:
        case bool() | None | str():
            return value
        case int() | float() | Decimal():
            return (type(value).__name__, round(float(value), 5))
        case datetime():
            return value.astimezone(UTC).isoformat()
        case dict():
            return {name: canonical(each) for name, each in cast("dict[str, Any]", value).items()}
        case list() | tuple():
            return tuple([canonical(each) for each in cast("list[Any]", value)])
        case _ if hasattr(value, "found"):  # what "prefetched" gives
            return (value.pk, tuple([each.pk for each in value.found]))
        case _:
            raise TypeError(f"no such result is known: {value!r}")


def comparable(query: Query, result: Any) -> Any:
    """Return what two results of this query are compared by."""
    found = canonical(result)
    if isinstance(found, tuple) and not query.ordered:
        return tuple(sorted(cast("tuple[Any, ...]", found), key=repr))
    return cast("Any", found)


# -- rows


def make_rows() -> dict[str, list[dict[str, Any]]]:
    """Return the rows of each table by the names of columns, in an order in which they can be stored."""
    random = Random(7)

    def maybe(value: Any, part: float = 0.3) -> Any:
        return None if random.random() < part else value

    authors = [
        {"id": key, "name": name, "born": maybe(1950 + key * 7 % 30), "active": key % 3 != 0,
         "mentor_id": None if key == 1 else maybe(random.randint(1, key - 1))}
        for key, name in enumerate(["ada", "bo", "cy", "dee", "eve", "fay", "gus"], 1)
    ]  # fmt: skip
    books = [
        {"id": key, "author_id": maybe(random.randint(1, 6)), "title": random.choice(WORDS),
         "note": maybe(random.choice(WORDS), 0.4), "pages": maybe(random.randint(1, 8) * 50),
         "price": Decimal(random.randint(1, 12)) * Decimal("4.25"), "published": START + timedelta(days=17 * key)}
        for key in range(1, 19)
    ]  # fmt: skip
    tags = [{"id": key, "name": name} for key, name in enumerate(["art", "bio", "car", "dog"], 1)]
    pairs = [(book, tag) for book in range(1, 19) for tag in range(1, 5) if random.random() < 0.35]
    taggings = [
        {"id": key, "book_id": book, "tag_id": tag, "weight": random.randint(1, 5)}
        for key, (book, tag) in enumerate(pairs, 1)
    ]
    reviews = [
        {
            "id": key,
            "book_id": random.randint(1, 14),
            "stars": random.randint(1, 5),
            "text": maybe(random.choice(WORDS)),
        }
        for key in range(1, 25)
    ]
    return {"Author": authors, "Book": books, "Tag": tags, "Tagging": taggings, "Review": reviews}


# -- the generator


@dataclass(frozen=True)
class Column:
    """A name that a query of a model may speak of."""

    path: str
    kind: str
    null: bool = False
    many: bool = False


def _columns(text: str) -> list[Column]:
    """Return columns of lines `path kind`, with `?` for those that may be NULL and `*` for those of several rows."""
    found = [line.split() for line in text.split(";")]
    return [Column(path, kind.rstrip("?*"), "?" in kind, "*" in kind) for path, kind in found]


COLUMNS = {
    "Book": _columns(
        "pk int; title text; note text?; pages int?; price decimal; published time; author_id int?; author__name text?;"
        "author__born int?; author__active bool?; author__mentor__name text?; tags__name text?*; tags int?*;"
        "reviews__stars int?*; reviews__text text?*; taggings__weight int?*"
    ),
    "Author": _columns(
        "pk int; name text; born int?; active bool; mentor_id int?; mentor__name text?; mentor__born int?;"
        "books__title text?*; books__pages int?*; books__price decimal?*; books__tags__name text?*; books int?*;"
        "books__reviews__stars int?*; proteges__name text?*; books__published time?*"
    ),
    "Review": _columns(
        "pk int; stars int; text text?; book_id int; book__title text; book__pages int?; book__price decimal;"
        "book__author__name text?; book__author__mentor_id int?; book__tags__name text?*; book__tags int?*;"
        "book__taggings__weight int?*; book__published time"
    ),
}
RELATIONS = {
    "Book": ["reviews", "tags", "taggings"],
    "Author": ["books", "proteges"],
    "Review": ["book__tags"],
}
KEYS = ["tags", "books", "book__tags"]  # relations themselves, which are compared by key
# How the rows of one model are those of another: a model, its foreign key, and whose.
PREFETCHED = {
    "Book": [("reviews", "Review"), ("tags", "Tag"), ("taggings", "Tagging")],
    "Author": [("books", "Book"), ("proteges", "Author")],
}
REFERENCES = [("Book", "author", "Author"), ("Review", "book", "Book"), ("Tagging", "book", "Book")]
TEXT_LOOKUPS = [
    "exact",
    "contains",
    "startswith",
    "endswith",
    "icontains",
    "iexact",
    "istartswith",
    "gt",
    "in",
]
NUMBER_LOOKUPS = ["exact", "gt", "gte", "lt", "lte", "in", "range"]
TIME_LOOKUPS = ["gt", "gte", "lt", "range", "year", "month", "day__gte", "year__lt"]


class Generator:
    """Makes queries of one seed."""

    def __init__(self, seed: int) -> None:
        self.random = Random(seed)

    def chance(self, part: float) -> bool:
        return self.random.random() < part

    # -- conditions

    def value(self, column: Column, lookup: str) -> Any:
        if lookup in ("in", "range"):
            number = 2 if lookup == "range" else self.random.randint(0, 3)
            values = [self.value(column, "exact") for _ in range(number)]
            return tuple(sorted(values)) if lookup == "range" else values
        if column.kind == "time" and lookup not in ("exact", "gt", "gte", "lt"):
            return {"year": 2024, "month": self.random.randint(1, 12), "day__gte": 15, "year__lt": 2024}[
                lookup
            ]
        match column.kind:
            case "text":
                word = self.random.choice([*WORDS, "ada", "bo", "eve", "art", "bio"])
                if lookup in ("contains", "startswith", "endswith"):  # CASE_OF_LIKE
                    return word[self.random.randint(0, 2) :][:2]
                return word.upper() if lookup.startswith("i") and lookup != "in" else word
            case "decimal":
                return Decimal(self.random.randint(1, 12)) * Decimal("4.25")
            case "time":
                return START + timedelta(days=self.random.randint(0, 300))
            case "bool":
                return self.chance(0.5)
            case _:
                if column.path.endswith(("pages", "born")):
                    return self.random.choice([50, 100, 200, 300, 1957, 1964, 1971])
                return self.random.randint(0, 8)

    def lookup(self, column: Column) -> dict[str, Any]:
        if column.null and self.chance(0.2):
            return {f"{column.path}__isnull": self.chance(0.5)}
        known = {"text": TEXT_LOOKUPS, "time": TIME_LOOKUPS, "bool": ["exact"]}.get(
            column.kind, NUMBER_LOOKUPS
        )
        if column.path in KEYS:
            known = ["exact", "in"]
        if column.path.endswith("_id"):
            known = [lookup for lookup in known if lookup != "range"]  # RANGE_OF_KEY
        lookup = self.random.choice(known)
        name = column.path if lookup == "exact" and self.chance(0.7) else f"{column.path}__{lookup}"
        return {name: self.value(column, lookup)}

    def leaf(self, model: str, *, many: bool) -> Call:
        column = self.random.choice([each for each in COLUMNS[model] if many or not each.many])
        if (
            not column.many and not column.null and column.kind == "int" and self.chance(0.2)
        ):  # NULL_ON_THE_RIGHT
            return call("Q", **{f"{column.path}__gte": call("F", "pk")})
        return call("Q", **self.lookup(column))

    def tree(self, model: str, depth: int = 2, *, many: bool = True) -> Call:
        """Return a Q, which has at most one condition on related rows under each NOT (TWO_RELATED_CONDITIONS_UNDER_NOT)."""
        if depth == 0 or self.chance(0.25):
            return self.leaf(model, many=many)
        kind = self.random.choice(["AND", "OR", "NOT"])
        if kind == "NOT":
            inner = self.leaf(model, many=many) if many else self.tree(model, depth - 1, many=False)
            return call("NOT", inner)
        return call(kind, self.tree(model, depth - 1, many=many), self.tree(model, depth - 1, many=False))

    def narrowed(self, model: str, *, many: bool = True) -> Query:
        query = Query(model)
        for _ in range(self.random.randint(0, 2)):
            if self.chance(0.3):
                query = query.then("exclude", self.leaf(model, many=many))
            else:
                query = query.then("filter", self.tree(model, many=many))
        return query

    # -- order and parts

    def order(self, model: str) -> list[Any]:
        terms: list[Any] = []
        for column in self.random.sample([each for each in COLUMNS[model] if not each.many], 2):
            if column.null:  # PLACE_OF_NULL
                terms.append(call(self.random.choice(["ASC", "DESC"]), call("F", column.path)))
            elif column.kind != "text":
                terms.append(self.random.choice(["", "-"]) + column.path)
        return [*terms, self.random.choice(["pk", "-pk"])]

    def ordered(self, query: Query) -> Query:
        return query.then("order_by", *self.order(query.model))

    def sliced(self, query: Query) -> Query:
        if self.chance(0.6):
            return query
        low = self.random.randint(0, 4)
        return query.then("slice", low, low + self.random.randint(1, 6))

    def own(self, model: str) -> list[str]:
        return [each.path for each in COLUMNS[model] if not each.many and each.path != "pk"]

    def columns(self, model: str) -> list[str]:
        return ["pk", *self.random.sample(self.own(model), 3)]

    def ended(self, query: Query, *names: str) -> Query:
        """Let a query give values in one way or another."""
        shown = [*self.columns(query.model), *names]
        end = self.random.choice(["values_list", "values_list", "values", "count", "exists", "flat"])
        match end:
            case "count" | "exists":
                return query.then(end)
            case "flat":
                return self.sliced(self.ordered(query)).then(
                    "values_list", self.random.choice(shown), flat=True
                )
            case _:
                return self.sliced(self.ordered(query)).then(end, *shown)

    # -- kinds of queries

    def plain(self, model: str) -> Query:
        return self.ended(self.narrowed(model))

    def distinct(self, model: str) -> Query:
        query = self.narrowed(model).then("distinct")
        if self.chance(0.5):
            return query.then("order_by").then("values_list", *self.columns(model)[1:]).unordered()
        return self.sliced(query.then("order_by", "-pk")).then("values_list", *self.columns(model))

    def number(self, model: str) -> Call:
        """Return an expression that is a whole number."""
        columns = [each for each in COLUMNS[model] if each.kind == "int" and not each.many]
        texts = [each for each in COLUMNS[model] if each.kind == "text" and not each.many]
        left = call("F", self.random.choice(columns).path)
        match self.random.randint(0, 4):
            case 0:
                return call("Coalesce", self.random.choice(columns).path, call("Value", 3))
            case 1:
                return call("Length", self.random.choice(texts).path)
            case 2:
                return call("MUL", left, self.random.randint(1, 4))
            case 3:
                branches = [
                    call("When", self.leaf(model, many=False), then=call("Value", key)) for key in range(2)
                ]
                return call("Case", *branches, default=call("Value", 9))
            case _:
                return call(
                    self.random.choice(["ADD", "SUB"]), left, call("F", self.random.choice(columns).path)
                )

    def computed(self, model: str) -> Query:
        text = self.random.choice([each for each in COLUMNS[model] if each.kind == "text" and not each.many])
        query = self.narrowed(model).then(
            "annotate", x=self.number(model), y=call(self.random.choice(["Lower", "Upper"]), text.path)
        )
        if self.chance(0.5):
            query = query.then(
                "filter", **{f"x__{self.random.choice(['gt', 'lte'])}": self.random.randint(1, 60)}
            )
        if self.chance(0.3):
            return query.then("order_by", call("ASC", call("F", "x")), "pk").then(
                "values_list", "pk", "x", "y"
            )
        return self.ended(query, "x", "y")

    def aggregate_of(self, model: str, *, many: bool) -> Call:
        columns = [each for each in COLUMNS[model] if each.many == many and each.kind in ("int", "decimal")]
        column = self.random.choice(columns)
        options: dict[str, Any] = {}
        if self.chance(0.3):
            # Of the same rows, or of the row itself: a further join would multiply the groups.
            options["filter"] = call("Q", **self.lookup(column)) if many else self.leaf(model, many=False)
            if [] in options["filter"].options.values():  # AGGREGATE_OF_NOTHING
                del options["filter"]
        name = self.random.choice(["Count", "Sum", "Avg", "Max", "Min"])
        if column.path in KEYS:
            name = "Count"
        if name == "Count" and self.chance(0.4):
            options["distinct"] = True
        if name == "Sum" and column.kind == "int" and self.chance(0.3):
            options["default"] = 0
        return call(name, column.path, **options)

    def grouped(self, model: str) -> Query:
        query = self.narrowed(model, many=self.chance(0.3))
        aggregate = self.aggregate_of(model, many=True)
        query = query.then("annotate", n=aggregate)
        if self.chance(0.4):
            query = query.then(
                "annotate", m=call("Count", self.random.choice(RELATIONS[model]), distinct=True)
            )
            query = query.then("filter", m__gte=self.random.randint(0, 2))
        if self.chance(0.5):
            never_null = (
                aggregate.name == "Count" or "default" in aggregate.options
            )  # NULL_AGGREGATE_UNDER_NOT
            method = self.random.choice(["filter", "exclude"]) if never_null else "filter"
            query = query.then(method, n__gt=self.random.randint(0, 4))
        return self.ended(query, "n")

    def groups(self, model: str) -> Query:
        names = self.random.sample(self.own(model), self.random.randint(1, 2))
        query = self.narrowed(model, many=False).then("values", *names)
        query = query.then(
            "annotate", n=call("Count", "pk"), m=self.aggregate_of(model, many=self.chance(0.5))
        )
        if self.chance(0.4):
            query = query.then("filter", n__gte=2)
        return query.then("order_by").unordered()

    def totals(self, model: str) -> Query:
        query = self.narrowed(model, many=self.chance(0.3))
        if self.chance(0.3):
            query = self.sliced(query.then("order_by", "pk"))
        many = self.chance(0.2)
        return query.then(
            "aggregate",
            a=self.aggregate_of(model, many=many),
            b=self.aggregate_of(model, many=False),
            n=call("Count", "pk"),
        )

    def nested(self, _: str) -> Query:
        inner, key, outer = self.random.choice(REFERENCES)
        members = (
            self.narrowed(inner, many=False)
            if inner in COLUMNS
            else Query(inner).then("filter", weight__gte=3)
        )
        of_row = members.then("filter", **{key: call("OuterRef", "pk")})
        query = self.narrowed(outer)
        match self.random.randint(0, 4):
            case 0:
                query = query.then(self.random.choice(["filter", "exclude"]), call("Exists", of_row))
            case 1:
                query = query.then(
                    "filter", call("OR", self.leaf(outer, many=False), call("NOT", call("Exists", of_row)))
                )
            case 2:
                inside = members.then("filter", **{f"{key}__isnull": False}).then("values", key)
                query = query.then(self.random.choice(["filter", "exclude"]), pk__in=inside)
            case 3:
                first = call(
                    "Subquery", of_row.then("order_by", "-pk").then("values", "pk").then("slice", 0, 1)
                )
                query = query.then("annotate", found=first)
                return self.ended(query, "found")
            case _:
                query = query.then("annotate", found=call("Exists", of_row))
                return self.ended(query.then("filter", found=self.chance(0.5)), "found")
        return self.ended(query)

    def windowed(self, model: str) -> Query:
        """Return a query of rows that are chosen by what windows compute; equal rows have equal values of theirs."""
        windows: list[tuple[str, dict[str, Any]]] = [
            ("Rank", {"order_by": self.order(model)[-2:]}),
            ("DenseRank", {"order_by": ["-pk"]}),
            ("Count", {}),
        ]
        function, options = self.random.choice(windows)
        over = call(function, "pk") if function == "Count" else call(function)
        if self.chance(0.7) or function == "Count":
            options["partition_by"] = [call("F", self.random.choice(self.own(model)))]
        query = self.narrowed(model, many=False).then("annotate", w=call("Window", over, **options))
        condition = call(
            "Q", **{f"w__{self.random.choice(['lte', 'gt', 'exact'])}": self.random.randint(1, 4)}
        )
        match self.random.randint(0, 3):
            case 0:
                condition = call("OR", condition, self.leaf(model, many=False))
            case 1:
                condition = call("AND", condition, self.leaf(model, many=False))
            case 2:
                condition = call("NOT", condition)
            case _:
                pass
        query = query.then("filter", condition)
        if self.chance(0.3):
            query = query.then("filter", self.leaf(model, many=False))
        if self.chance(0.2):
            return query.then("aggregate", n=call("Count", "pk"), top=call("Max", "w"))
        if self.chance(0.2):
            return self.ended(Query(model).then("filter", pk__in=query.then("values", "pk")))
        return self.ended(query, "w")

    def prefetched(self, model: str) -> Query:
        """Return a query of objects, each with a slice of what a relation leads to."""
        model = "Author" if model == "Review" else model
        relation, target = self.random.choice(PREFETCHED[model])
        found = self.narrowed(target, many=False) if target in COLUMNS else Query(target)
        order = self.order(target) if target in COLUMNS else ["-pk"]
        low = self.random.choice([0, 0, 1, 2])
        found = found.then("order_by", *order).then(
            "slice", low, self.random.choice([None, low + 1, low + 2])
        )
        query = self.narrowed(model, many=False).then("order_by", "pk")
        return query.then("prefetch_related", call("Prefetch", relation, found, to_attr="found"))

    def compound(self, model: str) -> Query:
        names = self.random.sample(self.own(model), 2)
        left, right = [self.narrowed(model).then("order_by").then("values_list", *names) for _ in range(2)]
        method = self.random.choice(["union", "union", "intersection", "difference"])
        options = {"all": True} if method == "union" and self.chance(0.4) else {}
        return left.then(method, right, **options).unordered()


KINDS = [
    "plain",
    "plain",
    "distinct",
    "computed",
    "grouped",
    "grouped",
    "groups",
    "totals",
    "nested",
    "compound",
]
LATER = ["windowed", "windowed", "windowed", "prefetched"]  # behind the others, which stay the same by that


def make_queries(number: int = 400, later: int = 100) -> list[Query]:
    """Return the queries, always the same."""
    made: list[Query] = []
    for seed in range(number + later):
        generator = Generator(seed)
        kinds = KINDS if seed < number else LATER
        kind = kinds[seed % len(kinds)]
        made.append(getattr(generator, kind)(generator.random.choice(list(COLUMNS))))
    return made
