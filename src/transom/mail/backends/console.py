"""Shows messages instead of sending them; the default in debug."""

from __future__ import annotations

import sys
from typing import TYPE_CHECKING, TextIO

if TYPE_CHECKING:
    from collections.abc import Sequence

    from transom.mail.message import EmailMessage

RULE = "-" * 79


class ConsoleBackend:
    """Writes messages as text, decoded for a person to read.

    Args:
        stream: where to; None for the standard output of the time.
    """

    def __init__(self, stream: TextIO | None = None) -> None:
        self._stream = stream

    async def send_messages(self, messages: Sequence[EmailMessage]) -> int:
        """Write the messages; see `MailBackend.send_messages`."""
        texts = [_describe(message) for message in messages]
        stream = self._stream or sys.stdout
        stream.write("".join(f"{text}\n{RULE}\n" for text in texts))
        stream.flush()
        return len(texts)


def _describe(message: EmailMessage) -> str:
    built = message.build()
    lines = [
        f"{name}: {value}" for name, value in built.items() if name not in ("MIME-Version", "Content-Type")
    ]
    if message.bcc:
        lines.append(f"(Bcc: {', '.join(message.bcc)})")
    lines += ["", message.body]
    if message.html is not None:
        lines += ["", "(as HTML)", message.html]
    lines += [f"(attached: {item.filename}, {item.media_type})" for item in message.attachments]
    return "\n".join(lines)
