"""An exception taken apart for display: its chain, its group, its frames, their source and locals; all bounded."""

from __future__ import annotations

import linecache
import sysconfig
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

import transom
from transom.web.error_pages.redaction import hide_in_source, hide_in_text, show_named

if TYPE_CHECKING:
    from collections.abc import Iterator
    from types import FrameType, TracebackType
from typing import cast

__all__ = ["ExceptionView", "FrameView", "describe_exception"]

CONTEXT_LINES = 5
MAX_FRAMES = 50
MAX_LOCALS = 50
MAX_CHAIN = 20
MAX_GROUP = 20
MAX_DEPTH = 5
MAX_MESSAGE = 4_000
# A minified file or generated code has lines no one reads.
MAX_LINE = 300

LIBRARY_FOLDERS = tuple(
    str(Path(folder).resolve())
    for folder in {*sysconfig.get_paths().values(), str(Path(transom.__file__).parent)}
    if folder
)


@dataclass(frozen=True, slots=True)
class FrameView:
    """One call: where, the source around it, and its local variables."""

    filename: str
    lineno: int
    function: str
    source: tuple[tuple[int, str], ...]
    variables: tuple[tuple[str, str], ...]
    is_library: bool


@dataclass(frozen=True, slots=True)
class ExceptionView:
    """One exception of a chain.

    Attributes:
        type_name: with its module, save for built-in ones.
        message: its text, secrets hidden.
        notes: what `add_note` left.
        frames: the most recent call last.
        omitted: how many frames in the middle are left out.
        link: how the *next* older exception relates to this one, "" for the last.
        members: the chains of the members of an exception group.
    """

    type_name: str
    message: str
    notes: tuple[str, ...]
    frames: tuple[FrameView, ...]
    omitted: int
    link: str
    members: tuple[tuple[ExceptionView, ...], ...]


def describe_exception(exc: BaseException, *, depth: int = 0) -> tuple[ExceptionView, ...]:
    """Return the chain of an exception, itself first, then what it came from."""
    return tuple(_describe_one(item, link, depth) for item, link in _iter_chain(exc))


def _iter_chain(exc: BaseException) -> Iterator[tuple[BaseException, str]]:
    seen: set[int] = set()
    current: BaseException | None = exc
    while current is not None and id(current) not in seen and len(seen) < MAX_CHAIN:
        seen.add(id(current))
        older, link = _older(current)
        yield current, link if older is not None and id(older) not in seen else ""
        current = older


def _older(exc: BaseException) -> tuple[BaseException | None, str]:
    if exc.__cause__ is not None:
        return exc.__cause__, "was raised because of"
    if exc.__suppress_context__:
        return None, ""
    return exc.__context__, "was raised while this was being handled"


def _describe_one(exc: BaseException, link: str, depth: int) -> ExceptionView:
    frames, omitted = _describe_frames(exc.__traceback__)
    return ExceptionView(
        type_name=_type_name(type(exc)),
        message=_message(exc),
        notes=tuple(hide_in_text(str(note)[:MAX_MESSAGE]) for note in getattr(exc, "__notes__", ())),
        frames=frames,
        omitted=omitted,
        link=link,
        members=_describe_members(exc, depth),
    )


def _describe_members(exc: BaseException, depth: int) -> tuple[tuple[ExceptionView, ...], ...]:
    if not isinstance(exc, BaseExceptionGroup) or depth >= MAX_DEPTH:
        return ()
    group = cast("BaseExceptionGroup[BaseException]", exc)  # isinstance leaves the parameter open
    return tuple(describe_exception(member, depth=depth + 1) for member in group.exceptions[:MAX_GROUP])


def _type_name(cls: type[BaseException]) -> str:
    return cls.__qualname__ if cls.__module__ == "builtins" else f"{cls.__module__}.{cls.__qualname__}"


def _message(exc: BaseException) -> str:
    try:
        text = str(exc)
    except (Exception, SystemExit) as error:  # whatever a __str__ does, the page must come up
        return f"<message could not be made: {type(error).__name__}>"
    return hide_in_text(text[:MAX_MESSAGE])


def _describe_frames(traceback: TracebackType | None) -> tuple[tuple[FrameView, ...], int]:
    calls: list[tuple[FrameType, int]] = []
    while traceback is not None:
        calls.append((traceback.tb_frame, traceback.tb_lineno))
        traceback = traceback.tb_next
    omitted = max(len(calls) - MAX_FRAMES, 0)
    if omitted:  # endless recursion: how it began and how it ended tell the story
        calls = calls[: MAX_FRAMES // 2] + calls[-(MAX_FRAMES // 2) :]
    return tuple(_describe_frame(frame, lineno) for frame, lineno in calls), omitted


def _describe_frame(frame: FrameType, lineno: int) -> FrameView:
    filename = frame.f_code.co_filename
    return FrameView(
        filename=filename,
        lineno=lineno,
        function=frame.f_code.co_qualname,
        source=_source(frame, filename, lineno),
        variables=_variables(frame),
        is_library=filename.startswith(LIBRARY_FOLDERS) or filename.startswith("<frozen "),
    )


def _source(frame: FrameType, filename: str, lineno: int) -> tuple[tuple[int, str], ...]:
    lines = linecache.getlines(filename, frame.f_globals)
    first = max(lineno - CONTEXT_LINES, 1)
    chosen = lines[first - 1 : lineno + CONTEXT_LINES]
    return tuple(
        (first + index, hide_in_source(line.rstrip()[:MAX_LINE])) for index, line in enumerate(chosen)
    )


def _variables(frame: FrameType) -> tuple[tuple[str, str], ...]:
    # A module's names are its whole source; what matters is on the lines shown.
    if frame.f_code.co_name == "<module>":
        return ()
    names = [name for name in frame.f_locals if not name.startswith("__")]
    return tuple((name, show_named(name, frame.f_locals[name])) for name in names[:MAX_LOCALS])
