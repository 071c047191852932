"""Filters that Jinja2 does not have."""

from __future__ import annotations

from datetime import UTC, date, datetime, timedelta
from zoneinfo import ZoneInfo

import pytest

MOMENT = datetime(2026, 8, 3, 13, 5, 9, tzinfo=UTC)


@pytest.mark.parametrize(
    ("format", "expected"),
    [
        ("N j, Y", "Aug. 3, 2026"),
        ("N j, Y, P", "Aug. 3, 2026, 1:05 p.m."),
        ("D d M y H:i:s", "Mon 03 Aug 26 13:05:09"),
        ("l jS F", "Monday 3rd August"),
        ("n/m g:i A", "8/08 1:05 PM"),
        ("c", "2026-08-03T13:05:09+00:00"),
        ("O T U t z L W o w", "+0000 UTC 1785762309 31 215 False 32 2026 1"),
        (r"\a\t H\h", "at 13h"),
    ],
)
async def test_date_formats(build_engine, format, expected):
    engine = build_engine()
    assert (
        await engine.render_string("{{ when | date(format) }}", {"when": MOMENT, "format": format})
        == expected
    )


async def test_date_default_none_and_plain_dates(build_engine):
    engine = build_engine()
    assert (
        await engine.render_string("{{ x | date }}|{{ none | date }}", {"x": date(2026, 5, 1)})
        == "May 1, 2026|"
    )
    with pytest.raises(ValueError, match="'H' needs a time"):
        await engine.render_string("{{ x | date('H') }}", {"x": date(2026, 5, 1)})
    with pytest.raises(TypeError, match="'soon' is no date"):
        await engine.render_string("{{ 'soon' | date }}", {})


@pytest.mark.parametrize(
    ("hour", "minute", "expected"),
    [(0, 0, "midnight"), (12, 0, "noon"), (1, 0, "1 a.m."), (12, 30, "12:30 p.m.")],
)
async def test_date_time_of_day(build_engine, hour, minute, expected):
    when = MOMENT.replace(hour=hour, minute=minute)
    assert await build_engine().render_string("{{ when | date('P') }}", {"when": when}) == expected


async def test_date_shows_aware_moments_in_the_time_zone(build_engine):
    engine = build_engine(time_zone=ZoneInfo("Asia/Tokyo"))
    naive = MOMENT.replace(tzinfo=None)
    source = "{{ aware | date('H:i') }} {{ naive | date('H:i') }}"
    assert await engine.render_string(source, {"aware": MOMENT, "naive": naive}) == "22:05 13:05"


@pytest.mark.parametrize(
    ("source", "expected"),
    [
        ("vote{{ 1 | pluralize }} vote{{ 0 | pluralize }} {{ '2' | pluralize }}", "vote votes s"),
        ("cherr{{ [1] | pluralize('y,ies') }} cherr{{ [] | pluralize('y,ies') }}", "cherry cherries"),
        ("{{ 'a\\nb\\r\\n\\r\\n<c>' | linebreaks }}", "<p>a<br>b</p>\n\n<p>&lt;c&gt;</p>"),
        ("{{ '<a>\\nb' | linebreaksbr }}", "&lt;a&gt;<br>b"),
        ("{{ ('<b>' | safe) | linebreaksbr }}", "<b>"),
        ("{{ 'Crème  brûlée, twice!' | slugify }}", "creme-brulee-twice"),
        ("{{ 'a b  c d' | truncatewords(2) }} {{ 'a b' | truncatewords(2) }}", "a b … a b"),
        ("{{ true | yesno }} {{ none | yesno }} {{ none | yesno('on,off,unset') }}", "yes no unset"),
    ],
)
async def test_text_filters(build_engine, source, expected):
    assert await build_engine().render_string(source, {}) == expected


async def test_json_script_cannot_be_broken_out_of(build_engine):
    text = await build_engine().render_string("{{ v | json_script(i) }}", {"v": "</script>&", "i": '"x'})
    assert text == '<script id="&#34;x" type="application/json">"\\u003c/script\\u003e\\u0026"</script>'


@pytest.mark.parametrize(
    ("age", "expected"),
    [
        (timedelta(seconds=59), "0 minutes"),
        (timedelta(minutes=-5), "0 minutes"),
        (timedelta(minutes=1), "1 minute"),
        (timedelta(days=1, hours=3, minutes=9), "1 day, 3 hours"),
        (timedelta(days=365, minutes=3), "1 year"),
        (timedelta(days=16), "2 weeks, 2 days"),
    ],
)
async def test_timesince(build_engine, age, expected):
    source = "{{ then | timesince(now) }}"
    assert await build_engine().render_string(source, {"then": MOMENT - age, "now": MOMENT}) == expected
