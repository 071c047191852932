"""The file that holds the process id of a server, for scripts that send it signals."""

from __future__ import annotations

import contextlib
import os
from pathlib import Path
from typing import TYPE_CHECKING

from transom.server.exceptions import ConfigError

if TYPE_CHECKING:
    from collections.abc import Generator


@contextlib.contextmanager
def pid_file(path: str | None) -> Generator[None]:
    """Write the file for as long as the block runs; without a path do nothing.

    A file that is there is written over: the id in it may be another program's by now, as after the restart of a container, and
    what keeps a second server out is the port. One that was written over by another process is left alone in the end.

    Raises:
        ConfigError: the file cannot be written.
    """
    if path is None:
        yield
        return
    file, text = Path(path), f"{os.getpid()}\n"
    try:
        # Whoever reads it sees all of it or none.
        new = file.with_name(f"{file.name}.{os.getpid()}")
        new.write_text(text)
        new.replace(file)
    except OSError as exc:
        raise ConfigError(
            f"cannot write the process id to {path}: {exc.strerror}; choose another file with --pid"
        ) from exc
    try:
        yield
    finally:
        with contextlib.suppress(OSError):
            if file.read_text() == text:
                file.unlink()
