"""The reference says what the code says: options, settings and packages."""

from __future__ import annotations

import os
import re
from itertools import groupby
from pathlib import Path

import pytest

from transom.cli.main import COMMANDS
from transom.server import Config, Option

ROOT = Path(__file__).parents[2]
REFERENCE = ROOT / "docs" / "reference"


INTRODUCTION = """\
A value comes from the command line, else from the environment, else from a TOML file, else it is the default. Durations are
seconds, sizes are bytes, both as plain numbers. A name or value that is not one is an error, with the nearest name beside it.

The file is the one of `--config FILE` (`-c`, `TRANSOM_SERVE_CONFIG`), else `pyproject.toml` in the current directory, whose
table is `[tool.transom.serve]`; other files have the keys at their top. `app = "module:app"` may stand there, too. Options that
may be repeated are lists there, and in a variable are separated by spaces, with quotes as in a shell. Paths are relative to the
current directory.
"""


def options_tables() -> str:
    """Build the tables of the options of `transom serve`; with UPDATE_DOCS=1 they are written into the page."""
    parts = [INTRODUCTION]
    for group, options in groupby(Config.options(), key=lambda option: option.group):
        head = ["| option | in TOML | environment | default | what it does |", "|---|---|---|---|---|"]
        parts.append("\n".join([f"### {group}", "", *head, *map(options_row, options), ""]))
    return "\n".join(parts)


def options_row(option: Option) -> str:
    flags = ", ".join(f"`{flag}`" for flag in option.flags)
    key = option.name.replace("_", "-")
    meaning = option.help + (f" One of {', '.join(option.choices)}." if option.choices else "")
    return f"| {flags} | `{key}` | `{option.environment}` | {describe_default(option)} | {meaning} |"


def describe_default(option: Option) -> str:
    if option.default in ((), None, ""):
        return ""
    if option.type is bool:
        return "`on`" if option.default else "`off`"
    values = option.default if option.multiple else (option.default,)
    return " ".join(f"`{value:g}`" if option.type is float else f"`{value}`" for value in values)


def test_the_options_of_serve_are_those_of_the_server():
    page = REFERENCE / "cli.md"
    head, _, old = page.read_text(encoding="utf-8").partition("## transom serve\n\n")
    if os.environ.get("UPDATE_DOCS"):
        page.write_text(f"{head}## transom serve\n\n{options_tables()}", encoding="utf-8")
    else:
        assert old == options_tables(), "run this test with UPDATE_DOCS=1"


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
