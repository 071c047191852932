"""What views do most: render a template, redirect, get an object or answer 404."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Any, Protocol, TypeVar, overload

from transom.web.errors import BadRequest, Http404
from transom.web.response import HTMLResponse, RedirectResponse, Response
from transom.web.templating import build_context
from transom.web.urls import reverse
from transom.web.urls.redirects import is_address

if TYPE_CHECKING:
    from collections.abc import Mapping

    from transom.web.request import Request

__all__ = ["get_object_or_404", "redirect", "render", "render_string", "reverse"]

ModelT = TypeVar(
    "ModelT"
)  # unbound: the manager of a model stands on its metaclass, which no protocol can name
T_co = TypeVar("T_co", covariant=True)
# Browsers drop tabs and newlines anywhere, and read a backslash as a slash (WHATWG URL).
UNSAFE_CHARACTERS = re.compile(r"[\x00-\x20\x7f\\]")


class Gettable(Protocol[T_co]):
    """What finds one object: a QuerySet or a Manager."""

    # Any: lookups and their values are checked by the model layer.
    async def get(self, *args: Any, **lookups: Any) -> T_co:
        """Return the one object, or raise `model.DoesNotExist`."""
        ...


async def render(
    request: Request, name: str, context: Mapping[str, Any] | None = None, status: int = 200
) -> Response:
    """Return a template as an HTML response.

    The template also sees `request`, `csrf_input`, `csrf_token` and `messages`; the functions `url(name, …)` and
    `static(path)` are there in every template.

    Args:
        request: its application has the engine.
        name: e.g. `"polls/index.html"`; with `#block`, only that block.
        context: further names; they win.
        status: of the response.

    Raises:
        TemplateError: the template is missing or wrong.
    """
    text = await request.app.templates.render(name, {**build_context(request), **(context or {})})
    return HTMLResponse(text, status)


async def render_string(
    request: Request, source: str, context: Mapping[str, Any] | None = None, status: int = 200
) -> Response:
    """Return the source of a template, rendered, as an HTML response; for sites that are one file.

    As `render`, but for the source; never put into it what came from a client.
    """
    text = await request.app.templates.render_string(source, {**build_context(request), **(context or {})})
    return HTMLResponse(text, status)


# Any: each parameter has the type of its converter, and query and fragment have theirs.
def redirect(to: str, /, *args: object, permanent: bool = False, **kwargs: Any) -> RedirectResponse:
    """Return a redirect within this site.

    An address on another host is refused, so `redirect(request.query["next"])` is safe; for one you chose yourself there is
    `RedirectResponse(url)`.

    Args:
        to: name of a route, reversed with `args` or `kwargs`; or a path, `?query` or `#fragment`.
        args: the parameters in order; or
        kwargs: the parameters by name; and `query` and `fragment`, as for `reverse`.
        permanent: 301, which browsers remember, in place of 302.

    Raises:
        BadRequest: `to` is an address that leads, or may lead, off this site.
        NoReverseMatch: it is no path and no route has this name.
    """
    url = _checked(to) if is_address(to) else reverse(to, *args, **kwargs)
    return RedirectResponse(url, 301 if permanent else 302)


@overload
async def get_object_or_404(source: type[ModelT], /, *args: Any, **lookups: Any) -> ModelT: ...
@overload
async def get_object_or_404(source: Gettable[T_co], /, *args: Any, **lookups: Any) -> T_co: ...
async def get_object_or_404(source: Any, /, *args: Any, **lookups: Any) -> Any:
    """Return the one object that fits, as `get` does.

    Args:
        source: a model, a manager or a QuerySet.
        args: as for `get`.
        lookups: as for `get`, e.g. `pk=3`.

    Raises:
        Http404: there is none.
        MultipleObjectsReturned: there are several; that is a mistake of the site, not of the request.
    """
    # Any: the overloads say what goes in and out; by shape, so that the web layer needs no database layer.
    found = getattr(source, "objects", source)
    model = getattr(found, "model", source)
    try:
        return await found.get(*args, **lookups)
    except model.DoesNotExist as exc:
        raise Http404(str(exc)) from exc


def _checked(address: str) -> str:
    if (
        UNSAFE_CHARACTERS.search(address)
        or address.startswith("//")
        or not address.startswith(("/", "?", "#", "."))
    ):
        raise BadRequest(
            f"redirect to {address!r} may leave this site; use RedirectResponse for another host"
        )
    return address
