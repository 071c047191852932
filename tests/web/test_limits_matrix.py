"""Limits of request bodies, as a table: limit x content type x what content-length claims x pieces x at it and one past it."""

import asyncio
import os
import tempfile
from collections.abc import Iterator
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Any

import pytest

from transom.server import Config, Server
from transom.web import App, HTTPException, Request, Response, formdata, path
from transom.web.formdata import MAX_PART_HEADER_BYTES, MAX_PART_HEADERS, FormLimits

BODY, FIELDS, FILES, UPLOAD = 64, 3, 2, 5_000
LIMITS = {
    "max_body_size": BODY,
    "max_form_fields": FIELDS,
    "max_form_files": FILES,
    "max_upload_size": UPLOAD,
}
URLENCODED = "application/x-www-form-urlencoded"
MULTIPART = "multipart/form-data; boundary=b"
END = b"--b--\r\n"


def part(name: str = "a", value: bytes = b"v", filename: str | None = None, extra: bytes = b"") -> bytes:
    disposition = f'form-data; name="{name}"' + ("" if filename is None else f'; filename="{filename}"')
    head = b"--b\r\ncontent-disposition: " + disposition.encode() + b"\r\n" + extra
    return head + b"\r\n" + value + b"\r\n"


def fill(size: int, **fields: Any) -> bytes:
    """Return a form whose one part has as much content as makes it `size` bytes."""
    empty = part(value=b"", **fields) + END
    return part(value=b"v" * (size - len(empty)), **fields) + END


def with_header_bytes(size: int, filename: str | None = None) -> bytes:
    """Return a form whose one part has so many bytes of names and values of headers."""
    head = part(filename=filename).partition(b"\r\n\r\n")[0].removeprefix(b"--b\r\n")
    used = len(head) - len(b": ")
    return part(filename=filename, extra=b"x: " + b"1" * (size - used - 1) + b"\r\n") + END


def with_headers(count: int, filename: str | None = None) -> bytes:
    return part(filename=filename, extra=b"".join(b"x%d: 1\r\n" % i for i in range(count - 1))) + END


@dataclass(frozen=True)
class Row:
    """A limit as it applies to a content type: `body(n)` is a body that holds `n` of what it counts."""

    name: str
    content_type: str
    limit: int
    body: Any
    status: int

    @property
    def announced_limit(self) -> int:
        """The largest content-length that is not refused by itself."""
        return UPLOAD if self.content_type.startswith("multipart") else BODY


ROWS = [
    Row("body size, plain", "text/plain", BODY, lambda n: b"x" * n, 413),
    Row("body size, no type", "", BODY, lambda n: b"x" * n, 413),
    Row("body size, json", "application/json", BODY, lambda n: b'"' + b"x" * (n - 2) + b'"', 413),
    Row("body size, urlencoded", URLENCODED, BODY, lambda n: b"a=" + b"1" * (n - 2), 413),
    Row("body size, one name", MULTIPART, BODY, lambda n: part("n" * n, b"") + END, 413),
    Row(
        "body size, bytes of a name",
        MULTIPART,
        BODY,
        lambda n: part("\u00fc" * (n // 2) + "n" * (n % 2), b"") + END,
        413,
    ),
    Row("body size, one field", MULTIPART, BODY, lambda n: part("a", b"1" * (n - 1)) + END, 413),
    Row(
        "body size, fields together",
        MULTIPART,
        BODY,
        lambda n: part("a", b"1" * 20) + part("file", b"1" * 900, "f") + part("b", b"1" * (n - 22)) + END,
        413,
    ),
    Row("fields, urlencoded", URLENCODED, FIELDS, lambda n: b"&".join([b"a=1"] * n), 400),
    Row("fields, names alone", URLENCODED, FIELDS, lambda n: b"&".join([b"a"] * n), 400),
    Row("fields, multipart", MULTIPART, FIELDS, lambda n: part() * n + END, 400),
    Row("fields, between files", MULTIPART, FIELDS, lambda n: part(filename="f") + part() * n + END, 400),
    Row("files", MULTIPART, FILES, lambda n: part(filename="f") * n + END, 400),
    Row("files, none chosen", MULTIPART, FILES, lambda n: part(filename="", value=b"") * n + END, 400),
    Row("upload size, one file", MULTIPART, UPLOAD, partial(fill, filename="f"), 413),
    Row("upload size, none chosen", MULTIPART, UPLOAD, partial(fill, filename=""), 413),
    Row("upload size, epilogue", MULTIPART, UPLOAD, lambda n: (part() + END).ljust(n, b"e"), 413),
    Row("headers of a part, field", MULTIPART, MAX_PART_HEADERS, with_headers, 400),
    Row("headers of a part, file", MULTIPART, MAX_PART_HEADERS, partial(with_headers, filename="f"), 400),
    Row("header bytes, field", MULTIPART, MAX_PART_HEADER_BYTES, with_header_bytes, 400),
    Row(
        "header bytes, file", MULTIPART, MAX_PART_HEADER_BYTES, partial(with_header_bytes, filename="f"), 400
    ),
]
PIECES = {"whole": 10_000, "in sevens": 7, "byte by byte": 1}
CLAIMS = ["right", "none", "0", "1", "-1", "nonsense", "too large"]


def claim_length(claim: str, body: bytes, row: Row) -> str | None:
    """Return what the content-length field says, which an ASGI server may hand on unchecked."""
    claims = {"right": str(len(body)), "none": None, "too large": str(row.announced_limit + 1)}
    return claims.get(claim, claim)


class Client:
    """Sends a body in pieces, and knows how much of it was taken."""

    def __init__(self, body: bytes, size: int) -> None:
        self.pieces = [body[i : i + size] for i in range(0, len(body), size)]
        self.taken = 0

    async def receive(self) -> dict[str, Any]:
        piece = self.pieces.pop(0)
        self.taken += len(piece)
        return {"type": "http.request", "body": piece, "more_body": bool(self.pieces)}


async def read(request: Request) -> None:
    """Read a body as its type asks for."""
    if request.content_type == "application/json":
        await request.json()
    elif request.content_type in ("", "text/plain"):
        await request.body()
    else:
        await request.form()


async def ask(row: Row, body: bytes, size: int, claim: str) -> tuple[int, int]:
    """Return the status and how many bytes were taken for it."""
    headers = [(b"content-type", row.content_type.encode())] if row.content_type else []
    if (length := claim_length(claim, body, row)) is not None:
        headers.append((b"content-length", length.encode()))
    client = Client(body, size)
    scope: Any = {"type": "http", "method": "POST", "path": "/", "headers": headers}
    request = Request(scope, client.receive)  # type: ignore[arg-type]
    request.limits = FormLimits(**LIMITS)
    try:
        await read(request)
    except HTTPException as exc:
        return exc.status, client.taken
    finally:
        await request.aclose()
    return 200, client.taken


@pytest.fixture(scope="module")
def disk(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Path]:
    """Where temporary files are made; whatever a file holds goes there at once."""
    folder = tmp_path_factory.mktemp("uploads")
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(tempfile, "tempdir", str(folder))
        patch.setattr(formdata, "SPOOL_SIZE", 100)
        yield folder


def left_on(disk: Path) -> list[str]:
    """Return names on the disk, and those of open files without a name."""
    descriptors = Path("/proc/self/fd")
    opened = (
        [os.readlink(each) for each in descriptors.iterdir() if each.exists()] if descriptors.exists() else []
    )
    return [*os.listdir(disk), *(name for name in opened if name.startswith(str(disk)))]


@pytest.mark.parametrize("claim", CLAIMS)
@pytest.mark.parametrize("pieces", PIECES)
@pytest.mark.parametrize("row", ROWS, ids=lambda row: row.name)
async def test_a_limit_holds_to_the_last_byte(row: Row, pieces: str, claim: str, disk: Path):
    at, past = row.body(row.limit), row.body(row.limit + 1)
    assert (await ask(row, at, PIECES[pieces], claim))[0] == (413 if claim == "too large" else 200)
    status, taken = await ask(row, past, PIECES[pieces], claim)
    announced = claim == "too large" or (claim == "right" and len(past) > row.announced_limit)
    assert status == (413 if announced else row.status)
    assert taken == 0 if announced else taken <= len(past)
    assert left_on(disk) == []


@pytest.mark.parametrize("row", [row for row in ROWS if row.status == 413], ids=lambda row: row.name)
async def test_no_byte_is_read_behind_a_limit_of_bytes(row: Row, disk: Path):
    """A client that sends without end is refused with the piece that passes the limit, so memory is bounded."""
    past = row.body(row.limit + 1)
    status, taken = await ask(row, past + b"x" * 1_000, 1, "none")
    assert status == 413
    assert taken <= len(past)


async def test_files_never_hold_more_memory_than_one_spool_and_one_piece(disk: Path):
    held: list[int] = []
    pieces = [part(filename="f", value=b"v" * 600), part(filename="g", value=b"v" * 900), END]
    limits = FormLimits(**LIMITS)

    async def chunks() -> Any:
        body = b"".join(pieces)
        for start in range(0, len(body), 50):
            yield body[start : start + 50]
            held.append(sum(upload.buffered for upload in uploads))

    uploads: list[Any] = []
    real = formdata.UploadedFile
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(formdata, "UploadedFile", lambda *args: uploads.append(real(*args)) or uploads[-1])
        form = await formdata.parse_multipart(chunks(), "b", limits)
    assert max(held) <= 100
    assert [upload.size for upload in uploads] == [600, 900]
    await form.aclose()
    assert left_on(disk) == []


# The same rows over a real server, framed by content-length and in chunks.


def frame(row: Row, body: bytes, size: int | None) -> bytes:
    head = b"POST / HTTP/1.1\r\nhost: localhost\r\nsec-fetch-site: same-origin\r\nconnection: close\r\n"
    if row.content_type:
        head += b"content-type: " + row.content_type.encode() + b"\r\n"
    if size is None:
        return head + b"content-length: %d\r\n\r\n" % len(body) + body
    pieces = [body[i : i + size] for i in range(0, len(body), size)]
    chunks = b"".join(b"%x\r\n%s\r\n" % (len(piece), piece) for piece in pieces)
    return head + b"transfer-encoding: chunked\r\n\r\n" + chunks + b"0\r\n\r\n"


@pytest.mark.parametrize("size", [None, 10_000, 7], ids=["length", "one chunk", "many chunks"])
async def test_no_limit_is_escaped_over_a_server(size: int | None, disk: Path):
    async def view(request: Request) -> Response:
        await read(request)
        return Response("taken")

    app = App([path("", view)], debug=True, **LIMITS)
    answers: dict[tuple[str, str], int] = {}
    async with Server(app, Config(port=0, timeout_graceful_shutdown=0.0)) as server:

        async def post(row: Row, body: bytes) -> int:
            reader, writer = await asyncio.open_connection("127.0.0.1", server.addresses[0][1])
            writer.write(frame(row, body, size))
            line = await asyncio.wait_for(reader.readline(), 5)
            writer.close()
            return int(line.split()[1])

        for row in ROWS:
            answers[row.name, "at"] = await post(row, row.body(row.limit))
            answers[row.name, "past"] = await post(row, row.body(row.limit + 1))
    assert answers == {(row.name, "at"): 200 for row in ROWS} | {
        (row.name, "past"): row.status for row in ROWS
    }
    assert left_on(disk) == []
