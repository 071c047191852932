"""Between the event loop and the thread that runs a WSGI application for one request.

    thread:  post(order, ...)  ->  _orders  ->  run() in the loop:  await send(message)
             ask(order)        ->                                    await receive()
                               <-  _answers <-

The thread puts orders into a deque and wakes the loop, unless it has been woken and has not looked yet: a whole short response
is one wake-up. It waits for an answer only where it asked for one: for a piece of the request body, and, each time HIGH_WATER
bytes have been posted, for them to have left. So nothing grows on either side beyond that, and a slow client slows down the
thread. Orders are carried out one after the other; the last one is that the thread has ended.

What must stay true: each field is written by one side only, but for `_woken`. That one is set by the thread before it wakes the
loop, and cleared by the loop before it looks at the orders; so an order is never left lying.
"""

from __future__ import annotations

import asyncio
import contextlib
import sys
from collections import deque
from dataclasses import dataclass
from enum import Enum, auto
from queue import SimpleQueue
from typing import TYPE_CHECKING, Any, Final, TypeAlias, cast

from transom.asgi.wsgi.disconnect import ClientDisconnected, is_about_disconnect

if TYPE_CHECKING:
    from transom.asgi.types import HTTPScope, Receive, Send

HIGH_WATER: Final = 65_536
"""Bytes of response that wait for the client before the thread waits too."""
_OVERHEAD: Final = 64  # bytes that a piece costs besides its own: many small ones must not pile up

Message: TypeAlias = dict[str, Any]  # Any: ASGI messages are open dicts


class Order(Enum):
    """What the thread may ask of the loop, besides sending a message or a piece of the body."""

    RECEIVE = auto()  # answered with a message
    FLUSH = auto()  # answered with None once all that was posted has left
    END_BODY = auto()  # the piece before it was the last one


_EAGER: Final = sys.version_info >= (3, 12)


@dataclass(frozen=True, slots=True)
class _Ended:
    """The thread has ended; `error` is what the application raised."""

    error: BaseException | None


class Exchange:
    """One request and its response. The first half is for the thread, the second for the loop."""

    def __init__(self, scope: HTTPScope, receive: Receive, send: Send, *, has_body: bool) -> None:
        self._scope = scope
        self._receive = receive
        self._send = send
        self._loop = asyncio.get_running_loop()
        self._orders: deque[Message | bytes | Order | _Ended] = deque()
        self._answers: SimpleQueue[Any] = SimpleQueue()  # Any: a message, None, or an exception
        self._woken = False
        self._waiter: asyncio.Future[None] | None = None
        self._first: Message | None = None  # of the request body, if it was there before the thread
        self._receiving: asyncio.Task[Message] | None = None  # a `receive` that nobody has asked for yet
        self._watcher: asyncio.Task[None] | None = None
        self._body_ended = not has_body
        self._begun = False
        self._finished = False  # nobody carries out orders any more
        self._lost: BaseException | None = None  # why nothing can be sent any more
        self._unsent = 0  # bytes posted since the last FLUSH

    # In the thread.

    def begin(self) -> bool:
        """Tell that the thread has begun, and return whether anybody still waits for it."""
        self._begun = True
        return self._lost is None

    def post(self, *orders: Message | bytes | Order) -> None:
        """Have messages and pieces of the body sent, in order; wait while too much waits for the client.

        Raises:
            ClientDisconnected: nobody will read them.
        """
        if self._lost is not None:
            raise ClientDisconnected("the client is gone") from self._lost
        self._orders.extend(orders)
        self._wake()
        for order in orders:
            if isinstance(order, bytes):
                self._unsent += len(order) + _OVERHEAD
        if self._unsent >= HIGH_WATER:
            self.flush()

    def flush(self) -> None:
        """Wait until all that was posted has left.

        Raises:
            ClientDisconnected: it will not.
        """
        self._unsent = 0
        self._ask(Order.FLUSH)

    def pull_body(self) -> bytes:
        """Wait for the next piece of the request body and return it; empty at its end.

        Raises:
            ClientDisconnected: the client left before it had sent all of it.
        """
        while not self._body_ended:
            message, self._first = self._first or self._ask(Order.RECEIVE), None
            if message["type"] != "http.request":
                raise ClientDisconnected("the client left before the request body was complete")
            self._body_ended = not message.get("more_body", False)
            body: bytes = message.get("body", b"")
            if body:
                return body
        return b""

    def end(self, error: BaseException | None) -> None:
        """Tell that the thread has ended, and with which error. The last call."""
        self._orders.append(_Ended(error))
        with contextlib.suppress(ClientDisconnected):
            self._wake()

    def _ask(self, order: Order) -> Any:  # Any: what the order is answered with
        self._orders.append(order)
        self._wake()
        answer = self._answers.get()
        if isinstance(answer, BaseException):
            raise ClientDisconnected("the client is gone") from answer
        return answer

    def _wake(self) -> None:
        if self._woken:
            return
        self._woken = True
        try:
            self._loop.call_soon_threadsafe(self._look)
        except RuntimeError as exc:  # the loop is closed: the server has stopped without waiting for us
            raise ClientDisconnected("the server has stopped") from exc

    # In the loop.

    async def receive_early(self) -> None:
        """Take what is here of the request body already, before the thread begins: it need not come back for it then."""
        if _EAGER:
            # pyright checks against 3.11, which has no eager_start.
            task = asyncio.Task(self._receive_message(), loop=self._loop, eager_start=True)  # type: ignore[call-arg]
        else:
            task = self._loop.create_task(self._receive_message())
            try:
                await asyncio.sleep(0)
            except asyncio.CancelledError:
                task.cancel()
                raise
        if task.done():
            self._first = task.result()
        else:
            self._receiving = task

    async def run(self) -> None:
        """Carry out what the thread orders, until it has ended.

        Raises:
            Exception: what the application raised, or else `send`.

        Cancellation: the thread is told that the client is gone, and waited for if it has begun; a second one does not wait.
        """
        try:
            error = await self._carry_out()
        finally:
            self._finished = True
            self._refuse_orders()  # of a thread that was not waited for
            await self._end_tasks()
        lost = self._lost
        if lost is not None and not isinstance(lost, OSError):
            raise lost from error
        if error is not None and not is_about_disconnect(error):
            raise error
        if lost is not None and not isinstance(lost, ClientDisconnected):
            raise lost  # the server's own, which it knows not to log

    async def _carry_out(self) -> BaseException | None:
        while True:
            try:
                order = await self._next_order()
                if isinstance(order, _Ended):
                    return order.error
                await self._obey(order)
            except asyncio.CancelledError as exc:
                again = isinstance(self._lost, asyncio.CancelledError)
                self._lost = exc
                if again or not self._begun:
                    raise
            except Exception as exc:
                self._lost = self._lost or exc

    async def _next_order(self) -> Message | bytes | Order | _Ended:
        while not self._orders:
            self._waiter = self._loop.create_future()
            await self._waiter
        return self._orders.popleft()

    async def _obey(self, order: Message | bytes | Order) -> None:
        if order is Order.RECEIVE:
            await self._answer_receive()
        elif order is Order.FLUSH:
            self._answers.put(self._lost)
        elif self._lost is not None:
            pass  # nobody is there to read it
        elif isinstance(order, bytes):
            await self._send_pieces(order)
        else:
            await self._send(order)

    async def _send_pieces(self, first: bytes) -> None:
        """Send all pieces that are there as one: when they come faster than they leave, they leave in larger ones."""
        orders, pieces = self._orders, [first]
        while orders and isinstance(orders[0], bytes):
            pieces.append(cast("bytes", orders.popleft()))
        body = first if len(pieces) == 1 else b"".join(pieces)
        ended = bool(orders) and orders[0] is Order.END_BODY
        if ended:
            orders.popleft()
        elif self._body_ended and self._watcher is None and not _tells_of_disconnect(self._scope):
            self._watcher = self._loop.create_task(self._watch())
        await self._send({"type": "http.response.body", "body": body, "more_body": not ended})

    async def _answer_receive(self) -> None:
        if self._lost is not None:
            self._answers.put(self._lost)
            return
        task, self._receiving = self._receiving, None
        try:
            message = await (self._receive_message() if task is None else task)
        except BaseException as exc:
            self._answers.put(exc)
            raise
        self._answers.put(message)

    def _refuse_orders(self) -> None:
        while self._orders:
            if self._orders.popleft() in (Order.RECEIVE, Order.FLUSH):
                self._answers.put(self._lost)

    async def _end_tasks(self) -> None:
        tasks: list[asyncio.Task[Any]] = [
            task for task in (self._receiving, self._watcher) if task is not None
        ]
        for task in tasks:
            task.cancel()
        if tasks:
            await asyncio.gather(*tasks, return_exceptions=True)

    async def _receive_message(self) -> Message:
        return await self._receive()

    async def _watch(self) -> None:
        """Wait for the client to leave: on servers older than ASGI 2.4 `send` does not tell, and a stream might not end."""
        while (await self._receive())["type"] != "http.disconnect":
            pass
        self._lost = self._lost or ClientDisconnected("the client is gone")

    def _look(self) -> None:
        self._woken = False
        if self._finished:
            self._refuse_orders()
        elif self._waiter is not None and not self._waiter.done():
            self._waiter.set_result(None)


def _tells_of_disconnect(scope: HTTPScope) -> bool:
    version = scope["asgi"].get("spec_version", "2.0")
    return tuple(map(int, version.split("."))) >= (2, 4)
