"""The in-process backend: slots, bounds, context and the end of its life."""

import asyncio
import functools
import gc
from contextvars import ContextVar

import pytest

from transom.tasks import (
    BackendNotRunning,
    MemoryBackend,
    QueueFull,
    TaskResultDoesNotExist,
    TaskStatus,
    task,
    tasks,
)
from transom.testing import Client
from transom.web import App, JSONResponse, path

variable = ContextVar("variable", default="unset")


class Gate:
    """Lets tasks through when it is opened, and knows who stands in it."""

    def __init__(self):
        self.opened = asyncio.Event()
        self.inside = []
        self.most = 0
        self.done = []


gate: Gate


@pytest.fixture(autouse=True)
async def fresh():
    global gate
    gate = Gate()
    tasks._backends.clear()
    factory = tasks._factory
    yield
    tasks.configure(factory)


def configure(**options):
    tasks.configure(functools.partial(MemoryBackend, **options))


@task
async def wait(name: int) -> int:
    gate.inside.append(name)
    gate.most = max(gate.most, len(gate.inside))
    try:
        await gate.opened.wait()
    finally:
        gate.inside.remove(name)
    gate.done.append(name)
    return name


@task
async def look() -> str:
    seen = variable.get()
    variable.set("left behind")
    return seen


@task
async def fail() -> None:
    raise LookupError("nothing")


@task
async def cancel_itself() -> None:
    raise asyncio.CancelledError


@task
async def enqueue_another() -> str:
    await gate.opened.wait()
    try:
        return (await look.enqueue()).id
    except BackendNotRunning as exc:
        return str(exc)


@task
async def ignore_cancellation_once() -> str:
    try:
        await asyncio.Event().wait()
    except asyncio.CancelledError:
        return "cleaned up"
    return ""


async def settle():
    for _ in range(5):
        await asyncio.sleep(0)


async def test_task_runs_beside_and_its_result_follows():
    async with tasks.running():
        result = await wait.enqueue(1)
        assert result.status is TaskStatus.READY
        with pytest.raises(ValueError, match="ask get_result"):
            _ = result.return_value
        await settle()
        running = await wait.get_result(result.id)
        assert running.status is TaskStatus.RUNNING
        assert running.started_at >= running.enqueued_at
        assert not running.is_finished
        gate.opened.set()
        await settle()
        assert (await wait.get_result(result.id)).return_value == 1


async def test_so_many_run_at_once_and_the_rest_in_order():
    configure(workers=2)
    async with tasks.running():
        for number in range(6):
            await wait.enqueue(number)
        await settle()
        assert gate.inside == [0, 1]
        gate.opened.set()
    assert gate.most == 2
    assert gate.done == [0, 1, 2, 3, 4, 5]


async def test_full_queue_refuses_more():
    configure(workers=1, capacity=2)
    async with tasks.running():
        for number in range(3):
            await wait.enqueue(number)
        with pytest.raises(QueueFull, match="2 wait already"):
            await wait.enqueue(3)
        gate.opened.set()
    assert gate.done == [0, 1, 2]


async def test_without_a_worker_nothing_is_accepted():
    with pytest.raises(BackendNotRunning, match=r"lifespan=tasks\.running"):
        await wait.enqueue(1)
    async with tasks.running():
        pass
    with pytest.raises(BackendNotRunning, match="not running"):
        await wait.enqueue(1)


async def test_it_can_run_again_but_not_twice():
    async with tasks.running():
        with pytest.raises(RuntimeError, match="runs already"):
            async with tasks.running():
                pass
        await look.enqueue()
    async with tasks.running():
        result = await look.enqueue()
        await settle()
        assert (await look.get_result(result.id)).is_finished


async def test_failure_stops_neither_the_worker_nor_the_site(caplog):
    configure(workers=1)
    async with tasks.running():
        failed, cancelled, fine = await fail.enqueue(), await cancel_itself.enqueue(), await look.enqueue()
    assert (await fail.get_result(failed.id)).errors[0].exception_class_path == "builtins.LookupError"
    assert (await cancel_itself.get_result(cancelled.id)).status is TaskStatus.FAILED
    assert (await look.get_result(fine.id)).status is TaskStatus.SUCCESSFUL
    assert "LookupError: nothing" in caplog.text


async def test_task_sees_the_context_of_the_lifespan_and_not_of_who_enqueued_or_ran_before():
    variable.set("lifespan")
    configure(workers=1)
    async with tasks.running():
        variable.set("request")
        results = [await look.enqueue() for _ in range(2)]
    assert [(await look.get_result(result.id)).return_value for result in results] == ["lifespan", "lifespan"]


async def test_stopping_finishes_what_was_accepted_and_accepts_no_more():
    async with tasks.running():
        result = await enqueue_another.enqueue()
        asyncio.get_running_loop().call_soon(gate.opened.set)
    assert "being stopped" in (await enqueue_another.get_result(result.id)).return_value


async def test_what_does_not_finish_in_time_is_cancelled_and_says_so(caplog):
    configure(workers=1, shutdown_timeout=0.0)
    async with tasks.running():
        results = [await wait.enqueue(number) for number in range(3)]
        await settle()
    assert gate.done == []
    for result in results:
        final = await wait.get_result(result.id)
        assert final.status is TaskStatus.FAILED
        assert final.errors[0].exception_class_path == "asyncio.exceptions.CancelledError"
    assert "stopped with 1 tasks running and 2 waiting" in caplog.text


async def test_task_that_is_cancelled_before_its_first_step_has_a_result():
    configure(shutdown_timeout=0.0)
    with pytest.raises(LookupError):
        async with tasks.running():
            result = await wait.enqueue(1)
            raise LookupError
    assert (await wait.get_result(result.id)).status is TaskStatus.FAILED


async def test_task_may_clean_up_when_it_is_cancelled():
    configure(shutdown_timeout=0.0)
    async with tasks.running():
        result = await ignore_cancellation_once.enqueue()
        await settle()
    assert (await ignore_cancellation_once.get_result(result.id)).return_value == "cleaned up"


async def test_error_in_the_lifespan_comes_out_as_it_is():
    with pytest.raises(LookupError, match="site"):
        async with tasks.running():
            await wait.enqueue(1)
            raise LookupError("site")
    assert gate.done == []


async def test_cancelling_the_lifespan_cancels_the_tasks():
    entered = asyncio.Event()
    results = []

    async def lifespan():
        async with tasks.running():
            results.append(await wait.enqueue(1))
            await settle()
            entered.set()
            await asyncio.Event().wait()

    running = asyncio.create_task(lifespan())
    await entered.wait()
    running.cancel()
    await asyncio.wait([running])
    assert running.cancelled()
    assert (await wait.get_result(results[0].id)).status is TaskStatus.FAILED


async def test_finished_results_are_bounded_and_expire():
    now = 0.0
    configure(max_results=2, result_expiry=10, clock=lambda: now)
    async with tasks.running():
        results = [await look.enqueue() for _ in range(3)]
        waiting = await wait.enqueue(1)
        await settle()
        with pytest.raises(TaskResultDoesNotExist):
            await look.get_result(results[0].id)
        assert (await look.get_result(results[1].id)).is_finished
        now = 10.0
        with pytest.raises(TaskResultDoesNotExist, match="dropped since"):
            await look.get_result(results[2].id)
        assert (await wait.get_result(waiting.id)).status is TaskStatus.RUNNING
        gate.opened.set()


@pytest.mark.parametrize(
    "options",
    [{"workers": 0}, {"capacity": 0}, {"max_results": 0}, {"shutdown_timeout": -1}, {"result_expiry": -1}],
)
def test_impossible_numbers_are_refused(options):
    with pytest.raises(ValueError, match="expected"):
        MemoryBackend(**options)


async def test_site_runs_tasks_while_it_is_up():
    async def report(request):
        return JSONResponse({"id": (await wait.enqueue(7)).id})

    app = App([path("report/", report)], lifespan=tasks.running, debug=True)
    async with Client(app) as client:
        id = (await client.get("/report/")).json()["id"]
        gate.opened.set()
    assert gate.done == [7]
    assert (await wait.get_result(id)).return_value == 7


def test_backend_goes_with_its_loop():
    async def use():
        async with tasks.running():
            await look.enqueue()

    asyncio.run(use())
    gc.collect()
    assert len(tasks._backends) == 0
