"""SQL that an application writes down itself, around operands that are ours."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import sqlalchemy as sa
from sqlalchemy.ext.compiler import compiles

from transom.db.exceptions import FieldError
from transom.db.sql.placeholders import PLACE, check_quotes
from transom.db.sql.types import parameter_type

if TYPE_CHECKING:
    from collections.abc import Sequence

    from transom.db.sql.metadata import Vendor
    from transom.db.sql.shapes import Pieces, TemplateOperand

    # Any: columns of every type
    Column = sa.ColumnElement[Any]


class Template(sa.ColumnElement[Any]):
    """Text with operands in it."""

    inherit_cache = False

    def __init__(self, pieces: Pieces, operands: Sequence[Column]) -> None:
        self.pieces = pieces
        self.operands = operands


def build_template(shape: TemplateOperand, operands: Sequence[Column], vendor: Vendor) -> Column:
    """Return the text with the operands in their places.

    Raises:
        FieldError: there is no text for this database, or an operand would stand within quotation marks.
    """
    found = [pieces for only, pieces in shape.template if only in (None, vendor)]
    if not found:
        known = ", ".join(str(only) for only, _ in shape.template)
        raise FieldError(
            f"{shape.owner} has no SQL for {vendor}, only for {known}; give it a template for that"
        )
    check_quotes("".join(piece if isinstance(piece, str) else PLACE for piece in found[0]), vendor)
    built = Template(found[0], operands)
    return built if shape.output is None else sa.type_coerce(built, parameter_type(shape.output, vendor))


@compiles(Template)
def write_template(template: Template, compiler: Any, **options: Any) -> str:
    """Write the SQL down. Any: a compiler, whose methods have no types, and what SQLAlchemy hands through."""
    written: list[str] = [
        compiler.escape_literal_column(piece)
        if isinstance(piece, str)
        else compiler.process(template.operands[piece].self_group(), **options)
        for piece in template.pieces
    ]
    return "".join(written)
