"""authenticate, login and get_user from a view; the user in templates."""

import sys
from types import SimpleNamespace

import pytest

from transom.auth import User, authenticate, authentication, get_user, login
from transom.sessions import sessions
from transom.testing import Client
from transom.web import DEFAULT_MIDDLEWARE, App, Response, path
from transom.web.shortcuts import render_string


class Directory:
    """A backend that knows one name."""

    async def authenticate(self, request, *, username, password):
        return (
            await User.objects.get(username="ann") if (username, password) == ("ldap-ann", "secret") else None
        )


def make_view_site(view, *middleware, **settings):
    return App(
        [path("", view)], middleware=[*DEFAULT_MIDDLEWARE, *middleware], secret_key="k" * 40, **settings
    )


async def test_backends_are_asked_in_turn(site, ann, monkeypatch):
    found = []

    async def view(request):
        for name, password in (
            ("ann", "correct horse battery staple"),
            ("ldap-ann", "secret"),
            ("ldap-ann", "x"),
        ):
            found.append(await authenticate(request, username=name, password=password))
        return Response("")

    monkeypatch.setitem(sys.modules, "site_directory", SimpleNamespace(Directory=Directory))
    backends = ["transom.auth:ModelBackend", "site_directory:Directory"]
    async with Client(make_view_site(view, authentication_backends=backends)) as client:
        await client.get("/")
    assert found == [ann, ann, None]


@pytest.mark.parametrize("name", ["x" * 5000, "a\0b", "\ud800", ""])
async def test_names_that_no_database_stores_are_unknown(site, ann, hasher, name):
    async def view(request):
        return Response(str(await authenticate(request, username=name, password="x")))

    hasher.calls = 0
    async with Client(make_view_site(view)) as client:
        assert (await client.get("/")).text == "None"
    assert hasher.calls == 1


async def test_user_is_loaded_once_for_a_request(site, ann, log_in, client, monkeypatch):
    await log_in()
    loads = []
    original = User.objects.filter
    monkeypatch.setattr(
        type(User.objects), "filter", lambda self, **lookups: loads.append(lookups) or original(**lookups)
    )
    assert (await client.get("/")).text == "ann"
    assert len(loads) == 1


async def test_visitor_without_a_session_costs_no_query(site, monkeypatch):
    def fail(*args, **lookups):
        raise AssertionError

    monkeypatch.setattr(type(User.objects), "filter", fail)
    async with Client(site) as client:
        assert (await client.get("/")).text == "None"


async def test_template_sees_the_user_behind_the_middleware(site, ann):
    async def view(request):
        await login(request, ann)
        return await render_string(request, "{{ request.user or 'nobody' }}")

    async with Client(make_view_site(view, sessions(), authentication)) as client:
        assert (await client.get("/")).text == "ann"


async def test_user_that_nobody_loaded_is_an_error_that_names_the_ways(site):
    async def view(request):
        return Response(str(request.user))

    async with Client(make_view_site(view, sessions())) as client:
        with pytest.raises(RuntimeError, match="get_user"):
            await client.get("/")


async def test_without_sessions_there_is_an_error(site):
    async def view(request):
        return Response(str(await get_user(request)))

    async with Client(make_view_site(view)) as client:
        with pytest.raises(RuntimeError, match="no middleware keeps sessions"):
            await client.get("/")


async def test_inactive_or_unsaved_users_cannot_be_logged_in(site, ann):
    ann.is_active = False

    async def view(request):
        for user in (ann, User(username="new")):
            with pytest.raises(ValueError, match="cannot log in"):
                await login(request, user)
        return Response(str(await get_user(request)))

    async with Client(make_view_site(view, sessions())) as client:
        assert (await client.get("/")).text == "None"
