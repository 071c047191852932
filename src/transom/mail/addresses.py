"""Mail addresses: `ann@example.com` or `Ann Lee <ann@example.com>`, checked."""

from __future__ import annotations

from email.errors import HeaderParseError
from email.headerregistry import Address
from email.policy import SMTP
from typing import cast


def parse_address(text: str) -> Address:
    """Return one address, its domain in the ASCII form that mail servers speak.

    Raises:
        ValueError: it is malformed, is more than one, or its part before the `@` is not ASCII, which needs an extension
            (SMTPUTF8, RFC 6531) that is not spoken here.

    Source: RFC 5322 section 3.4; RFC 5890 for the domain.
    """
    # The parser of headers would fold a line break away; here it can only be an attack.
    if any(char in text for char in "\r\n\0"):
        raise ValueError(f"address {text!r} holds a line break or NUL; remove it")
    found = _parse_list(text)
    if len(found) != 1 or not found[0].username or not found[0].domain:
        raise ValueError(f"{text!r} is no mail address; expected one like 'Ann Lee <ann@example.com>'")
    address = found[0]
    if not address.username.isascii():
        raise ValueError(f"address {text!r} has a non-ASCII name before the '@', which mail servers refuse")
    return Address(address.display_name, address.username, _encode_domain(address.domain))


def _parse_list(text: str) -> tuple[Address, ...]:
    # The cast: the standard library's stubs do not know that a header named `to` is an address header.
    try:
        header = SMTP.header_factory("to", text)
        if header.defects or any(group.display_name for group in header.groups):  # type: ignore[attr-defined]
            return ()
        return cast("tuple[Address, ...]", header.addresses)  # type: ignore[attr-defined]
    except (HeaderParseError, IndexError, ValueError):  # what the parser raises for text that is no address
        return ()


def _encode_domain(domain: str) -> str:
    if domain.isascii():
        return domain
    try:
        return domain.encode("idna").decode("ascii")
    except UnicodeError as exc:
        raise ValueError(f"domain {domain!r} is no host name: {exc}") from exc
