"""@threaded: blocking work in pools that are declared, bounded, and end with the site."""

import asyncio
import contextvars
import logging
import threading

import pytest

from transom.testing import Client
from transom.web import App, PoolSaturated, Response, path, reverse, threaded
from transom.web.threadpools import PoolOptions, ThreadPool, ThreadPools
from transom.web.urls import URLconf, current

WAIT = 10  # seconds until a test that hangs fails


@pytest.fixture
def app():
    return App([], debug=True)


@pytest.fixture
def gate():
    """An event that threads wait for; set at the end, so that no thread is left behind."""
    event = threading.Event()
    yield event
    event.set()


@pytest.fixture
async def make_pool():
    pools = []

    def make(**options):
        pools.append(ThreadPool("test", PoolOptions(**options)))
        return pools[-1]

    yield make
    for pool in pools:
        await pool.aclose()


def begin(pool, call):
    """Return a task that has come as far as it comes by itself."""
    return asyncio.ensure_future(pool.run(call))


async def turns(count=3):
    for _ in range(count):
        await asyncio.sleep(0)


# The function.


async def test_a_plain_function_becomes_one_to_await(app):
    @threaded
    def add(left, *, right):
        return left + right, threading.current_thread().name

    total, thread = await add(1, right=2)
    assert total == 3
    assert thread.startswith("transom-default_")
    assert add.__name__ == "add"
    await app.threads.aclose()


async def test_what_it_raises_is_raised_where_it_is_awaited(app):
    @threaded
    def fail():
        raise KeyError("x")

    with pytest.raises(KeyError):
        await fail()
    await app.threads.aclose()


async def test_context_variables_are_seen_and_not_changed(app):
    variable = contextvars.ContextVar("variable", default="unset")

    @threaded
    def look():
        seen = variable.get()
        variable.set("changed in the thread")
        return seen, current.get().site

    variable.set("set by the caller")
    assert await look() == ("set by the caller", app)
    assert variable.get() == "set by the caller"
    await app.threads.aclose()


async def test_a_pool_has_threads_of_its_own(app):
    @threaded(pool="reports", size=1)
    def report():
        return threading.current_thread()

    @threaded
    def page():
        return threading.current_thread()

    assert (await report()).name == "transom-reports_0"
    assert await report() is not await page()
    await app.threads.aclose()


async def test_sites_do_not_share_pools(app):
    @threaded
    def who():
        return threading.current_thread()

    first = await who()
    other = App([], debug=True)
    assert await who() is not first
    await asyncio.gather(app.threads.aclose(), other.threads.aclose())


def test_each_event_loop_has_pools_of_its_own(app):
    @threaded
    def answer():
        return 42

    async def call():
        try:
            return await answer()
        finally:
            await app.threads.aclose()

    assert [asyncio.run(call()), asyncio.run(call())] == [42, 42]


def test_what_needs_no_thread_is_refused():
    async def view(request): ...

    def rows():
        yield 1

    with pytest.raises(TypeError, match="view is async, so it needs no thread"):
        threaded(view)
    with pytest.raises(TypeError, match="rows is a generator"):
        threaded(rows)


@pytest.mark.parametrize("options", [{"size": 0}, {"queue": -1}, {"timeout": -1}, {"size": 1.5}])
def test_options_out_of_range_are_refused(options):
    with pytest.raises(ValueError, match="is out of range"):
        threaded(pool="wrong", **options)


def test_options_of_a_pool_are_said_once():
    threaded(pool="said", size=3, queue=5)
    threaded(pool="said", size=3)
    threaded(pool="said", timeout=1.5)
    with pytest.raises(ValueError, match="size of pool 'said' is 3 elsewhere; say it once"):
        threaded(pool="said", size=4)


def test_outside_of_a_site_there_are_no_threads():
    @threaded
    def work(): ...

    with pytest.raises(LookupError, match=r"cannot run .*work: there is no application yet"):
        contextvars.Context().run(asyncio.run, work())


# The pool.


async def test_so_many_calls_run_at_once_and_the_others_in_their_order(make_pool, gate):
    pool = make_pool(size=2, queue=8)
    begun, order = threading.Semaphore(0), []

    def work(number):
        order.append(number)
        begun.release()
        assert gate.wait(WAIT)

    tasks = [begin(pool, lambda number=number: work(number)) for number in range(5)]
    await turns()
    for _ in range(2):
        assert await asyncio.to_thread(begun.acquire, timeout=WAIT)
    assert sorted(order) == [0, 1]
    assert not begun.acquire(blocking=False)
    gate.set()
    await asyncio.gather(*tasks)
    assert sorted(order[:2]) == [0, 1]
    assert sorted(order) == [0, 1, 2, 3, 4]


async def test_a_full_queue_is_503_at_once(make_pool, gate):
    pool = make_pool(size=1, queue=1)
    tasks = [begin(pool, lambda: gate.wait(WAIT)) for _ in range(2)]
    await turns()
    with pytest.raises(PoolSaturated, match="pool 'test' is busy and 1 calls wait for it") as caught:
        await pool.run(lambda: None)
    assert (caught.value.status, caught.value.headers["retry-after"]) == (503, "1")
    gate.set()
    assert await asyncio.gather(*tasks) == [True, True]


async def test_a_call_waits_only_so_long(make_pool, gate):
    pool = make_pool(size=1, queue=1, timeout=0)
    task = begin(pool, lambda: gate.wait(WAIT))
    await turns()
    with pytest.raises(PoolSaturated, match="no thread of pool 'test' was free within 0 s"):
        await pool.run(lambda: None)
    gate.set()
    assert await task
    assert await pool.run(lambda: 1) == 1  # the place in the queue was given back


async def test_a_call_that_is_given_up_keeps_its_thread_until_it_ends(make_pool, gate):
    pool = make_pool(size=1, queue=0)
    begun = threading.Event()

    def work():
        begun.set()
        assert gate.wait(WAIT)

    task = begin(pool, work)
    await turns()
    assert await asyncio.to_thread(begun.wait, WAIT)
    task.cancel()
    with pytest.raises(asyncio.CancelledError):
        await task
    with pytest.raises(PoolSaturated):
        await pool.run(lambda: None)
    gate.set()
    await pool.aclose()  # waits for the thread


async def test_a_waiting_call_that_is_cancelled_leaves_the_queue(make_pool, gate):
    pool = make_pool(size=1, queue=1)
    ran = []
    first = begin(pool, lambda: gate.wait(WAIT))
    await turns()
    second = begin(pool, lambda: ran.append("second"))
    await turns()
    second.cancel()
    await turns()
    third = begin(pool, lambda: ran.append("third"))
    await turns()
    gate.set()
    await asyncio.gather(first, third)
    assert second.cancelled()
    assert ran == ["third"]


async def test_a_place_that_comes_with_the_cancellation_is_passed_on(make_pool, gate, monkeypatch):
    pool = make_pool(size=1, queue=2)
    first = begin(pool, lambda: gate.wait(WAIT))
    await turns()
    second, third = begin(pool, lambda: "second"), begin(pool, lambda: "third")
    await turns()
    release = pool._release

    def release_and_cancel():
        release()
        second.cancel()

    monkeypatch.setattr(pool, "_release", release_and_cancel)
    gate.set()
    assert await third == "third"
    assert await first
    assert second.cancelled()


async def test_what_a_given_up_call_raises_is_logged(make_pool, gate, caplog):
    pool = make_pool(size=1)
    begun = threading.Event()

    def work():
        begun.set()
        assert gate.wait(WAIT)
        raise RuntimeError("too late")

    task = begin(pool, work)
    await turns()
    assert await asyncio.to_thread(begun.wait, WAIT)
    task.cancel()
    await asyncio.wait([task])
    gate.set()
    await pool.aclose()
    (record,) = caplog.records
    assert (record.name, record.levelno, str(record.exc_info[1])) == (
        "transom.threads",
        logging.ERROR,
        "too late",
    )


async def test_a_thread_that_does_not_end_is_told_of(make_pool, gate, caplog, monkeypatch):
    monkeypatch.setattr("transom.web.threadpools.STOP_TIMEOUT", 0)
    pool = make_pool(size=1)
    begun = threading.Event()

    def work():
        begun.set()
        return gate.wait(WAIT)

    task = begin(pool, work)
    await turns()
    assert await asyncio.to_thread(begun.wait, WAIT)
    await pool.aclose()
    assert "1 threads of pool 'test' still work" in caplog.text
    gate.set()
    assert await task


async def test_closed_pools_start_anew():
    pools = ThreadPools()
    threads = []
    for _ in range(2):
        threads.append(await pools.run("again", threading.current_thread))
        await pools.aclose()
    assert threads[0] is not threads[1]


# In a site.


async def test_a_threaded_view_answers_and_its_threads_end_with_the_site():
    threads = []

    @threaded
    def view(request, pk):
        threads.append(threading.current_thread())
        return Response(f"{pk} {reverse('view', pk=pk)} {request.query['a']}")

    app = App([path("<int:pk>/", view, name="view")], debug=True)
    assert app.check() == []
    async with Client(app) as client:
        assert (await client.get("/7/?a=b")).text == "7 /7/ b"
        assert threads[0].is_alive()
    threads[0].join(WAIT)
    assert not threads[0].is_alive()


async def test_a_saturated_pool_is_answered_503(gate):
    begun = threading.Event()

    @threaded(pool="small", size=1, queue=0)
    def view(request):
        begun.set()
        gate.wait(WAIT)
        return Response("done")

    async with Client(App([path("", view)], debug=True)) as client:
        first = asyncio.ensure_future(client.get("/"))
        await asyncio.to_thread(begun.wait, WAIT)
        refused = await client.get("/")
        assert (refused.status_code, refused.headers["retry-after"]) == (503, "1")
        gate.set()
        assert (await first).text == "done"


def test_a_threaded_view_must_take_the_parameters_too():
    @threaded
    def view(request, pk): ...

    (found,) = URLconf([path("<int:id>/", view)]).checks
    assert found.id == "web.E005"
