"""What is compressed, how, and what is left alone."""

import gzip
from datetime import UTC, datetime

import brotli
import pytest

from transom.web import (
    App,
    FileResponse,
    HTMLResponse,
    JSONResponse,
    Response,
    StreamingResponse,
    compression,
    path,
)
from transom.web.encodings import ENCODERS, choose_encoding

if ENCODERS["zstd"] is not None:
    try:
        from compression import zstd
    except ImportError:
        from backports import zstd

DECODERS = {"gzip": gzip.decompress, "br": brotli.decompress, "zstd": lambda data: zstd.decompress(data)}
TEXT = "the quick brown fox " * 200


def make(view, **options):
    return App([path("x", view)], middleware=[compression(**options)])


async def page(request):
    return HTMLResponse(TEXT, headers={"etag": '"one"'})


@pytest.mark.parametrize("encoding", ["gzip", "br", "zstd"])
async def test_a_page_is_compressed_as_the_client_asks(http, encoding):
    answer = await http(make(page), "/x", headers={"accept-encoding": encoding})
    assert answer.get("content-encoding") == encoding
    assert DECODERS[encoding](answer.body).decode() == TEXT
    assert answer.get("content-length") == str(len(answer.body))
    assert len(answer.body) < len(TEXT) / 10
    assert answer.get("vary") == "accept-encoding"


@pytest.mark.parametrize(
    ("accepted", "chosen"),
    [
        ("gzip, br, zstd", "zstd"),
        ("gzip, br", "br"),
        ("gzip;q=1.0, br;q=0.5", "gzip"),
        ("br;q=0, gzip", "gzip"),
        ("*", "zstd"),
        ("*;q=0", None),
        ("zstd;q=0, *", "br"),
        ("identity", None),
        ("identity, gzip;q=0.5", None),
        ("gzip;q=0.5, identity;q=0.1", "gzip"),
        ("GZIP", "gzip"),
        ("x-gzip", "gzip"),
        (" gzip ; q=0.8 ", "gzip"),
        ("deflate", None),
        ("", None),
        (None, None),
        ("gzip;q=2", None),
        ("gzip;level=9", None),
        ("gzip,,br", None),
        ("é", None),
    ],
)
def test_the_choice_is_that_of_the_client(accepted, chosen):
    assert choose_encoding(accepted, ("zstd", "br", "gzip")) == chosen


async def test_nobody_who_asks_for_nothing_gets_it(http):
    answer = await http(make(page), "/x")
    assert answer.text == TEXT
    assert answer.get("content-encoding") is None
    assert answer.get("vary") == "accept-encoding"
    assert answer.get("etag") == '"one"'


async def test_a_strong_entity_tag_becomes_weak(http):
    answer = await http(make(page), "/x", headers={"accept-encoding": "gzip"})
    assert answer.get("etag") == 'W/"one"'


@pytest.mark.parametrize(
    "response",
    [
        lambda: HTMLResponse("small"),
        lambda: HTMLResponse(TEXT, headers={"content-encoding": "br"}),
        lambda: HTMLResponse(TEXT, headers={"cache-control": "private, no-transform"}),
        lambda: HTMLResponse(TEXT, status=206, headers={"content-range": "bytes 0-1/2"}),
        lambda: Response(TEXT.encode(), content_type="image/png"),
        lambda: Response(TEXT.encode(), content_type="text/event-stream"),
        lambda: Response(status=204),
        lambda: Response(status=304),
    ],
    ids=["small", "encoded", "no-transform", "part", "picture", "events", "no content", "not modified"],
)
async def test_what_must_not_or_need_not_be_compressed_is_left_alone(http, response):
    async def view(request):
        return response()

    answer = await http(make(view), "/x", headers={"accept-encoding": "gzip"})
    assert answer.get("content-encoding") in (None, "br")
    assert answer.get("vary") is None


async def test_the_smallest_that_is_compressed(http):
    async def view(request):
        return Response("x" * int(request.query["n"]))

    small = await http(make(view, minimum=500), "/x?n=499", headers={"accept-encoding": "gzip"})
    large = await http(make(view, minimum=500), "/x?n=500", headers={"accept-encoding": "gzip"})
    assert (small.get("content-encoding"), large.get("content-encoding")) == (None, "gzip")


async def test_a_file_is_left_to_the_server(http, tmp_path):
    file = tmp_path / "page.html"
    file.write_text(TEXT)

    async def view(request):
        return await FileResponse.open(file) if hasattr(FileResponse, "open") else FileResponse(file)

    answer = await http(make(view), "/x", headers={"accept-encoding": "gzip"})
    assert answer.get("content-encoding") is None


async def test_json_is_compressed_and_head_says_the_same_as_get(http):
    async def view(request):
        return JSONResponse([datetime(2026, 1, 1, tzinfo=UTC)] * 100)

    get = await http(make(view), "/x", headers={"accept-encoding": "gzip"})
    head = await http(make(view), "/x", "HEAD", headers={"accept-encoding": "gzip"})
    assert gzip.decompress(get.body).startswith(b'["2026-01-01')
    assert (head.body, head.get("content-length")) == (b"", get.get("content-length"))


async def test_a_large_page_is_whole(http):
    text = "".join(f"{number} " for number in range(100_000))

    async def view(request):
        return Response(text)

    answer = await http(make(view), "/x", headers={"accept-encoding": "zstd"})
    assert DECODERS["zstd"](answer.body).decode() == text


@pytest.mark.parametrize("encoding", ["gzip", "br", "zstd"])
async def test_each_piece_of_a_stream_can_be_read_at_once(http, encoding):
    async def pieces():
        yield "one "
        yield b""
        yield b"two"

    async def view(request):
        return StreamingResponse(pieces(), headers={"content-length": "7"})

    answer = await http(make(view), "/x", headers={"accept-encoding": encoding})
    assert answer.get("content-length") is None
    sent = [message["body"] for message in answer.messages if message.get("body")]
    assert DECODERS[encoding](answer.body) == b"one two"
    assert len(sent) >= 2
    if encoding == "gzip":
        import zlib

        assert zlib.decompressobj(wbits=31).decompress(sent[0]) == b"one "


async def test_the_iterator_of_a_stream_is_closed_when_the_client_leaves(http):
    closed = []

    async def pieces():
        try:
            while True:
                yield b"x" * 1000
        finally:
            closed.append(True)

    response = StreamingResponse(pieces())

    async def view(request):
        return response

    app = make(view)
    sent = 0

    async def receive():
        return {"type": "http.request", "body": b"", "more_body": False}

    async def send(message):
        nonlocal sent
        sent += 1
        if sent > 3:
            raise OSError("gone")

    scope = {
        "type": "http",
        "asgi": {"version": "3.0"},
        "http_version": "1.1",
        "method": "GET",
        "scheme": "http",
        "path": "/x",
        "query_string": b"",
        "headers": [(b"host", b"localhost"), (b"accept-encoding", b"gzip")],
        "client": ("127.0.0.1", 1),
        "server": ("127.0.0.1", 80),
    }
    with pytest.raises(OSError, match="gone"):
        await app(scope, receive, send)
    assert closed == [True]


def test_an_unknown_encoding_is_refused():
    with pytest.raises(ValueError, match="'lzma' is not known; choose from zstd, br, gzip"):
        compression(encodings=["lzma"])


async def test_what_is_not_installed_is_left_out(http, monkeypatch):
    monkeypatch.setitem(ENCODERS, "zstd", None)
    answer = await http(make(page), "/x", headers={"accept-encoding": "zstd, gzip;q=0.1"})
    assert answer.get("content-encoding") == "gzip"
