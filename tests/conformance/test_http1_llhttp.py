"""llhttp's request vectors against our server, over real sockets.

166 vectors come with a log of what llhttp finds; 74 of the logs end in an error. (Who looks for pairs of blocks only, and not for
the settings before them, counts 162 and 72.) All 74 must be refused, those too where llhttp only hands the connection over, after
CONNECT or an Upgrade, and those of its lenient modes, which we do not have.

*Refused* means: no response below 400 beyond the requests that llhttp found whole before the error, then one from 400 on or none,
then the end of the connection.
"""

from __future__ import annotations

import pytest
from http1_outcome import answer, serve_echo
from http1_vectors import Vector

pytestmark = pytest.mark.slow

REFUSED = {
    "connection: CRLF between requests, implicit `keep-alive`": "more than one empty line (RFC 9112 section 2.2)",
    "content-length: Content-Length reset when no body is received": "a parser that was told to skip the body",
    "method: M-SEARCH request": "the asterisk-form is for OPTIONS alone (RFC 9112 section 3.2.4)",
    "method: SOURCE request with ICE": "not HTTP (RFC 9112 section 2.3)",
    "method: OPTIONS request with RTSP": "not HTTP",
    "method: ANNOUNCE request with RTSP": "not HTTP",
    "sample: No HTTP version": "HTTP/0.9 (RFC 9112 section 2.3)",
    "transfer-encoding: POST with `chunked` as last transfer-encoding": "a fragment in the target (RFC 9112 section 3.2)",
    "transfer-encoding: POST with `chunked` as last transfer-encoding (multiple headers)": "as above",
    "uri: Fragment in URI": "a fragment in the target (RFC 9112 section 3.2)",
    "uri: `host:port` and basic auth": "user information in the target (RFC 9110 section 4.2.4)",
}


async def test_all_errors_are_refused(llhttp_vectors: list[Vector]):
    """As they stand, and with the Host that many of them lack: it must not be the lack of one that saves us."""
    vectors = [vector for vector in llhttp_vectors if vector.error]
    wrong: dict[str, list[int]] = {}
    async with serve_echo() as (port, _):
        for vector in vectors:
            for data in {vector.data, vector.with_host()}:
                statuses = await answer(port, [data])
                served = [status for status in statuses if status < 400]
                if len(served) > vector.complete:
                    wrong[vector.name] = statuses
    assert len(vectors) == 74
    assert wrong == {}


async def test_what_is_valid_is_served(llhttp_vectors: list[Vector]):
    vectors = [v for v in llhttp_vectors if not v.error and v.options["type"] == "request"]
    refused: set[str] = set()
    async with serve_echo() as (port, _):
        for vector in vectors:
            statuses = await answer(port, [vector.with_host()])
            if statuses != [200] * vector.complete:
                refused.add(vector.name)
    assert len(vectors) == 69
    assert refused == set(REFUSED)
