"""Call an ASGI application in this event loop, with both sides of the conversation checked."""

import asyncio
import json
from dataclasses import dataclass, field
from urllib.parse import urlsplit

import pytest

from transom.asgi import validate


@dataclass
class Answer:
    status: int = 0
    headers: list = field(default_factory=list)
    body: bytes = b""
    messages: list = field(default_factory=list)

    def get(self, name):
        values = self.getlist(name)
        return values[0] if values else None

    def getlist(self, name):
        return [value.decode("latin-1") for key, value in self.headers if key == name.encode()]

    @property
    def text(self):
        return self.body.decode()

    def json(self):
        return json.loads(self.body)

    @property
    def cookies(self):
        return dict(line.split(";")[0].split("=", 1) for line in self.getlist("set-cookie"))


def build_scope(kind, target, headers, **changes):
    parts = urlsplit(target) if not target.startswith("//") else urlsplit("http://x" + target)
    fields = {"host": "localhost", **headers}
    from urllib.parse import unquote

    scope = {
        "type": kind,
        "asgi": {"version": "3.0", "spec_version": "2.5"},
        "http_version": "1.1",
        "scheme": "http" if kind == "http" else "ws",
        "path": unquote(parts.path),
        "raw_path": parts.path.encode(),
        "query_string": parts.query.encode(),
        "root_path": "",
        "headers": [(k.lower().encode(), v.encode("latin-1")) for k, v in fields.items() if v is not None],
        "client": ("127.0.0.1", 4000),
        "server": ("127.0.0.1", 80),
        "state": {},
        "extensions": {},
    }
    scope |= {"method": "GET"} if kind == "http" else {"subprotocols": []}
    return scope | changes


async def call_http(app, target, method="GET", *, headers=None, body=b"", leaves="", **changes):
    """Ask an application; one that `leaves` does so "at once" or "before the answer"."""
    answer = Answer()
    sent = False
    answered = asyncio.Event()

    async def receive():
        nonlocal sent
        if sent or leaves == "at once":
            if not leaves:
                await answered.wait()
            return {"type": "http.disconnect"}
        sent = True
        return {"type": "http.request", "body": body, "more_body": False}

    async def send(message):
        answer.messages.append(message)
        if message["type"] == "http.response.start":
            answer.status, answer.headers = message["status"], list(message["headers"])
        else:
            answer.body += message.get("body", b"")
            if not message.get("more_body"):
                answered.set()

    scope = build_scope("http", target, headers or {}, **({"method": method} | changes))
    await validate(app)(scope, receive, send)
    return answer


class Conversation:
    """The client's side of a WebSocket."""

    def __init__(self, app, target, headers, **changes):
        self._incoming = asyncio.Queue()
        self._outgoing = asyncio.Queue()
        self.gone = False
        self._incoming.put_nowait({"type": "websocket.connect"})
        scope = build_scope("websocket", target, headers, **changes)
        self.task = asyncio.ensure_future(validate(app)(scope, self._incoming.get, self._send))

    async def _send(self, message):
        if self.gone:
            raise OSError("gone")
        self._outgoing.put_nowait(message)

    async def next(self):
        """Return the next message of the application; raise what it raised where none will come."""
        getter = asyncio.ensure_future(self._outgoing.get())
        await asyncio.wait({getter, self.task}, return_when=asyncio.FIRST_COMPLETED)
        if not getter.done() and self._outgoing.empty():
            getter.cancel()
            self.task.result()
            raise AssertionError("the application returned without another message")
        return await getter

    def send_text(self, text):
        self._incoming.put_nowait({"type": "websocket.receive", "text": text, "bytes": None})

    def send_bytes(self, data):
        self._incoming.put_nowait({"type": "websocket.receive", "text": None, "bytes": data})

    def leave(self, code=1001):
        self._incoming.put_nowait({"type": "websocket.disconnect", "code": code, "reason": ""})

    async def end(self):
        await self.task
        return [self._outgoing.get_nowait() for _ in range(self._outgoing.qsize())]


@pytest.fixture
def http():
    return call_http


@pytest.fixture
async def connect():
    made = []

    def start(app, target, headers=None, **changes):
        made.append(Conversation(app, target, headers or {}, **changes))
        return made[-1]

    yield start
    for conversation in made:
        conversation.task.cancel()
        await asyncio.gather(conversation.task, return_exceptions=True)


@pytest.fixture
def lifespan():
    """Start an application; returns a function that stops it. Each gives the message the application sent."""

    async def start(app):
        incoming, outgoing = asyncio.Queue(), asyncio.Queue()
        task = asyncio.ensure_future(
            validate(app)(
                {"type": "lifespan", "asgi": {"version": "3.0"}, "state": {}}, incoming.get, outgoing.put
            )
        )
        incoming.put_nowait({"type": "lifespan.startup"})
        started = await outgoing.get()

        async def stop():
            incoming.put_nowait({"type": "lifespan.shutdown"})
            stopped = await outgoing.get()
            await task
            return stopped

        return started, stop

    return start
