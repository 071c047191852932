"""What the logs of a real server hold after hostile requests, and that a log nobody reads stops nothing."""

from __future__ import annotations

import os
import re
import signal
import socket
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

pytestmark = pytest.mark.slow

TIMEOUT = 30  # seconds; the machine may be busy
SITE = r"""
async def app(scope, receive, send):
    if scope["type"] == "lifespan":
        raise NotImplementedError
    if scope["path"].startswith("/raise"):
        raise ValueError("bad path " + scope["path"] + " of " + repr(scope["headers"]))
    if scope["type"] == "websocket":
        return
    await send({"type": "http.response.start", "status": 200, "headers": []})
    await send({"type": "http.response.body", "body": b"hello"})
"""
FORGED = b"%0d%0a2026-01-01%2000:00:00,000%20[1]%20ERROR%20forged%1b[31m%07%c2%85%e2%80%a8%7f"
UPGRADE = b"Connection: upgrade\r\nUpgrade: websocket\r\nSec-WebSocket-Version: 13\r\nSec-WebSocket-Key: AAAAAAAAAAAAAAAAAAAAAA=="
HOSTILE = [
    b"GET /raise/" + FORGED + b" HTTP/1.1\r\nHost: x\r\n\r\n",
    b"GET /raise/" + FORGED + b" HTTP/1.1\r\nHost: x\r\n" + UPGRADE + b"\r\n\r\n",
    b"GET /silent/" + FORGED + b" HTTP/1.1\r\nHost: x\r\n" + UPGRADE + b"\r\n\r\n",
    b"GET /" + FORGED + b'"%22 HTTP/1.1\r\nHost: x\r\nUser-Agent: a" 200 0 "\\\xc2\x85\xe2\x80\xa8\r\n\r\n',
    b"GET / HTTP/1.1\r\nHost: x\r\nReferer: \x1b[2J\r\n\r\n",
    b"GET / HTTP/1.1\r\nHost: x\x1b[31m\r\n\r\n",
    b"GET /\x1b[31m HTTP/1.1\r\nHost: x\r\n\r\n",
    b"\x1b[31m\r\nHost: x\r\n\r\n",
    b"G\x00T / HTTP/1.1\r\nHost: x\r\n\r\n",
    b"POST / HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: \x07\r\n\r\n",
    b"POST / HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: chunked\r\n\r\n5\x1b\r\nhello\r\n0\r\n\r\n",
    b"\x16\x03\x01\x00\xa5\x01\x00\x00\xa1\x03\x03\r\n\r\n",
]


@pytest.fixture
def server(tmp_path: Path) -> Iterator[tuple[subprocess.Popen[bytes], int]]:
    """A server with a pipe as stdout that only the test reads, and its port."""
    (tmp_path / "site_of_logs.py").write_text(SITE)
    environment = {name: value for name, value in os.environ.items() if not name.startswith("TRANSOM_")}
    with (tmp_path / "errors").open("wb") as errors:
        process = subprocess.Popen(
            [sys.executable, "-m", "transom", "serve", "site_of_logs:app", "--port", "0", "--request-id"],
            cwd=tmp_path,
            env=environment,
            stdout=subprocess.PIPE,
            stderr=errors,
        )
    yield process, wait_for_port(tmp_path / "errors", process)
    if process.poll() is None:
        process.kill()
        process.wait()
    assert process.stdout
    process.stdout.close()


def wait_for_port(path: Path, process: subprocess.Popen[bytes]) -> int:
    while not (found := re.search(rb"serving on http://127.0.0.1:(\d+)", path.read_bytes())):
        assert process.poll() is None, path.read_text()
    return int(found[1])


def exchange(port: int, request: bytes) -> bytes:
    with socket.create_connection(("127.0.0.1", port), timeout=TIMEOUT) as client:
        client.sendall(request)
        client.shutdown(socket.SHUT_WR)
        answer = b""
        while data := client.recv(65_536):
            answer += data
        return answer


def controls(data: bytes) -> set[str]:
    """Return the characters that are neither printable ASCII nor the end of a line."""
    return {char for char in data.decode("utf-8") if not (" " <= char <= "~" or char == "\n")}


def test_nothing_that_a_client_sends_forges_a_record(
    server: tuple[subprocess.Popen[bytes], int], tmp_path: Path
) -> None:
    """S29: no raw control byte, one record per request and log, and a traceback with the request's id."""
    process, port = server
    statuses = [int(exchange(port, request).split(b" ")[1]) for request in HOSTILE]
    assert statuses[:4] == [500, 500, 500, 200]
    assert set(statuses[4:]) <= {400, 501}
    process.send_signal(signal.SIGTERM)
    out, _ = process.communicate(timeout=TIMEOUT)
    errors = (tmp_path / "errors").read_bytes()
    assert controls(out) == controls(errors) == set()
    assert out.count(b"\n") == 5  # those that began; of one, the body was refused
    records = [line for line in errors.splitlines() if not line.startswith(b"  ")]
    assert all(
        re.match(rb"\d{4}-\d\d-\d\d \d\d:\d\d:\d\d,\d{3} \[\d+\] (INFO|ERROR) ", line) for line in records
    )
    about_requests = [line for line in records if not line.endswith((b" stopping", b"%d" % port))]
    assert len(about_requests) == len(HOSTILE) - 1  # one of them is a good request
    ids = re.findall(rb"application raised in .*\(request id ([0-9a-f-]{36})\)", errors)
    assert ids
    assert all(request_id in out for request_id in ids)


def test_log_that_nobody_reads_stops_nothing(
    server: tuple[subprocess.Popen[bytes], int], tmp_path: Path
) -> None:
    """A pipe holds 64 KiB, and a megabyte waits; what follows is lost, and said to be."""
    process, port = server
    request = b"GET /" + b"x" * 2000 + b" HTTP/1.1\r\nHost: x\r\n\r\n"
    for _ in range(10):
        assert exchange(port, request * 100).count(b"HTTP/1.1 200") == 100
    process.send_signal(signal.SIGTERM)
    out, _ = process.communicate(timeout=TIMEOUT)
    assert set(re.findall(rb"HTTP/1.1\" (\d+) ", out)) == {b"200"}
    assert process.returncode == 0
    assert b"lines of the access log were lost" in (tmp_path / "errors").read_bytes(), (
        len(out),
        out.count(b"\n"),
        (tmp_path / "errors").read_bytes(),
    )
