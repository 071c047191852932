"""Generated functions between values and drivers: one that makes arguments, one that makes objects of rows.

Each is Python source for exactly one plan: no loop over columns, no lookup of a converter, no call of `__init__` or
`__setattr__`. Only names of our own choosing and attribute names of models (identifiers) get into the source; all else
is passed in.
"""

from __future__ import annotations

import keyword
from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING, Any, NamedTuple, TypeAlias, cast

from transom.db.exceptions import FieldError
from transom.db.sql.shapes import ColumnOperand, ColumnPath

if TYPE_CHECKING:
    from transom.db.models.fields import Field
    from transom.db.models.options import Options
    from transom.db.models.query.columns import Columns
    from transom.db.sql.metadata import Hop, Vendor
    from transom.db.sql.parameters import Parameter
    from transom.db.sql.shapes import ExpressionShape

# Any: values and rows of all types
Encode: TypeAlias = Callable[[Sequence[Any]], Sequence[Any]]
Load: TypeAlias = Callable[[Sequence[Sequence[Any]]], list[Any]]


def build_encoder(parameters: Sequence[Parameter]) -> Encode:
    """Return the function that makes the arguments of a statement from the values beside its shape."""
    places: list[str] = []
    names: dict[str, object] = {}
    for position, (index, convert) in enumerate(parameters):
        if convert is None:
            places.append(f"v[{index}]")
        else:
            names[f"e{position}"] = convert
            places.append(f"e{position}(v[{index}])")
    return _define(
        "encode", f"def encode(v):\n    return ({' '.join(f'{place},' for place in places)})\n", names
    )


def build_writer(parameters: Sequence[Parameter]) -> Encode:
    """Return the same for values that may be None, which goes to the driver as it is."""
    names = {f"e{position}": convert for position, (_, convert) in enumerate(parameters)}
    places = [
        f"None if v[{index}] is None else e{position}(v[{index}])"
        for position, (index, _) in enumerate(parameters)
    ]
    return _define(
        "encode", f"def encode(v):\n    return ({' '.join(f'{place},' for place in places)})\n", names
    )


class Entity(NamedTuple):
    """One object of each row: the model's own, or a related one that was joined.

    Attributes:
        options: its model.
        hops: the way to it; empty for the model's own.
        fields: those that are loaded, the key among them. Any: fields of any type.
    """

    options: Options
    hops: tuple[Hop, ...]
    fields: Sequence[Field[Any]]


def related_entities(
    options: Options, related: Sequence[tuple[Hop, ...]], columns: Columns | None
) -> list[Entity]:
    """Return the objects of each row, every one after the one that it hangs on.

    Args:
        options: the model of the first.
        related: the ways to the others.
        columns: which of theirs are loaded; None for all.
    """
    prefixes = {hops[:length] for hops in related for length in range(1, len(hops) + 1)}
    ordered = sorted(prefixes, key=lambda hops: (len(hops), [hop.name for hop in hops]))
    made: list[Entity] = []
    for hops in ((), *ordered):
        at = cast("Options", hops[-1].target) if hops else options
        fields = at.fields if columns is None else columns.choose(at, hops)
        made.append(Entity(at, hops, cast("Sequence[Field[Any]]", fields)))
    return made


def entity_columns(entities: Sequence[Entity]) -> list[ExpressionShape]:
    """Return the columns that make the objects, in the order in which `build_loader` takes them."""
    return [ColumnOperand(ColumnPath(entity.hops, field)) for entity in entities for field in entity.fields]


def build_loader(
    entities: Sequence[Entity],
    annotations: Sequence[tuple[str, Field[Any]]],
    vendor: Vendor,
    using: str,
    *,
    spare: int = 0,
) -> Load:
    """Return the function that makes objects of rows.

    Args:
        entities: the objects of each row, whose columns come first.
        annotations: names and fields of the values that follow, for the first object. Any: fields of any type.
        vendor: whose rows.
        using: alias of the database that they come from.
        spare: how many columns at the end are not used.
    """
    source = _Source(vendor)
    for number, entity in enumerate(entities):
        source.add_entity(number, entity, using)
    for number, entity in enumerate(entities):
        if entity.hops:
            owner = next(at for at, other in enumerate(entities) if other.hops == entity.hops[:-1])
            source.attach(number, owner, entity.hops[-1])
    for name, field in annotations:
        source.annotate(name, field)
    return source.build(spare)


class _Source:
    """The loader's text in the making."""

    def __init__(self, vendor: Vendor) -> None:
        self._vendor: Vendor = vendor
        self._lines: list[str] = []
        self._names: dict[str, object] = {"new": object.__new__}
        self._columns = 0

    def add_entity(self, number: int, entity: Entity, using: str) -> None:
        """Make one object, or None where an outer join found no row."""
        fields = entity.fields
        first, self._columns = self._columns, self._columns + len(fields)
        self._names[f"M{number}"] = entity.options.model
        indent = "        "
        if entity.hops:
            key = first + fields.index(entity.options.pk_fields[0])
            self._lines.append(f"{indent}if c{key} is None: o{number} = None")
            self._lines.append(f"{indent}else:")
            indent += "    "
        self._lines.append(f"{indent}o{number} = new(M{number})")
        for column, field in enumerate(fields, first):
            self._lines.append(f"{indent}o{number}.{field.attname} = {self._value(column, field)}")
        if using != "default":
            self._names["using"] = using
            self._lines.append(f"{indent}o{number}._using = using")

    def _value(self, column: int, field: Field[Any]) -> str:
        decode = field.decoder(self._vendor)
        if decode is None:
            return f"c{column}"
        self._names[f"d{column}"] = decode
        decoded = f"d{column}(c{column})"
        return f"None if c{column} is None else {decoded}" if field.null else decoded

    def annotate(self, name: str, field: Field[Any]) -> None:
        """Give the first object a value that was computed, which may be NULL whatever the field says."""
        column, self._columns = self._columns, self._columns + 1
        decode = field.decoder(self._vendor)
        value = f"c{column}"
        if decode is not None:
            self._names[f"d{column}"] = decode
            value = f"None if c{column} is None else d{column}(c{column})"
        self._lines.append(f"        o0.{_identifier(name)} = {value}")

    def take(self, name: str, field: Field[Any] | None) -> None:
        """Give the first object a column as a field has it, or as the driver gives it."""
        column, self._columns = self._columns, self._columns + 1
        decode = None if field is None else field.decoder(self._vendor)
        self._names[f"d{column}"], self._names[f"n{column}"] = (
            decode,
            name if field is None else field.attname,
        )
        value = f"c{column}" if decode is None else f"None if c{column} is None else d{column}(c{column})"
        self._lines.append(f"        o0.__dict__[n{column}] = {value}")

    def attach(self, number: int, owner: int, hop: Hop) -> None:
        """Hang a related object on the one that refers to it; and the other way around where they are one to one."""
        guard = f"if o{owner} is not None: " if owner else ""
        self._lines.append(f"        {guard}o{owner}._loaded_{hop.name} = o{number}")
        if hop.back is not None:
            self._lines.append(f"        if o{number} is not None: o{number}._loaded_{hop.back} = o{owner}")

    def build(self, spare: int) -> Load:
        """Compile the text."""
        columns = "".join(f"c{column}, " for column in range(self._columns + spare))
        source = "\n".join(
            [
                "def load(rows):",
                "    objects = []",
                "    append = objects.append",
                f"    for {columns}in rows:",
                *self._lines,
                "        append(o0)",
                "    return objects",
                "",
            ]
        )
        return _define("load", source, self._names)


RawColumn: TypeAlias = "tuple[str, Field[Any] | None]"
"""The name of a column and its field (of any type); None for one that is no field, whose name an attribute gets."""


def build_raw_loader(options: Options, columns: Sequence[RawColumn], vendor: Vendor, using: str) -> Load:
    """Return the function that makes objects of rows whose columns somebody else has chosen.

    A field can be NULL there whatever it says, and a name can be anything, so it is passed in.
    """
    source = _Source(vendor)
    source.add_entity(0, Entity(options, (), ()), using)
    for name, field in columns:
        source.take(name, field)
    return source.build(0)


def _identifier(name: str) -> str:
    """Return the name of an annotation, which goes into the source.

    Raises:
        FieldError: it is none that an attribute can have.
    """
    if not name.isidentifier() or keyword.iskeyword(name):
        raise FieldError(f"{name!r} is no name for an annotation; names of attributes are")
    return name


def build_values_loader(
    fields: Sequence[Field[Any]], names: Sequence[str], form: str, vendor: Vendor, *, spare: int = 0
) -> Load:
    """Return the function that makes dicts, tuples or single values of rows, by `form`: "dict", "tuple" or "flat".

    A key of several columns takes these, and is a tuple of their values, or None.
    """
    functions: dict[str, object] = {}
    values: list[str] = []
    count = 0
    for field in fields:
        first, count = count, count + len(field.parts)
        parts = [_optional(column, part, vendor, functions) for column, part in enumerate(field.parts, first)]
        values.append(parts[0] if len(parts) == 1 else f"None if c{first} is None else ({', '.join(parts)})")
    columns = "".join(f"c{column}, " for column in range(count + spare))
    match form:
        case "dict":
            row = (
                "{" + ", ".join(f"{name!r}: {value}" for name, value in zip(names, values, strict=True)) + "}"
            )
        case "tuple":
            row = "(" + "".join(f"{value}, " for value in values) + ")"
        case _:
            row = values[0]
    return _define("load", f"def load(rows):\n    return [{row} for {columns}in rows]\n", functions)


def _optional(column: int, field: Field[Any], vendor: Vendor, functions: dict[str, object]) -> str:
    """Return the value of a column, any of which can be NULL: an outer join may have found no row."""
    decode = functions[f"d{column}"] = field.decoder(vendor)
    return f"None if c{column} is None else d{column}(c{column})" if decode else f"c{column}"


def _define(
    name: str, source: str, names: dict[str, Any]
) -> Any:  # Any: a function of the type that callers state
    exec(compile(source, f"<transom {name}>", "exec"), names)  # noqa: S102  see the head of the module
    return names[name]
