"""Signals: who is called, in which order, and what becomes of exceptions and cancellation."""

from __future__ import annotations

import asyncio
import gc
import logging
from typing import Any

import pytest

from transom.signals import Signal, receiver


class Kitchen:
    pass


@pytest.fixture
def signal() -> Signal:
    return Signal()


async def test_receivers_are_awaited_in_the_order_of_their_connection(signal: Signal):
    said: list[str] = []

    async def slow(**details: Any) -> str:
        await asyncio.sleep(0)
        said.append("slow")
        return "async"

    def quick(**details: Any) -> str:
        said.append("quick")
        return "plain"

    signal.connect(slow)
    signal.connect(quick)
    assert await signal.send(Kitchen, size=1) == [(slow, "async"), (quick, "plain")]
    assert said == ["slow", "quick"]


async def test_a_receiver_gets_signal_sender_and_keywords(signal: Signal):
    got: dict[str, Any] = {}
    note = got.update
    signal.connect(lambda **details: note(details), weak=False)
    await signal.send(Kitchen, size=30)
    assert got == {"signal": signal, "sender": Kitchen, "size": 30}


async def test_a_receiver_of_one_sender_hears_no_other(signal: Signal):
    def hear(**details: Any) -> None: ...

    signal.connect(hear, sender=Kitchen)
    assert signal.has_listeners(Kitchen)
    assert not signal.has_listeners(signal)
    assert not signal.has_listeners()
    assert await signal.send(signal) == []
    assert await signal.send(Kitchen) == [(hear, None)]


async def test_connecting_twice_calls_once_and_disconnecting_says_whether_there_was_one(signal: Signal):
    def hear(**details: Any) -> None: ...

    signal.connect(hear)
    signal.connect(hear)
    assert len(await signal.send(None)) == 1
    assert signal.disconnect(hear)
    assert not signal.disconnect(hear)
    assert await signal.send(None) == []


async def test_a_dispatch_uid_stands_for_the_receiver(signal: Signal):
    def first(**details: Any) -> None: ...
    def again(**details: Any) -> None: ...

    signal.connect(first, dispatch_uid="hear")
    signal.connect(again, dispatch_uid="hear")
    assert await signal.send(None) == [(first, None)]
    assert signal.disconnect(dispatch_uid="hear")


async def test_receivers_are_held_weakly_unless_told_otherwise(signal: Signal):
    class Cook:
        def hear(self, **details: Any) -> str:
            return "heard"

    cook = Cook()
    signal.connect(cook.hear)
    signal.connect(lambda **details: "stays", weak=False)
    assert [answer for _, answer in await signal.send(None)] == ["heard", "stays"]
    del cook
    gc.collect()
    assert [answer for _, answer in await signal.send(None)] == ["stays"]


async def test_a_connection_ends_with_its_sender(signal: Signal):
    def hear(**details: Any) -> None: ...

    sender = Kitchen()
    signal.connect(hear, sender=sender)
    del sender
    gc.collect()
    assert await signal.send(Kitchen()) == []
    signal.connect(hear)
    assert len(signal._connections) == 1


async def test_an_exception_comes_out_of_send_and_ends_it(signal: Signal):
    called: list[str] = []

    def fail(**details: Any) -> None:
        raise ValueError("burnt")

    def after(**details: Any) -> None:
        called.append("after")

    signal.connect(fail)
    signal.connect(after)
    with pytest.raises(ValueError, match="burnt"):
        await signal.send(None)
    assert called == []


async def test_send_robust_logs_an_exception_and_goes_on(signal: Signal, caplog: pytest.LogCaptureFixture):
    async def fail(**details: Any) -> None:
        raise ValueError("burnt")

    def after(**details: Any) -> int:
        return 1

    signal.connect(fail)
    signal.connect(after)
    with caplog.at_level(logging.ERROR, "transom.signals"):
        (_, failed), (_, answer) = await signal.send_robust(None)
    assert isinstance(failed, ValueError)
    assert answer == 1
    assert "fail failed in send_robust()" in caplog.text


async def test_cancellation_leaves_what_was_done_and_calls_nobody_more(signal: Signal):
    done: list[str] = []
    waiting = asyncio.Event()

    def before(**details: Any) -> None:
        done.append("before")

    async def wait(**details: Any) -> None:
        waiting.set()
        await asyncio.Event().wait()

    def after(**details: Any) -> None:
        done.append("after")

    for each in (before, wait, after):
        signal.connect(each)
    async with asyncio.TaskGroup() as tasks:
        task = tasks.create_task(signal.send_robust(None))
        await waiting.wait()
        task.cancel()
    assert task.cancelled()
    assert done == ["before"]


async def test_disconnecting_while_sending_counts_from_the_next_time(signal: Signal):
    def last(**details: Any) -> None: ...
    def first(**details: Any) -> None:
        signal.disconnect(last)

    signal.connect(first)
    signal.connect(last)
    assert len(await signal.send(None)) == 2
    assert len(await signal.send(None)) == 1


async def test_the_decorator_connects_to_several_signals(signal: Signal):
    other = Signal()

    @receiver([signal, other], sender=Kitchen)
    async def hear(**details: Any) -> str:
        return "heard"

    assert await signal.send(Kitchen) == await other.send(Kitchen) == [(hear, "heard")]


@pytest.mark.parametrize("wrong", [3, lambda sender: None])
def test_what_cannot_take_the_keywords_of_a_signal_is_refused(signal: Signal, wrong: Any):
    with pytest.raises(TypeError, match="receiver"):
        signal.connect(wrong)
