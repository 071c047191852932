"""The opening handshake (RFC 6455 section 4.2)."""

from __future__ import annotations

from typing import Any

import pytest

from transom.server.websocket import (
    Handshake,
    HandshakeError,
    LocalProtocolError,
    Offer,
    build_accept_fields,
    build_accept_response,
    build_response_head,
    is_upgrade_request,
    parse_handshake,
    parse_subprotocols,
)

KEY = b"dGhlIHNhbXBsZSBub25jZQ=="
GOOD = {
    b"host": b"server.example.com",
    b"upgrade": b"WebSocket",
    b"connection": b"keep-alive, Upgrade",
    b"sec-websocket-key": KEY,
    b"sec-websocket-version": b"13",
}


def accept(handshake: Handshake, *arguments: Any, extensions: bytes = b"") -> bytes:
    return build_accept_response(
        handshake.key, build_accept_fields(handshake, *arguments, extensions=extensions)
    )


def fields(**changes: bytes | None) -> list[tuple[bytes, bytes]]:
    named = {name.replace("_", "-").encode(): value for name, value in changes.items()}
    return [(name, value) for name, value in {**GOOD, **named}.items() if value is not None]


def test_rfc_example_is_accepted() -> None:
    """RFC 6455 section 1.3."""
    handshake = parse_handshake("GET", "1.1", fields(sec_websocket_protocol=b"chat, superchat"))
    assert handshake == Handshake(KEY, ("chat", "superchat"))
    response = accept(handshake, "chat", [(b"Set-Cookie", b"a=1")])
    assert response.startswith(b"HTTP/1.1 101 Switching Protocols\r\n")
    assert b"\r\nsec-websocket-accept: s3pPLMBiTxaQ9kYGzzhZRbK+xOo=\r\n" in response
    assert b"\r\nsec-websocket-protocol: chat\r\n" in response
    assert response.endswith(b"\r\nset-cookie: a=1\r\n\r\n")


@pytest.mark.parametrize(
    ("changes", "status"),
    [
        ({"sec_websocket_key": None}, 400),
        ({"sec_websocket_key": b"not base64!"}, 400),
        ({"sec_websocket_key": b"c2hvcnQ="}, 400),
        ({"sec_websocket_version": None}, 426),
        ({"sec_websocket_version": b"8"}, 426),
        ({"upgrade": b"h2c"}, 400),
        ({"connection": b"keep-alive"}, 400),
        ({"sec_websocket_protocol": b"a b"}, 400),
    ],
)
def test_bad_field_is_refused_with_its_status(changes: dict[str, bytes | None], status: int) -> None:
    with pytest.raises(HandshakeError) as caught:
        parse_handshake("GET", "1.1", fields(**changes))
    assert caught.value.status == status


def test_refusals_name_what_is_supported() -> None:
    with pytest.raises(HandshakeError) as version:
        parse_handshake("GET", "1.1", fields(sec_websocket_version=b"7"))
    assert version.value.headers == ((b"sec-websocket-version", b"13"),)
    with pytest.raises(HandshakeError) as method:
        parse_handshake("POST", "1.1", fields())
    assert (method.value.status, method.value.headers) == (405, ((b"allow", b"GET"),))


def test_http_1_0_and_repeated_key_are_refused() -> None:
    with pytest.raises(HandshakeError):
        parse_handshake("GET", "1.0", fields())
    with pytest.raises(HandshakeError, match="repeated"):
        parse_handshake("GET", "1.1", [*fields(), (b"sec-websocket-key", KEY)])


@pytest.mark.parametrize(
    ("connection", "upgrade", "expected"),
    [
        (b"Upgrade", b"websocket", True),
        (b"close , UPGRADE", b"h2c, WebSocket", True),
        (b"keep-alive", b"websocket", False),
        (b"upgrade", b"websocketx", False),
    ],
)
def test_upgrade_needs_both_tokens(connection: bytes, upgrade: bytes, expected: bool) -> None:
    assert is_upgrade_request([(b"connection", connection), (b"upgrade", upgrade)]) is expected


def test_subprotocols_come_from_all_lines_in_order_once() -> None:
    lines = [(b"sec-websocket-protocol", b"v2 ,v1,"), (b"x", b"y"), (b"sec-websocket-protocol", b"v1,\tv0")]
    assert parse_subprotocols(lines) == ("v2", "v1", "v0")


def test_extensions_are_parsed_from_all_lines() -> None:
    lines = [
        (b"sec-websocket-extensions", b"permessage-deflate; x=1, y"),
        (b"sec-websocket-extensions", b"z"),
    ]
    handshake = parse_handshake("GET", "1.1", fields() + lines)
    assert handshake.extensions == (Offer("permessage-deflate", (("x", "1"),)), Offer("y"), Offer("z"))
    response = accept(handshake, extensions=b"permessage-deflate")
    assert b"\r\nsec-websocket-extensions: permessage-deflate\r\n" in response
    assert b"sec-websocket-extensions" not in accept(handshake)


@pytest.mark.parametrize(
    ("subprotocol", "headers", "what"),
    [
        ("other", [], "not offered"),
        (None, [(b"Sec-WebSocket-Protocol", b"x")], "set by the handshake"),
        (None, [(b"two words", b"x")], "not a token"),
        (None, [(b":status", b"x")], "not a token"),
        (None, [(b"x", b"a\r\nset-cookie: b=1")], "control character"),
    ],
)
def test_bad_accept_is_our_error(
    subprotocol: str | None, headers: list[tuple[bytes, bytes]], what: str
) -> None:
    with pytest.raises(LocalProtocolError, match=what):
        accept(Handshake(KEY, ("chat",)), subprotocol, headers)


def test_unregistered_status_has_no_phrase() -> None:
    assert build_response_head(599, []) == b"HTTP/1.1 599 \r\n\r\n"
