"""Who a request comes from: proven once by `authenticate`, remembered in the session by `login`.

The session holds the user's key and a keyed hash of the password's hash. `get_user` reads both, and the session is worth
nothing any more once the password is another. Loading a user is a query, so it is awaited and never hidden behind an
attribute; it is done once for each request.
"""

from __future__ import annotations

import logging
from functools import lru_cache
from hmac import compare_digest
from pkgutil import resolve_name
from typing import TYPE_CHECKING, cast

from transom.auth.models import User
from transom.i18n.timezone import now
from transom.web.middleware.csrf import rotate_csrf_token

if TYPE_CHECKING:
    from transom.auth.backends import AuthenticationBackend
    from transom.web import Request
    from transom.web.session import Session

USER_KEY = "_auth_user_id"
HASH_KEY = "_auth_user_hash"

logger = logging.getLogger("transom.security")


async def authenticate(request: Request, *, username: str, password: str) -> User | None:
    """Return the user who has this name and password, or None; nobody is logged in by it.

    The backends of the setting `authentication_backends` are asked in turn. This does not count attempts: the login view
    does, see `login_throttle`.

    Raises:
        PasswordHashingBusy: too many passwords wait to be hashed.
    """
    for name in request.app.settings.authentication_backends:
        user = await _make_backend(name).authenticate(request, username=username, password=password)
        if user is not None:
            return user
    return None


async def get_user(request: Request) -> User | None:
    """Return the user who is logged in, or None; loaded when first asked for.

    None too for a user who was deactivated or deleted. A session whose user has another password now is flushed.

    Raises:
        RuntimeError: no middleware keeps sessions.
    """
    if not request.knows_user:
        request.user = await _load_user(request)
    return cast("User | None", request.user)


async def login(request: Request, user: User) -> None:
    """Log a user in: the session is theirs from now on, under a new key.

    What an anonymous visitor left in the session stays; what another user left is flushed.

    Raises:
        ValueError: the user is not active, or not saved.
        RuntimeError: no middleware keeps sessions.
    """
    if user.pk is None or not user.is_active:
        raise ValueError(f"user {user.username!r} cannot log in: not active, or not saved")
    session = await request.session()
    if _is_of_another(session, user):
        session.flush()
    else:
        session.cycle_key(revive=True)  # or who planted the old key would be logged in as well
    user.last_login = now()
    await user.save(update_fields=["last_login"])
    _remember(request, session, user)
    logger.info("user %s logged in", user.pk)


async def logout(request: Request) -> None:
    """Log out whoever is logged in: the session is flushed, and its key is dead.

    Raises:
        RuntimeError: no middleware keeps sessions.
    """
    session = await request.session()
    session.flush()
    rotate_csrf_token(request)
    request.user = None


async def update_session_auth_hash(request: Request, user: User) -> None:
    """Keep this session after its own user's password changed; all others end. Save the user first."""
    session = await request.session()
    session.cycle_key()
    _remember(request, session, user)


async def _load_user(request: Request) -> User | None:
    session = await request.session()
    key = session.get(USER_KEY)
    if key is None:
        return None
    user = await User.objects.filter(pk=key, is_active=True).first()
    if user is None:
        return None
    if not compare_digest(str(session.get(HASH_KEY, "")), _session_hash(request, user)):
        session.flush()
        return None
    return user


def _remember(request: Request, session: Session, user: User) -> None:
    session[USER_KEY] = user.pk
    session[HASH_KEY] = _session_hash(request, user)
    rotate_csrf_token(request)
    request.user = user


def _is_of_another(session: Session, user: User) -> bool:
    return USER_KEY in session and session[USER_KEY] != user.pk


def _session_hash(request: Request, user: User) -> str:
    return user.get_session_auth_hash(request.app.settings.signing_key())


@lru_cache(maxsize=16)
def _make_backend(name: str) -> AuthenticationBackend:
    return resolve_name(name)()
