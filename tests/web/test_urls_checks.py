import functools

import pytest

from transom.web.urls import URLconf, include, mount, path, websocket


async def view(request, **kwargs): ...
async def detail(request, pk): ...
def blocking(request): ...
async def application(scope, receive, send): ...


class ClassView:
    async def __call__(self, request): ...


def ids(*urls):
    return [message.id for message in URLconf(list(urls)).checks]


@pytest.mark.parametrize(
    ("route", "message"),
    [
        ("/polls/", "starts with a slash"),
        ("<int:pk/", "unpaired"),
        ("<int:p-k>/", "Python identifier"),
        ("<int:a>/<a>/", "uses a parameter name twice"),
        ("x?y=1", "a path never contains them"),
        ("<nope:x>", "unknown converter 'nope'"),
    ],
)
def test_a_malformed_route_is_explained(route, message):
    (found,) = URLconf([path(route, view)]).checks
    assert found.id == "web.E001"
    assert message in found.msg


def test_a_plain_view_is_refused_with_the_ways_to_fix_it():
    (found,) = URLconf([path("x/", blocking)]).checks
    assert found.id == "web.E004"
    assert "blocking of route 'x/' is not async" in found.msg
    assert "async def" in found.hint
    assert "@threaded" in found.hint


def test_async_views_come_in_several_forms():
    assert ids(path("a", view), path("b", ClassView()), path("c", functools.partial(view, x=1))) == []
    assert ids(path("d", ClassView)) == ["web.E004"]


def test_a_view_that_does_not_take_the_parameters_is_refused():
    assert ids(path("<int:pk>/", detail)) == []
    (found,) = URLconf([path("<int:id>/", detail)]).checks
    assert found.id == "web.E005"
    assert "pk" in found.msg


def test_a_hidden_route_is_reported():
    assert ids(path("<int:a>/", view), path("<int:b>/", view)) == ["web.E007"]
    assert ids(path("x/", view, methods=["GET"]), path("x/", view, methods=["HEAD"])) == ["web.E007"]
    assert ids(path("x/", view, methods=["GET"]), path("x/", view)) == []
    assert ids(websocket("x/", view), path("x/", view)) == []


def test_names_that_reverse_cannot_tell_apart_are_reported():
    assert ids(path("a/", view, name="x"), path("b/", view, name="x")) == ["web.E006"]
    assert ids(path("a/", view, name="x"), path("a/<int:pk>/", view, name="x")) == []
    same_route = [path("a/", view, name="x", methods=[method]) for method in ("GET", "POST")]
    assert ids(*same_route) == []
    assert (
        ids(path("p/", include([path("a/", view, name="x")], namespace="p")), path("b/", view, name="x"))
        == []
    )


def test_mounts_and_names_have_their_forms():
    assert ids(mount("old", application)) == ["web.E003"]
    assert ids(mount("<x>/", application)) == ["web.E003"]
    assert ids(path("x", view, name="a:b")) == ["web.E002"]
    assert ids(path("<path:a>/x/<path:b>", view)) == ["web.W010"]


def test_misuse_is_refused_where_it_is_written():
    with pytest.raises(TypeError, match="give a list"):
        path("x", view, methods="GET")
    with pytest.raises(TypeError, match="takes no name or methods"):
        path("x/", include([]), name="x")
