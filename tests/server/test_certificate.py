"""Subjects and dates of certificates, against the `cryptography` library and the examples of RFC 4514."""

from __future__ import annotations

from datetime import UTC, datetime

import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.serialization import Encoding
from cryptography.x509.oid import NameOID
from hypothesis import given, settings
from hypothesis import strategies as st

from transom.server.tls.certificate import parse_certificate

KEY = ec.generate_private_key(ec.SECP256R1())
BEGIN, END = datetime(2020, 1, 2, 3, 4, 5, tzinfo=UTC), datetime(2049, 12, 31, 23, 59, 59, tzinfo=UTC)


def build(name: x509.Name, begin: datetime = BEGIN, end: datetime = END) -> bytes:
    builder = x509.CertificateBuilder().subject_name(name).issuer_name(name).public_key(KEY.public_key())
    builder = builder.serial_number(2**100).not_valid_before(begin).not_valid_after(end)
    return builder.sign(KEY, hashes.SHA256()).public_bytes(Encoding.DER)


def name_of(*attributes: tuple[x509.ObjectIdentifier, str]) -> x509.Name:
    return x509.Name([x509.NameAttribute(kind, value) for kind, value in attributes])


CN, ORG, OU, DC, UID = (
    NameOID.COMMON_NAME,
    NameOID.ORGANIZATION_NAME,
    NameOID.ORGANIZATIONAL_UNIT_NAME,
    NameOID.DOMAIN_COMPONENT,
    NameOID.USER_ID,
)


@pytest.mark.parametrize(
    ("attributes", "text"),
    [
        # The examples of RFC 4514 section 4.
        ([(DC, "net"), (DC, "example"), (UID, "jsmith")], "UID=jsmith,DC=example,DC=net"),
        ([(DC, "net"), (CN, 'James "Jim" Smith, III')], 'CN=James \\"Jim\\" Smith\\, III,DC=net'),
        ([(DC, "net"), (CN, "Before\rAfter")], "CN=Before\\0dAfter,DC=net"),
        ([(CN, "Lu\u010di\u0107")], "CN=Lu\u010di\u0107"),
        # Section 2.4.
        ([(CN, " a  b ")], "CN=\\ a  b\\ "),
        ([(CN, "#a#b")], "CN=\\#a#b"),
        ([(CN, "a+b;c<d>e\\f=g")], "CN=a\\+b\\;c\\<d\\>e\\\\f=g"),
        ([(CN, "a\x00b\n\x7f")], "CN=a\\00b\\0a\\7f"),
        ([(NameOID.SURNAME, "Doe"), (NameOID.EMAIL_ADDRESS, "a@b.c")], "emailAddress=a@b.c,sn=Doe"),
        # Section 2.3: no registered name, so as it is encoded; here a UTF8String of two letters.
        ([(x509.ObjectIdentifier("2.999.1234567.3"), "hi")], "2.999.1234567.3=#0c026869"),
        ([(x509.ObjectIdentifier("1.2.3"), "hi")], "1.2.3=#0c026869"),
        ([], ""),
    ],
)
def test_subject_is_a_name_of_rfc_4514(
    attributes: list[tuple[x509.ObjectIdentifier, str]], text: str
) -> None:
    """ASGI: `client_cert_name`."""
    assert parse_certificate(build(name_of(*attributes))).subject == text


def test_parts_with_several_attributes_are_joined_with_plus() -> None:
    pair = x509.RelativeDistinguishedName(
        [x509.NameAttribute(OU, "Sales"), x509.NameAttribute(CN, "J.  Smith")]
    )
    name = x509.Name([x509.RelativeDistinguishedName([x509.NameAttribute(DC, "net")]), pair])
    assert sorted(parse_certificate(build(name)).subject.removesuffix(",DC=net").split("+")) == [
        "CN=J.  Smith",
        "OU=Sales",
    ]


@pytest.mark.parametrize(
    "kind",
    [x509.name._ASN1Type.BMPString, x509.name._ASN1Type.PrintableString, x509.name._ASN1Type.UTF8String],
)
def test_kinds_of_strings(kind: x509.name._ASN1Type) -> None:
    name = x509.Name([x509.NameAttribute(CN, "Smith", _type=kind)])
    assert parse_certificate(build(name)).subject == "CN=Smith"


SAFE = st.characters(min_codepoint=32, exclude_categories=["Cs", "Cc"])


@settings(max_examples=40)
@given(
    st.lists(
        st.tuples(st.sampled_from([CN, ORG, OU, UID]), st.text(SAFE, min_size=1, max_size=12)), max_size=5
    )
)
def test_subject_is_what_another_library_makes_of_it(
    attributes: list[tuple[x509.ObjectIdentifier, str]],
) -> None:
    name = name_of(*attributes)
    assert parse_certificate(build(name)).subject == name.rfc4514_string()


@pytest.mark.parametrize(
    ("begin", "end"),
    [(BEGIN, END), (datetime(1950, 1, 1, tzinfo=UTC), datetime(2050, 1, 1, tzinfo=UTC))],
)
def test_validity(begin: datetime, end: datetime) -> None:
    """Years from 2050 on are written with four digits."""
    certificate = parse_certificate(build(name_of((CN, "a")), begin, end))
    assert (certificate.not_before, certificate.not_after) == (begin, end)


def test_what_is_no_certificate_is_a_value_error() -> None:
    der = build(name_of((CN, "a")))
    for size in range(0, len(der) - 1, 7):
        with pytest.raises(ValueError, match="certificate"):
            parse_certificate(der[:size])


@given(st.binary(max_size=80))
def test_junk_is_a_value_error(data: bytes) -> None:
    with pytest.raises(ValueError, match=r".*"):
        parse_certificate(data)
