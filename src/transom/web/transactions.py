"""Requests with unsafe methods, each in one transaction that is committed before a byte of its response leaves.

The transaction is around the view: what it raises rolls everything back, and so does a client that has left before the
commit. A commit that fails is an error of the view, answered with 500. It begins with the first statement, so a view that
reads a slow upload first holds no connection meanwhile.
"""

from __future__ import annotations

from contextlib import AsyncExitStack
from typing import TYPE_CHECKING, Any, TypeVar

from transom.web.errors import ClientDisconnect

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable, Sequence

    from transom.web.request import Request
    from transom.web.response import Response

V = TypeVar("V", bound="Callable[..., Any]")  # Any: a view of any parameters, or a class-based one


def non_atomic_requests(view: V) -> V:
    """Let a view commit each statement by itself, or open transactions of its own.

    For views that wait long for others between two statements, or ask the database in several tasks at a time. A class-based
    view has it among its `decorators`.
    """
    view.__dict__["non_atomic_requests"] = True
    return view


def is_atomic(view: object) -> bool:
    """Whether a view runs in a transaction where its request is unsafe."""
    return not getattr(view, "non_atomic_requests", False)


async def call_atomically(
    request: Request, aliases: Sequence[str], call: Callable[[], Awaitable[Response]]
) -> Response:
    """Return the response of a view, once what it did in these databases is committed; with several, one after the other.

    Raises:
        ClientDisconnect: the client has left, and there was something to commit; it is rolled back.
        DatabaseError: a commit failed.
    """
    # Sites without databases import none of it.
    from transom.db import atomic
    from transom.db.open_transaction import find_open

    async with AsyncExitStack() as stack:
        for alias in aliases:
            await stack.enter_async_context(atomic(alias, lazy=True))
        response = await call()
        opened = [transaction for alias in aliases if (transaction := find_open(alias)) is not None]
        if any(transaction.has_begun for transaction in opened) and await request.is_disconnected():
            raise ClientDisconnect("the client left before the commit; rolled back")
    return response
