"""How arguments and returned values travel: as JSON, and only such as come back as they were."""

from __future__ import annotations

from typing import Any

import msgspec

__all__ = ["decode", "encode"]


def encode(value: object, what: str) -> bytes:
    """Return a value as JSON.

    Args:
        value: the value.
        what: names it in the error, as in `argument 'pk'`.

    Raises:
        TypeError: it would come back changed or not at all.
    """
    advice = "use str, int, float, bool, None, lists, and dicts with string keys; pass the primary key of a model instance"
    try:
        content = msgspec.json.encode(value)
        returned = msgspec.json.decode(content)
    except (TypeError, ValueError, RecursionError) as exc:
        raise TypeError(f"{what} of type {type(value).__name__} has no JSON ({exc}); {advice}") from exc
    if returned != value:
        raise TypeError(
            f"{what} of type {type(value).__name__} would come back from JSON changed, as {type(returned).__name__}; {advice}"
        )
    return content


def decode(content: bytes) -> Any:  # Any: whatever was encoded
    """Return a new copy of the value that `encode` was given."""
    return msgspec.json.decode(content)
