"""The in-process layer: groups of one event loop.

A message is encoded once; its text is shared by all queues and decoded by each reader. A queue is bounded in number (the
oldest message is dropped) and in time (an expired message is skipped), so no task has to clean up after anyone.

What must stay true: a subscription is in `_groups` from entering its block to leaving it and never else; nothing here
awaits between looking at a queue and changing it.
"""

from __future__ import annotations

import asyncio
from collections import deque
from contextlib import asynccontextmanager
from typing import TYPE_CHECKING, Any

from transom.channels.messages import check_group_name, decode_message, encode_message

if TYPE_CHECKING:
    from collections.abc import AsyncGenerator, Mapping

    from transom.channels.layer import Message


class MemoryLayer:
    """A `ChannelLayer` inside one event loop; other processes do not hear it.

    Args:
        capacity: messages kept for each subscription before the oldest is dropped.
        expiry: seconds after which a message that was not read is dropped.
    """

    def __init__(self, *, capacity: int = 100, expiry: float = 60.0) -> None:
        if capacity < 1:
            raise ValueError(f"capacity is {capacity!r}; expected at least 1 message")
        self._capacity = capacity
        self._expiry = expiry
        # Dicts for their order: subscribers hear a message in the order in which they came.
        self._groups: dict[str, dict[MemorySubscription, None]] = {}

    async def group_send(self, group: str, message: Mapping[str, Any]) -> None:
        """Put the message into the queue of every subscriber; see `ChannelLayer.group_send`."""
        check_group_name(group)
        text = encode_message(message)
        for subscription in self._groups.get(group, ()):
            subscription.deliver(text)

    @asynccontextmanager
    async def subscribe(self, group: str) -> AsyncGenerator[MemorySubscription]:
        """Subscribe inside `async with`; see `ChannelLayer.subscribe`."""
        check_group_name(group)
        subscription = MemorySubscription(self._capacity, self._expiry)
        self._groups.setdefault(group, {})[subscription] = None
        try:
            yield subscription
        finally:
            subscribers = self._groups[group]
            del subscribers[subscription]
            if not subscribers:
                del self._groups[group]
            subscription.close()

    def count_subscribers(self, group: str) -> int:
        """Return how many subscriptions a group has now."""
        return len(self._groups.get(group, ()))


class MemorySubscription:
    """A bounded queue with one reader; see `Subscription`."""

    def __init__(self, capacity: int, expiry: float) -> None:
        self.dropped = 0
        self._capacity = capacity
        self._expiry = expiry
        self._loop = asyncio.get_running_loop()
        self._queue: deque[tuple[float, str]] = deque()  # (moment of expiry on the loop's clock, JSON text)
        self._reader: asyncio.Future[None] | None = None
        self._closed = False

    def deliver(self, text: str) -> None:
        """Queue one encoded message, dropping the oldest if the queue is full."""
        if len(self._queue) >= self._capacity:
            self._queue.popleft()
            self.dropped += 1
        self._queue.append((self._loop.time() + self._expiry, text))
        self._wake()

    def close(self) -> None:
        """End the iteration; what is still queued is gone."""
        self._closed = True
        self._queue.clear()
        self._wake()

    def __aiter__(self) -> MemorySubscription:
        return self

    async def __anext__(self) -> Message:
        while True:
            if (text := self._take()) is not None:
                return decode_message(text)
            if self._closed:
                raise StopAsyncIteration
            await self._wait()

    def _take(self) -> str | None:
        """Remove and return the oldest message that has not expired."""
        now = self._loop.time()
        while self._queue:
            expires, text = self._queue.popleft()
            if expires > now:
                return text
            self.dropped += 1
        return None

    async def _wait(self) -> None:
        if self._reader is not None:
            raise RuntimeError(
                "another task already iterates over this subscription; subscribe once for each task"
            )
        self._reader = self._loop.create_future()
        try:
            await self._reader
        finally:
            self._reader = None

    def _wake(self) -> None:
        if self._reader is not None and not self._reader.done():
            self._reader.set_result(None)
