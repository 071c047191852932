"""Every code block of the documentation is run, and the tutorial ends where the example site is."""

from __future__ import annotations

import json
import os
import re
import shlex
import subprocess
import sys
from dataclasses import dataclass
from pathlib import Path

import pytest

from transom.server import Config

ROOT = Path(__file__).parents[2]
DOCS = ROOT / "docs"
EXAMPLE = ROOT / "examples" / "polls"
FENCE = re.compile(r"^( *)```(\w+)(?: title=\"([^\"]+)\")?\n(.*?)^\1```$", re.MULTILINE | re.DOTALL)
SNIPPET = re.compile(r'^--8<-- "([^"]+)"$', re.MULTILINE)

# What a page of the tutorial must have made work, as (path, status, text in the answer).
MILESTONES = {
    "1-a-page": [("/", 200, "<h1>Polls</h1>")],
    "2-models": [("/", 200, "<h1>Polls</h1>")],
    "3-views-and-templates": [
        ("/", 302, ""),
        ("/polls/", 200, "Tabs or spaces?"),
        ("/polls/1/", 200, "<li>Tabs</li>"),
        ("/polls/99/", 404, ""),
        ("/static/polls/style.css", 200, "--accent"),
    ],
    "4-voting": [
        ("/polls/1/", 200, "csrfmiddlewaretoken"),
        ("/polls/1/results/", 200, "Tabs: 0 votes"),
        ("/polls/1/vote/", 405, ""),
    ],
    "5-live-results": [("/polls/1/results/", 200, "data-live"), ("/static/polls/live.js", 200, "WebSocket")],
}
FETCH = """
import asyncio, json, sys
from mysite.app import app
from transom.testing import Client

async def main():
    async with Client(app) as client:
        for path, status, text in json.load(sys.stdin):
            response = await client.get(path)
            assert response.status_code == status, (path, response.status_code, response.text[:2000])
            assert text in response.text, (path, text, response.text[:2000])

asyncio.run(main())
"""


@dataclass(frozen=True)
class Block:
    """A fenced block: its language, the file it shows, if any, and its text."""

    language: str
    title: str
    text: str


def blocks(page: Path) -> list[Block]:
    found: list[Block] = []
    for indent, language, title, text in FENCE.findall(page.read_text(encoding="utf-8")):
        unindented = re.sub(rf"^{indent}", "", text, flags=re.MULTILINE)
        found.append(
            Block(
                language,
                title,
                SNIPPET.sub(lambda match: (ROOT / match[1]).read_text().rstrip("\n"), unindented),
            )
        )
    return found


def environment(**extra: str) -> dict[str, str]:
    """Return this process's environment without what would change a site, and with the `transom` command."""
    clean = {
        name: value
        for name, value in os.environ.items()
        if not name.startswith(("TRANSOM_", "DATABASE_URL", "PYTEST_"))
    }
    path = f"{Path(sys.executable).parent}{os.pathsep}{clean.get('PATH', '')}"
    return clean | {"PATH": path} | extra


def run(command: list[str], folder: Path, stdin: str = "") -> str:
    # A page of the tutorial is read by a developer, who works with debug on.
    extra = {"TRANSOM_DEBUG": "true"} if (folder / "mysite").is_dir() else {}
    done = subprocess.run(
        command, cwd=folder, env=environment(**extra), input=stdin, capture_output=True, text=True, timeout=60
    )
    assert done.returncode == 0, f"{shlex.join(command)}\n{done.stdout}\n{done.stderr}"
    return done.stdout


@pytest.mark.slow
def test_the_tutorial_works_in_the_order_it_is_read_and_ends_where_the_example_is(tmp_path: Path):
    for page in sorted((DOCS / "tutorial").glob("[0-9]*.md")):
        for block in blocks(page):
            follow(block, tmp_path)
        run([sys.executable, "-c", FETCH], tmp_path, stdin=json.dumps(MILESTONES.get(page.stem, [])))
    for path in sorted(
        path for path in EXAMPLE.rglob("*.*") if path.suffix in {".py", ".html", ".css", ".js", ".svg"}
    ):
        relative = path.relative_to(EXAMPLE)
        assert (tmp_path / relative).exists(), f"{relative} of the example is not in the tutorial"
        assert (tmp_path / relative).read_text() == path.read_text(), f"{relative} differs"


def follow(block: Block, folder: Path) -> None:
    """Do what a reader does: write the file that a block shows, run the commands of a console."""
    if block.title:
        target = folder / block.title
        target.parent.mkdir(parents=True, exist_ok=True)
        target.write_text(f"{block.text.rstrip()}\n", encoding="utf-8")
    elif block.language == "console":
        for line in block.text.splitlines():
            command = shlex.split(line.removeprefix("$ "))
            run([sys.executable, *command[1:]] if command[0] == "python" else command, folder)


@pytest.mark.parametrize(
    ("page", "number"),
    [
        (page.relative_to(ROOT), number)
        for page in [*sorted(DOCS.rglob("*.md")), ROOT / "README.md"]
        if page.parent.name != "tutorial"
        for number, block in enumerate(blocks(page))
        if block.language == "python"
    ],
    ids=str,
)
def test_a_python_block_runs_as_it_is_printed(
    page: Path, number: int, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
):
    monkeypatch.chdir(tmp_path)
    block = blocks(ROOT / page)[number]
    (tmp_path / "block.py").write_text(block.text)
    run([sys.executable, "block.py"], tmp_path)


def test_a_link_to_a_page_of_the_documentation_leads_to_one():
    for page in DOCS.rglob("*.md"):
        for target in re.findall(r"\]\(([^)#:]+\.md)", page.read_text()):
            assert (page.parent / target).resolve().is_file(), f"{page.name} links to {target}"


@pytest.mark.parametrize("page", ["deploy.md", "logs-and-metrics.md"])
def test_options_of_the_server_that_a_page_names_exist(page: str):
    known = {part for option in Config.options() for flag in option.flags for part in flag.split("/")}
    named = set(re.findall(r"(?<![\w-])--[a-z][a-z0-9-]+", (DOCS / "howto" / page).read_text()))
    assert named - known <= {"--config"}  # the command's own
    assert named


SERVED = {
    block.title: block.text
    for block in blocks(DOCS / "howto" / "serve-any-application.md")
    if block.title and block.language == "python"
}
ANSWERS = {"moving.py": [("/", "a new page"), ("/old/page", "an old page")]}
SERVE_AND_ASK = """
import asyncio, json, os, sys, urllib.request
os.environ["TRANSOM_DEBUG"] = "true"
from transom.server import Config, Server
from transom.server.interface import adapt

async def main(module, attribute, answers):
    app = adapt(getattr(__import__(module), attribute), Config())
    async with Server(app, Config(port=0, access_log=False)) as server:
        url = server.urls[0]
        for path, text in answers:
            with await asyncio.to_thread(urllib.request.urlopen, url + path) as response:
                body = response.read().decode()
                assert text in body, (path, body)

asyncio.run(main(sys.argv[1], sys.argv[2], json.load(sys.stdin)))
"""


@pytest.mark.slow
@pytest.mark.parametrize("title", SERVED)
def test_an_application_that_is_served_in_the_documentation_answers(title: str, tmp_path: Path):
    (tmp_path / title).write_text(SERVED[title])
    attribute = "application" if "\napplication = " in SERVED[title] else "app"
    answers = ANSWERS.get(title, [("/", "Hello from")])
    command = [sys.executable, "-c", SERVE_AND_ASK, title.removesuffix(".py"), attribute]
    run(command, tmp_path, stdin=json.dumps(answers))
