# pyright: strict, reportUnnecessaryTypeIgnoreComment=true
"""Checked by pyright, never run: each ignored error must be one."""

from typing import assert_type

from transom.tasks import TaskResult, task


@task
async def send_report(poll: int, *, to: str = "") -> list[str]:
    return [to] * poll


async def use() -> None:
    result = await send_report.enqueue(1, to="ada@example.com")
    assert_type(result, TaskResult[list[str]])
    assert_type(result.return_value, list[str])
    assert_type(await send_report.get_result(result.id), TaskResult[list[str]])
    assert_type(await send_report(1), list[str])
    await send_report.enqueue("1")  # pyright: ignore[reportArgumentType]
    await send_report.enqueue(1, "ada")  # pyright: ignore[reportCallIssue]
    await send_report.enqueue(1, cc="ada")  # pyright: ignore[reportCallIssue]


@task  # pyright: ignore[reportArgumentType]
def plain() -> None: ...
