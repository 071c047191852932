"""`groups` and `group_send`: the channel layer of the running event loop.

Each event loop has a layer of its own, made when it is first used: tests with a loop each do not hear one another, and a
layer may bind sockets and futures to its loop.
"""

from __future__ import annotations

import asyncio
import weakref
from typing import TYPE_CHECKING, Any

from transom.channels.layers.memory import MemoryLayer

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping
    from contextlib import AbstractAsyncContextManager

    from transom.channels.layer import ChannelLayer, Subscription


class Groups:
    """Named groups on the layer of whichever event loop is running.

    Args:
        factory: makes the layer of a loop; called inside that loop.
    """

    def __init__(self, factory: Callable[[], ChannelLayer] = MemoryLayer) -> None:
        self._factory = factory
        # Weak: a loop takes its layer along when it goes.
        self._layers: weakref.WeakKeyDictionary[asyncio.AbstractEventLoop, ChannelLayer] = (
            weakref.WeakKeyDictionary()
        )

    def configure(self, factory: Callable[[], ChannelLayer]) -> None:
        """Use another layer from now on; subscriptions that are open stay with the layer they have."""
        self._factory = factory
        self._layers.clear()

    @property
    def layer(self) -> ChannelLayer:
        """The layer of the running event loop.

        Raises:
            RuntimeError: no event loop is running.
        """
        loop = asyncio.get_running_loop()
        layer = self._layers.get(loop)
        if layer is None:
            layer = self._layers[loop] = self._factory()
        return layer

    async def send(self, group: str, message: Mapping[str, Any]) -> None:
        """Deliver a message to everyone subscribed to the group; see `ChannelLayer.group_send`."""
        await self.layer.group_send(group, message)

    def subscribe(self, group: str) -> AbstractAsyncContextManager[Subscription]:
        """Subscribe inside `async with`; see `ChannelLayer.subscribe`."""
        return self.layer.subscribe(group)


groups = Groups()
"""The groups of this process."""


async def group_send(group: str, message: Mapping[str, Any]) -> None:
    """Deliver a JSON-able dict to everyone subscribed to the group; see `ChannelLayer.group_send`.

    Inside a transaction, send from `on_commit`: a subscriber must not hear of what may be rolled back.
    """
    await groups.send(group, message)
