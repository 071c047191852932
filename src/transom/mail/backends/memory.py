"""Keeps messages in a list; for tests."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Sequence

    from transom.mail.message import EmailMessage


class MemoryBackend:
    """Keeps what it is sent.

    Attributes:
        outbox: the messages, oldest first.
    """

    def __init__(self) -> None:
        self.outbox: list[EmailMessage] = []

    async def send_messages(self, messages: Sequence[EmailMessage]) -> int:
        """Keep the messages; see `MailBackend.send_messages`."""
        for message in messages:
            message.build()  # so that a test sees what a real backend would refuse
        self.outbox.extend(messages)
        return len(messages)
