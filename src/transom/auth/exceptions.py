"""What logging in may raise."""

from __future__ import annotations

from transom.web import HTTPException


class PasswordHashingBusy(HTTPException):
    """503: so many passwords wait to be hashed that one more would only wait longer, and others with it."""

    def __init__(self) -> None:
        super().__init__(503, "too many logins at once; try again in a moment", {"retry-after": "2"})
