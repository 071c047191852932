"""Files of a folder to choose from."""

from __future__ import annotations

import asyncio
import os
from dataclasses import replace
from typing import TYPE_CHECKING, Any

from transom.forms.fields.base import Field
from transom.forms.widgets import Select
from transom.validators import FilePathValidator

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence
    from typing import Unpack

    from transom.forms.fields.base import FieldOptions
    from transom.forms.widgets import Choice


class FilePathField(Field[str]):
    """The path of one of the files below a folder; empty text if left empty.

    The folder is read in a thread: when the form is validated, and by `await form.load_choices()` before it is shown.

    Args:
        path: the folder, or a function that returns it when it is read.
        match: a regular expression that is searched for in the last part of each path.
        recursive: whether folders below are looked into.
        allow_files: whether files may be chosen.
        allow_folders: whether folders may be.
        required: see `Field`.
        options: see `Field`.
    """

    default_widget = Select
    default_messages = {"required": "Please choose one."}
    empty_value: Any = ""  # Any: as in the base

    def __init__(
        self,
        *,
        path: str | os.PathLike[str] | Callable[[], str | os.PathLike[str]],
        match: str | None = None,
        recursive: bool = False,
        allow_files: bool = True,
        allow_folders: bool = False,
        required: bool = True,
        **options: Unpack[FieldOptions],
    ) -> None:
        super().__init__(required=required, **options)
        self.path = path
        message = self.error_messages["invalid_choice"]
        # Its folder is only known when it is read; wrong options are refused now.
        self._rules = FilePathValidator(".", match, recursive, allow_files, allow_folders, message)

    def _now(self) -> FilePathValidator:
        return replace(self._rules, path=os.fspath(self.path() if callable(self.path) else self.path))

    async def clean(self, value: object) -> str:
        """Return the path that was chosen.

        Raises:
            ValidationError: nothing was, or no such file may be chosen.
        """
        cleaned = await super().clean(value)
        if cleaned:
            await asyncio.to_thread(self._now(), cleaned)
        return cleaned

    def parse(self, value: object) -> str:
        """Return the text."""
        return str(value)

    def get_choices(self) -> Sequence[Choice] | None:
        """Return None: they have to be loaded."""
        return None

    async def load_choices(self) -> Sequence[Choice]:
        """Return each path, with what of it is below the folder for people to read.

        Raises:
            OSError: the folder cannot be read.
        """
        paths = self._now()
        found = await asyncio.to_thread(paths.paths)
        start = len(os.path.join(paths.path, ""))
        choices = [(path, path[start:]) for path in found]
        return choices if self.required else [("", "---------"), *choices]
