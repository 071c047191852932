"""Paginator: a queryset, a page at a time."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Generic, TypeVar

if TYPE_CHECKING:
    from collections.abc import Iterator

    from transom.db.models import Model, QuerySet

M = TypeVar("M", bound="Model")

# No table has more pages; and Python refuses to read numbers of thousands of digits.
MAX_DIGITS = 15


class InvalidPage(Exception):
    """There is no such page.

    InvalidPage
    ├── PageNotAnInteger    the number of the page is no whole number from 1 on
    └── EmptyPage           it is greater than the last page's
    """


class PageNotAnInteger(InvalidPage):
    """The number of the page is no whole number from 1 on."""


class EmptyPage(InvalidPage):
    """The number of the page is greater than the last page's."""


@dataclass(frozen=True, slots=True)
class Page(Generic[M]):
    """One page of a queryset; iterating over it gives its objects.

    Attributes:
        object_list: the objects.
        number: of this page, from 1.
        per_page: objects on a full page.
        count: objects on all pages.
        num_pages: at least 1.
    """

    object_list: list[M]
    number: int
    per_page: int
    count: int
    num_pages: int

    def __iter__(self) -> Iterator[M]:
        return iter(self.object_list)

    def __len__(self) -> int:
        return len(self.object_list)

    @property
    def has_next(self) -> bool:
        """Whether there is a page after this."""
        return self.number < self.num_pages

    @property
    def has_previous(self) -> bool:
        """Whether there is a page before this."""
        return self.number > 1

    @property
    def has_other_pages(self) -> bool:
        """Whether this is not all."""
        return self.num_pages > 1

    @property
    def next_page_number(self) -> int:
        """The number of the page after this; see `has_next`."""
        return self.number + 1

    @property
    def previous_page_number(self) -> int:
        """The number of the page before this; see `has_previous`."""
        return self.number - 1

    @property
    def start_index(self) -> int:
        """The position of the first object among all, from 1; 0 if there is none."""
        return (self.number - 1) * self.per_page + 1 if self.object_list else 0

    @property
    def end_index(self) -> int:
        """The position of the last object among all; 0 if there is none."""
        return self.start_index + len(self.object_list) - 1 if self.object_list else 0

    @property
    def page_range(self) -> range:
        """The numbers of all pages."""
        return range(1, self.num_pages + 1)


class Paginator(Generic[M]):
    """Divides a queryset into pages.

    Args:
        queryset: the rows; in the order of the primary key if it has none, since pages need one.
        per_page: objects on a page.
    """

    def __init__(self, queryset: QuerySet[M], per_page: int) -> None:
        if per_page < 1:
            raise ValueError(f"per_page={per_page!r} must be at least 1")
        self.queryset = queryset if queryset.ordered else queryset.order_by("pk")
        self.per_page = per_page

    async def count(self) -> int:
        """Return how many objects there are; asks the database each time."""
        return await self.queryset.count()

    async def page(self, number: int | str = 1) -> Page[M]:
        """Return a page; the first may be empty.

        Args:
            number: from 1, also as text; or `"last"`.

        Raises:
            PageNotAnInteger: it is something else.
            EmptyPage: there are fewer pages.
        """
        wanted = 0 if number == "last" else _parse_number(number)
        count = await self.count()
        num_pages = max(1, -(-count // self.per_page))
        wanted = wanted or num_pages
        if wanted > num_pages:
            raise EmptyPage(f"there is no page {wanted}; the last is {num_pages}")
        start = (wanted - 1) * self.per_page
        rows = await self.queryset[start : start + self.per_page] if count else list[M]()
        return Page(rows, wanted, self.per_page, count, num_pages)


def _parse_number(number: int | str) -> int:
    text = str(number)
    if not (text.isascii() and text.isdecimal() and len(text) <= MAX_DIGITS and int(text) > 0):
        raise PageNotAnInteger(f"page {text[:40]!r} is no whole number from 1 on")
    return int(text)
