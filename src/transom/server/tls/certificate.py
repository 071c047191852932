"""What a certificate says that `ssl` does not tell: its subject as text, and until when it is valid.

Only certificates that OpenSSL has read before come here, so the encoding is not checked again.

Source: RFC 5280 section 4.1; ITU-T X.690 (DER).
"""

from __future__ import annotations

import re
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Final, NamedTuple

if TYPE_CHECKING:
    from collections.abc import Iterator

_SEQUENCE_OF_VERSION: Final = 0xA0
_GENERALIZED_TIME: Final = 0x18

# RFC 4514 section 3, then other names that are registered for LDAP (RFC 4519, RFC 2985).
_NAMES: Final = {
    "2.5.4.3": "CN",
    "2.5.4.7": "L",
    "2.5.4.8": "ST",
    "2.5.4.10": "O",
    "2.5.4.11": "OU",
    "2.5.4.6": "C",
    "2.5.4.9": "STREET",
    "0.9.2342.19200300.100.1.25": "DC",
    "0.9.2342.19200300.100.1.1": "UID",
    "2.5.4.4": "sn",
    "2.5.4.5": "serialNumber",
    "2.5.4.12": "title",
    "2.5.4.13": "description",
    "2.5.4.15": "businessCategory",
    "2.5.4.17": "postalCode",
    "2.5.4.41": "name",
    "2.5.4.42": "givenName",
    "2.5.4.43": "initials",
    "2.5.4.44": "generationQualifier",
    "2.5.4.46": "dnQualifier",
    "1.2.840.113549.1.9.1": "emailAddress",
}
_ENCODINGS: Final = {
    0x0C: "utf-8",
    0x12: "ascii",  # NumericString
    0x13: "ascii",  # PrintableString
    0x14: "latin-1",  # TeletexString, as everybody uses it
    0x16: "ascii",  # IA5String
    0x1A: "ascii",  # VisibleString
    0x1C: "utf-32-be",  # UniversalString
    0x1E: "utf-16-be",  # BMPString
}
_SPECIAL = re.compile(r'[\x00-\x1f\x7f]|["+,;<>\\]|^[ #]| $')


class Certificate(NamedTuple):
    """The part of a certificate that we look at; the subject is a distinguished name of RFC 4514."""

    subject: str
    not_before: datetime
    not_after: datetime


def parse_certificate(der: bytes) -> Certificate:
    """Return subject and validity of one certificate in DER.

    Raises:
        ValueError: it is no certificate.
    """
    try:
        fields = [part for part in _iter_parts(_first(_first(der))) if part[0] != _SEQUENCE_OF_VERSION]
        # serialNumber, signature, issuer, validity, subject
        begin, end = (_parse_time(tag, value) for tag, value, _ in _iter_parts(fields[3][1]))
        return Certificate(_build_name(fields[4][1]), begin, end)
    except (IndexError, UnicodeDecodeError) as exc:
        raise ValueError(f"a certificate of {len(der)} bytes is not as RFC 5280 section 4.1 has it") from exc


def _iter_parts(data: bytes) -> Iterator[tuple[int, bytes, bytes]]:
    """Iterate over tag, value and whole encoding of the elements in a row."""
    at = 0
    while at < len(data):
        length, start = data[at + 1], at + 2
        if length & 0x80:
            size = length & 0x7F
            length, start = int.from_bytes(data[start : start + size], "big"), start + size
        if length > len(data) - start:
            raise ValueError("an element of a certificate is longer than what it is in")
        yield data[at], data[start : start + length], data[at : start + length]
        at = start + length


def _first(data: bytes) -> bytes:
    return next(_iter_parts(data), (0, b"", b""))[1]


def _parse_time(tag: int, value: bytes) -> datetime:
    text = value.decode("ascii")
    if tag != _GENERALIZED_TIME:
        # RFC 5280 section 4.1.2.5.1: two digits of a year, from 1950 on.
        text = ("19" if text >= "50" else "20") + text
    return datetime.strptime(text, "%Y%m%d%H%M%SZ").replace(tzinfo=UTC)


def _build_name(rdns: bytes) -> str:
    """Return a distinguished name as text, the last of its parts first.

    Source: RFC 4514 section 2.
    """
    parts: list[str] = []
    for _, rdn, _ in _iter_parts(rdns):
        pairs = [tuple(_iter_parts(pair)) for _, pair, _ in _iter_parts(rdn)]
        parts.append("+".join(_build_pair(kind[1], *value) for kind, value in pairs))
    return ",".join(reversed(parts))


def _build_pair(kind: bytes, tag: int, value: bytes, encoded: bytes) -> str:
    number = _parse_object_identifier(kind)
    name = _NAMES.get(number)
    if name is None or tag not in _ENCODINGS:
        # RFC 4514 sections 2.3 and 2.4: what has no name is written as it is encoded.
        return f"{name or number}=#{encoded.hex()}"
    return f"{name}={_SPECIAL.sub(_escape, value.decode(_ENCODINGS[tag]))}"


def _escape(match: re.Match[str]) -> str:
    """Control characters too, which RFC 4514 lets stand: names are written to logs."""
    found = match[0]
    return f"\\{ord(found):02x}" if found < " " or found == "\x7f" else f"\\{found}"


def _parse_object_identifier(data: bytes) -> str:
    numbers: list[int] = []
    number = 0
    for byte in data:
        number = number << 7 | byte & 0x7F
        if not byte & 0x80:
            numbers.append(number)
            number = 0
    first = min(numbers[0] // 40, 2)
    return ".".join(map(str, [first, numbers[0] - 40 * first, *numbers[1:]]))
