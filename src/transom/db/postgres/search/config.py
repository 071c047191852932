"""Configurations of full-text search: in which language a text is read."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, cast

from transom.db.models.expressions import Expression
from transom.db.postgres.search.fields import CONFIG

if TYPE_CHECKING:
    from transom.db.models.expressions import Binder, Bound


class SearchConfig(Expression):
    """The name of a configuration of PostgreSQL's, such as `"english"`; `SELECT cfgname FROM pg_ts_config` lists them.

    Wherever there is a `config`, a plain name will do. One that the database does not know is a ProgrammingError.

    Args:
        config: the name, or an expression such as `F("language")`, for rows in several languages.
    """

    __slots__ = ("config",)

    def __init__(self, config: str | Expression) -> None:
        if not isinstance(cast("object", config), str | Expression) or config == "":
            raise TypeError(
                f"a configuration has a name such as 'english', or is an expression, not {config!r}"
            )
        self.config = config

    @classmethod
    def of(cls, config: str | Expression | None) -> SearchConfig | None:
        """Return what was given as `config` as one of these, if anything was."""
        return config if config is None or isinstance(config, SearchConfig) else cls(config)

    def bind(self, binder: Binder) -> Bound:
        """Return the name."""
        return binder.bind(self.config, CONFIG)

    def deconstruct(self) -> tuple[str, list[Any], dict[str, Any]]:
        """Return what makes an equal one."""
        return "transom.db.postgres.SearchConfig", [self.config], {}

    def __repr__(self) -> str:
        return f"SearchConfig({self.config!r})"
