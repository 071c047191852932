"""Answer only for the hosts of this site."""

from __future__ import annotations

import logging
from typing import TYPE_CHECKING

from transom.web.errors import BadRequest

if TYPE_CHECKING:
    from transom.web.middleware.base import CallNext
    from transom.web.request import Request
    from transom.web.response import Response

logger = logging.getLogger("transom.security")


async def allowed_hosts(request: Request, call_next: CallNext) -> Response:
    """Answer 400 where the `host` field is malformed, repeated or not in the setting `allowed_hosts`.

    A host chosen by an attacker would else end up in links, cached pages and password mails.
    """
    try:
        _ = request.host  # where the rule is; the request keeps the result
    except BadRequest as exc:
        logger.warning("%s", exc.detail)
        raise
    return await call_next(request)
