"""The field `sec-websocket-extensions`: what a client offers, in its order of preference.

Source: RFC 6455 section 9.1.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import TYPE_CHECKING

from transom.server.websocket.exceptions import HandshakeError

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

_TOKEN = rb"[!#$%&'*+\-.^_`|~0-9A-Za-z]+"
# RFC 6455 9.1: a quoted value must be a token once the quotes are off.
_PARAMETER = re.compile(rb"[ \t]*;[ \t]*(%b)(?:[ \t]*=[ \t]*(?:(%b)|\"(%b)\"))?" % (_TOKEN, _TOKEN, _TOKEN))
_NAME = re.compile(rb"[ \t]*(%b)" % _TOKEN)
_COMMA = re.compile(rb"[ \t]*(?:,|$)")
_EMPTY = re.compile(rb"[ \t,]*")


@dataclass(frozen=True, slots=True)
class Offer:
    """One extension with its parameters in order; a parameter without a value has None, and names may be repeated."""

    name: str
    parameters: tuple[tuple[str, str | None], ...] = ()


def parse_extensions(values: Iterable[bytes]) -> tuple[Offer, ...]:
    """Return the offers of all field lines, in order.

    Raises:
        HandshakeError: a value does not follow the grammar; the connection must then be failed.
    """
    return tuple(offer for value in values for offer in _iter_offers(value))


def _iter_offers(value: bytes) -> Iterator[Offer]:
    position = _skip(_EMPTY, value, 0)
    while position < len(value):
        name = _NAME.match(value, position)
        if name is None:
            raise _malformed(value)
        position = name.end()
        parameters: list[tuple[str, str | None]] = []
        while parameter := _PARAMETER.match(value, position):
            key, token, quoted = (
                None if part is None else part.decode("ascii") for part in parameter.groups()
            )
            parameters.append((str(key), token or quoted))
            position = parameter.end()
        yield Offer(name[1].decode("ascii"), tuple(parameters))
        position = _skip(_EMPTY, value, _skip(_COMMA, value, position))


def _skip(pattern: re.Pattern[bytes], value: bytes, position: int) -> int:
    found = pattern.match(value, position)
    if found is None:
        raise _malformed(value)
    return found.end()


def _malformed(value: bytes) -> HandshakeError:
    return HandshakeError(f"sec-websocket-extensions {value[:200]!r} is malformed (RFC 6455 section 9.1)")
