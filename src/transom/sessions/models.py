"""The table of sessions, for sites that keep them in a database."""

from __future__ import annotations

from transom.db import models

__all__ = ["StoredSession"]


class StoredSession(models.Model):
    """A session, as `DatabaseSessions` keeps it.

    Attributes:
        key: the SHA-256 of the token in the visitor's cookie, in hex: whoever reads the table can take over no session.
        content: what `Session.to_bytes` returned.
        expires_at: when it is over.
    """

    key = models.CharField(max_length=64, primary_key=True)
    content = models.BinaryField()
    expires_at = models.DateTimeField(db_index=True)

    def __repr__(self) -> str:
        # The content may hold secrets, and a repr ends up in logs.
        return f"<{type(self).__name__} until {self.expires_at}>"

    __str__ = __repr__
