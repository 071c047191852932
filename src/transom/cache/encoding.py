"""How values become bytes: MessagePack, and only values that come back as they were.

Not pickle: a store that several machines share would then run the code of whoever can write to it, and an entry would
break when a class moves. The rule is the same for every backend, so a site that goes from memory to a shared store finds
no new errors; and since bytes are stored, nobody can change what is cached from outside.
"""

from __future__ import annotations

from typing import Any

import msgspec

__all__ = ["decode", "encode"]

_encoder = msgspec.msgpack.Encoder()
_decoder = msgspec.msgpack.Decoder()


def encode(value: object) -> bytes:
    """Return a value as bytes.

    Raises:
        TypeError: it would not come back as it is.
    """
    if isinstance(value, int) and not isinstance(value, bool):
        if not -(2**63) <= value < 2**63:  # what every store can count in
            raise TypeError(f"cannot cache {value!r}: an integer has at most 64 bits; cache it as a string")
        return b"%d" % value
    try:
        content = _encoder.encode(value)
        returned = _decoder.decode(content)
    except (TypeError, ValueError, OverflowError, RecursionError, msgspec.MsgspecError) as exc:
        raise TypeError(f"cannot cache a value of type {type(value).__name__}: {exc}") from exc
    if returned != value:
        raise TypeError(
            f"cannot cache a value of type {type(value).__name__}: it would come back changed, as "
            f"{type(returned).__name__}; keep None, bool, int, float, str, bytes, aware datetime, and lists and dicts of them"
        )
    return content


def decode(content: bytes) -> Any:  # Any: whatever was cached
    """Return the value that `encode` was given."""
    # MessagePack begins with such a byte only for small integers, which are stored as digits instead.
    return int(content) if content[0] < 0x80 else _decoder.decode(content)
