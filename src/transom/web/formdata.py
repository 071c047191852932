"""Forms: fields and files of an urlencoded or multipart body, parsed as it arrives.

How multipart works: `MultipartDecoder` is fed the body piece by piece. python-multipart finds the boundaries and calls
back; the callbacks count against every limit *before* they keep a byte, so that the limits hold whatever content-length
says and however the body is framed. Callbacks cannot wait, so file content collects in memory; when the files of one
form hold `SPOOL_SIZE` there, `parse_multipart` moves all of it to temporary files in one hop to a thread.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import TYPE_CHECKING

from python_multipart.exceptions import FormParserError
from python_multipart.multipart import MultipartParser, parse_options_header

from transom.web._threads import to_thread
from transom.web.errors import BadRequest, ContentTooLarge, UnsupportedMediaType
from transom.web.multidict import MultiDict
from transom.web.uploads import UploadedFile, close_all, finish_all, spill_all

if TYPE_CHECKING:
    from collections.abc import AsyncIterable, Iterable

    from transom.conf import Settings

__all__ = ["FormData", "FormLimits", "UploadedFile", "form_charset", "parse_multipart"]

# What one form's files may hold in memory together before they go to disk.
SPOOL_SIZE = 1_048_576
# A browser sends two or three header lines a part, a few hundred bytes.
MAX_PART_HEADERS = 8
MAX_PART_HEADER_BYTES = 4_096
# RFC 2046 5.1.1: 1 to 70 of these characters, the last no space.
BOUNDARY = re.compile(r"[0-9A-Za-z'()+_,\-./:=? ]{0,69}[0-9A-Za-z'()+_,\-./:=?]")
# The charsets browsers use for forms; others, among them some that take Python quadratic time, are refused.
CHARSETS = {
    "": "utf-8",
    "utf-8": "utf-8",
    "utf8": "utf-8",
    "us-ascii": "ascii",
    "ascii": "ascii",
    "iso-8859-1": "latin-1",
    "latin-1": "latin-1",
}
# With those that end a line or turn the direction of text, by which `exe.jpg` may be shown for `gpj.exe`.
CONTROL = re.compile(r"[\x00-\x1f\x7f-\x9f\u2028-\u202e\u2066-\u2069]")
DRIVE = re.compile(r"[A-Za-z]:")


@dataclass(frozen=True, slots=True)
class FormLimits:
    """How much of a body is taken; the settings of the same names explain them, sizes in bytes."""

    max_body_size: int = 2_621_440
    max_form_fields: int = 1_000
    max_form_files: int = 100
    max_upload_size: int = 104_857_600

    @classmethod
    def from_settings(cls, settings: Settings) -> FormLimits:
        """Return the limits a site has set."""
        return cls(
            max_body_size=settings.max_body_size,
            max_form_fields=settings.max_form_fields,
            max_form_files=settings.max_form_files,
            max_upload_size=settings.max_upload_size,
        )


class FormData(MultiDict[str]):
    """The fields of a form, and its files.

    Args:
        fields: names and values in the order they came.
        files: field names and files in the order they came.

    Attributes:
        files: the uploaded files; the same kind of mapping.
    """

    __slots__ = ("files",)

    def __init__(
        self, fields: Iterable[tuple[str, str]] = (), files: Iterable[tuple[str, UploadedFile]] = ()
    ) -> None:
        super().__init__(fields)
        self.files = MultiDict(files)

    async def aclose(self) -> None:
        """Drop the content of the files and remove what is on disk."""
        await close_all([upload for _, upload in self.files.multi_items()])


def form_charset(name: str) -> str:
    """Return Python's name of a form's charset, given as the `charset` parameter; empty means UTF-8.

    Raises:
        UnsupportedMediaType: it is none that forms come in.
    """
    charset = CHARSETS.get(name.lower())
    if charset is None:
        raise UnsupportedMediaType(f"charset {name!r} is not read; send utf-8")
    return charset


async def parse_multipart(chunks: AsyncIterable[bytes], boundary: str, limits: FormLimits) -> FormData:
    """Return the form in a multipart body.

    Cancellation: the files received so far are removed.

    Raises:
        BadRequest: malformed, cut short, or more fields, files or headers than the limits.
        ContentTooLarge: larger than `max_upload_size`, or its fields are larger than `max_body_size`.

    Source: RFC 7578; RFC 2046 section 5.1.
    """
    decoder = MultipartDecoder(boundary, limits)
    try:
        async for chunk in chunks:
            decoder.feed(chunk)
            if decoder.buffered() > SPOOL_SIZE:
                await to_thread(lambda: spill_all(decoder.uploads))
        form = decoder.finish()
        if all(upload.in_memory for upload in decoder.uploads):
            finish_all(decoder.uploads)
        else:
            await to_thread(lambda: finish_all(decoder.uploads))
    except BaseException:
        await close_all(decoder.uploads)
        raise
    return form


class MultipartDecoder:
    """Bytes in, fields and uploads out; does no I/O.

    Args:
        boundary: the parameter of the content type.
        limits: see `FormLimits`.

    Raises:
        BadRequest: the boundary is malformed.

    Attributes:
        uploads: the files begun so far, the last perhaps not complete.
    """

    def __init__(self, boundary: str, limits: FormLimits) -> None:
        if not BOUNDARY.fullmatch(boundary):
            raise BadRequest("the boundary of the multipart body must be 1 to 70 characters of RFC 2046")
        self.uploads: list[UploadedFile] = []
        self._limits = limits
        self._fields: list[tuple[str, str]] = []
        self._received = 0
        self._field_bytes = 0
        self._files_begun = 0
        self._complete = False
        self._part = _Part()
        self._parser = MultipartParser(
            boundary,
            {
                "on_part_begin": self._begin_part,
                "on_header_field": self._add_header_name,
                "on_header_value": self._add_header_value,
                "on_header_end": self._end_header,
                "on_headers_finished": self._end_headers,
                "on_part_data": self._add_data,
                "on_part_end": self._end_part,
                "on_end": self._end,
            },
            max_header_count=MAX_PART_HEADERS,
            max_header_size=MAX_PART_HEADER_BYTES,
        )

    def buffered(self) -> int:
        """Return how many bytes of files are in memory."""
        return sum(upload.buffered for upload in self.uploads)

    def feed(self, data: bytes) -> None:
        """Take the next piece of the body, of any size.

        Raises:
            BadRequest: see `parse_multipart`.
            ContentTooLarge: see `parse_multipart`.
        """
        self._received += len(data)
        if self._received > self._limits.max_upload_size:
            raise ContentTooLarge(f"the form is larger than {self._limits.max_upload_size} bytes")
        try:
            self._parser.write(data)
        except FormParserError as exc:
            raise BadRequest("the multipart body is malformed") from exc

    def finish(self) -> FormData:
        """Return the form once the whole body was fed.

        Raises:
            BadRequest: the body ended before its last boundary.
        """
        if not self._complete:
            raise BadRequest("the multipart body ends before its last boundary")
        return FormData(self._fields, ((upload.name, upload) for upload in self.uploads))

    def abort(self) -> None:
        """Remove the files."""
        for upload in self.uploads:
            upload.close()

    def _begin_part(self) -> None:
        self._part = _Part()

    def _add_header_name(self, data: bytes, start: int, end: int) -> None:
        self._part.count_header_bytes(end - start)
        self._part.header_name += data[start:end]

    def _add_header_value(self, data: bytes, start: int, end: int) -> None:
        self._part.count_header_bytes(end - start)
        self._part.header_value += data[start:end]

    def _end_header(self) -> None:
        self._part.end_header()

    def _end_headers(self) -> None:
        part = self._part
        part.read_headers()
        if part.filename is None:
            self._count_field(part)
        else:
            self._count_file(part, part.filename)

    def _count_field(self, part: _Part) -> None:
        if len(self._fields) >= self._limits.max_form_fields:
            raise BadRequest(f"more than {self._limits.max_form_fields} form fields")
        self._count_field_bytes(len(part.name.encode()))

    def _count_file(self, part: _Part, filename: str) -> None:
        self._files_begun += 1
        if self._files_begun > self._limits.max_form_files:
            raise BadRequest(f"more than {self._limits.max_form_files} files in one form")
        # HTML "constructing the entry list": a file input with no file chosen sends a part with an empty filename.
        if filename:
            part.upload = UploadedFile(part.name, filename, part.content_type)
            self.uploads.append(part.upload)

    def _count_field_bytes(self, count: int) -> None:
        self._field_bytes += count
        if self._field_bytes > self._limits.max_body_size:
            raise ContentTooLarge(
                f"the fields of the form are larger than {self._limits.max_body_size} bytes"
            )

    def _add_data(self, data: bytes, start: int, end: int) -> None:
        part = self._part
        if part.upload is not None:
            part.upload.append(data[start:end])
        elif part.filename is None:
            self._count_field_bytes(end - start)
            part.value += data[start:end]

    def _end_part(self) -> None:
        part = self._part
        if part.filename is None:
            self._fields.append((part.name, part.decode_value()))

    def _end(self) -> None:
        self._complete = True


class _Part:
    """One part while it is being received."""

    def __init__(self) -> None:
        self.header_name = bytearray()
        self.header_value = bytearray()
        self.header_bytes = 0
        self.headers: dict[bytes, bytes] = {}
        self.name = ""
        self.filename: str | None = None
        self.content_type = "text/plain"
        self.charset = "utf-8"
        self.upload: UploadedFile | None = None
        self.value = bytearray()

    def count_header_bytes(self, count: int) -> None:
        self.header_bytes += count
        if self.header_bytes > MAX_PART_HEADER_BYTES:
            raise BadRequest(f"the headers of a form part are larger than {MAX_PART_HEADER_BYTES} bytes")

    def end_header(self) -> None:
        name = bytes(self.header_name).lower()
        if name in self.headers:
            raise BadRequest(f"a form part has two {name.decode('latin-1')!r} headers")
        self.headers[name] = bytes(self.header_value)
        self.header_name.clear()
        self.header_value.clear()

    def read_headers(self) -> None:
        # RFC 7578 4.2: each part has a content-disposition of form-data with a name.
        disposition, parameters = parse_options_header(self.headers.get(b"content-disposition", b""))
        if disposition != b"form-data" or b"name" not in parameters:
            raise BadRequest("a form part has no `content-disposition: form-data` with a name")
        # RFC 7578 4.7 deprecates it, no browser sends it, and decoding it would hide bytes from the limits.
        if self.headers.get(b"content-transfer-encoding", b"8bit").lower() not in (
            b"7bit",
            b"8bit",
            b"binary",
        ):
            raise BadRequest("a form part has a content-transfer-encoding; send it as it is")
        self.name = _decode(parameters[b"name"], "the name of a form part")
        if b"filename" in parameters:
            self.filename = _safe_filename(_decode(parameters[b"filename"], "a file name"))
        self._read_content_type()

    def _read_content_type(self) -> None:
        essence, parameters = parse_options_header(self.headers.get(b"content-type", b"text/plain"))
        self.content_type = essence.decode("latin-1").strip()
        if self.filename is None:
            self.charset = form_charset(parameters.get(b"charset", b"").decode("latin-1"))

    def decode_value(self) -> str:
        return _decode(bytes(self.value), f"form field {self.name!r}", self.charset)


def _decode(data: bytes, what: str, charset: str = "utf-8") -> str:
    try:
        return data.decode(charset)
    except UnicodeDecodeError as exc:
        raise BadRequest(f"{what} is not valid {charset} (byte {exc.start})") from exc


def _safe_filename(filename: str) -> str:
    """Return the last part of a path in any system's notation, without control characters; empty if none is left."""
    # RFC 7578 4.2: do not use directory path information that may be present.
    base = CONTROL.sub("", filename.replace("\\", "/").rpartition("/")[2]).strip()
    base = base[2:] if DRIVE.match(base) else base
    return "" if base in (".", "..") else base
