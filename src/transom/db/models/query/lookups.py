"""Names in queries, resolved: `"choices__votes__gt"` is a path of relations, a column, and a kind of comparison."""

from __future__ import annotations

from difflib import get_close_matches
from typing import TYPE_CHECKING, Any, Final, NamedTuple, NoReturn, TypeVar, cast, get_args

from transom.db.exceptions import FieldError
from transom.db.models.fields import (
    Field,
    ForeignKey,
    ManyToManyBase,
    ManyToManyRelation,
    ManyToOneRelation,
    OneToOneRelation,
    links,
)
from transom.db.models.query.outputs import SCALAR, computed_field
from transom.db.sql.shapes import (
    ColumnOperand,
    ColumnPath,
    DocumentPart,
    FunctionOperand,
    Lookup,
    LookupName,
)
from transom.db.sql.walk import columns_of

if TYPE_CHECKING:
    from transom.db.models.options import Options
    from transom.db.sql.column_type import ColumnKind
    from transom.db.sql.metadata import Hop
    from transom.db.sql.shapes import ExpressionShape

K = TypeVar("K")
T = TypeVar("T")

SEPARATOR: Final = "__"
LOOKUP_NAMES: Final[tuple[LookupName, ...]] = get_args(LookupName)
_ANY: Final[tuple[LookupName, ...]] = ("exact", "in", "isnull")
_ORDERED: Final[tuple[LookupName, ...]] = (*_ANY, "gt", "gte", "lt", "lte", "range")
_OF_TEXT: Final[tuple[LookupName, ...]] = (
    "iexact", "contains", "icontains", "startswith", "istartswith", "endswith", "iendswith", "regex", "iregex",
)  # fmt: skip
_OF_DOCUMENTS: Final[tuple[LookupName, ...]] = (
    *_ANY, "contains", "contained_by", "has_key", "has_keys", "has_any_keys",
)  # fmt: skip
_FEWER: Final[dict[ColumnKind, tuple[LookupName, ...]]] = {
    "boolean": _ANY,
    "json": _OF_DOCUMENTS,
    "binary": ("exact", "isnull"),
    "varchar": (*_ORDERED, *_OF_TEXT),
    "text": (*_ORDERED, *_OF_TEXT),
}

# Names come from source code, so there are few; the bound only keeps a program that makes them up from growing.
_MEMO_SIZE: Final = 2000


class Transform(NamedTuple):
    """A part of a value that has a name in lookups: `published__year`.

    Attributes:
        function: the entry of `sql/functions.py`.
        kinds: of the columns that have such a part.
        output: the kind of the part; None for that of the column.
    """

    function: str
    kinds: tuple[ColumnKind, ...]
    output: ColumnKind | None = None


_TEXT: Final[tuple[ColumnKind, ...]] = ("varchar", "text")
_DAY: Final[tuple[ColumnKind, ...]] = ("datetime", "date")
_TIME: Final[tuple[ColumnKind, ...]] = ("datetime", "time")
_NUMBER: Final[tuple[ColumnKind, ...]] = (
    "smallint",
    "integer",
    "bigint",
    "float",
    "decimal",
    "auto",
    "bigauto",
)
_PARTS_OF_DAYS: Final = (
    "year", "iso_year", "quarter", "month", "week", "day", "week_day", "iso_week_day",
)  # fmt: skip
TRANSFORMS: Final[dict[str, Transform]] = {
    "length": Transform("length", _TEXT, "integer"),
    **{name: Transform(name, _TEXT) for name in ("lower", "upper", "trim", "ltrim", "rtrim")},
    **{name: Transform(name, _NUMBER) for name in ("abs", "ceil", "floor", "round")},
    "sqrt": Transform("sqrt", _NUMBER, "float"),
    **{name: Transform(f"extract_{name}", _DAY, "integer") for name in _PARTS_OF_DAYS},
    **{name: Transform(f"extract_{name}", _TIME, "integer") for name in ("hour", "minute", "second")},
    "date": Transform("date_of", ("datetime",), "date"),
    "time": Transform("time_of", ("datetime",), "time"),
}
"""The parts by name."""


def resolve_lookup(options: Options, name: str) -> Lookup:
    """Return the interned lookup of a name such as `"question__text__icontains"`.

    Raises:
        FieldError: a word is no field, relation, transform or lookup; the message names the choices.
    """
    found = options.lookups.get(name)
    return found if found is not None else _remember(options.lookups, name, _parse(options, name))


def resolve_left(options: Options, name: str) -> tuple[ExpressionShape, Field[Any]]:
    """Return the column, or the part of one, of a name such as `"published__year"`, and the field of its values.

    Raises:
        FieldError: a word is no field, relation or transform.
    """
    known = options.paths.get(name)
    if known is not None:
        return ColumnOperand(known), cast("Field[Any]", known.field)
    path, words = _walk(options, name)
    if not words:
        return ColumnOperand(_remember(options.paths, name, path)), cast("Field[Any]", path.field)
    left, field, rest = take_transforms(ColumnOperand(path), cast("Field[Any]", path.field), words)
    if rest:
        _unknown(options, name, path, rest[0])
    return left, field


def take_transforms(
    left: ExpressionShape, field: Field[Any], words: list[str]
) -> tuple[ExpressionShape, Field[Any], list[str]]:
    """Return the part of a value that the first words say, the field of its values, and the words behind them."""
    while words:
        if field.column_type().kind == "json":
            return _take_steps(left, field, words)
        transform = TRANSFORMS.get(words[0])
        if transform is None or field.column_type().kind not in transform.kinds:
            break
        field = field if transform.output is None else computed_field(transform.output)
        left = FunctionOperand(transform.function, (left,), field.column_type())
        words = words[1:]
    return left, field, words


def _take_steps(
    left: ExpressionShape, field: Field[Any], words: list[str]
) -> tuple[ExpressionShape, Field[Any], list[str]]:
    """Return the part of a document: every word is a key, or a place in an array, but a lookup at the end."""
    rest = words[-1:] if words[-1] in LOOKUP_NAMES else []
    steps = tuple([_step(word) for word in words[: len(words) - len(rest)]])
    if not steps:
        return left, field, rest
    return DocumentPart(left, steps, "json"), computed_field("json"), rest


def _step(word: str) -> str | int:
    """Return a key, or a place in an array, which counts from its end if it is negative."""
    if word.removeprefix("-").isdecimal():
        return int(word)
    if '"' in word or "\0" in word:
        raise FieldError(f"a key of a JSON document cannot have quotation marks in it here: {word!r}")
    return word


def _settle(left: ExpressionShape, field: Field[Any], word: LookupName) -> tuple[ExpressionShape, Field[Any]]:
    """Return a part of a document in the form in which a lookup compares it, and the field of what it is compared with."""
    if not isinstance(left, DocumentPart) or word in _OF_DOCUMENTS:
        return left, field
    if word in _OF_TEXT:
        return left._replace(form="text"), computed_field("text")
    return left._replace(form="value"), SCALAR


_interned: dict[tuple[ExpressionShape, Field[Any], str], Lookup] = {}


def intern_lookup(left: ExpressionShape, field: Field[Any], rest: list[str], name: str) -> Lookup:
    """Return the lookup of a left side by the words behind it, of which there may be one.

    Raises:
        FieldError: they are no lookup, or none for such values.
    """
    word = rest[0] if rest else "exact"
    if len(rest) > 1 or word not in LOOKUP_NAMES:
        _unknown_lookup(field, name, word)
    left, field = _settle(left, field, word)
    _check_kind(left, field, word)
    key = (left, field, word)
    found = _interned.get(key)
    return found or _remember(_interned, key, Lookup(left, field, word, columns_of(left)))


def resolve_path(options: Options, name: str) -> ColumnPath:
    """Return the column of a name without a lookup, such as `"question__text"`.

    Raises:
        FieldError: a word is no field or relation.
    """
    found = options.paths.get(name)
    if found is not None:
        return found
    path, rest = _walk(options, name)
    if rest:
        _unknown(options, name, path, rest[0])
    return _remember(options.paths, name, path)


def _remember(memo: dict[K, T], name: K, found: T) -> T:
    if len(memo) >= _MEMO_SIZE:
        memo.clear()
    memo[name] = found
    return found


def resolve_relation(options: Options, name: str) -> tuple[Hop, ...]:
    """Return the steps of a path of relations to one object each, such as `"question__author"`.

    Raises:
        FieldError: a word is neither a foreign key nor a one-to-one relation; the message names the choices.
    """
    hops: tuple[Hop, ...] = ()
    at = options
    for word in name.split(SEPARATOR):
        field = at.find(word)
        if isinstance(field, OneToOneRelation):
            hops, at = (*hops, field.hop), field.related_model._meta
            continue
        if not isinstance(field, ForeignKey) or word != field.name:
            choices = [foreign_key.name for foreign_key in at.foreign_keys]
            choices += [
                relation.query_name
                for relation in at.related_objects
                if isinstance(relation, OneToOneRelation) and not relation.is_hidden
            ]
            raise FieldError(
                f"{at.object_name} has no foreign key {word!r} to follow in {name!r}; "
                f"choose from {', '.join(choices) or 'none: it has no foreign keys'}"
            )
        hops += (field.hop,)
        at = field.remote_field.target._meta
    return hops


def _parse(options: Options, name: str) -> Lookup:
    path, words = _walk(options, name)
    left, field, rest = take_transforms(ColumnOperand(path), cast("Field[Any]", path.field), words)
    if rest and (len(rest) > 1 or rest[0] not in LOOKUP_NAMES):
        _unknown(options, name, path, rest[0])
    word = cast("LookupName", rest[0]) if rest else "exact"
    left, field = _settle(left, field, word)
    _check_kind(left, field, word)
    return Lookup(left, field, word, (path,))


def _check_kind(left: ExpressionShape, field: Field[Any], word: LookupName) -> None:
    """Refuse a lookup that makes no sense for such values."""
    if isinstance(left, DocumentPart):
        return  # what it is, only the document knows
    allowed = _FEWER.get(field.column_type().kind, _ORDERED)
    if word not in allowed:
        raise FieldError(f"{field.label} has no lookup {word!r}; choose from {', '.join(allowed)}")


def _walk(options: Options, name: str) -> tuple[ColumnPath, list[str]]:
    """Follow the words of a name as far as they are fields and relations; return the column and the words left."""
    words = name.split(SEPARATOR)
    hops: tuple[Hop, ...] = ()
    at = options
    field: Field[Any] | None = None
    while words:
        found = at.find(words[0])
        if found is None:
            break
        word = words.pop(0)
        if isinstance(
            found, ManyToManyBase | ManyToManyRelation
        ):  # to the rows between, then by their foreign key
            hop, found = links(found)
            hops, word = (*hops, hop), found.name
        if isinstance(found, ManyToOneRelation):
            hops, at, field = (*hops, found.hop), found.related_model._meta, None
        elif isinstance(found, ForeignKey) and word == found.name and _continues(found.remote_field, words):
            hops, at, field = (*hops, found.hop), found.remote_field.target._meta, None
        else:
            field = cast("Field[Any]", found)
            break
    if field is None and not hops:
        at.unknown(words[0])
    if field is None and words and words[0] not in LOOKUP_NAMES:
        at.unknown(words[0])
    return ColumnPath(hops, field or at.pk), words


def _continues(relation: ManyToOneRelation, words: list[str]) -> bool:
    """Whether a path goes on beyond a foreign key, to more than the key itself, which is on this side."""
    if not words:
        return False
    target: Options = relation.target._meta
    following = target.find(words[0])
    if following is None:
        return words[0] not in LOOKUP_NAMES
    if following is relation.target_field and not isinstance(following, ForeignKey):
        words.pop(0)
        return False
    return True


def _unknown(options: Options, name: str, path: ColumnPath, word: str) -> NoReturn:
    field = cast("Field[Any]", path.field)  # Any: a field of any type
    _unknown_lookup(field, f"{name!r} on {options.object_name}", word)


def _unknown_lookup(field: Field[Any], where: str, word: str) -> NoReturn:
    kind = field.column_type().kind
    parts = [part for part, transform in TRANSFORMS.items() if kind in transform.kinds]
    close = get_close_matches(word, [*LOOKUP_NAMES, *parts], 1)
    hint = f"did you mean {close[0]!r}? " if close else ""
    beside = f", or a part: {', '.join(parts)}" if parts else ""
    raise FieldError(
        f"{field.label} has no lookup {word!r} (in {where}); {hint}choose from {', '.join(LOOKUP_NAMES)}{beside}"
    )
