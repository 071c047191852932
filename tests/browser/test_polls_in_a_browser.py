"""The example site in a real browser, served by a real server: what a visitor sees, and what moves while others vote."""

from __future__ import annotations

import os
import re
import shutil
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from playwright.sync_api import Browser, BrowserContext, Page, expect, sync_playwright

pytestmark = [pytest.mark.slow, pytest.mark.chromium]

EXAMPLE = Path(__file__).parents[2] / "examples" / "polls"
TRANSOM = [sys.executable, "-m", "transom"]
# Chromium's own traffic would be refused by a closed network, and shown in the console.
ARGUMENTS = [
    "--no-sandbox",
    "--disable-gpu",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
]


@pytest.fixture(scope="module")
def site(tmp_path_factory: pytest.TempPathFactory, next_port: Callable[[], int]) -> Iterator[str]:
    """Serve a copy of the example with its sample data, as `make demo` does."""
    folder = tmp_path_factory.mktemp("browser") / "polls"
    shutil.copytree(EXAMPLE, folder, ignore=shutil.ignore_patterns("*.sqlite3*", "__pycache__"))
    environment = {name: value for name, value in os.environ.items() if not name.startswith("TRANSOM_")}
    for command in ([*TRANSOM, "migrate"], [sys.executable, "-m", "polls.sample_data"]):
        subprocess.run(command, cwd=folder, env=environment, check=True, capture_output=True, timeout=60)
    port = next_port()
    server = subprocess.Popen(
        [*TRANSOM, "run", "--no-reload", "--port", str(port)], cwd=folder, env=environment
    )
    try:
        wait_until_it_answers(port, server)
        yield f"http://127.0.0.1:{port}"
    finally:
        server.send_signal(signal.SIGINT)
        assert server.wait(15) == 0


def wait_until_it_answers(port: int, server: subprocess.Popen[bytes]) -> None:
    deadline = time.monotonic() + 20
    while time.monotonic() < deadline:
        assert server.poll() is None, f"the server ended with {server.returncode}"
        try:
            socket.create_connection(("127.0.0.1", port), timeout=1).close()
        except OSError:
            time.sleep(0.05)  # nothing tells when a port begins to answer
        else:
            return
    raise AssertionError("the server does not answer")


@pytest.fixture(scope="module")
def browser(chromium: str) -> Iterator[Browser]:
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=chromium, headless=True, args=ARGUMENTS)
        yield browser
        browser.close()


@pytest.fixture
def complaints() -> list[str]:
    return []


@pytest.fixture
def context(browser: Browser, complaints: list[str]) -> Iterator[BrowserContext]:
    """A visitor whose pages may not complain in the console; the test fails where one does."""
    context = browser.new_context()
    context.on(
        "console",
        lambda message: complaints.append(message.text) if message.type in {"error", "warning"} else None,
    )
    context.on("weberror", lambda error: complaints.append(str(error.error)))
    context.on("requestfailed", lambda request: complaints.append(f"{request.url}: {request.failure}"))
    yield context
    context.close()


def votes(page: Page, choice: str) -> int:
    shown = page.locator("[data-choice]", has_text=choice).locator(".votes").inner_text()
    return int(re.sub(r"\D", "", shown))


def test_a_vote_moves_the_bars_of_everyone_who_watches(
    site: str, context: BrowserContext, complaints: list[str]
):
    watchers = [context.new_page(), context.new_page()]
    for page in watchers:
        page.goto(f"{site}/polls/2/results/")
        expect(page.get_by_role("status")).to_contain_text("Live")
    before = votes(watchers[0], "Spaces")
    bars = [page.locator("[data-choice]", has_text="Spaces").locator("progress") for page in watchers]
    assert [bar.get_attribute("value") for bar in bars] == [str(before)] * 2

    voter = context.new_page()
    voter.goto(site)
    voter.get_by_role("link", name="Tabs or spaces?").click()
    voter.get_by_role("radio", name="Spaces").check()
    voter.get_by_role("button", name="Vote").click()
    expect(voter).to_have_url(f"{site}/polls/2/results/")

    for page, bar in zip(watchers, bars, strict=True):
        expect(bar).to_have_js_property("value", before + 1)
        assert votes(page, "Spaces") == before + 1
    assert complaints == []


def test_no_choice_brings_the_form_back_with_an_error_that_is_announced(site: str, context: BrowserContext):
    page = context.new_page()
    page.goto(f"{site}/polls/1/")
    page.get_by_role("button", name="Vote").click()
    expect(page.get_by_role("alert")).to_have_text("Choose one of the answers.")
    expect(page.get_by_role("group")).to_have_attribute("aria-invalid", "true")


def test_the_site_works_without_javascript(site: str, browser: Browser):
    context = browser.new_context(java_script_enabled=False)
    page = context.new_page()
    page.goto(f"{site}/polls/3/")
    page.get_by_role("radio", name="What test?").check()
    page.get_by_role("button", name="Vote").click()
    expect(page.locator("[data-choice]", has_text="What test?").locator(".votes")).to_have_text("3 votes")
    context.close()


@pytest.mark.parametrize("path", ["/polls/", "/polls/1/", "/polls/1/results/"])
def test_a_page_fits_a_narrow_screen(site: str, browser: Browser, path: str):
    context = browser.new_context(viewport={"width": 360, "height": 640})
    page = context.new_page()
    page.goto(f"{site}{path}")
    assert page.evaluate("document.documentElement.scrollWidth") <= 360
    context.close()


@pytest.mark.parametrize("path", ["/polls/", "/polls/1/", "/polls/1/results/"])
def test_a_page_has_a_language_a_title_one_heading_and_named_controls(
    site: str, context: BrowserContext, path: str
):
    page = context.new_page()
    page.goto(f"{site}{path}")
    assert page.locator("html").get_attribute("lang") == "en"
    assert page.title()
    expect(page.get_by_role("heading", level=1)).to_have_count(1)
    unnamed = page.evaluate(
        """[...document.querySelectorAll("input:not([type=hidden]), button, a, progress, img")].filter(
            (element) => !(element.innerText || element.labels?.length || element.ariaLabel || element.hasAttribute("alt"))
        ).map((element) => element.outerHTML)"""
    )
    assert unnamed == []
