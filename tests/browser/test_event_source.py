"""Server-sent events as a browser reads them: `EventSource` of Chromium, over a real server."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator

import pytest
from playwright.async_api import async_playwright

from transom.testing import LiveServer
from transom.web import App, EventStreamResponse, HTMLResponse, Request, Response, ServerSentEvent, path

pytestmark = [pytest.mark.slow, pytest.mark.chromium]

LISTEN = """() => new Promise((resolve) => {
    const seen = [], events = new EventSource("/events/");
    const note = (event) => {
        seen.push([event.type, event.data, event.lastEventId]);
        if (event.data === "end") { events.close(); resolve(seen); }
    };
    events.onmessage = note;
    events.addEventListener("vote", note);
})"""


async def test_a_browser_reads_events_resumes_and_leaves(chromium: str):
    asked: list[str] = []
    left = asyncio.Event()

    async def first() -> AsyncIterator[object]:
        yield ServerSentEvent(retry=0.01, comment="data: no")
        yield "two\r\nlines: \u2028 gr\u00fcn"
        yield ServerSentEvent({"votes": 3}, "vote", id="gr\u00fcn 7")

    async def second() -> AsyncIterator[object]:
        try:
            yield "end"
            await asyncio.Event().wait()
        finally:
            left.set()

    async def events(request: Request) -> Response:
        asked.append(request.last_event_id)
        return EventStreamResponse(second() if request.last_event_id else first())

    async def page(request: Request) -> Response:
        return HTMLResponse("<!doctype html><title>Events</title>")

    app = App([path("", page), path("events/", events)], debug=True)
    async with LiveServer(app) as server, async_playwright() as playwright:
        browser = await playwright.chromium.launch(
            executable_path=chromium,
            args=["--no-sandbox", "--disable-gpu", "--disable-background-networking"],
        )
        visitor = await browser.new_page()
        await visitor.goto(server.url)
        seen = await visitor.evaluate(LISTEN)
        await asyncio.wait_for(left.wait(), 5)
        await browser.close()
    assert seen == [
        ["message", "two\nlines: \u2028 gr\u00fcn", ""],
        ["vote", '{"votes":3}', "gr\u00fcn 7"],
        ["message", "end", "gr\u00fcn 7"],
    ]
    assert asked == ["", "gr\u00fcn 7"]
