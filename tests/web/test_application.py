import asyncio
import logging
import sys
import types
from contextlib import asynccontextmanager

import pytest

from transom.conf import ImproperlyConfigured, Settings
from transom.web import (
    App,
    BadRequest,
    Http404,
    HTTPException,
    PermissionDenied,
    Response,
    StreamingResponse,
    include,
    mount,
    path,
    reverse,
)


async def hello(request, **kwargs):
    return Response(f"{request.method} {kwargs}")


async def broken(request):
    secret_name = "value"
    raise ValueError(f"broken {secret_name}")


def make(*urls, **options):
    return App(list(urls), **options)


async def test_a_view_is_called_with_converted_parameters(http):
    answer = await http(make(path("<int:pk>/<slug:s>/", hello)), "/3/a-b/?q=1")
    assert (answer.status, answer.text) == (200, "GET {'pk': 3, 's': 'a-b'}")


async def test_resolver_match_is_on_the_request(http):
    async def view(request, pk):
        match = request.resolver_match
        return Response(f"{match.name} {match.namespace} {match.route} {match.kwargs}")

    app = make(path("polls/", include([path("<int:pk>/", view, name="detail")], namespace="polls")))
    assert (await http(app, "/polls/4/")).text == "polls:detail polls polls/<int:pk>/ {'pk': 4}"


async def test_unknown_path_is_404_and_in_debug_lists_routes(http):
    urls = path("polls/", hello, name="polls")
    assert (await http(make(urls), "/nothing/")).status == 404
    answer = await http(make(urls, debug=True), "/nothing/")
    assert answer.status == 404
    assert "polls/" in answer.text


async def test_head_is_answered_like_get_without_body(http):
    answer = await http(make(path("x/", hello, methods=["GET"])), "/x/", "HEAD")
    assert (answer.status, answer.body) == (200, b"")
    assert int(answer.get("content-length")) > 0


async def test_wrong_method_is_405_with_allow_and_options_is_answered(http):
    app = make(path("x/", hello, methods=["GET"]), path("x/", hello, methods=["PATCH"]))
    answer = await http(app, "/x/", "DELETE", headers={"sec-fetch-site": "same-origin"})
    assert (answer.status, answer.get("allow")) == (405, "GET, HEAD, OPTIONS, PATCH")
    answer = await http(app, "/x/", "OPTIONS")
    assert (answer.status, answer.get("allow"), answer.body) == (204, "GET, HEAD, OPTIONS, PATCH", b"")
    assert (await http(make(path("x/", hello)), "/x/", "OPTIONS")).text == "OPTIONS {}"


async def test_a_missing_slash_is_added_by_redirect(http):
    app = make(path("polls/<int:pk>/", hello), path("with space/", hello))
    answer = await http(app, "/polls/3?next=%2F&x")
    assert (answer.status, answer.get("location")) == (301, "/polls/3/?next=%2F&x")
    assert (await http(app, "/with%20space")).get("location") == "/with%20space/"
    assert (await http(app, "/polls/3", "HEAD")).status == 301
    assert (await http(app, "/polls/x")).status == 404
    assert (await http(app, "/polls/3/", root_path="/polls")).status == 404


async def test_a_missing_slash_is_not_added_to_a_post_which_would_lose_its_body(http):
    app = make(path("polls/", hello), debug=True)
    answer = await http(app, "/polls", "POST", headers={"accept": "text/html"})
    assert answer.status == 404
    assert "/polls/" in answer.text


async def test_append_slash_can_be_off(http):
    assert (await http(make(path("polls/", hello), append_slash=False), "/polls")).status == 404


@pytest.mark.parametrize(
    "target", ["//evil.example", "//evil.example/x", "/%2Fevil.example", "/%5Cevil.example"]
)
async def test_the_slash_redirect_never_leaves_the_site(http, target):
    answer = await http(make(path("<path:page>/", hello)), target)
    assert answer.status == 301
    location = answer.get("location")
    assert location.startswith("/")
    assert not location.startswith(("//", "/\\"))


async def test_root_path_is_stripped_for_routes_and_put_before_reversed_paths(http):
    async def view(request):
        return Response(f"{reverse('index')} {request.app.reverse('index')}")

    app = make(path("", view, name="index"), path("polls", hello))
    assert (await http(app, "/site/", root_path="/site")).text == "/site/ /site/"
    assert (await http(app, "/site", root_path="/site")).text == "/site/ /site/"
    assert (await http(app, "/", root_path="/site")).status == 200  # a proxy that strips the prefix
    assert (await http(app, "/sitepolls", root_path="/site")).status == 404
    assert (await http(app, "/")).text == "/ /"


async def test_http_exceptions_become_their_status(http):
    raised = {
        "a": Http404("gone"),
        "b": PermissionDenied("no"),
        "c": BadRequest("what"),
        "d": HTTPException(503, headers={"retry-after": "5"}),
    }

    async def view(request, key):
        raise raised[key]

    app = make(path("<key>", view))
    assert [(await http(app, f"/{key}")).status for key in "abcd"] == [404, 403, 400, 503]
    assert (await http(app, "/d")).get("retry-after") == "5"


async def test_an_http_exception_means_the_same_inside_a_task_group(http, caplog):
    async def fail(exc):
        raise exc

    async def one(request):
        async with asyncio.TaskGroup() as group:
            group.create_task(fail(Http404()))

    async def two(request):
        raise ExceptionGroup("two", [Http404(), ValueError()])

    app = make(path("one", one), path("two", two))
    assert [(await http(app, f"/{name}")).status for name in ("one", "two")] == [404, 500]
    assert len(caplog.records) == 1


async def test_a_client_that_leaves_during_its_upload_is_no_error(caplog):
    async def view(request):
        return Response(await request.body())

    async def receive():
        return {"type": "http.disconnect"}

    sent = []
    scope = {
        "type": "http",
        "method": "GET",
        "path": "/x",
        "raw_path": b"/x",
        "query_string": b"",
        "scheme": "http",
    }
    scope |= {"headers": [(b"host", b"localhost")], "server": None, "client": None, "extensions": {}}
    await make(path("x", view))(scope, receive, sent.append)
    assert (sent, caplog.records) == ([], [])


async def test_an_unexpected_error_is_500_logged_once_with_its_traceback(http, caplog):
    answer = await http(make(path("x", broken)), "/x")
    assert answer.status == 500
    assert "broken" not in answer.text
    (record,) = caplog.records
    assert (record.name, record.levelno) == ("transom.request", logging.ERROR)
    assert "'/x'" in record.message
    assert isinstance(record.exc_info[1], ValueError)


async def test_debug_shows_the_error(http):
    answer = await http(make(path("x", broken), debug=True), "/x", headers={"accept": "text/html"})
    assert answer.status == 500
    assert "broken value" in answer.text
    assert answer.get("x-content-type-options") == "nosniff"


async def test_a_test_client_gets_unexpected_errors_raised_and_its_host_served(http, caplog):
    app = make(path("x", broken), path("y", hello))
    testing = {"transom.testing": {"raise_exceptions": True}}
    with pytest.raises(ValueError, match="broken"):
        await http(app, "/x", extensions=testing)
    assert caplog.records == []
    assert (await http(app, "/y", headers={"host": "testserver"}, extensions=testing)).status == 200
    assert (await http(app, "/x", extensions={"transom.testing": {}})).status == 500


async def test_a_view_that_returns_no_response_is_named(http):
    async def forgetful(request): ...

    with pytest.raises(TypeError, match=r"forgetful returned NoneType, expected a Response"):
        await http(
            make(path("x", forgetful)), "/x", extensions={"transom.testing": {"raise_exceptions": True}}
        )


async def test_an_error_while_sending_is_left_to_the_server(http, caplog):
    async def view(request):
        async def pieces():
            yield b"one"
            raise ValueError("too late")

        return StreamingResponse(pieces())

    with pytest.raises(ValueError, match="too late"):
        await http(make(path("x", view)), "/x")
    assert caplog.records == []


async def test_production_error_pages_come_from_templates(http, tmp_path, caplog):
    (tmp_path / "404.html").write_text("<h1>lost</h1>")
    (tmp_path / "500.html").write_text("{{ nothing.here }}")
    app = make(path("x", broken), template_dirs=[tmp_path])
    answer = await http(app, "/nothing", headers={"accept": "text/html"})
    assert (answer.status, answer.text) == (404, "<h1>lost</h1>")
    answer = await http(app, "/x", headers={"accept": "text/html"})
    assert answer.status == 500
    assert [record.message.split()[0] for record in caplog.records] == ["GET", "template"]


async def test_other_scope_types_are_refused():
    with pytest.raises(ValueError, match="scope type 'telepathy'"):
        await make()({"type": "telepathy"}, None, None)


async def test_lifespan_starts_checks_and_stops(lifespan):
    events = []

    @asynccontextmanager
    async def run(app):
        events.append(f"start {app.urlconf.reverse('x')}")
        yield
        events.append("stop")

    app = make(path("x", hello, name="x"), lifespan=run)
    started, stop = await lifespan(app)
    assert started["type"] == "lifespan.startup.complete"
    assert events == ["start /x"]
    assert (await stop())["type"] == "lifespan.shutdown.complete"
    assert events == ["start /x", "stop"]


async def test_start_up_fails_with_all_findings(lifespan, http):
    def plain(request): ...

    app = make(path("/x", hello), path("y", plain), secret_key="short")
    started, _ = await lifespan(app)
    assert started["type"] == "lifespan.startup.failed"
    for identifier in ("web.E001", "web.E004", "conf.E001", "@threaded"):
        assert identifier in started["message"]
    assert "Traceback" not in started["message"]
    with pytest.raises(ImproperlyConfigured, match=r"web\.E004"):
        await http(app, "/y")


async def test_a_failing_lifespan_tells_the_server_why(lifespan):
    @asynccontextmanager
    async def at_start(app):
        raise OSError("no such service")
        yield

    @asynccontextmanager
    async def at_stop(app):
        yield
        raise OSError("cannot stop")

    started, _ = await lifespan(make(lifespan=at_start))
    assert started["type"] == "lifespan.startup.failed"
    assert "OSError: no such service" in started["message"]
    _, stop = await lifespan(make(lifespan=at_stop))
    stopped = await stop()
    assert stopped["type"] == "lifespan.shutdown.failed"
    assert "cannot stop" in stopped["message"]


async def test_urls_may_be_a_module_or_be_found_in_the_calling_module(http, monkeypatch):
    module = types.ModuleType("site_urls")
    module.urlpatterns = [path("x", hello)]
    monkeypatch.setitem(sys.modules, "site_urls", module)
    assert (await http(App("site_urls"), "/x")).status == 200
    assert (await http(App(module), "/x")).status == 200
    namespace = {"App": App, "__name__": "single"}
    exec("app = App()", namespace)
    namespace["urlpatterns"] = [path("later", hello)]
    assert (await http(namespace["app"], "/later")).status == 200
    exec("app = App()\ndel urlpatterns", namespace)
    with pytest.raises(ImproperlyConfigured, match="'single' has no urlpatterns"):
        namespace["app"].check()


async def test_settings_come_from_an_object_or_from_keywords():
    settings = Settings(allowed_hosts=["example.com"])
    assert make(settings=settings).settings.allowed_hosts == ["example.com"]
    assert "localhost" in make(settings=Settings(allowed_hosts=[], debug=True)).settings.allowed_hosts
    with pytest.raises(TypeError, match="settings and also debug"):
        make(settings=settings, debug=True)
    with pytest.raises(ImproperlyConfigured, match="did you mean 'debug'"):
        make(debgu=True)


async def test_reverse_outside_a_request_is_of_the_application_made_last():
    make(path("a", hello, name="x"))
    app = make(path("b", hello, name="x"))
    assert reverse("x") == app.reverse("x") == "/b"


async def test_mounted_application_sees_the_whole_path_and_its_root_path(http):
    async def inner(scope, receive, send):
        await send(
            {"type": "http.response.start", "status": 200, "headers": [(b"x-frame-options", b"SAMEORIGIN")]}
        )
        await send({"type": "http.response.body", "body": f"{scope['root_path']}|{scope['path']}".encode()})

    app = make(path("old/new/", hello), mount("old/", inner, name="old"), mount("", inner))
    assert (await http(app, "/old/a/b")).text == "/old|/old/a/b"
    assert (await http(app, "/old/new/")).text == "GET {}"
    assert (await http(app, "/old")).text == "|/old"
    assert (await http(app, "/site/old/a", root_path="/site")).text == "/site/old|/site/old/a"
    answer = await http(app, "/old/a", "POST", body=b"csrfmiddlewaretoken=theirs")
    assert answer.status == 200
    assert answer.getlist("x-frame-options") == ["SAMEORIGIN"]
    assert answer.getlist("x-content-type-options") == ["nosniff"]
    assert (await http(app, "/old/a", headers={"host": "evil.example"})).status == 400


async def test_an_app_can_be_mounted_in_an_app(http):
    async def view(request):
        return Response(reverse("index"))

    inner = make(path("", view, name="index"))
    outer = make(mount("inner/", inner))
    assert (await http(outer, "/inner/")).text == "/inner/"


async def test_static_files_of_the_site_are_served(http, tmp_path):
    (tmp_path / "style.css").write_text("body {}")
    app = make(path("<path:any>", hello), static_dirs=[tmp_path])
    answer = await http(app, "/static/style.css")
    assert (answer.status, answer.text) == (200, "body {}")
    assert (await http(app, "/static/nothing.css")).status == 404


async def test_checks_name_the_middleware_that_was_left_out(caplog, http):
    def plain(request, call_next): ...

    ids = [message.id for message in make(path("x", hello), middleware=[plain]).check()]
    assert ids == ["web.E008", "web.W009", "web.W009", "web.W009"]
    app = make(path("x", hello), middleware=[])
    assert (await http(app, "/x")).status == 200
    assert all("web.W009" in record.message for record in caplog.records)


async def test_production_does_not_start_without_a_key_to_sign_with(monkeypatch):
    monkeypatch.delenv("TRANSOM_SECRET_KEY", raising=False)
    assert "web.E011" in [message.id for message in App([], _env_file=None).check()]
    assert App([], _env_file=None, debug=True).check() == []
    assert "web.E011" not in [message.id for message in App([], _env_file=None, middleware=[]).check()]
