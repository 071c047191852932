"""Which certificate for which host name: what `--ssl-sni` declares, and the choice by the name that a client asks for."""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple, TypeVar

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

T = TypeVar("T")


class NamedFiles(NamedTuple):
    """Certificate and key of one host name; a name that begins with `*.` is that of all its direct subdomains."""

    name: str
    certfile: str
    keyfile: str | None


def parse_server_names(entries: Iterable[str]) -> list[NamedFiles]:
    """Return what `NAME=CERTFILE` and `NAME=CERTFILE,KEYFILE` declare; names in lower case and ASCII (IDNA).

    Raises:
        ValueError: an entry is malformed, or a name occurs twice.
    """
    found = [_parse_entry(entry) for entry in entries]
    names = [each.name for each in found]
    for name in names:
        if names.count(name) > 1:
            raise ValueError(f"has {name} twice; one certificate can be shown for a name")
    return found


def _parse_entry(entry: str) -> NamedFiles:
    name, _, files = entry.partition("=")
    certfile, _, keyfile = files.partition(",")
    wildcard = "*." if name.startswith("*.") else ""
    try:
        ascii_name = name.removeprefix("*.").encode("idna").decode().lower().rstrip(".")
    except UnicodeError:
        ascii_name = ""
    if not ascii_name or "*" in ascii_name or ":" in ascii_name or not certfile:
        raise ValueError("is malformed; use NAME=CERTFILE, NAME=CERTFILE,KEYFILE or *.NAME=...")
    return NamedFiles(wildcard + ascii_name, certfile, keyfile or None)


def find_by_server_name(named: Mapping[str, T], server_name: str | None) -> T | None:
    """Return what stands for the name, else for `*.` and the name without its first label, else None.

    Source: RFC 6066 section 3; RFC 9525 section 6.3, on wildcards.
    """
    if server_name is None:
        return None
    name = server_name.lower().rstrip(".")
    found = named.get(name)
    return found if found is not None else named.get("*." + name.partition(".")[2])
