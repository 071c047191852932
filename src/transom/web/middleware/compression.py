"""Smaller responses: zstd, br or gzip, whichever the client would rather have."""

from __future__ import annotations

import asyncio
from contextlib import aclosing
from typing import TYPE_CHECKING

from transom.web.encodings import ENCODERS, choose_encoding
from transom.web.middleware.phases import Phase, in_phase
from transom.web.response import Response, StreamingResponse

if TYPE_CHECKING:
    from collections.abc import AsyncIterable, AsyncIterator, Sequence

    from transom.web.encodings import Encoder
    from transom.web.middleware.base import CallNext, Middleware
    from transom.web.request import Request

MINIMUM = 500  # bytes; what fits into one packet anyway is not worth the time
PIECE = 65_536  # bytes that are compressed in one go: a millisecond or two in which nobody else has a turn
COMPRESSIBLE = frozenset(
    {
        "application/javascript",
        "application/json",
        "application/ld+json",
        "application/manifest+json",
        "application/problem+json",
        "application/rss+xml",
        "application/wasm",
        "application/xhtml+xml",
        "application/xml",
        "application/atom+xml",
        "image/svg+xml",
        "font/otf",
        "font/ttf",
    }
)
"""Media types that get smaller, besides those of text."""


def compression(
    *,
    minimum: int = MINIMUM,
    encodings: Sequence[str] = ("zstd", "br", "gzip"),
    types: frozenset[str] = COMPRESSIBLE,
) -> Middleware:
    """Return a layer that compresses what gets smaller by it and may be compressed.

    Left alone are responses that are small, encoded already, parts of a whole (206), without content (204, 304), marked
    `no-transform`, of media types that do not get smaller, event streams, files and mounted applications. `vary` names
    `accept-encoding` wherever the answer depends on it; a strong `etag` becomes a weak one. Streams are compressed piece by
    piece, and each piece leaves at once.

    Secrets that stand in a page beside what a visitor has sent can be guessed by its compressed size (BREACH). CSRF tokens
    of Transom are masked anew in each page; guard others the same way, or send `cache-control: no-transform`.

    Args:
        minimum: bytes of the smallest response that is compressed; streams always are.
        encodings: those that are used, the best first; of two that a client likes as much the first is taken. br and zstd
            need the extra `transom[compression]`, and are left out without it; zstd is in Python from 3.14 on.
        types: media types to compress besides `text/…`.

    Raises:
        ValueError: an encoding is not known.

    Source: RFC 9110 sections 8.4, 12.5.3 and 8.8.3, RFC 9111 section 5.2.2.6 (no-transform).
    """
    if unknown := [name for name in encodings if name not in ENCODERS]:
        raise ValueError(f"encoding {unknown[0]!r} is not known; choose from {', '.join(ENCODERS)}")
    available = tuple(name for name in encodings if ENCODERS[name] is not None)

    @in_phase(Phase.ANSWER)
    async def compression_layer(request: Request, call_next: CallNext) -> Response:
        response = await call_next(request)
        if not _gets_smaller(response, minimum, types):
            return response
        response.headers.add_vary("accept-encoding")
        encoding = choose_encoding(request.headers.get("accept-encoding"), available)
        make = ENCODERS.get(encoding or "")
        if encoding is not None and make is not None:
            await _encode(response, make())
            response.headers["content-encoding"] = encoding
            _weaken(response)
        return response

    return compression_layer


def _gets_smaller(response: Response, minimum: int, types: frozenset[str]) -> bool:
    if response.status in (204, 206, 304) or "content-encoding" in response.headers:
        return False
    if "no-transform" in response.headers.get("cache-control", ""):
        return False
    is_whole = type(response).__call__ is Response.__call__
    if not isinstance(response, StreamingResponse) and not (is_whole and len(response.body) >= minimum):
        return False
    media_type = response.headers.get("content-type", "").partition(";")[0].strip().lower()
    return (media_type.startswith("text/") and media_type != "text/event-stream") or media_type in types


async def _encode(response: Response, encoder: Encoder) -> None:
    if isinstance(response, StreamingResponse):
        response.headers.pop("content-length", None)
        response.content = _encode_pieces(response.content, encoder)
        return
    body, pieces = response.body, list[bytes]()
    for start in range(0, len(body), PIECE):
        if start:
            await asyncio.sleep(0)  # others have a turn
        pieces.append(encoder.add(body[start : start + PIECE]))
    response.body = b"".join((*pieces, encoder.finish()))


async def _encode_pieces(content: AsyncIterable[bytes | str], encoder: Encoder) -> AsyncIterator[bytes]:
    iterator = aiter(content)
    if not hasattr(iterator, "aclose"):
        async for piece in iterator:
            yield _encode_piece(piece, encoder)
    else:
        async with aclosing(iterator):  # pyright: ignore[reportArgumentType, reportUnknownVariableType]  # it has aclose
            async for piece in iterator:
                yield _encode_piece(piece, encoder)
    yield encoder.finish()


def _encode_piece(piece: bytes | str, encoder: Encoder) -> bytes:
    data = piece.encode() if isinstance(piece, str) else piece
    return encoder.add(data) + encoder.flush() if data else b""


def _weaken(response: Response) -> None:
    """Say that the entity tag is that of the same content, no longer of the same bytes."""
    etag = response.headers.get("etag")
    if etag is not None and not etag.startswith("W/"):
        response.headers["etag"] = f"W/{etag}"
