"""Answer only for the hosts of this site."""

from __future__ import annotations

import logging
from functools import lru_cache
from typing import TYPE_CHECKING

from transom.web.errors import BadRequest
from transom.web.hosts import is_allowed_host, split_host
from transom.web.middleware.phases import Phase, in_phase

if TYPE_CHECKING:
    from transom.web.middleware.base import CallNext
    from transom.web.request import Request
    from transom.web.response import Response

logger = logging.getLogger("transom.security")


@in_phase(Phase.GUARD)
async def allowed_hosts(request: Request, call_next: CallNext) -> Response:
    """Answer 400 where the `host` field is malformed, repeated or not in the setting `allowed_hosts`.

    A host chosen by an attacker would else end up in links, cached pages and password mails.
    """
    fields = [value for name, value in request.scope["headers"] if name == b"host"]
    if len(fields) == 1 and _is_served(fields[0], tuple(request.app.settings.allowed_hosts)):
        return await call_next(request)
    try:
        _ = request.host  # the rule in full: it names what is wrong
    except BadRequest as exc:
        logger.warning("%s", exc.detail)
        raise
    return await call_next(request)


@lru_cache(maxsize=256)  # few hosts make nearly all requests; a flood of others only empties it
def _is_served(field: bytes, allowed: tuple[str, ...]) -> bool:
    parts = split_host(field.decode("latin-1"))
    return parts is not None and is_allowed_host(parts[0], allowed)
