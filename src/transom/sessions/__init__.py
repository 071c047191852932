"""Sessions: what a site remembers of one visitor from request to request."""

from transom.sessions.base import SessionInterrupted, SessionStore
from transom.sessions.cached import CachedSessions
from transom.sessions.cookie import SignedCookieSessions
from transom.sessions.database import DatabaseSessions
from transom.sessions.middleware import Sessions, sessions
from transom.web.session import Session

__all__ = [
    "CachedSessions",
    "DatabaseSessions",
    "Session",
    "SessionInterrupted",
    "SessionStore",
    "Sessions",
    "SignedCookieSessions",
    "sessions",
]
