"""Types of parameters: what a view says of them, and what a converter gives."""

from __future__ import annotations

from functools import partial
from types import UnionType
from typing import TYPE_CHECKING, Annotated, Any, NewType, Union, get_args, get_origin, get_type_hints

from transom.web.converters import Converter

if TYPE_CHECKING:
    from collections.abc import Callable

# PEP 484, "The numeric tower": an int will do where a float is asked for.
WIDER = {int: (float, complex), float: (complex,)}


def find_annotations(view: Callable[..., object]) -> dict[str, Any]:  # Any: an annotation may be anything
    """Return the annotations of a view by parameter; none where names in them cannot be found at run time."""
    while isinstance(view, partial):
        view = view.func
    function = view if hasattr(view, "__code__") else type(view).__call__
    try:
        return get_type_hints(function)
    except Exception:  # whatever evaluating somebody's annotation raises; a type checker will say it better
        return {}


def result_type(converter: Converter) -> Any:  # Any: as above
    """Return what a converter gives, as it says itself."""
    method = type(converter).to_python
    if method is Converter.to_python:
        return str
    try:
        return get_type_hints(method).get("return", Any)
    except Exception:  # as above
        return Any


def accepts(annotation: Any, given: Any) -> bool:  # Any: as above
    """Tell whether a value of one type may go where another is asked for; unless that is certain to be wrong, it may."""
    if annotation is Any or given is Any:  # a class as well, in some versions of Python
        return True
    if isinstance(annotation, NewType):
        return accepts(annotation.__supertype__, given)
    origin = get_origin(annotation)
    if origin is Annotated:
        return accepts(get_args(annotation)[0], given)
    if origin in (Union, UnionType):
        return any(accepts(each, given) for each in get_args(annotation))
    if not isinstance(annotation, type) or not isinstance(given, type) or origin is not None:
        return True
    return issubclass(given, annotation) or annotation in WIDER.get(given, ())
