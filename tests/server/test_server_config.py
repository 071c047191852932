"""Options are declared once and carry all that a command line needs."""

from __future__ import annotations

import pytest

from transom.server import Config


def test_every_option_has_flags_help_and_environment():
    options = list(Config.options())
    assert [option.name for option in options] == list(Config.__dataclass_fields__)
    for option in options:
        assert option.help.endswith(".")
        assert option.flags[0].startswith(f"--{option.name.replace('_', '-')}")
        assert option.environment == f"TRANSOM_SERVE_{option.name.upper()}"
        assert option.type in (str, int, float, bool)


def test_no_two_options_share_a_flag():
    flags = [flag for option in Config.options() for spelling in option.flags for flag in spelling.split("/")]
    assert len(flags) == len(set(flags))


def test_shapes_of_options():
    options = {option.name: option for option in Config.options()}
    assert options["bind"].multiple
    assert options["uds"].optional
    assert options["loop"].choices == ("auto", "uvloop", "asyncio")
    assert (options["port"].type, options["port"].default) == (int, 8000)
    assert options["access_log"].flags == ("--access-log/--no-access-log",)


@pytest.mark.parametrize(
    ("options", "text"),
    [
        ({"loop": "curio"}, "choose from auto, uvloop, asyncio"),
        ({"port": 70_000}, "port"),
        ({"workers": 0}, "at least 1"),
        ({"timeout_header": -1}, "negative"),
        ({"root_path": "app/"}, "slash"),
        ({"forwarded_allow_ips": ("localhost",)}, "no address or network"),
    ],
)
def test_bad_value_says_what_is_allowed(options, text):
    with pytest.raises(ValueError, match=text):
        Config(**options)
