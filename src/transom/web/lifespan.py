"""The ASGI lifespan of an application: start, wait, stop."""

from __future__ import annotations

import logging
import traceback
from contextlib import AsyncExitStack
from typing import TYPE_CHECKING

from transom.conf import ImproperlyConfigured

if TYPE_CHECKING:
    from contextlib import AbstractAsyncContextManager

    from transom.asgi.types import Receive, Send

logger = logging.getLogger("transom.lifespan")


async def serve_lifespan(context: AbstractAsyncContextManager[None], receive: Receive, send: Send) -> None:
    """Enter `context` at start-up and leave it at shutdown.

    A failure is told to the server, with the traceback, or with the message alone where it says what to change.

    Source: ASGI lifespan specification.
    """
    await receive()
    async with AsyncExitStack() as stack:
        try:
            await stack.enter_async_context(context)
        except Exception as exc:
            await send({"type": "lifespan.startup.failed", "message": _describe(exc)})
            return
        await send({"type": "lifespan.startup.complete"})
        await receive()
        try:
            await stack.aclose()
        except Exception as exc:
            await send({"type": "lifespan.shutdown.failed", "message": _describe(exc)})
            return
    await send({"type": "lifespan.shutdown.complete"})


def _describe(exc: Exception) -> str:
    return str(exc) if isinstance(exc, ImproperlyConfigured) else "".join(traceback.format_exception(exc))
