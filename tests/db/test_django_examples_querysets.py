"""Every method of querysets, managers and objects that Django documents: beside Django, on all databases."""

from __future__ import annotations

from datetime import UTC, date, datetime, time
from typing import TYPE_CHECKING, Any

import pytest
from django_examples import Examples, Raises

if TYPE_CHECKING:
    from transom.db.backends.base import Backend

M = Any  # the names of either framework
examples = Examples(__file__)
of = examples.of

NOTHING_BY_ITSELF = "nothing asks the database by itself: await the queryset, or call count() or exists()"
MISUSE = "a wrong name or value is a FieldError, a wrong call a TypeError"
NUMBER_OF_ROWS = "delete() returns how many rows of the model there were; cascades are the database's"


def headlines(queryset: Any) -> Any:
    return queryset.order_by("pk").values_list("headline", flat=True)


def names(queryset: Any) -> Any:
    return queryset.order_by("pk").values_list("name", flat=True)


# -- which rows


@of("filter()", gives=["Moon phases"])
def conditions_of_one_call_must_all_hold(m: M) -> Any:
    return headlines(m.Entry.objects.filter(published__year=2024, headline__startswith="M"))


@of("filter()", "exclude()", gives=["Moon phases"])
def calls_are_chained(m: M) -> Any:
    ours = m.Entry.objects.filter(rating__lte=4).exclude(headline__startswith="what")
    return headlines(ours.filter(published__gte=date(2005, 1, 30)))


@of("filter()", gives=[["What tides do", "what waves do"], ["what waves do"], ["What tides do"]])
def what_is_chained_from_stays_as_it_was(m: M) -> Any:
    first = m.Entry.objects.filter(headline__endswith=" do")
    second = first.exclude(published__lte=date(2024, 1, 1))
    third = first.filter(published__lte=date(2024, 1, 1))
    found: list[Any] = []
    for queryset in (first, second, third):
        found.append((yield headlines(queryset)))
    return found


@of("exclude()", gives=["What tides do", "Moon phases", "what waves do", "The_Rind"])
def exclude_drops_where_all_conditions_hold(m: M) -> Any:
    return headlines(m.Entry.objects.exclude(published__gt=date(2024, 1, 3), headline="Brie 100%"))


@of("exclude()", gives=["What tides do", "The_Rind"])
def two_excludes_drop_where_either_holds(m: M) -> Any:
    late = m.Entry.objects.exclude(published__gt=date(2024, 1, 3))
    return headlines(late.exclude(published=date(2024, 1, 3)))


@of("all()", gives=5)
def all_is_every_row(m: M) -> Any:
    found = yield m.Entry.objects.all()
    return len(found)


@of("none()", gives=[[], 0, False])
def none_is_no_row(m: M) -> Any:
    found = yield m.Entry.objects.none()
    count = yield m.Entry.objects.none().filter(pk=1).count()
    return [found, count, (yield m.Entry.objects.none().exists())]


@of("slicing", gives=[["Brie 100%", "Moon phases"], ["The_Rind", "What tides do"], ["The_Rind"]])
def slices_are_limits(m: M) -> Any:
    ordered = m.Entry.objects.order_by("headline")
    found: list[Any] = []
    for part in (slice(2), slice(2, 4), slice(2, 3)):
        found.append((yield ordered[part]))
    return found


@of("slicing", gives="Brie 100%")
def an_index_is_one_row(m: M) -> Any:
    return m.Entry.objects.order_by("headline")[0]


@of("slicing", gives="Brie 100%")
def a_slice_of_one_row_has_get(m: M) -> Any:
    return m.Entry.objects.order_by("headline")[0:1].get()


@of("slicing", gives=Raises("IndexError"))
def an_index_beyond_the_rows_is_an_error(m: M) -> Any:
    return m.Entry.objects.order_by("headline")[99]


@of("slicing", gives=Raises("DoesNotExist"))
def get_beyond_the_rows_is_an_error(m: M) -> Any:
    return m.Entry.objects.order_by("headline")[99:100].get()


@of("slicing", gives=Raises("TypeError"))
def a_sliced_queryset_is_not_filtered(m: M) -> Any:
    return m.Entry.objects.all()[:2].filter(pk=1)


@of("slicing", gives=Raises("ValueError"))
def there_is_no_negative_index(m: M) -> Any:
    return m.Entry.objects.order_by("headline")[-1]


@of(
    "slicing",
    gives=Raises("TypeError"),
    django=["Brie 100%", "The_Rind"],
    because="a step would need the rows, and nothing asks the database by itself",
)
def a_slice_has_no_step(m: M) -> Any:
    return m.Entry.objects.order_by("headline")[:4:2]


@of("distinct()", gives=["Ada", "Bo", "Cy"])
def distinct_drops_what_joins_have_doubled(m: M) -> Any:
    return names(m.Author.objects.filter(entry__isnull=False).distinct())


@of("distinct()", gives=[date(2023, 11, 20), date(2024, 1, 3), date(2024, 6, 14)])
def distinct_is_about_the_values_chosen(m: M) -> Any:
    dated = m.Entry.objects.exclude(published=None)
    return dated.order_by("published").values_list("published", flat=True).distinct()


@of("distinct()", gives=["What tides do", "Brie 100%"], on=("postgresql",))
def distinct_on_columns_keeps_the_first_row_of_each(m: M) -> Any:
    return m.Entry.objects.order_by("blog", "pk").distinct("blog")


@of("distinct()", gives=["What tides do", "The_Rind"], on=("postgresql",))
def distinct_on_columns_of_related_rows(m: M) -> Any:
    return (
        m.Entry.objects.order_by("-blog__name", "changed", "-pk").distinct("blog__name").filter(pk__in=[1, 5])
    )


@of(
    "distinct()",
    gives=Raises("FieldError"),
    django=Raises("NotSupportedError"),
    because="what a database cannot do is a FieldError",
    on=("sqlite", "mysql"),
)
def distinct_on_columns_is_only_for_postgresql(m: M) -> Any:
    return m.Entry.objects.order_by("blog").distinct("blog")


# -- in which order


@of("order_by()", gives=["The_Rind", "Brie 100%", "Moon phases", "what waves do", "What tides do"])
def a_minus_is_the_largest_first(m: M) -> Any:
    by_day = m.Entry.objects.order_by("-blog_id", "-changed")
    found = yield by_day.filter(blog_id=2)
    return found + (yield m.Entry.objects.filter(blog_id=1).order_by("-published", "id"))


@of("order_by()", gives=[1, 2, 3, 4, 5])
def a_question_mark_is_any_order(m: M) -> Any:
    return sorted((yield m.Entry.objects.order_by("?").values_list("pk", flat=True)))


@of("order_by()", gives=[5, 4, 2, 3, 1])
def the_order_is_of_related_rows_too(m: M) -> Any:
    return m.Entry.objects.order_by("blog__name", "rating").values_list("pk", flat=True)


@of("order_by()", gives=["Comets", "Dunes", "Atlas", "Birds"])
def a_relation_is_in_the_order_of_its_model(m: M) -> Any:
    return m.Book.objects.order_by("publisher", "name")


@of("order_by()", gives=["Atlas", "Birds", "Comets", "Dunes"])
def the_key_of_a_relation_is_in_its_own_order(m: M) -> Any:
    return m.Book.objects.order_by("publisher__id", "name")


@of("order_by()", gives=["Dee", "Cy", "Bo", "Ada"])
def expressions_have_an_order(m: M) -> Any:
    return m.Author.objects.order_by(m.Lower("name").desc())


@of("order_by()", gives=["Dee", "Cy", "Bo", "Ada"])
def an_expression_of_two_columns_has_an_order(m: M) -> Any:
    return m.Author.objects.order_by(m.Lower(m.Coalesce("name", "alias")).desc())


@of("order_by()", gives=["Brie 100%", "Moon phases"])
def the_last_order_by_counts(m: M) -> Any:
    return m.Entry.objects.order_by("-published").order_by("headline")[:2]


@of("order_by()", gives=["Arch", "Bell", "Cove"])
def order_by_nothing_forgets_the_order_of_the_model(m: M) -> Any:
    return sorted(map(str, (yield m.Publisher.objects.order_by())))


@of("Meta.ordering", gives=["Cove", "Bell", "Arch"])
def a_model_has_an_order(m: M) -> Any:
    return m.Publisher.objects.all()


@of("reverse()", gives=[["Arch", "Bell"], ["Cove", "Bell"]])
def reverse_turns_the_order_around(m: M) -> Any:
    once = yield m.Publisher.objects.all().reverse()[:2]
    return [once, (yield m.Publisher.objects.reverse().reverse()[:2])]


@of("ordered", gives=[True, False, True, False])
def a_queryset_knows_whether_it_is_ordered(m: M) -> Any:
    publishers, entries = m.Publisher.objects.all(), m.Entry.objects.all()
    return [
        publishers.ordered,
        entries.ordered,
        entries.order_by("pk").ordered,
        publishers.order_by().ordered,
    ]


@of("totally_ordered", gives=[True, False, True, False], since=(6, 1))
def a_queryset_knows_whether_no_two_rows_are_equal_in_order(m: M) -> Any:
    entries = m.Entry.objects.all()
    by_slug = m.Blog.objects.order_by("name", "-slug")
    orders = [entries.order_by("rating", "pk"), entries.order_by("rating"), by_slug, entries]
    return [each.totally_ordered for each in orders]


# -- with which values


@of("annotate()", gives=[["Cheese Log", 2], ["Empty Pages", 0], ["Tide Tables", 3]])
def annotate_has_names_of_its_own(m: M) -> Any:
    blogs = yield m.Blog.objects.annotate(m.Count("entry")).order_by("name")
    return [[blog.name, blog.entry__count] for blog in blogs]


@of("annotate()", gives=[2, 0, 3])
def annotate_takes_names(m: M) -> Any:
    blogs = yield m.Blog.objects.annotate(number_of_entries=m.Count("entry")).order_by("name")
    return [blog.number_of_entries for blog in blogs]


@of(
    "annotate()",
    gives=Raises("FieldError"),
    django=Raises("ValueError"),
    because="a name that is taken is a FieldError",
)
def annotate_takes_no_name_of_a_field(m: M) -> Any:
    return m.Blog.objects.annotate(name=m.Count("entry"))


@of("alias()", gives=["Tide Tables"])
def alias_is_for_other_methods(m: M) -> Any:
    return names(m.Blog.objects.alias(entries=m.Count("entry")).filter(entries__gt=2))


@of("alias()", gives={"entries__sum": 5})
def alias_is_annotated_later(m: M) -> Any:
    counted = m.Blog.objects.alias(entries=m.Count("entry"))
    return counted.annotate(number=m.F("entries")).aggregate(entries__sum=m.Sum("number"))


@of("alias()", gives=False)
def alias_is_not_on_objects(m: M) -> Any:
    blog = yield m.Blog.objects.alias(entries=m.Count("entry")).first()
    return hasattr(blog, "entries")


@of("values()", gives=[{"id": 2, "name": "Cheese Log", "slug": "cheese", "tagline": "All about cheese"}])
def values_are_dicts_of_all_columns(m: M) -> Any:
    return m.Blog.objects.filter(name__startswith="Cheese").values()


@of("values()", gives=[{"id": 1, "name": "Tide Tables"}])
def values_of_some_columns(m: M) -> Any:
    return m.Blog.objects.values("id", "name").filter(pk=1)


@of("values()", gives=[{"lower_name": "tide tables"}])
def values_of_expressions(m: M) -> Any:
    return m.Blog.objects.values(lower_name=m.Lower("name")).filter(pk=1)


@of("values()", gives=[{"entry__authors": 1, "entries": 2}, {"entry__authors": 2, "entries": 2}])
def values_before_an_aggregate_are_groups(m: M) -> Any:
    grouped = m.Blog.objects.values("entry__authors").annotate(entries=m.Count("entry"))
    return grouped.exclude(entry__authors=None).order_by("entry__authors")[:2]


@of("values()", gives=[{"name": "Cheese Log", "entries": 2}])
def an_aggregate_within_values_is_of_each_row(m: M) -> Any:
    return m.Blog.objects.values("name", entries=m.Count("entry")).filter(pk=2)


@of("values()", gives=[[{"blog": 1}], [{"blog_id": 1}]])
def values_of_a_foreign_key_are_its_key(m: M) -> Any:
    first = yield m.Entry.objects.filter(pk=1).values("blog")
    return [first, (yield m.Entry.objects.filter(pk=1).values("blog_id"))]


@of("values()", gives=[{"lower": "ada", "entries": 2}, {"lower": "bo", "entries": 2}])
def values_of_an_expression_are_groups(m: M) -> Any:
    known = m.Entry.objects.filter(authors__pk__lte=2)
    return known.values(lower=m.Lower("authors__name")).annotate(entries=m.Count("pk")).order_by("lower")


@of("values()", gives=[{"lower": "ada", "entries": 2}, {"lower": "bo", "entries": 2}])
def annotate_then_values_then_annotate(m: M) -> Any:
    known = m.Entry.objects.filter(authors__pk__lte=2).annotate(lower=m.Lower("authors__name"))
    return known.values("lower").annotate(entries=m.Count("pk")).order_by("lower")


@of("values()", gives=True)
def values_and_order_by_go_in_either_order(m: M) -> Any:
    one = yield m.Blog.objects.values().order_by("id")
    return one == (yield m.Blog.objects.order_by("id").values())


@of("values()", gives=[("Cheese Log", "Brie 100%"), ("Cheese Log", "The_Rind"), ("Empty Pages", None)])
def values_of_related_rows_come_once_for_each(m: M) -> Any:
    rows = yield m.Blog.objects.filter(pk__gt=1).order_by("pk", "entry__pk").values("name", "entry__headline")
    return [tuple(row.values()) for row in rows]


@of("values_list()", gives=[(1, "What tides do"), (2, "Moon phases")])
def values_list_is_tuples(m: M) -> Any:
    return m.Entry.objects.order_by("id").values_list("id", "headline")[:2]


@of("values_list()", gives=[(1, "what tides do")])
def values_list_takes_expressions(m: M) -> Any:
    return m.Entry.objects.filter(pk=1).values_list("id", m.Lower("headline"))


@of("values_list()", gives=[[(1,), (2,)], [1, 2]])
def one_column_is_flat_where_asked(m: M) -> Any:
    tuples = yield m.Entry.objects.values_list("id").order_by("id")[:2]
    return [tuples, (yield m.Entry.objects.values_list("id", flat=True).order_by("id")[:2])]


@of("values_list()", gives=Raises("TypeError"))
def several_columns_are_not_flat(m: M) -> Any:
    return m.Entry.objects.values_list("id", "headline", flat=True)


@of("values_list()", gives=[("Row", 1, "What tides do", ("id", "headline"))])
def named_tuples_have_the_names(m: M) -> Any:
    rows = yield m.Entry.objects.filter(pk=1).values_list("id", "headline", named=True)
    return [(type(row).__name__, row.id, row.headline, row._fields) for row in rows]


@of("values_list()", gives="What tides do")
def a_value_of_one_row_by_get(m: M) -> Any:
    return m.Entry.objects.values_list("headline", flat=True).get(pk=1)


@of("values_list()", gives=[("Ada", "What tides do"), ("Ada", "Moon phases"), ("Dee", None)])
def values_list_joins_relations_with_several_rows(m: M) -> Any:
    chosen = m.Author.objects.filter(name__in=["Ada", "Dee"]).order_by("name", "entry__pk")
    return chosen.values_list("name", "entry__headline")


@of("values_list()", gives=[(None,), (1,), (2,)])
def values_list_of_a_many_to_many_relation_is_keys(m: M) -> Any:
    some = m.Entry.objects.filter(pk__in=[1, 5]).order_by("-pk", "authors")
    return some.values_list("authors")


@of("values_list()", gives=[[("Tide Tables", 1, "tides", "Notes from the coast")], 4])
def values_list_of_nothing_is_all_columns(m: M) -> Any:
    (row,) = yield m.Blog.objects.filter(pk=1).values_list()
    return [[(row[1], row[0], *row[2:])], len(row)]


@of("values()", "values_list()", gives=["The_Rind", "The_Rind", {"headline": "Brie 100%"}, "Brie 100%"])
def values_have_the_questions_of_querysets(m: M) -> Any:
    flat = m.Entry.objects.order_by("pk").values_list("headline", flat=True)
    dicts = m.Entry.objects.order_by("headline").values("headline")
    last = yield flat.last()
    latest = yield flat.latest("changed")
    return [last, latest, (yield dicts[0]), (yield flat.filter(blog__slug="cheese").earliest("changed"))]


@of("values_list()", gives={"cheese": ("cheese", "Cheese Log")}, since=(6, 1))
def in_bulk_gives_values_by_key(m: M) -> Any:
    return m.Blog.objects.values_list("slug", "name").in_bulk(["cheese"], field_name="slug")


@of("dates()", gives=[date(2023, 1, 1), date(2024, 1, 1)])
def dates_are_the_years_there_are(m: M) -> Any:
    return m.Entry.objects.dates("published", "year")


@of("dates()", gives=[date(2023, 11, 1), date(2024, 1, 1), date(2024, 6, 1)])
def dates_are_the_months_there_are(m: M) -> Any:
    return m.Entry.objects.dates("published", "month")


@of("dates()", gives=[date(2024, 6, 14), date(2024, 1, 3), date(2023, 11, 20)])
def dates_are_the_days_there_are_in_either_order(m: M) -> Any:
    return m.Entry.objects.dates("published", "day", order="DESC")


@of("dates()", gives=[date(2024, 1, 3)])
def dates_are_of_the_rows_that_are_kept(m: M) -> Any:
    return m.Entry.objects.filter(headline__contains="Moon").dates("published", "day")


@of("dates()", gives=["ValueError"] * 2)
def dates_have_few_kinds_and_two_orders(m: M) -> Any:
    found: list[Any] = []
    for kind, order in (("hour", "ASC"), ("day", "UP")):
        try:
            yield m.Entry.objects.dates("published", kind, order)
        except (ValueError, AssertionError):
            found.append("ValueError")
    return found


@of(
    "datetimes()",
    gives=[
        datetime(2023, 11, 1, tzinfo=UTC),
        datetime(2024, 1, 1, tzinfo=UTC),
        datetime(2024, 6, 1, tzinfo=UTC),
    ],
)
def datetimes_are_the_months_there_are(m: M) -> Any:
    return m.Entry.objects.datetimes("posted", "month")


@of("datetimes()", gives=[datetime(2024, 1, 3, 23, tzinfo=UTC), datetime(2024, 1, 3, 14, tzinfo=UTC)])
def datetimes_are_the_hours_there_are(m: M) -> Any:
    return m.Entry.objects.filter(pk__in=[2, 3]).datetimes("posted", "hour", order="DESC")


# -- together with others


@of("union()", gives=["Ada", "Bo", "Brie 100%", "Cy", "Dee"])
def union_is_the_rows_of_both(m: M) -> Any:
    authors = m.Author.objects.values_list("name", flat=True)
    entries = m.Entry.objects.filter(pk=4).values_list("headline", flat=True)
    return authors.union(entries).order_by("name")


@of("union()", gives=[["Ada", "Bo"], ["Ada", "Ada", "Bo"]])
def union_drops_equal_rows_unless_told(m: M) -> Any:
    two = m.Author.objects.filter(pk__lte=2).values_list("name", flat=True)
    one = m.Author.objects.filter(pk=1).values_list("name", flat=True)
    once = yield two.union(one).order_by("name")
    return [once, (yield two.union(one, all=True).order_by("name"))]


@of("union()", gives=["Ada", "Cy"])
def union_of_objects_is_objects(m: M) -> Any:
    return m.Author.objects.filter(pk=1).union(m.Author.objects.filter(pk=3)).order_by("name")


@of("union()", gives=[3, True, "Bo", ["Bo"]])
def what_is_put_together_is_counted_and_sliced(m: M) -> Any:
    one, two = m.Author.objects.filter(pk=1), m.Author.objects.filter(pk__in=[2, 3])
    both = one.union(two).order_by("-name")
    count = yield both.count()
    return [count, (yield both.exists()), (yield both[1]), (yield both[1:2])]


@of("union()", gives=["Ada", "Bo", "Cy"])
def a_union_is_put_together_with_others(m: M) -> Any:
    one, two, three = [m.Author.objects.filter(pk=key) for key in (1, 2, 3)]
    return one.union(two).union(three).order_by("name")


@of("intersection()", gives=["Bo"])
def intersection_is_the_rows_that_all_have(m: M) -> Any:
    young, old = m.Author.objects.filter(age__lt=60), m.Author.objects.filter(age__gt=40)
    return young.intersection(old)


@of("difference()", gives=["Ada", "Cy"])
def difference_is_the_rows_that_others_have_not(m: M) -> Any:
    young, old = m.Author.objects.filter(age__lt=60), m.Author.objects.filter(age__gt=40)
    return young.difference(old).order_by("name")


@of("&", gives=["Moon phases"])
def and_keeps_the_rows_of_both(m: M) -> Any:
    return m.Entry.objects.filter(published__year=2024) & m.Entry.objects.filter(headline__startswith="Moon")


@of("|", gives=["What tides do", "The_Rind"])
def or_keeps_the_rows_of_either(m: M) -> Any:
    either = m.Entry.objects.filter(pk=1) | m.Entry.objects.filter(published=None)
    return either.order_by("pk")


@of("^", gives=["What tides do", "Brie 100%"])
def xor_keeps_the_rows_of_one_only(m: M) -> Any:
    one = m.Entry.objects.filter(rating=5) ^ m.Entry.objects.none()
    return (one ^ m.Entry.objects.filter(pk=99)).order_by("pk")


@of("^", gives=["Moon phases", "The_Rind"])
def xor_is_of_conditions(m: M) -> Any:
    cheap = m.Entry.objects.filter(rating__lte=4)
    return (cheap ^ m.Entry.objects.filter(is_open=False)).order_by("pk")


@of("&", "|", gives=[["Brie 100%"], 0, 5, 5])
def querysets_of_everything_and_nothing_are_joined_too(m: M) -> Any:
    cheese, everything, nothing = m.Entry.objects.filter(pk=4), m.Entry.objects.all(), m.Entry.objects.none()
    found = yield everything & cheese
    counts: list[Any] = []
    for queryset in (cheese & nothing, everything | cheese, nothing | everything):
        counts.append((yield queryset.count()))
    return [found, *counts]


@of("&", gives=Raises("TypeError"))
def sliced_querysets_are_not_joined(m: M) -> Any:
    return m.Entry.objects.all()[:1] & m.Entry.objects.all()


# -- with what


@of("select_related()", gives=["Tide Tables", "Tide Tables"])
def select_related_loads_by_a_join(m: M) -> Any:
    entry = yield m.Entry.objects.select_related("blog").get(id=1)
    other = yield m.Entry.objects.filter(rating=3).select_related("blog").get()
    return [entry.blog.name, other.blog.name]


@of("select_related()", gives="Arch")
def select_related_follows_paths(m: M) -> Any:
    store = yield m.Store.objects.select_related("best__publisher").get(pk=1)
    return store.best.publisher.name


@of("select_related()", gives="short")
def select_related_follows_a_one_to_one_field_backwards(m: M) -> Any:
    entry = yield m.Entry.objects.select_related("detail").get(id=4)
    return entry.detail.text


@of(
    "select_related()",
    gives=Raises("TypeError"),
    django=Raises("RemovedInDjango2028Warning"),
    because="select_related() without names is refused, which Django will do too",
    since=(6, 1),
)
def select_related_takes_names(m: M) -> Any:
    return m.Book.objects.select_related().get(pk=1)


@of("select_related()", gives=["Atlas"])
def select_related_none_takes_it_back(m: M) -> Any:
    return m.Book.objects.select_related("publisher").select_related(None).filter(pk=1)


@of("prefetch_related()", gives=[["Atlas", ["Ada", "Bo"]], ["Birds", ["Ada"]]])
def prefetch_related_loads_many_rows_beside(m: M) -> Any:
    books = yield m.Book.objects.filter(pk__lte=2).order_by("pk").prefetch_related("authors")
    found: list[Any] = []
    for book in books:
        found.append([book.name, sorted(map(str, (yield book.authors.all())))])
    return found


@of("prefetch_related()", gives=[["Ada", "Bo"], ["Ada"], ["Cy"]])
def prefetch_related_follows_paths(m: M) -> Any:
    north = yield m.Store.objects.prefetch_related("books__authors").get(name="North")
    found: list[Any] = []
    for book in sorted((yield north.books.all()), key=str):
        found.append(sorted(map(str, (yield book.authors.all()))))
    return found


@of("prefetch_related()", gives=["Ada", "Bo"])
def prefetch_related_goes_on_from_select_related(m: M) -> Any:
    stores = m.Store.objects.select_related("best").prefetch_related("best__authors")
    north = yield stores.get(name="North")
    return sorted(map(str, (yield north.best.authors.all())))


@of("prefetch_related()", gives=2)
def prefetch_related_none_takes_it_back(m: M) -> Any:
    return m.Store.objects.prefetch_related("books").prefetch_related(None).count()


@of("Prefetch()", gives=["Comets", "Birds", "Atlas"])
def prefetch_takes_a_queryset(m: M) -> Any:
    books = m.Prefetch("books", queryset=m.Book.objects.order_by("-name"))
    north = yield m.Store.objects.prefetch_related(books).get(name="North")
    return north.books.all()


@of("Prefetch()", gives=[["Atlas", "Birds", "Comets"], ["Atlas"]])
def prefetch_keeps_lists_under_names(m: M) -> Any:
    thick = m.Book.objects.filter(pages__gte=200)
    north = yield m.Store.objects.prefetch_related(
        m.Prefetch("books", to_attr="shelf"),
        m.Prefetch("books", queryset=thick, to_attr="thick_books"),
    ).get(name="North")
    return [sorted(map(str, north.shelf)), north.thick_books]


@of("Prefetch()", gives=["Ada", "Bo"])
def a_path_goes_on_from_a_name_of_a_prefetch(m: M) -> Any:
    thick = m.Prefetch("books", queryset=m.Book.objects.filter(pages__gte=200), to_attr="thick_books")
    north = yield m.Store.objects.prefetch_related(thick, "thick_books__authors").get(name="North")
    return sorted(map(str, (yield north.thick_books[0].authors.all())))


@of("Prefetch()", gives="Arch")
def prefetch_of_one_object_takes_a_queryset(m: M) -> Any:
    best = m.Prefetch("best", queryset=m.Book.objects.select_related("publisher"))
    north = yield m.Store.objects.prefetch_related(best).get(name="North")
    return north.best.publisher.name


@of("Prefetch()", gives=Raises("ValueError"))
def one_relation_is_not_loaded_in_two_ways(m: M) -> Any:
    thick = m.Prefetch("books", queryset=m.Book.objects.filter(pages__gte=200))
    return m.Store.objects.prefetch_related("books__authors", thick)


@of("defer()", gives=["What tides do", "Water comes and goes"])
def defer_leaves_columns(m: M) -> Any:
    entry = yield m.Entry.objects.defer("body").filter(rating=5).defer("published").get(pk=1)
    whole = yield m.Entry.objects.defer("body").defer(None).get(pk=1)
    return [entry.headline, whole.body]


@of(
    "defer()", "only()",
    gives=["NotLoaded", "NotLoaded"],
    django=["Water comes and goes", "Tide Tables"],
    because="what is not loaded is never loaded by reading it: NotLoaded says what to ask for",
)  # fmt: skip
def what_is_not_loaded_does_not_load_itself(m: M) -> Any:
    entry = yield m.Entry.objects.defer("body").get(pk=1)
    found: list[Any] = []
    for read in (lambda: entry.body, lambda: entry.blog.name):
        try:
            found.append(read())
        except Exception as error:
            found.append(type(error).__name__)
    return found


@of("only()", gives=[{"headline"}, {"headline"}, {"headline"}])
def only_names_what_is_loaded(m: M) -> Any:
    entries = m.Entry.objects
    found: list[Any] = []
    for queryset in (
        entries.only("body", "rating").only("headline"),
        entries.only("headline", "body").defer("body"),
        entries.defer("body").only("headline", "body"),
    ):
        entry = yield queryset.get(pk=1)
        found.append({key for key in vars(entry) if key[0] != "_"} - {"id"})
    return found


@of("only()", gives="Water comes and goes", since=(6, 0))
def only_of_nothing_is_all(m: M) -> Any:
    entry = yield m.Entry.objects.only().get(pk=1)
    return entry.body


@of("only()", "select_related()", gives=["What tides do", "Tide Tables"])
def only_goes_into_what_is_loaded_by_joins(m: M) -> Any:
    entry = yield m.Entry.objects.select_related("blog").only("headline", "blog__name").get(pk=1)
    return [entry.headline, entry.blog.name]


@of("using()", "db", gives=[5, "default"])
def using_names_the_database(m: M) -> Any:
    queryset = m.Entry.objects.using("default")
    return [(yield queryset.count()), queryset.db]


@of("select_for_update()", gives=["What tides do"])
def select_for_update_locks_in_a_transaction(m: M) -> Any:
    return m.Entry.objects.select_for_update().filter(authors__name="Ada", rating=5)


@of("select_for_update()", gives=Raises("TypeError"), django=Raises("ValueError"), because=MISUSE)
def nowait_and_skip_locked_exclude_each_other(m: M) -> Any:
    return m.Entry.objects.select_for_update(nowait=True, skip_locked=True)


@of("select_for_update()", gives=["What tides do"], on=("postgresql",))
def select_for_update_of_some_tables(m: M) -> Any:
    entries = m.Entry.objects.select_related("blog").select_for_update(of=("self",), no_key=True)
    return entries.filter(pk=1)


# -- questions


@of("get()", gives=["What tides do", "Moon phases", "Moon phases"])
def get_is_the_one_row(m: M) -> Any:
    first = yield m.Entry.objects.get(id=1)
    second = yield m.Entry.objects.get(m.Q(blog__slug="tides") & m.Q(rating=3))
    return [first, second, (yield m.Entry.objects.filter(pk=2).get())]


@of("get()", gives=["DoesNotExist", "MultipleObjectsReturned"])
def get_of_none_or_several_is_an_error(m: M) -> Any:
    found: list[Any] = []
    for lookups in ({"id": -999}, {"rating": 5}):
        try:
            yield m.Entry.objects.get(**lookups)
        except (m.Entry.DoesNotExist, m.Entry.MultipleObjectsReturned) as error:
            found.append(type(error).__name__)
    return found


@of("get()", gives="nobody")
def errors_of_all_models_have_one_base(m: M) -> Any:
    try:
        blog = yield m.Blog.objects.get(id=1)
        yield m.Entry.objects.get(blog=blog, rating=99)
    except m.ObjectDoesNotExist:
        return "nobody"


@of("count()", gives=[5, 1])
def count_is_the_number_of_rows(m: M) -> Any:
    return [
        (yield m.Entry.objects.count()),
        (yield m.Entry.objects.filter(headline__contains="Moon").count()),
    ]


@of("exists()", gives=[True, False])
def exists_is_whether_there_is_a_row(m: M) -> Any:
    found = yield m.Entry.objects.filter(rating=5).exists()
    return [found, (yield m.Entry.objects.filter(rating=99).exists())]


@of("contains()", gives=[True, False, False])
def contains_is_whether_a_row_is_there(m: M) -> Any:
    entry = yield m.Entry.objects.get(pk=1)
    blog = yield m.Blog.objects.get(pk=1)
    found: list[Any] = []
    for queryset, row in (
        (m.Entry.objects.filter(rating=5), entry),
        (m.Entry.objects.filter(rating=3), entry),
        (m.Entry.objects.all(), blog),
    ):
        found.append((yield queryset.contains(row)))
    return found


@of(
    "contains()",
    gives=["TypeError", "TypeError", "AttributeError"],
    django=["TypeError", "ValueError", "TypeError"],
    because=MISUSE,
)
def contains_takes_saved_objects_of_a_queryset_of_objects(m: M) -> Any:
    entry = yield m.Entry.objects.get(pk=1)
    found: list[Any] = []
    for queryset, row in (
        (m.Entry.objects.all(), "entry"),
        (m.Entry.objects.all(), m.Entry(headline="new")),
        (m.Entry.objects.values("pk"), entry),
    ):
        try:
            yield queryset.contains(row)
        except (TypeError, ValueError, AttributeError) as error:
            found.append(type(error).__name__)
    return found


@of(
    "evaluation",
    gives=["TypeError"] * 5,
    django=[True, 5, 5, True, 5],
    because=NOTHING_BY_ITSELF,
)
def python_asks_nothing_by_itself(m: M) -> Any:
    entries = m.Entry.objects.all()
    one = yield m.Entry.objects.get(pk=1)
    found: list[Any] = []
    asking = (
        bool,
        len,
        lambda queryset: len(list(queryset)),
        lambda queryset: one in queryset,
        lambda queryset: sum(1 for _ in queryset),
    )
    for ask in asking:
        try:
            found.append(ask(entries))
        except TypeError:
            found.append("TypeError")
    return found


@of("first()", "last()", gives=["Brie 100%", "what waves do", "What tides do", "The_Rind", None])
def first_and_last_are_in_order_of_the_key_unless_told(m: M) -> Any:
    ordered = m.Entry.objects.filter(pk__in=[2, 4]).order_by("headline")
    found = [(yield ordered.first()), (yield m.Entry.objects.filter(pk__lte=3).order_by("pk").last())]
    found += [(yield m.Entry.objects.first()), (yield m.Entry.objects.last())]
    return [*found, (yield m.Entry.objects.filter(pk=99).first())]


@of(
    "latest()",
    "earliest()",
    "Meta.get_latest_by",
    gives=["Brie 100%", "What tides do", "The_Rind", "What tides do"],
)
def latest_and_earliest_are_by_columns(m: M) -> Any:
    dated = m.Entry.objects.filter(published__isnull=False)
    found = [(yield dated.latest("published")), (yield dated.earliest("published", "-rating"))]
    return [*found, (yield m.Entry.objects.latest()), (yield m.Entry.objects.earliest())]


@of("latest()", gives=Raises("DoesNotExist"))
def latest_of_no_rows_is_an_error(m: M) -> Any:
    return m.Entry.objects.filter(pk=99).latest("changed")


@of("latest()", gives=Raises("TypeError"), django=Raises("ValueError"), because=MISUSE)
def latest_needs_to_know_by_what(m: M) -> Any:
    return m.Blog.objects.latest()


@of("in_bulk()", gives=[{1: "Tide Tables"}, {}, [1, 2, 3], {"cheese": "Cheese Log"}])
def in_bulk_is_objects_by_key(m: M) -> Any:
    one, nothing = (yield m.Blog.objects.in_bulk([1])), (yield m.Blog.objects.in_bulk([]))
    everything = yield m.Blog.objects.in_bulk()
    return [
        one,
        nothing,
        sorted(everything),
        (yield m.Blog.objects.in_bulk(id_list=["cheese"], field_name="slug")),
    ]


@of("in_bulk()", gives=Raises("FieldError"), django=Raises("ValueError"), because=MISUSE)
def in_bulk_takes_a_unique_field(m: M) -> Any:
    return m.Blog.objects.in_bulk(["Cheese Log"], field_name="name")


@of("in_bulk()", gives=["Cheese Log", "Empty Pages", "Tide Tables"], on=("postgresql",))
def in_bulk_takes_a_field_that_is_distinct(m: M) -> Any:
    return sorted((yield m.Blog.objects.distinct("name").in_bulk(field_name="name")))


@of("aggregate()", gives=[{"entry__authors__count": 6}, {"number_of_authors": 3}])
def aggregate_is_over_all_rows(m: M) -> Any:
    first = yield m.Blog.objects.aggregate(m.Count("entry__authors"))
    return [
        first,
        (yield m.Blog.objects.aggregate(number_of_authors=m.Count("entry__authors", distinct=True))),
    ]


@of("explain()", gives=[True, True])
def explain_is_a_text_of_the_database(m: M) -> Any:
    plan = yield m.Blog.objects.filter(name="x").explain()
    return [isinstance(plan, str), bool(plan)]


@of("explain()", gives=[True, True], on=("postgresql",))
def explain_takes_a_format_and_options(m: M) -> Any:
    plan = yield m.Blog.objects.filter(name="x").explain(format="json", verbose=True, analyze=True)
    return ['"Output"' in plan, '"Actual Rows"' in plan]


@of("explain()", gives=Raises("ValueError"))
def explain_knows_its_formats(m: M) -> Any:
    return m.Blog.objects.explain(format="poem")


# -- changes


@of("create()", gives=["Eve", True])
def create_saves_a_new_row(m: M) -> Any:
    eve = yield m.Author.objects.create(name="Eve", age=30)
    return [(yield m.Author.objects.get(pk=eve.pk)), eve.pk is not None]


@of("create()", "Model.save()", gives=Raises("IntegrityError"))
def a_key_that_is_taken_is_an_error(m: M) -> Any:
    return m.Blog.objects.create(pk=1, name="x", slug="x", tagline="")


@of("get_or_create()", gives=["Ada", False, "Eve", 30, True])
def get_or_create_finds_or_makes(m: M) -> Any:
    ada, made = yield m.Author.objects.get_or_create(name="Ada", defaults={"age": 1})
    eve, made_too = yield m.Author.objects.get_or_create(name="Eve", defaults={"age": lambda: 30})
    return [ada, made, eve, eve.age, made_too]


@of("get_or_create()", gives=["Bob", 3, True])
def lookups_are_no_values_of_a_new_row(m: M) -> Any:
    bob, made = yield m.Author.objects.filter(m.Q(name="Bob") | m.Q(name="Rob")).get_or_create(
        age__lt=20, defaults={"name": "Bob", "age": 3}
    )
    return [bob, bob.age, made]


@of("get_or_create()", gives=Raises("MultipleObjectsReturned"))
def get_or_create_of_several_is_an_error(m: M) -> Any:
    return m.Entry.objects.get_or_create(rating=5)


@of("get_or_create()", "RelatedManager.get_or_create()", gives=[True, False, "Fig", True])
def get_or_create_of_a_relation_links_what_it_makes(m: M) -> Any:
    book = yield m.Book.objects.get(pk=4)
    fig, made = yield book.authors.get_or_create(name="Fig", defaults={"age": 1})
    again, made_again = yield book.authors.get_or_create(name="Fig", defaults={"age": 1})
    return [made, made_again, fig, again == fig]


@of("update_or_create()", gives=[["Ada", 37, False], ["Eve", 1, True], ["Fay", 2, True]])
def update_or_create_changes_or_makes(m: M) -> Any:
    found: list[Any] = []
    for name, options in {
        "Ada": {"defaults": {"age": 37}},
        "Eve": {"defaults": {"age": 1}},
        "Fay": {"defaults": {"age": 1}, "create_defaults": {"age": 2}},
    }.items():
        author, made = yield m.Author.objects.update_or_create(name=name, **options)
        fresh = yield m.Author.objects.get(pk=author.pk)
        found.append([fresh.name, fresh.age, made])
    return found


@of("update_or_create()", gives=["Eve", 3, True])
def update_or_create_takes_lookups(m: M) -> Any:
    eve, made = yield m.Author.objects.update_or_create(
        name__iexact="eve", defaults={"name": "Eve", "age": 3}
    )
    return [eve, eve.age, made]


@of("bulk_create()", gives=[["Eve", "Fay"], True, 6])
def bulk_create_inserts_many(m: M) -> Any:
    made = yield m.Author.objects.bulk_create([m.Author(name="Eve", age=1), m.Author(name="Fay", age=2)])
    return [made, all(each.pk for each in made), (yield m.Author.objects.count())]


@of("bulk_create()", gives=104)
def bulk_create_goes_in_batches(m: M) -> Any:
    yield m.Author.objects.bulk_create([m.Author(name=f"A{at}", age=at) for at in range(100)], 30)
    return m.Author.objects.count()


@of("bulk_create()", gives=["Tide Tables", "New"])
def bulk_create_leaves_out_what_is_there(m: M) -> Any:
    rows = [m.Blog(name="x", slug="tides", tagline=""), m.Blog(name="New", slug="new", tagline="")]
    yield m.Blog.objects.bulk_create(rows, ignore_conflicts=True)
    return names(m.Blog.objects.filter(slug__in=["tides", "new"]))


@of("bulk_create()", gives=["Tides", "New"], on=("sqlite", "postgresql"))
def bulk_create_changes_what_is_there(m: M) -> Any:
    rows = [m.Blog(name="Tides", slug="tides", tagline=""), m.Blog(name="New", slug="new", tagline="")]
    yield m.Blog.objects.bulk_create(
        rows, update_conflicts=True, unique_fields=["slug"], update_fields=["name"]
    )
    return names(m.Blog.objects.filter(slug__in=["tides", "new"]))


@of("bulk_update()", gives=[2, ["Brie!", "What tides do!"]])
def bulk_update_writes_many(m: M) -> Any:
    entries = yield m.Entry.objects.filter(pk__in=[1, 4]).order_by("pk")
    entries[0].headline, entries[1].headline = "What tides do!", "Brie!"
    count = yield m.Entry.objects.bulk_update(entries, ["headline"])
    changed = m.Entry.objects.filter(headline__endswith="!").order_by("headline")
    return [count, (yield changed.values_list("headline", flat=True))]


@of(
    "bulk_update()",
    gives=Raises("FieldError"),
    django=[2, 7],
    because="bulk_update() writes values; what is to be computed goes to update() or save()",
)
def bulk_update_goes_in_batches_and_takes_expressions(m: M) -> Any:
    entries = yield m.Entry.objects.filter(pk__in=[1, 2])
    for entry in entries:
        entry.comments = m.F("comments") + 3
    count = yield m.Entry.objects.bulk_update(entries, ["comments"], 1)
    return [count, (yield m.Entry.objects.values_list("comments", flat=True).get(pk=1))]


@of("update()", gives=[3, 0, 3])
def update_sets_columns_of_all_rows(m: M) -> Any:
    count = yield m.Entry.objects.filter(published__year=2024).update(is_open=False, headline="old")
    nobody = yield m.Entry.objects.filter(headline="nothing").update(is_open=True)
    return [count, nobody, (yield m.Entry.objects.filter(headline="old", is_open=False).count())]


@of("update()", gives=[2, 3])
def update_filters_across_relations(m: M) -> Any:
    cheese = yield m.Entry.objects.filter(blog__name="Cheese Log").update(rating=2)
    return [cheese, (yield m.Entry.objects.filter(blog__id=1).update(rating=1))]


@of(
    "update()",
    gives=Raises("FieldError"),
    django=Raises("FieldDoesNotExist"),
    because="an unknown field is a FieldError",
)
def update_sets_no_columns_of_related_rows(m: M) -> Any:
    return m.Entry.objects.update(blog__name="foo")


@of("update()", "F()", gives=[5, [3, 4, 2, 3, 1]])
def update_computes_of_columns(m: M) -> Any:
    count = yield m.Entry.objects.update(links=m.F("links") + 1)
    return [count, (yield m.Entry.objects.order_by("pk").values_list("links", flat=True))]


@of("update()", gives=Raises("FieldError"))
def update_computes_not_of_related_rows(m: M) -> Any:
    return m.Entry.objects.update(headline=m.F("blog__name"))


@of("update()", gives=5)
def update_sets_a_relation_to_an_object(m: M) -> Any:
    blog = yield m.Blog.objects.get(pk=3)
    yield m.Entry.objects.update(blog=blog)
    return m.Entry.objects.filter(blog=3).count()


@of("update()", gives=[6, 3, 10, 4, 1])
def update_takes_annotations(m: M) -> Any:
    yield m.Entry.objects.annotate(both=m.F("comments") + m.F("links")).update(rating=m.F("both"))
    return m.Entry.objects.order_by("pk").values_list("rating", flat=True)


@of(
    "delete()",
    gives=2,
    django=(5, {"weblog.Entry_authors": 2, "weblog.Detail": 1, "weblog.Entry": 2}),
    because=NUMBER_OF_ROWS,
)
def delete_drops_rows_and_what_hangs_on_them(m: M) -> Any:
    blog = yield m.Blog.objects.get(pk=2)
    detail = yield m.Detail.objects.create(entry_id=5, text="x", read_at=time(1))
    yield m.Detail.objects.filter(pk=detail.pk).delete()
    yield m.Entry.objects.get(pk=5)
    yield (yield m.Entry.objects.get(pk=5)).authors.add((yield m.Author.objects.get(pk=1)))
    return m.Entry.objects.filter(blog=blog).delete()


@of("delete()", gives=[0, 0])
def delete_cascades(m: M) -> Any:
    yield m.Blog.objects.all().delete()
    return [(yield m.Entry.objects.count()), (yield m.Detail.objects.count())]


@of("delete()", gives=Raises("TypeError"))
def delete_takes_no_slice(m: M) -> Any:
    return m.Entry.objects.all()[:2].delete()


# -- managers


@of("as_manager()", gives=[["Bo", "Dee"], ["Bo"]])
def a_queryset_is_a_manager(m: M) -> Any:
    found = yield m.Author.aged.old().order_by("pk")
    return [found, (yield m.Author.aged.filter(name="Bo").old())]


@of("Manager.from_queryset()", gives=[["Bo", "Dee"], ["Bo"], "hello"])
def methods_of_querysets_become_those_of_managers(m: M) -> Any:
    found = [(yield m.Author.greeted.old().order_by("pk")), (yield m.Author.greeted.filter(name="Bo").old())]
    return [*found, m.Author.greeted.hello()]


@of("Manager.get_queryset()", "Manager", gives=[["Bo", "Dee"], 2, ["Dee"]])
def a_manager_has_a_queryset_of_its_own(m: M) -> Any:
    everybody = yield m.Author.elders.order_by("pk")
    return [everybody, (yield m.Author.elders.count()), (yield m.Author.elders.filter(name__gt="C"))]


@of("Model._default_manager", gives=["Ada", "Bo", "Cy", "Dee"])
def the_first_manager_is_the_default(m: M) -> Any:
    return names(m.Author._default_manager.all())


@of("Manager", gives=Raises("AttributeError"))
def managers_are_not_reached_from_objects(m: M) -> Any:
    return m.Blog(name="Foo").objects


# -- objects


@of("Model.save()", gives=[None, True, "New"])
def save_inserts_then_updates(m: M) -> Any:
    blog = m.Blog(name="Old", slug="new", tagline="x")
    before = blog.id
    yield blog.save()
    blog.name = "New"
    yield blog.save()
    return [
        before,
        blog.id is not None,
        (yield m.Blog.objects.values_list("name", flat=True).get(slug="new")),
    ]


@of("Model.save()", "Model.pk", gives=["Not Cheese", 3])
def save_with_a_key_that_is_there_updates(m: M) -> Any:
    yield m.Blog(id=2, name="Not Cheese", slug="cheese", tagline="").save()
    return [(yield m.Blog.objects.get(pk=2)), (yield m.Blog.objects.count())]


@of("Model.save()", gives=[("Name changed", "Notes from the coast")])
def save_takes_the_fields_to_write(m: M) -> Any:
    blog = yield m.Blog.objects.get(pk=1)
    blog.name, blog.tagline = "Name changed", "not written"
    yield blog.save(update_fields=["name"])
    return m.Blog.objects.filter(pk=1).values_list("name", "tagline")


@of("Model.save()", gives=Raises("IntegrityError"))
def save_inserts_where_told(m: M) -> Any:
    return m.Blog(pk=1, name="x", slug="x", tagline="x").save(force_insert=True)


@of(
    "Model.save()",
    gives=Raises("DoesNotExist"),
    django=Raises("DatabaseError"),
    because="a row to update that is not there is DoesNotExist",
)
def save_updates_where_told(m: M) -> Any:
    return m.Blog(pk=99, name="x", slug="x", tagline="x").save(force_update=True)


@of("Model.save()", "F()", gives=[5, 5])
def save_takes_expressions(m: M) -> Any:
    entry = yield m.Entry.objects.get(pk=1)
    entry.comments = m.F("comments") + 1
    yield entry.save()
    return [(yield m.Entry.objects.values_list("comments", flat=True).get(pk=1)), 5]


@of(
    "Model.delete()",
    gives=1,
    django=(4, {"weblog.Entry_authors": 2, "weblog.Detail": 1, "weblog.Entry": 1}),
    because=NUMBER_OF_ROWS,
)
def delete_of_an_object(m: M) -> Any:
    return (yield m.Entry.objects.get(pk=1)).delete()


@of("Model.refresh_from_db()", gives=["Tide Tables", "changed", "not yet"])
def refresh_reads_the_row_again(m: M) -> Any:
    blog = yield m.Blog.objects.get(pk=1)
    yield m.Blog.objects.update(tagline="changed")
    blog.name = blog.slug = "not yet"
    yield blog.refresh_from_db(fields=["name", "tagline"])
    return [blog.name, blog.tagline, blog.slug]


@of("Model.refresh_from_db()", gives="Cheese Log")
def refresh_takes_a_queryset(m: M) -> Any:
    entry = yield m.Entry.objects.get(pk=4)
    yield entry.refresh_from_db(from_queryset=m.Entry.objects.select_related("blog"))
    return entry.blog.name


@of("Model.get_deferred_fields()", gives=[set(), {"body"}])
def objects_know_what_is_not_loaded(m: M) -> Any:
    whole = yield m.Entry.objects.get(pk=1)
    return [
        whole.get_deferred_fields(),
        (yield m.Entry.objects.defer("body").get(pk=1)).get_deferred_fields(),
    ]


@of("Model.__eq__()", "Model.__hash__()", gives=[True, False, False, True, False])
def objects_are_equal_by_key(m: M) -> Any:
    new = m.Blog()
    equal = [m.Blog(id=1) == m.Blog(id=1), m.Blog(id=1) == m.Blog(id=2), m.Blog() == m.Blog(), new == new]
    return [*equal, m.Blog(id=1) == m.Author(id=1)]


@of("Model.get_FOO_display()", gives=["Gold", "Regular"])
def a_choice_has_a_label(m: M) -> Any:
    return [
        (yield m.Client.objects.get(name="James")).get_account_display(),
        m.Client().get_account_display(),
    ]


@of(
    "Model.get_next_by_FOO()",
    "Model.get_previous_by_FOO()",
    gives=["Moon phases", "what waves do", Raises("DoesNotExist").name],
)
def objects_know_who_is_next_in_time(m: M) -> Any:
    first = yield m.Entry.objects.get(pk=1)
    waves = yield m.Entry.objects.get(pk=4)
    following = yield first.get_next_by_changed()
    before = yield waves.get_previous_by_changed()
    try:
        yield first.get_previous_by_changed()
    except m.Entry.DoesNotExist:
        return [following, before, "DoesNotExist"]


@of("copying_objects", gives=["Tide Tables", "tides2", 4])
def a_copy_is_an_object_without_a_key(m: M) -> Any:
    blog = yield m.Blog.objects.get(pk=1)
    blog.pk, blog.slug = None, "tides2"
    if hasattr(blog, "_state"):
        blog._state.adding = True
    yield blog.save()
    return [blog, blog.slug, (yield m.Blog.objects.count())]


@of("Model.full_clean()", "Model.clean_fields()", "Model.clean()", "Model.validate_unique()", gives=["slug"])
def full_clean_says_what_is_wrong(m: M) -> Any:
    try:
        yield m.Blog(name="x", slug="tides", tagline="x").full_clean()
    except Exception as error:
        return sorted(error.message_dict)


# -- relations


@of("forward_relation", gives=["Tide Tables", "Cheese Log"])
def a_foreign_key_leads_to_an_object(m: M) -> Any:
    entry = yield m.Entry.objects.get(id=2)
    yield m.load(entry, "blog")
    before = entry.blog.name
    entry.blog = yield m.Blog.objects.get(pk=2)
    yield entry.save()
    return [before, (yield m.Entry.objects.values_list("blog__name", flat=True).get(id=2))]


@of("forward_relation", gives=None)
def a_foreign_key_is_set_to_none(m: M) -> Any:
    store = yield m.Store.objects.get(pk=1)
    store.best = None
    yield store.save()
    return m.Store.objects.values_list("best", flat=True).get(pk=1)


@of("backward_relation", gives=[["What tides do", "Moon phases", "what waves do"], ["Moon phases"], 3])
def a_foreign_key_has_a_manager_on_the_other_side(m: M) -> Any:
    blog = yield m.Blog.objects.get(id=1)
    everything = yield blog.entry_set.all().order_by("pk")
    return [
        everything,
        (yield blog.entry_set.filter(headline__contains="Moon")),
        (yield blog.entry_set.count()),
    ]


@of("backward_relation", gives="long")
def a_one_to_one_field_has_an_object_on_the_other_side(m: M) -> Any:
    entry = yield m.Entry.objects.get(id=1)
    yield m.load(entry, "detail")
    return entry.detail.text


@of("RelatedManager.add()", gives=[["Atlas", "Dunes"], ["Ada", "Cy", "Dee"]])
def add_links_rows(m: M) -> Any:
    book = yield m.Book.objects.get(pk=4)
    store = yield m.Store.objects.get(pk=2)
    yield store.books.add(book)
    entry = yield m.Entry.objects.get(pk=2)
    yield entry.authors.add((yield m.Author.objects.get(pk=4)), 3)
    return [(yield store.books.order_by("name")), (yield entry.authors.order_by("name"))]


@of("RelatedManager.add()", gives=2)
def add_lets_rows_refer_to_the_object(m: M) -> Any:
    book = yield m.Book.objects.get(pk=1)
    yield book.best_in.add((yield m.Store.objects.get(pk=2)))
    return m.Store.objects.filter(best=book).count()


@of("RelatedManager.create()", gives=["Hello", 1, "Eve"])
def create_makes_a_row_that_refers_to_the_object(m: M) -> Any:
    blog = yield m.Blog.objects.get(id=1)
    entry = yield blog.entry_set.create(headline="Hello", changed=date(2005, 1, 1))
    eve = yield entry.authors.create(name="Eve", age=1)
    return [entry, entry.blog_id, eve]


@of("RelatedManager.remove()", gives=[["Bo"], 0])
def remove_takes_links_away(m: M) -> Any:
    entry = yield m.Entry.objects.get(pk=1)
    yield entry.authors.remove((yield m.Author.objects.get(pk=1)))
    book = yield m.Book.objects.get(pk=1)
    yield book.best_in.remove((yield m.Store.objects.get(pk=1)))
    return [(yield entry.authors.all()), (yield m.Store.objects.exclude(best=None).count())]


@of("RelatedManager.clear()", gives=[0, 0])
def clear_takes_all_links_away(m: M) -> Any:
    entry = yield m.Entry.objects.get(pk=1)
    yield entry.authors.clear()
    book = yield m.Book.objects.get(pk=1)
    yield book.best_in.clear()
    return [(yield entry.authors.count()), (yield book.best_in.count())]


@of(
    "RelatedManager.remove()", "RelatedManager.clear()",
    gives=Raises("TypeError"),
    django=Raises("AttributeError"),
    because="remove() and clear() are there for every foreign key, and a TypeError where it takes no NULL",
)  # fmt: skip
def a_foreign_key_without_null_has_no_clear(m: M) -> Any:
    return (yield m.Blog.objects.get(pk=1)).entry_set.clear()


@of("RelatedManager.set()", gives=[["Cy", "Dee"], ["Bo"]])
def set_replaces_the_links(m: M) -> Any:
    entry = yield m.Entry.objects.get(pk=1)
    yield entry.authors.set((yield m.Author.objects.filter(pk__gte=3)))
    found = yield entry.authors.order_by("name")
    yield entry.authors.set([2])
    return [found, (yield entry.authors.all())]


@of("RelatedManager.set()", gives=["What tides do", "Brie 100%"])
def set_is_on_the_other_side_too(m: M) -> Any:
    dee = yield m.Author.objects.get(name="Dee")
    yield dee.entry_set.set((yield m.Entry.objects.filter(rating=5)))
    return dee.entry_set.order_by("pk")


@of("several_related_rows", gives=[[], ["What tides do"]])
def a_filter_of_a_many_to_many_manager_speaks_of_the_same_row(m: M) -> Any:
    bo = yield m.Author.objects.get(name="Bo")
    first = yield bo.entry_set.filter(authors__name="Ada")
    return [first, (yield bo.entry_set.filter().filter(authors__name="Ada"))]


@of("prefetch_related_objects()", gives=["Ada", "Bo"])
def relations_are_loaded_for_objects_at_hand(m: M) -> Any:
    books = yield m.Book.objects.filter(pk=1)
    yield m.prefetch_related_objects(books, "authors", "publisher")
    return sorted(map(str, (yield books[0].authors.all())))


@pytest.mark.slow
async def test_methods_come_to_what_is_written(database: Backend) -> None:
    await examples.check(database)


@pytest.mark.slow
def test_django_comes_to_the_same_or_to_what_is_written() -> None:
    examples.check_django()
