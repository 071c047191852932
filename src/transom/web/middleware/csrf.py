"""Cross-site request forgery: refuse what a page of another site makes a visitor's browser send.

A request with an unsafe method is accepted on the first evidence that settles it:

1. `origin` is in `csrf_trusted_origins`: accepted.
2. `sec-fetch-site`, which browsers send over TLS and to localhost, and which pages cannot forge: `same-origin` and `none`
   (typed, bookmarked) are accepted, `same-site` and `cross-site` refused.
3. `origin`: accepted when it is this site's, refused when it is another or `null`.
4. `referer`, where there is one: refused when it is another site's.
5. The token, for clients that say nothing of where they come from: a secret in a signed cookie, and the same in the form
   field or header.

The secret is made, and the cookie set, when a token is first used: a page without a form stays cacheable. In a page the
secret is masked anew each time, so that its compressed length tells nothing of it (BREACH).

Source: W3C Fetch Metadata; OWASP, Cross-Site Request Forgery Prevention, "signed double-submit cookie".
"""

from __future__ import annotations

import logging
import secrets
from base64 import urlsafe_b64decode, urlsafe_b64encode
from hmac import compare_digest
from typing import TYPE_CHECKING, Any, TypeVar, cast

from transom.signing import BadSignature, Signer
from transom.web.errors import PermissionDenied
from transom.web.middleware.phases import Phase, in_phase
from transom.web.origins import is_same_origin, is_trusted_origin

if TYPE_CHECKING:
    from collections.abc import Callable

    from transom.web.middleware.base import CallNext
    from transom.web.request import Request
    from transom.web.response import Response

COOKIE_NAME = "csrftoken"
FIELD_NAME = "csrfmiddlewaretoken"
HEADER_NAME = "x-csrftoken"
# Browsers take a cookie of this prefix only from this very host, over TLS: a subdomain cannot plant one.
SECURE_PREFIX = "__Host-"
COOKIE_MAX_AGE = 31_449_600  # 52 weeks in seconds, as in Django
SECRET_SIZE = 16
FORM_TYPES = ("application/x-www-form-urlencoded", "multipart/form-data")

logger = logging.getLogger("transom.security")
ViewT = TypeVar("ViewT", bound="Callable[..., Any]")  # Any: the view is returned as it is


def csrf_exempt(view: ViewT) -> ViewT:
    """Mark a view as safe without this check: it authenticates by other means than cookies."""
    view.__dict__["csrf_exempt"] = True
    return view


@in_phase(Phase.GUARD)
async def csrf(request: Request, call_next: CallNext) -> Response:
    """Refuse forged requests with 403; give the views of others `request.csrf_token`."""
    token = CSRFToken(request)
    # The attribute is declared as text, which this becomes when it is written into a page.
    request.csrf_token = cast("str", token)
    if not request.is_safe and not _is_exempt(request):
        reason = await find_problem(request, token)
        if reason:
            logger.warning("CSRF check failed for %r: %s", request.path, reason)
            raise PermissionDenied(f"CSRF check failed: {reason}")
    response = await call_next(request)
    token.finish(response)
    return response


def rotate_csrf_token(request: Request) -> None:
    """Give the visitor a new secret: at login, so that one planted before is worth nothing. Open forms need a reload."""
    token: object = request.csrf_token  # declared as text, see `csrf`
    if isinstance(token, CSRFToken):
        token.rotate()


async def find_problem(request: Request, token: CSRFToken) -> str:
    """Return why a request may be forged; empty when it is not.

    Raises:
        BadRequest: the host or the form is malformed.
    """
    headers = request.headers
    origin = headers.get("origin")
    if origin is not None and is_trusted_origin(origin, request.app.settings.csrf_trusted_origins):
        return ""
    site = headers.get("sec-fetch-site")
    if site is not None:
        accepted = site in ("same-origin", "none")
        return "" if accepted else f"sec-fetch-site is {site!r}; add the origin to csrf_trusted_origins"
    if origin is not None:
        accepted = is_same_origin(request, origin)
        return "" if accepted else f"origin {origin!r} is not this site; add it to csrf_trusted_origins"
    referer = headers.get("referer")
    if referer is not None and not is_same_origin(request, referer):
        return "the referer is another site"
    return token.find_problem(await _read_token(request))


class CSRFToken:
    """The token of one request; written into a page it becomes text, and the response sets the cookie."""

    __slots__ = ("_request", "_secret")

    def __init__(self, request: Request) -> None:
        self._request = request
        self._secret: bytes | None = None

    def __str__(self) -> str:
        if self._secret is None:
            self._secret = self._cookie_secret() or secrets.token_bytes(SECRET_SIZE)
        return _mask(self._secret)

    def __html__(self) -> str:
        return str(self)

    def rotate(self) -> None:
        """Make a new secret, for this response and what comes after it."""
        self._secret = secrets.token_bytes(SECRET_SIZE)

    def find_problem(self, given: str) -> str:
        """Return what is wrong with the token that a client sent; empty when nothing is."""
        secret = self._cookie_secret()
        if secret is None:
            return f"there is no valid {self._cookie_name} cookie; load the form first, with cookies on"
        if not given:
            return f"there is no token; put {{{{ csrf_input }}}} into the form, or send {HEADER_NAME}"
        cookie = self._request.cookies[self._cookie_name]
        if compare_digest(_unmask(given), secret) or compare_digest(given.encode(), cookie.encode()):
            return ""
        return f"the token does not fit the {self._cookie_name} cookie; reload the form"

    def finish(self, response: Response) -> None:
        """Set the cookie and `vary`, if the token was used."""
        if self._secret is None:
            return
        response.headers.add_vary("cookie")
        if self._cookie_secret() != self._secret:
            response.set_cookie(
                self._cookie_name,
                self._signer.sign(_encode(self._secret)),
                max_age=COOKIE_MAX_AGE,
                secure=self._request.is_secure,
            )

    @property
    def _cookie_name(self) -> str:
        return SECURE_PREFIX + COOKIE_NAME if self._request.is_secure else COOKIE_NAME

    @property
    def _signer(self) -> Signer:
        return Signer(self._request.app.settings.signing_key(), "transom.csrf")

    def _cookie_secret(self) -> bytes | None:
        signed = self._request.cookies.get(self._cookie_name)
        if signed is None:
            return None
        try:
            secret = _decode(self._signer.unsign(signed))
        except BadSignature:
            return None
        return secret if len(secret) == SECRET_SIZE else None


def _is_exempt(request: Request) -> bool:
    match = request.resolver_match
    # Where no view answers there is nothing to protect, and 404 says more than 403.
    return match is None or getattr(match.view, "csrf_exempt", False) or match.is_mount


async def _read_token(request: Request) -> str:
    given = request.headers.get(HEADER_NAME)
    if given is None and request.content_type in FORM_TYPES:
        field = (await request.form()).get(FIELD_NAME)
        given = field if isinstance(field, str) else None
    return given or ""


def _mask(secret: bytes) -> str:
    mask = secrets.token_bytes(SECRET_SIZE)
    return _encode(mask + _xor(mask, secret))


def _unmask(token: str) -> bytes:
    data = _decode(token)
    return _xor(data[:SECRET_SIZE], data[SECRET_SIZE:]) if len(data) == 2 * SECRET_SIZE else b""


def _xor(left: bytes, right: bytes) -> bytes:
    return bytes(a ^ b for a, b in zip(left, right, strict=True))


def _encode(data: bytes) -> str:
    return urlsafe_b64encode(data).rstrip(b"=").decode("ascii")


def _decode(text: str) -> bytes:
    """Return the bytes of unpadded URL-safe base64; empty for what is none."""
    try:
        return urlsafe_b64decode(text + "=" * (-len(text) % 4))
    except ValueError:  # not ASCII, or not base64
        return b""
