"""Byte streams with the verdicts of their authors: gunicorn's and llhttp's own test vectors."""

from __future__ import annotations

import ast
import json
import re
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from sdists import Sdist

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

GUNICORN = Sdist("gunicorn", "27.0.1", "b1514965361c8b7e8107a80aa2a92636878df1ccfac6dd204a676426e04d9e3e")
# llhttp has no distribution of its own with its tests in it; aiohttp's holds llhttp 9.4.2.
LLHTTP = Sdist("aiohttp", "3.14.5", "5558a7f5a05af9ecf744af91e5baefc436f93c9333e656c27ec253f9a6bbe178")


@dataclass(frozen=True)
class Vector:
    """What a client sends, and what its author says of it.

    Attributes:
        error: why it must be refused; None if it must be served.
        requests: what is in it, as gunicorn writes it: `method`, `uri`, `version`, `headers` and `body`.
        options: settings of the author's parser that the verdict holds for.
        complete: how many requests are whole, up to the error if there is one.
    """

    name: str
    data: bytes
    error: str | None
    requests: list[dict[str, Any]] = field(default_factory=list)
    options: dict[str, Any] = field(default_factory=dict)
    complete: int = 0

    def with_host(self) -> bytes:
        """Return the bytes with a Host in each HTTP/1.1 head that has none.

        Most of these vectors were written without one, and a server that refuses them for that has shown nothing.
        """
        return _HEAD.sub(_add_host, self.data)


_HEAD = re.compile(rb"(?:(?<=\n)|^)(?P<line>[^\r\n]+ HTTP/1\.1\r\n)(?P<fields>(?:[^\r\n][^\n]*\n)*)")
_AUTHORITY = re.compile(rb"(?i)(?: https?://|CONNECT )([^/? ]*)")


def _add_host(match: re.Match[bytes]) -> bytes:
    line, fields = match["line"], match["fields"]
    if b"\nhost:" in b"\n" + fields.lower():
        return match[0]
    authority = _AUTHORITY.search(line)
    host = b"Host: %b\r\n" % (authority[1] if authority else b"example.com")
    # Last, where it can: the first field of a head is a special place for some attacks.
    return line + (fields + host if fields.endswith(b"\r\n") else host + fields)


# gunicorn: pairs of a file with the bytes and a Python file with the verdict.


def read_gunicorn() -> list[Vector]:
    """Return gunicorn's vectors, those that must be served and those that must be refused."""
    folder = GUNICORN.folder("tests/requests")
    return [_gunicorn_vector(path) for path in sorted(folder.glob("*/*.http"))]


def _gunicorn_vector(path: Path) -> Vector:
    text = path.read_bytes().replace(b"\n", b"")
    for escape, byte in ((rb"\r\n", b"\r\n"), (rb"\0", b"\0"), (rb"\n", b"\n"), (rb"\t", b"\t")):
        text = text.replace(escape, byte)
    data = re.sub(rb"\\x([0-9A-Fa-f]{2})", lambda match: bytes([int(match[1], 16)]), text)
    names, options = _read_verdict(path.with_suffix(".py").read_text())
    verdict = names["request"]
    error = verdict if isinstance(verdict, str) else None
    requests = [] if error else verdict if isinstance(verdict, list) else [verdict]
    return Vector(f"{path.parent.name}/{path.stem}", data, error, requests, options, len(requests))


def _read_verdict(source: str) -> tuple[dict[str, Any], dict[str, Any]]:
    """Return what a verdict file assigns and which options it sets. It is read, not run."""
    reader = _VerdictReader()
    reader.visit(ast.parse(source))
    return reader.names, reader.options


class _VerdictReader(ast.NodeVisitor):
    def __init__(self) -> None:
        self.names: dict[str, Any] = {}
        self.options: dict[str, Any] = {}

    def visit_Assign(self, node: ast.Assign) -> None:
        value = _Constants(self.names).visit(node.value)
        (target,) = node.targets
        assert isinstance(target, ast.Name)
        self.names[target.id] = ast.literal_eval(value)

    def visit_Call(self, node: ast.Call) -> None:
        name, value = map(ast.literal_eval, node.args)  # cfg.set(name, value)
        self.options[name] = value


class _Constants(ast.NodeTransformer):
    """Puts values where names and calls stand."""

    def __init__(self, names: dict[str, Any]) -> None:
        self.names = names

    def visit_Name(self, node: ast.Name) -> ast.Constant:
        return ast.Constant(self.names.get(node.id, node.id))  # an exception is known by its name

    def visit_Call(self, node: ast.Call) -> ast.expr:
        return node.args[0] if node.args else ast.Constant(None)  # uri(target), Config()


# llhttp: Markdown with blocks of settings, bytes and expected callbacks.

_BLOCKS = re.compile(
    r"^#+ (?P<title>[^\n]*)|^<!-- *meta=(?P<meta>[^\n]*?) *-->|^```(?P<kind>http|log)\n(?P<text>.*?)^```",
    re.DOTALL | re.MULTILINE,
)


def read_llhttp() -> list[Vector]:
    """Return llhttp's vectors of requests, those for its lenient modes too: `options["type"]` is the mode."""
    folder = LLHTTP.folder("vendor/llhttp/test/request")
    return [vector for path in sorted(folder.glob("*.md")) for vector in _llhttp_vectors(path)]


def _llhttp_vectors(path: Path) -> Iterator[Vector]:
    title, meta, sent = "", {}, ""
    for block in _BLOCKS.finditer(path.read_text()):
        if block["title"]:
            title = block["title"]
        elif block["meta"]:
            meta = json.loads(block["meta"])
        elif block["kind"] == "http":
            sent = block["text"]
        else:
            log, _, reason = block["text"].partition(" error code=")
            error = reason.partition('"')[2].strip('"\n') or None
            complete = log.count("message complete")
            yield Vector(f"{path.stem}: {title}", _decode_llhttp(sent), error, [], meta, complete)


def _decode_llhttp(text: str) -> bytes:
    text = text.removesuffix("\n")
    text = re.sub(r"\\\n", "", text).replace("\n", "\r\n")
    for escape, char in ((r"\r", "\r"), (r"\n", "\n"), (r"\t", "\t"), (r"\f", "\f")):
        text = text.replace(escape, char)
    text = re.sub(r"\\x([0-9a-fA-F]+)", lambda match: chr(int(match[1], 16)), text)
    text = re.sub(r"\\([0-7]{1,3})", lambda match: chr(int(match[1], 8)), text)
    return text.encode()
