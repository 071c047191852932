"""Over sockets, the server answers as many requests as the reader finds, then refuses or closes: it loses and invents none."""

from __future__ import annotations

import logging
import random

import pytest
from http1_outcome import answer, bodies, read, serve_echo
from http1_streams import build_stream
from http1_vectors import Vector

from transom.server.http1 import Request

STREAMS = 1500


@pytest.mark.slow
async def test_the_server_answers_each_request_that_the_reader_finds(
    gunicorn_vectors: list[Vector], llhttp_vectors: list[Vector], caplog: pytest.LogCaptureFixture
):
    rng = random.Random(1)
    seeds = [vector.with_host() for vector in [*gunicorn_vectors, *llhttp_vectors]]
    wrong: list[tuple[bytes, list[int], list[int]]] = []
    compared = 0
    caplog.set_level(logging.WARNING)
    async with serve_echo() as (port, seen):
        for _ in range(STREAMS):
            stream = build_stream(rng.randbytes(64), seeds)
            events = read([stream])
            if any(isinstance(event, Request) and event.facts.upgrade == b"websocket" for event in events):
                continue  # another protocol decides what comes next
            expected = [200] * len(bodies(events)) + [event for event in events if isinstance(event, int)]
            half = rng.randrange(len(stream) + 1)
            seen.clear()
            statuses = await answer(port, [stream[:half], stream[half:]])
            compared += len(expected)
            if statuses != expected or [scope["body"] for scope in seen] != bodies(events):
                wrong.append((stream, statuses, expected))
    assert wrong == []
    assert compared > STREAMS
    assert caplog.records == []
