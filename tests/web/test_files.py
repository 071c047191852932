"""Files as responses: conditions, ranges, reading."""

import asyncio
import contextlib
import os
from datetime import UTC, datetime, timedelta
from email.utils import format_datetime
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from transom.web import files
from transom.web.conditional import parse_etags
from transom.web.files import FileResponse, build_content_disposition, guess_content_type
from transom.web.ranges import UnsatisfiableRange, parse_range

CONTENT = b"0123456789"
MODIFIED = datetime(2026, 1, 2, 3, 4, 5, tzinfo=UTC)


@pytest.fixture
def file(tmp_path: Path) -> Path:
    path = tmp_path / "digits.txt"
    path.write_bytes(CONTENT)
    os.utime(path, (MODIFIED.timestamp(), MODIFIED.timestamp()))
    return path


class Sent:
    """What a response sent."""

    def __init__(self, messages: list[dict[str, Any]]) -> None:
        self.messages = messages
        self.status: int = messages[0]["status"]
        self.headers = {name.decode(): value.decode() for name, value in messages[0]["headers"]}
        self.body = b"".join(message.get("body", b"") for message in messages[1:])


async def fetch(
    response: FileResponse, method: str = "GET", extensions: dict[str, Any] | None = None, **headers: str
) -> Sent:
    messages: list[dict[str, Any]] = []

    async def send(message: dict[str, Any]) -> None:
        messages.append(message)

    raw = [(name.replace("_", "-").encode(), value.encode()) for name, value in headers.items()]
    scope: Any = {"type": "http", "method": method, "headers": raw, "extensions": extensions or {}}
    await response(scope, None, send)  # type: ignore[arg-type]  # it never reads
    return Sent(messages)


async def test_a_whole_file(file: Path):
    sent = await fetch(FileResponse(file))
    assert (sent.status, sent.body) == (200, CONTENT)
    assert sent.headers["content-type"] == "text/plain; charset=utf-8"
    assert sent.headers["content-length"] == "10"
    assert sent.headers["last-modified"] == "Fri, 02 Jan 2026 03:04:05 GMT"
    assert sent.headers["accept-ranges"] == "bytes"
    assert sent.messages[-1].get("more_body", False) is False


async def test_an_empty_file(tmp_path: Path):
    (tmp_path / "empty").touch()
    sent = await fetch(FileResponse(tmp_path / "empty"), range="bytes=0-")
    assert (sent.status, sent.body, sent.headers["content-length"]) == (200, b"", "0")


async def test_head_has_the_fields_of_get_and_no_content(file: Path):
    get, head = await fetch(FileResponse(file)), await fetch(FileResponse(file), "HEAD")
    assert head.headers == get.headers
    assert head.body == b""


async def test_reading_piece_by_piece(file: Path, monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setattr(files, "CHUNK_SIZE", 4)
    sent = await fetch(FileResponse(file))
    assert [message["body"] for message in sent.messages[1:]] == [b"0123", b"4567", b"89", b""]


async def test_pathsend_where_the_server_offers_it(file: Path):
    offered = {"http.response.pathsend": {}}
    sent = await fetch(FileResponse(file), extensions=offered)
    assert sent.messages[1] == {"type": "http.response.pathsend", "path": str(file)}
    assert sent.headers["content-length"] == "10"
    assert (await fetch(FileResponse(file), extensions=offered, range="bytes=1-2")).body == b"12"
    assert (await fetch(FileResponse(file), "HEAD", extensions=offered)).body == b""


async def test_etag_answers_304_without_content(file: Path):
    etag = (await fetch(FileResponse(file))).headers["etag"]
    for value in (etag, f"W/{etag}", f'"other", {etag}', "*"):
        sent = await fetch(FileResponse(file), if_none_match=value)
        assert (sent.status, sent.body) == (304, b"")
        assert sent.headers["etag"] == etag
        assert "content-length" not in sent.headers
        assert "content-type" not in sent.headers
    assert (await fetch(FileResponse(file), if_none_match='"other"')).status == 200


async def test_etag_changes_with_the_content(file: Path):
    before = (await fetch(FileResponse(file))).headers["etag"]
    file.write_bytes(b"9876543210")
    assert (await fetch(FileResponse(file))).headers["etag"] != before


@pytest.mark.parametrize(
    ("field", "offset", "status"),
    [
        ("if_modified_since", 0, 304),
        ("if_modified_since", 1, 304),
        ("if_modified_since", -1, 200),
        ("if_unmodified_since", 0, 200),
        ("if_unmodified_since", -1, 412),
    ],
)
async def test_conditions_by_date(file: Path, field: str, offset: int, status: int):
    date = format_datetime(MODIFIED + timedelta(seconds=offset), usegmt=True)
    assert (await fetch(FileResponse(file), **{field: date})).status == status


async def test_conditions_in_the_order_of_the_rfc(file: Path):
    etag = (await fetch(FileResponse(file))).headers["etag"]
    date = format_datetime(MODIFIED, usegmt=True)
    assert (await fetch(FileResponse(file), if_none_match='"x"', if_modified_since=date)).status == 200
    assert (await fetch(FileResponse(file), if_match='"x"')).status == 412
    assert (await fetch(FileResponse(file), if_match=f"W/{etag}")).status == 412
    assert (await fetch(FileResponse(file), if_match=etag)).status == 200
    assert (await fetch(FileResponse(file), if_modified_since="nonsense")).status == 200
    assert (await fetch(FileResponse(file), "HEAD", if_none_match="*")).status == 304


@pytest.mark.parametrize(
    ("wanted", "body"),
    [
        ("bytes=0-3", b"0123"),
        ("bytes=8-", b"89"),
        ("bytes=8-100", b"89"),
        ("bytes=-3", b"789"),
        ("bytes=-100", CONTENT),
        ("Bytes = 1-1", b"1"),
        ("bytes=2-4,4-6", b"23456"),
        ("bytes=0-1,2-3,99-", b"0123"),
    ],
)
async def test_one_range(file: Path, wanted: str, body: bytes):
    sent = await fetch(FileResponse(file), range=wanted)
    start = CONTENT.index(body)
    assert (sent.status, sent.body) == (206, body)
    assert sent.headers["content-range"] == f"bytes {start}-{start + len(body) - 1}/10"
    assert sent.headers["content-length"] == str(len(body))


async def test_several_ranges_are_parts_in_the_order_asked_for(file: Path):
    sent = await fetch(FileResponse(file), range="bytes=8-9, 0-1")
    kind, _, boundary = sent.headers["content-type"].partition("; boundary=")
    assert (sent.status, kind) == (206, "multipart/byteranges")
    assert sent.body.decode() == (
        f"--{boundary}\r\ncontent-type: text/plain; charset=utf-8\r\ncontent-range: bytes 8-9/10\r\n\r\n89\r\n"
        f"--{boundary}\r\ncontent-type: text/plain; charset=utf-8\r\ncontent-range: bytes 0-1/10\r\n\r\n01\r\n"
        f"--{boundary}--\r\n"
    )
    assert sent.headers["content-length"] == str(len(sent.body))
    assert "content-range" not in sent.headers


@pytest.mark.parametrize(
    "wanted",
    [
        "bytes=",
        "bytes=a-b",
        "bytes=5-2",
        "bytes=--1",
        "bytes=1",
        "bytes=٣-٤",
        "lines=0-1",
        "0-1",
        "bytes=+1-2",
        "bytes=0-" + "9" * 30,
        "bytes=" + ",".join("0-0" for _ in range(17)),
    ],
)
async def test_malformed_ranges_are_ignored(file: Path, wanted: str):
    scope_headers = [(b"range", wanted.encode("utf-8"))]
    messages: list[dict[str, Any]] = []

    async def send(message: dict[str, Any]) -> None:
        messages.append(message)

    await FileResponse(file)({"method": "GET", "headers": scope_headers}, None, send)  # type: ignore[arg-type]
    assert Sent(messages).status == 200


@pytest.mark.parametrize("wanted", ["bytes=10-", "bytes=99-100", "bytes=-0", "bytes=10-,-0"])
async def test_ranges_behind_the_end_are_416(file: Path, wanted: str):
    sent = await fetch(FileResponse(file), range=wanted)
    assert (sent.status, sent.body, sent.headers["content-range"]) == (416, b"", "bytes */10")


async def test_if_range_sends_all_where_the_file_has_changed(file: Path):
    etag = (await fetch(FileResponse(file))).headers["etag"]
    date = format_datetime(MODIFIED, usegmt=True)
    older = format_datetime(MODIFIED - timedelta(seconds=1), usegmt=True)
    for value, status in (
        (etag, 206),
        (f"W/{etag}", 200),
        ('"x"', 200),
        (date, 206),
        (older, 200),
        ("x", 200),
    ):
        assert (await fetch(FileResponse(file), range="bytes=0-0", if_range=value)).status == status


async def test_range_is_for_get_alone(file: Path):
    assert (await fetch(FileResponse(file), "HEAD", range="bytes=0-0")).status == 200


async def test_another_status_is_sent_as_it_is(file: Path):
    sent = await fetch(FileResponse(file, 404), range="bytes=0-0", if_none_match="*")
    assert (sent.status, sent.body) == (404, CONTENT)


@pytest.mark.parametrize("kind", ["missing", "folder", "pipe"])
async def test_what_is_no_file_fails_before_anything_is_sent(tmp_path: Path, kind: str):
    path = tmp_path / kind
    if kind == "folder":
        path.mkdir()
    elif kind == "pipe":
        os.mkfifo(path)
    messages: list[Any] = []
    with pytest.raises(OSError):  # noqa: PT011  (of several subclasses)
        await FileResponse(path)({"method": "GET", "headers": []}, None, messages.append)  # type: ignore[arg-type]
    assert messages == []


async def test_a_file_that_shrinks_ends_in_an_error_not_in_waiting(
    file: Path, monkeypatch: pytest.MonkeyPatch
):
    monkeypatch.setattr(files, "CHUNK_SIZE", 4)

    async def send(message: dict[str, Any]) -> None:
        if message.get("body"):
            file.write_bytes(b"01")

    with pytest.raises(OSError, match="shorter"):
        await FileResponse(file)({"method": "GET", "headers": []}, None, send)  # type: ignore[arg-type]


async def test_cancelling_closes_the_file(file: Path, monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setattr(files, "CHUNK_SIZE", 4)
    closed: list[bool] = []
    close = files._Opened.close
    monkeypatch.setattr(
        files._Opened, "close", lambda opened: (close(opened), closed.append(opened.file.closed))
    )
    reached = asyncio.Event()

    async def send(message: dict[str, Any]) -> None:
        reached.set()
        await asyncio.Event().wait()

    task = asyncio.create_task(FileResponse(file)({"method": "GET", "headers": []}, None, send))  # type: ignore[arg-type]
    await reached.wait()
    task.cancel()
    with pytest.raises(asyncio.CancelledError):
        await task
    assert closed == [True]


@given(st.text("0123456789-, ", max_size=30), st.integers(0, 40))
def test_ranges_never_ask_for_more_than_the_file(specs: str, size: int):
    try:
        spans = parse_range(f"bytes={specs}", size)
    except UnsatisfiableRange:
        return
    if spans is not None:
        assert spans
        assert all(0 <= start < stop <= size for start, stop in spans)
        assert sum(stop - start for start, stop in spans) <= size


@given(st.text(max_size=80))
def test_any_range_or_etag_field_is_taken(text: str):
    parse_etags(text)
    with contextlib.suppress(UnsatisfiableRange):
        parse_range(text, 10)


@pytest.mark.parametrize(
    ("filename", "field"),
    [
        ("a.txt", 'attachment; filename="a.txt"'),
        ("a b;c.txt", 'attachment; filename="a b;c.txt"'),
        ("grün.txt", "attachment; filename=\"gr_n.txt\"; filename*=UTF-8''gr%C3%BCn.txt"),
        ('a"b\\.txt', "attachment; filename=\"a_b_.txt\"; filename*=UTF-8''a%22b%5C.txt"),
        ("100%.txt", "attachment; filename=\"100_.txt\"; filename*=UTF-8''100%25.txt"),
        ("a\r\nx: y", "attachment; filename=\"a__x: y\"; filename*=UTF-8''a%0D%0Ax%3A%20y"),
    ],
)
def test_content_disposition(filename: str, field: str):
    assert build_content_disposition(filename, as_attachment=True) == field
    assert FileResponse("x", filename=filename).headers["content-disposition"].startswith("inline; filename=")


@pytest.mark.parametrize(
    ("name", "kind"),
    [
        ("a.css", "text/css; charset=utf-8"),
        ("a.js", "text/javascript; charset=utf-8"),
        ("a.json", "application/json"),
        ("a.svg", "image/svg+xml"),
        ("a.woff2", "font/woff2"),
        ("a.tar.gz", "application/gzip"),
        ("a.unknown", "application/octet-stream"),
        ("a", "application/octet-stream"),
    ],
)
def test_content_types(name: str, kind: str):
    assert guess_content_type(name) == kind
