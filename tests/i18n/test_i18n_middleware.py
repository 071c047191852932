"""The language of a request, in views, streams and templates."""

from datetime import UTC, datetime

import pytest

from transom.i18n import (
    LANGUAGE_COOKIE,
    get_language,
    gettext,
    locale,
    ngettext,
    timezone,
    translate_templates,
)
from transom.templates import JinjaEngine
from transom.testing import Client
from transom.web import DEFAULT_MIDDLEWARE, App, Response, StreamingResponse, path, render


async def hello(request):
    return Response(f"{get_language()}: {gettext('Hello')}")


async def stream(request):
    async def pieces():
        yield gettext("Hello")

    return StreamingResponse(pieces())


async def page(request):
    return await render(
        request, "page.html", {"name": "<b>", "when": datetime(2026, 1, 1, 23, 30, tzinfo=UTC), "n": 2}
    )


async def fixed(request):
    return Response("x", headers={"content-language": "la"})


@pytest.fixture
async def client(tmp_path, write_catalog):
    write_catalog(
        tmp_path,
        "de",
        {"Hello": "Hallo", "Hello %(name)s": "Hallo %(name)s", "One\0%(num)s": "Eins\0%(num)s Stück"},
    )
    (tmp_path / "page.html").write_text(
        '<html lang="{{ get_language() }}">{{ _("Hello %(name)s", name=name) }} {{ ngettext("One", "%(num)s", n) }} '
        '{% trans %}Hello{% endtrans %} {{ when|date("j H:i") }}'
    )
    app = App(
        [path("", hello), path("stream/", stream), path("page/", page), path("fixed/", fixed)],
        middleware=[*DEFAULT_MIDDLEWARE, locale(["en", "de", "pt-BR"])],
        secret_key="k" * 40,
        locale_dirs=[tmp_path],
        template_dirs=[tmp_path],
        time_zone="Europe/Berlin",
    )
    translate_templates(app.templates)
    async with Client(app) as client:
        yield client


@pytest.mark.parametrize(
    ("accept", "cookie", "body"),
    [
        (None, None, "en: Hello"),
        ("de-AT, en;q=0.5", None, "de: Hallo"),
        ("fr", None, "en: Hello"),
        ("de", "en", "en: Hello"),
        ("en", "de", "de: Hallo"),
        ("de", "fr", "de: Hallo"),  # a language the site does not have
        ("de", "../../etc", "de: Hallo"),
        ("en", "PT-br", "pt-BR: Hello"),
    ],
)
async def test_cookie_decides_then_the_field_then_the_default(client, accept, cookie, body):
    headers = {"accept-language": accept} if accept else {}
    if cookie:
        headers["cookie"] = f"{LANGUAGE_COOKIE}={cookie}"
    response = await client.get("/", headers=headers)
    assert response.text == body
    assert response.headers["content-language"] == body.partition(":")[0]
    assert response.headers["vary"] == "accept-language, cookie"


async def test_answer_to_an_unknown_path_varies_too(client):
    response = await client.get("/nowhere/", headers={"accept-language": "de"})
    assert response.status_code == 404
    assert response.headers["content-language"] == "de"


async def test_view_may_name_the_language_of_its_answer(client):
    assert (await client.get("/fixed/")).headers["content-language"] == "la"


async def test_stream_is_in_the_language_of_its_request(client):
    assert (await client.get("/stream/", headers={"accept-language": "de"})).text == "Hallo"
    assert get_language() is None


async def test_template_is_translated_and_its_variables_escaped(client):
    response = await client.get("/page/", headers={"accept-language": "de"})
    assert response.text == '<html lang="de">Hallo &lt;b&gt; 2 Stück Hallo 2 00:30'
    response = await client.get("/page/")
    assert response.text == '<html lang="en">Hello &lt;b&gt; 2 Hello 2 00:30'


def test_other_engines_are_refused():
    with pytest.raises(TypeError, match="expected a JinjaEngine"):
        translate_templates(object())


async def test_date_filter_shows_the_active_zone():
    engine = JinjaEngine([])
    translate_templates(engine)
    context = {"when": datetime(2026, 7, 1, 22, tzinfo=UTC), "nothing": None}
    with timezone.override("Asia/Tokyo"):
        assert await engine.render_string("{{ when|date('j H:i') }}{{ nothing|date }}", context) == "2 07:00"


@pytest.mark.parametrize("languages", [[], "en", ["en", "x_y"]])
def test_languages_are_checked_when_the_site_is_made(languages):
    with pytest.raises(ValueError, match=r"languages is|no language tag"):
        locale(languages)


def test_plural_of_the_source():
    assert [ngettext("%d vote", "%d votes", n) % n for n in (1, 2)] == ["1 vote", "2 votes"]
