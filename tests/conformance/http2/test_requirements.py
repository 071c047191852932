"""Each test says which requirement it is about; REQUIREMENTS.md is the list. `UPDATE_DOCS=1` writes it anew."""

from __future__ import annotations

import ast
import os
import re
from collections.abc import Iterator
from pathlib import Path

HERE = Path(__file__).parent
PAGE = HERE / "REQUIREMENTS.md"

# In the order of RFC 9113, then those that came with other documents, then what we have decided ourselves.
FILES = [
    "preface",
    "frames",
    "streams",
    "errors",
    "data",
    "headers",
    "control_frames",
    "settings",
    "flow_control",
    "shutdown",
    "messages",
    "fields",
    "control_data",
    "connect",
    "hpack",
    "priorities",
    "choices",
]
SOURCE = re.compile(r"(?P<source>RFC \d{4} [\w.]+(?:,? and (?:RFC \d{4} )?[\w.]+)*)(?P<rest>[:,] .+)")


def read_tests(file: str) -> Iterator[tuple[str, str]]:
    """Give the name and the first line of the docstring of each test in a file."""
    tree = ast.parse((HERE / f"test_{file}.py").read_text())
    for node in tree.body:
        if isinstance(node, ast.FunctionDef) and node.name.startswith("test_"):
            yield node.name, (ast.get_docstring(node) or "").partition("\n")[0]


def build_page() -> str:
    head = "# Requirements\n\nWhat each test is about, in the words of its docstring. Written by `UPDATE_DOCS=1`.\n"
    parts = [head]
    for file in FILES:
        parts.append(f"\n## test_{file}.py\n\n| source | requirement | test |\n|---|---|---|\n")
        for name, text in read_tests(file):
            found = SOURCE.fullmatch(text)
            assert found, f"{name} does not say what it is about: {text!r}"
            rest = found["rest"].removeprefix(":").removeprefix(",").strip()
            parts.append(f"| {found['source']} | {rest[0].upper()}{rest[1:]} | `{name}` |\n")
    return "".join(parts)


def test_every_file_is_in_the_list():
    assert {path.stem for path in HERE.glob("test_*.py")} == {
        f"test_{name}" for name in [*FILES, "referee", "requirements"]
    }


def test_the_list_says_the_same_as_the_tests():
    page = build_page()
    if os.environ.get("UPDATE_DOCS"):
        PAGE.write_text(page)
    assert PAGE.read_text() == page
