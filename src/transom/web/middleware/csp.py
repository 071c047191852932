"""Content-Security-Policy: what a page may load and run, with a nonce for its own scripts."""

from __future__ import annotations

from enum import StrEnum
from typing import TYPE_CHECKING, Any, TypeAlias, TypeVar

from transom.web.headers import encode_header
from transom.web.middleware.phases import Phase, in_phase

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence

    from transom.web.middleware.base import CallNext, Middleware
    from transom.web.request import Request
    from transom.web.response import Response

V = TypeVar("V", bound="Callable[..., Any]")  # Any: the view is returned as it is

Policy: TypeAlias = "Mapping[str, Sequence[str]]"


class CSP(StrEnum):
    """The words of a policy, quoted as the header wants them."""

    SELF = "'self'"
    NONE = "'none'"
    NONCE = "'nonce'"
    STRICT_DYNAMIC = "'strict-dynamic'"
    UNSAFE_INLINE = "'unsafe-inline'"
    UNSAFE_EVAL = "'unsafe-eval'"
    REPORT_SAMPLE = "'report-sample'"


_PLACE = CSP.NONCE.value.encode()

STRICT_POLICY: Policy = {
    "default-src": [CSP.SELF],
    "script-src": [CSP.SELF, CSP.NONCE],
    "style-src": [CSP.SELF, CSP.NONCE],
    "img-src": [CSP.SELF, "data:"],
    "object-src": [CSP.NONE],
    "base-uri": [CSP.NONE],
    "form-action": [CSP.SELF],
    "frame-ancestors": [CSP.NONE],
}
"""Only what the site itself serves, and inline scripts and styles that carry the nonce."""


def content_security_policy(policy: Policy = STRICT_POLICY, *, report_only: bool = False) -> Middleware:
    """Return a layer that answers with a policy, unless the view has sent one of its own.

    `CSP.NONCE` stands for the nonce of the request, which a page writes into its tags:
    `<script nonce="{{ request.csp_nonce }}">`. Where no page has asked for it, it is left out of the header, so that a cache
    may keep the response.

    Args:
        policy: sources by directive; an empty list for a directive without any.
        report_only: whether browsers only report what they would have refused.

    Raises:
        ValueError: a directive or source has a semicolon, a comma or a character that no header may have.

    Source: Content Security Policy Level 3.
    """
    build = _compile(policy)
    name = b"content-security-policy-report-only" if report_only else b"content-security-policy"

    @in_phase(Phase.ANSWER)
    async def csp_layer(request: Request, call_next: CallNext) -> Response:
        response = await call_next(request)
        match = request.resolver_match
        own: Callable[[str | None], bytes] | None = getattr(match and match.view, "csp_policy", build)
        if own is not None and name not in {field for field, _ in response.headers.raw}:
            response.headers.raw.append((name, own(request.used_csp_nonce)))
        return response

    return csp_layer


def csp_override(policy: Policy) -> Callable[[V], V]:
    """Return a decorator that gives a view a policy of its own."""
    build = _compile(policy)

    def decorate(view: V) -> V:
        view.__dict__["csp_policy"] = build
        return view

    return decorate


def csp_exempt(view: V) -> V:
    """Send no policy with a view's responses."""
    view.__dict__["csp_policy"] = None
    return view


def _compile(policy: Policy) -> Callable[[str | None], bytes]:
    """Return what builds the value for a nonce, or for none."""
    without, template = _build(policy, nonced=False), _build(policy, nonced=True)

    def build(nonce: str | None) -> bytes:
        return without if nonce is None else template.replace(_PLACE, f"'nonce-{nonce}'".encode())

    return build


def _build(policy: Policy, *, nonced: bool) -> bytes:
    parts: list[str] = []
    for directive, sources in policy.items():
        words = [directive, *(source.value if isinstance(source, CSP) else source for source in sources)]
        for word in words:
            if ";" in word or "," in word:
                raise ValueError(
                    f"{word!r} in the policy holds a semicolon or comma; give each source by itself"
                )
        parts.append(" ".join(word for word in words if nonced or word != CSP.NONCE.value))
    text = "; ".join(parts)
    return encode_header("content-security-policy", text)[1]
