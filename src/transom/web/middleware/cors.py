"""Cross-origin resource sharing: which other sites' scripts may read what this one answers."""

from __future__ import annotations

import re
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from transom.web.middleware.phases import Phase
from transom.web.response import Response

if TYPE_CHECKING:
    from collections.abc import Sequence

    from transom.web.middleware.base import CallNext
    from transom.web.request import Request

# Fetch: requests with these methods and fields ask for no preflight.
_SAFELISTED_FIELDS = ("accept", "accept-language", "content-language", "content-type")
_ORIGIN = re.compile(r"[a-z][a-z0-9+.\-]*://[^/?#\s,]+")


@dataclass(frozen=True, slots=True)
class CORS:
    """A layer that answers browsers that ask whether another site's scripts may read a response.

        middleware=[*DEFAULT_MIDDLEWARE, CORS(origins=["https://app.example.com"], paths="/api/")]

    It belongs outside of what looks at logins or CSRF: a preflight has neither. It gives away nothing by itself: CSRF
    protection still refuses what a form of another site could send, unless `csrf_trusted_origins` has that site.

    Args:
        origins: scheme, host and port of each site; or `["*"]` for any, which allows no credentials.
        origin_pattern: a regular expression that a whole origin must match, for families of hosts.
        methods: those that a preflight is told.
        headers: fields that scripts may send beyond the safelisted ones.
        expose: fields of responses that scripts may read beyond the safelisted ones.
        credentials: whether requests may carry cookies.
        max_age: seconds for which a browser remembers a preflight.
        paths: beginning of the paths this is about.

    Raises:
        ValueError: an origin is none, or any origin was to be allowed credentials.

    Source: the Fetch standard, section 3.2 (CORS protocol).
    """

    origins: Sequence[str] = ()
    origin_pattern: str = ""
    methods: Sequence[str] = ("GET", "HEAD", "POST", "PUT", "PATCH", "DELETE")
    headers: Sequence[str] = ()
    expose: Sequence[str] = ()
    credentials: bool = False
    max_age: int = 600
    paths: str = "/"
    phase: Phase = field(init=False, repr=False, default=Phase.GUARD)
    _pattern: re.Pattern[str] | None = field(init=False, repr=False, default=None)

    def __post_init__(self) -> None:
        if "*" in self.origins and self.credentials:
            raise ValueError(
                "origins=['*'] with credentials would let every site act as the visitor; name the origins"
            )
        for origin in self.origins:
            if origin != "*" and not _ORIGIN.fullmatch(origin):
                raise ValueError(f"{origin!r} is no origin; expected one like 'https://app.example.com'")
        if self.origin_pattern:
            object.__setattr__(self, "_pattern", re.compile(self.origin_pattern))

    async def __call__(self, request: Request, call_next: CallNext) -> Response:
        """Answer a preflight; let others pass and say who may read the response."""
        if not request.path.startswith(self.paths):
            return await call_next(request)
        origin = request.headers.get("origin")
        if origin is None:
            response = await call_next(request)
            self._vary(response)
            return response
        if request.method == "OPTIONS" and "access-control-request-method" in request.headers:
            response = Response(status=204)
            if self.allows(origin):
                self._answer_preflight(response)
            response.headers.add_vary("access-control-request-method", "access-control-request-headers")
        else:
            response = await call_next(request)
            if self.expose and self.allows(origin):
                response.headers["access-control-expose-headers"] = ", ".join(self.expose)
        if self.allows(origin):
            self._let_in(response, origin)
        self._vary(response)
        return response

    def allows(self, origin: str) -> bool:
        """Whether scripts of an origin may read responses."""
        if "*" in self.origins or origin in self.origins:
            return True
        return self._pattern is not None and self._pattern.fullmatch(origin) is not None

    def _answer_preflight(self, response: Response) -> None:
        response.headers["access-control-allow-methods"] = ", ".join(self.methods)
        response.headers["access-control-allow-headers"] = ", ".join(
            dict.fromkeys((*_SAFELISTED_FIELDS, *map(str.lower, self.headers)))
        )
        response.headers["access-control-max-age"] = str(self.max_age)

    def _let_in(self, response: Response, origin: str) -> None:
        response.headers["access-control-allow-origin"] = "*" if "*" in self.origins else origin
        if self.credentials:
            response.headers["access-control-allow-credentials"] = "true"

    def _vary(self, response: Response) -> None:
        if "*" not in self.origins:  # the answer differs, for those without an origin too
            response.headers.add_vary("origin")
