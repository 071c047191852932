"""Objects of the rows of SQL of one's own."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING, Any, Generic, TypeVar

from transom.db import connections, router
from transom.db.exceptions import FieldError
from transom.db.models.query.outputs import BARE
from transom.db.models.query.plans import raw_plan
from transom.db.models.query.prefetch import Extras, build_tree
from transom.db.models.record import Record
from transom.db.sql.placeholders import parse_placeholders, write_placeholders

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Generator, Mapping, Sequence
    from typing import Self

    from transom.db.models.fields import Field
    from transom.db.models.query.loader import RawColumn
    from transom.db.models.query.prefetch import Prefetch
    from transom.db.sql.metadata import Vendor
    from transom.db.sql.placeholders import Params, Text

M = TypeVar("M", bound=Record)


class RawQuerySet(Generic[M]):
    """What `raw()` returns: awaiting it gives the list of objects. Immutable, as querysets are.

    Columns become fields by their names; fields without a column are not loaded, and columns without a field become
    attributes, with the values that the driver gives.
    """

    __slots__ = ("_chosen", "_extras", "_fields", "_text", "model")

    def __init__(
        self,
        model: type[M],
        sql: str,
        params: Params = (),
        translations: Mapping[str, str] | None = None,
        using: str | None = None,
    ) -> None:
        self.model = model
        self._text = parse_placeholders(sql, params)
        self._chosen = using
        self._extras = Extras()
        self._fields: dict[str, Field[Any]] = {field.column: field for field in model._meta.fields}
        for column, name in (translations or {}).items():
            self._fields[column] = model._meta.get_field(name)

    def _clone(self) -> Self:
        made = object.__new__(type(self))
        made.model, made._text, made._chosen = self.model, self._text, self._chosen
        made._extras, made._fields = self._extras, self._fields
        return made

    def using(self, alias: str) -> Self:
        """Ask the database of this alias, whatever routers say."""
        made = self._clone()
        made._chosen = alias
        return made

    def prefetch_related(self, *lookups: str | Prefetch | None) -> Self:
        """Load what the objects are related to; see `QuerySet.prefetch_related`."""
        names = [lookup for lookup in lookups if lookup is not None]
        kept = (*self._extras.lookups, *names) if names else ()
        made = self._clone()
        made._extras = replace(self._extras, lookups=kept, tree=build_tree(self.model._meta, kept))
        return made

    def __await__(
        self,
    ) -> Generator[Any, None, list[M]]:  # Any: what the event loop and futures say to each other
        return self._fetch().__await__()

    async def __aiter__(self) -> AsyncIterator[M]:
        for row in await self._fetch():
            yield row

    async def _fetch(self) -> list[M]:
        using = router.for_read(self.model, self._chosen)
        executor = connections.executor(using)
        names, rows = await executor.fetch_named(*_write(self._text, executor.vendor))
        if not rows:
            return []
        plan = raw_plan(self.model._meta, self._columns(names), executor.vendor, using)
        found = plan.load(rows)
        await self._extras.apply(found, ())
        return found

    def _columns(self, names: Sequence[str]) -> tuple[RawColumn, ...]:
        """Return which fields the columns are.

        Raises:
            FieldError: the key is not among them, two are the same, or one would hide an attribute of the model.
        """
        columns = tuple([(name, self._fields.get(name)) for name in names])
        label, given = self.model.__name__, [field for _, field in columns]
        for part in self.model._meta.pk_fields:
            if part not in given:
                raise FieldError(
                    f"raw() needs the key {part.label} among the columns; there are {', '.join(names)}"
                )
        taken: set[str] = set()
        for name, field in columns:
            attribute = name if field is None else field.attname
            if attribute in taken:
                raise FieldError(
                    f"raw() got {name!r} twice; name the columns to select, and give one another name by AS"
                )
            if field is None and hasattr(self.model, name):
                raise FieldError(f"{label} has an attribute {name!r}; give the column another name by AS")
            taken.add(attribute)
        return columns

    def __repr__(self) -> str:
        return f"<RawQuerySet of {self.model.__name__}: {'%s'.join(self._text.pieces)!r}>"


def _write(text: Text, vendor: Vendor) -> tuple[str, list[Any]]:
    """Return a statement and its arguments (of any type) as a driver takes them."""
    encode = BARE.encoder(vendor)
    return write_placeholders(text.pieces, vendor), [encode(value) for value in text.values]


async def fetch_sql(sql: str, params: Params = (), *, using: str = router.DEFAULT) -> list[dict[str, Any]]:
    """Run a statement of one's own that reads, and return its rows by the names of its columns.

    Any: the values are those that the driver gives: on SQLite, points in time and decimals are text.

    Args:
        sql: with `%s` for each value, or `%(name)s`; `%%` is a percent sign.
        params: the values, a list or a dict; None for SQL without any, whose percent signs stay as they are.
        using: alias of the database.

    Raises:
        FieldError: there are more or fewer params than places, or two columns have the same name.
    """
    executor = connections.executor(using)
    names, rows = await executor.fetch_named(*_write(parse_placeholders(sql, params), executor.vendor))
    if len(set(names)) < len(names):
        raise FieldError(f"two columns have the same name, among {', '.join(names)}; give one another by AS")
    return [dict(zip(names, row, strict=True)) for row in rows]


async def execute_sql(sql: str, params: Params = (), *, using: str = router.DEFAULT) -> int:
    """Run a statement of one's own that writes, and return how many rows it touched; see `fetch_sql`."""
    executor = connections.executor(using)
    return await executor.execute(*_write(parse_placeholders(sql, params), executor.vendor))
