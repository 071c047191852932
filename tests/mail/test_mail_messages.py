"""What a message is on the wire, and what is refused before it gets there."""

import email
from email.policy import default

import pytest

from transom.mail import Attachment, EmailMessage


def make(**changes):
    fields = {"subject": "Hello", "body": "Hi.", "to": ["ann@example.com"], "sender": "site@example.com"}
    return EmailMessage(**(fields | changes))


def parse(message):
    return email.message_from_bytes(bytes(message.build()), policy=default)


def test_plain_message_has_the_fields_of_rfc_5322():
    parsed = parse(make(cc=["Bob <bob@example.com>"], reply_to=["answers@example.com"]))
    assert parsed["Subject"] == "Hello"
    assert parsed["From"] == "site@example.com"
    assert parsed["To"] == "ann@example.com"
    assert parsed["Cc"] == "Bob <bob@example.com>"
    assert parsed["Reply-To"] == "answers@example.com"
    assert parsed["Date"].datetime.utcoffset().total_seconds() == 0
    assert parsed["Message-ID"].endswith("@example.com>")
    assert parsed.get_content() == "Hi.\r\n"


def test_bcc_is_in_the_envelope_and_in_no_field():
    message = make(bcc=["Eve <eve@example.com>"], cc=["ann@example.com"])
    assert message.recipients == ["ann@example.com", "eve@example.com"]
    assert b"eve" not in bytes(message.build())


def test_html_is_an_alternative_and_files_are_attached():
    message = make(
        html="<p>Hi.</p>",
        attachments=[
            Attachment("Übersicht.csv", "a;ß\n"),
            Attachment("x.bin", b"\0\xff", "application/x-thing"),
        ],
    )
    parsed = parse(message)
    assert parsed.get_content_type() == "multipart/mixed"
    assert parsed.get_body(("html",)).get_content() == "<p>Hi.</p>\r\n"
    assert parsed.get_body(("plain",)).get_content() == "Hi.\r\n"
    table, binary = parsed.iter_attachments()
    assert table.get_filename() == "Übersicht.csv"
    assert table.get_content_type() == "text/csv"
    assert table.get_payload(decode=True) == "a;ß\n".encode()
    assert binary.get_content_type() == "application/x-thing"
    assert binary.get_content() == b"\0\xff"


def test_attached_mail_is_sent_as_plain_bytes():
    """RFC 2046 forbids to encode message/rfc822, which any file may need."""
    (part,) = parse(make(attachments=[Attachment("old.eml", b"From: \xe4\n\n")])).iter_attachments()
    assert part.get_content_type() == "application/octet-stream"
    assert part.get_content() == b"From: \xe4\n\n"


def test_wire_form_is_ascii_with_crlf_and_short_lines():
    message = make(subject="Grüße " * 40, body="Straße " * 300, to=["Jörg Müller <joerg@example.com>"])
    wire = bytes(message.build())
    wire.decode("ascii")
    assert wire.replace(b"\r\n", b"").count(b"\n") == 0
    assert max(map(len, wire.split(b"\r\n"))) <= 998  # RFC 5322 2.1.1
    assert parse(message)["To"] == "Jörg Müller <joerg@example.com>"
    assert parse(message)["Subject"] == ("Grüße " * 40)


def test_international_domain_becomes_ascii():
    message = make(to=["ann@bücher.example"])
    assert message.recipients == ["ann@xn--bcher-kva.example"]
    assert parse(message)["To"] == "ann@xn--bcher-kva.example"


def test_own_date_and_message_id_win():
    parsed = parse(make(headers={"Message-ID": "<a@b>", "X-Kind": "welcome"}))
    assert parsed.get_all("Message-ID") == ["<a@b>"]
    assert parsed["X-Kind"] == "welcome"


@pytest.mark.parametrize(
    "changes",
    [
        {"subject": "Hi\r\nBcc: eve@example.com"},
        {"subject": "Hi\nX: y"},
        {"to": ["ann@example.com\r\nBcc: eve@example.com"]},
        {"to": ["ann@example.com\n"]},
        {"sender": "site@example.com\nX: y"},
        {"reply_to": ["a@example.com\r\nX: y"]},
        {"headers": {"X-Kind": "a\r\nBcc: eve@example.com"}},
        {"headers": {"X-Kind\r\nBcc": "eve@example.com"}},
        {"headers": {"X Kind": "a"}},
        {"headers": {"Bcc": "eve@example.com"}},
        {"headers": {"content-type": "text/html"}},
    ],
)
def test_header_injection_is_refused_when_the_message_is_made(changes):
    with pytest.raises(ValueError, match=r"line break|malformed|leave it out"):
        make(**changes)


@pytest.mark.parametrize(
    "address",
    ["", "ann", "ann@", "@example.com", "a@b@c", "ann@example.com, eve@example.com", "Ann <>", "müller@example.com",
     "ann@" + "ü" * 70 + ".example", "ann@example.com eve@example.com", "<ann@example.com", "group: a@example.com;"],
)  # fmt: skip
def test_malformed_address_is_refused(address):
    with pytest.raises(ValueError, match=r"no mail address|non-ASCII|no host name"):
        make(to=[address])


def test_single_text_for_a_list_of_addresses_is_an_error():
    with pytest.raises(TypeError, match="expected a list"):
        make(to="ann@example.com")


def test_message_needs_a_recipient_and_a_sender():
    with pytest.raises(ValueError, match="no recipient"):
        make(to=[])
    with pytest.raises(ValueError, match="no sender"):
        make(sender="").build()


@pytest.mark.parametrize("name", ["", "a/b", "a\\b", "a\r\nX: y", "a\0"])
def test_attachment_name_is_a_plain_file_name(name):
    with pytest.raises(ValueError, match="plain file name"):
        Attachment(name, b"")


def test_attachment_type_is_checked():
    with pytest.raises(ValueError, match="malformed"):
        Attachment("a", b"", "text/html\r\nX: y")
