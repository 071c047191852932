"""What a user gets for a mistake, from one end to the other: a clear error, and nothing lost that was kept."""

from __future__ import annotations

import asyncio
import html
from pathlib import Path

import pytest

from transom.asgi import validate
from transom.conf import ImproperlyConfigured
from transom.db import ConnectionFailed, FieldError, atomic, connections, create_tables, models
from transom.server import Config, Server
from transom.testing import Client
from transom.web import App, HTMLResponse, NoReverseMatch, Request, Response, path


class Account(models.Model):
    """Something that must not be lost."""

    owner = models.CharField(max_length=50)
    balance = models.IntegerField(default=0)

    class Meta:
        app_label = "bad_input"


@pytest.fixture
async def database(tmp_path: Path):
    connections.configure({"default": f"sqlite:///{tmp_path / 'accounts.sqlite3'}"})
    await create_tables(Account)
    yield
    await connections.aclose()


@pytest.mark.parametrize(
    ("ask", "named"),
    [
        (lambda: Account.objects.filter(ownr="x"), "owner"),
        (lambda: Account.objects.filter(owner__contians="x"), "contains"),
        (lambda: Account.objects.order_by("balanc"), "balance"),
        (lambda: Account.objects.select_related("bank"), "bank"),
        (lambda: Account(ownr="x"), "owner"),
    ],
    ids=["field", "lookup", "ordering", "relation", "constructor"],
)
def test_an_unknown_name_of_a_model_is_an_error_that_names_the_choices(ask, named):
    with pytest.raises((FieldError, TypeError), match=named):
        ask()


def test_an_unknown_url_name_names_the_close_one():
    async def view(request: Request) -> Response:
        return HTMLResponse("")

    with pytest.raises(NoReverseMatch, match="accounts"):
        App([path("accounts/", view, name="accounts")], debug=True).reverse("acounts")


async def test_an_unknown_template_names_the_folders_and_the_close_one(tmp_path: Path):
    (tmp_path / "accounts.html").write_text("")
    app = App([], debug=True, template_dirs=[tmp_path])
    with pytest.raises(Exception, match=r"accounts\.html") as caught:
        await app.templates.render("acounts.html", {})
    assert str(tmp_path) in str(caught.value)


def test_an_unknown_setting_names_the_close_one():
    with pytest.raises(ImproperlyConfigured, match="did you mean 'databases'"):
        App([], database={"default": "sqlite:///x"})


@pytest.mark.parametrize(
    "request_",
    [
        b"GET / HTTP/1.1\r\n\r\n",
        b"GET / HTTP/1.1\r\nHost: a\r\nHost: b\r\n\r\n",
        b"GET / HTTP/1.1\nHost: localhost\n\n",
        b"POST / HTTP/1.1\r\nHost: localhost\r\nContent-Length: 1\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n",
        b"GET  / HTTP/1.1\r\nHost: localhost\r\n\r\n",
        b"\x16\x03\x01\x02\x00\x01\x00\x01\xfc",
    ],
    ids=["no host", "two hosts", "bare LF", "two lengths", "two spaces", "TLS"],
)
async def test_a_malformed_request_gets_400_and_the_connection_closes(request_: bytes):
    async def app(scope, receive, send):
        raise AssertionError("the application must not see it")

    async with Server(app, Config(port=0, lifespan="off", access_log=False)) as server:
        reader, writer = await asyncio.open_connection(*server.addresses[0][:2])
        writer.write(request_)
        answer = await asyncio.wait_for(reader.read(), 5)
        writer.close()
        await writer.wait_closed()
    assert answer.startswith(b"HTTP/1.1 400 ")


async def test_a_view_that_raises_gives_500_and_loses_nothing_that_was_committed(database):
    async def transfer(request: Request) -> Response:
        async with atomic():
            await Account.objects.create(owner="committed")
        async with atomic():
            await Account.objects.create(owner="rolled back")
            raise RuntimeError("on the way")

    app = App([path("", transfer)])
    async with Client(validate(app), raise_exceptions=False) as client:
        response = await client.get("/")
        assert response.status_code == 500
        assert "on the way" not in response.text
        assert [account.owner async for account in Account.objects.all()] == ["committed"]


async def test_the_debug_page_shows_source_and_locals_but_no_secrets():
    async def view(request: Request) -> Response:
        password = "hunter" + str(2)
        colour = "teal-ish"
        raise RuntimeError(f"no {colour} today, {len(password)}")

    app = App([path("", view)], debug=True, secret_key="s3cr3t" * 8)
    async with Client(app, raise_exceptions=False) as client:
        page = (await client.get("/", headers={"authorization": "Bearer abcdef", "accept": "text/html"})).text
    assert "no teal-ish today" in page
    assert "raise RuntimeError" in page  # the source line
    assert "'teal-ish'" in html.unescape(page)  # the local
    for secret in ("hunter2", "s3cr3t", "abcdef"):
        assert secret not in page


@pytest.mark.parametrize(
    ("url", "named"),
    [
        ("postgresql://user:hunter2@127.0.0.1:1/site", "127.0.0.1:1/site"),
        ("sqlite:////no/such/folder/site.sqlite3", "/no/such/folder"),
    ],
)
async def test_an_unreachable_database_says_which_url_failed_and_how(url: str, named: str):
    connections.configure({"default": url})
    try:
        with pytest.raises(ConnectionFailed) as caught:
            await Account.objects.count()
    finally:
        await connections.aclose()
    assert named in str(caught.value)
    assert "hunter2" not in str(caught.value)
