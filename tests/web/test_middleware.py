import pytest

from transom.web import (
    DEFAULT_MIDDLEWARE,
    App,
    Http404,
    PermissionDenied,
    Response,
    allowed_hosts,
    path,
    security_headers,
)


async def view(request):
    return Response("hello")


def make(*middleware, view=view, **settings):
    return App([path("x", view), path("x/y", view)], middleware=middleware, **settings)


async def test_layers_run_in_order_around_the_view(http):
    log = []

    def layer(name):
        async def middleware(request, call_next):
            log.append(f"{name} in")
            response = await call_next(request)
            log.append(f"{name} out")
            return response

        return middleware

    await http(make(layer("a"), layer("b")), "/x")
    assert log == ["a in", "b in", "b out", "a out"]


async def test_a_layer_may_answer_itself_and_be_an_object(http):
    class Closed:
        async def __call__(self, request, call_next):
            return Response("closed", 503)

    assert (await http(make(Closed()), "/x")).status == 503


async def test_layers_see_a_response_even_for_errors_of_views_and_of_other_layers(http, caplog):
    seen = []

    async def watch(request, call_next):
        response = await call_next(request)
        seen.append(response.status)
        return response

    async def refuse(request, call_next):
        raise PermissionDenied

    async def missing(request):
        raise Http404

    async def broken(request):
        raise ValueError

    for app in (make(watch, refuse), make(watch, view=missing), make(watch, view=broken)):
        await http(app, "/x")
    assert seen == [403, 404, 500]


async def test_layers_run_for_paths_that_lead_nowhere(http):
    assert (await http(make(security_headers), "/nothing")).get("x-frame-options") == "DENY"


async def test_security_headers_are_on_every_answer_and_leave_the_view_its_own(http):
    async def framed(request):
        return Response("x", headers={"x-frame-options": "SAMEORIGIN"})

    app = App([path("", view), path("framed", framed)])
    plain = await http(app, "/")
    assert {
        name: plain.get(name) for name in ("x-content-type-options", "referrer-policy", "x-frame-options")
    } == {
        "x-content-type-options": "nosniff",
        "referrer-policy": "same-origin",
        "x-frame-options": "DENY",
    }
    assert plain.get("cross-origin-opener-policy") == "same-origin"
    assert (await http(app, "/framed")).getlist("x-frame-options") == ["SAMEORIGIN"]
    assert (await http(app, "/", headers={"host": "evil.example"})).get("x-frame-options") == "DENY"


@pytest.mark.parametrize(
    ("host", "status"),
    [
        ("example.com", 200),
        ("EXAMPLE.com:8000", 200),
        ("example.com.", 200),
        ("a.b.example.org", 200),
        ("example.org", 200),
        ("[::1]:8000", 200),
        ("evil.example", 400),
        ("example.com.evil.example", 400),
        ("notexample.org", 400),
        ("example.com@evil.example", 400),
        ("example.com:99999", 400),
        ("example.com:", 400),
        ("example.com/path", 400),
        ("example.com, evil.example", 400),
        ("[::1", 400),
        ("", 400),
    ],
)
async def test_host_forms(http, host, status, caplog):
    app = make(allowed_hosts, allowed_hosts=["example.com", ".example.org", "[::1]"])
    assert (await http(app, "/x", headers={"host": host})).status == status
    assert len(caplog.records) == (status == 400) + 2  # two warnings: middleware was left out


async def test_the_forwarded_host_is_not_believed(http):
    headers = {"host": "evil.example", "x-forwarded-host": "example.com"}
    assert (
        await http(make(allowed_hosts, allowed_hosts=["example.com"]), "/x", headers=headers)
    ).status == 400


async def test_star_allows_any_host_and_debug_the_local_ones(http):
    assert (
        await http(make(allowed_hosts, allowed_hosts=["*"]), "/x", headers={"host": "any.example"})
    ).status == 200
    app = make(allowed_hosts, allowed_hosts=["example.com"], debug=True)
    for host in ("localhost:8000", "polls.localhost", "127.0.0.1", "[::1]:80"):
        assert (await http(app, "/x", headers={"host": host})).status == 200
    assert (await http(app, "/x", headers={"host": "evil.example"})).status == 400


async def test_own_layers_come_behind_the_default_ones(http):
    async def mine(request, call_next):
        return Response("mine")

    app = make(*DEFAULT_MIDDLEWARE, mine)
    assert app.check() == []
    assert (await http(app, "/x")).text == "mine"
    assert (await http(app, "/x", headers={"host": "evil.example"})).status == 400
