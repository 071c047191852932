"""Applications below a prefix: their lifespans, the state they keep, and mistakes in mounting them."""

import contextlib

import pytest

from transom.asgi import validate, wsgi
from transom.testing import Client, LifespanFailed
from transom.web import App, JSONResponse, Response, mount, path, websocket
from transom.web.urls import URLconf


class Application:
    """An ASGI application that notes its life in a list, and answers with its state and root path."""

    def __init__(self, name, log, *, fail_at=""):
        self.name, self.log, self.fail_at = name, log, fail_at

    async def __call__(self, scope, receive, send):
        if scope["type"] == "lifespan":
            await self.live(scope, receive, send)
        elif scope["type"] == "http":
            await JSONResponse({"root": scope["root_path"], "state": sorted(scope["state"])})(
                scope, receive, send
            )
        else:
            await receive()
            await send({"type": "websocket.accept", "subprotocol": None, "headers": []})
            await send({"type": "websocket.send", "text": str(scope["state"].get("opened"))})
            await send({"type": "websocket.close", "code": 1000})

    async def live(self, scope, receive, send):
        for event in ("startup", "shutdown"):
            assert (await receive())["type"] == f"lifespan.{event}"
            self.log.append(f"{self.name} {event}")
            if self.fail_at == event:
                await send({"type": f"lifespan.{event}.failed", "message": "no disk"})
                return
            scope["state"]["opened"] = self.name
            await send({"type": f"lifespan.{event}.complete"})


async def test_lifespans_run_inside_that_of_the_site_and_stop_in_reverse():
    log = []

    @contextlib.asynccontextmanager
    async def lifespan(app):
        log.append("site startup")
        yield
        log.append("site shutdown")

    urls = [mount("a/", validate(Application("a", log))), mount("b/", Application("b", log))]
    async with Client(App(urls, lifespan=lifespan, debug=True)):
        assert log == ["site startup", "a startup", "b startup"]
    assert log[3:] == ["b shutdown", "a shutdown", "site shutdown"]


async def test_the_state_of_an_application_is_its_own():
    log = []

    async def view(request):
        return JSONResponse(sorted(vars(request.state)))

    urls = [mount("a/", Application("a", log)), mount("b/", validate(wsgi(hello))), path("", view)]
    async with Client(App(urls, debug=True)) as client:
        assert (await client.get("/a/x")).json() == {"root": "/a", "state": ["opened"]}
        assert (await client.get("/")).json() == []
        async with client.websocket("/a/live") as socket:
            assert await socket.receive() == "a"
        assert (await client.get("/b/")).text == "hello from /b"


async def test_what_middleware_puts_into_the_state_is_seen():
    async def layer(request, call_next):
        request.state.user = "someone"
        return await call_next(request)

    app = App([mount("a/", Application("a", []))], middleware=[layer], debug=True)
    async with Client(app) as client:
        assert (await client.get("/a/")).json()["state"] == ["opened", "user"]


async def test_an_application_that_is_mounted_twice_lives_once():
    log = []
    application = Application("a", log)
    urls = [mount("a/", application), mount("b/", application)]
    async with Client(App(urls, debug=True)) as client:
        assert (await client.get("/b/")).json() == {"root": "/b", "state": ["opened"]}
    assert log == ["a startup", "a shutdown"]


async def test_a_site_serves_again_after_it_stopped():
    log = []
    app = App([mount("a/", Application("a", log))], debug=True)
    for _ in range(2):
        async with Client(app):
            pass
    assert log == ["a startup", "a shutdown"] * 2


async def test_an_application_without_a_lifespan_is_left_alone():
    async def application(scope, receive, send):
        if scope["type"] != "http":
            raise NotImplementedError(scope["type"])
        await Response("here")(scope, receive, send)

    async with Client(App([mount("a/", application)], debug=True)) as client:
        assert (await client.get("/a/")).text == "here"


async def test_one_that_cannot_start_keeps_the_site_from_starting_and_stops_those_before_it():
    log = []
    urls = [mount("a/", Application("a", log)), mount("b/", Application("b", log, fail_at="startup"))]
    with pytest.raises(LifespanFailed, match=r"what is mounted at '/b/' cannot start: .*no disk"):
        async with Client(App(urls, debug=True)):
            pass
    assert log == ["a startup", "b startup", "a shutdown"]


async def test_one_that_cannot_stop_is_told_of_and_the_others_stop():
    log = []
    urls = [mount("a/", Application("a", log)), mount("b/", Application("b", log, fail_at="shutdown"))]
    with pytest.raises(LifespanFailed, match="no disk"):
        async with Client(App(urls, debug=True)):
            pass
    assert log == ["a startup", "b startup", "b shutdown", "a shutdown"]


async def test_a_site_in_a_site_runs_its_own_lifespan_and_reverses_its_own_names(http):
    log = []

    async def inside(request):
        return Response(request.app.reverse("inside"))

    async def lifespan(app):
        log.append("inner startup")

    inner = App([path("x/", inside, name="inside")], lifespan=lifespan, debug=True)
    outer = App([mount("in/", inner), path("out/", inside, name="outside")], debug=True)
    async with Client(outer) as client:
        assert log == ["inner startup"]
        assert (await client.get("/in/x/")).text == "/in/x/"


def hello(environ, start_response):
    start_response("200 OK", [("content-type", "text/plain")])
    return [b"hello from " + environ["SCRIPT_NAME"].encode()]


class WSGIClass:
    def __call__(self, environ, start_response): ...


@pytest.mark.parametrize("application", [hello, WSGIClass()])
def test_a_wsgi_application_that_is_mounted_as_it_is_is_explained(application):
    (found,) = URLconf([mount("old/", application)]).checks
    assert found.id == "web.E014"
    assert "does not take (scope, receive, send)" in found.msg
    assert "wsgi(application)" in found.hint
    assert URLconf([mount("old/", wsgi(application))]).checks == []


async def test_405_and_slash_redirects_leave_what_is_mounted_alone(http):
    async def view(request):
        return Response("view")

    urls = [mount("a/", Application("a", [])), path("x/", view, methods=["GET"]), websocket("a/own/", view)]
    app = App(urls, debug=True)
    assert (await http(app, "/a/x", "DELETE", headers={"sec-fetch-site": "none"})).status == 200
    assert (await http(app, "/a")).get("location") == "/a/"
    assert (await http(app, "/x/", "POST", headers={"sec-fetch-site": "none"})).status == 405
