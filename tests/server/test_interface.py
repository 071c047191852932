"""What kind of application it is: found by looking at it, and refused where every request would fail."""

from __future__ import annotations

import functools
import logging
from typing import Any

import pytest

from transom.asgi import WSGIToASGI
from transom.server import Config, LoadError
from transom.server.interface import adapt, detect


async def asgi3(scope, receive, send): ...


def asgi3_plain(scope, receive, send):
    return asgi3(scope, receive, send)


def asgi2(scope):
    async def instance(receive, send):
        await send({"type": "http.response.start", "status": 200, "headers": []})
        await send({"type": "http.response.body", "body": scope["asgi"]["version"].encode()})

    return instance


def wsgi(environ, start_response): ...


def wsgi_with_more(environ, start_response, exc_info=None): ...


def anything(*args, **kwargs): ...


@functools.wraps(wsgi)
def decorated_wsgi(*args):
    return wsgi(*args)


@functools.wraps(asgi3)
def decorated_asgi3(*args):
    return asgi3(*args)


class ASGI3:
    async def __call__(self, scope, receive, send): ...


class ASGI3Plain:
    def __call__(self, scope, receive, send):
        return asgi3(scope, receive, send)


class ASGI3Class:
    def __init__(self, scope, receive, send): ...

    def __await__(self): ...


class ASGI2Class:
    def __init__(self, scope): ...

    async def __call__(self, receive, send): ...


class WSGI:
    def __call__(self, environ, start_response): ...

    def method(self, env, start): ...


class WSGIClass:
    def __init__(self, environ, start_response): ...

    def __iter__(self): ...


def hinted(attribute: str, app: Any) -> Any:
    def inner(*args): ...

    setattr(inner, attribute, True)
    return inner


APPLICATIONS = [
    (asgi3, "asgi3"),
    (asgi3_plain, "asgi3"),
    (ASGI3(), "asgi3"),
    (ASGI3Plain(), "asgi3"),
    (ASGI3Class, "asgi3"),
    (functools.partial(asgi3), "asgi3"),
    (functools.partial(ASGI3()), "asgi3"),
    (functools.partial(lambda extra, scope, receive, send: None, 1), "asgi3"),
    (decorated_asgi3, "asgi3"),
    (hinted("_asgi_single_callable", wsgi), "asgi3"),
    (asgi2, "asgi2"),
    (ASGI2Class, "asgi2"),
    (hinted("_asgi_double_callable", asgi3), "asgi2"),
    (wsgi, "wsgi"),
    (wsgi_with_more, "wsgi"),
    (WSGI(), "wsgi"),
    (WSGI().method, "wsgi"),
    (WSGIClass, "wsgi"),
    (functools.partial(wsgi_with_more, exc_info=1), "wsgi"),
    (functools.partial(lambda extra, environ, start_response: None, 1), "wsgi"),
    (decorated_wsgi, "wsgi"),
    (anything, "asgi3"),
    (print, "asgi3"),
    (max, "asgi3"),  # it does not say what it takes
]


@pytest.mark.parametrize(
    ("app", "interface"), APPLICATIONS, ids=lambda value: getattr(value, "__name__", None)
)
def test_interface_is_found(app, interface):
    """B11"""
    assert detect(app) == interface
    adapted = adapt(app, Config())
    assert isinstance(adapted, WSGIToASGI) == (interface == "wsgi")
    assert (adapted is app) == (interface == "asgi3")


def flask_app():
    from flask import Flask

    return Flask("site")


def quart_app():
    from quart import Quart

    return Quart("site")


def starlette_app():
    from starlette.applications import Starlette

    return Starlette()


def litestar_app():
    from litestar import Litestar

    return Litestar([])


def django_wsgi():
    from django.core.handlers.wsgi import WSGIHandler

    return WSGIHandler.__new__(WSGIHandler)  # __init__ wants settings


def django_asgi():
    from django.core.handlers.asgi import ASGIHandler

    return ASGIHandler.__new__(ASGIHandler)


def channels_app():
    from channels.routing import ProtocolTypeRouter

    return ProtocolTypeRouter({})


def transom_app():
    from transom.web import App

    return App([])


@pytest.mark.parametrize(
    ("make", "interface"),
    [
        *((flask_app, "wsgi"), (quart_app, "asgi3"), (starlette_app, "asgi3"), (litestar_app, "asgi3")),
        *((django_wsgi, "wsgi"), (django_asgi, "asgi3"), (channels_app, "asgi3"), (transom_app, "asgi3")),
    ],
)
def test_frameworks_are_told_apart(make, interface):
    assert detect(make()) == interface


def factory(): ...


def four(a, b, c, d): ...


def forgetful(scope, receive): ...


class Site:
    def __init__(self, debug=False): ...

    async def __call__(self, scope, receive, send): ...


class Flasky:
    def __init__(self, name): ...

    def __call__(self, environ, start_response): ...


@pytest.mark.parametrize(
    ("app", "interface", "message"),
    [
        (
            asgi3,
            "wsgi",
            "application asgi3 is asynchronous, which WSGI is not; use --interface asgi3, or auto",
        ),
        (ASGI3(), "wsgi", "application ASGI3 is asynchronous"),
        (
            wsgi,
            "asgi3",
            r"takes \(environ, start_response\), but ASGI 3 calls it with \(scope, receive, send\)",
        ),
        (wsgi, "asgi2", r"but ASGI 2 calls it with \(scope\)"),
        (asgi3_plain, "wsgi", r"but WSGI calls it with \(environ, start_response\)"),
        (factory, "auto", r"takes no arguments; if it makes the application, call it: module:name\(\)"),
        (four, "auto", r"takes \(a, b, c, d\), but ASGI 3 calls it with \(scope, receive, send\)"),
        (forgetful, "auto", r"takes \(scope, receive\), but ASGI 3 calls it with"),
        (Site, "auto", r"application Site is a class; name an instance of it, such as app = Site\(...\)"),
        (Flasky, "auto", "application Flasky is a class; name an instance of it"),
        (7, "auto", "7 cannot be called"),
    ],
)
def test_application_that_every_request_would_fail_with_is_refused(app, interface, message):
    with pytest.raises(LoadError, match=message):
        adapt(app, Config(interface=interface))


def test_interface_that_is_given_wins():
    assert isinstance(adapt(anything, Config(interface="wsgi")), WSGIToASGI)
    assert adapt(anything, Config(interface="asgi3")) is anything


def test_options_reach_the_adapter(caplog):
    with caplog.at_level(logging.INFO, "transom.server"):
        adapt(wsgi, Config(wsgi_threads=3))
    assert "the application is WSGI: 3 threads run it" in caplog.text


@pytest.mark.parametrize("app", [asgi2, hinted])
async def test_asgi_2_is_called_in_two_steps(serve, app):
    """B11: the application is told that it is called as ASGI 2."""
    if app is hinted:
        app = lambda scope: asgi2(scope)  # noqa: E731
        app._asgi_double_callable = True  # type: ignore[attr-defined]
    running = await serve(adapt(app, Config()))
    reply = await running.exchange(b"GET / HTTP/1.1\r\nHost: a\r\n\r\n")
    assert (reply.status, reply.body) == (200, b"2.0")


async def test_application_whose_lifespan_is_called_wrongly_is_pointed_at(serve, caplog):
    """A wrapper that takes anything hides that what it wraps is WSGI."""

    def hiding(*args):
        return wsgi(*args)

    await serve(adapt(hiding, Config()), checked=False, lifespan="auto")
    assert "application may not be ASGI 3, see --interface; its lifespan raised TypeError" in caplog.text
