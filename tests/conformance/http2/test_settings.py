"""RFC 9113 section 6.5: SETTINGS."""

from __future__ import annotations

from collections.abc import Callable

import pytest
from http2.client import Client
from http2.frames import ACK, MAX_WINDOW, Code, Setting, Type, build_settings

Connect = Callable[..., Client]


def test_settings_are_acknowledged(client: Client):
    """RFC 9113 6.5.3: SETTINGS are answered with ACK at once."""
    client.send_settings({Setting.ENABLE_PUSH: 0})
    answer = client.read_until(lambda frame: frame.type == Type.SETTINGS, "SETTINGS with ACK")
    assert answer.has(ACK)
    assert answer.payload == b""


def test_empty_settings_are_acknowledged(client: Client):
    """RFC 9113 6.5: SETTINGS without a setting are SETTINGS."""
    client.send_settings({})
    client.expect_settings_acknowledged()


def test_each_settings_frame_is_acknowledged(client: Client):
    """RFC 9113 6.5.3: there is one ACK for every frame."""
    for size in (1, 2, 3):
        client.send_settings({Setting.INITIAL_WINDOW_SIZE: size})
    answers = [frame for frame in client.sync() if frame.type == Type.SETTINGS]
    assert len(answers) == 3


def test_an_acknowledgment_is_not_acknowledged(client: Client):
    """RFC 9113 6.5: ACK is not answered."""
    client.send_settings({Setting.ENABLE_PUSH: 0})
    client.expect_settings_acknowledged()
    assert [frame for frame in client.sync() if frame.type == Type.SETTINGS] == []


def test_settings_are_acknowledged_while_a_response_waits(connect: Connect):
    """RFC 9113 5.2.1 and 6.5.3: windows hold up DATA alone."""
    client = connect({Setting.INITIAL_WINDOW_SIZE: 0})
    client.request("/large")
    client.send_settings({Setting.ENABLE_PUSH: 0})
    client.expect_settings_acknowledged()


def test_settings_with_ack_and_a_payload(client: Client):
    """RFC 9113 6.5: ACK with a payload is a connection error FRAME_SIZE_ERROR."""
    client.send_frame(Type.SETTINGS, ACK, 0, build_settings({Setting.ENABLE_PUSH: 0}))
    client.expect_connection_error(Code.FRAME_SIZE_ERROR)


def test_settings_with_ack_and_one_byte(client: Client):
    """RFC 9113 6.5: it is one whatever the payload is."""
    client.send_frame(Type.SETTINGS, ACK, 0, b"\0")
    client.expect_connection_error(Code.FRAME_SIZE_ERROR)


@pytest.mark.parametrize("flags", [0, ACK], ids=["settings", "ack"])
def test_settings_on_a_stream(client: Client, flags: int):
    """RFC 9113 6.5: SETTINGS on a stream is a connection error PROTOCOL_ERROR."""
    client.send_frame(Type.SETTINGS, flags, 1)
    client.expect_connection_error(Code.PROTOCOL_ERROR)


@pytest.mark.parametrize("size", [1, 3, 5, 7, 11])
def test_settings_of_a_wrong_length(client: Client, size: int):
    """RFC 9113 6.5: a length that is no multiple of 6 is a connection error FRAME_SIZE_ERROR."""
    client.send_frame(Type.SETTINGS, 0, 0, b"\0" * size)
    client.expect_connection_error(Code.FRAME_SIZE_ERROR)


# 6.5.2 Defined settings

ANY_VALUE = [0, 1, 4096, 2**31, 2**32 - 1]


@pytest.mark.parametrize("value", ANY_VALUE)
@pytest.mark.parametrize("key", [Setting.HEADER_TABLE_SIZE, Setting.MAX_CONCURRENT_STREAMS])
def test_settings_that_take_every_value(client: Client, key: Setting, value: int):
    """RFC 9113 6.5.2: SETTINGS_HEADER_TABLE_SIZE and SETTINGS_MAX_CONCURRENT_STREAMS take every value."""
    client.send_settings({key: value})
    client.expect_settings_acknowledged()
    client.expect_alive()


@pytest.mark.parametrize("value", ANY_VALUE)
def test_max_header_list_size_takes_every_value(client: Client, value: int):
    """RFC 9113 6.5.2: SETTINGS_MAX_HEADER_LIST_SIZE is advice, and takes every value."""
    client.send_settings({Setting.MAX_HEADER_LIST_SIZE: value})
    client.expect_settings_acknowledged()
    client.sync()


@pytest.mark.parametrize("value", [0, 1])
def test_enable_push(client: Client, value: int):
    """RFC 9113 6.5.2: SETTINGS_ENABLE_PUSH is 0 or 1."""
    client.send_settings({Setting.ENABLE_PUSH: value})
    client.expect_settings_acknowledged()
    client.expect_alive()


@pytest.mark.parametrize("value", [2, 2**32 - 1])
def test_enable_push_that_is_neither(client: Client, value: int):
    """RFC 9113 6.5.2: another SETTINGS_ENABLE_PUSH than 0 or 1 is a connection error PROTOCOL_ERROR."""
    client.send_settings({Setting.ENABLE_PUSH: value})
    client.expect_connection_error(Code.PROTOCOL_ERROR)


@pytest.mark.parametrize("value", [1, 65_535, MAX_WINDOW])
def test_initial_window_size(client: Client, value: int):
    """RFC 9113 6.5.2: SETTINGS_INITIAL_WINDOW_SIZE is at most 2^31 - 1."""
    client.send_settings({Setting.INITIAL_WINDOW_SIZE: value})
    client.expect_settings_acknowledged()
    client.expect_response(client.request("/small"))


@pytest.mark.parametrize("value", [MAX_WINDOW + 1, 2**32 - 1])
def test_initial_window_size_that_is_too_large(client: Client, value: int):
    """RFC 9113 6.5.2: a larger SETTINGS_INITIAL_WINDOW_SIZE is a connection error FLOW_CONTROL_ERROR."""
    client.send_settings({Setting.INITIAL_WINDOW_SIZE: value})
    client.expect_connection_error(Code.FLOW_CONTROL_ERROR)


@pytest.mark.parametrize("value", [16_384, 16_385, 2**24 - 1])
def test_max_frame_size(client: Client, value: int):
    """RFC 9113 6.5.2: SETTINGS_MAX_FRAME_SIZE is from 2^14 to 2^24 - 1."""
    client.send_settings({Setting.MAX_FRAME_SIZE: value})
    client.expect_settings_acknowledged()
    assert len(client.expect_response(client.request("/large")).body) == 200_000


@pytest.mark.parametrize("value", [0, 16_383, 2**24, 2**32 - 1])
def test_max_frame_size_out_of_range(client: Client, value: int):
    """RFC 9113 6.5.2: another SETTINGS_MAX_FRAME_SIZE is a connection error PROTOCOL_ERROR."""
    client.send_settings({Setting.MAX_FRAME_SIZE: value})
    client.expect_connection_error(Code.PROTOCOL_ERROR)


def test_a_wrong_value_in_the_preface(connect: Connect):
    """RFC 9113 6.5.2: the first SETTINGS are held to the same rules."""
    client = connect(silent=True)
    client.send_preface({Setting.ENABLE_PUSH: 2})
    client.expect_connection_error(Code.PROTOCOL_ERROR)


def test_a_wrong_value_behind_right_ones(client: Client):
    """RFC 9113 6.5.2: each setting of a frame is looked at."""
    client.send_settings([(Setting.ENABLE_PUSH, 0), (0xFF, 7), (Setting.MAX_FRAME_SIZE, 1)])
    client.expect_connection_error(Code.PROTOCOL_ERROR)


def test_a_server_announces_no_push(client: Client):
    """RFC 9113 6.5.2: a server's SETTINGS_ENABLE_PUSH, if it sends one, is 0."""
    assert client.setting(Setting.ENABLE_PUSH, 0) == 0


# 6.5.3 Settings synchronization


def test_the_last_of_several_values_is_in_force(client: Client):
    """RFC 9113 6.5.3: settings of a frame are taken in their order."""
    client.send_settings([(Setting.INITIAL_WINDOW_SIZE, 100), (Setting.INITIAL_WINDOW_SIZE, 1)])
    client.expect_settings_acknowledged()
    stream = client.request("/small")
    client.expect_body(stream, 1)
    client.sync()
    assert client.streams[stream].body == b"0"


def test_a_value_that_is_overwritten_counts_nevertheless(client: Client):
    """RFC 9113 6.5.2 and 6.5.3: a wrong value is an error though a right one follows."""
    client.send_settings([(Setting.MAX_FRAME_SIZE, 1), (Setting.MAX_FRAME_SIZE, 16_384)])
    client.expect_connection_error(Code.PROTOCOL_ERROR)


def test_settings_are_in_force_behind_their_acknowledgment(connect: Connect):
    """RFC 9113 6.5.3: what was acknowledged has been applied."""
    client = connect({Setting.INITIAL_WINDOW_SIZE: 5})
    stream = client.request("/small")
    client.expect_body(stream, 5)
    client.send_settings({Setting.INITIAL_WINDOW_SIZE: 8})
    client.expect_body(stream, 8)
    client.send_settings({Setting.INITIAL_WINDOW_SIZE: 10})
    assert client.expect_response(stream).body == b"0123456789"
