"""Uploads: what the disk sees of them, and that the event loop never waits for it."""

import asyncio
import os
import tempfile
import threading
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import pytest

from transom.server import Config, Server
from transom.web import App, Request, Response, formdata, path
from transom.web._threads import to_thread
from transom.web.errors import BadRequest
from transom.web.formdata import FormData, FormLimits, parse_multipart
from transom.web.uploads import UploadedFile

START = b'--b\r\ncontent-disposition: form-data; name="a"; filename="f"\r\n\r\n'
END = b"\r\n--b--\r\n"
CONTENT = b"v" * 500


@pytest.fixture(autouse=True)
def disk(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Where temporary files are made; what a file holds goes there early."""
    monkeypatch.setattr(tempfile, "tempdir", str(tmp_path))
    monkeypatch.setattr(formdata, "SPOOL_SIZE", 100)
    return tmp_path


@pytest.fixture(autouse=True)
def uploads(monkeypatch: pytest.MonkeyPatch) -> list[UploadedFile]:
    """Every upload that is begun."""
    begun: list[UploadedFile] = []
    monkeypatch.setattr(
        formdata, "UploadedFile", lambda *args: begun.append(UploadedFile(*args)) or begun[-1]
    )
    return begun


def left_on(disk: Path) -> list[str]:
    """Return names on the disk, and those of open files without a name."""
    found = os.listdir(disk)
    for each in Path("/proc/self/fd").glob("*"):
        try:
            found += [name] if (name := os.readlink(each)).startswith(str(disk)) else []
        except OSError:  # the one that lists them
            continue
    return found


async def parse(*pieces: bytes) -> FormData:
    async def chunks() -> AsyncIterator[bytes]:
        for piece in pieces:
            yield piece

    return await parse_multipart(chunks(), "b", FormLimits())


async def test_a_large_file_is_on_disk_until_the_form_is_closed(disk: Path):
    form = await parse(START, CONTENT, END)
    assert left_on(disk)
    await form.aclose()
    assert left_on(disk) == []


async def test_a_file_on_disk_has_no_name(disk: Path):
    """So that even a process that is killed leaves nothing."""
    form = await parse(START, CONTENT, END)
    assert os.listdir(disk) == []
    await form.aclose()


@pytest.mark.parametrize("end", [b"", b"\r\n--b\r\nbad header\r\n\r\n", END[:-4]])
async def test_a_body_that_is_refused_leaves_nothing(end: bytes, disk: Path, uploads: list[UploadedFile]):
    with pytest.raises(BadRequest):
        await parse(START, CONTENT, end)
    assert not uploads[0].in_memory
    assert left_on(disk) == []


async def test_a_full_disk_is_an_error_that_leaves_nothing(
    disk: Path, uploads: list[UploadedFile], monkeypatch: pytest.MonkeyPatch
):
    def spill(upload: UploadedFile) -> None:
        real(upload)
        raise OSError(28, "no space left on device")

    real = UploadedFile.spill
    monkeypatch.setattr(UploadedFile, "spill", spill)
    with pytest.raises(OSError, match="no space"):
        await parse(START, CONTENT, END)
    assert left_on(disk) == []


async def test_a_client_that_leaves_in_the_middle_leaves_nothing(disk: Path, uploads: list[UploadedFile]):
    async def view(request: Request) -> Response:
        await request.form()
        raise AssertionError("the form never was whole")

    app = App([path("", view)], debug=True)
    async with Server(app, Config(port=0, timeout_graceful_shutdown=5.0)) as server:
        _, writer = await asyncio.open_connection("127.0.0.1", server.addresses[0][1])
        writer.write(
            b"POST / HTTP/1.1\r\nhost: localhost\r\nsec-fetch-site: same-origin\r\ncontent-length: 9999\r\n"
            b"content-type: multipart/form-data; boundary=b\r\n\r\n" + START + CONTENT
        )
        async with asyncio.timeout(5):
            while not (uploads and not uploads[0].in_memory):
                await asyncio.sleep(0)
            writer.close()
            while server.state.tasks:
                await asyncio.sleep(0)
    assert uploads[0].closed
    assert left_on(disk) == []


class SlowDisk:
    """Each named method of an upload waits, in its thread, until the event loop has had a turn."""

    def __init__(self, monkeypatch: pytest.MonkeyPatch, *names: str) -> None:
        self.threads: set[int] = set()
        self.loop = asyncio.get_running_loop()
        for name in names:
            monkeypatch.setattr(UploadedFile, name, self.slowed(getattr(UploadedFile, name)))

    def slowed(self, method: Any) -> Any:
        def call(upload: UploadedFile) -> Any:
            if not upload.in_memory or upload.buffered > 100:
                self.threads.add(threading.get_ident())
                turn = threading.Event()
                self.loop.call_soon_threadsafe(turn.set)
                assert turn.wait(5), f"{method.__name__} holds the event loop"
            return method(upload)

        return call


async def test_the_disk_never_holds_the_loop(monkeypatch: pytest.MonkeyPatch, disk: Path):
    slow = SlowDisk(monkeypatch, "spill", "finish", "close")
    form = await parse(START, CONTENT, CONTENT, END)
    await form.aclose()
    assert threading.get_ident() not in slow.threads
    assert slow.threads
    assert left_on(disk) == []


async def test_nor_does_removing_what_was_refused(monkeypatch: pytest.MonkeyPatch, disk: Path):
    slow = SlowDisk(monkeypatch, "close")
    with pytest.raises(BadRequest):
        await parse(START, CONTENT)
    assert slow.threads
    assert left_on(disk) == []


@pytest.mark.parametrize("times", [1, 2, 3])
async def test_however_often_it_is_cancelled_a_thread_is_waited_for(times: int):
    """The caller then closes the file that the thread works on."""
    begun, goes_on, done = asyncio.Event(), threading.Event(), False
    loop = asyncio.get_running_loop()

    def work() -> None:
        nonlocal done
        loop.call_soon_threadsafe(begun.set)
        assert goes_on.wait(5)
        done = True

    task = asyncio.create_task(to_thread(work))
    await begun.wait()
    for _ in range(times):
        task.cancel()
        await asyncio.sleep(0)
        await asyncio.sleep(0)
    assert not task.done()
    goes_on.set()
    with pytest.raises(asyncio.CancelledError):
        await task
    assert done


NAMES = [
    ("../../etc/passwd", "passwd"),
    ("..\\\\..\\\\boot.ini", "boot.ini"),
    ("..\\\\../a", "a"),
    ("....//....//a", "a"),
    ("/etc/passwd", "passwd"),
    ("//host/share/a", "a"),
    ("\\\\\\\\host\\\\share\\\\a", "a"),
    ("C:\\\\a.txt", "a.txt"),
    ("C:a.txt", "a.txt"),
    ("c:..", ""),
    ("C:", ""),
    ("a:b:c.txt", "b:c.txt"),
    ("12:30.txt", "12:30.txt"),
    ("..%2f..%2fa", "..%2f..%2fa"),
    ("%2e%2e%2fa", "%2e%2e%2fa"),
    ("..%5ca", "..%5ca"),
    ("..\0/a", "a"),
    ("a\0.png", "a.png"),
    (".\0.", ""),
    (" .. ", ""),
    ("a/", ""),
    ("a/.", ""),
    ("..", ""),
    ("a\x7f\x85b", "ab"),
    ("a\u2028b", "ab"),
    ("gpj.\u202eexe", "gpj.exe"),
    ("~root", "~root"),
    (".htaccess", ".htaccess"),
    ("\uff0e\uff0e\uff0fa", "\uff0e\uff0e\uff0fa"),
]


@pytest.mark.parametrize(("sent", "name"), NAMES, ids=lambda name: ascii(name))
async def test_a_file_name_is_one_part_of_a_path(sent: str, name: str):
    form = await parse(START.replace(b'"f"', f'"{sent}"'.encode()) + b"v" + END)
    assert [upload.filename for upload in form.files.getlist("a")] == ([name] if name else [])


@pytest.mark.parametrize("sent", [b"..\xc0\xafa", b"\xe0\x80\xae\xe0\x80\xae/a", b"\xff", b"\xed\xa0\x80"])
async def test_a_file_name_that_is_no_utf8_is_refused(sent: bytes):
    with pytest.raises(BadRequest, match="not valid utf-8"):
        await parse(START.replace(b'"f"', b'"%s"' % sent) + b"v" + END)
