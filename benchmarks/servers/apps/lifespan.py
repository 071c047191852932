"""What every application here does at start-up and shutdown: nothing, but politely."""


async def lifespan(receive, send):
    """Confirm start-up and shutdown."""
    await receive()
    await send({"type": "lifespan.startup.complete"})
    await receive()
    await send({"type": "lifespan.shutdown.complete"})
