"""The access log: one line per request, written after the fact."""

from __future__ import annotations

import logging
from typing import TYPE_CHECKING

from transom.server.logs.output import LineHandler

if TYPE_CHECKING:
    from collections.abc import Sequence

    from transom.server.logs.access import AccessEntry
    from transom.server.logs.access_format import AccessFormat

logger = logging.getLogger("transom.access")
server_logger = logging.getLogger("transom.server")


class AccessLog:
    """Writes a line per request to the logger `transom.access`.

    Where nobody else has touched that logger, a batch goes to its handler as lines, past the machinery of `logging`. Otherwise
    each line is a record of level INFO whose attribute `access` is the `AccessEntry`, for handlers and filters of one's own.

    Attributes:
        wants_response_headers: whether lines show any.
        lost: lines that were given up so far, because the reader of the log is too slow.
    """

    def __init__(self, access_format: AccessFormat) -> None:
        self.lost = 0
        self.wants_response_headers = access_format.wants_response_headers
        self._render = access_format.render

    def __call__(self, entries: Sequence[AccessEntry]) -> None:
        """Log a batch."""
        if not logger.isEnabledFor(logging.INFO):
            return
        render = self._render
        handler = _find_only_handler()
        if handler is not None:
            handler.write_lines([render(entry) for entry in entries])
            self.lost = handler.lost
            if lost := handler.take_lost():
                server_logger.warning("%d lines of the access log were lost: its reader is too slow", lost)
            return
        for entry in entries:
            logger.info(render(entry), extra={"access": entry})


def _find_only_handler() -> LineHandler | None:
    """Return our own handler if it alone would get the records as they are."""
    if logger.propagate or logger.filters or len(logger.handlers) != 1:
        return None
    (handler,) = logger.handlers
    return handler if type(handler) is LineHandler and handler.is_plain else None
