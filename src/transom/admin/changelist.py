"""The list of a model's objects: what the address asks for, the page of rows it comes to, and how they are shown.

One page costs two statements, whatever its length: a count and the rows, with what they refer to joined.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date, datetime
from typing import TYPE_CHECKING, Any, Literal
from urllib.parse import urlencode

from transom.admin.columns import reverse_ordering
from transom.admin.labels import model_values
from transom.db import Q
from transom.views import EmptyPage, Page, PageNotAnInteger, Paginator

if TYPE_CHECKING:
    from collections.abc import Mapping

    from transom.admin.columns import Column
    from transom.admin.context import AdminContext
    from transom.admin.options import ModelAdmin
    from transom.db import models
    from transom.web import Response

# Each word is one more condition on each field: what people type fits easily, a flood does not.
MAX_SEARCH_LENGTH = 200
MAX_SEARCH_WORDS = 8
MAX_TEXT = 160


@dataclass(frozen=True, slots=True)
class ListQuery:
    """What the address of a list asks for, with what makes no sense left out.

    Attributes:
        search: words to look for; empty for none.
        order: the name of the column to order by, with `-` before it for the largest first; empty for the list's own order.
        page: as it was sent.
    """

    search: str = ""
    order: str = ""
    page: str = "1"

    @classmethod
    def from_query(cls, query: Mapping[str, str], admin: ModelAdmin[Any]) -> ListQuery:
        """Read the query string of a request."""
        # No text column of PostgreSQL holds a NUL, and it refuses to compare with one.
        search = (
            query.get("q", "").replace("\0", "").strip()[:MAX_SEARCH_LENGTH] if admin.search_fields else ""
        )
        order = query.get("order", "")
        known = {column.name for column in admin.columns if column.ordering}
        return cls(search, order if order.removeprefix("-") in known else "", query.get("page", "1"))

    def link(self, *, order: str | None = None, page: int = 1) -> str:
        """Return the query string of the same list in another order, or another page of it."""
        wanted = {"q": self.search, "order": self.order if order is None else order}
        pairs = [(name, value) for name, value in wanted.items() if value]
        return "?" + urlencode([*pairs, ("page", str(page))] if page != 1 else pairs)


@dataclass(frozen=True, slots=True)
class Heading:
    """The head of a column.

    Attributes:
        label: what people read.
        link: leads to the list in the order of this column; empty where it has none.
        sort: the state, in the words of `aria-sort`; empty for the columns that the list is not ordered by.
    """

    label: str
    link: str
    sort: Literal["", "ascending", "descending"]


@dataclass(frozen=True, slots=True)
class Cell:
    """One value, and which of the ways to show one is meant for it."""

    kind: Literal["empty", "boolean", "datetime", "date", "text"]
    value: Any  # as the kind says


async def show_changelist(context: AdminContext, admin: ModelAdmin[Any]) -> Response:
    """Answer with one page of the list."""
    query = ListQuery.from_query(context.request.query, admin)
    page = await find_page(build_queryset(context, admin, query), admin.list_per_page, query.page)
    return await context.render(
        "admin/changelist.html",
        {
            **model_values(admin.model),
            "query": query,
            "page": page,
            "headings": [build_heading(column, query) for column in admin.columns],
            "rows": [(row, [build_cell(column.read(row)) for column in admin.columns]) for row in page],
            "searchable": bool(admin.search_fields),
            "can_add": await admin.has_permission(context.user, "add"),
            "can_change": await admin.has_permission(context.user, "change"),
        },
    )


def build_queryset(
    context: AdminContext, admin: ModelAdmin[Any], query: ListQuery
) -> models.QuerySet[Any]:  # Any: rows of any model, here and below
    """Return the rows that a list is about, in its order, with the objects that its columns read."""
    found = admin.get_queryset(context.request)
    if related := [column.related for column in admin.columns if column.related]:
        found = found.select_related(*related)
    return search(found, admin, query.search).order_by(*build_ordering(admin, query))


def search(queryset: models.QuerySet[Any], admin: ModelAdmin[Any], text: str) -> models.QuerySet[Any]:
    """Keep the rows in which each word is found in one of the search fields."""
    words = text.split()[:MAX_SEARCH_WORDS]
    if not words:
        return queryset
    # By a subquery, so that a row comes once though several rows that refer to it have the word.
    matches = queryset
    for word in words:
        condition = Q()
        for name in admin.search_fields:
            condition |= Q(**{f"{name}__icontains": word})
        matches = matches.filter(condition)
    return queryset.filter(pk__in=matches)


def build_ordering(admin: ModelAdmin[Any], query: ListQuery) -> tuple[str, ...]:
    """Return the terms of the order; the key is the last, so that equal rows do not change places between pages."""
    columns = {column.name: column for column in admin.columns}
    if query.order:
        terms = columns[query.order.removeprefix("-")].ordering
        return (*(reverse_ordering(terms) if query.order.startswith("-") else terms), "pk")
    own = tuple(admin.ordering) or admin.model._meta.ordering
    return (*own, "pk") if own else ("-pk",)


async def find_page(queryset: models.QuerySet[Any], per_page: int, number: str) -> Page[Any]:
    """Return the page of a number; the first where that is none, the last where there are fewer."""
    paginator = Paginator(queryset, per_page)
    try:
        return await paginator.page(number)
    except PageNotAnInteger:
        return await paginator.page(1)
    except EmptyPage:
        return await paginator.page("last")


def build_heading(column: Column, query: ListQuery) -> Heading:
    """Return the head of a column; its link turns the order around where the list is in its order already."""
    if not column.ordering:
        return Heading(column.label, "", "")
    if query.order == column.name:
        return Heading(column.label, query.link(order=f"-{column.name}"), "ascending")
    sort: Literal["", "descending"] = "descending" if query.order == f"-{column.name}" else ""
    return Heading(column.label, query.link(order=column.name), sort)


def build_cell(value: Any) -> Cell:
    """Say how a value is shown."""
    if isinstance(value, bool):
        return Cell("boolean", value)
    if isinstance(value, date):
        return Cell("datetime" if isinstance(value, datetime) else "date", value)
    if hasattr(value, "__html__"):
        return Cell("text", value)
    text = "" if value is None else str(value).strip()
    if not text:
        return Cell("empty", None)
    return Cell("text", text if len(text) <= MAX_TEXT else f"{text[:MAX_TEXT]}…")
