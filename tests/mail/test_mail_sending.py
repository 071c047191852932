"""Which backend a message goes to."""

import io
import sys

import pytest

from transom.conf import ImproperlyConfigured
from transom.mail import (
    ConsoleBackend,
    EmailMessage,
    MemoryBackend,
    capture_mail,
    make_backend,
    send_mail,
    send_messages,
)
from transom.testing import Client
from transom.web import App, Response, path


async def contact(request):
    await send_mail("Hello", "Hi.", ["ann@example.com"])
    return Response("sent")


def make_site(**settings):
    return App([path("", contact)], secret_key="k" * 40, **settings)


async def test_captured_mail_has_the_sender_of_the_site():
    async with Client(make_site(default_from_email="Site <site@example.com>")) as client:
        with capture_mail() as outbox:
            await client.get("/")
    (message,) = outbox
    assert message.subject == "Hello"
    assert message.sender == "Site <site@example.com>"


async def test_console_is_the_backend_in_debug(capsys):
    async with Client(make_site(debug=True)) as client:
        await client.get("/")
    assert "To: ann@example.com" in capsys.readouterr().out


async def test_console_shows_text_as_it_is_read():
    stream = io.StringIO()
    message = EmailMessage(
        subject="Grüße", body="Straße", to=["a@example.com"], bcc=["b@example.com"], sender="s@example.com"
    )
    assert await ConsoleBackend(stream).send_messages([message, message]) == 2
    assert "Subject: Grüße" in stream.getvalue()
    assert "Straße" in stream.getvalue()
    assert "(Bcc: b@example.com)" in stream.getvalue()


async def test_production_without_mail_url_is_an_error():
    async with Client(make_site()) as client:
        with pytest.raises(ImproperlyConfigured, match="TRANSOM_MAIL_URL"):
            await client.get("/")


async def test_explicit_backend_needs_no_site():
    backend = MemoryBackend()
    message = EmailMessage(subject="A", body="B", to=["a@example.com"], sender="b@example.com")
    assert await send_messages([message], backend=backend) == 1
    assert backend.outbox == [message]


@pytest.mark.parametrize(
    ("url", "complaint"),
    [
        ("ftp://user:hunter2@x", "unknown scheme 'ftp'"),
        ("smtp://user:hunter2@x?tls=maybe", "choose from yes, no"),
        ("smtp://user:hunter2@x?tls=no", "needs TLS"),
        ("smtp://user:hunter2@x?speed=9", "unknown option 'speed'"),
        ("smtp://user:hunter2@x?timeout=soon", "mail_url does not fit"),
        ("smtp://user:hunter2@x:port", "mail_url does not fit"),
        ("smtp://[hunter2", "mail_url does not fit"),
        ("smtp://", "no host"),
    ],
)  # fmt: skip
def test_malformed_mail_url_names_the_mistake_and_no_password(url, complaint):
    with pytest.raises(ImproperlyConfigured, match=complaint) as caught:
        make_backend(url)
    assert "hunter2" not in str(caught.value)


def test_missing_library_names_the_extra(monkeypatch):
    monkeypatch.delitem(sys.modules, "transom.mail.backends.smtp", raising=False)
    monkeypatch.setitem(sys.modules, "aiosmtplib", None)
    with pytest.raises(ImproperlyConfigured, match=r"transom\[smtp\]"):
        make_backend("smtp://mail.example.com")
