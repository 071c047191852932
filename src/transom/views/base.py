"""View: a class that answers requests, and the simplest two of them."""

from __future__ import annotations

import inspect
from difflib import get_close_matches
from functools import reduce
from typing import TYPE_CHECKING, Any, ClassVar

from transom.conf import ImproperlyConfigured
from transom.templates import TemplateNotFound
from transom.web import MethodNotAllowed, RedirectResponse, Response, render, reverse
from transom.web.urls.redirects import expand_address

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable, Mapping, Sequence

    from transom.web import Request


class View:
    """A view as a class, one method for each HTTP method: `async def get(self, request, **kwargs) -> Response`.

        path("about/", About.as_view())

    Each request gets an instance of its own. HEAD is answered by `get` unless there is a `head`; OPTIONS, and 405 for what
    has no method here, come by themselves.

    Attributes:
        decorators: put around the view as if they were written above a function, the first outermost.
        request: the request that this instance answers.
        kwargs: the parameters of the route. Any: their converters know the types.
    """

    http_method_names: ClassVar[tuple[str, ...]] = (
        "get",
        "post",
        "put",
        "patch",
        "delete",
        "head",
        "options",
        "trace",
    )

    decorators: ClassVar[
        Sequence[Callable[..., Any]]
    ] = ()  # Any: a view in, a view out; see transom.views.decorators

    request: Request
    kwargs: dict[str, Any]

    def __init__(self, **initkwargs: Any) -> None:  # Any: attributes of every type
        for name, value in initkwargs.items():
            setattr(self, name, value)

    @classmethod
    def as_view(cls, **initkwargs: Any) -> Callable[..., Awaitable[Response]]:
        """Return the view that a URLconf takes.

        Args:
            initkwargs: attributes of the class to set otherwise for this route. Any: each has its type.

        Raises:
            TypeError: the class has no such attribute, a handler is not async, or there is none.
            ImproperlyConfigured: an attribute is missing, such as the model of a list.
        """
        cls._check_initkwargs(initkwargs)
        cls._check_handlers()
        cls(**initkwargs).check_configuration()

        async def view(request: Request, **kwargs: Any) -> Response:
            self = cls(**initkwargs)
            self.setup(request, **kwargs)
            return await self.dispatch(request, **kwargs)

        view.__name__, view.__qualname__ = cls.__name__, cls.__qualname__
        view.__doc__, view.__module__ = cls.__doc__, cls.__module__
        view.__dict__.update(cls.dispatch.__dict__, view_class=cls, view_initkwargs=initkwargs)
        return reduce(lambda decorated, decorator: decorator(decorated), reversed(cls.decorators), view)

    def check_configuration(self) -> None:
        """Raise ImproperlyConfigured for what is missing, once, when the URLconf is read; here nothing can be."""

    def setup(self, request: Request, **kwargs: Any) -> None:
        """Keep what every method of the instance may want to see."""
        self.request = request
        self.kwargs = kwargs

    async def dispatch(self, request: Request, **kwargs: Any) -> Response:
        """Call the method for the request's; what has to happen around each of them goes here.

        Raises:
            MethodNotAllowed: there is none.
        """
        handler = self._find_handler(request.method.lower())
        if handler is None:
            raise MethodNotAllowed(self.allowed_methods())
        return await handler(request, **kwargs)

    async def options(self, request: Request, **kwargs: Any) -> Response:
        """Say which methods there are."""
        return Response(status=204, headers={"allow": ", ".join(self.allowed_methods())})

    @classmethod
    def allowed_methods(cls) -> list[str]:
        """Return the HTTP methods that are answered."""
        names = [name for name in cls.http_method_names if hasattr(cls, name)]
        return sorted({name.upper() for name in names} | ({"HEAD"} if "get" in names else set()))

    def _find_handler(self, method: str) -> Callable[..., Awaitable[Response]] | None:
        names = (method, "get") if method == "head" else (method,)
        found = (getattr(self, name, None) for name in names if name in self.http_method_names)
        return next(filter(None, found), None)

    @classmethod
    def _check_initkwargs(cls, initkwargs: Mapping[str, Any]) -> None:
        for name in initkwargs:
            if hasattr(cls, name) and not inspect.isroutine(getattr(cls, name)):
                continue
            known = [
                name for name in dir(cls) if name[0] != "_" and not inspect.isroutine(getattr(cls, name))
            ]
            close = get_close_matches(name, known, 1)
            hint = f"did you mean {close[0]!r}?" if close else f"choose from {', '.join(known)}"
            raise TypeError(
                f"{cls.__name__}.as_view() got {name!r}, which is no attribute of the class; {hint}"
            )

    @classmethod
    def _check_handlers(cls) -> None:
        names = [name for name in cls.http_method_names if hasattr(cls, name)]
        if names == ["options"]:
            raise TypeError(
                f"{cls.__name__} answers no method; give it `async def get(self, request, **kwargs)`"
            )
        for name in ("dispatch", *names):
            if not inspect.iscoroutinefunction(getattr(cls, name)):
                raise TypeError(
                    f"{cls.__name__}.{name} is not async; write `async def {name}`; or, if it has to block, put `@threaded` "
                    "above it: it then runs in a pool of threads"
                )


class TemplateView(View):
    """Shows a template; the base of all views that do.

    Attributes:
        template_name: the template.
        extra_context: names that the template sees besides those of the view.
    """

    template_name: str | None = None
    extra_context: Mapping[str, Any] | None = (
        None  # Any: a template shows whatever it is handed, here and below
    )

    def check_configuration(self) -> None:
        """Refuse a view that does not say its template."""
        if not self.template_name and not overrides(self, TemplateView, "get_template_names"):
            raise ImproperlyConfigured(f"{type(self).__name__} has no template; set template_name")

    async def get(self, request: Request, **kwargs: Any) -> Response:
        """Show the template; it sees the parameters of the route."""
        return await self.render(await self.get_context_data(**kwargs))

    async def get_context_data(self, **context: Any) -> dict[str, Any]:
        """Return what the template sees: `view`, `extra_context` and what is given."""
        return {"view": self, **(self.extra_context or {}), **context}

    def get_template_names(self) -> list[str]:
        """Return the templates to look for; the first that exists is shown."""
        return [self.template_name] if self.template_name else []

    async def render(self, context: Mapping[str, Any], status: int = 200) -> Response:
        """Return a response with the template.

        Raises:
            TemplateNotFound: none of the templates exists.
            TemplateError: the template is wrong.
        """
        *first, last = self.get_template_names()
        for name in first:
            try:
                return await render(self.request, name, context, status)
            except TemplateNotFound as exc:
                if exc.name != name:  # it exists, but includes one that does not
                    raise
        return await render(self.request, last, context, status)


class RedirectView(View):
    """Sends the client elsewhere, whatever the method.

    Attributes:
        url: where to, with the parameters of the route in braces: `"/articles/{pk}/"`; or
        pattern_name: name of a route, reversed with the parameters of this one.
        permanent: 301, which browsers remember, in place of 302.
        query_string: whether the query of the request goes along.
    """

    url: str | None = None
    pattern_name: str | None = None
    permanent: bool = False
    query_string: bool = False

    def check_configuration(self) -> None:
        """Refuse a view that does not say where to."""
        overridden = overrides(self, RedirectView, "get_redirect_url")
        if not overridden and (self.url is None) == (self.pattern_name is None):
            raise ImproperlyConfigured(f"{type(self).__name__} needs either url or pattern_name")

    def get_redirect_url(self, **kwargs: Any) -> str:
        """Return where to go.

        Raises:
            NoReverseMatch: no route has the name.
        """
        if self.url is None:
            assert self.pattern_name is not None  # noqa: S101
            url = reverse(self.pattern_name, **kwargs)
        else:
            url = expand_address(self.url, kwargs)
        query = self.request.query.urlencode() if self.query_string else ""
        return f"{url}?{query}" if query else url

    async def get(self, request: Request, **kwargs: Any) -> Response:
        """Redirect."""
        return RedirectResponse(self.get_redirect_url(**kwargs), 301 if self.permanent else 302)

    async def post(self, request: Request, **kwargs: Any) -> Response:
        """Redirect; the browser follows with GET."""
        return await self.get(request, **kwargs)

    async def put(self, request: Request, **kwargs: Any) -> Response:
        """Redirect."""
        return await self.get(request, **kwargs)

    async def patch(self, request: Request, **kwargs: Any) -> Response:
        """Redirect."""
        return await self.get(request, **kwargs)

    async def delete(self, request: Request, **kwargs: Any) -> Response:
        """Redirect."""
        return await self.get(request, **kwargs)


def overrides(view: View, base: type[View], *names: str) -> bool:
    """Whether the class of a view has any of these methods of its own, and not from `base`."""
    return any(getattr(type(view), name) is not getattr(base, name) for name in names)
