"""Fragments: one block of a template, rendered alone (`polls/results.html#bars`).

A block sees what it sees in the whole page: the context, the globals, and the imports and macros at the top of
its files. Inheritance holds: the block may stand in a parent template, hold blocks the child overrides, and call
`super()`. What a fragment does not see are `{% set %}` and loops outside the block: to run those would be to
render the page.

So per template there are, beside its compiled self, a *prelude* (a template compiled from its imports and macros
only) and the name of its parent. A fragment runs the preludes of the chain, then the innermost version of the
block.
"""

from __future__ import annotations

from contextlib import aclosing
from dataclasses import dataclass
from typing import TYPE_CHECKING, cast

import jinja2
from jinja2 import nodes

if TYPE_CHECKING:
    from collections.abc import AsyncGenerator, Callable, Iterable, Iterator

    from jinja2.runtime import Context as JinjaContext

    from transom.templates.engine import Context

    AsyncRender = Callable[[JinjaContext], AsyncGenerator[str, None]]


@dataclass(frozen=True, slots=True)
class Level:
    """One template of an inheritance chain."""

    template: jinja2.Template
    prelude: jinja2.Template
    parent: str | None


class Fragments:
    """Renders single blocks of the templates of one environment."""

    def __init__(self, environment: jinja2.Environment) -> None:
        self._environment = environment
        self._levels: dict[str, Level] = {}

    async def generate(self, name: str, block: str, variables: Context) -> AsyncGenerator[str, None]:
        """Iterate over the pieces of one block.

        Raises:
            jinja2.TemplateNotFound: no template of the chain has the block.
        """
        chain = list(self._iter_chain(name))
        context = chain[0].template.new_context(dict(variables))
        for level in chain[1:]:
            for block_name, render in level.template.blocks.items():
                context.blocks.setdefault(block_name, []).append(render)
        if block not in context.blocks:
            raise jinja2.TemplateNotFound(f"{name}#{block}")
        try:
            for level in chain:
                await _drain(level.prelude, context)
            async with aclosing(_as_async(context.blocks[block][0])(context)) as pieces:
                async for piece in pieces:
                    yield piece
        except Exception:
            # Rewrites the traceback to the template's lines and raises.
            self._environment.handle_exception()

    def iter_names(self, name: str) -> Iterator[str]:
        """Iterate over the fragments a template has."""
        for level in self._iter_chain(name):
            for block in level.template.blocks:
                yield f"{name}#{block}"

    def _iter_chain(self, name: str) -> Iterator[Level]:
        """Iterate from the template to its root. A parent whose name is computed at run time ends the chain."""
        parent: str | None = name
        seen: set[str] = set()
        while parent is not None and parent not in seen:
            seen.add(parent)
            level = self._load_level(parent)
            yield level
            parent = level.parent

    def _load_level(self, name: str) -> Level:
        template = self._environment.get_template(name)
        level = self._levels.get(name)
        if level is None or level.template is not template:  # a reload gives a new template object
            level = self._levels[name] = self._build_level(template, name)
        return level

    def _build_level(self, template: jinja2.Template, name: str) -> Level:
        loader = self._environment.loader
        if loader is None:
            raise TypeError("fragments need an environment with a loader")
        source, filename, uptodate = loader.get_source(self._environment, name)
        tree = self._environment.parse(source, name, filename)
        kept = [node for node in tree.body if isinstance(node, nodes.Import | nodes.FromImport | nodes.Macro)]
        prelude = nodes.Template(cast("list[nodes.Node]", kept), lineno=1)
        prelude.set_environment(self._environment)
        code = self._environment.compile(prelude, name, filename)
        make_globals = self._environment.make_globals(None)
        compiled = jinja2.Template.from_code(self._environment, code, make_globals, uptodate)
        return Level(template, compiled, _find_parent(tree.find_all(nodes.Extends)))


def _find_parent(extends: Iterable[nodes.Extends]) -> str | None:
    for node in extends:
        if isinstance(node.template, nodes.Const):
            return str(node.template.value)
    return None


async def _drain(template: jinja2.Template, context: JinjaContext) -> None:
    async with aclosing(_as_async(template.root_render_func)(context)) as pieces:
        async for _ in pieces:
            pass


def _as_async(render: Callable[[JinjaContext], Iterator[str]]) -> AsyncRender:
    """Correct the type: Jinja declares the sync kind, an async environment compiles async generators."""
    return cast("AsyncRender", render)
