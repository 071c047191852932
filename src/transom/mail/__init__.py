"""Mail: messages, and the backends that deliver them."""

from transom.mail.backends import ConsoleBackend, MailBackend, MemoryBackend, make_backend
from transom.mail.exceptions import MailError, RecipientsRefused
from transom.mail.message import Attachment, EmailMessage
from transom.mail.sending import capture_mail, send_mail, send_messages

__all__ = [
    "Attachment",
    "ConsoleBackend",
    "EmailMessage",
    "MailBackend",
    "MailError",
    "MemoryBackend",
    "RecipientsRefused",
    "capture_mail",
    "make_backend",
    "send_mail",
    "send_messages",
]
