"""What goes wrong before the first request."""

from __future__ import annotations


class ImproperlyConfigured(Exception):
    """A setting, an installed app or a combination of them is wrong; the message says what to change."""
