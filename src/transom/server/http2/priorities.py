"""Which stream may send next.

Source: RFC 9218.
"""

from __future__ import annotations

import re
from bisect import bisect_left, insort
from collections import OrderedDict
from functools import lru_cache
from typing import Final, NamedTuple


class Priority(NamedTuple):
    """How urgent a response is (0 to 7, the smaller the sooner), and whether parts of it are of use to the client.

    Source: RFC 9218 section 4.
    """

    urgency: int = 3
    incremental: bool = False


DEFAULT: Final = Priority()
_LEVELS: Final = 8
_MAX_SIZE: Final = 256  # bytes of a value that is looked at; "u=0, i" has six

# A dictionary of structured fields, RFC 8941 section 3.2 (RFC 9651 adds dates and display strings). Possessive, so that to judge
# a value takes time in proportion to its length.
_KEY = rb"[a-z*][a-z0-9_\-.*]*+"
_BARE_ITEM = (
    rb"(?:-?(?:[0-9]{1,12}\.[0-9]{1,3}|[0-9]{1,15})(?![0-9.])|@-?[0-9]{1,15}(?![0-9.])"
    rb'|"(?:[\x20\x21\x23-\x5b\x5d-\x7e]|\\["\\])*+"'
    rb'|%"(?:[\x20\x21\x23\x24\x26-\x7e]|%[0-9a-f]{2})*+"'
    rb"|[A-Za-z*][!#$%&'*+\-.^_`|~0-9A-Za-z:/]*+"
    rb"|:[A-Za-z0-9+/]*+=*+:"
    rb"|\?[01])"
)
_PARAMETERS = rb"(?:; *+%b(?:=%b)?+)*+" % (_KEY, _BARE_ITEM)
_INNER_LIST = rb"\( *+(?:%b%b(?: ++|(?=\))))*+\)" % (_BARE_ITEM, _PARAMETERS)
_MEMBER = re.compile(
    rb"(?P<key>%b)(?:=(?P<value>%b|%b))?+%b[ \t]*+(?P<comma>,[ \t]*+)?+"
    % (_KEY, _BARE_ITEM, _INNER_LIST, _PARAMETERS)
)
_URGENCY = re.compile(rb"0*[0-7]|-0+")


def parse_priority(value: bytes) -> Priority:
    """Return what a `priority` field or the value in a PRIORITY_UPDATE frame says.

    Unknown parameters, values out of range or of another type count as not there, and so does a value that cannot be parsed.

    Source: RFC 9218 sections 4 and 5; RFC 8941 section 4.2.
    """
    return _parse(value) if len(value) <= _MAX_SIZE else DEFAULT


@lru_cache(maxsize=256)
def _parse(value: bytes) -> Priority:
    members: dict[bytes, bytes] = {}
    value = value.strip(b" ")
    position, end = 0, len(value)
    while position < end:
        match = _MEMBER.match(value, position)
        # A comma stands between members, and only there.
        if match is None or (match["comma"] is None) is (match.end() < end):
            return DEFAULT
        position = match.end()
        found = match["value"]
        members[match["key"]] = (
            b"?1" if found is None else found
        )  # of a key that comes twice, the last counts
    urgency = members.get(b"u", b"")
    return Priority(
        abs(int(urgency)) if _URGENCY.fullmatch(urgency) else DEFAULT.urgency, members.get(b"i") == b"?1"
    )


class _Level:
    """Streams of one urgency. Those that are not incremental count as one, the oldest, in the round of those that are."""

    __slots__ = ("in_order", "round")

    def __init__(self) -> None:
        self.in_order: list[int] = []  # not incremental, sorted
        self.round: OrderedDict[int, None] = OrderedDict()  # incremental, and _IN_ORDER for all the others


_IN_ORDER: Final = 0  # no stream has that number


class SendOrder:
    """The order in which streams that have something to send get their turn.

    The most urgent first. Of the same urgency, those that are not incremental get their turns one after the other, in the order
    of their numbers; those that are take turns (RFC 9218 section 10). Where both meet they share, so that none waits for ever.
    """

    __slots__ = ("_levels", "_priorities", "_used")

    def __init__(self) -> None:
        self._levels = [_Level() for _ in range(_LEVELS)]
        self._priorities: dict[int, Priority] = {}
        self._used = 0  # one bit for each level that has streams

    def __len__(self) -> int:
        return len(self._priorities)

    def __contains__(self, stream_id: int) -> bool:
        return stream_id in self._priorities

    def add(self, stream_id: int, priority: Priority = DEFAULT) -> None:
        """Let a stream take part, behind those that do; if it does already, with another priority from now on."""
        current = self._priorities.get(stream_id)
        if current == priority:
            return
        if current is not None:
            self.remove(stream_id)
        self._priorities[stream_id] = priority
        level = self._levels[priority.urgency]
        self._used |= 1 << priority.urgency
        if priority.incremental:
            level.round[stream_id] = None
        else:
            insort(level.in_order, stream_id)
            level.round.setdefault(_IN_ORDER)

    def remove(self, stream_id: int) -> None:
        """Take a stream out that has nothing to send, or must wait for its window; nothing if it takes no part."""
        priority = self._priorities.pop(stream_id, None)
        if priority is None:
            return
        level = self._levels[priority.urgency]
        if priority.incremental:
            del level.round[stream_id]
        else:
            del level.in_order[bisect_left(level.in_order, stream_id)]
            if not level.in_order:
                del level.round[_IN_ORDER]
        if not level.round:
            self._used &= ~(1 << priority.urgency)

    def take_turn(self) -> int:
        """Return the stream whose turn it is, 0 if there is none. It stays, for its next turn, until it is removed."""
        used = self._used
        if not used:
            return 0
        level = self._levels[(used & -used).bit_length() - 1]
        stream_id = next(iter(level.round))
        level.round.move_to_end(stream_id)
        return stream_id or level.in_order[0]
