"""The session of one visitor as a view sees it; `transom.sessions` loads it and keeps it."""

from __future__ import annotations

from collections.abc import Iterator, MutableMapping
from datetime import timedelta
from typing import Any

import msgspec

__all__ = ["Session"]


class Session(MutableMapping[str, Any]):  # Any: JSON values nest, and the site knows what it keeps here
    """A dict of JSON values that belongs to one visitor.

    A change inside a value counts as much as one of the session itself: what is stored is compared with what was loaded.
    Nothing here waits; the middleware carries out at the end of the request what was decided.

    Args:
        content: what `to_bytes` returned for an earlier request; None for a visitor without a session.

    Attributes:
        flushed: `flush` was called in this request.
        cycled: `cycle_key` was called in this request.
        revives: it was told that the content may come back where the stored session was deleted meanwhile.
    """

    def __init__(self, content: bytes | None = None) -> None:
        self._expiry: float | None = None
        self._data: dict[str, Any] = {}  # Any: see the class
        if content is not None:
            self._expiry, self._data = msgspec.json.decode(content, type=tuple[float | None, dict[str, Any]])
        self._loaded = self._encode()
        self.flushed = False
        self.cycled = False
        self.revives = False

    def __getitem__(self, key: str) -> Any:  # Any: see the class
        return self._data[key]

    def __setitem__(self, key: str, value: object) -> None:
        """Keep a value.

        Raises:
            TypeError: the key is no string, or the value would not come back from JSON as it is.
        """
        _check_item(key, value)
        self._data[key] = value

    def __delitem__(self, key: str) -> None:
        del self._data[key]

    def __iter__(self) -> Iterator[str]:
        return iter(self._data)

    def __len__(self) -> int:
        return len(self._data)

    def __repr__(self) -> str:
        # Names only: values may be secrets, and a repr ends up in logs.
        return f"<{type(self).__name__} {', '.join(self._data)}>"

    @property
    def modified(self) -> bool:
        """Whether the session is to be stored again."""
        return self.flushed or self.cycled or self._encode() != self._loaded

    @property
    def expiry(self) -> float | None:
        """What `set_expiry` was given, in seconds; None where the site's own lifetime holds."""
        return self._expiry

    def set_expiry(self, expiry: float | timedelta | None) -> None:
        """Choose how long the session lives after it was last changed; kept until chosen anew or flushed.

        Args:
            expiry: seconds; 0 until the browser is closed; None for the lifetime of the site.

        Raises:
            ValueError: it is negative or not finite.
        """
        seconds = expiry.total_seconds() if isinstance(expiry, timedelta) else expiry
        if seconds is not None and not 0 <= seconds < float("inf"):
            raise ValueError(f"expiry is {expiry!r}; use 0 or more seconds, None for the default")
        self._expiry = None if seconds is None else float(seconds)

    def flush(self) -> None:
        """Forget everything, as at logout: the stored session is deleted, and its key is dead, even if the view fails then.

        What is put in afterwards becomes a new session.
        """
        self._data.clear()
        self._expiry = None
        self.flushed = True

    def cycle_key(self, *, revive: bool = False) -> None:
        """Move everything to a new key, as at login: who knew the old one has nothing. OWASP calls the attack fixation.

        Args:
            revive: move it even if the stored session is deleted while this request runs. For a login, which proves anew who
                the visitor is: its button may be clicked twice. Without it such a request gets 400, or a logout would
                be undone by what runs beside it.
        """
        self.cycled = True
        self.revives = revive

    def to_bytes(self) -> bytes:
        """Return the content to store.

        Raises:
            TypeError: a value was changed from inside into one that would not come back from JSON as it is.
        """
        for key, value in self._data.items():
            _check_item(key, value)
        return self._encode()

    def _encode(self) -> bytes:
        return msgspec.json.encode((self._expiry, self._data))


def _check_item(key: object, value: object) -> None:
    """Refuse what JSON would silently turn into something else: a tuple, a date, a key that is no string."""
    if not isinstance(key, str):
        raise TypeError(f"session key {key!r} is of type {type(key).__name__}; use a string")
    try:
        returned = msgspec.json.decode(msgspec.json.encode(value))
    except (TypeError, ValueError, RecursionError) as exc:
        raise TypeError(f"session value {key!r} of type {type(value).__name__} has no JSON: {exc}") from exc
    if returned != value:
        raise TypeError(
            f"session value {key!r} of type {type(value).__name__} would come back from JSON as "
            f"{type(returned).__name__}, changed; keep str, int, float, bool, None, and lists and dicts of them"
        )
