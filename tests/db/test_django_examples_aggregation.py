"""Aggregates as Django documents them: over all rows, for each row, for groups; beside Django, on all databases."""

from __future__ import annotations

from decimal import Decimal
from typing import TYPE_CHECKING, Any

import pytest
from django_examples import Examples

if TYPE_CHECKING:
    from transom.db.backends.base import Backend

M = Any  # the names of either framework
examples = Examples(__file__)
of = examples.of


def counts(queryset: Any, name: str) -> Any:
    return queryset.order_by("name").values_list("name", name)


@of("Max()", "Min()", gives={"price__max": Decimal("30.1"), "price__min": Decimal("8.95")})
def aggregates_have_names_of_their_own(m: M) -> Any:
    return m.Book.objects.aggregate(m.Max("price"), m.Min("price"))


@of("Avg()", gives={"average": 302.5})
def the_average_of_whole_numbers_is_a_float(m: M) -> Any:
    return m.Book.objects.aggregate(average=m.Avg("pages"))


@of("Avg()", "Sum()", gives=[{"pages__avg": 0.0}, {"pages__sum": None}, {"pages__sum": 0}])
def over_no_rows_there_is_the_default_or_none(m: M) -> Any:
    nothing = m.Book.objects.filter(name__contains="web")
    average = yield nothing.aggregate(m.Avg("pages", default=0.0))
    total = yield nothing.aggregate(m.Sum("pages"))
    return [average, total, (yield nothing.aggregate(m.Sum("pages", default=0)))]


@of("Count()", gives=[("Arch", 2), ("Bell", 2), ("Cove", 0)])
def related_rows_are_counted_for_each_row(m: M) -> Any:
    return counts(m.Publisher.objects.annotate(n=m.Count("book")), "n")


@of("Count()", gives=[[("Arch", 1), ("Bell", 1), ("Cove", 0)], [("Arch", 1), ("Bell", 1), ("Cove", 0)]])
def an_aggregate_counts_the_rows_of_its_filter(m: M) -> Any:
    above = m.Count("book", filter=m.Q(book__rating__gt=3))
    below = m.Count("book", filter=m.Q(book__rating__lte=3))
    publishers = m.Publisher.objects.annotate(below=below).annotate(above=above)
    return [(yield counts(publishers, "below")), (yield counts(publishers, "above"))]


@of("Count()", gives=["Arch", "Bell"])
def rows_are_ordered_and_sliced_by_aggregates(m: M) -> Any:
    return m.Publisher.objects.annotate(n=m.Count("book")).order_by("-n", "name")[:2]


@of("Count()", gives=[[4, 4], [2, 2]])
def two_relations_multiply_unless_values_count_once(m: M) -> Any:
    atlas = m.Book.objects.filter(name="Atlas")
    twice = yield atlas.annotate(a=m.Count("authors"), s=m.Count("stores")).get()
    once = yield atlas.annotate(a=m.Count("authors", distinct=True), s=m.Count("stores", distinct=True)).get()
    return [[twice.a, twice.s], [once.a, once.s]]


@of(
    "Max()",
    "Min()",
    gives=[("North", Decimal("8.95"), Decimal("30.1")), ("South", Decimal("30.1"), Decimal("30.1"))],
)
def aggregates_go_across_relations(m: M) -> Any:
    stores = m.Store.objects.annotate(low=m.Min("books__price"), high=m.Max("books__price"))
    return stores.order_by("name").values_list("name", "low", "high")


@of("Min()", gives={"youngest": 28})
def aggregates_go_across_several_relations(m: M) -> Any:
    return m.Store.objects.aggregate(youngest=m.Min("books__authors__age"))


@of("Sum()", gives=[("Ada", 390), ("Bo", 300), ("Cy", 120), ("Dee", None)])
def sums_go_backwards(m: M) -> Any:
    return counts(m.Author.objects.annotate(total=m.Sum("book__pages")), "total")


@of("Count()", gives=["Atlas"])
def rows_are_filtered_by_aggregates(m: M) -> Any:
    return m.Book.objects.annotate(n=m.Count("authors")).filter(n__gt=1)


@of("Count()", gives=[[("Arch", 2), ("Bell", 2)], [("Arch", 1), ("Bell", 1)]])
def a_filter_before_an_aggregate_chooses_what_is_counted(m: M) -> Any:
    behind = m.Publisher.objects.annotate(n=m.Count("book", distinct=True)).filter(book__rating__gt=3)
    before = m.Publisher.objects.filter(book__rating__gt=3).annotate(n=m.Count("book"))
    return [(yield counts(behind, "n")), (yield counts(before, "n"))]


@of("Count()", gives=[{"account": "G", "n": 1}, {"account": "P", "n": 2}, {"account": "R", "n": 1}])
def values_before_an_aggregate_say_what_a_group_is(m: M) -> Any:
    return m.Client.objects.values("account").annotate(n=m.Count("pk")).order_by("account")


@of("Avg()", gives={"n__avg": 1.0})
def annotations_are_aggregated(m: M) -> Any:
    return m.Book.objects.annotate(n=m.Count("authors")).aggregate(m.Avg("n"))


@of("Max()", "Min()", gives={"spread": 610})
def aggregates_are_computed_with(m: M) -> Any:
    return m.Book.objects.aggregate(spread=m.Max("pages") - m.Min("pages"))


@of("StdDev()", "Variance()", gives=[243.1435, 59118.75, 280.7579, 78825.0])
def how_far_values_are_spread(m: M) -> Any:
    found = yield m.Book.objects.aggregate(
        a=m.StdDev("pages"),
        b=m.Variance("pages"),
        c=m.StdDev("pages", sample=True),
        d=m.Variance("pages", sample=True),
    )
    return list(found.values())


@of("Count()", gives={"regular": 1, "gold": 1, "platinum": 2})
def rows_are_counted_by_conditions(m: M) -> Any:
    kinds = {"regular": "R", "gold": "G", "platinum": "P"}
    return m.Client.objects.aggregate(
        **{name: m.Count("pk", filter=m.Q(account=kind)) for name, kind in kinds.items()}
    )


@pytest.mark.slow
async def test_aggregates_come_to_what_is_written(database: Backend) -> None:
    await examples.check(database)


@pytest.mark.slow
def test_django_comes_to_the_same_or_to_what_is_written() -> None:
    examples.check_django()
