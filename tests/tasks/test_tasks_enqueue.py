"""`@task` and `enqueue`: what is taken, refused and kept."""

import asyncio
import functools
from datetime import UTC

import pytest

from transom.db import atomic, connections, on_commit
from transom.tasks import (
    ImmediateBackend,
    InvalidTask,
    TaskResultDoesNotExist,
    Tasks,
    TaskStatus,
    task,
    tasks,
)

calls = []


@task
async def add(a: int, b: int = 1) -> int:
    """Add."""
    calls.append((a, b))
    return a + b


@task
async def collect(*args, **kwargs):
    return [list(args), kwargs]


@task
async def fail(text: str) -> None:
    raise LookupError(text)


@task
async def answer(kind: str):
    return {"tuple": (1,), "object": object(), "nothing": None}[kind]


@pytest.fixture(autouse=True)
def immediate():
    calls.clear()
    backend = tasks._factory
    tasks.configure(ImmediateBackend)
    yield
    tasks.configure(backend)


async def test_enqueue_runs_the_function_and_tells_its_result():
    result = await add.enqueue(1, b=2)
    assert calls == [(1, 2)]
    assert result.status is TaskStatus.SUCCESSFUL
    assert result.is_finished
    assert result.return_value == 3
    assert result.errors == ()
    assert result.task.endswith("test_tasks_enqueue.add") == add.name.endswith("test_tasks_enqueue.add")
    assert result.enqueued_at <= result.started_at <= result.finished_at
    assert result.enqueued_at.tzinfo is UTC
    assert await add.get_result(result.id) == result


async def test_task_that_is_called_is_the_function():
    assert await add(1, 2) == 3
    assert add.__doc__ == "Add."
    assert add.name == f"{__name__}.add"
    assert repr(add) == f"<Task {__name__}.add>"


async def test_exception_is_logged_and_kept_and_not_raised(caplog):
    result = await fail.enqueue("no such poll")
    assert result.status is TaskStatus.FAILED
    (error,) = result.errors
    assert error.exception_class_path == "builtins.LookupError"
    assert "no such poll" in error.traceback
    assert "raise LookupError(text)" in error.traceback
    assert [record.name for record in caplog.records] == ["transom.tasks"]
    with pytest.raises(ValueError, match="status is FAILED; see errors"):
        _ = result.return_value


@pytest.mark.parametrize("kind", ["tuple", "object"])
async def test_returned_value_that_json_would_change_is_a_failure(kind, caplog):
    result = await answer.enqueue(kind)
    assert result.status is TaskStatus.FAILED
    assert "the returned value" in result.errors[0].traceback


async def test_none_is_a_returned_value():
    assert (await answer.enqueue("nothing")).return_value is None


async def test_arguments_and_returned_value_are_copies():
    argument = {"list": []}
    result = await collect.enqueue(argument, named=argument)
    argument["list"].append(1)
    result.return_value[0].append(1)
    assert result.return_value == [[{"list": []}], {"named": {"list": []}}]


@pytest.mark.parametrize(("args", "kwargs"), [((), {}), ((1, 2, 3), {}), ((1,), {"c": 1}), ((1,), {"a": 1})])
async def test_arguments_that_do_not_fit_the_function_are_refused(args, kwargs):
    with pytest.raises(TypeError, match="argument"):
        await add.enqueue(*args, **kwargs)
    assert calls == []


@pytest.mark.parametrize("value", [(1,), {1: 2}, object(), b"x", float("nan"), {"a": {1}}, "\ud800"])
async def test_argument_that_json_would_change_is_refused(value):
    with pytest.raises(TypeError, match=r"argument 2 .* pass the primary key"):
        await collect.enqueue(1, value)
    with pytest.raises(TypeError, match="argument 'name' "):
        await collect.enqueue(name=value)


def test_plain_function_is_no_task():
    with pytest.raises(InvalidTask, match="is not async; write `async def`"):

        @task
        def plain(): ...


def test_inner_function_is_no_task():
    with pytest.raises(InvalidTask, match="not at the top level"):

        @task
        async def inner(): ...


async def test_result_of_another_task_or_none_is_a_clear_error():
    result = await add.enqueue(1)
    with pytest.raises(TaskResultDoesNotExist, match=r"add, not of .*collect"):
        await collect.get_result(result.id)
    with pytest.raises(TaskResultDoesNotExist, match="'unknown'"):
        await add.get_result("unknown")


async def test_immediate_backend_keeps_so_many_results():
    tasks.configure(functools.partial(ImmediateBackend, max_results=2))
    results = [await add.enqueue(number) for number in range(3)]
    with pytest.raises(TaskResultDoesNotExist):
        await add.get_result(results[0].id)
    assert (await add.get_result(results[2].id)).return_value == 3


async def test_immediate_backend_needs_no_worker_and_takes_a_lifespan():
    async with tasks.running():
        assert (await add.enqueue(1)).return_value == 2


async def test_on_commit_enqueues_what_was_committed_only():
    connections.configure({"default": "sqlite://:memory:"})
    try:
        async with atomic():
            on_commit(lambda: add.enqueue(1))
            assert calls == []
        assert calls == [(1, 1)]
        with pytest.raises(LookupError):
            async with atomic():
                on_commit(lambda: add.enqueue(2))
                raise LookupError
        assert calls == [(1, 1)]
    finally:
        await connections.aclose()
        connections.configure({})


def test_each_event_loop_has_its_own_backend():
    own = Tasks()

    async def backend():
        assert own.backend is own.backend
        return own.backend

    assert asyncio.run(backend()) is not asyncio.run(backend())
