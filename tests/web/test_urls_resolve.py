import sys
import types

import pytest

from transom.conf import ImproperlyConfigured
from transom.web.urls import URLconf, include, mount, path, websocket


def make_view(name):
    async def view(request, **kwargs): ...

    view.__qualname__ = name
    return view


A, B, C, D = map(make_view, "ABCD")


async def application(scope, receive, send): ...


def found(urlconf, url, method="GET"):
    match = urlconf.resolve(url, method)
    return match and (match.view.__qualname__, match.kwargs)


def test_text_comes_before_parameters_whatever_the_order():
    urlconf = URLconf([path("<slug:s>/", A), path("new/", B)])
    assert found(urlconf, "/new/") == ("B", {})
    assert found(urlconf, "/old/") == ("A", {"s": "old"})


def test_str_comes_after_the_other_converters():
    urlconf = URLconf([path("<x>/", A), path("<int:x>/", B), path("v<int:x>/", C)])
    assert found(urlconf, "/7/") == ("B", {"x": 7})
    assert found(urlconf, "/v7/") == ("C", {"x": 7})
    assert found(urlconf, "/w7/") == ("A", {"x": "w7"})


def test_slug_comes_after_the_narrower_converters():
    urlconf = URLconf([path("<slug:x>/", A), path("<int:x>/", B)])
    assert found(urlconf, "/7/") == ("B", {"x": 7})
    assert found(urlconf, "/seven/") == ("A", {"x": "seven"})


def test_search_goes_back_when_a_branch_leads_nowhere():
    urlconf = URLconf([path("new/", A), path("<slug:s>/edit/", B), path("<int:n>/edit/x/", C)])
    assert found(urlconf, "/new/edit/") == ("B", {"s": "new"})
    assert found(urlconf, "/7/edit/") == ("B", {"s": "7"})
    assert found(urlconf, "/7/edit/x/") == ("C", {"n": 7})


def test_path_converter_never_shadows_a_longer_route():
    urlconf = URLconf([path("<path:p>", A), path("<slug:s>/edit", B), path("<path:p>/delete", C)])
    assert found(urlconf, "/x/edit") == ("B", {"s": "x"})
    assert found(urlconf, "/x/y/edit") == ("A", {"p": "x/y/edit"})
    assert found(urlconf, "/x/y/delete") == ("C", {"p": "x/y"})


def test_parameters_and_text_share_a_segment():
    urlconf = URLconf([path("<int:year>-<slug:name>.html", A)])
    assert found(urlconf, "/2024-a-b.html") == ("A", {"year": 2024, "name": "a-b"})
    assert found(urlconf, "/2024-a-bxhtml") is None


def test_routes_with_other_parameter_names_share_their_place():
    urlconf = URLconf([path("<int:pk>/", A), path("<int:id>/edit/", B)])
    assert urlconf.checks == []
    assert found(urlconf, "/3/edit/") == ("B", {"id": 3})


def test_the_trailing_slash_and_empty_segments_count():
    urlconf = URLconf([path("", A), path("polls/", B), path("about", C)])
    assert found(urlconf, "/") == ("A", {})
    for miss in ("/polls", "/about/", "//polls/", "/polls//", "//", ""):
        assert found(urlconf, miss) is None or miss == "", miss


def test_methods_tell_routes_apart():
    urlconf = URLconf([path("x/", A, methods=["GET"]), path("x/", B, methods=["post"])])
    assert urlconf.checks == []
    assert found(urlconf, "/x/", "GET") == ("A", {})
    assert found(urlconf, "/x/", "HEAD") == ("A", {})
    assert found(urlconf, "/x/", "POST") == ("B", {})
    assert found(urlconf, "/x/", "PUT") is None
    assert urlconf.allowed_methods("/x/") == {"GET", "HEAD", "POST"}
    assert urlconf.allowed_methods("/y/") == frozenset()


def test_a_method_is_looked_for_in_less_specific_routes_too():
    urlconf = URLconf([path("new/", A, methods=["GET"]), path("<slug:s>/", B, methods=["POST"])])
    assert found(urlconf, "/new/", "POST") == ("B", {"s": "new"})
    assert urlconf.allowed_methods("/new/") == {"GET", "HEAD", "POST"}


def test_methods_are_case_sensitive_in_requests():
    """RFC 9110 9.1."""
    assert found(URLconf([path("x/", A, methods=["GET"])]), "/x/", "get") is None


def test_include_prefixes_and_nests_namespaces():
    inner = [path("<int:pk>/", A, name="detail")]
    urls = [
        path("a/", include([path("b/", include(inner, namespace="polls"))], namespace="site")),
        path("flat/", include([path("x/", B, name="x")])),
    ]
    urlconf = URLconf(urls)
    match = urlconf.resolve("/a/b/5/", "GET")
    assert (match.name, match.namespace, match.route, match.kwargs) == (
        "site:polls:detail",
        "site:polls",
        "a/b/<int:pk>/",
        {"pk": 5},
    )
    assert urlconf.resolve("/flat/x/", "GET").name == "x"
    assert [(route.pattern, route.name) for route in urlconf.routes()] == [
        ("/a/b/<int:pk>/", "site:polls:detail"),
        ("/flat/x/", "x"),
    ]


@pytest.fixture
def make_module(monkeypatch):
    def make(name, **attributes):
        module = types.ModuleType(name)
        vars(module).update(attributes)
        monkeypatch.setitem(sys.modules, name, module)
        return module

    return make


def test_include_takes_modules_by_name_and_their_app_name(make_module):
    make_module("included_urls", urlpatterns=[path("", A, name="index")], app_name="polls")
    urlconf = URLconf([path("p/", include("included_urls"))])
    assert urlconf.resolve("/p/", "GET").name == "polls:index"


def test_a_urlconf_that_includes_itself_is_named(make_module):
    module = make_module("loop_urls")
    module.urlpatterns = [path("x/", include("loop_urls"))]
    with pytest.raises(ImproperlyConfigured, match="loop_urls -> loop_urls"):
        URLconf("loop_urls")


def test_a_module_without_urlpatterns_is_named(make_module):
    make_module("empty_urls")
    with pytest.raises(ImproperlyConfigured, match="'empty_urls' has no list urlpatterns"):
        URLconf("empty_urls")


def test_something_else_in_urlpatterns_is_shown():
    with pytest.raises(ImproperlyConfigured, match=r"urlpatterns holds <function A"):
        URLconf([A])


def test_websocket_routes_are_apart_from_http_ones():
    urlconf = URLconf([websocket("live/<int:pk>/", A), path("live/<int:pk>/", B)])
    assert urlconf.checks == []
    assert found(urlconf, "/live/1/") == ("B", {"pk": 1})
    assert urlconf.resolve_websocket("/live/1/").view is A
    assert urlconf.resolve_websocket("/live/x/") is None


def test_mount_takes_what_no_route_takes():
    urlconf = URLconf(
        [mount("", application), mount("old/", application), path("old/<path:p>", A), path("x/", B)]
    )
    assert urlconf.resolve("/old/thing", "PUT").route == "old/<path:p>"
    assert urlconf.resolve("/old/", "PUT").route == "old/"
    assert urlconf.resolve("/x/", "GET").route == "x/"
    assert urlconf.resolve("/y", "GET").route == ""
    assert urlconf.resolve_websocket("/old/y").route == "old/"


def test_search_stays_linear_in_the_tree_for_hostile_paths():
    """Every node is visited at most once: a path that fits many branches does not multiply the work."""
    urlconf = URLconf([path("/".join(["<x>"] * depth) + "/end", A) for depth in range(1, 40)])
    assert found(urlconf, "/" + "a/" * 39) is None
    assert found(urlconf, "/" + "a/" * 5000) is None
