"""What the suite asks of an application: responses of each shape that HTTP/2 can carry."""

import json

SMALL = b"0123456789"
LARGE = 200_000  # bytes; more than three of the windows that HTTP/2 begins with
HEAD = [(b"content-type", b"text/plain")]


async def app(scope, receive, send):
    if scope["type"] == "lifespan":
        raise NotImplementedError
    if scope["type"] == "websocket":
        await talk(scope, receive, send)
        return
    await ROUTES.get(scope["path"], describe)(scope, receive, send)


async def respond(send, body, *, status=200, fields=HEAD, **more):
    await send({"type": "http.response.start", "status": status, "headers": fields, **more})
    await send({"type": "http.response.body", "body": body})


async def describe(scope, receive, send):
    """Answer with what the application was told of the request."""
    told = {
        "method": scope["method"],
        "scheme": scope["scheme"],
        "path": scope["raw_path"].decode("ascii"),
        "query": scope["query_string"].decode("ascii"),
        "version": scope["http_version"],
        "fields": [[name.decode("latin-1"), value.decode("latin-1")] for name, value in scope["headers"]],
    }
    await respond(send, json.dumps(told).encode())


async def small(scope, receive, send):
    """Answer at once, without reading the request's body."""
    await respond(send, SMALL, fields=[*HEAD, (b"content-length", b"%d" % len(SMALL))])


async def large(scope, receive, send):
    """Answer with more than the windows allow, without reading the request's body."""
    await send({"type": "http.response.start", "status": 200, "headers": HEAD})
    for _ in range(4):
        await send({"type": "http.response.body", "body": b"x" * (LARGE // 4), "more_body": True})
    await send({"type": "http.response.body"})


async def iter_body(receive):
    more = True
    while more:
        message = await receive()
        if message["type"] == "http.disconnect":
            return
        yield message["body"]
        more = message["more_body"]


async def echo(scope, receive, send):
    """Send each piece of the body back as it comes."""
    await send({"type": "http.response.start", "status": 200, "headers": HEAD})
    async for piece in iter_body(receive):
        await send({"type": "http.response.body", "body": piece, "more_body": True})
    await send({"type": "http.response.body"})


async def wait(scope, receive, send):
    """Read the whole body, then answer with it."""
    body = b"".join([piece async for piece in iter_body(receive)])
    await respond(send, body)


async def empty(scope, receive, send):
    await respond(send, b"", status=204, fields=[])


async def hints(scope, receive, send):
    """Answer with 103 first, where the server can."""
    if "http.response.early_hint" in scope.get("extensions", {}):
        await send({"type": "http.response.early_hint", "links": [b"</style.css>; rel=preload"]})
    await respond(send, SMALL)


async def trailers(scope, receive, send):
    """Answer with a trailer section, where the server can."""
    if "http.response.trailers" not in scope.get("extensions", {}):
        await respond(send, SMALL)
        return
    await respond(send, SMALL, fields=[*HEAD, (b"trailer", b"x-sum")], trailers=True)
    await send({"type": "http.response.trailers", "headers": [(b"x-sum", b"45")]})


async def connection_fields(scope, receive, send):
    """Answer with fields that are of one connection in HTTP/1.1, and that have no place in HTTP/2."""
    of_http1 = [(b"connection", b"close"), (b"keep-alive", b"timeout=5"), (b"proxy-connection", b"close")]
    await respond(send, SMALL, fields=[*HEAD, *of_http1])


async def talk(scope, receive, send):
    """Send each message of a WebSocket back; refuse at /refuse."""
    await receive()
    if scope["path"] == "/refuse":
        await send({"type": "websocket.close"})
        return
    await send({"type": "websocket.accept"})
    while (message := await receive())["type"] == "websocket.receive":
        await send({"type": "websocket.send", "text": message.get("text"), "bytes": message.get("bytes")})


ROUTES = {
    "/small": small,
    "/large": large,
    "/echo": echo,
    "/wait": wait,
    "/empty": empty,
    "/hints": hints,
    "/trailers": trailers,
    "/connection": connection_fields,
}
