"""SQL that an application writes down itself, around operands that are ours."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import sqlalchemy as sa
from sqlalchemy.ext.compiler import compiles

from transom.db.sql.types import parameter_type

if TYPE_CHECKING:
    from collections.abc import Sequence

    from transom.db.sql.metadata import Vendor
    from transom.db.sql.shapes import TemplateOperand

    # Any: columns of every type
    Column = sa.ColumnElement[Any]


class Template(sa.ColumnElement[Any]):
    """Pieces of text with operands between them."""

    inherit_cache = False

    def __init__(self, pieces: Sequence[str], operands: Sequence[Column]) -> None:
        self.pieces = pieces
        self.operands = operands


def build_template(shape: TemplateOperand, operands: Sequence[Column], vendor: Vendor) -> Column:
    """Return the text with the operands in the places of its `{}`."""
    built = Template(shape.template.split("{}"), operands)
    return sa.type_coerce(built, parameter_type(shape.output, vendor))


@compiles(Template)
def write_template(template: Template, compiler: Any, **options: Any) -> str:
    """Write the SQL down. Any: a compiler, whose methods have no types, and what SQLAlchemy hands through."""
    written: list[str] = [compiler.escape_literal_column(piece) for piece in template.pieces]
    text = written[0]
    for operand, piece in zip(template.operands, written[1:], strict=True):
        text += compiler.process(operand.self_group(), **options) + piece
    return text
