"""RFC 9113 section 8.5 and RFC 8441: CONNECT, and WebSockets over it."""

from __future__ import annotations

import pytest
from http2.client import Client, Pair, build_request
from http2.frames import END_STREAM, Code, Setting, Type

WEBSOCKET_VERSION = ("sec-websocket-version", "13")

# 8.5 The CONNECT method


def test_connect_is_not_for_an_origin_server(client: Client):
    """RFC 9113 8.5 and RFC 9110 9.3.6: who is no proxy answers CONNECT with an error."""
    stream = client.open(
        build_request(method="CONNECT", without=["scheme", "path"], authority="a.example:443")
    )
    response = client.expect_answer(stream)
    assert response.status is not None
    assert 400 <= response.status < 600
    client.expect_alive()


@pytest.mark.parametrize(
    "without",
    [["scheme"], ["path"], [], ["scheme", "path", "authority"]],
    ids=["path", "scheme", "path-and-scheme", "no-authority"],
)
def test_connect_with_wrong_pseudo_fields(client: Client, without: list[str]):
    """RFC 9113 8.5: CONNECT with :scheme or :path, or without :authority, is malformed."""
    client.expect_malformed(client.open(build_request(method="CONNECT", without=without)))


# RFC 8441


def build_connect(
    *more: Pair, protocol: str = "websocket", path: str = "/ws", without: list[str] | None = None
) -> list[Pair]:
    """Return the fields that open a WebSocket."""
    control = build_request(path, method="CONNECT", protocol=protocol, without=without or [])
    return [*control, *(more or (WEBSOCKET_VERSION,))]


def build_message(opcode: int, payload: bytes) -> bytes:
    """Return a WebSocket frame of a client: RFC 6455 section 5.2. Its masking key is 0, so that the payload is plain."""
    return bytes([0x80 | opcode, 0x80 | len(payload)]) + b"\0\0\0\0" + payload


@pytest.fixture
def websocket(client: Client) -> Client:
    """A client whose stream 1 is an open WebSocket that sends everything back."""
    stream = client.open(build_connect(), end_stream=False)
    client.expect_head(stream)
    return client


def test_the_server_announces_extended_connect(client: Client):
    """RFC 8441 3: a server that takes extended CONNECT says so with SETTINGS_ENABLE_CONNECT_PROTOCOL 1."""
    assert client.setting(Setting.ENABLE_CONNECT_PROTOCOL, 0) == 1


@pytest.mark.parametrize("value", [0, 1])
def test_the_setting_of_a_client_means_nothing(client: Client, value: int):
    """RFC 8441 3: a server that gets the setting is not impressed."""
    client.send_settings({Setting.ENABLE_CONNECT_PROTOCOL: value})
    client.expect_settings_acknowledged()
    client.expect_alive()


def test_a_websocket_opens(websocket: Client):
    """RFC 8441 5: 200 opens a WebSocket; there is no key to answer, and the stream stays open."""
    response = websocket.streams[1]
    assert response.status == 200
    assert response.get(b"sec-websocket-accept") is None
    assert not response.closed


def test_messages_of_a_websocket(websocket: Client):
    """RFC 8441 5: frames of RFC 6455 are the content of DATA, however they are cut."""
    websocket.send_data(1, build_message(1, b"text"))
    websocket.expect_body(1, 6)
    for i in range(12):
        websocket.send_data(1, build_message(2, b"\0bytes")[i : i + 1])
    websocket.expect_body(1, 14)
    assert websocket.streams[1].body == b"\x81\x04text\x82\x06\0bytes"


def test_several_messages_in_one_frame(websocket: Client):
    """RFC 8441 5: frames of one protocol have nothing to do with those of the other."""
    websocket.send_data(1, build_message(1, b"one") + build_message(1, b"two"))
    websocket.expect_body(1, 10)
    assert websocket.streams[1].body == b"\x81\x03one\x81\x03two"


def test_a_ping_of_a_websocket(websocket: Client):
    """RFC 8441 5: a WebSocket's ping is not one of HTTP/2."""
    websocket.send_data(1, build_message(9, b"ping"))
    websocket.expect_body(1, 6)
    assert websocket.streams[1].body == b"\x8a\x04ping"


def test_a_websocket_closes(websocket: Client):
    """RFC 8441 5: the closing handshake is that of RFC 6455, and the server's END_STREAM stands for the end of its TCP."""
    websocket.send_data(1, build_message(8, b"\x03\xe8"))
    assert websocket.expect_response(1).body == b"\x88\x02\x03\xe8"
    websocket.send_data(1, end_stream=True)
    websocket.sync()
    websocket.expect_alive()


def test_a_websocket_is_left(websocket: Client):
    """RFC 8441 5: END_STREAM without a closing handshake is an end of TCP: the server ends its side, too."""
    websocket.send_data(1, end_stream=True)
    websocket.read_until(lambda _: websocket.streams[1].closed, "the end of the stream")
    assert websocket.streams[1].reset in (None, Code.CANCEL, Code.NO_ERROR)
    websocket.expect_alive()


def test_a_websocket_is_reset(websocket: Client):
    """RFC 8441 5: RST_STREAM with CANCEL stands for a reset of TCP; the connection goes on."""
    websocket.send_rst_stream(1, Code.CANCEL)
    websocket.sync()
    websocket.expect_alive()


def test_websockets_beside_requests(websocket: Client):
    """RFC 8441 1: WebSockets share a connection with each other, and with requests."""
    second = websocket.open(build_connect(), end_stream=False)
    websocket.expect_head(second)
    websocket.expect_response(websocket.request("/small"))
    websocket.send_data(second, build_message(1, b"two"))
    websocket.send_data(1, build_message(1, b"one"))
    websocket.expect_body(second, 5)
    websocket.expect_body(1, 5)


def test_flow_control_of_a_websocket(client: Client):
    """RFC 8441 1: windows hold for WebSockets, too."""
    client.send_settings({Setting.INITIAL_WINDOW_SIZE: 3})
    client.expect_settings_acknowledged()
    stream = client.open(build_connect(), end_stream=False)
    client.expect_head(stream)
    client.send_data(stream, build_message(1, b"text"))
    client.expect_body(stream, 3)
    client.sync()
    client.send_window_update(stream, 3)
    assert client.expect_body(stream, 6).body == b"\x81\x04text"


def test_a_websocket_that_an_application_refuses(client: Client):
    """RFC 8441 5 and RFC 6455 4.2.2: a refusal is a response like any other."""
    stream = client.open(build_connect(path="/refuse"), end_stream=False)
    assert client.expect_response(stream, 403).ended
    client.sync()
    client.expect_alive()


def test_headers_on_a_websocket(websocket: Client):
    """RFC 9113 8.5: HEADERS on a connected stream are a stream error."""
    websocket.send_headers(1, [("x-trailer", "value")])
    websocket.expect_stream_error(1, Code.PROTOCOL_ERROR)


def test_stream_management_on_a_websocket(websocket: Client):
    """RFC 9113 8.5: WINDOW_UPDATE and PRIORITY are allowed on a connected stream."""
    websocket.send_window_update(1, 100)
    websocket.send_frame(Type.PRIORITY, 0, 1, b"\0\0\0\0\0")
    websocket.send_data(1, build_message(1, b"text"))
    websocket.expect_body(1, 6)


def test_an_opening_that_ends_at_once(client: Client):
    """RFC 8441 5: END_STREAM with the request is an end of TCP before a word was said; the connection goes on."""
    stream = client.open(build_connect(), end_stream=True)
    client.read_until(lambda _: client.streams[stream].closed, "the end of the stream")
    client.expect_alive()


@pytest.mark.parametrize("without", ["scheme", "path", "authority"])
def test_extended_connect_without_control_data(client: Client, without: str):
    """RFC 8441 4: with :protocol, there must be :scheme and :path, and :authority as in any other request."""
    client.expect_malformed(client.open(build_connect(without=[without]), end_stream=False))


@pytest.mark.parametrize("method", ["GET", "POST"])
def test_protocol_is_for_connect(client: Client, method: str):
    """RFC 8441 4: :protocol with another method than CONNECT is malformed."""
    client.expect_malformed(client.open(build_request(method=method, protocol="websocket")))


def test_protocol_twice(client: Client):
    """RFC 8441 4 and RFC 9113 8.3: :protocol has one value."""
    client.expect_malformed(client.open([(":protocol", "websocket"), *build_connect()], end_stream=False))


@pytest.mark.parametrize("field", [("connection", "upgrade"), ("upgrade", "websocket")], ids=lambda f: f[0])
def test_fields_of_the_handshake_of_http1(client: Client, field: Pair):
    """RFC 8441 5: connection and upgrade have no place in the request."""
    client.expect_malformed(client.open(build_connect(WEBSOCKET_VERSION, field), end_stream=False))


def test_the_key_of_the_handshake_of_http1_is_ignored(client: Client):
    """RFC 8441 5: sec-websocket-key is not looked at."""
    key = ("sec-websocket-key", "dGhlIHNhbXBsZSBub25jZQ==")
    stream = client.open(build_connect(WEBSOCKET_VERSION, key), end_stream=False)
    assert client.expect_head(stream).get(b"sec-websocket-accept") is None


def test_another_version_of_websockets(client: Client):
    """RFC 6455 4.2.2: a version that is not spoken is refused with 400 or 426, and the response names ours."""
    stream = client.open(build_connect(("sec-websocket-version", "12")), end_stream=False)
    response = client.expect_answer(stream)
    assert response.status in (400, 426)
    assert response.get(b"sec-websocket-version") == b"13"


@pytest.mark.parametrize("protocol", ["unknown", "connect-udp", ""])
def test_a_protocol_that_nobody_speaks(client: Client, protocol: str):
    """RFC 8441 4: what is not spoken is refused with an error; no tunnel is opened."""
    stream = client.open(build_connect(protocol=protocol), end_stream=False)
    client.read_until(lambda _: client.streams[stream].closed, "a response")
    record = client.streams[stream]
    assert record.reset in (None, Code.PROTOCOL_ERROR, Code.NO_ERROR)
    assert record.status is None or 400 <= record.status < 600
    client.expect_alive()


def test_an_error_of_the_websocket_is_none_of_the_connection(websocket: Client):
    """RFC 8441 5: a frame that breaks RFC 6455 ends the WebSocket with its own close, and nothing else."""
    websocket.send_frame(Type.DATA, 0, 1, b"\xff\x80\0\0\0\0")
    websocket.read_until(lambda _: websocket.streams[1].closed, "the end of the stream")
    body = websocket.streams[1].body
    assert (body[:1], body[2:4]) == (b"\x88", b"\x03\xea")  # 1002
    websocket.expect_alive()


def test_the_end_of_the_connection_ends_websockets(websocket: Client):
    """RFC 9113 5.4.1: a connection error ends every stream, WebSockets, too."""
    websocket.send_frame(Type.PING, END_STREAM << 1, 0, b"too short")
    websocket.expect_connection_error(Code.FRAME_SIZE_ERROR)
