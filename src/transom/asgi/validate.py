"""A middleware that checks both sides of the conversation between an ASGI server and an application.

Put it around an application in tests: `app = validate(app)`. A broken rule raises `ASGIViolation` where it is broken: a fault of
the application out of `send` or at its end, a fault of the server out of `receive` or at the call. It says who is to blame.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Literal, TypeAlias

from transom.asgi._order import (
    Conversation,
    HTTPConversation,
    LifespanConversation,
    Message,
    WebSocketConversation,
)
from transom.asgi._shapes import MESSAGES, SCOPES, find_fault

if TYPE_CHECKING:
    from transom.asgi.types import ASGIApplication, Receive, Scope, Send

Side: TypeAlias = Literal["server", "application"]

_RECEIVED = {
    "http": frozenset({"http.request", "http.disconnect"}),
    "websocket": frozenset({"websocket.connect", "websocket.receive", "websocket.disconnect"}),
    "lifespan": frozenset({"lifespan.startup", "lifespan.shutdown"}),
}
_SENT = {
    "http": frozenset({"http.response.start", "http.response.body"}),
    "websocket": frozenset({"websocket.accept", "websocket.send", "websocket.close"}),
    "lifespan": frozenset(
        f"lifespan.{event}.{outcome}"
        for event in ("startup", "shutdown")
        for outcome in ("complete", "failed")
    ),
}
# Extension -> messages that the application may send when the scope lists it.
_EXTENSIONS = {
    "http.response.trailers": ("http.response.trailers",),
    "http.response.pathsend": ("http.response.pathsend",),
    "http.response.zerocopysend": ("http.response.zerocopysend",),
    "http.response.early_hint": ("http.response.early_hint",),
    "http.response.push": ("http.response.push",),
    "websocket.http.response": ("websocket.http.response.start", "websocket.http.response.body"),
}
_CONVERSATIONS = {
    "http": HTTPConversation,
    "websocket": WebSocketConversation,
    "lifespan": LifespanConversation,
}


class ASGIViolation(Exception):
    """One side broke a rule of ASGI.

    Attributes:
        side: who broke it, "server" or "application".
    """

    def __init__(self, side: Side, rule: str) -> None:
        super().__init__(f"{side}: {rule}")
        self.side: Side = side


def validate(app: ASGIApplication) -> ASGIApplication:
    """Return the application with both sides of each conversation checked.

    Raises:
        ASGIViolation: from the returned application's call, or from its `receive` and `send`.

    Source: ASGI 3.0; HTTP and WebSocket specification 2.5; lifespan specification 2.0; the extensions.
    """

    async def validated(scope: Scope, receive: Receive, send: Send) -> None:
        kind = _check_scope(scope)
        checker = _Checker(kind, scope, receive, send)
        await app(scope, checker.receive, checker.send)
        _blame("application", checker.conversation.finish())

    return validated


def _check_scope(scope: Any) -> str:  # Any: whether it is a scope is the question
    if type(scope) is not dict:
        raise ASGIViolation("server", f"scope is a {type(scope).__name__}, expected a dict")
    kind: object = scope.get("type")  # pyright: ignore[reportUnknownMemberType, reportUnknownVariableType]
    if not isinstance(kind, str) or kind not in SCOPES:
        raise ASGIViolation("server", f"scope type is {kind!r}, expected one of {', '.join(SCOPES)}")
    fault = find_fault(SCOPES[kind], scope)  # pyright: ignore[reportUnknownArgumentType]
    _blame("server", f"in the {kind} scope {fault}" if fault else None)
    return kind


class _Checker:
    """The two callables between which one conversation passes."""

    def __init__(self, kind: str, scope: Any, receive: Receive, send: Send) -> None:  # Any: a checked scope
        self.conversation: Conversation = _CONVERSATIONS[kind]()
        self._receive = receive
        self._send = send
        self._received = _RECEIVED[kind]
        listed: dict[str, object] = scope.get("extensions") or {}
        self._sent = _SENT[kind].union(
            *(messages for name, messages in _EXTENSIONS.items() if name in listed)
        )

    async def receive(self) -> Message:
        """Pass on a message of the server."""
        message = await self._receive()
        _check_message("server", message, self._received)
        _blame("server", self.conversation.receive(message))
        return message

    async def send(self, message: Message) -> None:
        """Pass on a message of the application."""
        message = _hold_headers(message)
        _check_message("application", message, self._sent)
        _blame("application", self.conversation.send(message))
        await self._send(message)


def _hold_headers(message: Any) -> Any:  # Any: whether it is a message is found out next
    """Headers may be a generator, which only one of us could read."""
    if isinstance(message, dict) and hasattr(message.get("headers"), "__next__"):  # pyright: ignore
        return {**message, "headers": list(message["headers"])}  # pyright: ignore
    return message  # pyright: ignore[reportUnknownVariableType]


def _check_message(side: Side, message: object, allowed: frozenset[str]) -> None:
    if not isinstance(message, dict):
        raise ASGIViolation(side, f"message is {message!r}, expected a dict")
    kind: object = message.get("type")  # pyright: ignore[reportUnknownMemberType, reportUnknownVariableType]
    if not isinstance(kind, str) or kind not in allowed:
        raise ASGIViolation(side, f"message type is {kind!r}, expected one of {', '.join(sorted(allowed))}")
    fault = find_fault(MESSAGES[kind], message)  # pyright: ignore[reportUnknownArgumentType]
    _blame(side, f"in {kind!r} {fault}" if fault else None)


def _blame(side: Side, rule: str | None) -> None:
    if rule is not None:
        raise ASGIViolation(side, rule)
