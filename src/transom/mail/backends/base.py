"""What a mail backend is."""

from __future__ import annotations

from typing import TYPE_CHECKING, Protocol

if TYPE_CHECKING:
    from collections.abc import Sequence

    from transom.mail.message import EmailMessage


class MailBackend(Protocol):
    """Hands messages over to whatever delivers them."""

    async def send_messages(self, messages: Sequence[EmailMessage]) -> int:
        """Send the messages in order and return how many were handed over: all of them.

        Raises:
            MailError: one was not; those behind it were not tried, `sent` counts those before it.
            ValueError: a message has no sender; nothing was sent.

        Cancellation: messages handed over before stay sent; no connection stays open.
        """
        ...
