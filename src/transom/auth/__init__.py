"""Users, passwords, and who is logged in."""

from transom.auth.authentication import authenticate, get_user, login, logout, update_session_auth_hash
from transom.auth.backends import AuthenticationBackend, ModelBackend
from transom.auth.decorators import login_required, staff_required
from transom.auth.exceptions import PasswordHashingBusy
from transom.auth.forms import AuthenticationForm
from transom.auth.hashers import PasswordHasher, set_password_hasher
from transom.auth.middleware import authentication
from transom.auth.models import User, UserManager
from transom.auth.passwords import Blocklist, PasswordValidator, validate_password
from transom.auth.throttle import LoginThrottle, login_throttle

__all__ = [
    "AuthenticationBackend",
    "AuthenticationForm",
    "Blocklist",
    "LoginThrottle",
    "ModelBackend",
    "PasswordHasher",
    "PasswordHashingBusy",
    "PasswordValidator",
    "User",
    "UserManager",
    "authenticate",
    "authentication",
    "get_user",
    "login",
    "login_required",
    "login_throttle",
    "logout",
    "set_password_hasher",
    "staff_required",
    "update_session_auth_hash",
    "validate_password",
]
