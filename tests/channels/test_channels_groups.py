"""`groups`, `group_send`, and what they accept."""

from __future__ import annotations

import asyncio
from datetime import datetime

import pytest

from transom.channels import Groups, MemoryLayer, group_send, groups


async def test_group_send_reaches_the_subscribers_of_groups():
    async with groups.subscribe("poll-3") as messages:
        await group_send(
            "poll-3", {"votes": {"7": 12}, "live": True, "share": 0.5, "note": None, "list": (1, "é")}
        )
        assert await anext(messages) == {
            "votes": {"7": 12},
            "live": True,
            "share": 0.5,
            "note": None,
            "list": [1, "é"],
        }


def test_each_event_loop_has_its_own_layer():
    async def layer() -> object:
        assert groups.layer is groups.layer
        return groups.layer

    assert asyncio.run(layer()) is not asyncio.run(layer())


def test_layer_goes_with_its_loop():
    groups = Groups()

    async def use() -> None:
        assert groups.layer

    asyncio.run(use())
    import gc

    gc.collect()
    assert len(groups._layers) == 0


async def test_configure_replaces_the_layer():
    groups = Groups()
    before = groups.layer
    layer = MemoryLayer(capacity=1)
    groups.configure(lambda: layer)
    assert groups.layer is layer is not before


def test_outside_a_loop_is_a_clear_error():
    with pytest.raises(RuntimeError, match="no running event loop"):
        groups.subscribe("g")


@pytest.mark.parametrize("name", ["", "a b", "a/b", "é", "a\n", "x" * 101])
async def test_bad_group_name_is_refused(name):
    with pytest.raises(ValueError, match=r"invalid group name .* expected 1 to 100 ASCII letters"):
        await group_send(name, {})
    with pytest.raises(ValueError, match="invalid group name"):
        async with groups.subscribe(name):
            pass


@pytest.mark.parametrize("name", ["a", "poll-3", "A_b.c-9", "x" * 100])
async def test_good_group_name_is_accepted(name):
    await group_send(name, {})


@pytest.mark.parametrize(
    ("message", "error"),
    [
        ({"when": datetime(2026, 1, 1)}, r"message\['when'\] is of type datetime, which JSON cannot hold"),
        ({"rows": [{"id": {1}}]}, r"message\['rows'\]\[0\]\['id'\] is of type set"),
        ({"votes": {7: 1}}, r"message\['votes'\] has the key 7 of type int; JSON keys are strings"),
        ({"x": float("nan")}, r"message\['x'\] is nan"),
        ({"x": b"y"}, r"message\['x'\] is of type bytes"),
        (["x"], "a message is a dict of JSON values, not list"),
    ],
)
async def test_message_that_is_no_json_says_where(message, error):
    with pytest.raises(TypeError, match=error):
        await group_send("g", message)
