"""Messages for the visitor's next page."""

import logging

import pytest

from transom.cache import Cache, MemoryCache
from transom.sessions import CachedSessions, sessions
from transom.testing import Client
from transom.web import DEFAULT_MIDDLEWARE, App, JSONResponse, Response, messages, path, redirect
from transom.web.shortcuts import render_string

KEY = "0123456789abcdef0123456789abcdef"
PAGE = "{% for message in messages %}<p class='{{ message.tags }}'>{{ message }}</p>{% endfor %}"


class Safe(str):
    def __html__(self):
        return str(self)


async def save(request):
    await messages.success(request, "Saved.")
    return redirect("/page/")


async def page(request):
    return await render_string(request, PAGE)


async def ignore(request):
    return await render_string(request, "nothing to see")


async def add_and_show(request):
    await messages.info(request, "at once")
    return await page(request)


async def fail(request):
    async for _ in messages.get_messages(request):
        pass
    raise LookupError("half done")


async def as_json(request):
    return JSONResponse([message.message async for message in messages.get_messages(request)])


VIEWS = [save, page, ignore, add_and_show, fail, as_json]


def make_app(*extra, keep=None, **settings):
    routes = [path(f"{view.__name__}/", view) for view in VIEWS]
    layers = [sessions()] if keep is None else keep
    return App([*routes, *extra], middleware=[*DEFAULT_MIDDLEWARE, *layers], secret_key=KEY, **settings)


def make_client(*views, **options):
    app = make_app(*(path(f"{view.__name__}/", view) for view in views), **options)
    return Client(app, raise_exceptions=False, follow_redirects=False)


def in_cache():
    backend = MemoryCache()
    return [sessions(CachedSessions(Cache(lambda: backend)))]


@pytest.mark.parametrize("keep", [None, "cache"])
async def test_message_is_shown_once_after_the_redirect(keep):
    async with make_client(keep=keep and in_cache()) as client:
        assert (await client.get("/save/")).headers["location"] == "/page/"
        assert (await client.get("/page/")).text == "<p class='success'>Saved.</p>"
        assert (await client.get("/page/")).text == ""


async def test_messages_wait_for_a_page_that_shows_them_in_their_order():
    async with make_client() as client:
        await client.get("/save/")
        await client.get("/ignore/")
        assert (await client.get("/add_and_show/")).text == (
            "<p class='success'>Saved.</p><p class='info'>at once</p>"
        )
        assert (await client.get("/as_json/")).json() == []


async def test_message_shown_in_the_request_that_added_it_leaves_no_session():
    async with make_client() as client:
        response = await client.get("/add_and_show/")
        assert response.text == "<p class='info'>at once</p>"
        assert "set-cookie" not in response.headers


async def test_session_that_held_only_messages_ends_with_them():
    async with make_client() as client:
        await client.get("/save/")
        await client.get("/page/")
        assert "sessionid" not in client.cookies


async def test_page_that_fails_takes_no_messages(caplog):
    caplog.set_level(logging.CRITICAL, "transom")
    async with make_client() as client:
        await client.get("/save/")
        assert (await client.get("/fail/")).status_code == 500
        assert (await client.get("/as_json/")).json() == ["Saved."]


@pytest.mark.parametrize(("target", "vary"), [("/page/", "cookie"), ("/ignore/", None)])
async def test_response_varies_by_cookie_only_where_messages_are_looked_at(target, vary):
    async with make_client() as client:
        assert (await client.get(target)).headers.get("vary") == vary


async def test_text_is_escaped_unless_it_is_marked_as_safe():
    async def mixed(request):
        await messages.error(request, "<b>'&'</b>")
        await messages.info(request, Safe("<b>bold</b>"))
        return redirect("/page/")

    async with make_client(mixed) as client:
        await client.get("/mixed/")
        assert (await client.get("/page/")).text == (
            "<p class='error'>&lt;b&gt;&#x27;&amp;&#x27;&lt;/b&gt;</p><p class='info'><b>bold</b></p>"
        )


@pytest.mark.parametrize(
    ("level", "extra_tags", "tags"),
    [
        (messages.DEBUG, "", "debug"),
        (messages.INFO, "", "info"),
        (messages.SUCCESS, "wide", "wide success"),
        (messages.WARNING, "", "warning"),
        (messages.ERROR, "a b", "a b danger"),
        (15, "", "note"),
        (99, "own", "own"),
        (99, "", ""),
    ],
)
async def test_tags_are_those_of_the_level_and_those_given(level, extra_tags, tags):
    async def tagged(request):
        await messages.add_message(request, level, "x", extra_tags)
        return Response("ok")

    settings = {"message_tags": {40: "danger", 15: "note"}, "message_level": 10}
    async with make_client(tagged, **settings) as client:
        await client.get("/tagged/")
        assert (await client.get("/page/")).text == f"<p class='{tags}'>x</p>"


SHORTCUTS = [messages.debug, messages.info, messages.success, messages.warning, messages.error]


@pytest.mark.parametrize(
    ("settings", "level", "expected"),
    [
        ({}, None, ["info", "success", "warning", "error"]),
        ({"message_level": messages.DEBUG}, None, ["debug", "info", "success", "warning", "error"]),
        ({"message_level": messages.WARNING}, None, ["warning", "error"]),
        ({"message_level": messages.WARNING}, messages.SUCCESS, ["success", "warning", "error"]),
        ({}, messages.ERROR + 1, []),
    ],
)
async def test_messages_below_the_least_level_are_dropped(settings, level, expected):
    async def every(request):
        before = messages.get_level(request)
        messages.set_level(request, level)
        for shortcut in SHORTCUTS:
            await shortcut(request, shortcut.__name__)
        messages.set_level(request, None)
        assert messages.get_level(request) == before
        return Response("ok")

    async with make_client(every, **settings) as client:
        await client.get("/every/")
        assert (await client.get("/as_json/")).json() == expected


async def test_message_that_is_dropped_opens_no_session():
    async def quiet(request):
        await messages.debug(request, "x")
        return Response("ok")

    async with make_client(quiet) as client:
        assert "vary" not in (await client.get("/quiet/")).headers


async def test_messages_nobody_shows_do_not_grow_without_end():
    async def many(request):
        for number in range(100):
            await messages.info(request, f"{number:<100}")
        return Response("ok")

    async with make_client(many) as client:
        assert (await client.get("/many/")).status_code == 200
        waiting = (await client.get("/as_json/")).json()
        assert [int(text) for text in waiting] == list(range(80, 100))


async def test_long_message_is_kept_alone():
    async def long(request):
        await messages.info(request, "short")
        await messages.info(request, "x" * 2500)
        return Response("ok")

    async with make_client(long) as client:
        await client.get("/long/")
        assert (await client.get("/as_json/")).json() == ["x" * 2500]


async def test_text_may_be_an_object_that_becomes_one():
    async def lazy(request):
        await messages.info(request, LookupError("as text"))
        return Response("ok")

    async with make_client(lazy) as client:
        await client.get("/lazy/")
        assert (await client.get("/as_json/")).json() == ["as text"]


async def test_without_sessions_there_are_none_and_adding_says_what_is_missing(caplog):
    caplog.set_level(logging.CRITICAL, "transom")

    async def silent(request):
        await messages.info(request, "x", fail_silently=True)
        return await page(request)

    app = make_app(path("silent/", silent), keep=[])
    async with Client(app) as client:
        assert (await client.get("/page/")).text == ""
        assert (await client.get("/silent/")).text == ""
        with pytest.raises(RuntimeError, match=r"sessions\(\)\]"):
            await client.get("/save/")


async def test_asking_whether_there_are_any_says_what_to_write():
    async def ask(request):
        return await render_string(request, "{% if messages %}yes{% endif %}")

    async with Client(make_app(path("ask/", ask))) as client:
        with pytest.raises(TypeError, match=r"for message in messages"):
            await client.get("/ask/")


async def test_context_of_a_view_may_have_messages_of_its_own():
    async def own(request):
        return await render_string(request, "{{ messages }}", {"messages": 3})

    async with make_client(own) as client:
        assert (await client.get("/own/")).text == "3"


async def test_loop_knows_the_first_and_the_last():
    async def two(request):
        await messages.info(request, "a")
        await messages.info(request, "b")
        source = "{% for m in messages %}{{ '[' if loop.first }}{{ m }}{{ ']' if loop.last }}{% endfor %}"
        return await render_string(request, source)

    async with make_client(two) as client:
        assert (await client.get("/two/")).text == "[ab]"
