"""The in-process layer: delivery, bounds, and that nothing leaks."""

from __future__ import annotations

import asyncio

import pytest

from transom.channels import ChannelLayer, MemoryLayer


async def take(messages, count: int) -> list[dict]:
    return [await anext(messages) for _ in range(count)]


async def test_every_subscriber_gets_every_message_in_order():
    layer: ChannelLayer = MemoryLayer()
    async with (
        layer.subscribe("poll-3") as one,
        layer.subscribe("poll-3") as two,
        layer.subscribe("poll-4") as other,
    ):
        for number in range(3):
            await layer.group_send("poll-3", {"n": number})
        await layer.group_send("poll-4", {"n": "other"})
        expected = [{"n": 0}, {"n": 1}, {"n": 2}]
        assert await take(one, 3) == expected
        assert await take(two, 3) == expected
        assert await take(other, 1) == [{"n": "other"}]


async def test_message_sent_before_subscribing_is_not_heard():
    layer = MemoryLayer()
    await layer.group_send("g", {"n": "before"})
    async with layer.subscribe("g") as messages:
        await layer.group_send("g", {"n": "after"})
        assert await anext(messages) == {"n": "after"}


async def test_each_subscriber_has_its_own_copy():
    layer = MemoryLayer()
    async with layer.subscribe("g") as one, layer.subscribe("g") as two:
        message = {"rows": [1]}
        await layer.group_send("g", message)
        message["rows"].append(2)
        first = await anext(one)
        first["rows"].append(3)
        assert await anext(two) == {"rows": [1]}


async def test_waiting_subscriber_is_woken():
    layer = MemoryLayer()
    async with layer.subscribe("g") as messages:
        waiting = asyncio.ensure_future(anext(messages))
        await asyncio.sleep(0)
        await layer.group_send("g", {"n": 1})
        await layer.group_send("g", {"n": 2})
        assert await waiting == {"n": 1}
        assert await anext(messages) == {"n": 2}


async def test_slow_subscriber_loses_the_oldest_and_can_count_them():
    layer = MemoryLayer(capacity=3)
    async with layer.subscribe("g") as slow, layer.subscribe("g") as fast:
        for number in range(5):
            await layer.group_send("g", {"n": number})
            assert await anext(fast) == {"n": number}
        assert await take(slow, 3) == [{"n": 2}, {"n": 3}, {"n": 4}]
        assert (slow.dropped, fast.dropped) == (2, 0)


async def test_expired_messages_are_skipped_and_counted(monkeypatch):
    layer = MemoryLayer(expiry=60)
    loop = asyncio.get_running_loop()
    now = loop.time()
    monkeypatch.setattr(loop, "time", lambda: now)
    async with layer.subscribe("g") as messages:
        await layer.group_send("g", {"n": "old"})
        now += 30
        await layer.group_send("g", {"n": "young"})
        now += 30
        assert await anext(messages) == {"n": "young"}
        assert messages.dropped == 1


async def test_sending_never_waits_for_a_subscriber():
    layer = MemoryLayer(capacity=1)
    async with layer.subscribe("g"):
        sending = layer.group_send("g", {"n": 1})
        with pytest.raises(StopIteration):
            sending.send(None)  # runs to its end in one step


async def test_cancelled_subscriber_is_removed_at_once():
    layer = MemoryLayer()

    async def listen() -> None:
        async with layer.subscribe("g") as messages:
            async for _ in messages:
                pass

    tasks = [asyncio.create_task(listen()) for _ in range(3)]
    await asyncio.sleep(0)
    assert layer.count_subscribers("g") == 3
    for task in tasks:
        task.cancel()
    await asyncio.gather(*tasks, return_exceptions=True)
    assert layer.count_subscribers("g") == 0
    assert layer._groups == {}


async def test_failing_subscriber_is_removed():
    layer = MemoryLayer()
    with pytest.raises(ZeroDivisionError):
        async with layer.subscribe("g"):
            raise ZeroDivisionError
    assert layer._groups == {}


async def test_cancelling_the_wait_loses_no_message():
    layer = MemoryLayer()
    async with layer.subscribe("g") as messages:
        waiting = asyncio.ensure_future(anext(messages))
        await asyncio.sleep(0)
        await layer.group_send("g", {"n": 1})
        waiting.cancel()
        with pytest.raises(asyncio.CancelledError):
            await waiting
        assert await anext(messages) == {"n": 1}


async def test_iteration_ends_when_the_subscription_does():
    layer = MemoryLayer()
    async with layer.subscribe("g") as messages:
        collecting = asyncio.ensure_future(_collect(messages))
        await asyncio.sleep(0)
    assert await collecting == []


async def _collect(messages) -> list[dict]:
    return [message async for message in messages]


async def test_second_reader_is_refused():
    layer = MemoryLayer()
    async with layer.subscribe("g") as messages:
        reading = asyncio.ensure_future(_collect(messages))
        await asyncio.sleep(0)
        with pytest.raises(RuntimeError, match="another task already iterates"):
            await anext(messages)
    await reading


async def test_subscribers_may_come_and_go_while_a_message_is_on_its_way():
    layer = MemoryLayer()
    heard: list[str] = []

    async def answer(name: str) -> None:
        async with layer.subscribe("g") as messages:
            await anext(messages)
            heard.append(name)

    tasks = [asyncio.create_task(answer(name)) for name in "ab"]
    await asyncio.sleep(0)
    await layer.group_send("g", {})
    await asyncio.gather(*tasks)
    assert heard == ["a", "b"]
    assert layer._groups == {}


def test_capacity_must_hold_a_message():
    with pytest.raises(ValueError, match="at least 1"):
        MemoryLayer(capacity=0)
