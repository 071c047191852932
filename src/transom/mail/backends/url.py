"""Mail URLs: which backend, with which options.

console:                                  shown on standard output
smtp://user:password@mail.example.com     port 587, TLS by STARTTLS, which the server must offer
smtps://user:password@mail.example.com    port 465, TLS from the first byte
smtp://127.0.0.1:25?tls=no                without TLS, to a relay on this machine
"""

from __future__ import annotations

from typing import TYPE_CHECKING
from urllib.parse import SplitResult, parse_qsl, unquote, urlsplit

from transom.conf import ImproperlyConfigured
from transom.mail.backends.console import ConsoleBackend

if TYPE_CHECKING:
    from transom.mail.backends.base import MailBackend

SCHEMES = ("console", "smtp", "smtps")
OPTIONS = ("tls", "timeout")


def make_backend(url: str) -> MailBackend:
    """Return the backend that a URL names; it may hold a password, so no message repeats it.

    Raises:
        ImproperlyConfigured: the scheme or an option is unknown, or a value does not fit.
    """
    try:
        parts = urlsplit(url)
    except ValueError as exc:
        raise ImproperlyConfigured(f"mail_url does not fit: {exc}") from exc
    if parts.scheme == "console":
        return ConsoleBackend()
    if parts.scheme not in SCHEMES:
        raise ImproperlyConfigured(
            f"unknown scheme {parts.scheme!r} in mail_url; choose from {', '.join(SCHEMES)}"
        )
    return _make_smtp(parts)


def _make_smtp(parts: SplitResult) -> MailBackend:
    try:
        from transom.mail.backends.smtp import SMTPBackend
    except ModuleNotFoundError as exc:
        raise ImproperlyConfigured("mail by SMTP needs aiosmtplib; install transom[smtp]") from exc
    options = dict(parse_qsl(parts.query))
    if unknown := options.keys() - set(OPTIONS):
        raise ImproperlyConfigured(
            f"unknown option {', '.join(sorted(unknown))!r} in mail_url; choose from {', '.join(OPTIONS)}"
        )
    try:
        return SMTPBackend(
            parts.hostname or "",
            parts.port,
            username=unquote(parts.username or "") or None,
            password=unquote(parts.password or "") or None,
            tls="implicit" if parts.scheme == "smtps" else _read_tls(options.get("tls", "yes")),
            timeout=float(options.get("timeout", 30)),
        )
    except ValueError as exc:
        raise ImproperlyConfigured(f"mail_url does not fit: {exc}") from exc


def _read_tls(value: str) -> str:
    try:
        return {"yes": "starttls", "no": "none"}[value]
    except KeyError:
        raise ValueError(f"tls is {value!r}; choose from yes, no") from None
