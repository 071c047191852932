"""HTTP/2 with the clients that people use, over real sockets: curl, nghttp, h2load, httpx, and Chromium."""

from __future__ import annotations

import asyncio
import hashlib
import json
import re
import ssl
from collections.abc import AsyncIterator, Callable
from pathlib import Path
from typing import Any

import httpx
import pytest
import pytest_asyncio
import trustme
from playwright.async_api import Browser, Page, async_playwright

from transom.asgi import validate
from transom.server import Config, Server

pytestmark = pytest.mark.slow
TRAILERS = [(b"x-digest", b"from the application")]
PIECE = b"0123456789abcdef" * 1024  # larger than a frame of default size together with its neighbour
# Chromium's own traffic would be refused by a closed network.
ARGUMENTS = ["--no-sandbox", "--disable-gpu", "--disable-background-networking", "--disable-component-update"]

PAGE = b"""<!doctype html><title>page</title><link rel=icon href=data:,>
<script>
    const upload = async (size) =>
        (await fetch('/upload', {method: 'POST', body: new Uint8Array(size)})).json();
    const download = async () => {
        const reader = (await fetch('/large')).body.getReader();
        let size = 0;
        for (let part; !(part = await reader.read()).done; ) size += part.value.length;
        return size;
    };
    const random = (size) => {  // nothing that could be compressed
        const data = new Uint8Array(size);
        for (let start = 0; start < size; start += 65536) {
            crypto.getRandomValues(data.subarray(start, start + 65536));
        }
        return data;
    };
    const next = (socket) => new Promise((resolve, reject) => {
        socket.onmessage = (event) => resolve(event.data);
        socket.onclose = (event) => reject(`the WebSocket has ended with ${event.code}: ${event.reason}`);
    });
    const openSocket = async () => {
        const socket = new WebSocket(location.origin.replace('https', 'wss') + '/socket');
        socket.binaryType = 'arraybuffer';
        return [socket, JSON.parse(await next(socket))];
    };
</script>"""

Tool = Callable[[str], str]


class Site:
    """The application."""

    def __init__(self) -> None:
        self._gate = asyncio.Event()

    async def __call__(self, scope, receive, send):
        if scope["type"] == "websocket":
            await echo(scope, receive, send)
            return
        routes = {
            "/large": send_large,
            "/trailers": send_trailers,
            "/page": send_page,
            "/first": self._send_first,
            "/second": self._send_second,
        }
        await routes.get(scope["path"], describe)(scope, receive, send)

    async def _send_first(self, scope, receive, send):
        await send({"type": "http.response.start", "status": 200})
        await send({"type": "http.response.body", "body": b"first", "more_body": True})
        await self._gate.wait()
        await send({"type": "http.response.body", "body": b"second"})

    async def _send_second(self, scope, receive, send):
        self._gate.set()
        await describe(scope, receive, send)


async def describe(scope, receive, send):
    """Answer with what came."""
    digest, size = hashlib.sha256(), 0
    more = True
    while more:
        message = await receive()
        digest.update(message["body"])
        size += len(message["body"])
        more = message["more_body"]
    told = {
        "version": scope["http_version"],
        "method": scope["method"],
        "path": scope["path"],
        "client": scope["client"][1],
        "size": size,
        "sha256": digest.hexdigest(),
        "fields": [[name.decode("latin-1"), value.decode("latin-1")] for name, value in scope["headers"]],
    }
    headers = [(b"content-type", b"application/json")]
    await send({"type": "http.response.start", "status": 200, "headers": headers})
    await send({"type": "http.response.body", "body": json.dumps(told).encode()})


async def send_large(scope, receive, send):
    """Answer with a megabyte in pieces."""
    await send({"type": "http.response.start", "status": 200})
    for _ in range(64):
        await send({"type": "http.response.body", "body": PIECE, "more_body": True})
    await send({"type": "http.response.body"})


async def send_trailers(scope, receive, send):
    await send({"type": "http.response.start", "status": 200, "trailers": True})
    await send({"type": "http.response.body", "body": b"body\n", "more_body": True})
    await send({"type": "http.response.body"})
    await send({"type": "http.response.trailers", "headers": TRAILERS})


async def send_page(scope, receive, send):
    headers = [(b"content-type", b"text/html")]
    await send({"type": "http.response.start", "status": 200, "headers": headers})
    await send(
        {
            "type": "http.response.body",
            "body": PAGE,
        }
    )


async def echo(scope, receive, send):
    """Say by which version and on which connection the WebSocket came, then send everything back until told to close."""
    assert (await receive())["type"] == "websocket.connect"
    await send({"type": "websocket.accept"})
    told = {"version": scope["http_version"], "client": scope["client"][1]}
    await send({"type": "websocket.send", "text": json.dumps(told)})
    while (message := await receive())["type"] == "websocket.receive":
        if message.get("text") == "close":
            await send({"type": "websocket.close", "code": 3001})
            return
        await send({"type": "websocket.send", "text": message.get("text"), "bytes": message.get("bytes")})


@pytest.fixture
def tls(tmp_path: Path) -> dict[str, str]:
    """Options of a server with a certificate."""
    ca = trustme.CA()
    ca.issue_cert("localhost").private_key_and_cert_chain_pem.write_to_path(str(tmp_path / "server.pem"))
    ca.cert_pem.write_to_path(str(tmp_path / "ca.pem"))
    return {"ssl_certfile": str(tmp_path / "server.pem")}


@pytest.fixture(params=["plain", "tls"])
async def url(request: pytest.FixtureRequest, serve: Any, tls: dict[str, str]) -> str:
    """The application, with HTTP/2 by prior knowledge and by ALPN."""
    is_plain = request.param == "plain"
    running = await serve(Site(), **({} if is_plain else tls))
    return f"http{'' if is_plain else 's'}://localhost:{running.port}"


@pytest.fixture
def upload(tmp_path: Path) -> Path:
    """A file of a megabyte and a bit."""
    path = tmp_path / "upload"
    path.write_bytes(PIECE * 64 + b"end")
    return path


async def run(*command: str | Path) -> str:
    """Return what a command says, both of its outputs."""
    process = await asyncio.create_subprocess_exec(
        *map(str, command), stdout=asyncio.subprocess.PIPE, stderr=asyncio.subprocess.STDOUT
    )
    out, _ = await asyncio.wait_for(process.communicate(), 60)
    assert process.returncode == 0, out
    return out.decode("latin-1")


def assert_whole(told: dict[str, Any], upload: Path) -> None:
    """Check that an upload came over HTTP/2, and as it was."""
    data = upload.read_bytes()
    assert (told["version"], told["size"]) == ("2", len(data))
    assert told["sha256"] == hashlib.sha256(data).hexdigest()


# curl


@pytest.fixture
def curl(tool: Tool, url: str, tmp_path: Path) -> list[str | Path]:
    choice = "--http2" if url.startswith("https") else "--http2-prior-knowledge"
    return [tool("curl"), "--silent", "--show-error", choice, "--cacert", tmp_path / "ca.pem"]


async def test_curl_gets(curl: list[str | Path], url: str):
    out = await run(*curl, "--include", f"{url}/a?b")
    head, _, body = out.partition("\r\n\r\n")
    assert head.startswith("HTTP/2 200")
    told = json.loads(body)
    assert (told["version"], told["method"], told["path"]) == ("2", "GET", "/a")


async def test_curl_asks_for_the_head(curl: list[str | Path], url: str):
    out = await run(*curl, "--head", "--write-out", "%{http_version} %{size_download}", f"{url}/large")
    assert out.startswith("HTTP/2 200")
    assert out.endswith("2 0")


@pytest.mark.parametrize("more", [[], ["--header", "Expect: 100-continue"]], ids=["at once", "when asked"])
async def test_curl_uploads(curl: list[str | Path], url: str, upload: Path, more: list[str]):
    out = await run(*curl, *more, "--upload-file", upload, f"{url}/")
    assert_whole(json.loads(out), upload)


async def test_curl_downloads(curl: list[str | Path], url: str, tmp_path: Path):
    await run(*curl, "--output", tmp_path / "download", f"{url}/large")
    assert (tmp_path / "download").read_bytes() == PIECE * 64


async def test_curl_takes_trailers(curl: list[str | Path], url: str):
    out = await run(*curl, "--include", "--header", "TE: trailers", f"{url}/trailers")
    assert out.endswith("body\nx-digest: from the application\r\n")


# nghttp and h2load


@pytest.fixture
def nghttp(tool: Tool) -> list[str]:
    return [tool("nghttp"), "--no-verify-peer", "--no-push"]


async def test_nghttp_multiplexes_with_priorities(nghttp: list[str], url: str):
    out = await run(
        *nghttp,
        "--verbose",
        "--null-out",
        "--weight=256",
        "--weight=1",
        "--multiply=20",
        f"{url}/large",
        f"{url}/a",
    )
    assert len(re.findall(r"recv \(stream_id=\d+\) :status: 200", out)) == 40
    assert sum(map(int, re.findall(r"recv DATA frame <length=(\d+), flags=0x0[01]", out))) >= 20 * 64 * len(
        PIECE
    )
    assert "GOAWAY" not in re.sub(r"send GOAWAY.*", "", out)


@pytest.mark.parametrize(
    "options",
    [
        ["--padding=255"],
        ["--continuation"],
        ["--trailer=x-end: yes"],
        ["--no-content-length", "--expect-continue"],
        ["--header-table-size=0"],
        ["--header-table-size=100", "--header-table-size=0", "--header-table-size=4096"],
        ["--encoder-header-table-size=0"],
        ["--window-bits=10", "--connection-window-bits=17"],
        ["--no-rfc7540-pri", "--header=priority: u=0, i"],
    ],
    ids=lambda options: " ".join(options),
)
async def test_nghttp_uploads(nghttp: list[str], url: str, upload: Path, options: list[str]):
    """What other clients seldom do: padding, CONTINUATION, trailers, tables of all sizes, small windows."""
    out = await run(*nghttp, *options, "--multiply=3", f"--data={upload}", f"{url}/")
    answers = [json.loads(each) for each in re.findall(r'\{"version".*?\]\]\}', out)]
    assert len(answers) == 3
    for told in answers:
        assert_whole(told, upload)


async def test_nghttp_takes_trailers(nghttp: list[str], url: str):
    out = await run(*nghttp, "--verbose", "--header=te: trailers", f"{url}/trailers")
    assert re.search(r"recv \(stream_id=\d+\) x-digest: from the application", out)


@pytest.mark.parametrize(("path", "streams"), [("a", 100), ("large", 10)], ids=["small", "large"])
async def test_h2load_is_answered(tool: Tool, url: str, path: str, streams: int):
    count = 10 * streams
    out = await run(
        tool("h2load"),
        f"--requests={count}",
        "--clients=2",
        f"--max-concurrent-streams={streams}",
        f"{url}/{path}",
    )
    assert f"{count} succeeded, 0 failed, 0 errored, 0 timeout" in out
    assert f"status codes: {count} 2xx" in out


# httpx


@pytest.fixture
async def client(serve: Any, tls: dict[str, str], tmp_path: Path) -> AsyncIterator[httpx.AsyncClient]:
    running = await serve(Site(), **tls)
    verify = ssl.create_default_context(cafile=str(tmp_path / "ca.pem"))
    base = f"https://localhost:{running.port}"
    async with httpx.AsyncClient(http2=True, http1=False, verify=verify, base_url=base) as client:
        yield client


async def test_httpx_asks_at_the_same_time(client: httpx.AsyncClient, upload: Path):
    """Uploads, downloads, and small ones between them, all on one connection."""
    data = upload.read_bytes()
    requests = [
        request
        for number in range(10)
        for request in (
            client.get(f"/{number}", headers={"cookie": "a=b", "x-number": str(number)}),
            client.post("/upload", content=data),
            client.get("/large"),
        )
    ]
    responses = await asyncio.gather(*requests)
    assert {response.http_version for response in responses} == {"HTTP/2"}
    assert len({id(response.extensions["network_stream"]) for response in responses}) == 1
    for number, (small, upped, large) in enumerate(zip(*[iter(responses)] * 3, strict=True)):
        assert ["x-number", str(number)] in small.json()["fields"]
        assert_whole(upped.json(), upload)
        assert large.content == PIECE * 64


# Chromium


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def browser(chromium: str) -> AsyncIterator[Browser]:
    """One for all tests: it takes longer to start than they take."""
    async with async_playwright() as playwright:
        browser = await playwright.chromium.launch(executable_path=chromium, headless=True, args=ARGUMENTS)
        yield browser
        await browser.close()


@pytest_asyncio.fixture(loop_scope="module")
async def page(browser: Browser, tls: dict[str, str]) -> AsyncIterator[Page]:
    """A page of the application, over TLS."""
    config = Config(port=0, lifespan="off", timeout_graceful_shutdown=0.0, ssl_certfile=tls["ssl_certfile"])
    async with Server(validate(Site()), config) as server:
        context = await browser.new_context(ignore_https_errors=True)
        page = await context.new_page()
        await page.goto(f"https://localhost:{server.addresses[0][1]}/page")
        yield page
        await context.close()


@pytest.mark.chromium
@pytest.mark.asyncio(loop_scope="module")
async def test_chromium_uses_one_connection_for_all(page: Page):
    """Navigation, uploads, downloads and a WebSocket by extended CONNECT (RFC 8441)."""
    assert await page.evaluate("performance.getEntriesByType('navigation')[0].nextHopProtocol") == "h2"
    found = await page.evaluate(
        """async () => {
            const [socket, told] = await openSocket();
            const fetches = [];
            for (let number = 0; number < 10; number++) {
                fetches.push(upload(number * 100000), download());
            }
            const echo = next(socket);
            socket.send('between them');
            const answers = await Promise.all(fetches);
            const entries = performance.getEntriesByType('resource').map((entry) => entry.nextHopProtocol);
            return {told, answers, echo: await echo, protocols: [...new Set(entries)]};
        }"""
    )
    assert found["told"]["version"] == "2"
    assert found["echo"] == "between them"
    assert found["protocols"] == ["h2"]
    uploads, downloads = found["answers"][::2], found["answers"][1::2]
    assert [told["size"] for told in uploads] == [number * 100_000 for number in range(10)]
    assert downloads == [64 * len(PIECE)] * 10
    assert {told["client"] for told in uploads} == {found["told"]["client"]}


@pytest.mark.chromium
@pytest.mark.asyncio(loop_scope="module")
async def test_chromium_talks_over_a_websocket(page: Page):
    """Messages of all sizes, with permessage-deflate, then a close from either side, which leaves the connection alone."""
    found = await page.evaluate(
        """async () => {
            const [socket, told] = await openSocket();
            const sizes = [];
            for (const size of [0, 1, 125, 126, 65535, 65536, 500000]) {
                const echo = next(socket);
                socket.send(random(size));
                sizes.push((await echo).byteLength);
            }
            const closes = async (socket, act) => {
                const closed = new Promise((resolve) => { socket.onclose = resolve; });
                act();
                const {code, wasClean} = await closed;
                return [code, wasClean];
            };
            const [other, toldOther] = await openSocket();
            const closed = [
                await closes(socket, () => socket.close(3000, 'enough')),
                await closes(other, () => other.send('close')),
            ];
            const after = await upload(1);
            const clients = [told.client, toldOther.client, after.client];
            return {told, sizes, closed, clients, extensions: socket.extensions};
        }"""
    )
    assert found["told"]["version"] == "2"
    assert found["sizes"] == [0, 1, 125, 126, 65_535, 65_536, 500_000]
    assert found["extensions"].startswith("permessage-deflate")
    assert found["closed"] == [[3000, True], [3001, True]]
    assert len(set(found["clients"])) == 1


@pytest.mark.chromium
@pytest.mark.asyncio(loop_scope="module")
async def test_chromium_reads_what_there_is(page: Page):
    """The first piece of a body comes while the application waits for another request to send the second."""
    pieces = await page.evaluate(
        """async () => {
            const reader = (await fetch('/first')).body.getReader();
            const text = async () => new TextDecoder().decode((await reader.read()).value);
            const first = await text();
            await fetch('/second');
            return [first, await text()];
        }"""
    )
    assert pieces == ["first", "second"]


@pytest.mark.chromium
@pytest.mark.asyncio(loop_scope="module")
async def test_chromium_gives_a_download_up(page: Page):
    """What it resets leaves the connection in order."""
    told = await page.evaluate(
        """async () => {
            for (let number = 0; number < 5; number++) {
                const control = new AbortController();
                const response = await fetch('/large', {signal: control.signal});
                await response.body.getReader().read();
                control.abort();
            }
            return (await fetch('/after')).json();
        }"""
    )
    assert (told["version"], told["path"]) == ("2", "/after")
