"""Sends messages through a mail server (RFC 5321), with aiosmtplib.

TLS is asked for or not, never tried: a server, or someone on the way to it, that does not offer STARTTLS gets neither the
password nor the mail.
"""

from __future__ import annotations

from contextlib import asynccontextmanager
from typing import TYPE_CHECKING, Literal, TypeAlias

import aiosmtplib

from transom.mail.exceptions import MailError, RecipientsRefused

if TYPE_CHECKING:
    import ssl
    from collections.abc import AsyncGenerator, Sequence

    from transom.mail.message import EmailMessage

TLS: TypeAlias = Literal["starttls", "implicit", "none"]
PORTS = {"starttls": 587, "implicit": 465, "none": 25}  # RFC 6409, RFC 8314, RFC 5321
LOOPBACK = ("localhost", "127.0.0.1", "::1")


class SMTPBackend:
    """Sends messages to one mail server: a connection for each call, kept for all its messages.

    Args:
        host: name or address of the server.
        port: None for 587 with STARTTLS, 465 with implicit TLS, 25 without.
        username: None to send without logging in.
        password: goes with it.
        tls: "starttls", "implicit" or "none".
        timeout: seconds each answer of the server may take.
        tls_context: None to verify the server against the system's certificates.

    Raises:
        ValueError: a value does not fit, or a password would cross the network in plain text.
    """

    def __init__(
        self,
        host: str,
        port: int | None = None,
        *,
        username: str | None = None,
        password: str | None = None,
        tls: str = "starttls",
        timeout: float = 30.0,
        tls_context: ssl.SSLContext | None = None,
    ) -> None:
        if not host:
            raise ValueError("no host of a mail server is named")
        if tls not in PORTS:
            raise ValueError(f"tls is {tls!r}; choose from {', '.join(PORTS)}")
        if username and tls == "none" and host not in LOOPBACK:
            raise ValueError(f"a password for {host!r} needs TLS; leave out tls=no")
        self._host = host
        self._port = port or PORTS[tls]
        self._username = username
        self._password = password
        self._tls = tls
        self._timeout = timeout
        self._tls_context = tls_context

    async def send_messages(self, messages: Sequence[EmailMessage]) -> int:
        """Send the messages over one connection; see `MailBackend.send_messages`.

        Raises:
            RecipientsRefused: some or all recipients of a message were refused; messages behind it were not tried.
            MailError: the server cannot be reached, or refuses the login, a sender or a message.
        """
        envelopes = [(item.envelope_sender, item.recipients, bytes(item.build())) for item in messages]
        if not envelopes:
            return 0
        sent = 0
        try:
            async with self._connected() as client:
                for sender, recipients, content in envelopes:
                    refused, _ = await client.sendmail(sender, recipients, content)
                    sent += 1
                    if refused:
                        reasons = {address: str(answer.message) for address, answer in refused.items()}
                        raise RecipientsRefused(reasons, sent=sent)
        except aiosmtplib.SMTPRecipientsRefused as exc:
            raise RecipientsRefused(
                {item.recipient: item.message for item in exc.recipients}, sent=sent
            ) from exc
        except (aiosmtplib.SMTPException, OSError) as exc:
            raise MailError(f"mail server {self._host}:{self._port}: {exc}", sent=sent) from exc
        return sent

    @asynccontextmanager
    async def _connected(self) -> AsyncGenerator[aiosmtplib.SMTP]:
        client = aiosmtplib.SMTP(
            hostname=self._host,
            port=self._port,
            username=self._username,
            password=self._password,
            # None would mean "where the server offers it".
            start_tls=self._tls == "starttls",
            use_tls=self._tls == "implicit",
            tls_context=self._tls_context,
            timeout=self._timeout,
            # The library would ask DNS for the name of this machine, on the event loop; RFC 5321 4.1.3 allows a literal.
            local_hostname="[127.0.0.1]",
        )
        async with client:
            yield client
