"""Order of the messages of a conversation, as one small state machine per protocol.

Each `Conversation` is told every message before it is passed on, and answers with the rule that it breaks, or None. `finish`
is asked when the application has returned.
"""

from __future__ import annotations

from enum import Enum, auto
from typing import Any, Protocol, TypeAlias

Message: TypeAlias = dict[str, Any]  # Any: values have been checked by their shape before


class Conversation(Protocol):
    """The order of one conversation."""

    def receive(self, message: Message) -> str | None:
        """Look at a message of the server."""
        ...

    def send(self, message: Message) -> str | None:
        """Look at a message of the application."""
        ...

    def finish(self) -> str | None:
        """Look at the end of the application."""
        ...


_BODIES = ("http.response.body", "http.response.pathsend", "http.response.zerocopysend")


class HTTPConversation:
    """One request and its response. Source: ASGI HTTP specification, "Events"."""

    def __init__(self) -> None:
        self._request_ended = False
        self._disconnected = False
        self._started = False
        self._body_ended = False
        self._trailers = False  # promised and not complete

    @property
    def _complete(self) -> bool:
        return self._body_ended and not self._trailers

    def receive(self, message: Message) -> str | None:
        """See `Conversation.receive`."""
        if message["type"] == "http.disconnect":
            self._disconnected = True
            return None
        if self._disconnected:
            return "'http.request' after 'http.disconnect'"
        if self._request_ended:
            return "'http.request' after the one that ended the body"
        self._request_ended = not message.get("more_body", False)
        return None

    def send(self, message: Message) -> str | None:
        """See `Conversation.send`."""
        kind = message["type"]
        if self._complete:
            return None  # what follows is ignored
        if kind == "http.response.start":
            if self._started:
                return "'http.response.start' twice"
            self._started = True
            self._trailers = message.get("trailers", False)
            return None
        if kind == "http.response.early_hint":
            return None
        if not self._started:
            return f"{kind!r} before 'http.response.start'"
        if kind == "http.response.trailers":
            return self._send_trailers(message)
        if kind in _BODIES:
            if self._body_ended:
                return f"{kind!r} after the last piece of the body"
            self._body_ended = not message.get("more_body", False)
        return None

    def _send_trailers(self, message: Message) -> str | None:
        if not self._trailers:
            return "'http.response.trailers' that 'http.response.start' did not promise"
        if not self._body_ended:
            return "'http.response.trailers' before the end of the body"
        self._trailers = message.get("more_trailers", False)
        return None

    def finish(self) -> str | None:
        """See `Conversation.finish`."""
        if self._disconnected or self._complete:
            return None
        return "returned without completing the response" if self._started else "returned without a response"


class _Socket(Enum):
    NEW = auto()
    CONNECTING = auto()
    OPEN = auto()
    DENYING = auto()
    CLOSED = auto()


class WebSocketConversation:
    """One WebSocket. Source: ASGI WebSocket specification, and the extension "WebSocket Denial Response"."""

    def __init__(self) -> None:
        self._phase = _Socket.NEW
        self._disconnected = False

    def receive(self, message: Message) -> str | None:
        """See `Conversation.receive`."""
        kind = message["type"]
        if kind == "websocket.disconnect":
            self._disconnected = True
            return (
                None
                if self._phase is not _Socket.NEW
                else "'websocket.disconnect' before 'websocket.connect'"
            )
        if self._disconnected:
            return f"{kind!r} after 'websocket.disconnect'"
        if kind == "websocket.connect":
            if self._phase is not _Socket.NEW:
                return "'websocket.connect' twice"
            self._phase = _Socket.CONNECTING
            return None
        if self._phase in (_Socket.NEW, _Socket.CONNECTING):
            return "'websocket.receive' before the application accepted"
        return _check_one(message)

    def send(self, message: Message) -> str | None:
        """See `Conversation.send`."""
        kind = message["type"]
        if self._phase is _Socket.NEW:
            return f"{kind!r} before 'websocket.connect' was received"
        if self._phase is _Socket.CLOSED:
            return None if self._disconnected else f"{kind!r} after the connection was closed"
        if self._phase is _Socket.CONNECTING:
            return self._answer(message)
        if self._phase is _Socket.DENYING:
            return self._deny(message)
        if kind == "websocket.send":
            return _check_one(message)
        if kind == "websocket.close":
            self._phase = _Socket.CLOSED
            return None
        return f"{kind!r} after 'websocket.accept'"

    def _answer(self, message: Message) -> str | None:
        kind = message["type"]
        answers = {
            "websocket.accept": _Socket.OPEN,
            "websocket.close": _Socket.CLOSED,
            "websocket.http.response.start": _Socket.DENYING,
        }
        if kind not in answers:
            return f"{kind!r} before 'websocket.accept'"
        self._phase = answers[kind]
        if kind == "websocket.accept" and any(
            name == b"sec-websocket-protocol" for name, _ in message.get("headers", ())
        ):
            return "'websocket.accept' names the subprotocol in its headers; use 'subprotocol'"
        return None

    def _deny(self, message: Message) -> str | None:
        if message["type"] != "websocket.http.response.body":
            return f"{message['type']!r} after 'websocket.http.response.start'"
        if not message.get("more_body", False):
            self._phase = _Socket.CLOSED
        return None

    def finish(self) -> str | None:
        """See `Conversation.finish`. An application may return at any time; the server then closes."""
        return None


def _check_one(message: Message) -> str | None:
    if (message.get("bytes") is None) == (message.get("text") is None):
        return f"{message['type']!r} needs exactly one of 'bytes' and 'text'"
    return None


class LifespanConversation:
    """The life of the application. Source: ASGI lifespan specification 2.0."""

    def __init__(self) -> None:
        self._received: list[str] = []
        self._answered: set[str] = set()

    def receive(self, message: Message) -> str | None:
        """See `Conversation.receive`."""
        kind = message["type"]
        if kind in self._received:
            return f"{kind!r} twice"
        if kind == "lifespan.shutdown" and "lifespan.startup" not in self._answered:
            return "'lifespan.shutdown' before the application answered 'lifespan.startup'"
        self._received.append(kind)
        return None

    def send(self, message: Message) -> str | None:
        """See `Conversation.send`."""
        question = message["type"].rpartition(".")[0]
        if question not in self._received:
            return f"{message['type']!r} before {question!r} was received"
        if question in self._answered:
            return f"a second answer to {question!r}"
        self._answered.add(question)
        return None

    def finish(self) -> str | None:
        """See `Conversation.finish`."""
        open_questions = [kind for kind in self._received if kind not in self._answered]
        return f"returned without an answer to {open_questions[0]!r}" if open_questions else None
