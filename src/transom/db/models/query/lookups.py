"""Names in queries, resolved: `"choices__votes__gt"` is a path of relations, a column, and a kind of comparison."""

from __future__ import annotations

from dataclasses import replace
from difflib import get_close_matches
from typing import TYPE_CHECKING, Any, Final, NamedTuple, NoReturn, Protocol, TypeVar, cast, get_args

from transom.db.exceptions import FieldError
from transom.db.models.expressions import Binder, Bound, RegisterLookupMixin
from transom.db.models.expressions.function import Call
from transom.db.models.expressions.references import Settled
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
    BETWEEN_SETS,
    ColumnOperand,
    ColumnPath,
    DocumentPart,
    Lookup,
    LookupName,
    RowOperand,
)
from transom.db.sql.walk import columns_of

if TYPE_CHECKING:
    from transom.db.models.expressions import Expression
    from transom.db.models.options import Options
    from transom.db.sql.column_type import ColumnKind
    from transom.db.sql.metadata import Hop
    from transom.db.sql.shapes import ExpressionShape

K = TypeVar("K")
T = TypeVar("T")

SEPARATOR: Final = "__"
LOOKUP_NAMES: Final[tuple[LookupName, ...]] = get_args(LookupName)[:-1]  # not "custom", which is no name
_ANY: Final[tuple[LookupName, ...]] = ("exact", "in", "isnull")
_OF_ROWS: Final[tuple[LookupName, ...]] = (*_ANY, "gt", "gte", "lt", "lte")
_ORDERED: Final[tuple[LookupName, ...]] = (*_OF_ROWS, "range")
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
    "tsvector": ("isnull",),
    "tsquery": ("exact", "isnull"),
    "array": (*_ORDERED, "contains", "contained_by", "overlap"),
    "range": (*_ORDERED, *BETWEEN_SETS),
}
# Whose parts may have the name of another's lookup: `days__startswith`, and keys of documents.
_WITH_OWN_NAMES: Final[dict[ColumnKind, tuple[LookupName, ...]]] = {
    "array": _FEWER["array"],
    "range": _FEWER["range"],
    "json": (*_ORDERED, *_OF_TEXT, *_OF_DOCUMENTS),
}

# Names come from source code, so there are few; the bound only keeps a program that makes them up from growing.
_MEMO_SIZE: Final = 2000


class Left(NamedTuple):
    """The left side of a comparison.

    Attributes:
        source: the expression, of what was bound before.
        bound: the same, bound.
        words: those behind it.
        is_fixed: whether it is the same each time that it is bound.
    """

    source: Expression
    bound: Bound
    words: list[str]
    is_fixed: bool


def resolve_lookup(options: Options, name: str, binder: ScratchBinder) -> Lookup:
    """Return the interned lookup of a name such as `"question__text__icontains"`.

    Raises:
        FieldError: a word is no field, relation, transform or lookup; the message names the choices.
    """
    found = options.lookups.get(name)
    return found if found is not None else _remember(options.lookups, name, _parse(options, name, binder))


def resolve_left(options: Options, name: str, binder: ScratchBinder) -> Expression | Bound:
    """Return the column of a name such as `"published__year"`, bound, or the part of one, which is to be bound.

    Raises:
        FieldError: a word is no field, relation or transform.
    """
    known = options.paths.get(name)
    if known is not None:
        return _column(known)
    path, words = _walk(options, name)
    if not words:
        return _column(_remember(options.paths, name, path))
    left = take_transforms(_column(path), words, binder)
    if left.words:
        _unknown(options, name, path, left.words[0])
    return left.source


def column_operand(path: ColumnPath) -> ExpressionShape:
    """Return what a path leads to: a column, or those of a key of several side by side."""
    parts = cast("Field[Any]", path.field).parts
    if len(parts) == 1:
        return ColumnOperand(path)
    return RowOperand(tuple([ColumnOperand(path._replace(field=part)) for part in parts]))


def _column(path: ColumnPath) -> Bound:
    return Bound(column_operand(path), path.field)


class ScratchBinder(Binder, Protocol):
    """What transforms are bound to while a name is resolved: to know what they return, which says what may follow them.

    Attributes:
        values: those that were bound. Any: of any type.
    """

    values: list[Any]

    def scratch(self) -> ScratchBinder:
        """Return a binder like this one, with values of its own."""
        ...


def take_transforms(
    whole: Bound, words: list[str], binder: ScratchBinder, *, before_lookup: bool = False
) -> Left:
    """Return the part of a value that the first words say.

    Args:
        whole: the value.
        words: those behind its name.
        binder: of the query.
        before_lookup: whether the last word may be a lookup.
    """
    source: Expression = Settled(whole)
    bound, is_fixed = whole, True
    while words:
        if before_lookup and len(words) == 1 and _is_lookup(source, bound, words[0]):
            break
        make = bound.field.get_transform(words[0])
        if make is None:
            break
        source, words = make(source), words[1:]
        scratch = binder.scratch()
        bound = scratch.bind(source)
        is_fixed = is_fixed and not scratch.values and not _is_special(source)
    return Left(source, bound, words, is_fixed)


def _is_special(source: Expression) -> bool:
    return isinstance(source, Call) and (source.bilateral or source.is_contextual)


def _is_lookup(source: Expression, bound: Bound, word: str) -> bool:
    if word in LOOKUP_NAMES:
        is_row = isinstance(bound.shape, RowOperand)
        return is_row or word in _WITH_OWN_NAMES.get(bound.field.column_type().kind, LOOKUP_NAMES)
    return _find_custom(source, bound.field, word) is not None


def _find_custom(source: Expression, field: Field[Any], word: str) -> type[Expression] | None:
    """Return an application's own lookup, of the part itself if it has one, else of the field of its values."""
    own = source.get_lookup(word) if isinstance(source, RegisterLookupMixin) else None
    return own or field.get_lookup(word)


def _settle(left: ExpressionShape, field: Field[Any], word: LookupName) -> tuple[ExpressionShape, Field[Any]]:
    """Return a part of a document in the form in which a lookup compares it, and the field of what it is compared with."""
    if not isinstance(left, DocumentPart) or word in _OF_DOCUMENTS:
        return left, field
    if word in _OF_TEXT:
        return left._replace(form="text"), computed_field("text")
    return left._replace(form="value"), SCALAR


_interned: dict[tuple[ExpressionShape, Field[Any], str], Lookup] = {}


def intern_lookup(bound: Bound, word: LookupName) -> Lookup:
    """Return the lookup of what is bound.

    Raises:
        FieldError: there is none such for these values.
    """
    left, field = bound.shape, cast("Field[Any]", bound.field)
    if word != "custom":
        left, field = _settle(left, field, word)
        _check_kind(left, field, word)
    key = (left, field, word)
    return _interned.get(key) or _remember(_interned, key, Lookup(left, field, word, columns_of(left)))


def make_lookup(left: Left, where: str) -> Lookup:
    """Return the lookup of a left side by the words behind it, of which there may be one.

    Raises:
        FieldError: they are no lookup, or none for such values.
    """
    field = cast("Field[Any]", left.bound.field)
    word = left.words[0] if left.words else "exact"
    custom = _find_custom(left.source, field, word)
    if len(left.words) > 1 or (custom is None and word not in LOOKUP_NAMES):
        _unknown_lookup(field, where, word)
    lookup = intern_lookup(left.bound, "custom" if custom is not None else cast("LookupName", word))
    if custom is None and left.is_fixed:
        return lookup
    return replace(lookup, source=left.source, custom=custom)


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


def _parse(options: Options, name: str, binder: ScratchBinder) -> Lookup:
    path, words = _walk(options, name)
    left = take_transforms(_column(path), words, binder, before_lookup=True)
    return make_lookup(left, f"{name!r} on {options.object_name}")


def _check_kind(left: ExpressionShape, field: Field[Any], word: LookupName) -> None:
    """Refuse a lookup that makes no sense for such values."""
    if isinstance(left, DocumentPart):
        return  # what it is, only the document knows
    is_row = isinstance(left, RowOperand)
    allowed: tuple[str, ...] = _OF_ROWS if is_row else _FEWER.get(field.column_type().kind, _ORDERED)
    if word not in allowed:
        allowed += tuple([name for name, found in field.get_lookups().items() if found.is_condition])
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
        elif (
            isinstance(found, ForeignKey)
            and word == found.name
            and _continues(cast("ForeignKey[Any]", found), words)
        ):
            hops, at, field = (*hops, found.hop), found.remote_field.target._meta, None
        else:
            field = cast("Field[Any]", found)
            break
    if field is None and not hops:
        at.unknown(words[0])
    if field is None and words and words[0] not in LOOKUP_NAMES and at.pk.get_lookup(words[0]) is None:
        at.unknown(words[0])
    return ColumnPath(hops, field or at.pk), words


def _continues(foreign_key: ForeignKey[Any], words: list[str]) -> bool:
    """Whether a path goes on beyond a foreign key, to more than the key itself, which is on this side."""
    if not words:
        return False
    relation = foreign_key.remote_field
    target: Options = relation.target._meta
    following = target.find(words[0])
    if following is None:
        return words[0] not in LOOKUP_NAMES and foreign_key.get_lookup(words[0]) is None
    if following is relation.target_field and not isinstance(following, ForeignKey):
        words.pop(0)
        return False
    return True


def _unknown(options: Options, name: str, path: ColumnPath, word: str) -> NoReturn:
    field = cast("Field[Any]", path.field)  # Any: a field of any type
    _unknown_lookup(field, f"{name!r} on {options.object_name}", word)


def _unknown_lookup(field: Field[Any], where: str, word: str) -> NoReturn:
    registered = field.get_lookups()
    lookups = [*LOOKUP_NAMES, *(name for name, found in registered.items() if found.is_condition)]
    parts = [name for name, found in registered.items() if not found.is_condition]
    close = get_close_matches(word, [*lookups, *parts], 1)
    hint = f"did you mean {close[0]!r}? " if close else ""
    beside = f", or a part: {', '.join(parts)}" if parts else ""
    raise FieldError(
        f"{field.label} has no lookup {word!r} (in {where}); {hint}choose from {', '.join(lookups)}{beside}"
    )
