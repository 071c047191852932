"""Sending through the backend that the site's settings name."""

from __future__ import annotations

from contextlib import contextmanager
from dataclasses import replace
from functools import lru_cache
from typing import TYPE_CHECKING

from transom.conf import ImproperlyConfigured
from transom.mail.backends import MemoryBackend, make_backend
from transom.mail.message import EmailMessage
from transom.web.urls import current

if TYPE_CHECKING:
    from collections.abc import Generator, Sequence

    from transom.conf import Settings
    from transom.mail.backends import MailBackend
    from transom.mail.message import Attachment

# Where mail goes while a test captures it, the innermost last. Of the process and not of a context: the site that is
# tested runs in contexts of its own.
_captures: list[MemoryBackend] = []
_backend_of = lru_cache(maxsize=8)(make_backend)


async def send_mail(
    subject: str,
    body: str,
    to: Sequence[str],
    *,
    sender: str = "",
    html: str | None = None,
    attachments: Sequence[Attachment] = (),
    backend: MailBackend | None = None,
) -> None:
    """Send one message; for what is not named here, make an `EmailMessage` and use `send_messages`.

    Inside a transaction, send from `on_commit`: a mail cannot be rolled back.

    Args:
        subject: one line.
        body: the plain text.
        to: addresses.
        sender: the `From` address; empty for the site's `default_from_email`.
        html: the same as the body, as HTML.
        attachments: files.
        backend: None for that of the site.

    Raises:
        ValueError: see `EmailMessage`.
        MailError: the mail server cannot be reached, or refuses.
        ImproperlyConfigured: the site has no `mail_url`.
    """
    message = EmailMessage(
        subject=subject, body=body, to=to, sender=sender, html=html, attachments=attachments
    )
    await send_messages([message], backend=backend)


async def send_messages(messages: Sequence[EmailMessage], *, backend: MailBackend | None = None) -> int:
    """Send messages over one connection and return how many; those without a sender get the site's.

    Raises:
        MailError: see `MailBackend.send_messages`.
        ImproperlyConfigured: the site has no `mail_url`, or outside a site no sender is named.
    """
    settings = _settings()
    complete = [message if message.sender else _with_sender(message, settings) for message in messages]
    return await (backend or _find_backend(settings)).send_messages(complete)


@contextmanager
def capture_mail() -> Generator[list[EmailMessage]]:
    """Collect all mail of this process that goes to the site's backend, instead of sending it; for tests.

    async def test_welcome(client):
        with capture_mail() as outbox:
            await client.post("/join/", data=...)
        assert outbox[0].to == ["ann@example.com"]
    """
    backend = MemoryBackend()
    _captures.append(backend)
    try:
        yield backend.outbox
    finally:
        _captures.remove(backend)


def _find_backend(settings: Settings | None) -> MailBackend:
    if _captures:
        return _captures[-1]
    if settings is None:
        raise ImproperlyConfigured(
            "mail is sent outside a site; give send_mail a backend, or make the App first"
        )
    if settings.mail_url is not None:
        return _backend_of(settings.mail_url.get_secret_value())
    if settings.debug:
        return _backend_of("console:")
    raise ImproperlyConfigured(
        "mail_url is not set; set TRANSOM_MAIL_URL, e.g. smtp://user:password@mail.example.com:587"
    )


def _with_sender(message: EmailMessage, settings: Settings | None) -> EmailMessage:
    if settings is None:
        raise ImproperlyConfigured("mail is sent outside a site; name its sender")
    return replace(message, sender=settings.default_from_email)


def _settings() -> Settings | None:
    found = current.get(None)
    return None if found is None else found.site.settings
