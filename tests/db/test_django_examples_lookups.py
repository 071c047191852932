"""Every field lookup that Django documents, and what a name in a lookup may be: beside Django, on all databases."""

from __future__ import annotations

from datetime import date, datetime, time
from typing import TYPE_CHECKING, Any

import pytest
from django_examples import Examples, Raises

if TYPE_CHECKING:
    from transom.db.backends.base import Backend

M = Any  # the names of either framework
examples = Examples(__file__)
of = examples.of


def headlines(queryset: Any) -> Any:
    return queryset.order_by("pk").values_list("headline", flat=True)


def names(queryset: Any) -> Any:
    return queryset.order_by("pk").values_list("name", flat=True)


# -- equality and membership


@of("exact", "pk", gives=["Moon phases"] * 4)
def exact_is_what_a_bare_name_means(m: M) -> Any:
    spelled: list[Any] = []
    for lookup in ("id__exact", "id", "pk", "pk__exact"):
        spelled.append((yield m.Entry.objects.get(**{lookup: 2})))
    return spelled


@of("exact", gives=["The_Rind"])
def exact_none_is_null(m: M) -> Any:
    return headlines(m.Entry.objects.filter(published__exact=None))


@of("exact", gives=Raises("DoesNotExist"))
def a_key_is_never_null(m: M) -> Any:
    return m.Entry.objects.get(id__exact=None)


@of("iexact", gives="Tide Tables")
def iexact_minds_no_case(m: M) -> Any:
    return m.Blog.objects.get(name__iexact="tide tables")


@of("iexact", gives=["Bo", "Dee"])
def iexact_none_is_null(m: M) -> Any:
    return names(m.Author.objects.filter(alias__iexact=None))


@of("in", gives=["What tides do", "what waves do", "Brie 100%"])
def in_takes_a_list(m: M) -> Any:
    return headlines(m.Entry.objects.filter(id__in=[1, 3, 4]))


@of("in", gives=[])
def in_nothing_is_nobody(m: M) -> Any:
    return headlines(m.Entry.objects.filter(id__in=[]))


@of(
    "in",
    gives=Raises("FieldError"),
    django=[],
    because="a str is refused by `in`: its letters are hardly ever what is meant",
)
def in_takes_no_text_for_a_list_of_letters(m: M) -> Any:
    return headlines(m.Entry.objects.filter(headline__in="abc"))


@of("in", gives=["Brie 100%", "The_Rind"])
def in_takes_a_queryset(m: M) -> Any:
    return headlines(m.Entry.objects.filter(blog__in=m.Blog.objects.filter(name__contains="Cheese")))


@of("in", gives=["Brie 100%", "The_Rind"])
def in_takes_the_one_column_of_values(m: M) -> Any:
    inner = m.Blog.objects.filter(name__contains="Ch").values("name")
    return headlines(m.Entry.objects.filter(blog__name__in=inner))


@of(
    "in",
    gives=Raises("TypeError"),
    django=Raises("ValueError"),
    because="two columns are a TypeError with us",
)
def in_takes_no_two_columns(m: M) -> Any:
    inner = m.Blog.objects.filter(name__contains="Ch").values("name", "id")
    return headlines(m.Entry.objects.filter(blog__name__in=inner))


@of("in", gives=["What tides do", "Moon phases", "what waves do"])
def exclude_takes_a_queryset_by_in(m: M) -> Any:
    inner = m.Blog.objects.filter(slug="cheese").values("pk")
    return headlines(m.Entry.objects.exclude(blog__in=inner))


@of("in", gives=["Brie 100%", "The_Rind"])
def in_takes_what_was_awaited_before(m: M) -> Any:
    keys = yield m.Blog.objects.filter(name__contains="Cheese").values_list("pk", flat=True)
    return headlines(m.Entry.objects.filter(blog__in=list(keys)))


@of("isnull", gives=["The_Rind"])
def isnull_is_true_for_null(m: M) -> Any:
    return headlines(m.Entry.objects.filter(published__isnull=True))


@of("isnull", gives=4)
def isnull_false_is_for_the_others(m: M) -> Any:
    return m.Entry.objects.filter(published__isnull=False).count()


# -- order


@of("gt", gives=["The_Rind"])
def gt_is_greater(m: M) -> Any:
    return headlines(m.Entry.objects.filter(id__gt=4))


@of("gte", gives=["Brie 100%", "The_Rind"])
def gte_is_greater_or_equal(m: M) -> Any:
    return headlines(m.Entry.objects.filter(id__gte=4))


@of("lt", gives=["What tides do"])
def lt_is_less(m: M) -> Any:
    return headlines(m.Entry.objects.filter(id__lt=2))


@of("lte", gives=["What tides do", "Moon phases"])
def lte_is_less_or_equal(m: M) -> Any:
    return headlines(m.Entry.objects.filter(id__lte=2))


@of(
    "lte",
    gives=Raises("FieldError"),
    django=["What tides do"],
    because="dates are compared with dates: text in their place is refused",
)
def a_date_is_no_text(m: M) -> Any:
    return headlines(m.Entry.objects.filter(published__lte="2023-12-31"))


@of("range", gives=["What tides do", "Moon phases", "what waves do"])
def range_has_both_its_ends(m: M) -> Any:
    return headlines(m.Entry.objects.filter(published__range=(date(2023, 11, 20), date(2024, 1, 3))))


@of("range", gives=["Moon phases", "what waves do", "Brie 100%"])
def range_is_of_numbers_too(m: M) -> Any:
    return headlines(m.Entry.objects.filter(id__range=(2, 4)))


# -- text


@of("contains", gives="Moon phases")
def contains_is_a_part_of_the_text(m: M) -> Any:
    return m.Entry.objects.get(headline__contains="phase")


@of(
    "contains", "startswith", "endswith",
    gives=[],
    django=["what waves do", "The_Rind", "What tides do"],
    because="`contains`, `startswith` and `endswith` mind the case on SQLite too",
)  # fmt: skip
def the_case_counts(m: M) -> Any:
    found: list[Any] = []
    for lookup, text in {"contains": "WAVES", "startswith": "the", "endswith": "TIDES DO"}.items():
        found += yield headlines(m.Entry.objects.filter(**{f"headline__{lookup}": text}))
    return found


@of("icontains", gives="Moon phases")
def icontains_minds_no_case(m: M) -> Any:
    return m.Entry.objects.get(headline__icontains="PHASE")


@of("startswith", gives=["Moon phases"])
def startswith_is_the_beginning(m: M) -> Any:
    return headlines(m.Entry.objects.filter(headline__startswith="Moon"))


@of("istartswith", gives=["What tides do", "what waves do"])
def istartswith_minds_no_case(m: M) -> Any:
    return headlines(m.Entry.objects.filter(headline__istartswith="WHAT"))


@of("endswith", gives=["What tides do", "what waves do"])
def endswith_is_the_end(m: M) -> Any:
    return headlines(m.Entry.objects.filter(headline__endswith=" do"))


@of("iendswith", gives=["Moon phases"])
def iendswith_minds_no_case(m: M) -> Any:
    return headlines(m.Entry.objects.filter(headline__iendswith="PHASES"))


@of("contains", gives=[["Brie 100%"], ["The_Rind"]])
def percent_and_underscore_are_letters(m: M) -> Any:
    percent = yield headlines(m.Entry.objects.filter(headline__contains="%"))
    underscore = yield headlines(m.Entry.objects.filter(headline__contains="_"))
    return [percent, underscore]


@of("regex", gives=["What tides do", "Moon phases"])
def regex_is_the_expression_of_the_database(m: M) -> Any:
    return headlines(m.Entry.objects.filter(headline__regex=r"^(What|Moon) +"))


@of("iregex", gives=["What tides do", "Moon phases", "what waves do"])
def iregex_minds_no_case(m: M) -> Any:
    return headlines(m.Entry.objects.filter(headline__iregex=r"^(what|moon) +"))


# -- parts of dates and times


def entries_where(**lookups: Any) -> Any:
    """Return an example: the keys of the entries for which lookups hold."""

    def run(m: M) -> Any:
        return m.Entry.objects.filter(**lookups).order_by("pk").values_list("pk", flat=True)

    run.__name__ = "_and_".join(lookups)
    return run


of("date", gives=[1])(entries_where(posted__date=date(2023, 11, 20)))
of("date", gives=[2, 3, 4])(entries_where(posted__date__gt=date(2023, 11, 20)))
of("year", gives=[2, 3, 4])(entries_where(published__year=2024))
of("year", gives=[1, 2, 3, 4])(entries_where(published__year__gte=2023))
of("year", gives=[1])(entries_where(posted__year__lt=2024))
of("iso_year", gives=[2, 3, 4])(entries_where(published__iso_year=2024))
of("iso_year", gives=[1, 2, 3, 4])(entries_where(published__iso_year__gte=2023))
of("month", gives=[1])(entries_where(published__month=11))
of("month", gives=[1, 4])(entries_where(published__month__gte=6))
of("day", gives=[2, 3])(entries_where(published__day=3))
of("day", gives=[1, 4])(entries_where(published__day__gte=4))
of("week", gives=[1])(entries_where(published__week=47))
of("week", gives=[4])(entries_where(published__week__gte=20, published__week__lte=30))
of("week_day", gives=[1])(entries_where(published__week_day=2))
of("week_day", gives=[2, 3, 4])(entries_where(published__week_day__gte=3))
of("iso_week_day", gives=[1])(entries_where(published__iso_week_day=1))
of("iso_week_day", gives=[2, 3, 4])(entries_where(published__iso_week_day__gte=2))
of("quarter", gives=[4])(entries_where(published__quarter=2))
of("time", gives=[1])(entries_where(posted__time=time(9, 30)))
of("time", gives=[1, 2, 4])(entries_where(posted__time__range=(time(8), time(17))))
of("hour", gives=[3])(entries_where(posted__hour=23))
of("hour", gives=[2, 3])(entries_where(posted__hour__gte=12))
of("minute", gives=[1, 2])(entries_where(posted__minute=30))
of("minute", gives=[1, 2])(entries_where(posted__minute__gte=29, posted__minute__lt=31))
of("second", gives=[3])(entries_where(posted__second=59))
of("second", gives=[2, 3])(entries_where(posted__second__gte=15))


@of("hour", "minute", "second", gives=["long", "long", "long"])
def times_of_day_have_parts_too(m: M) -> Any:
    found: list[Any] = []
    for lookup, number in {"hour": 5, "minute": 46, "second": 2}.items():
        found.append((yield m.Detail.objects.get(**{f"read_at__{lookup}": number})))
    return found


@of("iso_year", gives=[2020, 53])
def the_first_days_of_a_year_may_be_of_the_year_before(m: M) -> Any:
    book = m.Book.objects.filter(published__iso_year=2020)
    year, week = yield book.values_list("published__iso_year", "published__week").get()
    return [year, week]


# -- names across relations


@of("lookups_across_relations", gives=["Brie 100%", "The_Rind"])
def a_foreign_key_is_followed(m: M) -> Any:
    return headlines(m.Entry.objects.filter(blog__name="Cheese Log"))


@of("lookups_across_relations", gives=["Tide Tables"])
def a_foreign_key_is_followed_backwards(m: M) -> Any:
    return names(m.Blog.objects.filter(entry__headline__contains="Moon"))


@of("lookups_across_relations", gives=["Cheese Log"])
def paths_are_of_any_length(m: M) -> Any:
    return names(m.Blog.objects.filter(entry__authors__name="Cy", entry__rating=5))


@of("lookups_across_relations", gives=["Tide Tables", "Cheese Log", "Empty Pages"])
def what_is_not_there_is_null(m: M) -> Any:
    return names(m.Blog.objects.filter(entry__authors__alias__isnull=True).distinct())


@of("lookups_across_relations", gives=["Tide Tables"])
def what_is_there_and_null_takes_a_second_condition(m: M) -> Any:
    lookups = {"entry__authors__isnull": False, "entry__authors__alias__isnull": True}
    return names(m.Blog.objects.filter(**lookups).distinct())


@of("several_related_rows", gives=[])
def one_call_of_filter_speaks_of_one_related_row(m: M) -> Any:
    return names(m.Blog.objects.filter(entry__headline__contains="tides", entry__published__year=2024))


@of("several_related_rows", gives=["Tide Tables", "Tide Tables"])
def two_calls_may_speak_of_two(m: M) -> Any:
    tides = m.Blog.objects.filter(entry__headline__contains="tides")
    return names(tides.filter(entry__published__year=2024))


@of("several_related_rows", gives=["Cheese Log", "Empty Pages"])
def one_call_of_exclude_may_speak_of_two(m: M) -> Any:
    left = m.Blog.objects.exclude(entry__headline__contains="tides", entry__published__year=2024)
    return left.order_by("name").values_list("name", flat=True)


@of("several_related_rows", gives=["Cheese Log", "Empty Pages", "Tide Tables"])
def exclude_by_a_queryset_of_the_related_rows(m: M) -> Any:
    both = m.Entry.objects.filter(headline__contains="tides", published__year=2024)
    return m.Blog.objects.exclude(entry__in=both).order_by("name").values_list("name", flat=True)


@of("lookups_across_relations", gives=[["Brie 100%", "The_Rind"]] * 4)
def a_relation_is_compared_with_objects_and_keys(m: M) -> Any:
    blog = yield m.Blog.objects.get(slug="cheese")
    found: list[Any] = []
    for lookups in ({"blog": blog}, {"blog": blog.id}, {"blog_id": blog.id}, {"blog__pk": blog.id}):
        found.append((yield headlines(m.Entry.objects.filter(**lookups))))
    return found


@of("lookups_across_relations", gives="long")
def a_one_to_one_field_is_followed_both_ways(m: M) -> Any:
    entry = yield m.Entry.objects.get(detail__text="long")
    return m.Detail.objects.get(entry__headline=entry.headline)


@of("unknown_names", gives=Raises("FieldError"))
def an_unknown_name_is_an_error(m: M) -> Any:
    return headlines(m.Entry.objects.filter(headlin="x"))


@of("unknown_names", gives=Raises("FieldError"))
def an_unknown_lookup_is_an_error(m: M) -> Any:
    return headlines(m.Entry.objects.filter(headline__like="x"))


# -- columns as values


@of("F()", gives=["What tides do", "what waves do", "The_Rind"])
def a_column_is_compared_with_another(m: M) -> Any:
    return headlines(m.Entry.objects.filter(comments__gt=m.F("links")))


@of("F()", gives=["what waves do", "The_Rind"])
def a_column_is_computed_with(m: M) -> Any:
    return headlines(m.Entry.objects.filter(comments__gt=m.F("links") * 2))


@of("F()", gives=["What tides do", "what waves do"])
def columns_are_added(m: M) -> Any:
    return headlines(m.Entry.objects.filter(rating__lt=m.F("comments") + m.F("links")))


@of("F()", gives=["Cy"])
def a_column_of_a_related_row_is_compared_with(m: M) -> Any:
    yield m.Author.objects.filter(name="Cy").update(name="Cheese Log")
    found = yield m.Entry.objects.filter(authors__name=m.F("blog__name")).values_list(
        "authors__alias", flat=True
    )
    return ["Cy" for alias in found if alias == "cyan"]


@of("F()", gives=["Moon phases", "what waves do", "Brie 100%"])
def a_part_of_a_column_is_compared_with_a_part(m: M) -> Any:
    return headlines(m.Entry.objects.filter(published__year=m.F("changed__year")).exclude(id=1))


@of("regex", "startswith", gives=["Mia"])
def a_part_of_a_document_has_lookups_of_text(m: M) -> Any:
    return names(m.Dog.objects.filter(data__breed__startswith="coll", data__breed__regex="^c"))


# -- documents


@of("json.key", gives=["Mia"])
def a_key_of_a_document_is_a_word_of_the_name(m: M) -> Any:
    return names(m.Dog.objects.filter(data__breed="collie"))


@of("json.key", gives=["Rex"])
def keys_go_as_deep_as_the_document(m: M) -> Any:
    return names(m.Dog.objects.filter(data__owner__name="Bob"))


@of("json.key", gives=["Rex"])
def a_number_is_a_place_in_an_array(m: M) -> Any:
    return names(m.Dog.objects.filter(data__owner__pets__0__name="Fin"))


@of("json.key", gives=["Rex"], since=(6, 1))
def a_negative_number_counts_from_the_end(m: M) -> Any:
    return names(m.Dog.objects.filter(**{"data__owner__pets__-1__name": "Gil"}))


@of("json.key", gives=["Mia"])
def none_is_the_null_of_the_document(m: M) -> Any:
    return names(m.Dog.objects.filter(data__owner=None))


@of("json.key", "isnull", gives=["Fox", "Max", "Zoe"])
def isnull_of_a_key_is_whether_it_is_not_there(m: M) -> Any:
    return names(m.Dog.objects.filter(data__owner__isnull=True))


@of("isnull", gives=["Max"])
def isnull_of_a_document_is_the_null_of_sql(m: M) -> Any:
    return names(m.Dog.objects.filter(data__isnull=True))


@of("json.contains", gives=["Mia"], on=("postgresql", "mysql"))
def contains_is_a_part_of_the_document(m: M) -> Any:
    return names(m.Dog.objects.filter(data__contains={"breed": "collie"}))


@of("json.contains", gives=["Zoe"], on=("postgresql", "mysql"))
def contains_is_a_part_of_an_array(m: M) -> Any:
    return names(m.Dog.objects.filter(data__contains={"tricks": ["dance"]}))


@of(
    "json.contains",
    "json.contained_by",
    gives=Raises("FieldError"),
    django=Raises("NotSupportedError"),
    because="what a database cannot do is a FieldError",
    on=("sqlite",),
)
def sqlite_has_no_parts_of_documents(m: M) -> Any:
    return names(m.Dog.objects.filter(data__contains={"breed": "collie"}))


@of("json.contained_by", gives=["Fox", "Zoe"], on=("postgresql", "mysql"))
def contained_by_is_the_other_way_around(m: M) -> Any:
    whole = {"breed": "pug", "tricks": ["dance", "fetch", "hug"]}
    return names(m.Dog.objects.filter(data__contained_by=whole))


@of("json.has_key", gives=["Rex", "Mia"])
def has_key_is_whether_a_key_is_there(m: M) -> Any:
    return names(m.Dog.objects.filter(data__has_key="owner"))


@of("json.has_keys", gives=["Rex", "Mia"])
def has_keys_is_whether_all_are_there(m: M) -> Any:
    return names(m.Dog.objects.filter(data__has_keys=["breed", "owner"]))


@of("json.has_any_keys", gives=["Rex", "Mia", "Zoe"])
def has_any_keys_is_whether_one_is_there(m: M) -> Any:
    return names(m.Dog.objects.filter(data__has_any_keys=["owner", "tricks"]))


# -- Q


@of("Q()", gives=["What tides do", "Moon phases", "what waves do"])
def q_joined_by_or(m: M) -> Any:
    found = m.Q(headline__startswith="What") | m.Q(headline__startswith="what") | m.Q(pk=2)
    return headlines(m.Entry.objects.filter(found))


@of("Q()", gives=["What tides do", "The_Rind"])
def q_turned_around(m: M) -> Any:
    return headlines(m.Entry.objects.filter(~m.Q(published__year=2024)))


@of("Q()", gives=["What tides do", "what waves do"])
def q_joined_by_xor_is_true_for_an_odd_number(m: M) -> Any:
    return headlines(m.Entry.objects.filter(m.Q(comments__gte=4) ^ m.Q(links__gte=3) ^ m.Q(rating=3)))


@of("Q()", gives=["What tides do", "Moon phases", "Brie 100%", "The_Rind"])
def q_joined_by_xor_takes_null_for_false(m: M) -> Any:
    return headlines(m.Entry.objects.filter(m.Q(published__year=2024) ^ ~m.Q(comments__lt=4) ^ m.Q(rating=1)))


@of("Q()", gives="Moon phases")
def q_beside_keywords(m: M) -> Any:
    days = m.Q(published=date(2024, 1, 3)) | m.Q(published=date(2024, 6, 14))
    return m.Entry.objects.get(days, headline__startswith="M")


@of("Q()", gives="Moon phases")
def several_q_must_all_hold(m: M) -> Any:
    days = m.Q(published=date(2024, 1, 3)) | m.Q(published=date(2024, 6, 14))
    return m.Entry.objects.get(m.Q(headline__startswith="M"), days)


MOMENT = datetime(2024, 1, 3, 14, 30, 15)


@of(
    "exact",
    gives=Raises("FieldError"),
    django=Raises("RuntimeWarning"),
    because="a datetime without a zone is refused, where Django warns and takes that of the settings",
)
def a_naive_datetime_is_refused(m: M) -> Any:
    return headlines(m.Entry.objects.filter(posted=MOMENT))


@pytest.mark.slow
async def test_lookups_come_to_what_is_written(database: Backend) -> None:
    await examples.check(database)


@pytest.mark.slow
def test_django_comes_to_the_same_or_to_what_is_written() -> None:
    examples.check_django()
