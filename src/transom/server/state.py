"""What all connections of one worker share."""

from __future__ import annotations

import asyncio
import contextvars
import logging
import sys
import time
from collections import Counter
from email.utils import formatdate
from math import inf
from typing import TYPE_CHECKING, Any, Protocol, cast

from transom.server.capacity import LINGER, RETRY_AFTER, Capacity, derive_limit
from transom.server.http1 import HeadParser, build_error, build_fields
from transom.server.http2 import encode_literals
from transom.server.logs.access import AccessRecorder
from transom.server.logs.access_format import compile_format
from transom.server.logs.access_log import AccessLog
from transom.server.logs.request_id import RequestIDResponder
from transom.server.metrics.metrics import WorkerMetrics
from transom.server.trust import TrustedProxies

if TYPE_CHECKING:
    from collections.abc import Callable, Coroutine

    from transom.asgi.types import ASGIApplication, ASGIVersions
    from transom.server.config import Config

logger = logging.getLogger("transom.server")

EAGER = sys.version_info >= (3, 12)
TASK_NAME = "application"  # to make up one for each costs 0.2 µs before Python 3.12
SPEC_VERSION = "2.5"
TICK = 1.0
"""Seconds between two looks at deadlines; a timeout may be late by as much."""
TURN = 0.0001
"""Seconds of one turn of the loop that such looks may take; thousands that are too late must not make others wait."""
MAX_REFUSALS_NOTED = 10
"""Refused requests and connections that are logged one by one between two ticks; of the others only how many there were."""


class Connection(Protocol):
    """What the server asks of a connection of any HTTP version."""

    def tick(self, now: float) -> None:
        """Close if a deadline has passed."""
        ...

    def shutdown(self) -> None:
        """Answer what has begun or is on its way, as the last, then close."""
        ...

    def end_streams(self, *, streams_only: bool) -> None:
        """Tell applications that wait for the end of their client that this is the end; first those that have none."""
        ...

    def abort(self) -> None:
        """Close at once."""
        ...


class Cycle(Protocol):
    """What runs the application for a request, and at its end gives `task`, where it is set, to `forget_task`."""

    task: asyncio.Task[None] | None


class ServerState:
    """Shared facts, caches and registers of one worker process; not safe for use from several threads.

    Attributes:
        fields: encoded `date` and `server` fields, renewed once per tick.
        literals: the same for HTTP/2.
        now: loop time of the last tick. Deadlines count from it: reading the clock per request buys nothing.
        idle_deadline: when a connection that becomes idle now is closed.
        is_stopping: whether each request is the last one of its connection.
        head_parser: what connections parse request heads with.
        lifespan_state: what the application kept at start-up, or None if it has no lifespan. Copied for each request.
        connections: open connections.
        gives_request_ids: whether each request has an X-Request-ID; `app` then sends it back.
        access_log: where cycles report requests that have ended, or None if nobody wants to know.
        log_response_headers: whether the access log also wants the fields of responses.
        metrics: what this worker counts, or None if nobody asks.
        tasks: running applications that did not finish in their first step; also what keeps them alive.
        requests: begun so far, WebSockets too.
        accepted: connections so far.
        refused: requests so far that reached no application, by status.
        websockets: open now, from the upgrade request on.
        lag: seconds by which the last tick was late: how long the event loop did not turn.
        on_tick: called at the end of each tick.
        http2: what a client of HTTP/2 may do at a time.
        capacity: admits connections.
        forwarders: those whose forwarded fields are believed; None if nobody's are.
        trusted: our proxies.
        metrics_snapshot: returns what JSON can hold of this worker's metrics, for its reports; None without metrics.
    """

    # Looked at by every request, which is faster so (CPython 3.13 keeps so many attributes in a dictionary otherwise).
    __slots__ = (
        "_context",
        "_due",
        "_idle",
        "_keep_alive",
        "_refusals",
        "_timer",
        "accepted",
        "access_log",
        "app",
        "asgi",
        "capacity",
        "config",
        "connections",
        "date_field",
        "extra_fields",
        "fields",
        "forwarders",
        "gives_request_ids",
        "head_parser",
        "http2",
        "idle_deadline",
        "is_stopping",
        "lag",
        "lifespan_state",
        "limits",
        "literals",
        "log_response_headers",
        "loop",
        "metrics",
        "metrics_snapshot",
        "now",
        "on_tick",
        "refused",
        "requests",
        "root_path",
        "server_field",
        "tasks",
        "trusted",
        "websockets",
    )

    def __init__(self, app: ASGIApplication, config: Config, loop: asyncio.AbstractEventLoop) -> None:
        self.gives_request_ids = config.request_id
        self.app = RequestIDResponder(app) if config.request_id else app
        self.config = config
        self.loop = loop
        self.limits = config.limits
        self.http2 = config.http2_session
        self.head_parser = HeadParser()
        self.root_path = config.root_path
        self.asgi: ASGIVersions = {"version": "3.0", "spec_version": SPEC_VERSION}
        self.lifespan_state: dict[str, Any] | None = None  # Any: as in HTTPScope
        self.connections: set[Connection] = set()
        self.tasks: set[asyncio.Task[Any]] = set()  # Any: results are not looked at
        self.requests = 0
        self.accepted = 0
        self.refused: Counter[int] = Counter()
        self._refusals = 0  # since the last tick
        self.websockets = 0
        self.lag = 0.0
        self.on_tick: list[Callable[[], None]] = []
        self.capacity = Capacity(config.limit_concurrency or derive_limit(), self.connections)
        self.trusted = TrustedProxies(config.forwarded_allow_ips)
        self.forwarders = self.trusted if config.proxy_headers else None
        self.metrics_snapshot: Callable[[], dict[str, Any]] | None = None  # Any: as in Report
        self.metrics: WorkerMetrics | None = None
        self.access_log: AccessRecorder | None = None
        self.log_response_headers = False
        self._observe_requests()
        self.fields = b""
        self.literals = b""
        self.date_field = b""
        self.server_field = b"\r\nserver: transom" if config.server_header else b""
        self.extra_fields = build_fields(config.headers)
        self.now = 0.0
        self.is_stopping = False
        self._keep_alive = config.timeout_keep_alive
        self.idle_deadline = self.deadline(self._keep_alive)
        self._context = contextvars.copy_context()
        self._idle: asyncio.Future[None] | None = None
        self._timer: asyncio.TimerHandle | None = None
        self._due = inf  # when the next tick should be

    def _observe_requests(self) -> None:
        config = self.config
        log = None
        if config.access_log:
            log = AccessLog(compile_format(config.access_log_format, request_id=config.request_id))
            self.log_response_headers = log.wants_response_headers
        if config.metrics_bind is not None:
            self.metrics = metrics = WorkerMetrics(self, log)
            self.on_tick.append(metrics.tick)
            self.metrics_snapshot = lambda: metrics.snapshot().to_report()
        consumers = [each for each in (log, self.metrics) if each is not None]
        if consumers:
            self.access_log = AccessRecorder(self.loop, consumers)

    def deadline(self, seconds: float) -> float:
        """Return the loop time at which that many seconds have passed for certain; `now` may be a tick old."""
        return self.now + seconds + TICK

    def start_timer(self) -> None:
        """Start the one timer of this worker."""
        now = self.loop.time()
        self.lag = max(now - self._due, 0.0)
        self._due = now + TICK
        self._timer = self.loop.call_at(self._due, self.start_timer)
        self.tick()

    def stop_timer(self) -> None:
        """Stop the timer."""
        if self._timer is not None:
            self._timer.cancel()

    def tick(self) -> None:
        """Renew the date, and let each connection look at its deadline."""
        self.now = self.loop.time()
        self.idle_deadline = self.deadline(self._keep_alive)
        if self.config.date_header:
            self.date_field = b"\r\ndate: " + formatdate(time.time(), usegmt=True).encode()
        self.fields = self.fields_without(date=False, server=False)
        self.literals = self.literals_without(date=False, server=False)
        self._look_at_deadlines(list(self.connections))
        self.capacity.tick(self.now)
        if self._refusals > MAX_REFUSALS_NOTED:
            logger.info(
                "refused %d more requests or connections within a second", self._refusals - MAX_REFUSALS_NOTED
            )
        self._refusals = 0
        for call in self.on_tick:
            call()

    def _look_at_deadlines(self, connections: list[Connection]) -> None:
        """Let some connections look at their deadlines, and the others with the next turns of the loop."""
        end = time.perf_counter() + TURN
        while connections and time.perf_counter() < end:
            connection = connections.pop()
            if connection in self.connections:  # not lost meanwhile
                connection.tick(self.now)
        if connections:
            self.loop.call_soon(self._look_at_deadlines, connections)

    def fields_without(self, *, date: bool, server: bool) -> bytes:
        """Return the encoded fields without those that the application gives itself."""
        return (b"" if date else self.date_field) + (b"" if server else self.server_field) + self.extra_fields

    def literals_without(self, *, date: bool, server: bool) -> bytes:
        """Return what `fields_without` does in the encoding of HTTP/2."""
        lines = self.fields_without(date=date, server=server).split(b"\r\n")[1:]
        return encode_literals([cast("tuple[bytes, bytes]", tuple(line.split(b": ", 1))) for line in lines])

    def spawn(
        self,
        coroutine: Coroutine[Any, Any, None],  # Any: as in typing's own stubs
        cycle: Cycle | None = None,
    ) -> asyncio.Task[None]:
        """Run an application as a task in a context of its own, on Python 3.12+ at once up to where it first waits.

        A context per request keeps variables that one request sets out of the next one on the same connection.

        Args:
            coroutine: what to run. Its task is in `tasks` while it is not done.
            cycle: whose `run` it is, if it takes its task out of `tasks` itself. Else a callback of the task does, which costs a
                request on Python 3.11, where no task is done at once, a fifteenth of its time.
        """
        context = self._context.copy()
        task: asyncio.Task[None]
        if EAGER:
            # pyright checks against 3.11, which has no eager_start.
            task = asyncio.Task(coroutine, loop=self.loop, context=context, eager_start=True)  # type: ignore[call-arg]
            if task.done():
                return task
        else:
            task = asyncio.Task(coroutine, loop=self.loop, context=context, name=TASK_NAME)
        self.tasks.add(task)
        if cycle is not None:
            cycle.task = task
        else:
            task.add_done_callback(self.forget_task)
        return task

    def admit(self, connection: Connection, transport: asyncio.BaseTransport) -> bool:
        """Register a connection that is open now; or, where there are too many, answer 503 on its transport and close it."""
        self.capacity.opening.pop(connection, None)
        if self.capacity.is_full:
            self.refused[503] += 1
            fields = self.fields + b"\r\nretry-after: %d" % RETRY_AFTER
            response = build_error(503, "too many connections; try again later", fields)
            self.capacity.refuse(transport, response, self.deadline(LINGER))
            return False
        self.accepted += 1
        self.connections.add(connection)
        return True

    def note_refusal(self, client: str, status: int, why: str) -> None:
        """Count a request that reaches no application, and log it, unless there are so many that they would fill the log."""
        self.refused[status] += 1
        self._note("refused a request of %s: %a", client, why)

    def note_failure(self, client: str, why: str) -> None:
        """Log that a connection ends for what its client has sent, unless there are so many."""
        self._note("closed the connection of %s: %a", client, why)

    def _note(self, message: str, client: str, why: str) -> None:
        self._refusals += 1
        if self._refusals <= MAX_REFUSALS_NOTED:
            logger.info(message, client, why)

    def forget(self, connection: Connection) -> None:
        """Take a lost connection off the register."""
        self.connections.discard(connection)
        self._look_whether_idle()

    def forget_task(self, task: asyncio.Task[Any]) -> None:  # Any: as in `tasks`
        """Take a task that ends off the register."""
        self.tasks.discard(task)
        if self._idle is not None:
            self._look_whether_idle()

    def begin_stop(self, idle_deadline: float) -> None:
        """Take one more request at most from each connection, and none from those that are idle at that time."""
        self.is_stopping = True
        self._keep_alive = min(self._keep_alive, idle_deadline - self.loop.time())
        self.idle_deadline = idle_deadline
        for connection in tuple(self.connections):
            connection.shutdown()

    async def wait_until_idle(self) -> None:
        """Return when no connection is open and no application runs, or at `stop_waiting`."""
        if self.connections or self.tasks:
            self._idle = self.loop.create_future()
            await self._idle

    def stop_waiting(self) -> None:
        """Let `wait_until_idle` return."""
        if self._idle is not None and not self._idle.done():
            self._idle.set_result(None)

    def _look_whether_idle(self) -> None:
        if self._idle is not None and not self.connections and not self.tasks:
            self.stop_waiting()
