"""Formats of the access log: what stands in a line, and what can never stand there."""

from __future__ import annotations

import json
import os
import re
import string
import time
from datetime import datetime
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from transom.server.logs.access import AccessEntry
from transom.server.logs.access_format import compile_format, escape

NOON = datetime(2026, 3, 1, 12, 0, 0, 250_000).astimezone()


def entry(**changes: Any) -> AccessEntry:
    plain = AccessEntry(
        client="192.0.2.1",
        method="GET",
        scheme="https",
        path=b"/a",
        query=b"x=1",
        http_version="1.1",
        status=200,
        size=5,
        duration=1.25,
        when=NOON.timestamp(),
        headers=[(b"host", b"example.org"), (b"user-agent", b"curl"), (b"referer", b"here")],
        response_headers=[(b"X-Cache", b"HIT")],
    )
    return plain._replace(**changes)


def render(text: str, **changes: Any) -> str:
    return compile_format(text).render(entry(**changes))


def test_combined_is_ncsa_s_with_the_duration_behind_it():
    clock = NOON.strftime("%d/%b/%Y:%H:%M:%S %z")
    assert render("combined") == f'192.0.2.1 - - [{clock}] "GET /a?x=1 HTTP/1.1" 200 5 "here" "curl" 1.250000'
    assert render("combined", headers=[], query=b"").endswith('"GET /a HTTP/1.1" 200 5 "-" "-" 1.250000')


def test_combined_ends_with_the_request_id_where_there_are_ids():
    line = compile_format("combined", request_id=True).render(entry(headers=[(b"x-request-id", b"abc")]))
    assert line.endswith("1.250000 abc")


def test_json_has_a_key_for_everything_and_null_for_what_is_not_there():
    assert json.loads(render("json")) == {
        "time": NOON.isoformat(),
        "client": "192.0.2.1",
        "method": "GET",
        "scheme": "https",
        "host": "example.org",
        "path": "/a",
        "query": "x=1",
        "protocol": "HTTP/1.1",
        "status": 200,
        "bytes": 5,
        "duration": 1.25,
        "referer": "here",
        "user_agent": "curl",
        "request_id": None,
    }


@pytest.mark.parametrize(
    ("text", "line"),
    [
        ("%(h)s %(l)s %(u)s", "192.0.2.1 - -"),
        ("%(r)s", "GET /a?x=1 HTTP/1.1"),
        ("%(m)s|%(U)s|%(q)s|%(H)s", "GET|/a|x=1|HTTP/1.1"),
        ("%(s)s %(B)s %(b)s", "200 5 5"),
        ("%(f)s %(a)s", "here curl"),
        ("%(T)s %(M)s %(D)s %(L)s", "1 1250 1250000 1.250000"),
        ("%(D)d", "1250000"),
        ("%({Host}i)s %({nosuch}i)s", "example.org -"),
        ("%({x-cache}o)s %({nosuch}o)s", "HIT -"),
        ("%({NOSUCH_VARIABLE}e)s", "-"),
        ("100%% of %(U)s", "100% of /a"),
        ("{plain} text", "{plain} text"),
    ],
)
def test_atoms_are_gunicorn_s(text: str, line: str):
    assert render(text) == line


def test_atom_of_the_process_is_its_id():
    assert render("%(p)s") == f"<{os.getpid()}>"


def test_time_is_that_of_the_end_of_the_response():
    assert render("%(t)s") == NOON.strftime("[%d/%b/%Y:%H:%M:%S %z]")
    assert render("%(t)s", when=0.0) == time.strftime("[%d/%b/%Y:%H:%M:%S %z]", time.localtime(0))


def test_variables_are_those_of_the_environment(monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setenv("RELEASE", "v1")
    assert render("%({RELEASE}e)s") == "v1"


def test_a_response_without_body_has_a_dash_in_common_log_format():
    assert render("%(b)s %(B)s", size=0) == "- 0"


@pytest.mark.parametrize(
    ("credentials", "user"),
    [
        (b"Basic YWRhOnNlY3JldA==", "ada"),  # ada:secret
        (b"basic YWRhIGI6", r"ada\x20b"),  # a space would be one more column
        (b"Basic YWRh", "-"),
        (b"Basic %%%", "-"),
        (b"Bearer YWRhOnNlY3JldA==", "-"),
    ],
)
def test_user_is_the_name_of_basic_authentication_and_never_more(credentials: bytes, user: str):
    assert render("%(u)s", headers=[(b"authorization", credentials)]) == user


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("%(z)s", r"unknown atom 'z'; choose from h, l, u"),
        ("%({x}z)s", "unknown atom '{x}z'"),
        ("%(h)x", r"'%\(h\)x' is no directive"),
        ("%(h)", r"'%\(h\)' is no directive"),
        ("50%", "'%' is no directive"),
        ("%h", "'%' is no directive"),
        ("%({Authorization}i)s", "'Authorization' holds secrets"),
        ("%({set-cookie}o)s", "'set-cookie' holds secrets"),
    ],
)
def test_a_mistake_in_a_format_is_found_when_it_is_compiled(text: str, message: str):
    with pytest.raises(ValueError, match=message):
        compile_format(text)


def test_response_headers_are_wanted_only_by_a_format_that_shows_some():
    assert compile_format("%({etag}o)s").wants_response_headers
    assert not any(
        compile_format(text).wants_response_headers for text in ("combined", "json", "%({etag}i)s")
    )


@pytest.mark.parametrize("data", [b"\n", b"\r", b"\x1b", b"\x00", b"\x7f", b"\x85", b"\x9b", b"\xe2\x80\xa8"])
def test_what_is_not_printable_ascii_is_escaped(data: bytes):
    assert escape(data) == "".join(f"\\x{byte:02x}" for byte in data)


def test_quotes_and_backslashes_cannot_end_a_field():
    assert escape(rb'a"b\c') == r"a\"b\\c"


HOSTILE = st.binary(max_size=40) | st.sampled_from(
    [b'" 200 "', b"\r\nfake", b"\x1b[31m", b"\xe2\x80\xa8", b"\\"]
)
ALL_ATOMS = " ".join(
    f"%({atom})s" for atom in ("h", "u", "r", "m", "U", "q", "f", "a", "{x-any}i", "{x-any}o")
)


@pytest.mark.slow
@given(data=HOSTILE, client=st.text(max_size=20))
@pytest.mark.parametrize("text", ["combined", "json", ALL_ATOMS])
def test_no_control_character_reaches_a_line(text: str, data: bytes, client: str):
    fields = [(name, data) for name in (b"host", b"referer", b"user-agent", b"x-any", b"x-request-id")]
    line = render(text, client=client, path=data, query=data, headers=fields, response_headers=fields)
    assert set(line) <= set(string.printable) - set("\t\n\r\x0b\x0c")
    if text == "combined":
        assert len(re.findall(r'(?<!\\)(?:\\\\)*"', line)) == 6
    elif text == "json":
        assert json.loads(line)["bytes"] == 5
