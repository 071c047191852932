"""Where our session and h2 are known to judge a frame differently, and which section lets us, or asks us to.

Each reason has a rule that looks at the frame, or at what h2 has read in it, so that nothing else passes under its name.
"""

from __future__ import annotations

import re
import struct
from collections.abc import Callable
from dataclasses import dataclass
from typing import Final, TypeAlias

from http2_conversations import (
    ACK,
    CONTINUATION,
    DATA,
    HAS_PRIORITY,
    HEADERS,
    PADDED,
    PRIORITY,
    PRIORITY_UPDATE,
    PUSH_PROMISE,
    RST_STREAM,
    SETTINGS,
    WINDOW_UPDATE,
    Frame,
)
from http2_oracles import Request, Step, Verdict

from transom.server.http1.body import FORBIDDEN_TRAILERS
from transom.server.target import METHODS

MAX_FRAME_SIZE: Final = 16_384
MAX_LENGTH_DIGITS: Final = 18
NO_RFC7540_PRIORITIES: Final = 9


@dataclass
class Case:
    """One frame that was not taken in the same way.

    Attributes:
        position: of the frame, 1 for the first.
        ours: what it led to here.
        theirs: what it led to in h2.
        left: bytes of the body that `content-length` still promises on its stream.
        was_reset: whether we had reset its stream.
    """

    frame: Frame
    position: int
    ours: Step
    theirs: Step
    left: int = 0
    was_reset: bool = False

    @property
    def settings(self) -> list[tuple[int, int]]:
        """Settings in the frame."""
        whole = len(self.frame.payload) // 6 * 6 if self.frame.type == SETTINGS else 0
        return list(struct.iter_unpack(">HL", self.frame.payload[:whole]))

    @property
    def request(self) -> Request:
        """The request that h2 has read; one in which nothing is wrong if it has read none."""
        return next((event for event in self.theirs.events if isinstance(event, Request)), PLAIN)

    def values(self, name: bytes) -> list[bytes]:
        """All values of a field."""
        return [value for key, value in self.request.fields if key == name]


PLAIN: Final = Request(1, b"GET", b"/", b"http", b"", ((b"host", b"a"),), True)
CONTROLS: Final = re.compile(rb"[\x00-\x08\x0a-\x1f\x7f]")
TOKEN: Final = re.compile(rb"[!#$%&'*+.^_`|~0-9A-Za-z-]+")
METHOD: Final = re.compile(rb"[A-Z][A-Z-]*")
HOST: Final = re.compile(rb"(?:[a-z0-9._~!$&'()*+;=%-]+|\[[0-9a-f:.]+\])(?::[0-9]*)?", re.IGNORECASE)
TARGET: Final = re.compile(rb"/[!-\"$-~]*")
Rules: TypeAlias = dict[str, Callable[[Case], bool]]
# What we refuse, with a reset of the stream or the end of the connection, and h2 does not.
STRICTER: Rules = {
    "a frame is too long as soon as its header says so (RFC 9113 section 4.2)": lambda case: (
        (case.frame.length or len(case.frame.payload)) > MAX_FRAME_SIZE
    ),
    "the first frame is SETTINGS, and no acknowledgment (RFC 9113 section 3.4)": lambda case: (
        case.position == 1 and (case.frame.type != SETTINGS or bool(case.frame.flags & ACK))
    ),
    "padding that is not zero may be an error (RFC 9113 section 6.1)": lambda case: (
        case.frame.type in (DATA, HEADERS)
        and bool(case.frame.flags & PADDED)
        and any(case.frame.payload[len(case.frame.payload) - case.frame.payload[0] :])
    ),
    "a complete request has no more to come (RFC 9113 section 8.1.1)": lambda case: (
        case.request.is_complete and any(value.strip(b"0") for value in case.values(b"content-length"))
    ),
    "what is no list is there once (RFC 9110 section 5.3)": lambda case: any(
        len(case.values(name)) > 1 for name in (b"host", b"content-length", b"content-type")
    ),
    "a host is none (RFC 9110 section 7.2)": lambda case: any(
        HOST.fullmatch(value) is None for value in case.values(b"host")
    ),
    "a path is none (RFC 9113 section 8.3.1)": lambda case: TARGET.fullmatch(case.request.target) is None,
    "a method is none (RFC 9110 section 9.1)": lambda case: TOKEN.fullmatch(case.request.method) is None,
    "control characters in values may be kept (RFC 9110 section 5.5)": lambda case: any(
        CONTROLS.search(value) for _, value in case.request.fields
    ),
    "PRIORITY_UPDATE is of the connection, for a stream of the client (RFC 9218 section 7.1)": lambda case: (
        case.frame.type == PRIORITY_UPDATE
        and (case.frame.stream_id != 0 or not case.frame.payload[3:4] or not case.frame.payload[3] & 1)
    ),
    "a trailer is for heads only (RFC 9110 section 6.5.1)": lambda case: any(
        name in FORBIDDEN_TRAILERS for name, _ in case.theirs.trailers
    ),
    "a length is a number, and no larger than any body (RFC 9110 section 8.6)": lambda case: any(
        not value.isdigit() or len(value) > MAX_LENGTH_DIGITS for value in case.values(b"content-length")
    ),
    "a name is a token (RFC 9110 section 5.1)": lambda case: any(
        TOKEN.fullmatch(name) is None for name, _ in [*case.request.fields, *case.theirs.trailers]
    ),
    "frames on a stream that the client has ended may end the connection (RFC 9113 section 5.1)": lambda case: (
        case.theirs.verdict == Verdict.RESET
        and re.search("is (closed|skipped)", case.ours.reason) is not None
    ),
    "nothing is reset that has not begun (RFC 9113 section 6.4)": lambda case: (
        case.frame.type == RST_STREAM and "is idle" in case.ours.reason
    ),
    "settings are applied one by one (RFC 9113 section 6.5.3)": lambda case: (
        len(dict(case.settings)) < len(case.settings)
    ),
    "a client of RFC 9218 says so once, with 0 or 1 (RFC 9218 section 2.1)": lambda case: any(
        key == NO_RFC7540_PRIORITIES for key, _ in case.settings
    ),
    "trailers end a body that is as long as was said (RFC 9113 section 8.1.1)": lambda case: (
        bool(case.theirs.trailers) and case.left > 0
    ),
    "a table is resized twice at most (RFC 7541 section 4.2)": lambda case: (
        "more than two table size updates" in case.ours.reason
    ),
    "padding begins behind the priority (RFC 9113 section 6.2)": lambda case: (
        case.frame.type == HEADERS
        and case.frame.flags & (PADDED | HAS_PRIORITY) == PADDED | HAS_PRIORITY
        and len(case.frame.payload) - 1 - case.frame.payload[0] < 5
    ),
    "CONTINUATION goes on with something (RFC 9113 section 6.10)": lambda case: (
        case.frame.type == CONTINUATION and "CONTINUATION without HEADERS" in case.ours.reason
    ),
    "a client pushes nothing (RFC 9113 section 8.4)": lambda case: case.frame.type == PUSH_PROMISE,
    "a scheme is another (RFC 9113 section 8.3.1)": lambda case: (
        case.request.scheme not in (b"http", b"https")
    ),
}
# What we answer with a status, and h2 leaves to the application.
ANSWERED: dict[int, Callable[[Case], bool]] = {
    400: lambda case: METHOD.fullmatch(case.request.method) is None,
    501: lambda case: case.request.method not in METHODS,
    417: lambda case: case.values(b"expect") != [b"100-continue"],
    431: lambda case: any(len(name) > 8000 for name, _ in case.request.fields),
}
# What we take, and h2 does not.
LAXER: Rules = {
    "a frame that is all padding (RFC 9113 section 6.2)": lambda case: (
        "padding" in case.theirs.reason and case.frame.payload[0] == len(case.frame.payload) - 1
    ),
    "what has not come whole is not looked at (RFC 9113 section 4.1)": lambda case: (
        case.frame.length is not None and case.frame.length > len(case.frame.payload)
    ),
    "hosts are equal in any case of letters (RFC 9110 section 4.2.3)": lambda case: (
        "mismatched" in case.theirs.reason
        and re.search("b'(.*)' / b'(?i:\\1)'", case.theirs.reason) is not None
    ),
    "reserved bits are ignored (RFC 9113 section 6.9)": lambda case: (
        case.frame.type == WINDOW_UPDATE and case.frame.payload[0] >= 0x80
    ),
    "frames of other types are ignored (RFC 9113 section 5.5)": lambda case: (
        case.frame.type >= 10 and case.frame.type != PRIORITY_UPDATE
    ),
    "no stream is reset twice (RFC 9113 section 5.4.2)": lambda case: (
        case.frame.type == PRIORITY and case.was_reset
    ),
    "frames may come for a stream that we have reset (RFC 9113 section 5.1)": lambda case: (
        case.theirs.verdict == Verdict.RESET and not case.ours.events
    ),
}
