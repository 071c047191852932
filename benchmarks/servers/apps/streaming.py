"""Bodies that come and go in pieces: 1 MB down, a body of any size up, and each piece back as it comes."""

from lifespan import lifespan

PIECE = b"x" * 65_536
PIECES = 16
BINARY = (b"content-type", b"application/octet-stream")


async def download(scope, receive, send):
    """Send 1 MB in pieces of 64 KiB, each when the last has left."""
    if scope["type"] == "lifespan":
        await lifespan(receive, send)
        return
    headers = [BINARY, (b"content-length", b"%d" % (len(PIECE) * PIECES))]
    await send({"type": "http.response.start", "status": 200, "headers": headers})
    for left in reversed(range(PIECES)):
        await send({"type": "http.response.body", "body": PIECE, "more_body": left > 0})


async def upload(scope, receive, send):
    """Read the body to its end and answer with its size, as decimal digits."""
    if scope["type"] == "lifespan":
        await lifespan(receive, send)
        return
    size, more = 0, True
    while more:
        message = await receive()
        size += len(message.get("body", b""))
        more = message.get("more_body", False)
    body = b"%d" % size
    headers = [(b"content-type", b"text/plain"), (b"content-length", b"%d" % len(body))]
    await send({"type": "http.response.start", "status": 200, "headers": headers})
    await send({"type": "http.response.body", "body": body})


async def echo(scope, receive, send):
    """Send each piece of the body back as it comes, without knowing how many there will be."""
    if scope["type"] == "lifespan":
        await lifespan(receive, send)
        return
    await send({"type": "http.response.start", "status": 200, "headers": [BINARY]})
    more = True
    while more:
        message = await receive()
        more = message.get("more_body", False)
        await send({"type": "http.response.body", "body": message.get("body", b""), "more_body": more})
