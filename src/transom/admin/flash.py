"""Messages for the next page: what became of a form, shown once after the redirect."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from transom.web import Request

KEY = "_admin_messages"
# A session may live in a cookie, which holds 4 KiB at most.
MAX_MESSAGES = 3
MAX_LENGTH = 200


async def add_message(request: Request, text: str) -> None:
    """Keep a message in the visitor's session for the next page."""
    session = await request.session()
    short = text if len(text) <= MAX_LENGTH else f"{text[: MAX_LENGTH - 1]}…"
    session[KEY] = [*session.get(KEY, []), short][-MAX_MESSAGES:]


async def take_messages(request: Request) -> list[str]:
    """Return the messages that wait, and forget them."""
    session = await request.session()
    return session.pop(KEY, [])
