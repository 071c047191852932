"""Content encodings: what compresses, and which one a client would rather have."""

from __future__ import annotations

import re
import sys
import zlib
from importlib.util import find_spec
from typing import TYPE_CHECKING, Any, Protocol

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

__all__ = ["ENCODERS", "Encoder", "choose_encoding"]

GZIP_LEVEL = 5  # beyond it, each per cent of size costs twice the time
BROTLI_QUALITY = 4
ZSTD_LEVEL = 3
_ITEM = re.compile(r"\s*([A-Za-z0-9_.\-]+|\*)\s*(?:;\s*[qQ]\s*=\s*(0(?:\.[0-9]{0,3})?|1(?:\.0{0,3})?))?\s*")


class Encoder(Protocol):
    """Compresses one response."""

    def add(self, data: bytes) -> bytes:
        """Take more content; return what is ready."""
        ...

    def flush(self) -> bytes:
        """Return the rest of what was taken so far, so that the client can read it all."""
        ...

    def finish(self) -> bytes:
        """Return the end."""
        ...


class GzipEncoder:
    """gzip, RFC 1952."""

    def __init__(self) -> None:
        self._compressor = zlib.compressobj(GZIP_LEVEL, wbits=31)

    def add(self, data: bytes) -> bytes:
        """See `Encoder`."""
        return self._compressor.compress(data)

    def flush(self) -> bytes:
        """See `Encoder`."""
        return self._compressor.flush(zlib.Z_SYNC_FLUSH)

    def finish(self) -> bytes:
        """See `Encoder`."""
        return self._compressor.flush()


class _Brotli(Protocol):
    """What brotli's compressor has; the library comes without types."""

    def process(self, data: bytes) -> bytes: ...
    def flush(self) -> bytes: ...
    def finish(self) -> bytes: ...


class BrotliEncoder:
    """br, RFC 7932."""

    def __init__(self) -> None:
        import brotli  # pyright: ignore[reportMissingTypeStubs]

        made: Any = brotli.Compressor  # pyright: ignore[reportUnknownMemberType, reportUnknownVariableType]
        self._compressor: _Brotli = made(quality=BROTLI_QUALITY)

    def add(self, data: bytes) -> bytes:
        """See `Encoder`."""
        return self._compressor.process(data)

    def flush(self) -> bytes:
        """See `Encoder`."""
        return self._compressor.flush()

    def finish(self) -> bytes:
        """See `Encoder`."""
        return self._compressor.finish()


class ZstdEncoder:
    """zstd, RFC 8878; its window is below the 8 MiB that browsers take."""

    def __init__(self) -> None:
        if sys.version_info >= (3, 14):
            from compression import zstd
        else:
            from backports import zstd

        self._compressor = zstd.ZstdCompressor(level=ZSTD_LEVEL)

    def add(self, data: bytes) -> bytes:
        """See `Encoder`."""
        return self._compressor.compress(data)

    def flush(self) -> bytes:
        """See `Encoder`."""
        return self._compressor.flush(self._compressor.FLUSH_BLOCK)

    def finish(self) -> bytes:
        """See `Encoder`."""
        return self._compressor.flush()


def _is_installed(name: str) -> bool:
    try:
        return find_spec(name) is not None
    except ModuleNotFoundError:  # of the package that it is in
        return False


ENCODERS: dict[str, Callable[[], Encoder] | None] = {
    "zstd": ZstdEncoder if sys.version_info >= (3, 14) or _is_installed("backports.zstd") else None,
    "br": BrotliEncoder if _is_installed("brotli") else None,
    "gzip": GzipEncoder,
}
"""By name; None where the library is not installed."""


def choose_encoding(accepted: str | None, available: Sequence[str]) -> str | None:
    """Return the encoding that a client would rather have, None for none: for a field that is malformed too.

    Args:
        accepted: its `accept-encoding`; None where it sent none.
        available: ours, the best first: what a client likes as much is taken in this order.

    Source: RFC 9110 section 12.5.3.
    """
    if not accepted:
        return None
    qualities: dict[str, float] = {}
    for item in accepted.split(","):
        match = _ITEM.fullmatch(item)
        if match is None:
            return None
        name = match[1].lower().removeprefix("x-")
        qualities[name] = float(match[2] or 1)
    other = qualities.get("*", 0.0)
    best = max(available, key=lambda name: qualities.get(name, other), default=None)
    if best is None or qualities.get(best, other) <= 0:
        return None
    return best if qualities.get(best, other) >= qualities.get("identity", 0.0) else None
