"""Forms: urlencoded and multipart, their limits, and what becomes of files."""

import asyncio
import gc
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from transom.web import formdata
from transom.web.errors import BadRequest, ContentTooLarge, HTTPException, UnsupportedMediaType
from transom.web.formdata import FormData, FormLimits, MultipartDecoder, parse_multipart
from transom.web.request import Request

URLENCODED = "application/x-www-form-urlencoded"
MULTIPART = "multipart/form-data; boundary=b"
FORM = (
    b'--b\r\nContent-Disposition: form-data; name="text"\r\n\r\ngr\xc3\xbcn\r\n--b-no\r\n'
    b'--b\r\ncontent-disposition: form-data; name="file"; filename="C:\\\\x\\\\a.txt"\r\n'
    b"Content-Type: text/plain\r\n\r\nline\r\n--\r\n\r\n--b\r\n"
    b'Content-Disposition: form-data; name="file"; filename="b.bin"\r\n\r\n\0\xff\r\n'
    b"--b--\r\nepilogue"
)


def make_request(
    *chunks: bytes, content_type: str, limits: FormLimits | None = None, length: str | None = None
) -> Request:
    messages: list[dict[str, Any]] = [{"type": "http.request", "body": c, "more_body": True} for c in chunks]
    messages.append({"type": "http.request", "body": b"", "more_body": False})

    async def receive() -> dict[str, Any]:
        return messages.pop(0)

    headers = [(b"content-type", content_type.encode())]
    if length is not None:
        headers.append((b"content-length", length.encode()))
    scope: Any = {"type": "http", "method": "POST", "path": "/", "headers": headers}
    request = Request(scope, receive)
    if limits is not None:
        request.limits = limits
    return request


def part(name: str = "a", value: bytes = b"v", filename: str | None = None, extra: bytes = b"") -> bytes:
    disposition = f'form-data; name="{name}"' + ("" if filename is None else f'; filename="{filename}"')
    return (
        b"--b\r\ncontent-disposition: " + disposition.encode() + b"\r\n" + extra + b"\r\n" + value + b"\r\n"
    )


END = b"--b--\r\n"


async def parse(*chunks: bytes, limits: FormLimits | None = None) -> FormData:
    return await make_request(*chunks, content_type=MULTIPART, limits=limits).form()


async def test_urlencoded_fields():
    form = await make_request(b"a=1&a=2&b=gr%C3%BCn+x&c", content_type=URLENCODED).form()
    assert form.multi_items() == [("a", "1"), ("a", "2"), ("b", "grün x"), ("c", "")]
    assert form["a"] == "2"


async def test_urlencoded_body_can_still_be_read():
    request = make_request(b"a=1", content_type=URLENCODED)
    assert (await request.form())["a"] == "1"
    assert await request.body() == b"a=1"
    assert await request.form() is await request.form()


async def test_a_body_of_another_type_is_no_form_and_stays_unread():
    request = make_request(b"{}", content_type="application/json")
    assert len(await request.form()) == 0
    assert await request.json() == {}


@pytest.mark.parametrize("charset", ["utf-16", "punycode", "idna", "zlib", "utf-7"])
async def test_charsets_that_are_no_form_s_are_refused(charset: str):
    with pytest.raises(UnsupportedMediaType):
        await make_request(b"a=1", content_type=f"{URLENCODED}; charset={charset}").form()


async def test_latin1_form():
    form = await make_request(b"a=%E9", content_type=f"{URLENCODED}; charset=ISO-8859-1").form()
    assert form["a"] == "é"


async def test_multipart_fields_and_files():
    form = await parse(FORM)
    assert form.multi_items() == [("text", "grün\r\n--b-no")]
    first, second = form.files.getlist("file")
    assert (first.filename, first.content_type, first.size) == ("a.txt", "text/plain", 10)
    assert await first.read() == b"line\r\n--\r\n"
    assert await first.read() == b""
    await first.seek(4)
    assert await first.read(2) == b"\r\n"
    assert (second.filename, await second.read()) == ("b.bin", b"\0\xff")
    await form.aclose()
    assert first.closed


@given(st.lists(st.integers(0, len(FORM)), max_size=8))
def test_multipart_is_the_same_however_it_is_cut(cuts: list[int]):
    check_split([FORM[a:b] for a, b in zip([0, *sorted(cuts)], [*sorted(cuts), len(FORM)], strict=True)])


def test_multipart_is_the_same_byte_by_byte():
    check_split([FORM[i : i + 1] for i in range(len(FORM))])


def check_split(chunks: list[bytes]) -> None:
    decoder = MultipartDecoder("b", FormLimits())
    for chunk in chunks:
        decoder.feed(chunk)
    form = decoder.finish()
    assert form.multi_items() == [("text", "grün\r\n--b-no")]
    assert [(upload.filename, upload.size) for upload in decoder.uploads] == [("a.txt", 10), ("b.bin", 2)]
    decoder.abort()


@given(st.binary(max_size=80), st.integers(0, len(FORM)), st.integers(0, 80))
@settings(max_examples=60)
def test_a_damaged_body_is_parsed_or_refused(noise: bytes, position: int, removed: int):
    decoder = MultipartDecoder("b", FormLimits())
    try:
        decoder.feed(FORM[:position] + noise + FORM[position + removed :])
        decoder.finish()
    except (BadRequest, ContentTooLarge, UnsupportedMediaType):
        pass
    finally:
        decoder.abort()


@pytest.mark.parametrize(
    "body",
    [
        b"",
        b"--b",
        b"--b\r\n",
        FORM[:-20],
        part() + b"--b",
        b"preamble" + part() + END,
        b"--b\r\n\r\nno headers\r\n" + END,
        b"--b\r\ncontent-disposition: attachment; name=a\r\n\r\n\r\n" + END,
        b"--b\r\ncontent-disposition: form-data\r\n\r\n\r\n" + END,
        part(extra=b"Content-Disposition: form-data; name=b\r\n") + END,
        part(extra=b"content-transfer-encoding: base64\r\n") + END,
        part(extra=b"x" * 5000 + b": 1\r\n") + END,
        part(extra=b"x: " + b"1" * 5000 + b"\r\n") + END,
        part(extra=b"".join(b"x%d: 1\r\n" % i for i in range(9))) + END,
        part(extra=b"".join(b"x%d: %s\r\n" % (i, b"1" * 1000) for i in range(5))) + END,
        part(extra=b"bad name: 1\r\n") + END,
        part(value=b"\xff") + END,
        b'--b\r\ncontent-disposition: form-data; name="\xff"\r\n\r\n\r\n' + END,
    ],
)
async def test_malformed_multipart_is_a_bad_request(body: bytes):
    with pytest.raises(BadRequest):
        await parse(body)


@pytest.mark.parametrize("boundary", ["", "x" * 71, "a\x01", "ends with space "])
async def test_malformed_boundaries_are_refused(boundary: str):
    content_type = f'multipart/form-data; boundary="{boundary}"' if boundary else "multipart/form-data"
    with pytest.raises(BadRequest, match="boundary"):
        await make_request(END, content_type=content_type).form()


TIGHT = FormLimits(max_body_size=20, max_form_fields=2, max_form_files=2, max_upload_size=400)
TOO_MUCH = [
    pytest.param(URLENCODED, b"a=1&b=2&c=3", 400, id="urlencoded fields"),
    pytest.param(URLENCODED, b"a&b&c", 400, id="urlencoded names"),
    pytest.param(URLENCODED, b"a=" + b"1" * 20, 413, id="urlencoded bytes"),
    pytest.param(MULTIPART, part() * 3 + END, 400, id="multipart fields"),
    pytest.param(MULTIPART, part(filename="f") * 3 + END, 400, id="multipart files"),
    pytest.param(MULTIPART, part(filename="") * 3 + END, 400, id="multipart empty files"),
    pytest.param(MULTIPART, part(value=b"1" * 20) + END, 413, id="multipart field bytes"),
    pytest.param(MULTIPART, part(value=b"1" * 10) * 2 + END, 413, id="multipart field bytes together"),
    pytest.param(MULTIPART, part(name="n" * 21, value=b"") + END, 413, id="multipart name bytes"),
    pytest.param(MULTIPART, part(filename="f", value=b"1" * 400) + END, 413, id="multipart file bytes"),
    pytest.param(MULTIPART, part() + END + b"e" * 400, 413, id="multipart epilogue"),
]


@pytest.mark.parametrize("announced", [None, "0", "1", "-1", "abc", "true", "9" * 30])
@pytest.mark.parametrize("size", [1, 7, 10_000])
@pytest.mark.parametrize(("content_type", "body", "status"), TOO_MUCH)
async def test_no_limit_is_escaped(
    content_type: str, body: bytes, status: int, size: int, announced: str | None
):
    """Limit x framing x content type x what content-length claims."""
    chunks = [body[i : i + size] for i in range(0, len(body), size)]
    length = str(len(body)) if announced == "true" else announced
    request = make_request(*chunks, content_type=content_type, limits=TIGHT, length=length)
    with pytest.raises(HTTPException) as caught:
        await request.form()
    assert caught.value.status == status or (caught.value.status == 413 and announced in ("true", "9" * 30))


async def test_what_is_just_within_every_limit_is_taken():
    form = await parse(part(value=b"12345678") * 2, part(filename="f") * 2, END, limits=TIGHT)
    assert len(form.multi_items()) == 2
    assert len(form.files.multi_items()) == 2


async def test_an_input_without_a_chosen_file_is_no_file():
    form = await parse(part(filename="", value=b"") + END)
    assert len(form.files) == 0
    assert len(form) == 0


@pytest.mark.parametrize(
    ("sent", "name"),
    [
        ("a.txt", "a.txt"),
        ("../../etc/passwd", "passwd"),
        ("/etc/passwd", "passwd"),
        ("C:\\\\Users\\\\x\\\\a.txt", "a.txt"),
        ("grün.txt", "grün.txt"),
        ("a\tb.txt", "ab.txt"),
        ("a.txt; x=y", "a.txt; x=y"),
    ],
)
async def test_file_names_lose_their_path(sent: str, name: str):
    form = await parse(part(filename=sent) + END)
    assert form.files["a"].filename == name


@pytest.mark.parametrize("sent", ["..", ".", "x/", "x/.."])
async def test_names_that_are_only_a_path_are_no_file(sent: str):
    assert len((await parse(part(filename=sent) + END)).files) == 0


async def test_the_extended_name_syntax_is_ignored():
    """RFC 7578 section 4.2 forbids `filename*`; reading it would let two parsers see two names."""
    body = (
        b'--b\r\ncontent-disposition: form-data; name="a"; filename="x"; filename*=utf-8\'\'y\r\n\r\n\r\n'
        + END
    )
    assert (await parse(body)).files["a"].filename == "x"


async def test_large_files_go_to_disk_and_come_back(monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setattr(formdata, "SPOOL_SIZE", 10)
    form = await parse(
        part(filename="small", value=b"12345"), part(name="b", filename="l", value=b"x" * 50), END
    )
    small, large = form.files["a"], form.files["b"]
    assert not large.in_memory
    assert await small.read() == b"12345"
    assert await large.read(20) == b"x" * 20
    assert [len(chunk) async for chunk in large.chunks(30)] == [30, 20]
    await form.aclose()
    assert large.closed
    assert small.closed


async def test_memory_counts_for_all_files_of_a_form_together(monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setattr(formdata, "SPOOL_SIZE", 10)
    form = await parse(*[part(filename="f", value=b"1234")] * 4, END)
    uploads = form.files.getlist("a")
    assert [await upload.read() for upload in uploads] == [b"1234"] * 4
    assert sum(upload.size for upload in uploads if upload.in_memory) <= 10
    await form.aclose()


async def test_an_aborted_upload_leaves_nothing(monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setattr(formdata, "SPOOL_SIZE", 10)
    seen: list[formdata.UploadedFile] = []
    monkeypatch.setattr(formdata, "UploadedFile", lambda *args: seen.append(real(*args)) or seen[-1])
    with pytest.raises(BadRequest, match="ends before"):
        await parse(part(filename="f", value=b"x" * 100))
    assert seen[0].closed


real = formdata.UploadedFile


async def test_a_cancelled_upload_leaves_nothing(monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setattr(formdata, "SPOOL_SIZE", 10)
    seen: list[formdata.UploadedFile] = []
    monkeypatch.setattr(formdata, "UploadedFile", lambda *args: seen.append(real(*args)) or seen[-1])
    arrived = asyncio.Event()

    async def chunks():
        yield part(filename="f", value=b"x" * 100)
        arrived.set()
        await asyncio.Event().wait()

    task = asyncio.create_task(parse_multipart(chunks(), "b", FormLimits()))
    await arrived.wait()
    task.cancel()
    with pytest.raises(asyncio.CancelledError):
        await task
    assert seen[0].closed


async def test_a_forgotten_upload_closes_itself_without_a_warning(monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setattr(formdata, "SPOOL_SIZE", 10)
    form = await parse(part(filename="f", value=b"x" * 100) + END)
    file = form.files["a"]._file  # the open descriptor is what must not leak
    del form
    assert file is not None
    for _ in range(1000):  # the thread that wrote the file lets go of it a moment after its result is here
        gc.collect()
        if file.closed:
            break
        await asyncio.sleep(0)
    assert file.closed


def test_limits_default_to_those_of_the_settings():
    from transom.conf import Settings

    assert FormLimits.from_settings(Settings(_env_file=None)) == FormLimits()


async def test_too_large_is_told_by_size():
    with pytest.raises(ContentTooLarge, match="400 bytes"):
        await parse(part(filename="f", value=b"1" * 400) + END, limits=TIGHT)
