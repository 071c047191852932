"""RFC 9113 section 3: how a connection begins."""

from __future__ import annotations

import struct
from collections.abc import Callable

import pytest
from http2.client import Client, build_request
from http2.frames import ACK, END_HEADERS, END_STREAM, PREFACE, Code, Frame, Setting, Type

Connect = Callable[..., Client]


def test_the_first_frame_of_a_server_is_settings(connect: Connect):
    """RFC 9113 3.4: the server's preface is a SETTINGS frame, before anything else."""
    client = connect(silent=True)
    client.send_preface({})
    first = client.read_until(lambda frame: True, "SETTINGS")
    assert first.type == Type.SETTINGS
    assert not first.has(ACK)


def test_the_settings_of_the_preface_are_acknowledged(connect: Connect):
    """RFC 9113 3.4: the client's first SETTINGS is acknowledged, behind the server's own."""
    client = connect(silent=True)
    client.send_preface({})
    client.expect_settings_acknowledged()


def test_a_client_need_not_wait_for_the_server(connect: Connect):
    """RFC 9113 3.4: requests may follow the client's preface at once."""
    client = connect(silent=True)
    client.send_preface({})
    client.expect_response(client.request("/small"))


def test_preface_and_request_in_one_write(connect: Connect):
    """RFC 9113 3.4: where one read ends and the next begins means nothing."""
    client = connect(silent=True)
    request = Frame(Type.HEADERS, END_HEADERS | END_STREAM, 1, client.encode(build_request("/small")))
    client.referee.sent(Frame(Type.SETTINGS))
    client.referee.sent(request)
    client.send(PREFACE + Frame(Type.SETTINGS).build() + request.build())
    assert client.expect_response(1).body == b"0123456789"


def test_preface_and_request_byte_by_byte(connect: Connect):
    """RFC 9113 3.4: the preface is known by its bytes, however they come."""
    client = connect(silent=True)
    for i in range(len(PREFACE)):
        client.send(PREFACE[i : i + 1])
    client.send_frame(Type.SETTINGS, by_byte=True)
    block = client.encode(build_request("/small"))
    client.send_frame(Type.HEADERS, END_HEADERS | END_STREAM, 1, block, by_byte=True)
    client.expect_response(1)


@pytest.mark.parametrize(
    "preface",
    [
        b"INVALID CONNECTION PREFACE\r\n\r\n",
        b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\r",
        b"PRI * HTTP/2.0\r\n\r\nXX\r\n\r\n",
        b"PRI * HTTP/2.1\r\n\r\nSM\r\n\r\n",
        b"pri * HTTP/2.0\r\n\r\nSM\r\n\r\n",
    ],
)
def test_another_preface_ends_the_connection(connect: Connect, preface: bytes):
    """RFC 9113 3.4: what is no preface ends the connection; GOAWAY may be left out, and an answer of HTTP/1.1 may be given."""
    client = connect(silent=True)
    client.send(preface + Frame(Type.SETTINGS).build())
    answer = client.read_raw()
    if answer.startswith(b"HTTP/1.1 "):
        assert answer.split()[1] in (b"400", b"405", b"501", b"505")
        return
    while answer:
        length, kind = int.from_bytes(answer[:3], "big"), answer[3]
        assert kind in (Type.SETTINGS, Type.WINDOW_UPDATE, Type.GOAWAY), answer
        if kind == Type.GOAWAY:
            assert struct.unpack(">L", answer[13:17]) == (Code.PROTOCOL_ERROR,)
        answer = answer[9 + length :]


@pytest.mark.parametrize(
    "frame",
    [
        Frame(Type.PING, payload=b"\0" * 8),
        Frame(Type.WINDOW_UPDATE, payload=b"\0\0\0\1"),
        Frame(Type.SETTINGS, ACK),
        Frame(0xFA, payload=b"unknown"),
    ],
    ids=["ping", "window-update", "settings-ack", "unknown"],
)
def test_the_first_frame_of_a_client_must_be_settings(connect: Connect, frame: Frame):
    """RFC 9113 3.4: another first frame than SETTINGS is an error PROTOCOL_ERROR; GOAWAY may be left out."""
    client = connect(silent=True)
    client.send(PREFACE)
    client.send_frame(frame.type, frame.flags, frame.stream, frame.payload)
    client.expect_end()
    assert client.referee.goaway is None or client.referee.goaway[1] == Code.PROTOCOL_ERROR


def test_the_preface_has_one_place(client: Client):
    """RFC 9113 3.4 and 4.2: a second preface is read as a frame, of five million bytes."""
    client.send(PREFACE)
    client.expect_connection_error(Code.FRAME_SIZE_ERROR)


def test_settings_of_the_preface_are_in_force_for_the_first_request(connect: Connect):
    """RFC 9113 3.4 and 6.5.3: settings come before the requests behind them."""
    client = connect(silent=True)
    client.send_preface({Setting.INITIAL_WINDOW_SIZE: 3})
    stream = client.request("/small")
    client.expect_body(stream, 3)
    client.sync()
    assert client.streams[stream].body == b"012"
