"""Routes that match the same paths: one never reached, or the order of declaration deciding."""

import time

import pytest

from transom.web.converters import Converter, register_converter
from transom.web.urls import URLconf, host, include, mount, path


async def view(request, **kwargs): ...
async def application(scope, receive, send): ...


class YearConverter(Converter):
    regex = "[0-9]{4}"


class LanguageConverter(Converter):
    regex = "[a-z]{2}"


class OddConverter(Converter):
    regex = "no text of the pool looks like this"


register_converter(YearConverter, "yyyy")
register_converter(LanguageConverter, "language")
register_converter(OddConverter, "odd")


def found(*routes):
    declared = [path(route, view) if isinstance(route, str) else route for route in routes]
    return [message.id for message in URLconf(declared).checks]


@pytest.mark.parametrize(
    "routes",
    [
        ["<int:a>/", "<yyyy:b>/"],
        ["v<slug:a>/", "v<int:b>/"],
        ["<int:a>/x/", "<yyyy:b>/x/"],
        ["<int:a>/<slug:c>/", "<yyyy:b>/<slug:c>/"],
    ],
)
def test_a_route_whose_paths_another_takes_first_is_probably_never_reached(routes):
    assert found(*routes) == ["web.W016"]
    assert found(*reversed(routes)) == []  # the narrower first is how it should be


def test_the_message_shows_a_path():
    (message,) = URLconf([path("<int:a>/", view), path("<yyyy:b>/", view)]).checks
    assert "'<yyyy:b>/' is probably never reached: '<int:a>/' answers '/1999/'" in message.msg


@pytest.mark.parametrize(
    "routes",
    [
        ["<slug:a>-<int:b>/", "<int:a>-<slug:b>/"],
        ["a<slug:a>/", "<slug:a>e/"],
    ],
)
def test_routes_of_which_only_the_order_says_which_answers_are_ambiguous(routes):
    assert found(*routes) == ["web.W017"]
    assert found(*reversed(routes)) == ["web.W017"]


@pytest.mark.parametrize(
    "routes",
    [
        ["<slug:a>/", "<int:b>/", "<str:c>/", "<path:d>"],  # the rule says which comes first
        ["new/", "<slug:a>/", "<slug:a>/edit/"],
        ["<language:l>/", "en/", "de/"],
        ["<int:a>/x/", "<yyyy:b>/y/"],  # told apart further on
        ["<uuid:a>/", "<int:b>/"],
        ["v<int:a>/", "w<int:a>/"],
        ["<path:a>/edit", "<path:a>"],
        ["<odd:a>/", "<int:a>/"],  # nothing known, nothing said
        ["<int:a>/", "<odd:a>/"],
    ],
)
def test_routes_that_are_told_apart_are_not_reported(routes):
    assert found(*routes) == []
    assert found(*reversed(routes)) == []


def test_methods_tell_routes_apart():
    get, post = path("<int:a>/", view, methods=["GET"]), path("<yyyy:b>/", view, methods=["POST"])
    assert found(get, post) == []
    assert found(get, path("<yyyy:b>/", view, methods=["HEAD"])) == ["web.W016"]
    assert found(get, path("<yyyy:b>/", view)) == ["web.W017"]  # it still answers the other methods


def test_hosts_tell_routes_apart():
    one, other = path("<int:a>/", view), path("<yyyy:b>/", view)
    assert found(host("a.test", include([one])), host("b.test", include([other])), other) == []
    assert found(host("a.test", include([one, other]))) == ["web.W016"]


def test_mounts_are_not_reported():
    assert found(mount("", application), mount("x/", application), "<path:p>", "x/<path:p>") == []


def test_equal_routes_stay_an_error():
    assert found("<yyyy:a>/", "<yyyy:b>/")[0] == "web.E007"


def test_a_thousand_routes_are_compared_without_comparing_each_with_each():
    urls = [path(f"s{number}/<int:pk>/<slug:name>/", view) for number in range(1000)]
    started = time.thread_time()
    assert found(*urls) == []
    assert time.thread_time() - started < 5  # pairs would be half a million; this is some thousand look-ups
