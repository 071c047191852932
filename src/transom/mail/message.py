"""One mail: what it says, from whom, to whom.

Built on the standard library's `email`, whose policy refuses line breaks in header fields; addresses and the names of
further fields are checked here, when the message is made and not when it is sent.
"""

from __future__ import annotations

import email.message
import mimetypes
import re
from dataclasses import dataclass, field
from datetime import UTC, datetime
from email.policy import SMTP
from email.utils import format_datetime, make_msgid
from typing import TYPE_CHECKING

from transom.mail.addresses import parse_address

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence
    from email.headerregistry import Address

# All ASCII on the wire, so that no server needs the 8BITMIME extension.
POLICY = SMTP.clone(cte_type="7bit")
FIELD_NAME = re.compile(r"[!-9;-~]+")  # RFC 5322 3.6.8: printable ASCII without the colon
CONTENT_TYPE = re.compile(
    r"[a-zA-Z0-9][a-zA-Z0-9!#$&^_.+-]*/[a-zA-Z0-9][a-zA-Z0-9!#$&^_.+-]*"
)  # RFC 6838 4.2
# Fields that the message makes itself, or that would change what it is.
OWN_FIELDS = frozenset(
    {
        "subject",
        "from",
        "to",
        "cc",
        "bcc",
        "reply-to",
        "mime-version",
        "content-type",
        "content-transfer-encoding",
    }
)


@dataclass(frozen=True, slots=True)
class Attachment:
    """A file that goes with a message.

    Args:
        filename: as the reader sees it, without folders.
        content: text is sent as UTF-8.
        content_type: e.g. `application/pdf`; None to tell it from the file name.

    Raises:
        ValueError: the name has a slash, backslash or control character, or the type is malformed.
    """

    filename: str
    content: bytes | str
    content_type: str | None = None

    def __post_init__(self) -> None:
        if not self.filename or not self.filename.isprintable() or set(self.filename) & set("/\\"):
            raise ValueError(f"attachment name {self.filename!r} must be a plain file name")
        if self.content_type is not None and not CONTENT_TYPE.fullmatch(self.content_type):
            raise ValueError(f"content type {self.content_type!r} is malformed; expected one like 'text/csv'")

    @property
    def media_type(self) -> str:
        """The content type given, or the one the name suggests, or `application/octet-stream`."""
        return self.content_type or mimetypes.guess_type(self.filename)[0] or "application/octet-stream"

    def add_to(self, message: email.message.EmailMessage) -> None:
        """Add this as a part of a message under construction."""
        content = self.content.encode() if isinstance(self.content, str) else self.content
        main, _, sub = self.media_type.partition("/")
        if main in (
            "message",
            "multipart",
        ):  # RFC 2046 5: their content may not be encoded, as any file's must be
            main, sub = "application", "octet-stream"
        message.add_attachment(content, maintype=main, subtype=sub, filename=self.filename)


@dataclass(frozen=True, slots=True, kw_only=True)
class EmailMessage:
    """A mail; checked when it is made, so that sending can only fail for the server's reasons.

    Args:
        subject: one line.
        body: the plain text.
        to: addresses, as `ann@example.com` or `Ann Lee <ann@example.com>`.
        cc: addresses that get a copy.
        bcc: addresses that get a copy which nobody else is told of: in no header field.
        sender: the `From` address; empty for the site's `default_from_email`.
        reply_to: where answers go, if not to the sender.
        html: the same as the body, as HTML; readers show one of the two.
        attachments: files.
        headers: further fields, e.g. `List-Unsubscribe`.

    Raises:
        ValueError: an address or field is malformed or holds a line break, or nobody is to get it.
        TypeError: a list of addresses is a single string.
    """

    subject: str
    body: str
    to: Sequence[str] = ()
    cc: Sequence[str] = ()
    bcc: Sequence[str] = ()
    sender: str = ""
    reply_to: Sequence[str] = ()
    html: str | None = None
    attachments: Sequence[Attachment] = ()
    headers: Mapping[str, str] = field(default_factory=dict[str, str])

    def __post_init__(self) -> None:
        _check_line("subject", self.subject)
        for name in ("to", "cc", "bcc", "reply_to"):
            addresses: Sequence[str] = getattr(self, name)
            if isinstance(addresses, str):
                raise TypeError(f"{name} is the text {addresses!r}; expected a list of addresses")
            for address in addresses:
                parse_address(address)
        if self.sender:
            parse_address(self.sender)
        if not (self.to or self.cc or self.bcc):
            raise ValueError("the message has no recipient; name one in to, cc or bcc")
        for name, value in self.headers.items():
            _check_field(name, value)

    @property
    def recipients(self) -> list[str]:
        """The bare addresses of everyone who gets it, each once."""
        addresses = [parse_address(text).addr_spec for text in (*self.to, *self.cc, *self.bcc)]
        return list(dict.fromkeys(addresses))

    @property
    def envelope_sender(self) -> str:
        """The bare address of the sender, to which servers return what cannot be delivered."""
        return parse_address(self.sender).addr_spec

    def build(self) -> email.message.EmailMessage:
        """Return the message as the standard library's; `bytes()` of it is what goes over the wire.

        Raises:
            ValueError: it has no sender.
        """
        if not self.sender:
            raise ValueError("the message has no sender; name one, or set default_from_email")
        message = email.message.EmailMessage(POLICY)
        for name, value in self._fields():
            message[name] = value
        message.set_content(self.body)
        if self.html is not None:
            message.add_alternative(self.html, subtype="html")
        for attachment in self.attachments:
            attachment.add_to(message)
        return message

    def _fields(self) -> list[tuple[str, str | Sequence[Address]]]:
        sender = parse_address(self.sender)
        given = {name.lower() for name in self.headers}
        fields: list[tuple[str, str | Sequence[Address]]] = [("Subject", self.subject), ("From", [sender])]
        for name, texts in (("To", self.to), ("Cc", self.cc), ("Reply-To", self.reply_to)):
            if texts:
                fields.append((name, [parse_address(text) for text in texts]))
        if "date" not in given:
            fields.append(("Date", format_datetime(datetime.now(UTC))))
        if "message-id" not in given:
            # The sender's domain: that of this machine would take a DNS query, and tell its name to the reader.
            fields.append(("Message-ID", make_msgid(domain=sender.domain)))
        return [*fields, *self.headers.items()]


def _check_line(name: str, value: str) -> None:
    if any(char in value for char in "\r\n\0"):
        raise ValueError(f"{name} {value!r} holds a line break or NUL; remove it")


def _check_field(name: str, value: str) -> None:
    if not FIELD_NAME.fullmatch(name):
        raise ValueError(f"header name {name!r} is malformed; use letters, digits and hyphens")
    if name.lower() in OWN_FIELDS:
        raise ValueError(f"header {name!r} is made from the other arguments of the message; leave it out")
    _check_line(f"header {name!r}", value)
