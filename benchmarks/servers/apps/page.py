"""A page of 10 KB that is at hand whole, as from a template or a cache."""

from lifespan import lifespan

PAGE = b"x" * 10_240


async def app(scope, receive, send):
    """Answer any request with the page."""
    if scope["type"] == "lifespan":
        await lifespan(receive, send)
        return
    headers = [(b"content-type", b"text/html; charset=utf-8"), (b"content-length", b"%d" % len(PAGE))]
    await send({"type": "http.response.start", "status": 200, "headers": headers})
    await send({"type": "http.response.body", "body": PAGE})
