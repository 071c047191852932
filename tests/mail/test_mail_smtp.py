"""The SMTP backend against a real server in this process."""

import asyncio
import ssl
import subprocess
from dataclasses import dataclass, field

import pytest
from aiosmtpd.smtp import SMTP, AuthResult

from transom.mail import EmailMessage, MailError, RecipientsRefused, make_backend
from transom.mail.backends.smtp import SMTPBackend


@dataclass
class Mailbox:
    """An aiosmtpd handler: keeps what arrives, refuses who is told to be refused."""

    refused: frozenset = frozenset()
    envelopes: list = field(default_factory=list)
    logins: list = field(default_factory=list)
    connections: int = 0

    async def handle_RCPT(self, server, session, envelope, address, options):
        if address in self.refused:
            return "550 no such user"
        envelope.rcpt_tos.append(address)
        return "250 OK"

    async def handle_DATA(self, server, session, envelope):
        self.envelopes.append(envelope)
        return "250 OK"

    def authenticate(self, server, session, envelope, mechanism, data):
        self.logins.append((data.login, data.password, session.ssl is not None))
        return AuthResult(success=data.password == b"right", handled=False)


@pytest.fixture
async def start_server():
    servers = []

    async def start(mailbox, *, implicit_tls=None, **options):
        loop = asyncio.get_running_loop()

        def make():
            mailbox.connections += 1
            return SMTP(mailbox, loop=loop, hostname="test", **options)

        server = await loop.create_server(make, "127.0.0.1", 0, ssl=implicit_tls)
        servers.append(server)
        return server.sockets[0].getsockname()[1]

    yield start
    for server in servers:
        server.close()


@pytest.fixture(scope="session")
def tls(tmp_path_factory):
    """A certificate for 127.0.0.1: (context of the server, context of a client that trusts it)."""
    folder = tmp_path_factory.mktemp("tls")
    command = [
        *("openssl", "req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:prime256v1", "-nodes"),
        *("-days", "1", "-subj", "/CN=127.0.0.1", "-addext", "subjectAltName=IP:127.0.0.1"),
        *("-keyout", str(folder / "key.pem"), "-out", str(folder / "cert.pem")),
    ]
    try:
        subprocess.run(command, check=True, capture_output=True)
    except FileNotFoundError:
        pytest.skip("openssl makes the certificate and is not installed")
    server = ssl.create_default_context(ssl.Purpose.CLIENT_AUTH)
    server.load_cert_chain(folder / "cert.pem", folder / "key.pem")
    return server, ssl.create_default_context(cafile=folder / "cert.pem")


def make(subject="Hello", to=("ann@example.com",), **fields):
    return EmailMessage(subject=subject, body="Hi.", to=to, sender="Site <site@example.com>", **fields)


async def test_messages_arrive_over_one_connection(start_server):
    mailbox = Mailbox()
    port = await start_server(mailbox)
    backend = make_backend(f"smtp://127.0.0.1:{port}?tls=no")
    assert await backend.send_messages([make("One", bcc=["eve@example.com"]), make("Two")]) == 2
    first, second = mailbox.envelopes
    assert mailbox.connections == 1
    assert first.mail_from == "site@example.com"
    assert first.rcpt_tos == ["ann@example.com", "eve@example.com"]
    assert b"Subject: One\r\n" in first.content
    assert b"eve" not in first.content
    assert b"Subject: Two\r\n" in second.content


async def test_lines_that_are_a_dot_arrive_as_they_were(start_server):
    mailbox = Mailbox()
    port = await start_server(mailbox)
    message = EmailMessage(
        subject="Dot", body="one\n.\nQUIT\n..two\n", to=["a@example.com"], sender="s@example.com"
    )
    await SMTPBackend("127.0.0.1", port, tls="none").send_messages([message])
    assert mailbox.envelopes[0].content.endswith(b"one\r\n.\r\nQUIT\r\n..two\r\n")


async def test_no_messages_open_no_connection():
    assert await SMTPBackend("127.0.0.1", 1, tls="none").send_messages([]) == 0


async def test_some_refused_recipients_are_named_and_the_others_get_it(start_server):
    mailbox = Mailbox(refused=frozenset({"gone@example.com"}))
    port = await start_server(mailbox)
    backend = SMTPBackend("127.0.0.1", port, tls="none")
    with pytest.raises(RecipientsRefused) as caught:
        await backend.send_messages([make(to=["gone@example.com", "ann@example.com"]), make("Two")])
    assert caught.value.refused == {"gone@example.com": "no such user"}
    assert caught.value.sent == 1
    assert [envelope.rcpt_tos for envelope in mailbox.envelopes] == [["ann@example.com"]]


async def test_all_refused_recipients_are_named(start_server):
    mailbox = Mailbox(refused=frozenset({"gone@example.com"}))
    port = await start_server(mailbox)
    backend = SMTPBackend("127.0.0.1", port, tls="none")
    with pytest.raises(RecipientsRefused) as caught:
        await backend.send_messages([make("One"), make("Two", to=["gone@example.com"])])
    assert caught.value.refused == {"gone@example.com": "no such user"}
    assert caught.value.sent == 1


async def test_unreachable_server_is_a_mail_error(unused_port):
    with pytest.raises(MailError, match=f"127.0.0.1:{unused_port}"):
        await SMTPBackend("127.0.0.1", unused_port, tls="none").send_messages([make()])


async def test_server_without_starttls_gets_neither_password_nor_mail(start_server):
    """Someone on the way can take the offer of STARTTLS out of the greeting."""
    mailbox = Mailbox()
    port = await start_server(mailbox, authenticator=mailbox.authenticate, auth_require_tls=False)
    backend = make_backend(f"smtp://ann:right@127.0.0.1:{port}")
    with pytest.raises(MailError, match="STARTTLS"):
        await backend.send_messages([make()])
    assert mailbox.logins == []
    assert mailbox.envelopes == []


async def test_starttls_comes_before_the_password(start_server, tls):
    mailbox = Mailbox()
    port = await start_server(mailbox, tls_context=tls[0], authenticator=mailbox.authenticate)
    backend = SMTPBackend("127.0.0.1", port, username="ann", password="right", tls_context=tls[1])
    assert await backend.send_messages([make()]) == 1
    assert mailbox.logins == [(b"ann", b"right", True)]
    assert len(mailbox.envelopes) == 1


async def test_unknown_certificate_is_refused(start_server, tls):
    mailbox = Mailbox()
    port = await start_server(mailbox, tls_context=tls[0])
    with pytest.raises(MailError, match="certificate"):
        await make_backend(f"smtp://127.0.0.1:{port}").send_messages([make()])
    assert mailbox.envelopes == []


async def test_wrong_password_is_a_mail_error_without_it(start_server):
    mailbox = Mailbox()
    port = await start_server(mailbox, authenticator=mailbox.authenticate, auth_require_tls=False)
    backend = SMTPBackend("127.0.0.1", port, username="ann", password="hunter2", tls="none")
    with pytest.raises(MailError) as caught:
        await backend.send_messages([make()])
    assert "hunter2" not in str(caught.value)
    assert mailbox.envelopes == []


async def test_implicit_tls(start_server, tls):
    mailbox = Mailbox()
    port = await start_server(mailbox, implicit_tls=tls[0])
    backend = SMTPBackend("127.0.0.1", port, tls="implicit", tls_context=tls[1])
    assert await backend.send_messages([make()]) == 1
    assert len(mailbox.envelopes) == 1
