"""The HTML of the two debug pages. No script at all: the parts fold with `<details>`."""

from __future__ import annotations

from dataclasses import dataclass
from html import escape
from typing import TYPE_CHECKING

from transom.web.error_pages.styles import load_style

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from transom.web.error_pages.traceback import ExceptionView, FrameView

__all__ = ["RouteRow", "Table", "render_technical_404", "render_technical_500"]

NOTICE = "You see this page because <code>debug</code> is on. Visitors of a site in production get a plain page instead."


@dataclass(frozen=True, slots=True)
class Table:
    """Named values under a title."""

    title: str
    rows: Sequence[tuple[str, str]]


@dataclass(frozen=True, slots=True)
class RouteRow:
    """One route of the URLconf."""

    route: str
    name: str
    view: str
    kind: str
    is_close: bool


def render_technical_500(chain: Sequence[ExceptionView], *, title: str, tables: Iterable[Table]) -> str:
    """Return the page for an exception.

    Args:
        chain: the exception first, then what it came from.
        title: method and path.
        tables: request data and settings, secrets already hidden.
    """
    first = chain[0]
    header = (
        f'<p class="request">{escape(title)}</p><h1>{escape(first.type_name)}</h1>'
        f'<p class="message">{escape(first.message) or "(no message)"}</p>'
    )
    body = (
        f'<section aria-labelledby="traceback"><h2 id="traceback">Traceback</h2>'
        f'<p class="hint">The most recent call comes first; calls inside libraries are folded.</p>'
        f"{_render_chain(chain, 3)}</section>{''.join(map(_render_table, tables))}"
    )
    return _render_page(f"{first.type_name} at {title}", header, body)


def render_technical_404(
    *, title: str, detail: str, routes: Sequence[RouteRow], tables: Iterable[Table]
) -> str:
    """Return the page for an address without a view, with the routes that there are."""
    header = f'<p class="request">{escape(title)}</p><h1>Page not found</h1><p class="message">{escape(detail)}</p>'
    close = [row for row in routes if row.is_close]
    hint = f"<p>Did you mean {' or '.join(_code(row.route) for row in close)}?</p>" if close else ""
    body = (
        f'<section aria-labelledby="routes"><h2 id="routes">Routes of this site</h2>{hint}{_render_routes(routes)}'
        f"</section>{''.join(map(_render_table, tables))}"
    )
    return _render_page(f"Page not found at {title}", header, body)


def _render_page(title: str, header: str, body: str) -> str:
    return f"""<!doctype html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<meta name="robots" content="noindex">
<title>{escape(title)}</title>
<style>{load_style("technical.css")}</style>
</head>
<body>
<header>{header}</header>
<main>
{body}
</main>
<footer><p>{NOTICE}</p></footer>
</body>
</html>
"""


def _render_chain(chain: Sequence[ExceptionView], level: int) -> str:
    parts: list[str] = []
    for index, view in enumerate(chain):
        heading = (
            f"{escape(view.type_name)}: {escape(view.message)}" if view.message else escape(view.type_name)
        )
        parts.append(f'<article><h{level} class="exception">{heading}</h{level}>')
        parts += [f'<p class="note">{escape(note)}</p>' for note in view.notes]
        parts += _render_frames(view, all_open=index == 0)
        if view.omitted:
            parts.append(f'<p class="hint">{view.omitted} calls in the middle are left out.</p>')
        parts += [_render_member(member, number, level) for number, member in enumerate(view.members, 1)]
        parts.append("</article>")
        if view.link:
            parts.append(f'<p class="link">The exception above {escape(view.link)}:</p>')
    return "".join(parts)


def _render_member(chain: Sequence[ExceptionView], number: int, level: int) -> str:
    return (
        f'<details class="member" open><summary>Member {number} of the group</summary>'
        f"{_render_chain(chain, min(level + 1, 6))}</details>"
    )


def _render_frames(view: ExceptionView, *, all_open: bool) -> list[str]:
    """Render the most recent call first; of an older exception only the site's last call is unfolded."""
    site = [frame for frame in reversed(view.frames) if not frame.is_library]
    unfolded = site if all_open else site[:1]
    return [_render_frame(frame, any(frame is item for item in unfolded)) for frame in reversed(view.frames)]


def _render_frame(frame: FrameView, unfolded: bool) -> str:
    is_open = " open" if unfolded else ""
    kind = "library" if frame.is_library else "site"
    return (
        f'<details class="frame {kind}"{is_open}><summary><span class="file">{escape(frame.filename)}</span>, '
        f"line {frame.lineno}, in <code>{escape(frame.function)}</code></summary>"
        f"{_render_source(frame)}{_render_variables(frame)}</details>"
    )


def _render_source(frame: FrameView) -> str:
    if not frame.source:
        return '<p class="hint">The source is not available.</p>'
    lines = "".join(
        f'<li value="{number}"{CURRENT if number == frame.lineno else ""}><code>{escape(text) or " "}</code></li>'
        for number, text in frame.source
    )
    return f'<ol class="source" tabindex="0" aria-label="Source around line {frame.lineno}">{lines}</ol>'


CURRENT = ' class="current" aria-current="true"'


def _render_variables(frame: FrameView) -> str:
    if not frame.variables:
        return ""
    return (
        f'<details class="variables"><summary>Local variables ({len(frame.variables)})</summary>'
        f"{_render_rows(frame.variables)}</details>"
    )


def _render_table(table: Table) -> str:
    rows = _render_rows(table.rows) if table.rows else '<p class="hint">None.</p>'
    return f"<section><h2>{escape(table.title)}</h2>{rows}</section>"


def _render_rows(rows: Iterable[tuple[str, str]]) -> str:
    cells = "".join(
        f'<tr><th scope="row">{escape(name)}</th><td>{_code(value)}</td></tr>' for name, value in rows
    )
    return f'<div class="scroll" tabindex="0" role="group" aria-label="Values"><table>{cells}</table></div>'


def _render_routes(routes: Iterable[RouteRow]) -> str:
    cells = "".join(
        f"<tr{CLOSE if row.is_close else ''}><td>{_code(row.route)}</td><td>{escape(row.name)}</td>"
        f"<td>{_code(row.view)}</td><td>{escape(row.kind)}</td></tr>"
        for row in routes
    )
    if not cells:
        return '<p class="hint">The URLconf is empty: add a path() to urlpatterns.</p>'
    heads = "".join(f'<th scope="col">{name}</th>' for name in ("Route", "Name", "View", "Kind"))
    return (
        '<div class="scroll" tabindex="0" role="group" aria-label="Routes">'
        f"<table><thead><tr>{heads}</tr></thead><tbody>{cells}</tbody></table></div>"
    )


CLOSE = ' class="close"'


def _code(text: str) -> str:
    return f"<code>{escape(text)}</code>"
