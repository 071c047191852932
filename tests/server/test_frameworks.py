"""The same requests to the same applications on our server and on the one their own documentation names: the same responses.

Each framework has one site in `frameworks/`, served by `transom serve` and by uvicorn, or gunicorn for WSGI, in processes
of their own. What may differ is listed in `MAY_DIFFER`, each field with its reason; all else is compared as it was received.
"""

from __future__ import annotations

import hashlib
import os
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import httpx
import pytest
from websockets.exceptions import ConnectionClosed, InvalidStatus
from websockets.sync.client import ClientConnection, connect

pytestmark = pytest.mark.slow

SITES = Path(__file__).parent / "frameworks"
DOWNLOAD = b"".join(bytes([number]) * 50_000 for number in range(20))
UPLOAD = bytes(range(256)) * 2000
TEXT = (
    "".join(hashlib.sha256(bytes([number])).hexdigest() for number in range(250)) * 10
)  # compresses, but is no bomb

MAY_DIFFER = {
    "date": "the time of the response",
    "server": "the name of the server",
    "connection": "about the connection, not the response (RFC 9110 section 7.6.1): gunicorn says keep-alive or close to all, we "
    "where HTTP/1.1 would not assume it",
    "transfer-encoding": "framing, and the server's to choose (RFC 9112 section 6.1); the bodies are compared without it",
    "content-length": "framing: where one server states it and the other does not, it must be the size of the body",
}


@dataclass(frozen=True)
class Framework:
    """A site: what to serve, and what it has besides the views that all have."""

    target: str
    wsgi: bool = False
    lifespan: bool = False
    background: bool = False
    websocket: bool = False
    reads_chunked: bool = True
    adapted: str = ""  # the target behind our adapter, for a server of the other interface
    unlike: frozenset[str] = frozenset()  # cases that the other server cannot answer the same


FRAMEWORKS = {
    "starlette": Framework("starlette_site:app", lifespan=True, background=True, websocket=True),
    "fastapi": Framework("fastapi_site:app", lifespan=True, background=True, websocket=True),
    "litestar": Framework("litestar_site:app", lifespan=True, background=True, websocket=True),
    "quart": Framework("quart_site:app", lifespan=True, background=True, websocket=True),
    "flask": Framework("flask_site:app", wsgi=True, background=True),
    # Django looks at CONTENT_LENGTH only: without it a body is empty, on every WSGI server.
    "django-wsgi": Framework("django_site:wsgi", wsgi=True, reads_chunked=False),
    "django-asgi": Framework("django_site:asgi"),
    "django-channels": Framework("channels_site:app", websocket=True),
    # Our adapters on servers that are not ours.
    "flask on uvicorn": Framework("flask_site:app", wsgi=True, background=True, adapted="adapted_site:flask"),
    "starlette on gunicorn": Framework(
        "starlette_site:app",
        lifespan=True,
        background=True,
        adapted="adapted_site:starlette",
        unlike=frozenset({"fields"}),  # WSGI has one value per name
    ),
}


TRANSOM = ("transom", "serve", "--fd", "FD", "--no-access-log")
UVICORN = ("uvicorn", "--fd", "FD", "--no-access-log", "--timeout-graceful-shutdown", "5")
GUNICORN = ("gunicorn", "--bind", "fd://FD", "--threads", "4", "--preload")


class Process:
    """A server process. Its socket listens before it starts: no port is guessed, and a request waits until it is answered."""

    def __init__(self, log: Path, *command: str) -> None:
        self._listener = socket.create_server(("127.0.0.1", 0))
        self.port: int = self._listener.getsockname()[1]
        self._log = log
        descriptor = self._listener.fileno()
        environment = {name: value for name, value in os.environ.items() if not name.startswith("TRANSOM_")}
        with log.open("wb") as stream:
            self._process = subprocess.Popen(
                [sys.executable, "-m", *(part.replace("FD", str(descriptor)) for part in command)],
                cwd=SITES,
                env=environment,
                pass_fds=[descriptor],
                stdout=stream,
                stderr=stream,
            )
        self.client = httpx.Client(
            base_url=f"http://127.0.0.1:{self.port}",
            headers={"host": "site.example", "accept-encoding": "identity", "user-agent": "test"},
            timeout=30,
        )

    def stop(self) -> tuple[int, str]:
        """Stop it gracefully; return its exit code and what it logged."""
        self.client.close()
        self._listener.close()
        self._process.send_signal(signal.SIGTERM)
        try:
            code = self._process.wait(30)
        finally:
            self._process.kill()
        return code, self._log.read_text()


@dataclass
class Pair:
    """One site on two servers."""

    framework: Framework
    ours: Process
    theirs: Process


@pytest.fixture(scope="module", params=FRAMEWORKS)
def pair(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Pair]:
    framework = FRAMEWORKS[request.param]
    logs = tmp_path_factory.mktemp(request.param)
    theirs = Process(logs / "theirs", *(GUNICORN if framework.wsgi else UVICORN), framework.target)
    if framework.adapted:
        ours = Process(logs / "ours", *(UVICORN if framework.wsgi else GUNICORN), framework.adapted)
    else:
        ours = Process(logs / "ours", *TRANSOM, framework.target)
    yield Pair(framework, ours, theirs)
    theirs.stop()
    code, log = ours.stop()
    # uvicorn ends as if the signal had not been handled.
    assert code == (-signal.SIGTERM if framework.adapted and framework.wsgi else 0), log
    assert log.count("site stopped") == framework.lifespan
    # `/broken` is asked for once; frameworks that answer it themselves leave no traceback of ours.
    assert log.count("Traceback") <= 1, log
    assert log.count("ERROR") <= 1, log


def having(feature: str) -> pytest.MarkDecorator:
    """Run a test with the frameworks that have this feature."""
    names = [name for name, framework in FRAMEWORKS.items() if getattr(framework, feature)]
    return pytest.mark.parametrize("pair", names, indirect=True, scope="module")


@dataclass(frozen=True)
class Case:
    """A request, and what every framework answers. `json` and `body` are compared where they are not None."""

    method: str
    target: str
    status: int = 200
    json: Any = None
    body: bytes | None = None
    headers: list[tuple[str, str]] = field(default_factory=list)
    content: Any = None
    chunked: bool = False


FORM = [("content-type", "application/x-www-form-urlencoded")]
MULTIPART = (
    b'--x\r\nContent-Disposition: form-data; name="field"\r\n\r\nvalue\r\n'
    b'--x\r\nContent-Disposition: form-data; name="file"; filename="a.bin"\r\n'
    b"Content-Type: application/octet-stream\r\n\r\n" + UPLOAD + b"\r\n--x--\r\n"
)
UPLOADED = {"size": len(UPLOAD), "sha256": hashlib.sha256(UPLOAD).hexdigest()}
SEEN = {"path": "/json", "host": "site.example", "scheme": "http"}

CASES = {
    "text": Case("GET", "/", body=b"hello"),
    "head": Case("HEAD", "/", body=b""),
    "json": Case("GET", "/json?name=tea", json={"name": "tea", **SEEN}),
    "query": Case("GET", "/json?name=%C3%A4+%26%20b", json={"name": "ä & b", **SEEN}),
    "path": Case("GET", "/path/a%20b/%C3%A4/c%2Bd", json={"path": "a b/ä/c+d"}),
    "path with empty segments": Case("GET", "/path/a//b;c"),  # Litestar joins them, the others do not
    "path with an encoded slash": Case("GET", "/path/a%2Fb", json={"path": "a/b"}),
    "path that is not UTF-8": Case("GET", "/path/%E4"),
    "fields": Case("GET", "/header", json={"got": ["1", "2"]}, headers=[("x-echo", "1"), ("x-echo", "2")]),
    "form": Case(
        "POST", "/form", json={"a": ["1", "ä"], "b": ["3"]}, headers=FORM, content=b"a=1&a=%C3%A4&b=3"
    ),
    "multipart": Case(
        *("POST", "/multipart"),
        json={"name": "a.bin", "size": len(UPLOAD), "field": "value"},
        headers=[("content-type", "multipart/form-data; boundary=x")],
        content=MULTIPART,
    ),
    "upload": Case("POST", "/upload", json=UPLOADED, content=UPLOAD),
    "chunked upload": Case("POST", "/upload", json=UPLOADED, content=UPLOAD, chunked=True),
    "empty upload": Case("POST", "/upload", json={"size": 0, "sha256": hashlib.sha256().hexdigest()}),
    "download": Case("GET", "/download", body=DOWNLOAD),
    "file": Case("GET", "/file", body=(SITES / "README.md").read_bytes()),
    "events": Case("GET", "/events"),
    "cookies": Case("GET", "/cookies", json={"got": {"c": "3", "d": "4"}}, headers=[("cookie", "c=3; d=4")]),
    "redirect": Case("GET", "/redirect", 302),
    "empty": Case("GET", "/empty", 204, body=b""),
    "broken": Case("GET", "/broken", 500),
    "nowhere": Case("GET", "/nowhere", 404),
    "options": Case("OPTIONS", "/nowhere", 404),
    "uncommon method": Case("PROPFIND", "/nowhere", 404),
}


def ask(process: Process, case: Case) -> httpx.Response:
    content = case.content
    if case.chunked:
        content = (case.content[start : start + 7001] for start in range(0, len(case.content), 7001))
    return process.client.request(case.method, case.target, headers=case.headers, content=content)


@pytest.mark.parametrize("case", CASES)
def test_response_is_the_same(pair: Pair, case: str):
    request = CASES[case]
    if case in pair.framework.unlike:
        assert ask(pair.ours, request).json() == {"got": ["1,2"]}
        return
    ours, theirs = ask(pair.ours, request), ask(pair.theirs, request)
    assert ours.status_code == theirs.status_code
    assert ours.content == theirs.content
    compare_fields(ours, theirs)
    if not request.chunked or pair.framework.reads_chunked:
        assert ours.status_code == request.status
        assert request.json is None or ours.json() == request.json
        assert request.body is None or ours.content == request.body


def compare_fields(ours: httpx.Response, theirs: httpx.Response) -> None:
    """Fields in the order they came, names in any case (RFC 9110 section 5.1)."""
    sides = [ours.headers.multi_items(), theirs.headers.multi_items()]
    kept = [[(name, value) for name, value in items if name not in MAY_DIFFER] for items in sides]
    assert kept[0] == kept[1]
    if ours.request.method == "HEAD":
        return
    for response in (ours, theirs):
        assert response.headers.get("content-length") in (None, str(len(response.content)))


def test_events_are_server_sent_events(pair: Pair):
    response = pair.ours.client.get("/events")
    assert response.headers["content-type"].startswith("text/event-stream")
    assert [line.strip() for line in response.text.split() if line.strip() not in ("", "data:")] == [
        "0",
        "1",
        "2",
    ]


def test_redirect_leads_to_the_page(pair: Pair):
    response = pair.ours.client.get("/redirect", follow_redirects=True)
    assert response.json()["name"] == "redirected"


def test_cookies_are_set_each_in_a_field_of_its_own(pair: Pair):
    fields = pair.ours.client.get("/cookies").headers.get_list("set-cookie")
    pair.ours.client.cookies.clear()
    assert [each.partition("=")[0] for each in fields] == ["a", "b"]


@having("lifespan")
def test_lifespan_state_reaches_the_views(pair: Pair):
    answers = [process.client.get("/state") for process in (pair.ours, pair.theirs)]
    assert answers[0].json() == answers[1].json() == {"started": True}


@having("background")
def test_background_work_is_done_after_the_response(pair: Pair):
    for process in (pair.ours, pair.theirs):
        assert process.client.post("/background").text == "begun"
        deadline = time.monotonic() + 30
        while not process.client.get("/background").json()["done"]:
            assert time.monotonic() < deadline


def test_client_that_expects_100_continue_is_answered_the_same(pair: Pair):
    answers = [upload_after_continue(process.port) for process in (pair.ours, pair.theirs)]
    assert answers[0] == answers[1]
    assert str(len(UPLOAD)).encode() in answers[0]


def upload_after_continue(port: int) -> bytes:
    """Upload when the server says so; return the body of the response."""
    head = f"POST /upload HTTP/1.1\r\nHost: site.example\r\nContent-Length: {len(UPLOAD)}\r\nExpect: 100-continue\r\n\r\n"
    with socket.create_connection(("127.0.0.1", port), timeout=30) as client, client.makefile("rb") as stream:
        client.sendall(head.encode())
        assert stream.readline() == b"HTTP/1.1 100 Continue\r\n"
        assert stream.readline() == b"\r\n"
        client.sendall(UPLOAD)
        assert stream.readline().startswith(b"HTTP/1.1 200 ")
        fields = dict(line.split(b": ", 1) for line in iter(lambda: stream.readline().strip().lower(), b""))
        size = fields.get(b"content-length")
        return stream.read(int(size) if size else int(stream.readline(), 16))


# WebSockets.


def open_websocket(process: Process, path: str = "/ws", **options: Any) -> ClientConnection:
    return connect(
        f"ws://127.0.0.1:{process.port}{path}", origin="http://127.0.0.1", open_timeout=30, **options
    )


def converse(process: Process) -> list[Any]:
    with open_websocket(process, subprotocols=["other", "chat"]) as connection:  # type: ignore[list-item]
        seen: list[Any] = [connection.subprotocol]
        for message in ("text ä", b"bytes", TEXT, ""):
            connection.send(message)
            seen.append(connection.recv(timeout=30))
        connection.send("close")
        with pytest.raises(ConnectionClosed) as caught:
            connection.recv(timeout=30)
        assert caught.value.rcvd is not None
        return [*seen, caught.value.rcvd.code, caught.value.rcvd.reason]


@having("websocket")
def test_websocket_conversation_is_the_same(pair: Pair):
    ours, theirs = converse(pair.ours), converse(pair.theirs)
    assert ours == theirs
    assert ours == ["chat", "text ä", b"bytes", TEXT, "", 4001, "as you wish"]


def test_websocket_that_is_refused_has_the_same_status(pair: Pair):
    statuses = []
    for process in (pair.ours, pair.theirs):
        with pytest.raises(InvalidStatus) as caught, open_websocket(process, "/nowhere"):
            pass
        statuses.append(caught.value.response.status_code)
    if pair.framework.wsgi or pair.framework.adapted:
        # WSGI has no WebSockets. gunicorn passes the handshake on as the GET it also is; ASGI servers refuse it.
        assert sorted(statuses) == [403, 404]
    else:
        assert statuses[0] == statuses[1]


# Below prefixes of one site of ours: what they answer alone, they answer there.

PREFIXES = {
    "django": "/django",
    "django-async": "/django-async",
    "flask": "/flask",
    "starlette": "/starlette",
}
# What the application itself says its path is: Django has the prefix in it, Flask has it apart, as WSGI does.
SEEN = {
    "django": "/django/json",
    "django-async": "/django-async/json",
    "flask": "/json",
    "starlette": "/starlette/json",
}


@pytest.fixture(scope="module")
def mounting(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Process]:
    log = tmp_path_factory.mktemp("mounted") / "log"
    process = Process(log, *TRANSOM, "mounted_site:app")
    yield process
    code, text = process.stop()
    assert code == 0, text
    assert text.count("site stopped") == 1, text  # the lifespan of the mounted Starlette


@pytest.fixture(params=PREFIXES)
def name(request: pytest.FixtureRequest) -> str:
    return request.param


def test_pages_of_a_mounted_application(mounting: Process, name: str):
    prefix = PREFIXES[name]
    assert mounting.client.get(f"{prefix}/").text == "hello"
    head = mounting.client.head(f"{prefix}/")
    assert (head.status_code, head.content) == (200, b"")
    assert mounting.client.get(f"{prefix}/nowhere").status_code == 404
    assert mounting.client.get(f"{prefix}/empty").status_code == 204
    assert mounting.client.get(f"{prefix}/path/a%20b/%C3%A4").json() == {"path": "a b/ä"}


def test_a_mounted_application_knows_its_prefix(mounting: Process, name: str):
    answer = mounting.client.get(f"{PREFIXES[name]}/json?name=tea").json()
    assert answer == {"name": "tea", "path": SEEN[name], "host": "site.example", "scheme": "http"}


def test_mounted_forms_and_uploads_need_no_token_of_ours(mounting: Process, name: str):
    prefix = PREFIXES[name]
    form = mounting.client.post(f"{prefix}/form", headers=FORM, content=b"a=1&a=%C3%A4&b=3")
    assert form.json() == {"a": ["1", "ä"], "b": ["3"]}
    fields = [("content-type", "multipart/form-data; boundary=x")]
    multipart = mounting.client.post(f"{prefix}/multipart", headers=fields, content=MULTIPART)
    assert multipart.json() == {"name": "a.bin", "size": len(UPLOAD), "field": "value"}
    assert mounting.client.post(f"{prefix}/upload", content=UPLOAD).json() == UPLOADED


def test_mounted_streams_files_and_cookies(mounting: Process, name: str):
    prefix = PREFIXES[name]
    assert mounting.client.get(f"{prefix}/download").content == DOWNLOAD
    assert mounting.client.get(f"{prefix}/file").content == (SITES / "README.md").read_bytes()
    assert mounting.client.get(f"{prefix}/events").text.split() == ["data:", "0", "data:", "1", "data:", "2"]
    cookies = mounting.client.get(f"{prefix}/cookies").headers.get_list("set-cookie")
    mounting.client.cookies.clear()
    assert [cookie.partition("=")[0] for cookie in cookies] == ["a", "b"]


def test_headers_of_our_layers_are_added(mounting: Process, name: str):
    assert mounting.client.get(f"{PREFIXES[name]}/").headers["x-content-type-options"] == "nosniff"
    assert mounting.client.get(f"{PREFIXES[name]}/", headers={"host": "evil.example"}).status_code == 400


def test_the_prefix_without_its_slash_leads_there(mounting: Process, name: str):
    response = mounting.client.get(PREFIXES[name], follow_redirects=True)
    assert (response.url.path, response.text) == (f"{PREFIXES[name]}/", "hello")


def test_pages_of_the_site_around_them_stay_ours(mounting: Process):
    assert mounting.client.get("/").text == "/django/"
    assert mounting.client.get("/json").status_code == 404


def test_lifespan_state_reaches_a_mounted_application(mounting: Process):
    assert mounting.client.get("/starlette/state").json() == {"started": True}


def test_websockets_reach_a_mounted_application(mounting: Process):
    with open_websocket(mounting, "/starlette/ws", subprotocols=["chat"]) as connection:
        connection.send("text ä")
        assert connection.recv(timeout=30) == "text ä"


def test_a_broken_mounted_view_is_an_error_of_its_own(mounting: Process, name: str):
    assert mounting.client.get(f"{PREFIXES[name]}/broken").status_code == 500
    assert mounting.client.get(f"{PREFIXES[name]}/").text == "hello"
