"""Blocking work in threads: declared, bounded and never hidden.

`@threaded` makes an async function of a plain one. Its calls run in a pool of the current site; a pool has threads and a
queue of its own, so that slow reports, say, cannot take the threads that pages need.
"""

from __future__ import annotations

import asyncio
import inspect
import logging
from collections import deque
from concurrent.futures import Future as ThreadFuture
from concurrent.futures import ThreadPoolExecutor
from contextvars import copy_context
from dataclasses import dataclass
from functools import partial, wraps
from typing import TYPE_CHECKING, Any, ParamSpec, TypeVar, overload
from weakref import WeakKeyDictionary, WeakSet

from transom.web.errors import HTTPException
from transom.web.urls import current

if TYPE_CHECKING:
    from collections.abc import Callable, Coroutine

__all__ = ["PoolSaturated", "ThreadPools", "threaded"]

P = ParamSpec("P")
T = TypeVar("T")

STOP_TIMEOUT = 5.0  # seconds for threads to end work that nobody waits for any more
RETRY_AFTER = "1"  # seconds

logger = logging.getLogger("transom.threads")


class PoolSaturated(HTTPException):
    """503: all threads of a pool are busy, and its queue is full or did not move in time."""

    def __init__(self, detail: str) -> None:
        super().__init__(503, detail, {"retry-after": RETRY_AFTER})


@dataclass(frozen=True, slots=True)
class PoolOptions:
    """What a pool was declared with; see `threaded`."""

    size: int = 8
    queue: int = 64
    timeout: float = 10.0


class ThreadPools:
    """The pools of one site: each is made when it is first needed, one for each event loop."""

    def __init__(self) -> None:
        self._pools: WeakKeyDictionary[asyncio.AbstractEventLoop, dict[str, ThreadPool]] = WeakKeyDictionary()

    async def run(self, pool: str, call: Callable[[], T]) -> T:
        """Run a call in a pool of the running loop; see `ThreadPool.run`."""
        pools = self._pools.setdefault(asyncio.get_running_loop(), {})
        if pool not in pools:
            pools[pool] = ThreadPool(pool, _find_options(pool))
        return await pools[pool].run(call)

    async def aclose(self) -> None:
        """End the threads of the running loop; a call that comes later starts new ones."""
        pools = self._pools.pop(asyncio.get_running_loop(), {})
        await asyncio.gather(*(pool.aclose() for pool in pools.values()))


class ThreadPool:
    """Threads that work on so many calls at once, and a bounded queue of calls before them.

    All of it but the threads themselves belongs to one event loop.
    """

    def __init__(self, name: str, options: PoolOptions) -> None:
        self._name = name
        self._options = options
        self._executor = ThreadPoolExecutor(options.size, f"transom-{name}")
        self._loop = asyncio.get_running_loop()
        self._busy = 0
        self._waiting: deque[asyncio.Future[None]] = deque()
        self._given_up: WeakSet[ThreadFuture[Any]] = WeakSet()  # Any: nobody takes the result
        self._idle: asyncio.Future[None] | None = None

    async def run(self, call: Callable[[], T]) -> T:
        """Run a call in a thread, with the context variables that are set here, and return its result.

        Cancellation: the call is given up. A thread cannot be stopped: it works to its end, keeps its place in the pool so
        long, and what it raises is logged.

        Raises:
            PoolSaturated: it was not begun.
        """
        await self._take_place()
        try:
            work = self._executor.submit(copy_context().run, call)
        except BaseException:
            self._release()
            raise
        work.add_done_callback(self._tell_done)
        try:
            return await asyncio.wrap_future(work)
        except asyncio.CancelledError:
            self._given_up.add(work)
            raise

    async def aclose(self) -> None:
        """End the threads. Waits at most five seconds for calls that were given up; the process ends after they do."""
        self._executor.shutdown(wait=False, cancel_futures=True)
        if not self._busy:
            return
        self._idle = self._loop.create_future()
        await asyncio.wait([self._idle], timeout=STOP_TIMEOUT)
        if self._busy:
            logger.warning(
                "%d threads of pool %r still work on calls that were given up; the process waits for them",
                self._busy,
                self._name,
            )

    async def _take_place(self) -> None:
        if self._busy < self._options.size:
            self._busy += 1
            return
        if len(self._waiting) >= self._options.queue:
            raise PoolSaturated(f"pool {self._name!r} is busy and {len(self._waiting)} calls wait for it")
        place = self._loop.create_future()
        self._waiting.append(place)
        try:
            async with asyncio.timeout(self._options.timeout):
                await place
        except TimeoutError:
            self._leave_queue(place)
            raise PoolSaturated(
                f"no thread of pool {self._name!r} was free within {self._options.timeout:g} s"
            ) from None
        except BaseException:
            self._leave_queue(place)
            raise

    def _leave_queue(self, place: asyncio.Future[None]) -> None:
        if place.cancelled():
            self._waiting.remove(place)
        else:  # given to us just as we left
            self._release()

    def _tell_done(self, work: ThreadFuture[Any]) -> None:  # Any: its result is for whoever waits
        """Called in the thread."""
        try:
            self._loop.call_soon_threadsafe(self._finish, work)
        except RuntimeError:  # the loop is closed: nobody waits
            return

    def _finish(self, work: ThreadFuture[Any]) -> None:
        if work in self._given_up and not work.cancelled() and (exc := work.exception()) is not None:
            logger.error("a call in pool %r failed after it was given up", self._name, exc_info=exc)
        self._release()

    def _release(self) -> None:
        """Give a place to the call that waits longest, or back."""
        if self._waiting:
            self._waiting.popleft().set_result(None)
            return
        self._busy -= 1
        if not self._busy and self._idle is not None and not self._idle.done():
            self._idle.set_result(None)


@overload
def threaded(function: Callable[P, T], /) -> Callable[P, Coroutine[Any, Any, T]]: ...
@overload
def threaded(
    *, pool: str = ..., size: int | None = None, queue: int | None = None, timeout: float | None = None
) -> Callable[[Callable[P, T]], Callable[P, Coroutine[Any, Any, T]]]: ...
def threaded(
    function: Callable[..., Any] | None = None,  # Any: the overloads say what goes in and out
    /,
    *,
    pool: str = "default",
    size: int | None = None,
    queue: int | None = None,
    timeout: float | None = None,
) -> Any:
    """Let a plain function that blocks be awaited: it runs in a pool of threads. For views, their methods, and any function.

        @threaded(pool="reports", size=2)
        def report(request: Request, year: int) -> Response: ...

    Context variables are seen in the thread; `reverse` works there. Nothing that is awaited does: the database, the body of the
    request and the session are read before, in an async view that then awaits the threaded function.

    A pool has the same options wherever it is named, and they are said once; they are per process and site. Its threads are
    called `transom-<pool>_<number>`, start when they are needed and end with the lifespan.

    Args:
        function: the function, where there are no options.
        pool: name of the pool.
        size: how many calls run at once; 8 by default.
        queue: how many more may wait for a thread; 64 by default.
        timeout: seconds that one may wait for a thread; 10 by default. How long it runs is not limited.

    Raises:
        PoolSaturated: by the call, which was not begun: 503 with `retry-after`, if it leaves the view.
        LookupError: by the call: there is no application in this context.
        TypeError: the function is async, or a generator.
        ValueError: an option is out of range, or not what the pool was declared with.

    Cancellation: see `ThreadPool.run`; a view whose client left works to its end.
    """
    _declare(pool, {"size": size, "queue": queue, "timeout": timeout})

    def decorate(function: Callable[P, T]) -> Callable[P, Coroutine[Any, Any, T]]:
        _check_function(function)

        @wraps(function)
        async def call(*args: P.args, **kwargs: P.kwargs) -> T:
            try:
                site = current.get().site
            except LookupError:
                raise LookupError(
                    f"cannot run {function.__qualname__}: there is no application yet; make an App first"
                ) from None
            return await site.threads.run(pool, partial(function, *args, **kwargs))

        return call

    return decorate if function is None else decorate(function)


# What pools were declared with, by name; only what was said.
_declared: dict[str, dict[str, float]] = {}


def _declare(pool: str, options: dict[str, float | None]) -> None:
    declared = _declared.setdefault(pool, {})
    for name, value in options.items():
        if value is None:
            continue
        least = 1 if name == "size" else 0
        if value < least or (name != "timeout" and not isinstance(value, int)):
            raise ValueError(f"{name} {value!r} of pool {pool!r} is out of range")
        if declared.setdefault(name, value) != value:
            raise ValueError(f"{name} of pool {pool!r} is {declared[name]!r} elsewhere; say it once")


def _find_options(pool: str) -> PoolOptions:
    declared: dict[str, Any] = dict(_declared.get(pool, {}))  # Any: checked as they were declared
    return PoolOptions(**declared)


def _check_function(function: Callable[..., object]) -> None:
    if inspect.iscoroutinefunction(function) or inspect.isasyncgenfunction(function):
        raise TypeError(f"{function.__qualname__} is async, so it needs no thread; leave @threaded out")
    if inspect.isgeneratorfunction(function):
        raise TypeError(f"{function.__qualname__} is a generator, which would run here; return a list")
