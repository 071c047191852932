"""redirect_path: where it leads, with which status, and what is found wrong with it at start-up."""

import pytest

from transom.web import App, Response, path, redirect_path
from transom.web.urls import URLconf, include


async def view(request, **kwargs):
    return Response("here")


POLLS = include([path("", view, name="index"), path("<int:pk>/", view, name="detail")], namespace="polls")


def make_app(*routes):
    return App([*routes, path("polls/", POLLS), path("files/<path:p>", view, name="file")], debug=True)


@pytest.mark.parametrize(
    ("options", "status"),
    [
        ({}, 302),
        ({"permanent": True}, 301),
        ({"preserve_request": True}, 307),
        ({"permanent": True, "preserve_request": True}, 308),
    ],
)
async def test_a_name_is_reversed_with_the_parameters_of_the_route(http, options, status):
    app = make_app(redirect_path("old/<int:pk>/", to="polls:detail", **options))
    answer = await http(app, "/old/7/?a=1", root_path="")
    assert (answer.status, answer.get("location")) == (status, "/polls/7/")
    assert app.check() == []


@pytest.mark.parametrize(
    ("to", "target", "location"),
    [
        ("/new/{p}", "/old/a/b", "/new/a/b"),
        ("/{p}", "/old/a%20b%3Fc", "/a%20b%3Fc"),
        ("https://other.example/{p}", "/old/x", "https://other.example/x"),
        ("/new/", "/old/x", "/new/"),
        ("?p={p}", "/old/x%26y", "?p=x%26y"),
    ],
)
async def test_an_address_gets_the_parameters_percent_encoded(http, to, target, location):
    assert (await http(make_app(redirect_path("old/<path:p>", to=to)), target)).get("location") == location


@pytest.mark.parametrize(
    "target", ["/old//evil.example", "/old/%2Fevil.example", "/old/%5Cevil.example", "/old/%0A/x"]
)
async def test_a_parameter_never_chooses_another_host(http, target):
    answer = await http(make_app(redirect_path("old/<path:p>", to="/{p}")), target)
    assert answer.status in (302, 404)
    assert answer.status == 404 or answer.get("location") in ("/evil.example", "/%5Cevil.example")


async def test_the_query_goes_along_where_it_is_asked_to(http):
    app = make_app(
        redirect_path("a/", to="polls:index", query_string=True),
        redirect_path("b/", to="/polls/?x=0", query_string=True),
    )
    assert (await http(app, "/a/?x=1&y=ä&x=2")).get("location") == "/polls/?x=1&y=%C3%A4&x=2"
    assert (await http(app, "/a/")).get("location") == "/polls/"
    assert (await http(app, "/b/?x=1")).get("location") == "/polls/?x=0&x=1"


async def test_the_root_path_stays(http):
    app = make_app(redirect_path("old/", to="polls:index"))
    assert (await http(app, "/site/old/", root_path="/site")).get("location") == "/site/polls/"


def test_it_may_have_a_name_and_be_included():
    urlconf = URLconf([path("x/", include([redirect_path("old/", to="/new/", name="old")], namespace="n"))])
    assert urlconf.reverse("n:old") == "/x/old/"
    (info,) = urlconf.routes()
    assert info.target == "redirect to /new/"


@pytest.mark.parametrize(
    ("route", "to", "problem"),
    [
        ("old/", "polls:indx", "did you mean 'polls:index'"),
        ("old/", "polls:detail", "'polls:detail' takes pk, and would get none"),
        ("old/<int:id>/", "polls:detail", "takes pk, and would get id"),
        ("old/<int:pk>/", "polls:index", "takes no parameters, and would get pk"),
        ("old/", "/new/{pk}/", "the route has no parameter 'pk'"),
        ("old/", "old", "it leads to itself"),
        ("old/", "/new/{pk", "expected '}'"),
    ],
)
def test_a_redirect_that_cannot_work_is_found_at_start_up(route, to, problem):
    (found,) = make_app(redirect_path(route, to=to, name="old")).check()
    assert found.id == "web.E015"
    assert f"cannot redirect to {to}" in found.msg
    assert problem in found.msg
