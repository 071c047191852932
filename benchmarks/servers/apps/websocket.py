"""A WebSocket that says what it hears."""

from lifespan import lifespan


async def app(scope, receive, send):
    """Accept, then send each message back until the client leaves."""
    if scope["type"] == "lifespan":
        await lifespan(receive, send)
        return
    if scope["type"] != "websocket":
        raise NotImplementedError(f"a {scope['type']} connection; there is nothing but a WebSocket here")
    await receive()
    await send({"type": "websocket.accept"})
    while (message := await receive())["type"] == "websocket.receive":
        if (text := message.get("text")) is not None:
            await send({"type": "websocket.send", "text": text})
        else:
            await send({"type": "websocket.send", "bytes": message["bytes"]})
