"""The Jinja2 engine: autoescape on, async, unknown names loud.

Jinja's async mode does most of the work: `{% for %}` takes async iterables (a QuerySet), and what a call or a
filter returns is awaited if it can be. Added here: errors of this package with close names, fragments, a bounded
cache for templates given as strings.

Templates are read and compiled on the event loop, once: a millisecond at first use is cheaper than a thread hop
at every use.
"""

from __future__ import annotations

import functools
from contextlib import aclosing, contextmanager
from typing import TYPE_CHECKING, Any

import jinja2

from transom.templates import filters as builtin_filters
from transom.templates.exceptions import TemplateNotFound, TemplateSyntaxError
from transom.templates.fragments import Fragments
from transom.templates.undefined import LoudUndefined, describe_undefined

if TYPE_CHECKING:
    from collections.abc import AsyncGenerator, AsyncIterator, Callable, Generator, Mapping, Sequence
    from datetime import tzinfo
    from pathlib import Path

    from transom.templates.engine import Context

PLAIN_TEXT_EXTENSIONS = ("txt", "text", "md", "csv")
STRING_TEMPLATES_KEPT = 128


class JinjaEngine:
    """An `Engine` on Jinja2.

    Everything is HTML and escaped, except templates whose names end in .txt, .text, .md or .csv.

    An unknown variable, attribute or item is an error wherever it is used, in production as in debug: a page that
    silently lacks its price is worse than a page that fails its test. `{{ name | default("") }}` and
    `{% if name is defined %}` say that a name may be missing.

    Args:
        dirs: folders searched in order; the first that has the name wins (a site's before its apps').
        debug: look at the files again at each use, so that edits show. Off, a template is read once.
        globals: names every template sees; the context wins over them. More may be added to `globals` later.
        filters: filters beside Jinja's and `transom.templates.filters`.
        time_zone: the zone in which the `date` filter shows aware datetimes; None leaves them in their own.
    """

    def __init__(
        self,
        dirs: Sequence[Path],
        *,
        debug: bool = False,
        globals: Mapping[str, Any] | None = None,  # Any: functions and values for templates
        filters: Mapping[str, Callable[..., Any]] | None = None,
        time_zone: tzinfo | None = None,
    ) -> None:
        self.dirs = tuple(dirs)
        self.environment = jinja2.Environment(
            loader=jinja2.FileSystemLoader(self.dirs),
            autoescape=jinja2.select_autoescape(disabled_extensions=PLAIN_TEXT_EXTENSIONS, default=True),
            undefined=LoudUndefined,
            enable_async=True,
            auto_reload=debug,
            cache_size=-1,  # the set of templates is the site's own: keep them all
        )
        self.environment.policies["json.dumps_function"] = builtin_filters.dump_json
        self.environment.policies["json.dumps_kwargs"] = {}
        self.environment.filters.update(builtin_filters.build_filters(time_zone))
        self.environment.filters.update(filters or {})
        self.environment.globals.update(globals or {})
        self._fragments = Fragments(self.environment)
        self._compile = functools.lru_cache(maxsize=STRING_TEMPLATES_KEPT)(self.environment.from_string)

    @property
    def globals(self) -> dict[str, Any]:
        """Names every template sees. A template keeps the values it was first loaded with: add before rendering."""
        return self.environment.globals

    async def render(self, name: str, context: Context) -> str:
        """Return the text of the template, or of one block for `name#block`; see `Engine.render`."""
        async with aclosing(self._generate(name, context)) as pieces:
            return "".join([piece async for piece in pieces])

    async def render_string(self, source: str, context: Context) -> str:
        """Return the text of a template given as source; see `Engine.render_string`.

        The most recently used sources stay compiled.
        """
        with self._translated(context):
            return await self._compile(source).render_async(context)

    async def stream(self, name: str, context: Context, *, chunk_size: int = 4096) -> AsyncIterator[str]:
        """Iterate over the text in pieces of at least `chunk_size` characters (the last may be shorter).

        With 0 each piece is handed on as soon as Jinja has it, so that what stands above a slow query leaves before it.
        """
        buffer: list[str] = []
        size = 0
        async with aclosing(self._generate(name, context)) as pieces:
            async for piece in pieces:
                buffer.append(piece)
                size += len(piece)
                if size >= chunk_size:
                    yield "".join(buffer)
                    buffer.clear()
                    size = 0
        if size:
            yield "".join(buffer)

    async def _generate(self, name: str, context: Context) -> AsyncGenerator[str, None]:
        template_name, _, block = name.partition("#")
        with self._translated(context):
            if block:
                pieces = self._fragments.generate(template_name, block, context)
            else:
                pieces = self.environment.get_template(name).generate_async(context)
            async with aclosing(pieces):
                async for piece in pieces:
                    yield piece

    @contextmanager
    def _translated(self, context: Context) -> Generator[None]:
        """Turn Jinja's errors into this package's."""
        try:
            yield
        except jinja2.TemplateNotFound as exc:
            raise self._not_found(exc) from exc
        except jinja2.TemplateSyntaxError as exc:
            message = exc.message or "invalid syntax"
            raise TemplateSyntaxError(message, name=exc.name, filename=exc.filename, line=exc.lineno) from exc
        except jinja2.UndefinedError as exc:
            raise describe_undefined(exc, [*context, *self.environment.globals]) from exc

    def _not_found(self, exc: jinja2.TemplateNotFound) -> TemplateNotFound:
        names = exc.templates if isinstance(exc, jinja2.TemplatesNotFound) else [exc.name]
        name = ", ".join(str(name) for name in names)
        template_name, _, block = name.partition("#")
        if block:
            return TemplateNotFound(name, self.dirs, lambda: self._fragments.iter_names(template_name))
        return TemplateNotFound(name, self.dirs, self.environment.list_templates)
