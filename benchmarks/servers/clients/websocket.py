"""Load for a WebSocket echo: N connections, one message on its way on each, as fast as it comes back.

A bare loop over epoll with frames that were made beforehand: it must not be what limits a server, so it knows as little of the
protocol as it can. What comes back is checked whole, byte for byte.

    python websocket.py PORT CONNECTIONS SIZE SECONDS     prints {"messages": ..., "seconds": ...}
"""

from __future__ import annotations

import json
import os
import select
import socket
import struct
import sys
import time

HANDSHAKE = (
    b"GET / HTTP/1.1\r\nHost: 127.0.0.1:%d\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n"
    b"Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\nSec-WebSocket-Version: 13\r\n\r\n"
)
ACCEPT = b"s3pplmbitxaq9kygzzhzrbk+xoo="  # for that key (RFC 6455 section 1.3), lowered
FIN_TEXT, MASKED = 0x81, 0x80
MAX_SECONDS = 15  # servers ping after 20 seconds, and a ping is not an echo


def frame(payload: bytes, mask: bytes = b"") -> bytes:
    """Return a final text frame, masked if it is a client's. Source: RFC 6455 section 5.2."""
    size, masked = len(payload), MASKED if mask else 0
    if size < 126:
        head = bytes((FIN_TEXT, masked | size))
    elif size < 65_536:
        head = struct.pack("!BBH", FIN_TEXT, masked | 126, size)
    else:
        head = struct.pack("!BBQ", FIN_TEXT, masked | 127, size)
    if mask:
        payload = bytes(byte ^ mask[at % 4] for at, byte in enumerate(payload))
    return head + mask + payload


def connect(port: int) -> socket.socket:
    """Return a connection that has agreed to be a WebSocket, without compression."""
    connection = socket.create_connection(("127.0.0.1", port), timeout=10)
    connection.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
    connection.sendall(HANDSHAKE % port)
    answer = b""
    while b"\r\n\r\n" not in answer:
        data = connection.recv(4096)
        if not data:
            raise SystemExit(f"the handshake was cut off: {answer!r}")
        answer += data
    if not answer.startswith(b"HTTP/1.1 101 ") or ACCEPT not in answer.lower():
        raise SystemExit(f"the handshake was refused: {answer!r}")
    if not answer.endswith(b"\r\n\r\n"):
        raise SystemExit(f"the server speaks first: {answer!r}")
    connection.settimeout(10)
    return connection


def echo(connections: list[socket.socket], sent: bytes, expected: bytes, seconds: float) -> tuple[int, float]:
    """Send and count what comes back; return messages and seconds."""
    poll = select.epoll()
    by_number = {connection.fileno(): connection for connection in connections}
    waiting = dict.fromkeys(by_number, b"")  # what has come of each answer
    for number, connection in by_number.items():
        poll.register(number, select.EPOLLIN)
        connection.sendall(sent)
    messages, size = 0, max(65_536, len(expected))
    started = now = time.perf_counter()
    end = started + seconds
    while now < end:
        for number, _ in poll.poll(1.0):
            connection = by_number[number]
            data = connection.recv(size)
            if waiting[number]:
                data = waiting[number] + data
            if data == expected:
                waiting[number] = b""
                messages += 1
                connection.sendall(sent)
            elif data and expected.startswith(data):
                waiting[number] = data
            else:
                raise SystemExit(f"an echo is not what was sent, but {data[:200]!r}")
        now = time.perf_counter()
    return messages, now - started


def main() -> None:
    """Read the command line, put the load, print the count."""
    port, count, size, seconds = (int(argument) for argument in sys.argv[1:])
    if seconds > MAX_SECONDS:
        raise SystemExit(f"{seconds} seconds are too long: servers begin to ping; at most {MAX_SECONDS}")
    payload = (b"the quick brown fox jumps over the lazy dog. " * (size // 45 + 1))[:size]
    connections = [connect(port) for _ in range(count)]
    messages, took = echo(connections, frame(payload, os.urandom(4)), frame(payload), seconds)
    print(json.dumps({"messages": messages, "seconds": took}))


if __name__ == "__main__":
    main()
