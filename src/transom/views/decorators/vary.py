"""Which fields of a request a response depends on: caches keep one response for each of their values.

Source: RFC 9110 section 12.5.5.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, ParamSpec

from transom.views.decorators.base import DecoratedView, View, changing

if TYPE_CHECKING:
    from collections.abc import Callable

P = ParamSpec("P")


def vary_on_headers(*names: str) -> Callable[[View[P]], DecoratedView[P]]:
    """Add names of request fields to `vary`: `@vary_on_headers("accept-language")`.

    Raises:
        TypeError: there is no name, or the view stands where names do.
    """
    if not names or not all(isinstance(name, str) for name in names):  # pyright: ignore[reportUnnecessaryIsInstance]
        raise TypeError('vary_on_headers takes names of fields, as in @vary_on_headers("accept-language")')
    return lambda view: changing(view, lambda response: response.headers.add_vary(*names))


def vary_on_cookie(view: View[P], /) -> DecoratedView[P]:
    """Add `cookie` to `vary`."""
    return changing(view, lambda response: response.headers.add_vary("cookie"))
