"""Every item of our ASGI checklist is named in the docstring of a test that shows it.

B: base, H: HTTP scope, HE: HTTP events, W: WebSocket, L: lifespan, X: extensions; of the ASGI 3.0 specification with HTTP and
WebSocket 2.5, lifespan 2.0, TLS 0.2 and the page of extensions.
"""

from __future__ import annotations

import ast
import re
from collections.abc import Iterator
from pathlib import Path

TESTS = Path(__file__).parent
ID = re.compile(r"\b(?:B|HE|H|W|L|X)\d+(?:\.\d)?\b")
ITEMS = {
    *(f"B{number}" for number in range(1, 15)),
    *(f"H1.{number}" for number in range(1, 9)),
    *(f"HE{number}" for number in range(1, 20)),
    *(f"W{number}" for number in range(1, 17)),
    *(f"L{number}" for number in range(1, 8)),
    *(f"X{number}" for number in range(1, 9)),
} - {"HE19"}
HTTP_2 = {"H1.4", "W15"}  # crumbs of cookies; WebSocket over HTTP/2


def iter_ids(source: str) -> Iterator[str]:
    """Find the IDs in the docstrings of the tests of one module."""
    for node in ast.walk(ast.parse(source)):
        if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef) and node.name.startswith("test_"):
            yield from ID.findall(ast.get_docstring(node) or "")


def test_every_item_has_a_test():
    shown = {
        found
        for folder in ("server", "asgi", "cli")
        for path in (TESTS / folder).rglob("test_*.py")
        for found in iter_ids(path.read_text(encoding="utf-8"))
    }
    assert ITEMS - HTTP_2 - shown == set()


def test_no_test_names_an_item_that_does_not_exist():
    for path in (TESTS / "server").glob("test_*.py"):
        unknown = set(iter_ids(path.read_text(encoding="utf-8"))) - ITEMS
        assert not unknown, f"{path.name}: {unknown}"
