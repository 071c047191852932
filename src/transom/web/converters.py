"""Converters: the typed parts of a route, such as the `int` of `<int:pk>`."""

from __future__ import annotations

import uuid
from difflib import get_close_matches
from typing import Any


class Converter:
    """Turn one captured part of a path into a value, and a value back into the part.

    Subclass it, override what differs, and give it a name with `register_converter`. One instance serves all routes.

    Attributes:
        regex: what the part looks like; it is matched whole and holds no named groups.
        multi_segment: whether the part may contain a slash; such a converter takes the rest of the path.
    """

    regex: str = "[^/]+"
    multi_segment: bool = False

    # Any: each converter has its own type of value, which the view's annotation names.
    def to_python(self, value: str) -> Any:
        """Return the value for the view.

        Raises:
            ValueError: the part is none of ours after all; the URLconf goes on to the next route.
        """
        return value

    def to_url(self, value: Any) -> str:
        """Return the text for a URL, not yet percent-encoded; it has to match `regex`."""
        return str(value)


class StrConverter(Converter):
    """Any text without a slash."""


class IntConverter(Converter):
    """A number of ASCII digits, zero or more, without a sign."""

    regex = "[0-9]+"

    def to_python(self, value: str) -> int:
        """Return the number; more digits than Python converts (4300) are no number here."""
        return int(value)


class SlugConverter(Converter):
    """ASCII letters, digits, hyphens and underscores."""

    regex = "[-a-zA-Z0-9_]+"


class UUIDConverter(Converter):
    """A UUID in its canonical form: lower case, with hyphens."""

    regex = "[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}"

    def to_python(self, value: str) -> uuid.UUID:
        """Return the UUID."""
        return uuid.UUID(value)


class PathConverter(Converter):
    """The rest of the path: any text, slashes included, but not empty."""

    regex = ".+"
    multi_segment = True


_converters: dict[str, Converter] = {
    "str": StrConverter(),
    "int": IntConverter(),
    "slug": SlugConverter(),
    "uuid": UUIDConverter(),
    "path": PathConverter(),
}


def register_converter(converter: type[Converter], name: str) -> None:
    """Make `<name:parameter>` available to routes that are compiled from now on.

    Raises:
        ValueError: the name is taken by another converter; two meanings of one route would depend on import order.
    """
    taken = _converters.get(name)
    if taken is not None and type(taken) is not converter:
        raise ValueError(f"converter {name!r} is already {type(taken).__qualname__}; choose another name")
    _converters[name] = converter()


def get_converter(name: str) -> Converter:
    """Return the converter of this name.

    Raises:
        LookupError: there is none; the message names those there are.
    """
    try:
        return _converters[name]
    except KeyError:
        close = get_close_matches(name, _converters, n=1)
        hint = f"did you mean {close[0]!r}?" if close else f"choose from {', '.join(_converters)}"
        raise LookupError(f"unknown converter {name!r}; {hint}") from None
