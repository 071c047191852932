"""Cookies: read from a request's header, and built for a response."""

from __future__ import annotations

import re
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from email.utils import format_datetime
from typing import Literal, TypeAlias

from transom.web.headers import TOKEN

__all__ = ["Cookie", "SameSite", "parse_cookies"]

SameSite: TypeAlias = Literal["Lax", "Strict", "None"]

COOKIE_VALUE = re.compile(r"[\x21\x23-\x2b\x2d-\x3a\x3c-\x5b\x5d-\x7e]*")
ATTRIBUTE_VALUE = re.compile(r"[\x20-\x3a\x3c-\x7e]*")
DOMAIN = re.compile(r"\.?[A-Za-z0-9](?:[A-Za-z0-9.-]{0,253}[A-Za-z0-9])?")
# RFC 6265bis 5.6: a browser drops a cookie whose name and value are longer.
MAX_COOKIE_BYTES = 4096
EPOCH = datetime.fromtimestamp(0, tz=UTC)


def parse_cookies(header: str) -> dict[str, str]:
    """Return the cookies of a `cookie` header; a pair without a name or `=` is dropped.

    Of two cookies with one name the first counts: browsers send the one with the more specific path first.

    Source: RFC 6265 sections 4.2 and 5.4.
    """
    cookies: dict[str, str] = {}
    for pair in header.split(";"):
        name, equals, value = pair.partition("=")
        name, value = name.strip(" \t"), value.strip(" \t")
        if equals and name:
            cookies.setdefault(name, _unquote(value))
    return cookies


def _unquote(value: str) -> str:
    quoted = len(value) >= 2 and value[0] == value[-1] == '"'
    return value[1:-1] if quoted else value


@dataclass(frozen=True, slots=True, kw_only=True)
class Cookie:
    """One `set-cookie` line, checked when it is made.

    Args:
        name: an RFC 9110 token.
        value: visible ASCII without comma, semicolon, backslash, quote or space.
        max_age: lifetime in seconds, or as a timedelta; None makes a cookie for the browser's session.
        expires: the end of its life, an aware datetime; `max_age` wins where both are given.
        path: prefix of the paths it is sent to.
        domain: the host and its subdomains it is sent to; None means this host alone, which is narrower.
        secure: send it over TLS only.
        httponly: hide it from scripts.
        samesite: "Lax", "Strict", or "None", which needs `secure`.

    Raises:
        ValueError: a part is malformed, or a browser would drop the cookie.

    Source: RFC 6265bis section 4.1.
    """

    name: str
    value: str = ""
    max_age: int | timedelta | None = None
    expires: datetime | None = None
    path: str = "/"
    domain: str | None = None
    secure: bool = False
    httponly: bool = True
    samesite: SameSite = "Lax"

    def __post_init__(self) -> None:
        self._check_pair()
        self._check_attributes()
        self._check_prefix()

    def build(self) -> str:
        """Return the value of the `set-cookie` field."""
        parts = [f"{self.name}={self.value}", f"Path={self.path}"]
        if self.domain:
            parts.append(f"Domain={self.domain}")
        if self.max_age is not None:
            parts.append(f"Max-Age={_seconds(self.max_age)}")
        if self.expires is not None:
            parts.append(f"Expires={format_datetime(self.expires.astimezone(UTC), usegmt=True)}")
        parts += ["Secure"] * self.secure + ["HttpOnly"] * self.httponly + [f"SameSite={self.samesite}"]
        return "; ".join(parts)

    @classmethod
    def expired(cls, name: str, *, path: str = "/", domain: str | None = None) -> Cookie:
        """Return the cookie that deletes `name`; path and domain must be those it was set with."""
        # A browser ignores a line for a __Secure- or __Host- name that is not Secure, the deleting one too.
        secure = name.startswith(("__Secure-", "__Host-"))
        return cls(name=name, max_age=0, expires=EPOCH, path=path, domain=domain, secure=secure)

    def _check_pair(self) -> None:
        if not TOKEN.fullmatch(self.name):
            raise ValueError(f"cookie name {self.name!r} is no token; use letters, digits, '-' and '_'")
        if not COOKIE_VALUE.fullmatch(self.value):
            raise ValueError(
                f"value of cookie {self.name!r} holds a space, quote, comma, semicolon, backslash, control or "
                "non-ASCII character; encode it with urllib.parse.quote"
            )
        if (size := len(self.name) + len(self.value)) > MAX_COOKIE_BYTES:
            raise ValueError(
                f"cookie {self.name!r} has {size} bytes and browsers keep {MAX_COOKIE_BYTES}; store the data elsewhere"
            )

    def _check_attributes(self) -> None:
        if not self.path.startswith("/") or not ATTRIBUTE_VALUE.fullmatch(self.path):
            raise ValueError(
                f"path {self.path!r} of cookie {self.name!r} must start with '/' and hold no ';' or control character"
            )
        if self.domain is not None and not DOMAIN.fullmatch(self.domain):
            raise ValueError(f"domain {self.domain!r} of cookie {self.name!r} is no host name")
        if self.samesite not in ("Lax", "Strict", "None"):
            raise ValueError(f"samesite {self.samesite!r} is unknown; choose from 'Lax', 'Strict', 'None'")
        if self.samesite == "None" and not self.secure:
            raise ValueError(
                f"cookie {self.name!r} has samesite='None', which browsers drop without secure=True"
            )
        if self.expires is not None and self.expires.tzinfo is None:
            raise ValueError(f"expires of cookie {self.name!r} is a naive datetime; give it a time zone")

    def _check_prefix(self) -> None:
        # RFC 6265bis 4.1.3: the prefixes promise the attributes, and browsers hold them to it.
        if self.name.startswith(("__Secure-", "__Host-")) and not self.secure:
            raise ValueError(f"cookie {self.name!r} needs secure=True for its prefix")
        if self.name.startswith("__Host-") and (self.path != "/" or self.domain is not None):
            raise ValueError(f"cookie {self.name!r} needs path='/' and no domain for its prefix")


def _seconds(max_age: int | timedelta) -> int:
    return int(max_age.total_seconds()) if isinstance(max_age, timedelta) else int(max_age)
