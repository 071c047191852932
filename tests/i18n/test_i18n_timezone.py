"""The active zone; naive times are errors."""

import asyncio
from datetime import UTC, datetime

import pytest

from transom.i18n import timezone
from transom.web import App

WHEN = datetime(2026, 7, 1, 22, tzinfo=UTC)


def test_now_is_aware_and_in_utc():
    assert timezone.now().tzinfo is UTC


def test_zone_of_the_site_is_the_default():
    App([], secret_key="k" * 40, time_zone="Europe/Oslo")
    assert timezone.localtime(WHEN).isoformat() == "2026-07-02T00:00:00+02:00"


def test_override_ends_with_its_block():
    with timezone.override("Asia/Tokyo"):
        assert timezone.localtime(WHEN).hour == 7
        with timezone.override(None):
            assert str(timezone.get_current_timezone()) != "Asia/Tokyo"
        assert timezone.localtime().tzinfo == timezone.get_current_timezone()
    assert str(timezone.get_current_timezone()) != "Asia/Tokyo"


async def test_zone_is_of_the_task():
    async def hour(zone):
        timezone.activate(zone)
        await asyncio.sleep(0)
        return timezone.localtime(WHEN).hour

    assert await asyncio.gather(hour("Asia/Tokyo"), hour(UTC)) == [7, 22]


def test_naive_time_is_an_error():
    with pytest.raises(ValueError, match="is naive"):
        timezone.localtime(datetime(2026, 7, 1))


@pytest.mark.parametrize("name", ["Europe/Olso", "../../etc/passwd", "", "Europe", "\0"])
def test_unknown_zone_is_an_error(name):
    with pytest.raises(ValueError, match="unknown time zone"):
        timezone.activate(name)


def test_close_zone_is_named():
    with pytest.raises(ValueError, match="did you mean 'Europe/Oslo'"):
        timezone.activate("Europe/Olso")
