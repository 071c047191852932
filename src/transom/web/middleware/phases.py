"""Where a layer belongs, from the outermost to the innermost."""

from __future__ import annotations

from enum import IntEnum
from typing import TYPE_CHECKING, TypeVar

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Sequence

    from transom.web.middleware.base import Middleware

L = TypeVar("L")


class Phase(IntEnum):
    """What a layer is for, in the order in which layers stand around the view.

    Attributes:
        OBSERVE: sees all that others do, their refusals too: request ids, timing.
        ANSWER: changes every response, error pages too: headers, compression.
        GUARD: says who may ask at all: hosts, https, CORS, rate limits, CSRF.
        SESSION: remembers visitors.
        USER: knows who they are.
        SITE: a site's own; it may stand anywhere.
    """

    OBSERVE = 1
    ANSWER = 2
    GUARD = 3
    SESSION = 4
    USER = 5
    SITE = 6


def in_phase(phase: Phase) -> Callable[[L], L]:
    """Return a decorator that says where a layer belongs; the check at start-up then finds it where it does not."""

    def mark(layer: L) -> L:
        layer.__dict__["phase"] = phase
        return layer

    return mark


def phase_of(layer: object) -> Phase:
    """Return where a layer belongs."""
    return getattr(layer, "phase", Phase.SITE)


def find_misplaced(layers: Sequence[Middleware]) -> Iterator[tuple[Middleware, Middleware]]:
    """Yield each layer that stands inside one it belongs outside of, and that one."""
    placed: list[Middleware] = [layer for layer in layers if phase_of(layer) is not Phase.SITE]
    for number, layer in enumerate(placed):
        outside = next((other for other in placed[:number] if phase_of(other) > phase_of(layer)), None)
        if outside is not None:
            yield layer, outside
