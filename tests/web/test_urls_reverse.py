import contextvars
import uuid

import pytest

from transom.web import App, redirect, render_string
from transom.web.multidict import MultiDict
from transom.web.urls import NoReverseMatch, URLconf, include, mount, path, reverse, websocket


async def view(request, **kwargs): ...
async def application(scope, receive, send): ...


URLCONF = URLconf(
    [
        path("", view, name="index"),
        path("polls/", include([path("<int:pk>/", view, name="detail")], namespace="polls")),
        path("tag/<tag>/", view, name="tag"),
        path("files/<path:p>", view, name="file"),
        path("things/<uuid:key>", view, name="thing"),
        path("archive/", view, name="archive"),
        path("archive/<int:year>/", view, name="archive"),
        path("ärger/", view, name="umlaut"),
        websocket("live/<int:pk>/", view, name="live"),
        mount("old/", application, name="old"),
    ]
)


@pytest.mark.parametrize(
    ("name", "args", "kwargs", "expected"),
    [
        ("index", (), {}, "/"),
        ("polls:detail", (5,), {}, "/polls/5/"),
        ("polls:detail", (), {"pk": 5}, "/polls/5/"),
        ("tag", ("a b/ü?#%",), {}, None),
        ("tag", ("a b ü?#%",), {}, "/tag/a%20b%20%C3%BC%3F%23%25/"),
        ("file", ("a/b c",), {}, "/files/a/b%20c"),
        ("thing", (uuid.UUID(int=1),), {}, "/things/00000000-0000-0000-0000-000000000001"),
        ("archive", (), {}, "/archive/"),
        ("archive", (), {"year": 2024}, "/archive/2024/"),
        ("umlaut", (), {}, "/%C3%A4rger/"),
        ("live", (1,), {}, "/live/1/"),
        ("old", (), {}, "/old/"),
    ],
)
def test_reverse_builds_the_path(name, args, kwargs, expected):
    if expected is None:
        with pytest.raises(NoReverseMatch):
            URLCONF.reverse(name, *args, **kwargs)
    else:
        assert URLCONF.reverse(name, *args, **kwargs) == expected


@pytest.mark.parametrize(
    ("name", "args", "kwargs", "message"),
    [
        ("indx", (), {}, "did you mean 'index'"),
        ("detail", (), {}, "'polls:detail'"),
        ("zzz", (), {}, "choose from archive, "),
        ("polls:detail", (), {}, r"missing pk \(takes pk\)"),
        ("polls:detail", (), {"pk": 1, "x": 2}, "unexpected x"),
        ("polls:detail", (1, 2), {}, "takes 1 parameters"),
        ("polls:detail", ("x",), {}, "pk='x' is no 'int'"),
        ("polls:detail", (-1,), {}, "pk=-1 is no 'int'"),
        ("polls:detail", (1,), {"pk": 1}, "positional and named"),
        ("file", ("",), {}, "is no 'path'"),
    ],
)
def test_reverse_says_what_is_wrong(name, args, kwargs, message):
    with pytest.raises(NoReverseMatch, match=message):
        URLCONF.reverse(name, *args, **kwargs)


def test_every_reversed_path_resolves_to_its_route():
    for name, kwargs in [("polls:detail", {"pk": 3}), ("tag", {"tag": "x y"}), ("file", {"p": "a/b"})]:
        from urllib.parse import unquote

        match = URLCONF.resolve(unquote(URLCONF.reverse(name, **kwargs)), "GET")
        assert (match.name, match.kwargs) == (name, kwargs)


def test_reverse_without_an_application_says_so():
    with pytest.raises(LookupError, match="make an App first"):
        contextvars.Context().run(reverse, "index")


def test_a_parameter_may_be_called_name():
    urlconf = URLconf([path("<name>/", view, name="person")])
    assert urlconf.reverse("person", name="x") == "/x/"


@pytest.mark.parametrize(
    ("query", "fragment", "suffix"),
    [
        (None, None, ""),
        ({}, None, ""),
        ({"page": 2}, None, "?page=2"),
        ({"tag": ["a b", "ä&"], "x": "1"}, None, "?tag=a+b&tag=%C3%A4%26&x=1"),
        ([("b", 1), ("a", 2), ("b", 3)], None, "?b=1&a=2&b=3"),
        (MultiDict([("b", "1"), ("a", "2"), ("b", "3")]), None, "?b=1&a=2&b=3"),
        ({"tag": []}, None, ""),
        (None, "top", "#top"),
        (None, "", "#"),
        ({"page": 2}, "ä b?/#", "?page=2#%C3%A4%20b?/%23"),
    ],
)
def test_reverse_adds_query_and_fragment(query, fragment, suffix):
    assert URLCONF.reverse("polls:detail", 5, query=query, fragment=fragment) == "/polls/5/" + suffix


def test_a_query_without_a_value_is_refused():
    with pytest.raises(TypeError, match="query parameter 'page' is None; leave it out"):
        URLCONF.reverse("index", query={"page": None})


def test_a_parameter_that_reverse_takes_for_itself_is_a_warning():
    urlconf = URLconf([path("<query>/", view, name="search")])
    (found,) = urlconf.checks
    assert (found.id, "'query'" in found.msg) == ("web.W012", True)
    assert urlconf.reverse("search", "tea") == "/tea/"


async def test_templates_and_redirects_have_query_and_fragment_too(http):
    async def page(request):
        return await render_string(request, "{{ url('page', query={'page': 2}, fragment='top') }}")

    async def move(request):
        return redirect("page", query={"page": 2}, fragment="top")

    app = App([path("page/", page, name="page"), path("move/", move)], debug=True)
    assert (await http(app, "/page/")).text == "/page/?page=2#top"
    assert (await http(app, "/move/")).get("location") == "/page/?page=2#top"
    assert app.reverse("page", query={"a": 1}) == "/page/?a=1"
