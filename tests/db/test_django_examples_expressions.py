"""Expressions and conditional expressions as Django documents them, beside Django, on all databases."""

from __future__ import annotations

from datetime import UTC, date, datetime
from typing import TYPE_CHECKING, Any

import pytest
from django_examples import Examples

if TYPE_CHECKING:
    from transom.db.backends.base import Backend

M = Any  # the names of either framework
examples = Examples(__file__)
of = examples.of


def names(queryset: Any) -> Any:
    return queryset.order_by("pk").values_list("name", flat=True)


@of("F()", gives=[70, 120])
def a_column_less_another_is_annotated(m: M) -> Any:
    short = m.Company.objects.filter(employees__gt=m.F("chairs"))
    company = yield short.annotate(needed=m.F("employees") - m.F("chairs")).first()
    return [company.needed, company.employees]


@of("F()", gives=["Acme"])
def twice_a_column_is_compared_with(m: M) -> Any:
    return names(m.Company.objects.filter(employees__gt=m.F("chairs") * 2))


@of("F()", gives=["Bolt", "Acme", "Cog"])
def null_stands_where_it_is_told(m: M) -> Any:
    return m.Company.objects.order_by(m.F("motto").desc(nulls_last=True), "name")


@of("F()", gives=[datetime(2024, 1, 1, 9, 30, tzinfo=UTC), datetime(2024, 1, 2, 10, tzinfo=UTC)])
def a_length_of_time_is_added_to_a_point_in_time(m: M) -> Any:
    return (
        m.Job.objects.annotate(ends=m.F("begins") + m.F("takes"))
        .order_by("pk")
        .values_list("ends", flat=True)
    )


@of("Func()", gives=["acme"])
def a_function_by_its_name(m: M) -> Any:
    lowered = m.Func(m.F("name"), function="LOWER", output_field=m.CharField(max_length=50))
    return m.Company.objects.filter(pk=1).annotate(lowered=lowered).values_list("lowered", flat=True)


@of("Value()", gives=[("Acme", "!")])
def a_constant_is_a_value(m: M) -> Any:
    return m.Company.objects.filter(pk=1).annotate(mark=m.Value("!")).values_list("name", "mark")


@of(
    "Subquery()",
    "OuterRef()",
    gives=[("Tide Tables", "what waves do"), ("Cheese Log", "The_Rind"), ("Empty Pages", None)],
)
def a_value_of_another_query(m: M) -> Any:
    newest = m.Entry.objects.filter(blog=m.OuterRef("pk")).order_by("-changed")
    blogs = m.Blog.objects.annotate(newest=m.Subquery(newest.values("headline")[:1]))
    return blogs.order_by("pk").values_list("name", "newest")


@of("Subquery()", gives=["Tide Tables"])
def an_aggregate_in_another_query(m: M) -> Any:
    comments = m.Entry.objects.filter(blog=m.OuterRef("pk")).order_by().values("blog")
    total = comments.annotate(total=m.Sum("comments")).values("total")
    return names(m.Blog.objects.annotate(total=m.Subquery(total)).filter(total__gt=5))


@of("Exists()", gives=[["Tide Tables", "Cheese Log"], ["Empty Pages"], [True, True, False]])
def whether_another_query_has_rows(m: M) -> Any:
    entries = m.Entry.objects.filter(blog=m.OuterRef("pk"))
    annotated = m.Blog.objects.annotate(used=m.Exists(entries)).order_by("pk")
    some = yield names(m.Blog.objects.filter(m.Exists(entries)))
    none = yield names(m.Blog.objects.filter(~m.Exists(entries)))
    return [some, none, (yield annotated.values_list("used", flat=True))]


@of("Case()", "When()", gives=[("Jane", "0%"), ("James", "5%"), ("Jack", "10%"), ("Jill", "10%")])
def the_first_condition_that_holds_counts(m: M) -> Any:
    discount = m.Case(
        m.When(account="G", then=m.Value("5%")),
        m.When(account="P", then=m.Value("10%")),
        default=m.Value("0%"),
    )
    return m.Client.objects.annotate(discount=discount).order_by("pk").values_list("name", "discount")


@of("When()", gives=["Jane", "G", "Jack", "P"])
def a_text_is_the_name_of_a_column(m: M) -> Any:
    shown = m.Case(m.When(m.Q(name__startswith="Jan") | m.Q(name="Jack"), then="name"), default="account")
    return m.Client.objects.annotate(shown=shown).order_by("pk").values_list("shown", flat=True)


@of("Case()", gives=["R", "R", "P", "R"])
def an_update_depends_on_conditions(m: M) -> Any:
    kind = m.Case(m.When(since__lte=date(2020, 1, 1), then=m.Value("P")), default=m.Value("R"))
    yield m.Client.objects.update(account=kind)
    return m.Client.objects.order_by("pk").values_list("account", flat=True)


@of("Window()", gives=[("Atlas", 390), ("Birds", 390), ("Comets", 820), ("Dunes", 820)])
def an_aggregate_over_the_rows_around(m: M) -> Any:
    total = m.Window(m.Sum("pages"), partition_by=[m.F("publisher")])
    return m.Book.objects.annotate(total=total).order_by("pk").values_list("name", "total")


@of("Window()", gives=[("Atlas", 1), ("Birds", 2), ("Comets", 2), ("Dunes", 1)])
def the_rank_among_the_rows_around(m: M) -> Any:
    rank = m.Window(m.Rank(), partition_by="publisher", order_by="-pages")
    return m.Book.objects.annotate(rank=rank).order_by("pk").values_list("name", "rank")


@pytest.mark.slow
async def test_expressions_come_to_what_is_written(database: Backend) -> None:
    await examples.check(database)


@pytest.mark.slow
def test_django_comes_to_the_same_or_to_what_is_written() -> None:
    examples.check_django()
