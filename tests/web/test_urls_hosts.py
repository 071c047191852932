"""Routes of hosts: which host and which order, what their views get, and addresses that lead from one to another."""

import pytest

from transom.conf import ImproperlyConfigured
from transom.web import App, JSONResponse, path, render_string, websocket
from transom.web.urls import NoReverseMatch, URLconf, host, include


def make_view(name):
    async def view(request, **kwargs): ...

    view.__qualname__ = name
    return view


A, B, C, D = map(make_view, "ABCD")


def found(urlconf, url, host="", method="GET"):
    match = urlconf.resolve(url, method, host)
    return match and (match.view.__qualname__, match.kwargs)


# Which host.


def test_routes_of_a_host_come_before_those_of_every_host():
    urlconf = URLconf([path("", A), host("api.example.com", include([path("", B)]))])
    assert found(urlconf, "/", "api.example.com") == ("B", {})
    assert found(urlconf, "/", "example.com") == ("A", {})
    assert found(urlconf, "/", "api.example.com.evil.org") == ("A", {})
    assert found(urlconf, "/") == ("A", {})


def test_what_a_host_has_no_route_for_is_left_to_the_others():
    urlconf = URLconf([host("api.example.com", include([path("x/", B)])), path("static/<path:p>", A)])
    assert found(urlconf, "/static/a.css", "api.example.com") == ("A", {"p": "a.css"})
    assert found(urlconf, "/x/", "example.com") is None


def test_parameters_of_a_host_reach_the_view_converted():
    urlconf = URLconf([host("<slug:tenant>.<int:shard>.example.com", include([path("<int:pk>/", A)]))])
    assert found(urlconf, "/7/", "acme.3.example.com") == ("A", {"tenant": "acme", "shard": 3, "pk": 7})
    assert found(urlconf, "/7/", "acme.x.example.com") is None
    assert found(urlconf, "/7/", "3.example.com") is None


def test_a_parameter_is_one_label_or_a_part_of_one():
    urlconf = URLconf(
        [host("<tenant>.example.com", include([path("", A)])), host("v<int:v>.test", include([path("", B)]))]
    )
    assert found(urlconf, "/", "a.example.com") == ("A", {"tenant": "a"})
    assert found(urlconf, "/", "a.b.example.com") is None
    assert found(urlconf, "/", "v2.test") == ("B", {"v": 2})


def test_a_wildcard_is_any_subdomain_but_not_the_domain():
    urlconf = URLconf([host("*.example.com", include([path("", A)]))])
    assert found(urlconf, "/", "a.example.com") == ("A", {})
    assert found(urlconf, "/", "a.b.example.com") == ("A", {})
    assert found(urlconf, "/", "example.com") is None
    assert found(urlconf, "/", "aexample.com") is None


def test_plain_hosts_come_first_and_the_others_as_declared():
    families = [
        host("<slug:t>.example.com", include([path("", A)])),
        host("*.example.com", include([path("", B), path("b/", B)])),
    ]
    urlconf = URLconf([*families, host("www.example.com", include([path("", C)])), path("d/", D)])
    assert found(urlconf, "/", "www.example.com") == ("C", {})
    assert found(urlconf, "/", "acme.example.com") == ("A", {"t": "acme"})
    assert found(urlconf, "/b/", "www.example.com") == ("B", {})
    assert found(urlconf, "/d/", "www.example.com") == ("D", {})


def test_methods_are_those_of_all_routes_that_the_host_may_reach():
    urlconf = URLconf(
        [host("a.test", include([path("x/", A, methods=["GET"])])), path("x/", B, methods=["POST"])]
    )
    assert urlconf.allowed_methods("/x/", "a.test") == {"GET", "HEAD", "POST"}
    assert urlconf.allowed_methods("/x/", "b.test") == {"POST"}
    assert found(urlconf, "/x/", "a.test", "POST") == ("B", {})
    assert urlconf.allowed_methods("/y/", "a.test") == frozenset()


def test_websocket_routes_have_hosts_too():
    urlconf = URLconf([host("<slug:t>.test", include([websocket("live/", A)]))])
    assert urlconf.resolve_websocket("/live/", "a.test").kwargs == {"t": "a"}
    assert urlconf.resolve_websocket("/live/", "test") is None


def test_a_host_keeps_prefixes_and_namespaces_of_the_includes_around_it():
    inner = include([host("a.test", include([path("y/", A, name="y")], namespace="in"))], namespace="out")
    (info,) = URLconf([path("x/", inner)]).routes()
    assert (info.host, info.pattern, info.name) == ("a.test", "/x/y/", "out:in:y")


# Mistakes.


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("API.example.com", "in lower case"),
        ("example.com:8000", "without a port"),
        ("https://example.com", "no host name"),
        ("*", "no host name"),
        ("a.*.com", "no host name"),
        ("<path:t>.example.com", "begin it with '*.'"),
        ("<nope:t>.example.com", "unknown converter 'nope'"),
        ("<slug:t.example.com", "unpaired"),
    ],
)
def test_a_malformed_host_is_explained(text, message):
    (found,) = URLconf([host(text, include([path("x/", A)]))]).checks
    assert found.id == "web.E001"
    assert message in found.msg


def test_a_parameter_name_is_not_used_twice():
    (found,) = URLconf([host("<slug:t>.test", include([path("<t>/", A)]))]).checks
    assert (found.id, "of its host '<slug:t>.test' again" in found.msg) == ("web.E001", True)


def test_the_view_must_take_the_parameters_of_the_host():
    async def view(request, pk): ...

    (found,) = URLconf([host("<slug:tenant>.test", include([path("<int:pk>/", view)]))]).checks
    assert (found.id, "tenant" in found.msg) == ("web.E005", True)


def test_hosts_do_not_nest():
    with pytest.raises(ImproperlyConfigured, match="a request has one host"):
        URLconf([host("a.test", include([host("b.test", include([]))]))])
    with pytest.raises(TypeError, match="write them as one"):
        host("a.test", host("b.test", include([])))
    with pytest.raises(TypeError, match="names no host"):
        host("", include([]))
    with pytest.raises(TypeError, match=r"give it include\(\[\.\.\.\]\)"):
        host("a.test", [path("", A)])


def test_equal_paths_on_other_hosts_are_no_conflict_but_equal_names_are():
    urls = [host("a.test", include([path("x/", A)])), host("b.test", include([path("x/", B)])), path("x/", C)]
    assert URLconf(urls).checks == []
    named = [host(text, include([path("x/", A, name="x")])) for text in ("a.test", "b.test")]
    (found,) = URLconf(named).checks
    assert (found.id, "'a.test/x/' and 'b.test/x/'" in found.msg) == ("web.E006", True)


@pytest.mark.parametrize(
    ("text", "allowed", "missing"),
    [
        ("api.example.com", ["example.com"], "api.example.com"),
        ("api.example.com", [".example.com"], None),
        ("<slug:t>.example.com", ["example.com"], ".example.com"),
        ("<slug:t>.example.com", [".example.com"], None),
        ("*.example.com", ["*"], None),
    ],
)
def test_a_host_that_is_not_answered_to_is_a_warning(text, allowed, missing):
    app = App([host(text, include([path("", A)]))], allowed_hosts=allowed, secret_key="x" * 50)
    messages = [message for message in app.check() if message.id == "web.W013"]
    assert [message.hint for message in messages] == (
        [f"add {missing!r} to allowed_hosts"] if missing else []
    )


# Reverse.

TENANTS = [path("", A, name="home"), path("<int:pk>/", A, name="thing"), websocket("live/", A, name="live")]
SITE = URLconf(
    [
        path("", A, name="index"),
        host("api.example.com", include([path("v1/", B, name="v1")])),
        host("<slug:tenant>.example.com", include(TENANTS, namespace="tenant")),
        host("*.example.org", include([path("any/", B, name="any")])),
    ]
)


@pytest.mark.parametrize(
    ("name", "args", "kwargs", "expected"),
    [
        ("index", (), {}, "/"),
        ("v1", (), {}, "//api.example.com/v1/"),
        ("tenant:home", (), {"tenant": "acme"}, "//acme.example.com/"),
        ("tenant:thing", ("acme", 7), {}, "//acme.example.com/7/"),
    ],
)
def test_reverse_names_the_host(name, args, kwargs, expected):
    assert SITE.reverse(name, *args, **kwargs) == expected


@pytest.mark.parametrize(
    ("name", "kwargs", "message"),
    [
        ("tenant:home", {}, "missing tenant"),
        ("tenant:home", {"tenant": "a.b"}, "'a.b.example.com' is no host like"),
        ("tenant:home", {"tenant": "Acme"}, "no host like"),
        ("tenant:home", {"tenant": "a/b"}, "no host like"),
        ("any", {}, "stands for many"),
    ],
)
def test_reverse_of_what_is_no_host_says_so(name, kwargs, message):
    with pytest.raises(NoReverseMatch, match=message):
        SITE.reverse(name, **kwargs)


# In a site.


async def show(request, **kwargs):
    links = "{{ url('index') }} {{ url('v1') }} {{ url('any') if any }} {{ url('home') if tenant }}"
    links += " {{ url('home', tenant='other') }} {{ url('live', tenant='other', query={'a': 1}) }}"
    return await render_string(request, links, {"tenant": kwargs.get("tenant"), "any": "org" in request.host})


async def accept(socket, **kwargs):
    await socket.accept()


@pytest.fixture
def app():
    urls = [
        path("", show, name="index"),
        host("api.example.com", include([path("v1/", show, name="v1", methods=["GET"])])),
        host(
            "<slug:tenant>.example.com",
            include([path("", show, name="home"), websocket("l/", accept, name="live")]),
        ),
        host("*.example.org", include([path("any/", show, name="any")])),
    ]
    return App(urls, allowed_hosts=[".example.com", ".example.org"], secret_key="x" * 50)


async def links(http, app, url, host, **changes):
    answer = await http(app, url, headers={"host": host}, **changes)
    assert answer.status == 200, answer.text
    return answer.text.split()


async def test_links_are_absolute_only_where_the_host_differs(http, app):
    assert await links(http, app, "/", "example.com") == [
        "/",
        "http://api.example.com/v1/",
        "http://other.example.com/",
        "ws://other.example.com/l/?a=1",
    ]
    assert (await links(http, app, "/v1/", "api.example.com"))[:2] == ["/", "/v1/"]


async def test_links_keep_scheme_port_and_root_path_of_the_request(http, app):
    found = await links(http, app, "/p/", "acme.example.com:8443", scheme="https", root_path="/p")
    assert found == [
        "/p/",
        "https://api.example.com:8443/p/v1/",
        "/p/",  # its own tenant, which need not be given
        "https://other.example.com:8443/p/",
        "wss://other.example.com:8443/p/l/?a=1",
    ]


async def test_a_wildcard_is_reversed_on_a_host_of_its_own(http, app):
    assert (await links(http, app, "/any/", "deep.down.example.org"))[2] == "/any/"


def test_outside_of_a_request_links_are_https_or_http_in_debug(app):
    assert app.reverse("home", tenant="acme") == "https://acme.example.com/"
    debug = App([host("a.test", include([path("", A, name="a")]))], debug=True)
    assert debug.reverse("a") == "http://a.test/"


async def test_405_options_and_slash_redirects_look_at_the_host(http, app):
    api = {"host": "api.example.com"}
    assert (await http(app, "/v1/", "OPTIONS", headers=api)).get("allow") == "GET, HEAD, OPTIONS"
    assert (await http(app, "/v1/", "DELETE", headers=api | {"sec-fetch-site": "none"})).status == 405
    assert (await http(app, "/v1", headers=api)).get("location") == "/v1/"
    assert (await http(app, "/v1", headers={"host": "example.com"})).status == 404
    assert (await http(app, "/v1/", headers={"host": "example.com"})).status == 404


@pytest.mark.parametrize("field", ["evil.test", "api.example.com, evil.test", "api.example.com:x", ""])
async def test_hosts_that_are_not_answered_to_reach_no_view(http, app, field):
    assert (await http(app, "/v1/", headers={"host": field})).status == 400


async def test_the_host_ignores_case_and_the_last_dot(http, app):
    assert (await http(app, "/v1/", headers={"host": "API.Example.com."})).status == 200


async def test_websockets_are_routed_by_host(connect, app):
    conversation = connect(app, "/l/", headers={"host": "acme.example.com"})
    assert (await conversation.next())["type"] == "websocket.accept"
    conversation = connect(app, "/l/", headers={"host": "example.com"})
    assert (await conversation.next())["type"] == "websocket.close"


async def test_the_page_of_development_shows_hosts(http):
    app = App([host("api.localhost", include([path("v1/", A)]))], debug=True)
    page = (await http(app, "/x", headers={"host": "localhost", "accept": "text/html"})).text
    assert "api.localhost/v1/" in page


async def test_a_view_sees_the_host_of_its_route(http):
    async def view(request, tenant):
        match = request.resolver_match
        return JSONResponse([match.host, match.route, match.kwargs, tenant])

    app = App([host("<slug:tenant>.localhost", include([path("x/", view)]))], debug=True)
    answer = await http(app, "/x/", headers={"host": "acme.localhost"})
    assert answer.json() == ["<slug:tenant>.localhost", "x/", {"tenant": "acme"}, "acme"]
