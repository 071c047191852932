"""The site that is current in this context, so that `reverse` needs no request."""

from __future__ import annotations

from contextvars import ContextVar
from typing import TYPE_CHECKING, NamedTuple, Protocol

if TYPE_CHECKING:
    from transom.conf import Settings
    from transom.web.urls.urlconf import URLconf


class Site(Protocol):
    """What has settings and a URLconf: the application."""

    @property
    def settings(self) -> Settings:
        """The settings of the site."""
        ...

    @property
    def urlconf(self) -> URLconf:
        """The compiled routes."""
        ...


class Current(NamedTuple):
    """The current site and the path it is served under: empty, or without its closing slash."""

    site: Site
    root_path: str = ""


current: ContextVar[Current] = ContextVar("transom.web.current")


def reverse(name: str, /, *args: object, **kwargs: object) -> str:
    """Return the path of a named route of the current site, percent-encoded, with the root path it is served under.

    Within a request that is the application that serves it; outside of one, the application made last.

    Args:
        name: with its namespaces, e.g. `"polls:detail"`.
        args: the parameters in order; or
        kwargs: the parameters by name.

    Raises:
        NoReverseMatch: the name is unknown, parameters are missing or too many, or a value does not fit.
        LookupError: no application was made in this context.
    """
    try:
        site, root_path = current.get()
    except LookupError:
        raise LookupError(
            f"cannot reverse {name!r}: there is no application yet; make an App first"
        ) from None
    return root_path + site.urlconf.reverse(name, *args, **kwargs)
