import contextvars
import uuid

import pytest

from transom.web.urls import NoReverseMatch, URLconf, include, mount, path, reverse, websocket


async def view(request, **kwargs): ...


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
        mount("old/", view, name="old"),
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
