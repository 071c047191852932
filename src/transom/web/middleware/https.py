"""HTTPS for everything: redirects, and a promise that browsers remember."""

from __future__ import annotations

from typing import TYPE_CHECKING

from transom.web.hosts import is_allowed_host
from transom.web.middleware.phases import Phase, in_phase
from transom.web.response import RedirectResponse

if TYPE_CHECKING:
    from collections.abc import Sequence

    from transom.web.middleware.base import CallNext, Middleware
    from transom.web.request import Request
    from transom.web.response import Response

YEAR = 31_536_000


def https(
    *,
    redirect: bool = True,
    hsts: int = YEAR,
    include_subdomains: bool = False,
    preload: bool = False,
    exempt_hosts: Sequence[str] = (),
    exempt_paths: Sequence[str] = (),
) -> Middleware:
    """Return a layer that sends visitors to https, and answers there with `strict-transport-security`.

    It belongs behind `allowed_hosts`, for the address of a redirect is built from the host. GET and HEAD are redirected with
    301, other methods with 308, which lets the client send its body again.

    Behind a proxy that ends TLS, the server must believe its `x-forwarded-proto` or `forwarded`, or the redirect never ends.

    Args:
        redirect: False where something in front does it.
        hsts: seconds for which browsers ask for nothing but https; 0 sends no field.
        include_subdomains: whether the promise holds for all subdomains, those of others too.
        preload: whether the site may be put into the lists that browsers come with; it is hard to get out again.
        exempt_hosts: hosts left alone, in the patterns of `allowed_hosts`: names that only this machine has.
        exempt_paths: beginnings of paths left alone, such as `/healthz`, which a load balancer asks over http.

    Raises:
        ValueError: `preload` without what the lists demand: a year, and subdomains.

    Source: RFC 6797 sections 6.1 and 7.2 (no field over http).
    """
    if preload and not (include_subdomains and hsts >= YEAR):
        raise ValueError(f"preload needs include_subdomains=True and hsts of at least {YEAR} seconds")
    value = f"max-age={hsts}" + "; includeSubDomains" * include_subdomains + "; preload" * preload
    line = (b"strict-transport-security", value.encode())

    @in_phase(Phase.GUARD)
    async def https_layer(request: Request, call_next: CallNext) -> Response:
        if request.is_secure:
            response = await call_next(request)
            if hsts and line[0] not in {name for name, _ in response.headers.raw}:
                response.headers.raw.append(line)
            return response
        if redirect and not _is_exempt(request, exempt_hosts, exempt_paths):
            return RedirectResponse(
                _secure_address(request), 301 if request.method in ("GET", "HEAD") else 308
            )
        return await call_next(request)

    return https_layer


def _is_exempt(request: Request, hosts: Sequence[str], paths: Sequence[str]) -> bool:
    name = request.host.rpartition(":")[0] or request.host
    return is_allowed_host(name, hosts) or request.path.startswith(tuple(paths))


def _secure_address(request: Request) -> str:
    # The port that http was asked on is not the one that https answers on.
    host = request.host
    name = host.rpartition(":")[0] if not host.endswith("]") and ":" in host else host
    return f"https://{name}{request.full_path}"
