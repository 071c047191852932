"""SQLite through the standard library: short statements inline under a deadline, long ones on a thread."""

from .backend import SQLiteBackend

__all__ = ["SQLiteBackend"]
