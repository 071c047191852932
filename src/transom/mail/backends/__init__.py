"""Backends: where messages go."""

from transom.mail.backends.base import MailBackend
from transom.mail.backends.console import ConsoleBackend
from transom.mail.backends.memory import MemoryBackend
from transom.mail.backends.url import make_backend

__all__ = ["ConsoleBackend", "MailBackend", "MemoryBackend", "make_backend"]
