"""RFC 9113 section 8.1: requests and responses."""

from __future__ import annotations

import json
from collections.abc import Callable

import pytest
from http2.client import Client, build_request
from http2.frames import PADDED, Code, Setting, Type, build_padded

Connect = Callable[..., Client]

# 8.1 HTTP message framing


def test_get(client: Client):
    """RFC 9113 8.1: a GET request is answered."""
    response = client.expect_response(client.request())
    assert json.loads(response.body)["method"] == "GET"


def test_head(client: Client):
    """RFC 9113 8.1 and 8.1.1: a HEAD request is answered without content, whatever content-length says."""
    response = client.expect_response(client.request("/small", method="HEAD"))
    assert response.body == b""
    assert response.get(b"content-length") in (b"10", None)


def test_post(client: Client):
    """RFC 9113 8.1: a request with content is answered."""
    response = client.expect_response(client.request("/wait", method="POST", body=b"test"))
    assert response.body == b"test"


def test_post_without_content(client: Client):
    """RFC 9113 8.1: END_STREAM in HEADERS is the end of any request."""
    assert client.expect_response(client.request("/wait", method="POST")).body == b""


def test_post_with_trailers(client: Client):
    """RFC 9113 8.1: a trailer section may end a request."""
    stream = client.request("/wait", method="POST", open=True)
    client.send_data(stream, b"test")
    client.send_headers(stream, [("x-trailer", "value")])
    assert client.expect_response(stream).body == b"test"


def test_trailers_without_content(client: Client):
    """RFC 9113 8.1: a trailer section may follow the header section at once."""
    stream = client.request("/wait", method="POST", open=True)
    client.send_headers(stream, [("x-trailer", "value")])
    assert client.expect_response(stream).body == b""


def test_empty_trailers(client: Client):
    """RFC 9113 8.1: a trailer section may be empty."""
    stream = client.request("/wait", method="POST", open=True)
    client.send_data(stream, b"test")
    client.send_headers(stream, b"")
    assert client.expect_response(stream).body == b"test"


def test_a_second_header_section_that_does_not_end_the_stream(client: Client):
    """RFC 9113 8.1: HEADERS without END_STREAM behind a header section makes a request malformed."""
    stream = client.request("/wait", method="POST", open=True)
    client.send_data(stream, b"test")
    client.send_headers(stream, [("x-trailer", "value")], end_stream=False)
    client.expect_malformed(stream)


def test_a_second_request_on_an_open_stream(client: Client):
    """RFC 9113 8.1 and 8.3: a second request on the stream of the first is a trailer section with pseudo-fields."""
    stream = client.request("/wait", method="POST", open=True)
    client.send_headers(stream, build_request())
    client.expect_malformed(stream)


def test_data_behind_trailers(client: Client):
    """RFC 9113 5.1 and 8.1: a trailer section ends the request; DATA behind it is an error STREAM_CLOSED."""
    stream = client.request("/wait", method="POST", open=True)
    client.send_headers(stream, [("x-trailer", "value")])
    client.send_data(stream, b"test", end_stream=True)
    client.expect_error(stream, Code.STREAM_CLOSED)


def test_a_response_without_content(client: Client):
    """RFC 9113 8.1: a 204 response ends, and has no content."""
    assert client.expect_response(client.request("/empty"), 204).body == b""


def test_a_response_of_known_length(client: Client):
    """RFC 9113 8.1: header section and content, the last frame with END_STREAM."""
    response = client.expect_response(client.request("/small"))
    assert response.body == b"0123456789"
    assert response.get(b"content-length") in (b"10", None)


def test_a_response_in_many_frames(client: Client):
    """RFC 9113 8.1: content takes as many frames as it needs."""
    assert client.expect_response(client.request("/large")).body == b"x" * 200_000


def test_an_interim_response(client: Client):
    """RFC 9113 8.1: an interim response is a header section of its own, without END_STREAM."""
    response = client.expect_response(client.request("/hints"))
    assert [dict(fields)[b":status"] for fields in response.interim] == [b"103"]
    assert response.body == b"0123456789"


def test_a_response_with_trailers(client: Client):
    """RFC 9113 8.1: a trailer section ends the stream."""
    response = client.expect_response(client.request("/trailers", ("te", "trailers")))
    assert response.body == b"0123456789"
    assert response.trailers == [(b"x-sum", b"45")]


def test_expect_continue(client: Client):
    """RFC 9113 8.1 and RFC 9110 10.1.1: who expects 100-continue gets 100 before a server waits for the content."""
    stream = client.request("/wait", ("expect", "100-continue"), method="POST", open=True)
    client.read_until(lambda _: bool(client.streams[stream].interim), "100")
    client.send_data(stream, b"test", end_stream=True)
    response = client.expect_response(stream)
    assert [dict(fields)[b":status"] for fields in response.interim] == [b"100"]
    assert response.body == b"test"


def test_a_response_before_the_end_of_the_request(client: Client):
    """RFC 9113 8.1: a server may answer before a request has ended, and may then ask for an end of it with NO_ERROR."""
    stream = client.request("/small", method="POST", open=True)
    assert client.expect_response(stream).body == b"0123456789"
    client.sync()
    assert client.streams[stream].reset in (None, Code.NO_ERROR)
    client.expect_alive()


def test_data_behind_an_early_response(client: Client):
    """RFC 9113 8.1: what is sent of a request that was answered already is no error."""
    stream = client.request("/small", method="POST", open=True)
    client.expect_response(stream)
    client.send_data(stream, b"test")
    client.send_data(stream, b"test", end_stream=True)
    client.sync()
    client.expect_alive()
    assert client.streams[stream].reset in (None, Code.NO_ERROR)


# 8.1.1 Malformed messages


@pytest.mark.parametrize("length", ["0", "3", "5", "1000"])
def test_content_length_of_one_frame(client: Client, length: str):
    """RFC 9113 8.1.1: content of another length than content-length makes a request malformed."""
    stream = client.request("/wait", ("content-length", length), method="POST", body=b"test")
    client.expect_malformed(stream)


@pytest.mark.parametrize("length", ["4", "7", "9"])
def test_content_length_of_several_frames(client: Client, length: str):
    """RFC 9113 8.1.1: it is the sum of all DATA frames that counts."""
    stream = client.request("/wait", ("content-length", length), method="POST", open=True)
    client.send_data(stream, b"test")
    client.send_data(stream, b"test", end_stream=True)
    client.expect_malformed(stream)


def test_content_length_without_content(client: Client):
    """RFC 9113 8.1.1: it counts where END_STREAM stands in HEADERS, too."""
    client.expect_malformed(client.request("/wait", ("content-length", "4"), method="POST"))


def test_content_length_before_trailers(client: Client):
    """RFC 9113 8.1.1: it counts where a trailer section ends the request, too."""
    stream = client.request("/wait", ("content-length", "5"), method="POST", open=True)
    client.send_data(stream, b"test")
    client.send_headers(stream, [("x-trailer", "value")])
    client.expect_malformed(stream)


def test_content_length_that_is_right(client: Client):
    """RFC 9113 8.1.1: padding and empty frames do not count."""
    stream = client.request("/wait", ("content-length", "8"), method="POST", open=True)
    client.send_data(stream, build_padded(b"test", 100), flags=PADDED)
    client.send_data(stream, b"")
    client.send_data(stream, b"test", end_stream=True)
    assert client.expect_response(stream).body == b"testtest"


@pytest.mark.parametrize("length", ["", "-4", "+4", "4.0", "0x4", "four", "4 4", "4,5"])
def test_content_length_that_is_no_number(client: Client, length: str):
    """RFC 9110 8.6: an invalid content-length is an error; what it announces cannot be what comes (RFC 9113 8.1.1)."""
    stream = client.request("/wait", ("content-length", length), method="POST", body=b"test")
    client.expect_malformed(stream)


def test_two_content_lengths_that_differ(client: Client):
    """RFC 9110 8.6: two different lengths are an error, though one of them may be right."""
    fields = (("content-length", "4"), ("content-length", "5"))
    client.expect_malformed(client.request("/wait", *fields, method="POST", body=b"test"))


def test_a_malformed_request_leaves_the_connection_alone(client: Client):
    """RFC 9113 8.1.1: one request after the other may be malformed."""
    for _ in range(3):
        client.expect_malformed(client.open(build_request(without=["path"])))


def test_a_request_that_turns_out_malformed_ends_its_response(connect: Connect):
    """RFC 9113 8.1.1: it is a stream error though the response is on its way."""
    client = connect({Setting.INITIAL_WINDOW_SIZE: 10})
    stream = client.request("/large", ("content-length", "3"), method="POST", open=True)
    client.expect_body(stream, 10)
    client.send_data(stream, b"test", end_stream=True)
    client.send_settings({Setting.INITIAL_WINDOW_SIZE: 1000})
    client.read_until(lambda frame: frame.type == Type.RST_STREAM, "RST_STREAM")
    client.expect_stream_error(stream, Code.PROTOCOL_ERROR)
