"""Response heads that were built before.

An application sends the same few heads again and again. To find one saves 600 ns; one that is new each time (with an ETag or a
cookie, say) pays 300 to 400 ns more. The key is everything that a head is made of, so what is found was checked byte for byte.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Final, Protocol, TypeAlias, TypeVar

from transom.server.http1.exceptions import LocalProtocolError

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable

Head = TypeVar("Head", covariant=True)
Pair: TypeAlias = "tuple[bytes, bytes]"

MAX_HEADS: Final = 512
MAX_HEAD_SIZE: Final = (
    1024  # bytes of names and values; with the bound above, what this may keep is below a megabyte
)


class _Build(Protocol[Head]):
    def __call__(self, status: int, fields: Iterable[Pair]) -> Head: ...


def remember_heads(build: Callable[[int, tuple[Pair, ...]], Head]) -> _Build[Head]:
    """Let a function that builds a head from status and fields return what it has built before.

    The heads are shared by all who call it. Those with `Set-Cookie` are for one client and are not kept, nor those whose fields
    may change: lists or bytearrays in the place of tuples or bytes.

    Raises (from what is returned):
        LocalProtocolError: the fields are no iterable; and what `build` raises.
    """
    heads: dict[tuple[int, tuple[Pair, ...]], Head] = {}

    def build_head(status: int, fields: Iterable[Pair]) -> Head:
        try:
            pairs = tuple(fields)
        except TypeError as exc:
            raise LocalProtocolError(f"response headers must be pairs of bytes: {exc}") from exc
        key = (status, pairs)
        try:
            head = heads.get(key)
        except TypeError:
            return build(status, pairs)
        if head is None:
            head = build(status, pairs)
            if _is_worth_it(pairs):
                if len(heads) >= MAX_HEADS:
                    heads.clear()
                heads[key] = head
        return head

    build_head.__doc__ = build.__doc__
    return build_head


def _is_worth_it(fields: tuple[Pair, ...]) -> bool:
    size = 0
    for name, value in fields:
        size += len(name) + len(value)
        if name.lower() == b"set-cookie":
            return False
    return size <= MAX_HEAD_SIZE
