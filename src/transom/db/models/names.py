"""Names: of indexes and constraints, made where none is given and short enough for every database; and of classes."""

from __future__ import annotations

import re
from hashlib import sha256
from typing import Protocol

MAX_NAME_BYTES = 63  # PostgreSQL cuts what is longer, and would take two names for one


_PACKAGES = ("transom.db.models", "transom.db.postgres")


class Owner(Protocol):
    """A model's options, as far as names need them."""

    app_label: str
    model_name: str
    db_table: str


def import_path(cls: type) -> str:
    """Return the path under which migrations import a class: our own from the package, others from their module."""
    module = cls.__module__
    package = next((package for package in _PACKAGES if module.startswith(f"{package}.")), module)
    return f"{package}.{cls.__qualname__}"


def make_name(prefix: str, table: str, *parts: str) -> str:
    """Return `"ix_polls_choice_votes"` for an index on `votes`; a name that is too long ends with a digest of itself."""
    name = "_".join([prefix, table, *(re.sub(r"\W+", "_", part).strip("_") for part in parts if part)])
    encoded = name.encode()
    if len(encoded) <= MAX_NAME_BYTES:
        return name
    return f"{encoded[: MAX_NAME_BYTES - 9].decode(errors='ignore')}_{digest(name)}"


def digest(text: str) -> str:
    """Return eight digits that tell this text from others."""
    return sha256(text.encode()).hexdigest()[:8]


def fill_name(name: str, options: Owner) -> str:
    """Return a name given in `Meta`, with `%(app_label)s` and `%(class)s` filled in, which abstract models need.

    Raises:
        TypeError: it is too long.
    """
    filled = name % {"app_label": options.app_label, "class": options.model_name} if "%" in name else name
    if len(filled.encode()) > MAX_NAME_BYTES:
        raise TypeError(f"the name {filled!r} has more than {MAX_NAME_BYTES} bytes; choose a shorter one")
    return filled
