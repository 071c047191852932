"""The reference says what the code says: options, settings and packages."""

from __future__ import annotations

import os
import re
from pathlib import Path

import pytest

from transom.cli.main import COMMANDS
from transom.server import Config

ROOT = Path(__file__).parents[2]
REFERENCE = ROOT / "docs" / "reference"


def options_table() -> str:
    """Build the table of the options of `transom serve`; with UPDATE_DOCS=1 it is written into the page."""
    rows = ["| option | environment | default | what it does |", "|---|---|---|---|"]
    for option in Config.options():
        flags = ", ".join(f"`{flag}`" for flag in option.flags)
        default = (
            ""
            if option.default in ((), None, "")
            else f"`{option.default}`".replace("True", "on").replace("False", "off")
        )
        meaning = option.help + (f" One of {', '.join(option.choices)}." if option.choices else "")
        rows.append(f"| {flags} | `{option.environment}` | {default} | {meaning} |")
    return "\n".join(rows)


def test_the_options_of_serve_are_those_of_the_server():
    page = REFERENCE / "cli.md"
    head, _, old = page.read_text(encoding="utf-8").partition("## transom serve\n\n")
    intro = "Durations are seconds, sizes are bytes. The command line wins over the environment.\n\n"
    expected = f"{intro}{options_table()}\n"
    if os.environ.get("UPDATE_DOCS"):
        page.write_text(f"{head}## transom serve\n\n{expected}", encoding="utf-8")
    else:
        assert old == expected, "run this test with UPDATE_DOCS=1"


def test_every_command_is_listed():
    page = (REFERENCE / "cli.md").read_text(encoding="utf-8")
    assert {name for name in COMMANDS if f"`transom {name}" not in page} == set()


@pytest.mark.parametrize(
    "package", sorted(path.parent.name for path in (ROOT / "src/transom").glob("*/__init__.py"))
)
def test_every_package_has_a_page_in_the_navigation(package: str):
    page = REFERENCE / f"{package}.md"
    assert page.is_file(), f"write {page.relative_to(ROOT)}"
    assert f"reference/{package}.md" in (ROOT / "mkdocs.yml").read_text(encoding="utf-8")
    if package != "cli":
        assert re.search(rf"^::: transom\.{package}", page.read_text(encoding="utf-8"), re.MULTILINE)
