"""Where we accept a request, other parsers that do read the same: line, fields, body, and where the next one begins."""

from __future__ import annotations

import os
import re
from collections import Counter

import pytest
from http1_oracles import Message, Reading, read_h11, read_httptools, read_ours
from http1_streams import build_stream
from http1_vectors import Vector
from hypothesis import HealthCheck, Phase, given, settings
from hypothesis import strategies as st

from transom.server.http1 import HeadParser, Limits, RequestReader

STATUSES = {400, 413, 414, 417, 431, 501}
LIMITS = Limits()
CASES = 20_000
STREAMS = 10  # in one example: what Hypothesis does around each takes longer than to read a stream
# What another parser refuses though we must not: what to look for in the bytes, and why.
STRICTER = {
    "bad whitespace in a chunk extension is to be parsed (RFC 9110 section 5.6.3, RFC 9112 section 7.1.1)": re.compile(
        rb"\r\n[0-9A-Fa-f]+[^\r\n]*[ \t][^\r\n]*\r\n"
    ),
}
MANY_CASES = int(os.environ.get("TRANSOM_TEST_FUZZ_CASES", "200000"))


class Comparison:
    """Compares one stream after the other, and counts, so that a test can tell that it compared anything."""

    def __init__(self, vectors: list[Vector]) -> None:
        self.seeds = [
            data for vector in vectors for data in (vector.with_host(), vector.data) if len(data) < 4096
        ]
        self.counts: Counter[str] = Counter()
        self.parser = HeadParser()  # as in a worker, where all connections share one

    def check(self, choices: bytes) -> None:
        """Read the stream that these bytes make, in one piece and in many, and compare each request in it."""
        stream = build_stream(choices, self.seeds)
        reading = read_ours(RequestReader(LIMITS, self.parser), [stream])
        self.counts["streams"] += 1
        self.counts["refused"] += reading.refusal is not None
        assert reading.refusal in STATUSES | {None}
        self._check_split(stream, choices, reading)
        for message, start in zip(reading.messages, reading.starts, strict=True):
            self._check_message(stream[start:], message, start)

    def _check_split(self, stream: bytes, choices: bytes, reading: Reading) -> None:
        """Cut to pieces, and by a parser that has seen nothing else, it is the same."""
        step = 1 + choices[-1] % 7
        pieces = [stream[i : i + step] for i in range(0, len(stream), step)]
        assert read_ours(RequestReader(LIMITS), pieces) == reading

    def _check_message(self, data: bytes, message: Message, start: int) -> None:
        end = None if message.end is None else message.end - start
        self.counts["complete" if end else "incomplete"] += 1
        # h11 takes no empty line before a request; we take one (RFC 9112 section 2.2).
        blank = 2 if data.startswith(b"\r\n") else 0
        theirs = read_h11(data[blank:])
        if theirs and theirs.end:
            theirs.end += blank
        for name, other in (("h11", theirs), ("httptools", read_httptools(data, end))):
            if other is not None:
                self.counts[name] += 1
                self._check_equal(name, message, other, end)
            elif end:  # what is not complete may be refused for bytes that we have not looked at
                reason = next((why for why, pattern in STRICTER.items() if pattern.search(data)), None)
                assert reason is not None, f"{name} refuses what we accept"
                self.counts[reason] += 1

    def _check_equal(self, name: str, message: Message, other: Message, end: int | None) -> None:
        assert head(other) == head(message), name
        # llhttp takes Proxy-Connection for Connection, and on HTTP/1.0 lets keep-alive win over close (RFC 9112 section 9.3).
        if other.keep_alive is not None and b"proxy-connection" not in dict(message.headers):
            options = b",".join(value for name, value in message.headers if name == b"connection").lower()
            closes = b"close" in [option.strip(b" \t") for option in options.split(b",")]
            assert message.keep_alive == (other.keep_alive and not closes), name
        if other.upgraded:  # we ignore the wish (RFC 9110 section 7.8), and so the body is one
            self.counts["upgraded"] += 1
        elif end is None:
            assert message.body == other.body[: len(message.body)], name
        else:
            assert (message.body, end) == (other.body, other.end), name


def head(message: Message) -> tuple[bytes, bytes, bytes, list[tuple[bytes, bytes]]]:
    # h11 writes a transfer coding in lower case.
    headers = [(n, v.lower() if n == b"transfer-encoding" else v) for n, v in message.headers]
    return message.method, message.target, message.version, headers


def compare(vectors: list[Vector], cases: int, *, derandomize: bool) -> Counter[str]:
    comparison = Comparison(vectors)

    @settings(
        max_examples=-(-cases // STREAMS),
        derandomize=derandomize,
        database=None,
        deadline=None,
        phases=(Phase.generate, Phase.shrink),
        suppress_health_check=list(HealthCheck),
    )
    @given(st.lists(st.binary(min_size=64, max_size=64), min_size=STREAMS, max_size=STREAMS))
    def run(streams: list[bytes]) -> None:
        for choices in streams:
            comparison.check(choices)

    run()
    return comparison.counts


@pytest.mark.slow
@pytest.mark.timeout(600)
def test_we_read_requests_as_other_parsers_do(gunicorn_vectors: list[Vector], llhttp_vectors: list[Vector]):
    counts = compare([*gunicorn_vectors, *llhttp_vectors], CASES, derandomize=True)
    assert counts["streams"] >= CASES
    # It would pass if all were refused, or nothing; so it must not be so.
    assert counts["refused"] > CASES / 4
    assert counts["h11"] > CASES / 3
    assert counts["httptools"] > CASES / 3


@pytest.mark.conformance
@pytest.mark.timeout(7200)
def test_we_read_many_more_requests_as_other_parsers_do(
    gunicorn_vectors: list[Vector], llhttp_vectors: list[Vector]
):
    """Others each time, as many as TRANSOM_TEST_FUZZ_CASES says."""
    counts = compare([*gunicorn_vectors, *llhttp_vectors], MANY_CASES, derandomize=False)
    print(f"\nHTTP/1 differential fuzzing: {dict(counts)}")
    assert counts["h11"] > MANY_CASES / 3
