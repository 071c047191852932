"""What a view says of its parameters against what the converters give."""

import functools
import uuid
from typing import Annotated, Any, Literal, NewType, Optional, Union

import pytest

from transom.views import View
from transom.web import Converter, register_converter, threaded
from transom.web.urls import URLconf, path

PollId = NewType("PollId", int)


class TypedConverter(Converter):
    regex = "[0-9]+"

    def to_python(self, value: str) -> float:
        return float(value)


class UntypedConverter(Converter):
    def to_python(self, value):
        return object()


register_converter(TypedConverter, "typed")
register_converter(UntypedConverter, "untyped")


def check(route, annotation):
    async def view(request, x): ...

    view.__annotations__["x"] = annotation
    return [message.id for message in URLconf([path(route, view)]).checks]


@pytest.mark.parametrize(
    ("route", "annotation"),
    [
        ("<int:x>/", int),
        ("<int:x>/", "int"),
        ("<int:x>/", int | None),
        ("<int:x>/", Optional[int]),  # noqa: UP045
        ("<int:x>/", Union[str, int]),  # noqa: UP007
        ("<int:x>/", float),
        ("<int:x>/", object),
        ("<int:x>/", Any),
        ("<int:x>/", PollId),
        ("<int:x>/", Annotated[int, "positive"]),
        ("<int:x>/", "NotImportedHere"),
        ("<x>/", str),
        ("<x>/", Literal["a", "b"]),
        ("<slug:x>/", str),
        ("<path:x>", str),
        ("<uuid:x>/", uuid.UUID),
        ("<typed:x>/", float),
        ("<untyped:x>/", int),
    ],
)
def test_annotations_that_fit_are_no_finding(route, annotation):
    assert check(route, annotation) == []


@pytest.mark.parametrize(
    ("route", "annotation"),
    [
        ("<int:x>/", str),
        ("<int:x>/", "str"),
        ("<int:x>/", str | None),
        ("<x>/", int),
        ("<slug:x>/", uuid.UUID),
        ("<path:x>", bytes),
        ("<uuid:x>/", str),
        ("<typed:x>/", int),
        ("<int:x>/", Annotated[str, "of digits"]),
    ],
)
def test_annotations_that_cannot_be_right_are_an_error(route, annotation):
    assert check(route, annotation) == ["web.E018"]


def test_the_message_names_both_types():
    async def detail(request, pk: str): ...

    (found,) = URLconf([path("polls/<int:pk>/", detail)]).checks
    assert "detail takes pk as str, but <int:pk> of route 'polls/<int:pk>/' gives int" in found.msg


def test_all_kinds_of_views_are_looked_at():
    class Callable:
        async def __call__(self, request, pk: str): ...

    class Page(View):
        async def get(self, request, **kwargs: Any): ...

    @threaded
    def blocking(request, pk: str): ...

    async def partial(request, site, pk: str): ...

    views = [Callable(), blocking, functools.partial(partial, site=1), Page.as_view()]
    checks = [[message.id for message in URLconf([path("<int:pk>/", view)]).checks] for view in views]
    assert checks == [["web.E018"], ["web.E018"], ["web.E018"], []]
