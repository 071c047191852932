"""Names in queries, resolved: `"choices__votes__gt"` is a path of relations, a column, and a kind of comparison."""

from __future__ import annotations

from difflib import get_close_matches
from typing import TYPE_CHECKING, Any, Final, NoReturn, TypeVar, cast, get_args

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
from transom.db.sql.shapes import ColumnPath, Lookup, LookupName

if TYPE_CHECKING:
    from transom.db.models.options import Options
    from transom.db.sql.column_type import ColumnKind
    from transom.db.sql.metadata import Hop

T = TypeVar("T")

SEPARATOR: Final = "__"
LOOKUP_NAMES: Final[tuple[LookupName, ...]] = get_args(LookupName)
_ANY: Final[tuple[LookupName, ...]] = ("exact", "in", "isnull")
_ORDERED: Final[tuple[LookupName, ...]] = (*_ANY, "gt", "gte", "lt", "lte", "range")
_FEWER: Final[dict[ColumnKind, tuple[LookupName, ...]]] = {
    "boolean": _ANY,
    "json": ("exact", "isnull"),
    "binary": ("exact", "isnull"),
    "varchar": LOOKUP_NAMES,
    "text": LOOKUP_NAMES,
}

# Names come from source code, so there are few; the bound only keeps a program that makes them up from growing.
_MEMO_SIZE: Final = 2000


def resolve_lookup(options: Options, name: str) -> Lookup:
    """Return the interned lookup of a name such as `"question__text__icontains"`.

    Raises:
        FieldError: a word is no field, relation or lookup; the message names the choices.
    """
    found = options.lookups.get(name)
    return found if found is not None else _remember(options.lookups, name, _parse(options, name))


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


def _remember(memo: dict[str, T], name: str, found: T) -> T:
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
    path, rest = _walk(options, name)
    if not rest:
        return Lookup(path, "exact")
    field = cast("Field[Any]", path.field)  # Any: a field of any type
    allowed = _FEWER.get(field.column_type().kind, _ORDERED)
    if len(rest) > 1 or rest[0] not in LOOKUP_NAMES:
        _unknown(options, name, path, rest[0])
    if rest[0] not in allowed:
        raise FieldError(f"{field.label} has no lookup {rest[0]!r}; choose from {', '.join(allowed)}")
    return Lookup(path, rest[0])


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
    close = get_close_matches(word, LOOKUP_NAMES, 1)
    hint = f"did you mean {close[0]!r}? " if close else ""
    raise FieldError(
        f"{field.label} has no lookup {word!r} (in {name!r} on {options.object_name}); "
        f"{hint}choose from {', '.join(LOOKUP_NAMES)}"
    )
