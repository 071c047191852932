"""What people read for a model and for an object."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from transom.db import models

MAX_LENGTH = 100


def capitalize(words: str) -> str:
    """Return the words with a capital at the start, the others as they are."""
    return words[:1].upper() + words[1:]


def name_row(row: models.Model) -> str:
    """Return the text of an object, shortened to fit a heading."""
    text = str(row).strip() or f"{row.pk}"
    return text if len(text) <= MAX_LENGTH else f"{text[: MAX_LENGTH - 1]}…"


def describe_row(row: models.Model) -> str:
    """Return an object as the subject of a sentence: `The question “Tabs or spaces?”`."""
    return f"The {row._meta.verbose_name} “{name_row(row)}”"


def model_values(model: type[models.Model]) -> dict[str, Any]:  # Any: a template shows whatever it is handed
    """Return what every page about a model shows of it."""
    meta = model._meta
    return {
        "model": model,
        "singular": meta.verbose_name,
        "plural": meta.verbose_name_plural,
        "heading": capitalize(meta.verbose_name_plural),
    }
