"""Names of tables and columns as names of Python, no two of them the same."""

from __future__ import annotations

import re
import unicodedata
from keyword import iskeyword, issoftkeyword
from typing import TYPE_CHECKING

from transom.db.models import Model

if TYPE_CHECKING:
    from collections.abc import Callable, Collection

RESERVED = frozenset(
    {"models", "pk", "objects", "Meta", *(name for name in dir(Model) if not name.startswith("_"))}
)
"""What a field must not be called: it would hide what models have, or the module that fields come from."""


def class_name(table: str, taken: Collection[str]) -> str:
    """Return `"BlogPost"` for `"blog_post"`; `taken` holds names in lower case."""
    words = re.split(r"[\W_]+", unicodedata.normalize("NFKC", table))
    name = "".join(word[:1].upper() + word[1:] for word in words)
    if not name.isidentifier() or iskeyword(name):
        name = f"Table{name}"
    return _distinct(name, lambda other: other.lower() in taken)


def field_name(column: str, taken: Collection[str]) -> str:
    """Return a name that a field can have, as near to the column's as may be."""
    name = re.sub(r"\W", "_", unicodedata.normalize("NFKC", column).lower())
    name = re.sub(r"__+", "_", name).strip("_") or "field"
    if not name.isidentifier():
        name = f"field_{name}"
    if iskeyword(name) or issoftkeyword(name) or name in RESERVED:
        name = f"{name}_field"
    return _distinct(name, lambda other: other in taken)


def reference_name(column: str, taken: Collection[str]) -> str:
    """Return the name of a foreign key: the column's without `_id`, such that neither it nor its `…_id` is taken."""
    short = field_name(re.sub(r"(?<=.)_id$", "", column, flags=re.IGNORECASE), ())
    return _distinct(short, lambda other: other in taken or f"{other}_id" in taken)


def _distinct(name: str, is_taken: Callable[[str], bool]) -> str:
    number, found = 1, name
    while is_taken(found):
        number += 1
        found = f"{name}_{number}" if name.islower() else f"{name}{number}"
    return found
