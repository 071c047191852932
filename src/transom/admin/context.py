"""What the pages of one request share: who asks, where links lead, and how a page is rendered."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from transom.web import NoReverseMatch, render, reverse

if TYPE_CHECKING:
    from collections.abc import Mapping

    from transom.admin.links import Links
    from transom.admin.options import ModelAdmin
    from transom.auth import User
    from transom.db import models
    from transom.web import Request, Response


@dataclass(frozen=True, slots=True)
class AdminContext:
    """One request for a page of the administration, by somebody who may enter it.

    Attributes:
        request: the request.
        user: who asks; active staff.
        links: the addresses of the administration.
        title: the name of the administration.
        admins: every model that is administered here. Any, here and below: any model.
    """

    request: Request
    user: User
    links: Links
    title: str
    admins: Mapping[type[models.Model], ModelAdmin[Any]]

    async def render(self, name: str, values: Mapping[str, Any], status: int = 200) -> Response:
        """Return a page, with the messages that wait for this visitor."""
        shared = {
            "links": self.links,
            "user": self.user,
            "site_title": self.title,
            "logout_url": _find_logout(),
        }
        return await render(self.request, name, {**shared, **values}, status)


def _find_logout() -> str:
    """Return where logging out is; empty on a site with login pages of its own making."""
    try:
        return reverse("auth:logout")
    except NoReverseMatch:
        return ""
