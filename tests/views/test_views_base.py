"""View, TemplateView and RedirectView."""

import inspect

import pytest

from transom.conf import ImproperlyConfigured
from transom.templates import TemplateNotFound
from transom.views import RedirectView, TemplateView, View
from transom.web import Response, csrf_exempt


class Hello(View):
    greeting = "hello"

    async def get(self, request, **kwargs):
        return Response(f"{self.greeting} {kwargs.get('name', request.method)}")

    async def post(self, request, **kwargs):
        return Response("posted", 201)


async def test_the_method_of_the_request_chooses_the_method_of_the_class(serve):
    client = await serve([("<str:name>/", Hello.as_view())])
    assert (await client.get("/you/")).text == "hello you"
    posted = await client.post("/you/")
    assert (posted.status_code, posted.text) == (201, "posted")


async def test_head_is_answered_by_get(serve):
    client = await serve([("", Hello.as_view())])
    response = await client.head("/")
    assert (response.status_code, response.headers["content-length"], response.text) == (200, "10", "")


async def test_other_methods_are_refused_with_what_is_allowed(serve):
    client = await serve([("", Hello.as_view())])
    response = await client.put("/")
    assert (response.status_code, response.headers["allow"]) == (405, "GET, HEAD, OPTIONS, POST")
    options = await client.options("/")
    assert (options.status_code, options.headers["allow"]) == (204, "GET, HEAD, OPTIONS, POST")
    assert (await client.request("DISPATCH", "/")).status_code == 405


async def test_each_request_has_an_instance_and_each_route_its_attributes(serve):
    seen = []

    class Counting(Hello):
        async def dispatch(self, request, **kwargs):
            seen.append(self)
            return await super().dispatch(request, **kwargs)

    client = await serve([("a/", Counting.as_view()), ("b/", Counting.as_view(greeting="moin"))])
    assert [(await client.get(path)).text for path in ("/a/", "/a/", "/b/")] == [
        "hello GET",
        "hello GET",
        "moin GET",
    ]
    assert len(set(seen)) == 3


def test_a_view_keeps_name_and_documentation_of_its_class():
    view = TemplateView.as_view(template_name="x.html")
    assert (view.__name__, view.__module__, view.view_class) == (
        "TemplateView",
        "transom.views.base",
        TemplateView,
    )
    assert view.__doc__ == TemplateView.__doc__
    assert inspect.iscoroutinefunction(view)


def test_marks_on_dispatch_are_marks_of_the_view():
    class Exempt(Hello):
        @csrf_exempt
        async def dispatch(self, request, **kwargs):
            return await super().dispatch(request, **kwargs)

    assert Exempt.as_view().csrf_exempt


def test_a_handler_that_is_not_async_is_refused_when_the_view_is_made():
    class Blocking(View):
        def get(self, request, **kwargs):
            return Response("")

    with pytest.raises(TypeError, match=r"Blocking.get is not async; write `async def get`"):
        Blocking.as_view()


def test_a_class_without_handlers_is_refused():
    with pytest.raises(TypeError, match="View answers no method"):
        View.as_view()


@pytest.mark.parametrize(
    ("name", "message"),
    [("greetin", "did you mean 'greeting'"), ("get", "no attribute"), ("x", "choose from")],
)
def test_an_attribute_that_the_class_lacks_is_refused(name, message):
    with pytest.raises(TypeError, match=message):
        Hello.as_view(**{name: 1})


async def test_a_template_sees_the_view_the_route_and_more(serve):
    class About(TemplateView):
        template_name = "about.html"
        extra_context = {"colour": "red"}

        async def get_context_data(self, **context):
            return await super().get_context_data(answer=42, **context)

    source = "{{ name }} {{ colour }} {{ answer }} {{ request.path }} {{ view.kwargs }}"
    client = await serve([("<str:name>/", About.as_view())], {"about.html": source})
    assert (await client.get("/you/")).text == "you red 42 /you/ {&#39;name&#39;: &#39;you&#39;}"


async def test_the_first_template_that_exists_is_shown(serve):
    class Choosing(TemplateView):
        def get_template_names(self):
            return ["missing.html", f"{self.kwargs['name']}.html"]

    templates = {"here.html": "here", "broken.html": "{% include 'gone.html' %}"}
    client = await serve([("<str:name>/", Choosing.as_view())], templates)
    assert (await client.get("/here/")).text == "here"
    with pytest.raises(TemplateNotFound, match=r"nowhere\.html"):
        await client.get("/nowhere/")
    with pytest.raises(TemplateNotFound, match=r"gone\.html"):
        await client.get("/broken/")


def test_a_view_without_a_template_is_refused_when_it_is_made():
    with pytest.raises(ImproperlyConfigured, match="TemplateView has no template; set template_name"):
        TemplateView.as_view()


async def test_redirects_lead_to_a_route_or_an_address_with_the_parameters(serve):
    client = await serve(
        [
            ("new/<str:name>/", Hello.as_view()),
            ("old/<str:name>/", RedirectView.as_view(pattern_name="page-0", query_string=True)),
            ("url/<str:name>/", RedirectView.as_view(url="/new/{name}/", permanent=True)),
        ]
    )
    response = await client.get("/old/you/?a=1&b=%C3%A4")
    assert (response.status_code, response.headers["location"]) == (302, "/new/you/?a=1&b=%C3%A4")
    response = await client.post("/url/a%3Fb/")
    assert (response.status_code, response.headers["location"]) == (301, "/new/a%3Fb/")


@pytest.mark.parametrize("settings", [{}, {"url": "/", "pattern_name": "x"}])
def test_a_redirect_needs_one_target(settings):
    with pytest.raises(ImproperlyConfigured, match="either url or pattern_name"):
        RedirectView.as_view(**settings)


@pytest.mark.parametrize("target", ["/old//evil.example", "/old/%2F/evil.example"])
async def test_a_parameter_in_the_address_of_a_redirect_never_chooses_another_host(serve, target):
    client = await serve([("old/<path:rest>", RedirectView.as_view(url="/{rest}"))])
    assert (await client.get(target)).headers["location"] == "/evil.example"
