"""The request body of a WSGI server, read in pieces."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final

if TYPE_CHECKING:
    from wsgiref.types import WSGIEnvironment

PIECE: Final = 65_536
"""Bytes read at once at most."""


class Input:
    """Reads `wsgi.input` up to the end of the body, and never beyond it: what follows may be another request.

    Source: PEP 3333, "Input and Error Streams"; `wsgi.input_terminated` as gunicorn, Werkzeug and Django understand it.
    """

    def __init__(self, environ: WSGIEnvironment) -> None:
        stream: Any = environ["wsgi.input"]  # Any: a file of whatever kind
        # What is there now, if the server can tell: a piece that has arrived need not wait for the next one.
        self._read: Any = getattr(stream, "read1", stream.read)
        length = environ.get("CONTENT_LENGTH") or ""
        self._left: int | None = int(length) if length.isascii() and length.isdigit() else 0
        if not length and environ.get("wsgi.input_terminated"):
            self._left = None  # until the end

    def read(self) -> tuple[bytes, bool]:
        """Wait for the next piece; return it, and whether more may follow.

        Raises:
            EOFError: the body broke off.
            Exception: what the server raises for a client that left, or for malformed chunks.
        """
        if self._left == 0:
            return b"", False
        piece: bytes = self._read(PIECE if self._left is None else min(self._left, PIECE))
        if self._left is None:
            return piece, bool(piece)
        if not piece:
            raise EOFError(f"the request body ended {self._left} bytes before its content-length")
        self._left -= len(piece)
        return piece, self._left > 0
