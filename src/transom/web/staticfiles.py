"""Static files: a view that serves folders."""

from __future__ import annotations

import os
import stat
from pathlib import Path
from typing import TYPE_CHECKING

from transom.web._threads import to_thread
from transom.web.errors import Http404, MethodNotAllowed
from transom.web.files import FileResponse

if TYPE_CHECKING:
    from collections.abc import Iterable

    from transom.web.request import Request
    from transom.web.response import Response

__all__ = ["StaticFiles"]


class StaticFiles:
    """The view of static files, and the finder behind it.

    Use it as `path("static/<path:path>", StaticFiles([folder]))`. The first folder that has the file wins. Served are regular
    files whose real place is inside their folder; hidden files (`.name`) and folder listings are not.

    Args:
        dirs: folders in order of search; one that does not exist is skipped, and may appear later.
        max_age: seconds a browser may use a file without asking again; 0 makes it ask each time, which costs an empty 304.
    """

    def __init__(self, dirs: Iterable[str | os.PathLike[str]], *, max_age: int = 0) -> None:
        self.dirs = tuple(Path(directory) for directory in dirs)
        self.cache_control = f"public, max-age={max_age}" if max_age > 0 else "no-cache"

    async def __call__(self, request: Request, path: str) -> Response:
        """Return the file at a path below the folders.

        Raises:
            Http404: there is none, or it may not be served.
            MethodNotAllowed: neither GET nor HEAD.
        """
        if request.method not in ("GET", "HEAD"):
            raise MethodNotAllowed(("GET", "HEAD"))
        found = await to_thread(lambda: self.find(path))
        if found is None:
            raise Http404(f"no static file {path!r}")
        return FileResponse(found, headers={"cache-control": self.cache_control})

    def find(self, path: str) -> Path | None:
        """Return the file a path leads to, or None; looks at the disk."""
        if not is_safe_path(path):
            return None
        return next((found for directory in self.dirs if (found := _find_in(directory, path))), None)


def is_safe_path(path: str) -> bool:
    """Say whether a decoded URL path, relative to a folder, is plain: names joined by single slashes.

    Refused are `..` and hidden names, empty parts (so an absolute path too), NUL, backslashes (a separator on Windows), and on
    Windows colons (drives and streams) and device names.
    """
    if "\\" in path or "\0" in path:
        return False
    return all(part and not part.startswith(".") and _is_plain_name(part) for part in path.split("/"))


def _is_plain_name(part: str) -> bool:
    if os.name != "nt":
        return True
    stem = part.partition(".")[0].rstrip(" ").upper()
    return ":" not in part and part == part.rstrip(". ") and stem not in WINDOWS_DEVICES


WINDOWS_DEVICES = frozenset(
    {"CON", "PRN", "AUX", "NUL", "CONIN$", "CONOUT$"}
    | {f"{name}{number}" for name in ("COM", "LPT") for number in "123456789¹²³"}
)


def _find_in(directory: Path, path: str) -> Path | None:
    try:
        root = os.path.realpath(directory)
        real = os.path.realpath(os.path.join(root, path))
        # Compared after links are followed, and by whole parts: /srv/static-old is not inside /srv/static.
        if os.path.commonpath((root, real)) != root:
            return None
        return Path(real) if stat.S_ISREG(os.stat(real).st_mode) else None
    except (OSError, ValueError):  # ValueError: a name that cannot be a file's, such as a lone surrogate
        return None
