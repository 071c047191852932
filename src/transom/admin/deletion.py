"""Delete one object, after a page that says what goes with it and what is in the way."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Literal, TypeAlias

from transom.admin.changeform import find_row
from transom.admin.labels import describe_row, model_values, name_row
from transom.db import ForeignKeyViolation, atomic, models
from transom.web import messages, redirect

if TYPE_CHECKING:
    from collections.abc import AsyncIterator

    from transom.admin.context import AdminContext
    from transom.admin.options import ModelAdmin
    from transom.db.models import ManyToOneRelation
    from transom.web import Response

Fate: TypeAlias = Literal["deleted", "kept", "protected"]

CONFLICT = 409


@dataclass(frozen=True, slots=True)
class Dependents:
    """Rows that refer to what is to be deleted, through one foreign key.

    Attributes:
        relation: the foreign key, as seen from what it refers to.
        count: of the rows.
        fate: what becomes of them; `"protected"` refuses the deletion.
    """

    relation: ManyToOneRelation
    count: int
    fate: Fate

    @property
    def label(self) -> str:
        """The rows in words: `"3 choices"`."""
        meta = self.relation.related_model._meta
        return f"{self.count} {meta.verbose_name if self.count == 1 else meta.verbose_name_plural}"

    @property
    def field_label(self) -> str:
        """The foreign key in words."""
        return str(self.relation.field.verbose_name)


async def show_delete(context: AdminContext, admin: ModelAdmin[Any], key: str) -> Response:
    """Ask whether to delete an object, or delete it.

    Raises:
        Http404: there is no such object, or not any more.
    """
    if context.request.method != "POST":
        return await _render(context, admin, await find_row(context, admin, key))
    try:
        async with atomic(admin.using):
            row = await find_row(context, admin, key)
            label = describe_row(row)
            await row.delete()
    except ForeignKeyViolation:
        return await _render(context, admin, await find_row(context, admin, key), CONFLICT)
    await messages.success(context.request, f"{label} was deleted.")
    return redirect(context.links.changelist(admin.model))


async def find_dependents(row: models.Model) -> list[Dependents]:
    """Return what refers to an object, and to what is deleted with it, and so on; without what has no rows."""
    rows = models.QuerySet(type(row), row._using).filter(pk=row.pk)
    return [found async for found in _follow(rows, frozenset())]


async def _follow(
    rows: models.QuerySet[Any], seen: frozenset[str]
) -> AsyncIterator[Dependents]:  # Any: rows of any model
    """Yield what refers to some rows. A foreign key that was followed on the way here is not followed again."""
    for relation in rows.model._meta.related_objects:
        if relation.field.label in seen:
            continue
        referring = models.QuerySet(relation.related_model, rows._using).filter(
            **{f"{relation.field.name}__in": rows}
        )
        count = await referring.count()
        if not count:
            continue
        fate = _FATES[relation.on_delete]
        yield Dependents(relation, count, fate)
        if fate == "deleted":
            async for found in _follow(referring, seen | {relation.field.label}):
                yield found


# RESTRICT and DO_NOTHING may still let a row go; where they do not, the database says so when it is asked.
_FATES: dict[models.OnDelete, Fate] = {
    models.CASCADE: "deleted",
    models.SET_NULL: "kept",
    models.SET_DEFAULT: "kept",
    models.PROTECT: "protected",
    models.RESTRICT: "protected",
    models.DO_NOTHING: "protected",
}


async def _render(context: AdminContext, admin: ModelAdmin[Any], row: Any, status: int = 200) -> Response:
    dependents = await find_dependents(row)
    return await context.render(
        "admin/delete.html",
        {
            **model_values(admin.model),
            "row": row,
            "title": name_row(row),
            "blocked": any(found.relation.on_delete is models.PROTECT for found in dependents),
            "refused": status == CONFLICT,
            "protected": [found for found in dependents if found.fate == "protected"],
            "deleted": [found for found in dependents if found.fate == "deleted"],
            "kept": [found for found in dependents if found.fate == "kept"],
        },
        status,
    )
