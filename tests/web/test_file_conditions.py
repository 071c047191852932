"""Ranges and conditions of files, as a table in the order of RFC 9110 sections 13 and 14: each row a request and its answer."""

import asyncio
import os
import time
from dataclasses import dataclass, field
from email.utils import parsedate_to_datetime
from pathlib import Path
from typing import Any

import pytest

from transom.server import Config, Server
from transom.web import App, FileResponse, Request, Response, path

CONTENT = b"0123456789"
MODIFIED = 1_767_323_045
DATE = "Fri, 02 Jan 2026 03:04:05 GMT"
EARLIER = "Fri, 02 Jan 2026 03:04:04 GMT"
LATER = "Fri, 02 Jan 2026 03:04:06 GMT"
ETAG = f'"{MODIFIED * 10**9:x}-a"'
WEAK = f"W/{ETAG}"


@dataclass(frozen=True)
class Row:
    """A request and what answers it; a span is first and last byte of a 206, the body follows from status and span."""

    fields: dict[str, str]
    status: int
    span: tuple[int, int] | None = None
    method: str = "GET"
    parts: list[tuple[int, int]] = field(default_factory=list)

    def __str__(self) -> str:
        return f"{self.method} {self.fields}"

    @property
    def body(self) -> bytes:
        if self.method == "HEAD" or self.status not in (200, 206):
            return b""
        return CONTENT if self.span is None else CONTENT[self.span[0] : self.span[1] + 1]


def wanted(specs: str, status: int, span: tuple[int, int] | None = None, **fields: str) -> Row:
    return Row(
        {"range": f"bytes={specs}"} | {k.replace("_", "-"): v for k, v in fields.items()}, status, span
    )


def given(status: int, method: str = "GET", **fields: str) -> Row:
    return Row({name.replace("_", "-"): value for name, value in fields.items()}, status, method=method)


ROWS = [
    # 14.1.2 byte ranges
    wanted("0-0", 206, (0, 0)),
    wanted("0-9", 206, (0, 9)),
    wanted("0-", 206, (0, 9)),
    wanted("9-", 206, (9, 9)),
    wanted("9-9", 206, (9, 9)),
    wanted("3-999", 206, (3, 9)),
    wanted("0-99999999999999999", 206, (0, 9)),
    wanted("-1", 206, (9, 9)),
    wanted("-10", 206, (0, 9)),
    wanted("-11", 206, (0, 9)),
    wanted("00-01", 206, (0, 1)),
    wanted(" 1-2 ", 206, (1, 2)),
    Row({"range": "BYTES=1-2"}, 206, (1, 2)),
    # 14.1.1, 15.5.17 unsatisfiable
    wanted("10-", 416),
    wanted("10-10", 416),
    wanted("-0", 416),
    wanted("10-,11-", 416),
    wanted("99999999999999999-", 416),
    # 14.2 what is malformed or of another unit is ignored
    wanted("", 200),
    wanted("-", 200),
    wanted("2-1", 200),
    wanted("0-1,2-1", 200),
    wanted("a-b", 200),
    wanted("0x0-0x1", 200),
    wanted("0-1-2", 200),
    wanted("0 - 1", 200),
    wanted("+0-1", 200),
    wanted("1_0-2", 200),
    wanted("*", 200),
    wanted("0-1;2-3", 200),
    wanted(",", 200),
    Row({"range": "items=0-1"}, 200),
    Row({"range": "bytes 0-1"}, 200),
    Row({"range": "bytes"}, 200),
    Row({"range": ""}, 200),
    Row({"range": "bytes=0-1, bytes=3-4"}, 200),
    wanted(",".join(["0-0"] * 17), 200),
    # 5.6.1.2 empty elements of a list
    wanted("0-1,", 206, (0, 1)),
    wanted(",0-1", 206, (0, 1)),
    wanted(" , 0-1 ,,", 206, (0, 1)),
    # 15.3.7.2 several parts; what overlaps or touches is one
    wanted("0-1,1-2", 206, (0, 2)),
    wanted("0-1,2-3", 206, (0, 3)),
    wanted("5-6,0-9", 206, (0, 9)),
    wanted("0-0,99-", 206, (0, 0)),
    wanted(",".join(["0-0"] * 16), 206, (0, 0)),
    Row({"range": "bytes=0-1,8-9"}, 206, parts=[(0, 1), (8, 9)]),
    Row({"range": "bytes=8-9,0-1"}, 206, parts=[(8, 9), (0, 1)]),
    Row({"range": "bytes=0-0,-1"}, 206, parts=[(0, 0), (9, 9)]),
    Row({"range": "bytes=0-1,4-5,5-6,9-"}, 206, parts=[(0, 1), (4, 6), (9, 9)]),
    # 14.2 for GET alone
    Row({"range": "bytes=0-1"}, 200, method="HEAD"),
    Row({"range": "bytes=99-"}, 200, method="HEAD"),
    Row({"range": "bytes=0-1"}, 200, method="POST"),
    # 13.1.1 If-Match
    given(200, if_match=ETAG),
    given(200, if_match="*"),
    given(200, if_match=f'"x", {ETAG}'),
    given(412, if_match='"x"'),
    given(412, if_match=WEAK),
    given(412, if_match=""),
    given(412, if_match='"x"', range="bytes=0-1"),
    # 13.1.2 If-None-Match
    given(304, if_none_match=ETAG),
    given(304, if_none_match=WEAK),
    given(304, if_none_match="*"),
    given(304, if_none_match=f'"a,b",{ETAG}'),
    given(304, "HEAD", if_none_match=ETAG),
    given(200, if_none_match='"x"'),
    given(200, if_none_match=ETAG.strip('"')),
    given(304, if_none_match=ETAG, range="bytes=0-1"),
    # 13.1.3 If-Modified-Since, with the obsolete dates of 5.6.7
    given(304, if_modified_since=DATE),
    given(304, if_modified_since=LATER),
    given(304, if_modified_since="Friday, 02-Jan-26 03:04:05 GMT"),
    given(304, if_modified_since="Fri Jan  2 03:04:05 2026"),
    given(304, "HEAD", if_modified_since=DATE),
    given(200, if_modified_since=EARLIER),
    given(200, if_modified_since="yesterday"),
    given(200, if_modified_since="Fri, 99 Jan 2026 03:04:05 GMT"),
    given(200, if_modified_since=DATE, if_none_match='"x"'),
    # 13.1.4 If-Unmodified-Since
    given(200, if_unmodified_since=DATE),
    given(412, if_unmodified_since=EARLIER),
    given(200, if_unmodified_since="yesterday"),
    given(200, if_unmodified_since=EARLIER, if_match=ETAG),
    # 13.1.5 If-Range
    wanted("0-1", 206, (0, 1), if_range=ETAG),
    wanted("0-1", 206, (0, 1), if_range=DATE),
    wanted("0-1", 200, if_range=WEAK),
    wanted("0-1", 200, if_range='"x"'),
    wanted("0-1", 200, if_range=EARLIER),
    wanted("0-1", 200, if_range=LATER),
    wanted("0-1", 200, if_range="*"),
    wanted("0-1", 200, if_range=""),
    wanted("99-", 200, if_range='"x"'),
    wanted("99-", 416, if_range=ETAG),
    given(200, if_range='"x"'),
    # 13.2.1 the answer to another method is no state of what was asked for: its effect has been had already
    given(200, "POST", if_none_match="*"),
    given(200, "POST", if_match='"x"'),
    given(200, "POST", if_unmodified_since=EARLIER),
]


@pytest.fixture
def file(tmp_path: Path) -> Path:
    path = tmp_path / "digits.bin"
    path.write_bytes(CONTENT)
    os.utime(path, (MODIFIED, MODIFIED))
    return path


@dataclass
class Sent:
    status: int
    headers: dict[str, str]
    body: bytes
    kinds: list[str]


async def send(response: FileResponse, row: Row, *, pathsend: bool = False) -> Sent:
    messages: list[dict[str, Any]] = []

    async def take(message: dict[str, Any]) -> None:
        messages.append(message)

    scope: Any = {
        "type": "http",
        "method": row.method,
        "headers": [(name.encode(), value.encode()) for name, value in row.fields.items()],
        "extensions": {"http.response.pathsend": {}} if pathsend else {},
    }
    await response(scope, None, take)  # type: ignore[arg-type]  # it never reads
    headers = {name.decode(): value.decode() for name, value in messages[0]["headers"]}
    assert len(headers) == len(messages[0]["headers"])  # no field is there twice
    body = b"".join(
        Path(message["path"]).read_bytes() if "path" in message else message["body"]
        for message in messages[1:]
    )
    return Sent(messages[0]["status"], headers, body, [message["type"] for message in messages[1:]])


@pytest.mark.parametrize("pathsend", [False, True], ids=["read", "pathsend"])
@pytest.mark.parametrize("row", ROWS, ids=str)
async def test_a_file_is_answered_by_the_rfc(row: Row, pathsend: bool, file: Path):
    sent = await send(FileResponse(file), row, pathsend=pathsend)
    assert sent.status == row.status
    assert sent.headers["etag"] == ETAG
    assert sent.headers["last-modified"] == DATE
    assert sent.headers["accept-ranges"] == "bytes"
    if row.parts:
        check_parts(sent, row.parts)
        return
    assert sent.body == row.body
    ranges = {206: row.span and "bytes {}-{}/10".format(*row.span), 416: "bytes */10"}
    assert sent.headers.get("content-range") == ranges.get(row.status)
    length = {200: "10", 304: None}.get(row.status, str(len(row.body)))
    assert sent.headers.get("content-length") == length
    assert ("content-type" in sent.headers) == (row.status in (200, 206))
    whole = row.status == 200 and row.method == "GET"
    assert ("http.response.pathsend" in sent.kinds) == (pathsend and whole)


def check_parts(sent: Sent, spans: list[tuple[int, int]]) -> None:
    """15.3.7.2: each part names its range, the response itself none."""
    kind, _, boundary = sent.headers["content-type"].partition("; boundary=")
    assert kind == "multipart/byteranges"
    assert "content-range" not in sent.headers
    assert sent.headers["content-length"] == str(len(sent.body))
    head = f"--{boundary}\r\ncontent-type: application/octet-stream\r\ncontent-range: bytes "
    parts = "\r\n".join(
        f"{head}{first}-{last}/10\r\n\r\n{CONTENT[first : last + 1].decode()}" for first, last in spans
    )
    assert sent.body.decode() == f"{parts}\r\n--{boundary}--\r\n"


@pytest.mark.parametrize(
    ("row", "status"),
    [
        (given(304, if_none_match='"v1"'), 304),
        (given(200, if_none_match=ETAG), 200),
        (given(200, if_match='"v1"'), 200),
        (given(412, if_match=ETAG), 412),
        (wanted("0-1", 206, (0, 1), if_range='"v1"'), 206),
        (wanted("0-1", 200, if_range=ETAG), 200),
    ],
    ids=str,
)
async def test_the_entity_tag_of_the_caller_is_the_one_that_counts(row: Row, status: int, file: Path):
    sent = await send(FileResponse(file, headers={"etag": '"v1"'}), row)
    assert (sent.status, sent.headers["etag"]) == (status, '"v1"')


async def test_a_weak_entity_tag_of_the_caller_asks_for_no_range(file: Path):
    response = FileResponse(file, headers={"etag": 'W/"v1"'})
    assert (await send(response, wanted("0-1", 200, if_range='W/"v1"'))).status == 200


async def test_a_file_from_the_future_was_modified_now(file: Path):
    """RFC 9110 8.8.2.1: no date that is later than that of the response."""
    os.utime(file, (MODIFIED, time.time() + 10_000))
    before = int(time.time())
    sent = await send(FileResponse(file), given(200))
    assert before <= parsedate_to_datetime(sent.headers["last-modified"]).timestamp() <= time.time()


async def test_a_server_answers_alike(file: Path):
    """Over a socket, where pieces, heads without a body and whole files leave in ways of their own."""

    async def view(request: Request) -> Response:
        return FileResponse(file)

    app = App([path("", view)], debug=True)
    answers: dict[str, tuple[int, bytes]] = {}
    rows = [row for row in ROWS if not row.parts and row.fields.get("range") != ""]
    async with Server(app, Config(port=0, timeout_graceful_shutdown=0.0)) as server:
        for row in rows:
            reader, writer = await asyncio.open_connection("127.0.0.1", server.addresses[0][1])
            fields = "".join(f"{name}: {value}\r\n" for name, value in row.fields.items())
            writer.write(
                f"{row.method} / HTTP/1.1\r\nhost: localhost\r\nsec-fetch-site: same-origin\r\n"
                f"content-length: 0\r\nconnection: close\r\n{fields}\r\n".encode()
            )
            answer = await asyncio.wait_for(reader.read(-1), 5)
            writer.close()
            answers[str(row)] = int(answer.split()[1]), answer.partition(b"\r\n\r\n")[2]
    assert answers == {str(row): (row.status, row.body) for row in rows}
