"""A pool of connections: `PoolState` decides, `Pool` waits.

What must stay true:

- `size` counts the connections that are idle, lent, or being opened; it never exceeds `max_size`.
- Waiters are served first come, first served: while one waits, nothing is idle and no room is left.
- Giving back is a plain function that cannot be cancelled or fail. A closed connection is thrown away on either side.
- Nothing is sent over a connection when it is lent or given back.
"""

from __future__ import annotations

import asyncio
from collections import deque
from typing import TYPE_CHECKING, Final, Generic, Protocol, TypeVar

from .exceptions import PoolTimeout

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable

CLOSE_TIMEOUT = 5.0  # seconds for lent connections to come back when the pool is closed


class PooledConnection(Protocol):
    """What the pool asks of a connection; the names are asyncpg's."""

    def is_closed(self) -> bool:
        """Whether the connection is known to be broken or closed."""
        ...

    async def close(self) -> None:
        """Say goodbye and close."""
        ...

    def terminate(self) -> None:
        """Close at once, without a word."""
        ...


C = TypeVar("C", bound=PooledConnection)


class Vacancy:
    """The right to open one more connection."""


VACANCY: Final = Vacancy()


class PoolWaiter(Protocol[C]):  # type: ignore[misc]  # invariant on purpose: C goes in only here
    """Somebody in the queue."""

    def deliver(self, grant: C | Vacancy) -> bool:
        """Take what is granted; return False if nobody waits any more."""
        ...


class PoolState(Generic[C]):
    """Who gets which connection. Knows no event loop and waits for nothing."""

    def __init__(self, max_size: int) -> None:
        self.max_size = max_size
        self.size = 0
        self.idle: deque[C] = deque()
        self.waiters: deque[PoolWaiter[C]] = deque()

    def take(self) -> C | Vacancy | None:
        """Return an idle connection, the right to open one, or None: then `enqueue` a waiter."""
        if self.idle:
            return self.idle.pop()  # the one used last: its caches are warm and the others may age
        if self.size < self.max_size:
            self.size += 1
            return VACANCY
        return None

    def enqueue(self, waiter: PoolWaiter[C]) -> None:
        """Queue up behind everybody who already waits."""
        self.waiters.append(waiter)

    def give_back(self, connection: C) -> None:
        """Hand a working connection to the first in the queue, else keep it idle."""
        if not self._deliver(connection):
            self.idle.append(connection)

    def give_up(self) -> None:
        """A connection is gone, or could not be opened: its place goes to the first in the queue."""
        if not self._deliver(VACANCY):
            self.size -= 1

    def _deliver(self, grant: C | Vacancy) -> bool:
        while self.waiters:
            if self.waiters.popleft().deliver(grant):
                return True
        return False


class FutureWaiter(Generic[C]):
    """A waiter that is a future of the running loop."""

    __slots__ = ("future",)

    def __init__(self) -> None:
        self.future: asyncio.Future[C | Vacancy] = asyncio.get_running_loop().create_future()

    def deliver(self, grant: C | Vacancy) -> bool:
        """Wake the task; a cancelled one is gone."""
        if self.future.done():
            return False
        self.future.set_result(grant)
        return True


class Pool(Generic[C]):
    """Lends connections, opening them as they are needed.

    Args:
        connect: opens one connection.
        name: what messages call the pool.
        max_size: connections open at most.
        min_size: connections kept when nobody needs them.
        timeout: seconds to wait for a free connection.
        exhausted: what the message of PoolTimeout says of the cause; it names the knob.
        idle_lifetime: seconds after which connections that nobody needed are closed; None keeps them.
    """

    def __init__(
        self,
        connect: Callable[[], Awaitable[C]],
        *,
        name: str,
        max_size: int,
        min_size: int = 0,
        timeout: float,
        exhausted: str,
        idle_lifetime: float | None = None,
    ) -> None:
        self._connect = connect
        self._name = name
        self._exhausted = exhausted
        self._min_size = min_size
        self._timeout = timeout
        self._idle_lifetime = idle_lifetime
        self._state: PoolState[C] = PoolState(max_size)
        self._lent: set[C] = set()
        self._retiring: set[C] = set()
        self._retired: asyncio.Future[None] | None = None
        self._fewest_idle = 0
        self._trimmer: asyncio.TimerHandle | None = None

    @property
    def size(self) -> int:
        """Connections that are open or being opened."""
        return self._state.size

    @property
    def in_use(self) -> int:
        """Connections that are lent."""
        return len(self._lent)

    def take_nowait(self) -> C | None:
        """Return an idle connection, or None where `take` is needed."""
        idle = self._state.idle
        while idle:
            connection = idle.pop()
            if not connection.is_closed():
                self._fewest_idle = min(self._fewest_idle, len(idle))
                self._lent.add(connection)
                return connection
            self._throw_away(connection)
        return None

    async def take(self) -> C:
        """Return a connection: an idle one, a new one, or the first that comes back.

        Raises:
            PoolTimeout: none came free in time.
            ConnectionFailed: a new one could not be opened.

        Cancellation: leaves nothing lent.
        """
        if (connection := self.take_nowait()) is not None:
            return connection
        grant = self._state.take()
        if grant is None:
            grant = await self._wait()
        if isinstance(grant, Vacancy):
            return await self._open()
        self._lent.add(grant)
        return grant

    def give_back(self, connection: C) -> None:
        """Take back a connection that is ready for anybody's next statement, or closed."""
        self._lent.discard(connection)
        if connection.is_closed() or connection in self._retiring:
            self._throw_away(connection)
            return
        self._state.give_back(connection)
        if self._trimmer is None and self._idle_lifetime is not None and self._surplus():
            self._watch_idle(self._idle_lifetime)

    def discard(self, connection: C) -> None:
        """Take back a connection whose state is not known, and close it."""
        self._lent.discard(connection)
        self._throw_away(connection)

    async def aclose(self) -> None:
        """Close every connection, giving lent ones a few seconds to come back; the pool stays usable."""
        if self._trimmer is not None:
            self._trimmer.cancel()
            self._trimmer = None
        idle = list(self._state.idle)
        self._state.idle.clear()
        await self._close_lent()
        for connection in idle:
            self._state.give_up()
            await close(connection)

    async def _wait(self) -> C | Vacancy:
        waiter: FutureWaiter[C] = FutureWaiter()
        self._state.enqueue(waiter)
        try:
            async with asyncio.timeout(self._timeout):
                return await waiter.future
        except TimeoutError as exc:
            self._pass_on(waiter)
            raise PoolTimeout(
                f"no connection to {self._name} came free in {self._timeout:g} s: {self._exhausted}"
            ) from exc
        except BaseException:
            self._pass_on(waiter)
            raise

    def _pass_on(self, waiter: FutureWaiter[C]) -> None:
        # Cancelled, or out of time, in the very moment something was delivered: the next in the queue gets it.
        if waiter.future.cancel() or waiter.future.cancelled():
            if waiter in self._state.waiters:
                self._state.waiters.remove(waiter)
            return
        grant = waiter.future.result()
        if isinstance(grant, Vacancy):
            self._state.give_up()
        else:
            self.give_back(grant)

    async def _open(self) -> C:
        try:
            connection = await self._connect()
        except BaseException:
            self._state.give_up()
            raise
        self._lent.add(connection)
        return connection

    def _throw_away(self, connection: C) -> None:
        connection.terminate()
        self._state.give_up()
        self._retiring.discard(connection)
        if not self._retiring and self._retired is not None and not self._retired.done():
            self._retired.set_result(None)

    async def _close_lent(self) -> None:
        self._retiring = set(self._lent)
        if not self._retiring:
            return
        self._retired = asyncio.get_running_loop().create_future()
        await asyncio.wait((self._retired,), timeout=CLOSE_TIMEOUT)
        self._retired = None
        for connection in self._retiring:
            connection.terminate()  # its borrower gives it back when it sees the error

    def _surplus(self) -> int:
        return self._state.size - self._min_size

    def _watch_idle(self, lifetime: float) -> None:
        self._fewest_idle = len(self._state.idle)
        self._trimmer = asyncio.get_running_loop().call_later(lifetime, self._trim, lifetime)

    def _trim(self, lifetime: float) -> None:
        # As many as were idle the whole time are not needed; the oldest are at the left.
        for _ in range(min(self._fewest_idle, self._surplus(), len(self._state.idle))):
            self._throw_away(self._state.idle.popleft())
        self._trimmer = None
        if self._surplus() > 0:
            self._watch_idle(lifetime)


async def close(connection: PooledConnection) -> None:
    """Close politely, at once if that fails or takes too long."""
    try:
        async with asyncio.timeout(CLOSE_TIMEOUT):
            await connection.close()
    except Exception:  # broken already: all that is left is to let go of it
        connection.terminate()
    except BaseException:
        connection.terminate()
        raise
