"""What a client sends over HTTP/2 is taken or refused, and read, by us as by the library h2, but for known differences."""

from __future__ import annotations

import os
from collections import Counter

import pytest
from http2_conversations import GOAWAY, Conversation, parse_frame
from http2_differences import ANSWERED, LAXER, STRICTER, Case, Rules
from http2_oracles import GREETING, Application, Data, Ours, Refused, Request, Theirs, Verdict, read_ours
from hypothesis import HealthCheck, Phase, given, settings
from hypothesis import strategies as st

CASES = 1500
MANY_CASES = int(os.environ.get("TRANSOM_TEST_FUZZ_CASES", "200000")) // 10
CONVERSATIONS = (
    10  # in one example: what Hypothesis does around each takes longer than to read a conversation
)


class Comparison:
    """Compares one conversation after the other, and counts, so that a test can tell that it compared anything."""

    def __init__(self) -> None:
        self.counts: Counter[str] = Counter()

    def check(self, choices: bytes) -> None:
        """Have both read the conversation that these bytes make, frame by frame, as long as they go the same way."""
        conversation = Conversation(choices, GREETING)
        self._check_cuts(b"".join(conversation.pieces), choices)
        self.counts["valid" if conversation.is_valid else "odd"] += 1
        ours, theirs, application = Ours(), Theirs(), Application()
        left: Counter[int] = Counter()
        for position, piece in enumerate(conversation.pieces):
            frame = parse_frame(piece)
            stream_id, was_reset = frame.stream_id, frame.stream_id in ours.resets
            case = Case(frame, position, ours.feed(piece), theirs.feed(piece), left[stream_id], was_reset)
            assert case.ours.verdict == Verdict.ACCEPTED or not conversation.is_valid, case
            self.counts["frames"] += 1
            if not self._agree(case):
                return
            for event in case.ours.events:
                if isinstance(event, Request):
                    left[event.stream_id] = int(dict(event.fields).get(b"content-length", 0))
                elif isinstance(event, Data):
                    left[event.stream_id] -= len(event.data)
            for stream_id in application.take(case.ours):
                ours.answer(stream_id)
                theirs.answer(stream_id)

    def _check_cuts(self, data: bytes, choices: bytes) -> None:
        """Cut to pieces of any size, it is the same."""
        step = 1 + choices[-1] % 30
        assert read_ours([data]) == read_ours([data[i : i + step] for i in range(0, len(data), step)])

    def _agree(self, case: Case) -> bool:
        """Compare what became of one frame; return whether both go on."""
        ours, theirs = case.ours, case.theirs
        if ours == theirs and ours.verdict == Verdict.ACCEPTED:
            self.counts["events"] += len(ours.events)
            return (
                case.frame.type != GOAWAY
            )  # behind it h2 reads nothing, we serve what has begun (section 6.8)
        if ours.verdict == Verdict.ACCEPTED:
            refused = next((event for event in ours.events if isinstance(event, Refused)), None)
            if refused is not None and theirs.verdict == Verdict.ENDED:
                self.counts["refused"] += 1
            elif refused is not None:
                self.counts[f"answered with {refused.status}"] += 1
                assert ANSWERED[refused.status](case), case
            else:
                self._explain(LAXER, case)
        elif (
            theirs.verdict >= ours.verdict
        ):  # for h2, most of what is wrong with a stream is wrong with the connection
            self.counts[ours.verdict.name.lower()] += 1
        else:
            self._explain(STRICTER, case)
        return ours.verdict == Verdict.ACCEPTED and theirs.verdict != Verdict.ENDED

    def _explain(self, rules: Rules, case: Case) -> None:
        reason = next((why for why, rule in rules.items() if rule(case)), None)
        assert reason is not None, case
        self.counts[reason] += 1


def compare(cases: int, *, derandomize: bool) -> Counter[str]:
    comparison = Comparison()

    @settings(
        max_examples=-(-cases // CONVERSATIONS),
        derandomize=derandomize,
        database=None,
        deadline=None,
        phases=(Phase.generate, Phase.shrink),
        suppress_health_check=list(HealthCheck),
    )
    @given(st.lists(st.binary(min_size=200, max_size=200), min_size=CONVERSATIONS, max_size=CONVERSATIONS))
    def run(conversations: list[bytes]) -> None:
        for choices in conversations:
            comparison.check(choices)

    run()
    return comparison.counts


@pytest.mark.slow
@pytest.mark.timeout(600)
def test_we_read_connections_as_h2_does():
    counts = compare(CASES, derandomize=True)
    # It would pass if all were refused, or nothing; so it must not be so.
    assert counts["valid"] > CASES / 10
    assert counts["events"] > CASES / 2
    assert counts["ended"] + counts["reset"] > CASES / 10


@pytest.mark.conformance
@pytest.mark.timeout(7200)
def test_we_read_many_more_connections_as_h2_does():
    """Others each time, a tenth as many as TRANSOM_TEST_FUZZ_CASES says."""
    counts = compare(MANY_CASES, derandomize=False)
    print(f"\nHTTP/2 differential fuzzing: {dict(counts)}")
    assert counts["events"] > MANY_CASES / 2
