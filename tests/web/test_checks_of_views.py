"""A view says what it needs of the site that serves it, before the first request."""

import pytest

from transom.conf import CheckMessage
from transom.testing import Client, LifespanFailed
from transom.web import DEFAULT_MIDDLEWARE, App, Response, mount, path


class Demanding:
    async def __call__(self, request):
        return Response("served")

    def check_app(self, app):
        if tuple(app.middleware) == DEFAULT_MIDDLEWARE:
            yield CheckMessage("test.E001", "a layer is missing", "add it")


async def layer(request, call_next):
    return await call_next(request)


async def test_a_site_that_lacks_what_a_view_needs_does_not_start():
    app = App([path("", Demanding())], debug=True)
    assert [message.id for message in app.check()] == ["test.E001"]
    with pytest.raises(LifespanFailed, match="a layer is missing"):
        async with Client(app):
            pass


async def test_a_site_that_has_it_does():
    app = App([path("", Demanding())], middleware=[*DEFAULT_MIDDLEWARE, layer], debug=True)
    async with Client(app) as client:
        assert (await client.get("/")).text == "served"


def test_a_mounted_application_is_not_asked():
    class Mounted(Demanding):
        async def __call__(self, scope, receive, send): ...

    app = App([mount("", Mounted())], debug=True)
    assert app.check() == []
