"""What the rest of Transom asks of a template engine."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Protocol

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Mapping

    # Any: a template shows whatever the view hands it.
    Context = Mapping[str, Any]


class Engine(Protocol):
    """Renders named templates; one instance serves every task of a process.

    A name is a path relative to one of the engine's folders, with `/` between its parts (`polls/index.html`).
    With `#block` behind it (`polls/index.html#row`) only that block is rendered: a *fragment*.

    Every method raises a `TemplateError` for a mistake in a template; what the context's own objects raise
    passes through.
    """

    async def render(self, name: str, context: Context) -> str:
        """Return the text of the template or fragment.

        Raises:
            TemplateNotFound: the template, one it extends or includes, or the named block does not exist.
            TemplateSyntaxError: the source of one of them cannot be compiled.
            UndefinedVariable: a name or attribute is used that does not exist.
        """
        ...

    async def render_string(self, source: str, context: Context) -> str:
        """Return the text of a template given as source; errors as in `render`.

        The source is code: never build it from what a user sent.
        """
        ...

    def stream(self, name: str, context: Context) -> AsyncIterator[str]:
        """Iterate over pieces of the text while it is rendered; errors as in `render`, raised while iterating."""
        ...
