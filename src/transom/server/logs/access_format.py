"""Formats of the access log, compiled once, so that a line costs a few microseconds.

`combined` is NCSA's with the duration behind it, `json` is one object per line, anything else is a format of atoms as gunicorn
and Apache have them. Whatever a client sent is escaped in all of them: it cannot end a line or a quoted field, nor reach a
terminal as a control sequence.
"""

from __future__ import annotations

import base64
import binascii
import os
import re
import time
from json.encoder import encode_basestring_ascii as _quote
from typing import TYPE_CHECKING, Final, NamedTuple, TypeAlias

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from transom.server.logs.access import AccessEntry

    Fields: TypeAlias = Mapping[bytes, bytes]
    Getter: TypeAlias = Callable[[AccessEntry, Fields], object]

COMBINED: Final = '%(h)s - - %(t)s "%(r)s" %(s)s %(B)s "%(f)s" "%(a)s" %(L)s'
REQUEST_ID: Final = " %({x-request-id}i)s"

_DIRECTIVE: Final = re.compile(r"%(?:\((?P<atom>[^)]*)\)(?P<type>.?)|(?P<percent>%)?)")
_VARIABLE: Final = re.compile(r"\{(?P<name>[^{}]+)\}(?P<kind>[ioe])")
# Who can read a log must not thereby be able to act as the user.
_SECRET: Final = frozenset({"authorization", "proxy-authorization", "cookie", "set-cookie"})
_ESCAPED: Final = [chr(code) if 32 <= code < 127 else f"\\x{code:02x}" for code in range(256)]
_ESCAPED[ord('"')], _ESCAPED[ord("\\")] = '\\"', "\\\\"


class AccessFormat(NamedTuple):
    """A format, ready for use.

    Attributes:
        render: returns the line of one entry, without its end.
        wants_response_headers: whether it shows any.
    """

    render: Callable[[AccessEntry], str]
    wants_response_headers: bool


def compile_format(text: str, *, request_id: bool = False) -> AccessFormat:
    """Return the format that `combined`, `json` or atoms describe.

    Args:
        text: the format.
        request_id: whether requests have an id, which `combined` then ends with.

    Raises:
        ValueError: an atom is unknown, or a lone % stands there.
    """
    if text == "json":
        return AccessFormat(render_json, False)
    if text == "combined":
        text = COMBINED + REQUEST_ID if request_id else COMBINED
    getters: list[Getter] = []
    position, template = 0, ""
    for match in _DIRECTIVE.finditer(text):
        template += text[position : match.start()].replace("%", "%%")
        position = match.end()
        if match["percent"]:
            template += "%%"
        else:
            template += "%s"
            getters.append(_find_getter(match))
    template += text[position:]
    return AccessFormat(_join(template, tuple(getters)), "}o)" in text)


def _join(template: str, getters: tuple[Getter, ...]) -> Callable[[AccessEntry], str]:
    def render(entry: AccessEntry) -> str:
        fields = dict(entry.headers)
        return template % tuple([get(entry, fields) for get in getters])

    return render


def _find_getter(match: re.Match[str]) -> Getter:
    atom = match["atom"]
    if atom is None or match["type"] not in ("s", "d"):
        raise ValueError(f"{match[0]!r} is no directive; use %(atom)s, and %% for a percent sign")
    if variable := _VARIABLE.fullmatch(atom):
        return _find_variable(variable["name"], variable["kind"])
    if atom not in _ATOMS:
        raise ValueError(
            f"unknown atom {atom!r}; choose from {', '.join(_ATOMS)}, {{field}}i, {{field}}o and {{variable}}e"
        )
    return _ATOMS[atom]


def _find_variable(name: str, kind: str) -> Getter:
    if kind == "e":
        value = escape(os.environ.get(name, "-").encode())
        return lambda entry, fields: value
    if name.lower() in _SECRET:
        raise ValueError(f"field {name!r} holds secrets and is not logged")
    key = name.lower().encode()
    if kind == "i":
        return lambda entry, fields: escape(fields[key]) if key in fields else "-"
    return lambda entry, fields: _find_response_field(entry, key)


def _find_response_field(entry: AccessEntry, key: bytes) -> str:
    return next((escape(value) for name, value in entry.response_headers if name.lower() == key), "-")


def escape(data: bytes) -> str:
    r"""Return text for a quoted log field: printable ASCII as it is, quotes and backslashes behind one, other bytes as `\x1b`."""
    text = data.decode("latin-1")
    if text.isascii() and text.isprintable() and '"' not in text and "\\" not in text:
        return text
    return text.translate(_ESCAPED)


def _request_line(entry: AccessEntry, fields: Fields) -> str:
    return f"{entry.method} {escape(_target(entry))} HTTP/{entry.http_version}"


def _target(entry: AccessEntry) -> bytes:
    return entry.path + b"?" + entry.query if entry.query else entry.path


def _client(entry: AccessEntry, fields: Fields) -> str:
    return escape(entry.client.encode()) or "-"


def _user(entry: AccessEntry, fields: Fields) -> str:
    """Return the name, not the password, that was given for Basic authentication. Source: RFC 7617 section 2."""
    scheme, _, credentials = fields.get(b"authorization", b"").partition(b" ")
    if scheme.lower() != b"basic":
        return "-"
    try:
        name, colon, _ = base64.b64decode(credentials, validate=True).partition(b":")
    except binascii.Error:
        return "-"
    return escape(name).replace(" ", "\\x20") if name and colon else "-"


class _Clock:
    """The time as NCSA writes it; many requests end in the same second."""

    def __init__(self) -> None:
        self._second = -1
        self._text = ""

    def __call__(self, entry: AccessEntry, fields: Fields) -> str:
        second = int(entry.when)
        if second != self._second:
            self._second = second
            self._text = time.strftime("[%d/%b/%Y:%H:%M:%S %z]", time.localtime(second))
        return self._text


_ATOMS: Final[dict[str, Getter]] = {
    "h": _client,
    "l": lambda entry, fields: "-",
    "u": _user,
    "t": _Clock(),
    "r": _request_line,
    "m": lambda entry, fields: entry.method,
    "U": lambda entry, fields: escape(entry.path),
    "q": lambda entry, fields: escape(entry.query),
    "H": lambda entry, fields: f"HTTP/{entry.http_version}",
    "s": lambda entry, fields: entry.status,
    "B": lambda entry, fields: entry.size,
    "b": lambda entry, fields: entry.size or "-",
    "f": lambda entry, fields: escape(fields.get(b"referer", b"-")),
    "a": lambda entry, fields: escape(fields.get(b"user-agent", b"-")),
    "T": lambda entry, fields: int(entry.duration),
    "M": lambda entry, fields: int(entry.duration * 1000),
    "D": lambda entry, fields: int(entry.duration * 1_000_000),
    "L": lambda entry, fields: f"{entry.duration:.6f}",
    "p": lambda entry, fields: f"<{os.getpid()}>",
}


def render_json(entry: AccessEntry) -> str:
    """Return an entry as one JSON object; what is not there is null."""
    fields = dict(entry.headers)
    line = (
        f'{{"time":"{_isoformat(entry.when)}","client":{_quote(entry.client)},"method":{_quote(entry.method)},'
        f'"scheme":"{entry.scheme}","host":{_text(fields.get(b"host"))},"path":{_text(entry.path)},'
        f'"query":{_text(entry.query)},"protocol":"HTTP/{entry.http_version}","status":{entry.status},'
        f'"bytes":{entry.size},"duration":{entry.duration:.6f},"referer":{_text(fields.get(b"referer"))},'
        f'"user_agent":{_text(fields.get(b"user-agent"))},"request_id":{_text(fields.get(b"x-request-id"))}}}'
    )
    # The one control character that JSON leaves as it is.
    return line.replace("\x7f", "\\u007f") if "\x7f" in line else line


def _text(data: bytes | None) -> str:
    return "null" if data is None else _quote(data.decode("utf-8", "backslashreplace"))


class _Times:
    """The time as ISO 8601 has it; many requests end in the same second."""

    def __init__(self) -> None:
        self._second = -1
        self._parts = ("", "")

    def __call__(self, when: float) -> str:
        second = int(when)
        if second != self._second:
            local = time.localtime(second)
            offset = time.strftime("%z", local)
            self._second = second
            self._parts = time.strftime("%Y-%m-%dT%H:%M:%S.", local), f"{offset[:3]}:{offset[3:]}"
        begin, end = self._parts
        return f"{begin}{int((when - second) * 1e6):06d}{end}"


_isoformat: Final = _Times()
