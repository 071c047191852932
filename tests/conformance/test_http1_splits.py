"""The outcome does not depend on how the network cuts the bytes: whole, one by one and at random places, all is the same."""

from __future__ import annotations

import pytest
from http1_outcome import answer, cuts, read, serve_echo
from http1_vectors import Vector

pytestmark = pytest.mark.slow


@pytest.fixture(scope="module")
def streams(gunicorn_vectors: list[Vector], llhttp_vectors: list[Vector]) -> list[bytes]:
    """Every vector as it stands and with a Host, and each behind a good request on the same connection."""
    first = b"GET /first HTTP/1.1\r\nHost: example.com\r\n\r\n"
    found: dict[bytes, None] = {}
    for vector in [*gunicorn_vectors, *llhttp_vectors]:
        for data in (vector.data, vector.with_host()):
            found |= {data: None, first + data: None}
    return list(found)


def test_the_reader_finds_the_same_in_every_split(streams: list[bytes]):
    wrong: list[bytes] = []
    for seed, data in enumerate(streams):
        whole = read([data])
        if any(read(pieces) != whole for pieces in cuts(data, seed, 5)):
            wrong.append(data)
    assert len(streams) > 800
    assert wrong == []


async def test_the_server_answers_the_same_to_every_split(streams: list[bytes]):
    """Over a socket, for each seventh stream of those that are short."""
    short = [data for data in streams if len(data) < 500][::7]
    wrong: list[bytes] = []
    async with serve_echo() as (port, _):
        for seed, data in enumerate(short):
            whole = await answer(port, [data])
            for pieces in cuts(data, seed, 1):
                if await answer(port, pieces) != whole:
                    wrong.append(data)
    assert len(short) > 80
    assert wrong == []
