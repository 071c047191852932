"""What is raised in the place of a client that left."""

from __future__ import annotations


class ClientDisconnected(ConnectionResetError):
    """The client left: the request body will never be whole, or nobody reads the response.

    An application need not catch it: one that escapes is nobody's mistake.
    """


def is_about_disconnect(error: BaseException) -> bool:
    """Tell whether an error is ClientDisconnected, or was raised in its place."""
    origin: BaseException | None = error
    while origin is not None and not isinstance(origin, ClientDisconnected):
        origin = origin.__cause__ or origin.__context__
    return origin is not None
