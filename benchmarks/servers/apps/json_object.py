"""A JSON object that is made and serialised for each request."""

import msgspec
from lifespan import lifespan

encode = msgspec.json.Encoder().encode


async def app(scope, receive, send):
    """Answer any request with a JSON object of one member."""
    if scope["type"] == "lifespan":
        await lifespan(receive, send)
        return
    body = encode({"message": "Hello, World!"})
    headers = [(b"content-type", b"application/json"), (b"content-length", b"%d" % len(body))]
    await send({"type": "http.response.start", "status": 200, "headers": headers})
    await send({"type": "http.response.body", "body": body})
