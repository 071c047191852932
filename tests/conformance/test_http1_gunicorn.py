"""gunicorn's request vectors against our server, over real sockets.

What its authors say must be refused is refused: with a status from 400 to 499, or by closing. What they serve is served, or
stands below with the section of the RFC that lets us refuse it. Limits are compared like with like: each vector runs under the
limits that it was written for.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from contextlib import AsyncExitStack
from typing import Any

import pytest
from http1_outcome import answer, serve_echo
from http1_vectors import Vector

pytestmark = pytest.mark.slow

# gunicorn's defaults. The settings of a vector are taken over where they exist in both servers.
LIMITS = {"limit_request_line": 4094, "limit_request_fields": 100, "limit_request_field_size": 8190}

OTHER_SETTINGS = {
    "invalid/019": "two fields of one trusted proxy that contradict each other; we take the scheme from one field only",
    "invalid/040": "header_map=refuse; in ASGI names with `_` and with `-` are different names",
    "invalid/chunked_07": "header_map=refuse, as above",
    "valid/028": "strip_header_spaces; whitespace before the colon is refused with 400 (RFC 9112 section 5.1)",
    "valid/031compat": "casefold_http_method; methods are case-sensitive (RFC 9110 section 9.1)",
    "valid/031compat2": "permit_unconventional_http_method; a method that we do not know (RFC 9110 section 9.1)",
    "valid/compat_obs_fold": "permit_obsolete_folding; a server may refuse it with 400 (RFC 9112 section 5.2)",
    "valid/compat_obs_fold_huge": "permit_obsolete_folding, as above",
    "valid/pp_03": "no PROXY protocol header where one is expected; a receiver must not guess (its specification, section 2)",
}

# What is sent back, and why.
REFUSED = {
    "valid/005": ([400], "no form of a request target has a fragment (RFC 9112 section 3.2)"),
    "valid/025": ([501], "a transfer coding that we do not know (RFC 9112 section 6.1)"),
    "valid/025_line": ([501], "as above"),
    "valid/029": ([501], "as above; `identity` is no transfer coding any more (RFC 9112 section 7)"),
    "valid/030": ([501], "as above"),
    "valid/031": ([501], "a method that we do not know (RFC 9110 section 9.1)"),
    "valid/099": ([], "a body shorter than its Content-Length is not complete (RFC 9112 section 6.3)"),
    "valid/rfc9112_smuggle_gzip_chunked_01": ([501], "a transfer coding that we do not know, as above"),
    "valid/rfc9112_smuggle_te_identity_chunked_01": ([501], "as above"),
    "valid/rfc9112_target_absolute_userinfo_01": (
        [400],
        "user information is an error (RFC 9110 section 4.2.4)",
    ),
    "valid/rfc9112_target_authority_connect_01": ([400], "CONNECT is for proxies (RFC 9110 section 9.3.6)"),
    "valid/rfc9112_target_authority_ipv6_01": ([400], "as above"),
}

Replay = Callable[[Vector, bytes], Awaitable[tuple[list[int], list[dict[str, Any]]]]]


@pytest.fixture
async def replay():
    """Send a vector to a server with its settings: the statuses that come back, and the requests that the application saw."""
    async with AsyncExitStack() as stack:
        servers: dict[str, tuple[int, list[dict[str, Any]]]] = {}

        async def send(vector: Vector, data: bytes) -> tuple[list[int], list[dict[str, Any]]]:
            taken = {name: value for name, value in vector.options.items() if name in LIMITS and value}
            options = LIMITS | taken
            if "proxy_protocol" in vector.options:
                options |= {"proxy_protocol": True}
            if (key := repr(options)) not in servers:
                servers[key] = await stack.enter_async_context(serve_echo(**options))
            port, seen = servers[key]
            seen.clear()
            return await answer(port, [data]), list(seen)

        yield send


async def test_what_must_be_refused_is_refused(gunicorn_vectors: list[Vector], replay: Replay):
    """As it stands, and with the Host that many of them lack: it must not be the lack of one that saves us."""
    vectors = [vector for vector in gunicorn_vectors if vector.error and vector.name not in OTHER_SETTINGS]
    wrong: dict[str, list[int]] = {}
    for vector in vectors:
        for data in {vector.data, vector.with_host()}:
            statuses, _ = await replay(vector, data)
            if not all(400 <= status < 500 for status in statuses):
                wrong[vector.name] = statuses
    assert len(vectors) == 78
    assert wrong == {}


async def test_what_is_valid_is_served_as_it_was_meant(gunicorn_vectors: list[Vector], replay: Replay):
    vectors = [vector for vector in gunicorn_vectors if not vector.error]
    wrong: dict[str, Any] = {}
    for vector in vectors:
        if vector.name in REFUSED or vector.name in OTHER_SETTINGS:
            continue
        statuses, seen = await replay(vector, vector.data)
        if statuses[-1:] == [400] and vector.with_host() != vector.data:
            # RFC 9112 3.2: a server must answer 400 to a request of HTTP/1.1 without Host.
            statuses, seen = await replay(vector, vector.with_host())
        expected = [expect(request) for request in vector.requests]
        if (
            statuses != [200] * len(expected)
            or [describe(*pair) for pair in zip(seen, vector.requests, strict=False)] != expected
        ):
            wrong[vector.name] = statuses, seen
    assert len(vectors) == 62
    assert wrong == {}


async def test_what_is_refused_for_a_reason_is_refused_in_that_way(
    gunicorn_vectors: list[Vector], replay: Replay
):
    """So that no entry of the tables outlives its reason."""
    found = {}
    for vector in gunicorn_vectors:
        if vector.name in REFUSED:
            statuses, _ = await replay(vector, vector.with_host())
            found[vector.name] = statuses
        elif vector.name in OTHER_SETTINGS and not vector.error:
            statuses, _ = await replay(vector, vector.with_host())
            assert not any(status < 400 for status in statuses), vector.name
    assert found == {name: statuses for name, (statuses, _) in REFUSED.items()}


def expect(request: dict[str, Any]) -> dict[str, Any]:
    """A request in gunicorn's words, put into those of a scope."""
    target = request["uri"]
    if "://" in target:  # the scope has the path alone
        target = "/" + target.partition("://")[2].partition("/")[2]
    body = request["body"]
    return {
        "method": request["method"],
        "target": target.encode(),
        "http_version": "{}.{}".format(*request["version"]),
        "headers": [(name.lower(), value) for name, value in request["headers"]],
        "body": body if isinstance(body, bytes) else body.encode(),
    }


def describe(scope: dict[str, Any], request: dict[str, Any]) -> dict[str, Any]:
    """What the application saw, less what gunicorn leaves out of the fields or we have added."""
    expected = {name.lower() for name, _ in request["headers"]}
    headers = [(name.decode(), value.decode("latin-1")) for name, value in scope["headers"]]
    query = scope["query_string"]
    return {
        "method": scope["method"],
        "target": scope["raw_path"] + (b"?" + query if query else b""),
        "http_version": scope["http_version"],
        "headers": [
            field for field in headers if field[0] in expected or not (field[0] == "host" or "_" in field[0])
        ],
        "body": scope["body"],
    }
