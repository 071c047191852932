"""An app that is included several times: its name means the instance of the current request, as in Django."""

import sys
import types

import pytest

from transom.web import App, path, render_string
from transom.web.urls import NoReverseMatch, URLconf, include, mount, reverse, websocket


async def view(request, **kwargs): ...
async def application(scope, receive, send): ...


POLLS = [path("", view, name="index"), path("<int:pk>/", view, name="detail")]


def make_urlconf(*namespaces):
    return URLconf(
        [path(f"{namespace}/", include((POLLS, "polls"), namespace=namespace)) for namespace in namespaces]
    )


@pytest.mark.parametrize(
    ("namespaces", "current", "expected"),
    [
        (["authors", "readers"], "authors", "/authors/"),
        (["authors", "readers"], "readers", "/readers/"),
        (["authors", "readers"], "", "/readers/"),  # the last
        (["authors", "readers"], "elsewhere", "/readers/"),
        (["authors", "polls", "readers"], "", "/polls/"),  # the default instance
        (["authors", "polls", "readers"], "authors", "/authors/"),
    ],
)
def test_the_name_of_an_app_means_one_instance(namespaces, current, expected):
    assert make_urlconf(*namespaces).reverse("polls:index", current_app=current) == expected


def test_the_full_name_of_an_instance_means_that_instance():
    urlconf = make_urlconf("authors", "readers")
    assert urlconf.reverse("authors:detail", 3, current_app="readers") == "/authors/3/"


def test_instances_nest():
    inner = [
        path("in/", include((POLLS, "polls"), namespace="one")),
        path("also/", include((POLLS, "polls"), namespace="two")),
    ]
    urlconf = URLconf(
        [path(f"{name}/", include((inner, "site"), namespace=name)) for name in ("left", "right")]
    )
    assert urlconf.reverse("site:polls:index", current_app="left:one") == "/left/in/"
    assert urlconf.reverse("site:polls:index", current_app="left") == "/left/also/"
    assert urlconf.reverse("site:polls:index") == "/right/also/"
    # Once the way leaves that of the request, what is further down it says nothing.
    assert urlconf.reverse("right:polls:index", current_app="left:one") == "/right/also/"


def test_a_namespace_without_an_app_is_only_itself():
    urlconf = URLconf(
        [path("a/", include(POLLS, namespace="a")), path("b/", include((POLLS, "polls"), namespace="b"))]
    )
    assert urlconf.reverse("a:index") == "/a/"
    assert urlconf.reverse("polls:index", current_app="a") == "/b/"
    with pytest.raises(NoReverseMatch, match="unknown URL name 'c:index'"):
        urlconf.reverse("c:index")


def test_a_module_says_its_app_name_and_include_the_instance(monkeypatch):
    module = types.ModuleType("polls_urls")
    module.urlpatterns, module.app_name = POLLS, "polls"
    monkeypatch.setitem(sys.modules, "polls_urls", module)
    urlconf = URLconf(
        [path("a/", include("polls_urls", namespace="authors")), path("p/", include("polls_urls"))]
    )
    match = urlconf.resolve("/a/", "GET")
    assert (match.app_name, match.namespace, match.url_name, match.name) == (
        "polls",
        "authors",
        "index",
        "authors:index",
    )
    assert urlconf.reverse("polls:index") == "/p/"
    assert urlconf.checks == []


def test_mounts_and_websockets_are_in_instances_too():
    routes = [websocket("live/", view, name="live"), mount("old/", application, name="old")]
    urlconf = URLconf(
        [
            path("a/", include((routes, "app"), namespace="a")),
            path("b/", include((routes, "app"), namespace="b")),
        ]
    )
    assert urlconf.reverse("app:live", current_app="a") == "/a/live/"
    assert urlconf.reverse("app:old") == "/b/old/"


# In a site.


async def show(request, **kwargs):
    explicit = reverse("polls:index", current_app="readers")
    return await render_string(request, "{{ url('polls:index') }} {{ url('readers:index') }} " + explicit)


async def test_pages_of_an_instance_lead_to_itself(http):
    routes = [path("", show, name="index")]
    app = App(
        [
            path(f"{name}/", include((routes, "polls"), namespace=name))
            for name in ("authors", "readers", "others")
        ],
        debug=True,
    )
    assert (await http(app, "/authors/")).text.split() == ["/authors/", "/readers/", "/readers/"]
    assert (await http(app, "/others/", root_path="")).text.split() == ["/others/", "/readers/", "/readers/"]
    assert app.reverse("polls:index") == "/others/"
