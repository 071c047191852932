"""Paths of files that are there."""

from __future__ import annotations

import os
from typing import TYPE_CHECKING, Any, ClassVar, Literal, TypeAlias, TypeVar, overload

from transom.db.models.fields.text import CharField
from transom.validators import FilePathValidator

if TYPE_CHECKING:
    from collections.abc import Callable
    from typing import Unpack

    from transom.db.models.fields.base import AnyFieldOptions, FieldOptions

T = TypeVar("T")

Folder: TypeAlias = "str | os.PathLike[str] | Callable[[], str | os.PathLike[str]]"


class FilePathField(CharField[T]):
    """The path of a file below a folder, which is looked for by `full_clean()` and offered by forms.

    Both read the folder in a thread. The column holds the whole path, folder and all.

    Args:
        verbose_name: see `Field`.
        path: the folder, or a function that returns it when it is read.
        match: a regular expression that is searched for in the last part of each path.
        recursive: whether folders below are looked into.
        allow_files: whether files may be chosen.
        allow_folders: whether folders may be.
        max_length: most characters of the path.
        null: see `Field`.
        options: see `Field`.
    """

    checks_outside: ClassVar[bool] = True

    @overload
    def __init__(
        self: FilePathField[str],
        verbose_name: str | None = None,
        *,
        path: Folder,
        match: str | None = None,
        recursive: bool = False,
        allow_files: bool = True,
        allow_folders: bool = False,
        max_length: int = 100,
        null: Literal[False] = False,
        **options: Unpack[FieldOptions[str]],
    ) -> None: ...
    @overload
    def __init__(
        self: FilePathField[str | None],
        verbose_name: str | None = None,
        *,
        path: Folder,
        match: str | None = None,
        recursive: bool = False,
        allow_files: bool = True,
        allow_folders: bool = False,
        max_length: int = 100,
        null: Literal[True],
        **options: Unpack[FieldOptions[str | None]],
    ) -> None: ...
    def __init__(
        self,
        verbose_name: str | None = None,
        *,
        path: Folder,
        match: str | None = None,
        recursive: bool = False,
        allow_files: bool = True,
        allow_folders: bool = False,
        max_length: int = 100,
        null: bool = False,
        **options: Unpack[AnyFieldOptions],
    ) -> None:
        super(CharField, self).__init__(verbose_name, null=null, **options)
        self._take_max_length(max_length)
        self.path = path
        self.match = match
        self.recursive = recursive
        self.allow_files = allow_files
        self.allow_folders = allow_folders
        try:
            self._validator(".")
        except ValueError as exc:
            raise TypeError(str(exc)) from exc

    def path_validator(self) -> FilePathValidator:
        """Return what knows the paths that may be chosen; the folder is asked for now if it is a function."""
        return self._validator(os.fspath(self.path() if callable(self.path) else self.path))

    def _validator(self, folder: str) -> FilePathValidator:
        return FilePathValidator(
            folder,
            self.match,
            self.recursive,
            self.allow_files,
            self.allow_folders,
            self.error_messages["invalid_choice"],
        )

    def check_outside(self, value: Any) -> None:
        """Check that the path is there and allowed. It reads the folder.

        Raises:
            ValidationError: it is not.
        """
        self.path_validator()(value)

    def deconstruct(self) -> tuple[str, str, list[Any], dict[str, Any]]:
        """Add the folder, and what differs from the usual."""
        name, path, arguments, keywords = super().deconstruct()
        folder = self.path if callable(self.path) else os.fspath(self.path)
        keywords["path"] = folder
        for option, usual in (
            ("match", None),
            ("recursive", False),
            ("allow_files", True),
            ("allow_folders", False),
        ):
            if getattr(self, option) != usual:
                keywords[option] = getattr(self, option)
        return name, path, arguments, keywords
