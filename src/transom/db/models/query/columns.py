"""Which columns of the objects of a query are loaded."""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

if TYPE_CHECKING:
    from collections.abc import Sequence

    from transom.db.sql.metadata import FieldLike, Hop, OptionsLike
    from transom.db.sql.shapes import ColumnPath


class Columns(NamedTuple):
    """The columns that were named.

    Attributes:
        are_wanted: whether they are the ones to load, and not the ones to leave.
        paths: they.
    """

    are_wanted: bool
    paths: tuple[ColumnPath, ...]

    def with_column(self, path: ColumnPath) -> Columns:
        """Return the same, and one more column of the query's own model to load."""
        if self.are_wanted:
            return self._replace(paths=(*self.paths, path))
        return self._replace(paths=tuple(each for each in self.paths if each != path))

    def choose(self, options: OptionsLike, hops: tuple[Hop, ...]) -> Sequence[FieldLike]:
        """Return the fields to load of one object of each row: the key, and what was named or was not.

        Args:
            options: its model.
            hops: the way to it. Of an object of which nothing was named, all is loaded.
        """
        named = {path.field for path in self.paths if path.hops == hops}
        if self.are_wanted:
            named |= {field for field in options.fields if field.column in self._on_the_way(hops)}
            if not named and hops:
                return options.fields
        keys = options.pk_fields
        return [field for field in options.fields if field in keys or (field in named) is self.are_wanted]

    def _on_the_way(self, hops: tuple[Hop, ...]) -> set[str]:
        """Return the columns of one object that lead to others of which something was named."""
        depth = len(hops)
        beyond = [path.hops for path in self.paths if len(path.hops) > depth and path.hops[:depth] == hops]
        return {further[depth].local_column for further in beyond}
