"""Decorators of views: methods, caches, conditional requests; on functions, on methods and on classes."""

import inspect
from datetime import UTC, datetime, timedelta

import pytest

from transom.views import View
from transom.views.decorators import (
    cache_control,
    condition,
    conditional_page,
    etag,
    last_modified,
    never_cache,
    require_GET,
    require_http_methods,
    require_POST,
    require_safe,
    vary_on_cookie,
    vary_on_headers,
)
from transom.web import Response, StreamingResponse, csrf_exempt, threaded
from transom.web.urls import URLconf, path

NOON = datetime(2026, 11, 26, 12, 0, 0, 500_000, tzinfo=UTC)
NOON_FIELD = "Thu, 26 Nov 2026 12:00:00 GMT"
SAME_ORIGIN = {"sec-fetch-site": "same-origin"}


async def show(request, **kwargs):
    return Response("shown")


@pytest.fixture
def ask(serve):
    async def ask(view, method="GET", **headers):
        client = await serve([("", view)])
        fields = {name.replace("_", "-"): value for name, value in headers.items()}
        return await client.request(method, "/", headers=SAME_ORIGIN | fields)

    return ask


# What all of them are.

ALL = [
    require_http_methods(["GET"]),
    require_GET,
    require_POST,
    require_safe,
    cache_control(max_age=1),
    never_cache,
    vary_on_headers("accept"),
    vary_on_cookie,
    condition(lambda request, pk: "x"),
    etag(lambda request, pk: "x"),
    last_modified(lambda request, pk: NOON),
    conditional_page,
]


@pytest.mark.parametrize("decorator", ALL)
def test_the_view_stays_what_it_was(decorator):
    @csrf_exempt
    async def view(request, pk: int) -> Response:
        """Say it."""

    decorated = decorator(view)
    assert inspect.signature(decorated) == inspect.signature(view)
    assert (decorated.__name__, decorated.__doc__, decorated.csrf_exempt) == ("view", "Say it.", True)
    assert URLconf([path("<int:pk>/", decorated)]).checks == []
    assert [message.id for message in URLconf([path("", decorated)]).checks] == ["web.E005"]


@pytest.mark.parametrize("decorator", ALL)
def test_a_plain_view_is_refused_where_it_is_decorated(decorator):
    def view(request, pk): ...

    with pytest.raises(TypeError, match="view is not async; write `async def`"):
        decorator(view)
    decorator(threaded(view))


async def test_they_go_on_methods_of_a_class(ask):
    class Page(View):
        @require_GET
        @vary_on_cookie
        @etag(lambda request, **kwargs: "v1")
        async def get(self, request, **kwargs):
            return Response(type(self).__name__)

        @cache_control(no_store=True)
        async def post(self, request, **kwargs):
            return Response("posted")

    response = await ask(Page.as_view())
    assert (response.text, response.headers["vary"], response.headers["etag"]) == ("Page", "cookie", '"v1"')
    assert "cache-control" not in response.headers
    assert (await ask(Page.as_view(), "POST")).headers["cache-control"] == "no-store"
    assert (await ask(Page.as_view(), if_none_match='"v1"')).status_code == 304


async def test_a_class_names_those_of_all_its_methods_the_first_outermost(ask):
    def append(text):
        def decorate(view):
            async def decorated(request, **kwargs):
                response = await view(request, **kwargs)
                response.body += text
                return response

            return decorated

        return decorate

    class Page(View):
        decorators = [append(b" outer"), append(b" inner"), never_cache]

        async def get(self, request, **kwargs):
            return Response("page")

    response = await ask(Page.as_view())
    assert response.text == "page inner outer"
    assert "no-store" in response.headers["cache-control"]


async def test_subclasses_inherit_them_and_the_view_stays_of_its_class(ask):
    class Base(View):
        decorators = [csrf_exempt, never_cache]

    class Page(Base):
        async def get(self, request, **kwargs):
            return Response("page")

    view = Page.as_view()
    assert (view.view_class, view.__name__, view.csrf_exempt) == (Page, "Page", True)
    assert "private" in (await ask(view)).headers["cache-control"]


async def test_a_view_without_a_request_is_refused():
    with pytest.raises(TypeError, match="without a request"):
        await require_GET(show)("no request")


# Methods.


@pytest.mark.parametrize(
    ("decorator", "allowed"),
    [
        (require_http_methods(["get", "POST"]), {"GET", "HEAD", "POST"}),
        (require_http_methods(["PUT"]), {"PUT"}),
        (require_GET, {"GET", "HEAD"}),
        (require_safe, {"GET", "HEAD"}),
        (require_POST, {"POST"}),
    ],
)
async def test_only_these_methods_are_answered(ask, decorator, allowed):
    field = ", ".join(sorted(allowed | {"OPTIONS"}))
    for method in ("GET", "HEAD", "POST", "PUT", "PURGE"):
        response = await ask(decorator(show), method)
        assert response.status_code == (200 if method in allowed else 405), method
        assert method in allowed or response.headers["allow"] == field
    options = await ask(decorator(show), "OPTIONS")
    assert (options.status_code, options.headers["allow"]) == (204, field)


async def test_a_view_may_answer_options_itself(ask):
    assert (await ask(require_http_methods(["OPTIONS"])(show), "OPTIONS")).text == "shown"


def test_methods_are_a_list():
    with pytest.raises(TypeError, match=r"give a list, e\.g\. \['GET'\]"):
        require_http_methods("GET")


# Caches.


@pytest.mark.parametrize(
    ("set_by_view", "directives", "expected"),
    [
        ("", {"max_age": 60}, "max-age=60"),
        ("", {"max_age": timedelta(hours=1), "public": True}, "max-age=3600, public"),
        ("", {"s_maxage": 0, "stale_while_revalidate": 5}, "s-maxage=0, stale-while-revalidate=5"),
        ("max-age=10", {"max_age": 60}, "max-age=10"),
        ("max-age=100", {"max_age": 60}, "max-age=60"),
        ("Max-Age=100, must-revalidate", {"max_age": 60}, "max-age=60, must-revalidate"),
        ("private", {"public": True}, "public"),
        ("public, immutable", {"private": True}, "immutable, private"),
        ("no-cache", {"no_transform": True}, "no-cache, no-transform"),
    ],
)
async def test_directives_are_added_to_those_of_the_view(ask, set_by_view, directives, expected):
    async def view(request):
        return Response("x", headers={"cache-control": set_by_view} if set_by_view else {})

    assert (await ask(cache_control(**directives)(view))).headers["cache-control"] == expected


@pytest.mark.parametrize(
    ("directives", "error"),
    [
        ({}, TypeError),
        ({"public": True, "private": True}, TypeError),
        ({"max_age": -1}, ValueError),
        ({"maxage": 1}, TypeError),
    ],
)
def test_directives_that_make_no_sense_are_refused(directives, error):
    with pytest.raises(error):
        cache_control(**directives)


async def test_never_cache_says_so_to_every_cache(ask):
    response = await ask(never_cache(show))
    assert response.headers["cache-control"] == "max-age=0, no-cache, no-store, must-revalidate, private"


async def test_vary_keeps_what_is_there(ask):
    async def view(request):
        return Response("x", headers={"vary": "Accept"})

    response = await ask(vary_on_headers("accept", "accept-language")(vary_on_cookie(view)))
    assert response.headers["vary"] == "Accept, cookie, accept-language"


def test_vary_without_names_is_refused():
    with pytest.raises(TypeError, match="takes names of fields"):
        vary_on_headers()
    with pytest.raises(TypeError, match="takes names of fields"):
        vary_on_headers(show)


# Conditional requests.


def counting(view):
    async def counted(request, **kwargs):
        counted.calls += 1
        return await view(request, **kwargs)

    counted.calls = 0
    return counted


@pytest.mark.parametrize(
    ("headers", "status"),
    [
        ({}, 200),
        ({"if_none_match": '"v1"'}, 304),
        ({"if_none_match": 'W/"v1"'}, 304),
        ({"if_none_match": '"v0", "v1"'}, 304),
        ({"if_none_match": "*"}, 304),
        ({"if_none_match": '"v0"'}, 200),
        ({"if_match": '"v1"'}, 200),
        ({"if_match": '"v0"'}, 412),
        ({"if_modified_since": NOON_FIELD}, 304),
        ({"if_modified_since": "Thu, 26 Nov 2026 11:59:59 GMT"}, 200),
        ({"if_modified_since": NOON_FIELD, "if_none_match": '"v0"'}, 200),  # the tag says more than the time
        ({"if_unmodified_since": "Thu, 26 Nov 2026 11:59:59 GMT"}, 412),
        ({"if_unmodified_since": NOON_FIELD}, 200),
        ({"if_modified_since": "yesterday"}, 200),
    ],
)
async def test_the_view_runs_only_where_the_condition_holds(ask, headers, status):
    view = counting(show)
    response = await ask(condition(lambda request: "v1", lambda request: NOON)(view), **headers)
    assert (response.status_code, view.calls) == (status, int(status == 200))
    if status != 412:
        assert (response.headers["etag"], response.headers["last-modified"]) == ('"v1"', NOON_FIELD)


async def test_unsafe_methods_are_refused_and_not_answered_304(ask):
    decorate = etag(lambda request: "v1")
    refused = await ask(decorate(show), "PUT", if_none_match='"v1"')
    assert refused.status_code == 412
    done = await ask(decorate(show), "PUT", if_match='"v1"')
    assert (done.status_code, "etag" in done.headers) == (200, False)


async def test_the_functions_may_be_async_and_get_what_the_view_gets(serve):
    async def find_tag(request, pk):
        return f"v{pk}"

    def find_time(request, pk):
        return NOON + timedelta(days=pk)

    client = await serve([("<int:pk>/", condition(find_tag, find_time)(show))])
    response = await client.get("/3/")
    assert (response.headers["etag"], response.headers["last-modified"]) == (
        '"v3"',
        "Sun, 29 Nov 2026 12:00:00 GMT",
    )


async def test_what_is_not_known_settles_nothing(ask):
    decorate = condition(lambda request: None, lambda request: None)
    response = await ask(decorate(show), if_none_match="*", if_modified_since=NOON_FIELD)
    assert (response.status_code, "etag" in response.headers, "last-modified" in response.headers) == (
        200,
        False,
        False,
    )
    assert (await ask(decorate(show), if_match="*")).status_code == 412


async def test_what_the_view_sets_itself_stays(ask):
    async def view(request):
        return Response("x", headers={"etag": 'W/"own"'})

    assert (await ask(etag(lambda request: "v1")(view))).headers["etag"] == 'W/"own"'


@pytest.mark.parametrize(
    ("decorator", "message"),
    [
        (etag(lambda request: 'a"b'), "is malformed"),
        (etag(lambda request: "a\r\nb"), "is malformed"),
        (last_modified(lambda request: datetime(2026, 1, 1)), "is naive"),
    ],
)
async def test_validators_that_cannot_be_sent_are_explained(ask, decorator, message):
    with pytest.raises(ValueError, match=message):
        await ask(decorator(show))


def test_condition_needs_a_function():
    with pytest.raises(TypeError, match="takes a function"):
        condition()


async def test_a_page_that_the_client_has_is_not_sent_again(ask):
    async def view(request):
        return Response("page", headers={"cache-control": "private", "vary": "cookie", "x-other": "1"})

    first = await ask(conditional_page(view))
    assert (first.status_code, first.text) == (200, "page")
    again = await ask(conditional_page(view), if_none_match=first.headers["etag"])
    assert (again.status_code, again.content) == (304, b"")
    assert (again.headers["cache-control"], again.headers["vary"]) == ("private", "cookie")
    assert "x-other" not in again.headers
    assert "content-length" not in again.headers
    assert (await ask(conditional_page(view), "HEAD", if_none_match=first.headers["etag"])).status_code == 304


async def test_what_is_no_page_has_no_tag(ask):
    async def pieces():
        yield b"x"

    async def stream(request):
        return StreamingResponse(pieces())

    async def secret(request):
        return Response("x", headers={"cache-control": "No-Store"})

    async def missing(request):
        return Response("x", 404)

    for view, method in [(stream, "GET"), (secret, "GET"), (missing, "GET"), (show, "POST")]:
        assert "etag" not in (await ask(conditional_page(view), method, if_none_match="*")).headers
