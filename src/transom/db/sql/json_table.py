"""MySQL's JSON_TABLE: one JSON array, sent as one parameter, as rows of typed columns."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from sqlalchemy.ext.compiler import compiles
from sqlalchemy.sql.functions import FunctionElement, func

from transom.db.sql.dialects import dialect
from transom.db.sql.types import sql_type

if TYPE_CHECKING:
    from collections.abc import Sequence

    import sqlalchemy as sa
    from sqlalchemy.sql.compiler import SQLCompiler

    from transom.db.sql.column_type import ColumnKind, ColumnType
    from transom.db.sql.metadata import FieldLike

# As the columns of our tables are: two that differ cannot be compared.
COLLATION = "CHARACTER SET utf8mb4 COLLATE utf8mb4_nopad_bin"
# Read as text that may be longer than the column, so that nothing is cut.
_AS_TEXT: tuple[ColumnKind, ...] = ("varchar", "text", "json", "inet", "binary")


class JSONTable(FunctionElement[Any]):  # Any: rows of all types
    """The call; `definitions` is the text of its columns, with nothing of a caller in it."""

    name = "json_table"
    inherit_cache = False
    definitions: str


def json_table(
    document: sa.ColumnElement[Any], columns: Sequence[tuple[ColumnType, str]]
) -> sa.TableValuedAlias:
    """Return the elements of a JSON array as rows, counted by `n`, with the columns `c0`, `c1` and so on.

    Args:
        document: the JSON text. Any: its type does not matter.
        columns: what each column holds, and its path from the element.
    """
    call = JSONTable(document)
    definitions = ["n FOR ORDINALITY"]
    for number, (column_type, path) in enumerate(columns):
        definitions.append(f"c{number} {_declared(column_type)} PATH '{path}' ERROR ON ERROR")
    call.definitions = ", ".join(definitions)
    return call.table_valued("n", *(f"c{number}" for number in range(len(columns))))


def unpacked(field: FieldLike, value: sa.ColumnElement[Any]) -> sa.ColumnElement[Any]:
    """Return a value (Any: of any type) of a JSON row as the column takes it: bytes travel as hexadecimal digits."""
    return func.unhex(value) if field.column_type().kind == "binary" else value


def _declared(column_type: ColumnType) -> str:
    if column_type.kind in _AS_TEXT:
        return f"LONGTEXT {COLLATION}"
    declared = str(sql_type(column_type, "mysql").compile(dialect=dialect("mysql")))
    return f"{declared} {COLLATION}" if declared.startswith("CHAR") else declared


@compiles(JSONTable)
def _compile(element: JSONTable, compiler: SQLCompiler, **options: Any) -> str:
    # Any: options of SQLAlchemy's own
    options.pop("asfrom", None)
    document = compiler.process(element.clauses, **options)
    return f"JSON_TABLE({document}, '$[*]' COLUMNS ({element.definitions}))"
