"""What is too much for one request."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Limits:
    """What a client may send, in bytes unless said otherwise; 0 for `body` means no limit."""

    request_line: int = 8190
    field: int = 8190
    field_count: int = 100
    head: int = 32_768
    body: int = 0
