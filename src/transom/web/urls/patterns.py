"""The text of a route, taken apart: `"<int:year>/<slug:title>/"` into literals and parameters."""

from __future__ import annotations

import re
from dataclasses import dataclass
from functools import cached_property
from typing import TYPE_CHECKING, TypeAlias
from urllib.parse import quote

from transom.web.converters import get_converter

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

    from transom.web.converters import Converter

PARAMETER = re.compile(r"<(?:(?P<converter>[^<>:]*):)?(?P<name>[^<>:]*)>")
# RFC 3986 3.3: what a path segment holds as it is; `quote` knows the letters, digits and "-._~" itself.
SEGMENT_SAFE = "!$&'()*+,;=:@"


class PatternError(ValueError):
    """A route is written wrongly; the message says how."""


@dataclass(frozen=True, slots=True)
class Param:
    """One parameter: its name, and the converter by name and as object."""

    name: str
    converter_name: str
    converter: Converter


Piece: TypeAlias = "str | Param"


@dataclass(frozen=True)
class Pattern:
    """A parsed route: literal text and parameters in order, across all segments."""

    text: str
    pieces: tuple[Piece, ...]

    @cached_property
    def params(self) -> tuple[Param, ...]:
        """Return the parameters from left to right."""
        return tuple(piece for piece in self.pieces if isinstance(piece, Param))

    @cached_property
    def names(self) -> tuple[str, ...]:
        """Return the names of the parameters from left to right."""
        return tuple(param.name for param in self.params)

    @cached_property
    def segments(self) -> tuple[tuple[Piece, ...], ...]:
        """Return the pieces between the slashes; the empty segment is `("",)`."""
        segments: list[list[Piece]] = [[]]
        for piece in self.pieces:
            if isinstance(piece, Param):
                segments[-1].append(piece)
                continue
            first, *others = piece.split("/")
            segments[-1].append(first)
            segments.extend([other] for other in others)
        return tuple(_without_empty_text(segment) for segment in segments)

    def build(self, values: Mapping[str, object]) -> str:
        """Return the percent-encoded path, without a leading slash, for these values.

        Raises:
            ValueError: a value does not fit its converter.
        """
        return "".join(
            quote(piece, safe=SEGMENT_SAFE + "/")
            if isinstance(piece, str)
            else _build_param(piece, values[piece.name])
            for piece in self.pieces
        )


def parse_pattern(text: str) -> Pattern:
    """Take a route apart.

    Raises:
        PatternError: see the message.
    """
    if text.startswith("/"):
        raise PatternError(f"route {text!r} starts with a slash; leave it out, every route is below '/'")
    pieces: list[Piece] = []
    end = 0
    for match in PARAMETER.finditer(text):
        pieces += [_literal(text, text[end : match.start()]), _param(text, match)]
        end = match.end()
    pieces.append(_literal(text, text[end:]))
    pattern = Pattern(text, tuple(piece for piece in pieces if piece != ""))
    if len(set(pattern.names)) < len(pattern.names):
        raise PatternError(f"route {text!r} uses a parameter name twice")
    return pattern


def build_regex(pieces: Iterable[Piece]) -> re.Pattern[str]:
    """Return the expression for these pieces, with one group `p0`, `p1`, … for each parameter."""
    parts: list[str] = []
    count = 0
    for piece in pieces:
        if isinstance(piece, str):
            parts.append(re.escape(piece))
        else:
            parts.append(f"(?P<p{count}>{piece.converter.regex})")
            count += 1
    return re.compile("".join(parts))


def _literal(route: str, text: str) -> str:
    if "<" in text or ">" in text:
        raise PatternError(f"route {route!r} has an unpaired '<' or '>'; write a parameter as '<int:pk>'")
    if "?" in text or "#" in text:
        raise PatternError(
            f"route {route!r} has '?' or '#', but a path never contains them; read request.query"
        )
    return text


def _param(route: str, match: re.Match[str]) -> Param:
    name = match["name"]
    converter_name = "str" if match["converter"] is None else match["converter"]
    if not name.isidentifier():
        raise PatternError(f"route {route!r} has the parameter name {name!r}; use a Python identifier")
    try:
        return Param(name, converter_name, get_converter(converter_name))
    except LookupError as exc:
        raise PatternError(f"route {route!r}: {exc.args[0]}") from exc


def _build_param(param: Param, value: object) -> str:
    converter = param.converter
    text = converter.to_url(value)
    if re.fullmatch(converter.regex, text) is None:
        raise ValueError(f"{param.name}={value!r} is no {param.converter_name!r}")
    return quote(text, safe=SEGMENT_SAFE + "/" if converter.multi_segment else SEGMENT_SAFE)


def _without_empty_text(segment: list[Piece]) -> tuple[Piece, ...]:
    return tuple(piece for piece in segment if piece != "") or ("",)
