"""What sending mail raises.

MailError
└── RecipientsRefused   the server took the message for some recipients, or for none
"""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Mapping


class MailError(Exception):
    """The messages could not all be handed to the mail server.

    Attributes:
        sent: messages that were handed over before.
    """

    def __init__(self, message: str, *, sent: int = 0) -> None:
        super().__init__(message)
        self.sent = sent


class RecipientsRefused(MailError):
    """The server refused recipients of a message; the others, if there are any, get it.

    Attributes:
        refused: address to what the server said.
    """

    def __init__(self, refused: Mapping[str, str], *, sent: int = 0) -> None:
        reasons = "; ".join(f"{address}: {reason}" for address, reason in refused.items())
        super().__init__(f"the mail server refused {reasons}", sent=sent)
        self.refused = dict(refused)
