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
        ({"loop": "curio"}, "loop: 'curio' is not a choice; choose from auto, uvloop, asyncio"),
        ({"port": 70_000}, "port: 70000 is not a port"),
        ({"workers": 0}, "workers: 0 must be at least 1"),
        ({"wsgi_threads": 0}, "wsgi_threads: 0 must be at least 1"),
        ({"timeout_header": -1}, "timeout_header: -1 must not be negative"),
        ({"timeout_header": float("nan")}, "timeout_header: nan is not a number one can count to"),
        ({"timeout_header": float("inf")}, "timeout_header: inf is not a number one can count to"),
        ({"root_path": "app/"}, "root_path: 'app/' must begin with a slash"),
        ({"uds_permissions": "888"}, "uds_permissions: '888' is not an octal mode"),
        ({"uds_permissions": "rw"}, "uds_permissions: 'rw' is not an octal mode"),
        ({"header": ("x-fine:1", "nothing")}, "header: 'nothing' is not NAME:VALUE"),
        ({"header": ("x y:1",)}, "header: 'x y:1' is not NAME:VALUE"),
        ({"header": ("x:1\r\ny:2",)}, r"header: 'x:1\\r\\ny:2' is not NAME:VALUE"),
        ({"header": ("Content-Length: 1",)}, "names content-length, which the server sets itself"),
        ({"access_log_format": "%(z)s"}, r"access_log_format: '%\(z\)s' unknown atom 'z'"),
        ({"forwarded_allow_ips": ("::1", "proxy.local")}, "'proxy.local' is no address or network"),
    ],
)
def test_bad_value_says_what_is_allowed(options, text):
    with pytest.raises(ValueError, match=text):
        Config(**options)


def test_fields_to_add_to_responses_are_parsed():
    config = Config(header=("X-Frame-Options:DENY", "X-Note:  a: b \t", "x-empty:"))
    assert config.headers == ((b"x-frame-options", b"DENY"), (b"x-note", b"a: b"), (b"x-empty", b""))
