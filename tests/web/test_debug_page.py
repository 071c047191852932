"""The debug pages: they show what helps, hide secrets, and come up whatever is broken."""

import json
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from pydantic import SecretStr

from transom.conf import Settings
from transom.web.debug import technical_404, technical_500
from transom.web.error_pages import describe_exception, hide_in_text
from transom.web.error_pages.redaction import HIDDEN, hide_in_source, is_secret_name, show
from transom.web.errors import Http404
from transom.web.request import Request
from transom.web.response import Response
from transom.web.urls import URLconf, path

SECRET = "hunter2"


class Site:
    def __init__(self, settings: Settings) -> None:
        self.settings = settings


def make_request(body: bytes = b"", app: Any = None, query: bytes = b"", **headers: str) -> Request:
    async def receive() -> dict[str, Any]:
        return {"type": "http.request", "body": body}

    scope: Any = {
        "type": "http",
        "method": "POST",
        "scheme": "http",
        "path": "/polls/<1>/",
        "query_string": query,
        "headers": [(name.replace("_", "-").encode(), value.encode()) for name, value in headers.items()],
        "client": None,
    }
    return Request(scope, receive, app=app)


def caught(function: Callable[[], object]) -> BaseException:
    try:
        function()
    except BaseException as exc:
        return exc
    raise AssertionError("nothing was raised")


async def page_of(exc: BaseException, request: Request | None = None) -> str:
    response = await technical_500(request or make_request(), exc)
    assert response.status == 500
    return response.body.decode()


def divide(numerator: int) -> float:
    return numerator / 0  # the failing line


async def test_the_page_shows_the_error_its_line_and_its_locals():
    page = await page_of(caught(lambda: divide(41)))
    assert "<h1>ZeroDivisionError</h1>" in page
    assert "division by zero" in page
    assert 'aria-current="true"><code>    return numerator / 0  # the failing line</code>' in page
    assert '<th scope="row">numerator</th><td><code>41</code>' in page
    assert "POST /polls/&lt;1&gt;/" in page


async def test_what_is_shown_is_escaped():
    page = await page_of(ValueError("<script>alert(1)</script>"), make_request(query=b"q=%3Cscript%3E"))
    assert "<script" not in page
    assert "&lt;script&gt;alert(1)" in page


async def test_the_page_brings_its_own_policy_and_is_not_stored():
    response = await technical_500(make_request(), ValueError())
    policy = response.headers["content-security-policy"]
    assert "default-src 'none'" in policy
    assert "style-src 'sha256-" in policy
    assert b" style=" not in response.body
    assert response.headers["cache-control"] == "no-store"


async def test_chains_are_told_apart():
    def fail() -> None:
        try:
            try:
                raise KeyError("first")
            except KeyError as exc:
                raise ValueError("second") from exc
        except ValueError:
            raise TypeError("third")  # noqa: B904

    chain = describe_exception(caught(fail))
    assert [view.type_name for view in chain] == ["TypeError", "ValueError", "KeyError"]
    assert [view.link for view in chain] == [
        "was raised while this was being handled",
        "was raised because of",
        "",
    ]
    assert "The exception above was raised because of" in await page_of(caught(fail))


def test_a_suppressed_context_and_a_cycle_end_the_chain():
    first, second = ValueError(1), ValueError(2)
    first.__cause__, second.__cause__ = second, first
    assert len(describe_exception(first)) == 2
    third = ValueError(3)
    third.__context__ = first
    third.__suppress_context__ = True
    assert len(describe_exception(third)) == 1


async def test_groups_show_their_members_and_notes():
    inner = caught(lambda: divide(1))
    inner.add_note("a note")
    group = ExceptionGroup("several", [inner, ExceptionGroup("deep", [KeyError("k")])])
    page = await page_of(group)
    assert page.count("<summary>Member 1 of the group") == 2
    assert "a note" in page
    assert "KeyError" in page


async def test_endless_recursion_is_cut_in_the_middle():
    def recurse() -> None:
        recurse()

    (view,) = describe_exception(caught(recurse))
    assert len(view.frames) == 50
    assert view.omitted > 100


class Broken:
    def __repr__(self) -> str:
        raise RuntimeError("no repr")

    def __str__(self) -> str:
        raise SystemExit


class NoText:
    def __repr__(self) -> str:
        return 1  # type: ignore[return-value]


class BrokenError(Exception):
    def __str__(self) -> str:
        raise ValueError


class BrokenMapping(Mapping[str, str]):
    def __getitem__(self, key: str) -> str:
        raise OSError

    def __iter__(self) -> Any:
        return iter("a")

    def __len__(self) -> int:
        return 1


async def test_broken_objects_never_break_the_page():
    def fail(_broken: object, _list: object, _mapping: object, _text: object, _loop: list[Any]) -> None:
        raise BrokenError

    loop: list[Any] = []
    loop.append(loop)
    page = await page_of(caught(lambda: fail(Broken(), [Broken()], BrokenMapping(), NoText(), loop)))
    assert "&lt;Broken whose repr raised RuntimeError&gt;" in page
    assert "&lt;BrokenMapping whose repr raised OSError&gt;" in page
    assert "&lt;NoText whose repr raised TypeError&gt;" in page
    assert "message could not be made: ValueError" in page


async def test_a_broken_request_still_has_a_page():
    page = await page_of(ValueError("x"), make_request(query=b"q=%FF"))
    assert "could not be read" in page


async def test_lone_surrogates_still_have_a_page():
    assert "\\udcff" in await page_of(ValueError("\udcff"))


def test_representations_are_bounded():
    assert len(show("x" * 1_000_000)) < 3_000
    assert len(show(list(range(100_000)))) < 3_000
    assert len(show({number: "x" * 1000 for number in range(1000)})) < 3_000
    assert len(show(b"x" * 1_000_000)) < 3_000
    nested: Any = "deep"
    for _ in range(1000):
        nested = {"level": nested}
    assert len(show(nested)) < 3_000


@dataclass
class Account:
    user: str
    password: str


@pytest.mark.parametrize(
    "value",
    [
        {"password": SECRET},
        {"a": [{"deep": {"API_KEY": SECRET}}]},
        {b"authorization": SECRET},
        Account("x", SECRET),
        [Account("x", SECRET)],
        f"postgresql://user:{SECRET}@host/db",
        [f"redis://:{SECRET}@host"],
        f"x=1&token={SECRET}&y=2",
        f"Authorization: Bearer {SECRET}",
        f'{{"client_secret": "{SECRET}"}}',
        f"{{'client_secret': b'{SECRET}'}}",
        SecretStr(SECRET),
        {"x": SecretStr(SECRET)},
        b"password=" + SECRET.encode(),
        ("session_id=" + SECRET,),
        "y" * 1_980 + f"postgresql://user:{SECRET}@host",
        "y" * 480 + f" password={SECRET}",
    ],
)
def test_secrets_are_hidden_however_deep_they_are(value: object):
    assert SECRET not in show(value)


@pytest.mark.parametrize(
    "name",
    [
        *("key", "SECRET_KEY", "token", "csrftoken", "password", "passwd", "Authorization", "cookie"),
        *("api", "signature", "session", "dsn", "DATABASE_DSN", "x_api_version"),
    ],
)
async def test_secrets_are_hidden_by_their_name_everywhere(name: str):
    assert is_secret_name(name)
    local = {name: "x"}
    request = make_request(
        f"{name}={SECRET}".encode(),
        query=f"{name}={SECRET}".encode(),
        cookie=f"{name}={SECRET}",
        content_type="application/x-www-form-urlencoded",
        **{f"x-{name}": SECRET},
    )
    await request.form()

    def fail() -> None:
        raise ValueError(f"{name}={SECRET}")

    page = await page_of(caught(fail), request)
    assert SECRET not in page
    assert HIDDEN in page
    assert local


async def test_secret_locals_are_hidden_and_others_are_not():
    def fail(api_token: str, visible: str) -> None:
        raise ValueError

    page = await page_of(caught(lambda: fail("".join(("hun", "ter2")), "plain value")))
    assert SECRET not in page
    assert "plain value" in page


def test_code_is_shown_but_its_secret_literals_are_not():
    assert hide_in_source("    api_key: str = request.token  # key: see there") == (
        "    api_key: str = request.token  # key: see there"
    )
    assert SECRET not in hide_in_source(f"    API_KEY = '{SECRET}'")
    assert SECRET not in hide_in_source(f'call(password="{SECRET}")')


async def test_secrets_in_settings_are_hidden():
    class SiteSettings(Settings):
        mail_password: str = ""
        mail_server: str = ""

    settings = SiteSettings(
        _env_file=None,
        secret_key=SecretStr(SECRET * 5),
        databases={"default": f"postgresql://user:{SECRET}@host/db"},
        database_url=f"postgresql://user:{SECRET}@host/db",
        mail_password=SECRET,
        mail_server="mail.example.com",
    )
    page = await page_of(ValueError("x"), make_request(app=Site(settings)))
    assert SECRET not in page
    assert "mail.example.com" in page
    assert "postgresql://user:[hidden]@host/db" in page


@pytest.mark.parametrize("text", ["monkey business", "a key opens it", "http://host:80/a@b", "token"])
def test_text_that_holds_no_secret_is_left_alone(text: str):
    assert hide_in_text(text) == text


@given(st.text(max_size=300))
def test_hiding_takes_any_text(text: str):
    hide_in_text(text)
    show(text)


@pytest.mark.parametrize("piece", ["key", "key=", "a://b:", "key='", "key: ", '"', "://"])
def test_hiding_is_linear(piece: str):
    """Thousands of repetitions would take minutes if each were looked at from the start."""
    hide_in_text(piece * 5_000)


async def test_json_clients_get_json():
    response = await technical_500(make_request(accept="application/json"), caught(lambda: divide(1)))
    problem = json.loads(response.body)
    assert problem["detail"] == "ZeroDivisionError: division by zero"
    assert "divide" in problem["traceback"][0]


async def view(request: Request) -> Response:
    return Response()


async def test_404_lists_the_routes_and_marks_close_ones():
    urlconf = URLconf([path("poll/<int:pk>/", view, name="poll"), path("quite-different", view)])
    response = await technical_404(make_request(), Http404("no route leads there"), urlconf)
    page = response.body.decode()
    assert response.status == 404
    assert "no route leads there" in page
    assert "<code>/poll/&lt;int:pk&gt;/</code></td><td>poll</td>" in page
    assert "quite-different" in page
    assert "Did you mean <code>/poll/&lt;int:pk&gt;/</code>?" in page
    assert "test_debug_page.view" in page


async def test_404_of_an_empty_site_says_what_to_do():
    response = await technical_404(make_request(), Http404(), URLconf([]))
    assert "add a path() to urlpatterns" in response.body.decode()
