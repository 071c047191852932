"""A file of 50 KB: handed to the server where it sends files itself, read and sent in pieces where it does not."""

import os
from pathlib import Path

from lifespan import lifespan

FILE = os.environ["BENCH_FILE"]
SIZE = Path(FILE).stat().st_size
PIECE = 65_536
HEADERS = [(b"content-type", b"application/octet-stream"), (b"content-length", b"%d" % SIZE)]


async def app(scope, receive, send):
    """Answer any request with the file."""
    if scope["type"] == "lifespan":
        await lifespan(receive, send)
        return
    await send({"type": "http.response.start", "status": 200, "headers": HEADERS})
    if "http.response.pathsend" in (scope.get("extensions") or {}):
        await send({"type": "http.response.pathsend", "path": FILE})
        return
    # Read in the loop's own thread, which costs a server least: the file is in the page cache.
    with open(FILE, "rb") as file:
        left = SIZE
        while left:
            data = file.read(PIECE)
            left -= len(data)
            await send({"type": "http.response.body", "body": data, "more_body": left > 0})
