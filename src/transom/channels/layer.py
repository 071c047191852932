"""What a channel layer is: the seam between the site and whatever carries its messages."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Protocol, TypeAlias

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Mapping
    from contextlib import AbstractAsyncContextManager

Message: TypeAlias = "dict[str, Any]"
"""A JSON object. Any: JSON values nest, and the receiver knows what its groups carry."""


class Subscription(Protocol):
    """The messages of one group to one subscriber, oldest first; iterate with `async for`, in one task at a time.

    The iteration ends when the subscription is closed. Cancelling the wait for a message loses none.
    """

    @property
    def dropped(self) -> int:
        """Messages lost because the subscriber was too slow: pushed out by newer ones, or expired."""
        ...

    def __aiter__(self) -> AsyncIterator[Message]: ...

    async def __anext__(self) -> Message: ...


class ChannelLayer(Protocol):
    """Delivers messages to groups: at most once, in order for each sender, to those subscribed at the time.

    Names and messages are checked by `transom.channels.messages`: every layer accepts the same ones.
    """

    async def group_send(self, group: str, message: Mapping[str, Any]) -> None:
        """Deliver a message to every subscriber of a group; to nobody if there is none.

        Never waits for a slow subscriber. The message is copied: what happens to it afterwards is seen by nobody.

        Raises:
            ValueError: the group name is not valid.
            TypeError: the message is no JSON object.
        """
        ...

    def subscribe(self, group: str) -> AbstractAsyncContextManager[Subscription]:
        """Subscribe inside `async with`; every message sent from entering on is received.

        Leaving the block, also by an error or cancellation, ends the subscription at once.

        Raises:
            ValueError: the group name is not valid.
        """
        ...
