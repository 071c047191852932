"""The text of a host, taken apart: `"<slug:tenant>.example.com"` into labels and parameters."""

from __future__ import annotations

from functools import lru_cache
from typing import TYPE_CHECKING, Any

from transom.web.hosts import split_host
from transom.web.urls.patterns import PatternError, build_regex, parse_pattern

if TYPE_CHECKING:
    from collections.abc import Mapping

    from transom.web.urls.patterns import Pattern

WILDCARD = "*."


class HostPattern:
    """One host, or a family of hosts.

    Attributes:
        text: as declared.
        names: the names of its parameters.
        suffix: the text behind the last parameter or wildcard; the whole text where there is none.

    Raises:
        PatternError: the text is no host.
    """

    def __init__(self, text: str) -> None:
        rest = text.removeprefix(WILDCARD)
        # A label of a host is what a segment is of a path: the same parameters, the same rules.
        pattern = parse_pattern(rest.replace(".", "/"))
        _check(text, pattern)
        self.text = text
        self.names = pattern.names
        self.suffix = rest.rpartition(">")[2]
        self._is_wildcard = rest != text
        self._params = pattern.params
        self._labels = pattern.segments
        self._regexes = [build_regex(label).fullmatch for label in self._labels]

    @property
    def is_text(self) -> bool:
        """Whether it is one host."""
        return not self.names and not self._is_wildcard

    def match(self, host: str) -> dict[str, Any] | None:  # Any: each converter has its own type of value
        """Return the parameters of a host, given in lower case; None where it is another.

        A wildcard stands for one label or more, a parameter for one label or a part of one.
        """
        labels = host.split(".")
        extra = len(labels) - len(self._labels)
        if extra < 0 or (extra > 0) != self._is_wildcard:
            return None
        texts: list[str] = []
        for regex, label in zip(self._regexes, labels[extra:], strict=True):
            found = regex(label)
            if found is None:
                return None
            texts += found.groupdict().values()
        try:
            return {p.name: p.converter.to_python(text) for p, text in zip(self._params, texts, strict=True)}
        except ValueError:  # the converter's way to say no
            return None

    def build(self, values: Mapping[str, object]) -> str:
        """Return the host for these values.

        Raises:
            ValueError: a value is no part of a host or does not fit its converter; or a wildcard leaves the host open.
        """
        if self._is_wildcard:
            raise ValueError(f"host {self.text!r} stands for many; name the subdomain, as in '<slug:name>.'")
        texts = {param.name: param.converter.to_url(values[param.name]) for param in self._params}
        host = ".".join(
            "".join(piece if isinstance(piece, str) else texts[piece.name] for piece in label)
            for label in self._labels
        )
        if split_host(host) != (host, None) or self.match(host) is None:
            raise ValueError(f"{host!r} is no host like {self.text!r}")
        return host


@lru_cache(maxsize=1024)  # the routes of a host share it
def parse_host(text: str) -> HostPattern:
    """Take the text of a host apart.

    Raises:
        PatternError: it is no host.
    """
    return HostPattern(text)


def _check(text: str, pattern: Pattern) -> None:
    literal = "".join(piece if isinstance(piece, str) else "x" for piece in pattern.pieces).replace("/", ".")
    if "/" in text or split_host(literal) != (literal, None):
        raise PatternError(
            f"host {text!r} is no host name; write it in lower case and without a port: 'api.example.com', "
            "'<slug:tenant>.example.com' or '*.example.com'"
        )
    if any(param.converter.multi_segment for param in pattern.params):
        raise PatternError(f"host {text!r} has a parameter that spans dots; begin it with '*.' instead")
