"""Primary keys of several columns: definition, objects, queries, relations, on real databases."""

from __future__ import annotations

import copy
import pickle
from contextlib import aclosing
from decimal import Decimal
from typing import Any
from uuid import UUID

import pytest

from transom.db import (
    FieldError,
    ForeignKeyViolation,
    NotNullViolation,
    UniqueViolation,
    atomic,
    connections,
    create_tables,
    models,
)
from transom.db.backends.base import Backend
from transom.db.models import (
    Count,
    Exists,
    F,
    Max,
    OuterRef,
    Prefetch,
    Q,
    RandomUUID,
    Subquery,
    Sum,
    Value,
    Window,
)
from transom.db.models.functions import Lower, RowNumber
from transom.db.models.query import plans
from transom.validators import ValidationError


class Tenant(models.Model):
    items: models.Related[Item]
    children: models.Related[Item]
    name = models.CharField(max_length=10)


class Item(models.Model):
    """The key is in another order than the columns, and a foreign key is part of it."""

    pk = models.CompositePrimaryKey("tenant", "number")
    number = models.IntegerField()
    text = models.CharField(max_length=10, default="")
    tenant = models.ForeignKey(Tenant, models.CASCADE, related_name="items")
    parent: models.ForeignKey[Tenant | None] = models.ForeignKey(
        Tenant, models.SET_NULL, null=True, blank=True, related_name="children"
    )


class Token(models.Model):
    """The database makes a part of the key."""

    pk = models.CompositePrimaryKey("realm", "code")
    realm = models.CharField(max_length=10)
    code = models.UUIDField(db_default=RandomUUID())
    note = models.CharField(max_length=10, default="", db_default="new")


class Pair(models.Model):
    """Nothing beside the key."""

    pk = models.CompositePrimaryKey("left", "right")
    left = models.CharField(max_length=10)
    right = models.DecimalField(max_digits=6, decimal_places=2)


class Person(models.Model):
    groups: models.ManyRelated[Group]
    name = models.CharField(max_length=10)


class Group(models.Model):
    name = models.CharField(max_length=10)
    people: models.ManyToManyField[Person] = models.ManyToManyField(
        Person, through="Membership", related_name="groups"
    )


class Membership(models.Model):
    pk = models.CompositePrimaryKey("group_id", "person_id")
    group = models.ForeignKey(Group, models.CASCADE)
    person = models.ForeignKey(Person, models.CASCADE)
    role = models.CharField(max_length=10, default="member")


class Remark(models.Model):
    """Refers to a model with such a key by another unique field."""

    sheet: models.ForeignKey[Any] = models.ForeignKey(
        "Sheet", models.CASCADE, to_field="slug", related_name="remarks"
    )


class Sheet(models.Model):
    remarks: models.Related[Remark]
    pk = models.CompositePrimaryKey("book", "page")
    book = models.CharField(max_length=10)
    page = models.IntegerField()
    slug = models.CharField(max_length=10, unique=True)

    class Meta:
        ordering = ("-pk",)


class Draft(Item):
    class Meta:
        proxy = True


@pytest.fixture
async def tenants(database: Backend) -> tuple[Tenant, Tenant]:
    await create_tables(Tenant, Item)
    first, second = await Tenant.objects.bulk_create([Tenant(name="a"), Tenant(name="b")])
    await Item.objects.bulk_create(
        [
            Item(tenant=first, number=1, text="a1"),
            Item(tenant=first, number=2, text="a2"),
            Item(tenant=second, number=1, text="b1"),
        ]
    )
    return first, second


# -- definition ----------------------------------------------------------------------------------------------------


def test_the_key_is_no_column_and_there_is_no_id() -> None:
    meta = Item._meta
    assert [field.name for field in meta.fields] == ["number", "text", "tenant", "parent"]
    assert isinstance(meta.pk, models.CompositePrimaryKey)
    assert [field.name for field in meta.pk_fields] == ["tenant", "number"]
    assert [field.name for field in Tenant._meta.pk_fields] == ["id"]
    with pytest.raises(FieldError, match=r"Item.pk is no column but a key of several, \(tenant_id, number\)"):
        meta.pk.column  # noqa: B018


def wrong(**body: Any) -> None:
    type("Wrong", (models.Model,), {"__module__": __name__, **body})


@pytest.mark.parametrize(
    ("body", "message"),
    [
        (
            {"pk": models.CompositePrimaryKey("a", "c")},
            "names 'c', which is no field with a column; choose from a, b",
        ),
        ({"pk": models.CompositePrimaryKey("a", "a")}, "Wrong.pk names Wrong.a twice"),
        ({"key": models.CompositePrimaryKey("a", "b")}, "whose name must be pk"),
        (
            {"pk": models.CompositePrimaryKey("a", "n"), "n": models.IntegerField(null=True)},
            "Wrong.n is part of Wrong.pk and takes no NULL",
        ),
        (
            {
                "pk": models.CompositePrimaryKey("a", "g"),
                "g": models.GeneratedField(expression=F("a") + 1, output_field=models.IntegerField()),
            },
            "Wrong.g is computed and cannot be part of Wrong.pk",
        ),
        (
            {"pk": models.CompositePrimaryKey("a", "id"), "id": models.BigAutoField()},
            r"Wrong.id counts up.*UUIDField with db_default=RandomUUID\(\)",
        ),
        (
            {"pk": models.CompositePrimaryKey("a", "b"), "k": models.IntegerField(primary_key=True)},
            "Wrong has two primary keys",
        ),
        (
            {
                "pk": models.CompositePrimaryKey("a", "m"),
                "m": models.ManyToManyField(Tenant, related_name="+"),
            },
            "names 'm', which is no field with a column",
        ),
        ({"pk": models.IntegerField()}, "cannot have a field named 'pk'"),
    ],
)
def test_what_cannot_be_a_key_is_refused(body: dict[str, Any], message: str) -> None:
    with pytest.raises(TypeError, match=message):
        wrong(**{"a": models.IntegerField(), "b": models.IntegerField()}, **body)


def test_a_key_takes_two_names_or_more_and_no_options() -> None:
    with pytest.raises(TypeError, match=r"at least two fields, not \('a',\).*primary_key=True"):
        models.CompositePrimaryKey("a")
    with pytest.raises(TypeError, match="db_column"):
        models.CompositePrimaryKey("a", "b", db_column="c")  # type: ignore[call-arg]  # pyright: ignore[reportCallIssue]


@pytest.mark.parametrize(
    "field",
    [
        lambda: models.ForeignKey(Item, models.CASCADE, related_name="+"),
        lambda: models.OneToOneField(Item, models.CASCADE, related_name="+"),
        lambda: models.ManyToManyField(Item, related_name="+"),
        lambda: models.ForeignKey(Item, models.CASCADE, related_name="+", to_field="pk"),
    ],
)
def test_a_reference_to_such_a_key_is_refused(field: Any) -> None:
    with pytest.raises(
        TypeError,
        match=r"Wrong.item would refer to Item.pk, which has several columns.*"
        "a primary key of one column and a UniqueConstraint of tenant, number",
    ):
        wrong(item=field())


def test_a_many_to_many_field_of_such_a_model_needs_a_model_in_between() -> None:
    with pytest.raises(TypeError, match=r"would refer to Wrong.pk"):
        wrong(
            pk=models.CompositePrimaryKey("a", "b"),
            a=models.IntegerField(),
            b=models.IntegerField(),
            tenants=models.ManyToManyField(Tenant, related_name="+"),
        )


def test_indexes_and_constraints_name_columns_and_not_the_key() -> None:
    for option in (
        {"indexes": [models.Index(fields=["pk"])]},
        {"constraints": [models.UniqueConstraint(fields=["pk", "a"], name="u")]},
    ):
        with pytest.raises(FieldError, match=r"name one of them"):
            wrong(
                pk=models.CompositePrimaryKey("a", "b"),
                a=models.IntegerField(),
                b=models.IntegerField(),
                Meta=type("Meta", (), option),
            )


def test_an_abstract_model_hands_its_key_down() -> None:
    class Owned(models.Model):
        pk = models.CompositePrimaryKey("owner", "number")
        number = models.IntegerField()

        class Meta:
            abstract = True

    class Letter(Owned):
        owner = models.CharField(max_length=5)

    class Parcel(Owned):
        owner = models.IntegerField()

    assert Letter._meta.pk_fields == (Letter._meta.get_field("owner"), Letter._meta.get_field("number"))
    assert Parcel(owner=1, number=2).pk == (1, 2)
    assert Parcel._meta.pk is not Letter._meta.pk


# -- objects -------------------------------------------------------------------------------------------------------


def test_the_key_of_an_object_is_a_tuple_that_can_be_set() -> None:
    item = Item(number=1)
    assert item.pk is None
    item.pk = (3, 4)
    assert (item.tenant_id, item.number, item.pk) == (3, 4, (3, 4))  # type: ignore[attr-defined]
    item.pk = None
    assert (item.tenant_id, item.number) == (None, None)  # type: ignore[attr-defined]
    tenant = Tenant(id=7, name="x")
    assert Item(pk=(tenant, 2)).tenant is tenant
    assert Item(pk=[7, 2]).pk == (7, 2)
    for key in ((1,), (1, 2, 3), 1, "12"):
        with pytest.raises(
            FieldError, match=r"Item.pk takes a tuple of 2 values, \(tenant_id, number\), not"
        ):
            item.pk = key


def test_objects_are_equal_by_the_whole_key() -> None:
    one, same, other = Item(pk=(1, 2)), Item(pk=(1, 2), text="x"), Item(pk=(1, 3))
    assert one == same == Draft(pk=(1, 2)) != other
    assert {one, same, other} == {one, other}
    assert Item(number=1) != Item(number=1)
    with pytest.raises(TypeError, match=r"<Item: \(None, 1\)> has no primary key yet and so no hash"):
        hash(Item(number=1))
    assert pickle.loads(pickle.dumps(one)) == copy.deepcopy(one) == one
    assert (str(one), repr(one)) == ("Item object ((1, 2))", "<Item: (1, 2)>")


async def test_save_inserts_a_new_key_and_updates_one_that_is_there(tenants: tuple[Tenant, Tenant]) -> None:
    first, _ = tenants
    item = Item(tenant=first, number=9, text="new")
    await item.save()
    item.text = "again"
    await item.save()
    await Item(tenant=first, number=9, text="over").save()
    assert await Item.objects.filter(number=9).values_list("text", flat=True) == ["over"]
    await item.refresh()
    assert item.text == "over"
    await item.refresh(fields=["text", "tenant"])
    assert await Item.objects.count() == 4


async def test_saving_some_fields_leaves_the_others(tenants: tuple[Tenant, Tenant]) -> None:
    item = await Item.objects.get(text="a2")
    item.text, item.parent = "x", tenants[1]
    await item.save(update_fields=["text"])
    assert await Item.objects.filter(pk=item.pk).values_list("text", "parent") == [("x", None)]
    with pytest.raises(FieldError, match="is no column"):
        await item.save(update_fields=["pk"])


async def test_a_model_of_nothing_but_its_key_is_saved_too(database: Backend) -> None:
    await create_tables(Pair)
    pair = Pair(left="x", right=Decimal("1.50"))
    await pair.save()
    await pair.save()
    await Pair(left="x", right=Decimal("1.50")).save()
    assert await Pair.objects.values_list("pk", flat=True) == [
        ("x", pair._meta.get_field("right").to_python("1.5"))
    ]


async def test_a_part_that_the_database_makes_comes_back(database: Backend) -> None:
    await create_tables(Token)
    token = Token(realm="a")
    assert token.pk is None
    await token.save()
    assert token.pk == ("a", token.code)
    assert isinstance(token.code, UUID)
    assert await Token.objects.get(pk=token.pk) == token
    (made,) = await Token.objects.bulk_create([Token(realm="b", code=None)])
    assert made.pk == ("b", made.code)
    assert made.pk[1] is not None
    with pytest.raises(FieldError, match=r"could not tell which row got which Token.code"):
        await Token.objects.bulk_create([Token(realm="c"), Token(realm="d")])


async def test_other_columns_that_the_database_fills_are_told_apart_by_the_whole_key(
    database: Backend,
) -> None:
    class Note(models.Model):
        pk = models.CompositePrimaryKey("a", "b")
        a = models.IntegerField()
        b = models.CharField(max_length=3)
        text = models.CharField(max_length=10, db_default="new")

    await create_tables(Note)
    notes = await Note.objects.bulk_create([Note(a=2, b="x"), Note(a=1, b="y", text="own"), Note(a=1, b="x")])
    assert [note.text for note in notes] == ["new", "own", "new"]


async def test_a_key_that_is_not_whole_is_not_written(tenants: tuple[Tenant, Tenant]) -> None:
    with pytest.raises(NotNullViolation):
        await Item(tenant=tenants[0]).save()
    with pytest.raises(Item.DoesNotExist, match="no primary key"):
        await Item(tenant=tenants[0]).delete()
    with pytest.raises(TypeError, match="never saved"):
        await Item.objects.bulk_update([Item(tenant=tenants[0])], ["text"])


async def test_the_whole_key_is_unique_and_the_error_names_its_columns(
    tenants: tuple[Tenant, Tenant],
) -> None:
    with pytest.raises(UniqueViolation) as caught:
        async with atomic():
            await Item.objects.create(tenant=tenants[0], number=2)
    assert caught.value.columns == ("tenant_id", "number")
    is_named = connections.backend("default").vendor != "mysql"
    assert caught.value.constraint == (f"pk_{Item._meta.db_table}" if is_named else "PRIMARY")
    await Item.objects.create(tenant=tenants[1], number=2)


async def test_deleting_deletes_one_row(tenants: tuple[Tenant, Tenant]) -> None:
    item = await Item.objects.get(pk=(tenants[0].pk, 1))
    assert await item.delete() == 1
    assert await item.delete() == 0
    assert await Item.objects.order_by("pk").values_list("text", flat=True) == ["a2", "b1"]
    with pytest.raises(Item.DoesNotExist):
        await item.refresh()


async def test_full_clean_asks_for_the_key_as_a_whole(tenants: tuple[Tenant, Tenant]) -> None:
    first, second = tenants
    with pytest.raises(ValidationError) as caught:
        await Item(tenant=first, number=1, text="x").full_clean()
    assert caught.value.message_dict == {"__all__": ["There is already one with these values."]}
    await Item(tenant=first, number=1, text="x").full_clean(exclude=["number"])
    await Item(tenant=second, number=2, text="x").full_clean()
    await (await Item.objects.get(text="a1")).full_clean()


async def test_full_clean_compares_with_rows_of_other_keys(database: Backend) -> None:
    class Seat(models.Model):
        pk = models.CompositePrimaryKey("row", "place")
        row = models.IntegerField()
        place = models.IntegerField()
        guest = models.CharField(max_length=5, unique=True)
        code = models.CharField(max_length=5)

        class Meta:
            unique_together = [("row", "code")]
            constraints = [models.CheckConstraint(condition=~Q(pk=(1, 1)), name="seat_pk")]

    await create_tables(Seat)
    seat = await Seat.objects.create(row=1, place=2, guest="x", code="a")
    await seat.full_clean()
    with pytest.raises(ValidationError) as caught:
        await Seat(row=1, place=3, guest="x", code="a").full_clean()
    assert set(caught.value.message_dict) == {"guest", "__all__"}
    with pytest.raises(ValidationError, match="seat_pk"):
        await Seat(row=1, place=1, guest="y", code="b").full_clean()
    with pytest.raises(Exception, match="seat_pk"):
        await Seat.objects.create(row=1, place=1, guest="y", code="b")


async def test_unique_expressions_leave_the_own_row_out(database: Backend) -> None:
    if database.vendor == "mysql":
        pytest.skip("MariaDB has no index of an expression")

    class Word(models.Model):
        pk = models.CompositePrimaryKey("a", "b")
        a = models.IntegerField()
        b = models.IntegerField()
        text = models.CharField(max_length=5)

        class Meta:
            constraints = [models.UniqueConstraint(Lower("text"), name="word_lower")]

    await create_tables(Word)
    word = await Word.objects.create(a=1, b=2, text="Hi")
    await word.full_clean()
    with pytest.raises(ValidationError):
        await Word(a=1, b=3, text="hI").full_clean()


# -- lookups -------------------------------------------------------------------------------------------------------


async def texts(query: models.QuerySet[Item]) -> list[str]:
    return sorted(await query.values_list("text", flat=True))


async def test_lookups_compare_whole_keys(tenants: tuple[Tenant, Tenant]) -> None:
    first, second = tenants
    a, b = first.pk, second.pk
    every = Item.objects.all()
    item = await Item.objects.get(pk=(a, 2))
    assert item.text == "a2"
    assert await Item.objects.get(pk=[first, 2]) == item
    assert await Item.objects.get(pk=item) == await Item.objects.get(Item.pk == item.pk) == item
    assert await texts(every.filter(pk__in=[(a, 1), (b, 1), (b, 9)])) == ["a1", "b1"]
    assert await texts(every.filter(pk__in=[item, (second, 1), None])) == ["a2", "b1"]
    assert await texts(every.filter(pk__in=[])) == []
    assert await texts(every.filter(pk__gt=(a, 1))) == ["a2", "b1"]
    assert await texts(every.filter(pk__gte=(a, 2))) == ["a2", "b1"]
    assert await texts(every.filter(pk__lt=(b, 1))) == ["a1", "a2"]
    assert await texts(every.filter(pk__lte=(a, 1))) == ["a1"]
    assert await texts(every.filter(pk__isnull=True)) == []
    assert await texts(every.filter(pk__isnull=False)) == ["a1", "a2", "b1"]
    assert await texts(every.filter(pk=None)) == []
    assert await texts(every.exclude(pk=(a, 1))) == ["a2", "b1"]
    assert await texts(every.exclude(pk__in=[(a, 1), (a, 2)])) == ["b1"]
    assert await texts(every.exclude(pk__gt=(a, 1))) == ["a1"]
    assert await texts(every.filter(Q(pk=(a, 1)) | Q(pk=(b, 1)))) == ["a1", "b1"]


async def test_what_no_row_can_have_matches_nothing(tenants: tuple[Tenant, Tenant]) -> None:
    a, large = tenants[0].pk, 1 << 70
    every = Item.objects.all()
    assert await texts(every.filter(pk=(a, None))) == []
    assert await texts(every.filter(pk=(a, large))) == []
    assert await texts(every.filter(pk__in=[(a, None), (large, 1), (a, 1)])) == ["a1"]
    assert await texts(every.filter(pk__gt=(a, large))) == ["b1"]
    assert await texts(every.filter(pk__gte=(a, large))) == ["b1"]
    assert await texts(every.filter(pk__lt=(a, large))) == ["a1", "a2"]
    assert await texts(every.filter(pk__lte=(a, -large))) == []
    assert await texts(every.filter(pk__gt=(a, -large))) == ["a1", "a2", "b1"]
    assert await texts(every.filter(pk__lt=(large, 1))) == ["a1", "a2", "b1"]
    assert await texts(every.filter(pk__gt=(large, 1))) == []
    with pytest.raises(Item.DoesNotExist):
        await Item.objects.get(pk=(large, large))


@pytest.mark.parametrize(
    ("lookups", "message"),
    [
        ({"pk": 1}, r"takes a tuple of 2 values, \(tenant_id, number\), not 1"),
        ({"pk": "12"}, "takes a tuple of 2 values"),
        ({"pk": (1,)}, "takes a tuple of 2 values"),
        ({"pk__in": [(1, 2, 3)]}, "takes a tuple of 2 values"),
        ({"pk__in": "ab"}, "with in takes a list of values or a queryset"),
        ({"pk__gt": None}, "cannot be compared with None"),
        ({"pk__gt": (1, None)}, r"cannot be compared with \(1, None\) by 'gt'"),
        ({"pk__isnull": 1}, "isnull takes True or False"),
        (
            {"pk__range": ((1, 1), (1, 2))},
            "has no lookup 'range'; choose from exact, in, isnull, gt, gte, lt, lte",
        ),
        ({"pk__contains": "x"}, "has no lookup 'contains'"),
        ({"pk__nothing": "x"}, "Item.pk has no lookup 'nothing'"),
        ({"pk": Value(1)}, "compared with tuples and with keys of as many columns"),
        ({"pk": F("number")}, "compared with tuples and with keys of as many columns"),
        ({"pk": Tenant(id=1, name="x")}, "Item.pk is no relation|takes a Item"),
    ],
)
def test_what_is_no_key_is_refused_before_any_sql(lookups: dict[str, Any], message: str) -> None:
    with pytest.raises(FieldError, match=message):
        Item.objects.filter(**lookups)


async def test_a_value_of_the_wrong_type_is_refused_with_the_field(tenants: tuple[Tenant, Tenant]) -> None:
    with pytest.raises(FieldError, match=r"Item.number"):
        await Item.objects.filter(pk=(1, "x"))
    with pytest.raises(FieldError, match=r"Item.number"):
        await Item.objects.filter(pk__in=[(1, "x")])


async def test_decimals_and_texts_in_a_key_compare_as_such(database: Backend) -> None:
    await create_tables(Pair)
    await Pair.objects.bulk_create(
        [Pair(left="x", right=9), Pair(left="x", right=10), Pair(left="y", right=1)]
    )
    keys = [
        (left, int(right)) for left, right in await Pair.objects.order_by("pk").values_list("pk", flat=True)
    ]
    assert keys == [("x", 9), ("x", 10), ("y", 1)]
    assert await Pair.objects.filter(pk__gt=("x", 9)).count() == 2
    assert await Pair.objects.filter(pk__in=[("x", 10), ("y", 9)]).count() == 1
    assert (await Pair.objects.get(pk=("x", 10))).right == 10


async def test_the_length_of_a_list_is_no_part_of_the_sql(
    tenants: tuple[Tenant, Tenant], statements: list[str]
) -> None:
    a = tenants[0].pk
    statements.clear()
    for keys in ([(a, 1)], [(a, number) for number in range(500)], []):
        await Item.objects.filter(pk__in=keys)
    assert len(statements) == 3
    assert len(set(statements)) == 1


async def test_queries_of_keys_are_planned_once(tenants: tuple[Tenant, Tenant]) -> None:
    a = tenants[0].pk
    plans.PLANS.clear()
    for number in (1, 2, 1 << 70):
        await Item.objects.filter(pk__gt=(a, number))
        await Item.objects.filter(pk__gt=(a, number))
    await Item.objects.filter(pk__gt=(a, -(1 << 80)))
    await Item.objects.filter(pk__gt=(a, -(1 << 80)))
    assert len(plans.PLANS) == 3  # whole keys; and their first column, greater, or greater or equal


async def test_subqueries_of_keys(tenants: tuple[Tenant, Tenant]) -> None:
    every = Item.objects.all()
    chosen = every.filter(number=1)
    assert await texts(every.filter(pk__in=chosen)) == ["a1", "b1"]
    assert await texts(every.filter(pk__in=chosen.values("pk"))) == ["a1", "b1"]
    assert await texts(every.filter(pk__in=chosen.order_by("-pk").values_list("tenant", "number")[:1])) == [
        "b1"
    ]
    assert await texts(every.filter(pk__in=chosen.order_by("-pk")[:1])) == ["b1"]
    assert await texts(every.exclude(pk__in=chosen)) == ["a2"]
    assert await texts(every.exclude(pk__in=every.values_list("parent", "number"))) == ["a1", "a2", "b1"]
    same = every.filter(pk=OuterRef("pk"), text__startswith="b")
    assert await texts(every.filter(Exists(same))) == ["b1"]
    assert await texts(every.filter(~Exists(same))) == ["a1", "a2"]
    later = every.filter(pk__gt=OuterRef("pk"))
    assert await texts(every.filter(~Exists(later))) == ["b1"]
    number = every.filter(pk=OuterRef("pk")).values("number")
    assert await every.annotate(n=Subquery(number)).order_by("pk").values_list("n", flat=True) == [1, 2, 1]
    assert await texts(every.filter(pk=F("pk"))) == ["a1", "a2", "b1"]


def test_queries_of_another_number_of_columns_are_refused() -> None:
    with pytest.raises(TypeError, match=r"needs 2 columns for Item.pk, not 1"):
        Item.objects.filter(pk__in=Tenant.objects.all())
    with pytest.raises(TypeError, match=r"needs one column for Item.number, not 2"):
        Item.objects.filter(number__in=Item.objects.all())
    with pytest.raises(TypeError, match="needs one column"):
        Item.objects.filter(number__in=Item.objects.values_list("number", "text"))
    with pytest.raises(FieldError, match=r"the value of a subquery is one column, and Item.pk has several"):
        Item.objects.annotate(x=Subquery(Item.objects.all()))


async def test_a_key_of_the_query_around_of_another_width_is_refused(tenants: tuple[Tenant, Tenant]) -> None:
    with pytest.raises(FieldError, match="a key of 2 columns"):
        await Item.objects.filter(Exists(Item.objects.filter(pk=OuterRef("number"))))
    with pytest.raises(FieldError, match="a key of 2 columns is no value of an expression"):
        await Item.objects.filter(Exists(Tenant.objects.filter(pk=OuterRef("pk"))))


# -- orders and results --------------------------------------------------------------------------------------------


async def test_orders_go_by_every_column_of_the_key(tenants: tuple[Tenant, Tenant]) -> None:
    every = Item.objects.all()
    listed = [item.text for item in await every.order_by("pk")]
    assert listed == ["a1", "a2", "b1"]
    assert [item.text for item in await every.order_by("-pk")] == listed[::-1]
    assert [item.text for item in await every.order_by(F("pk").desc())] == listed[::-1]
    assert [item.text for item in await every.order_by("pk").reverse()] == listed[::-1]
    first, last, latest = await every.first(), await every.last(), await every.latest("pk")
    assert first is not None
    assert last is not None
    assert (first.text, last.text, latest.text, (await every.earliest("pk")).text) == ("a1", "b1", "b1", "a1")
    names = await Tenant.objects.order_by("-items__pk").values_list("name", flat=True)
    assert names == ["b", "a", "a"]


async def test_values_hold_the_key_as_a_tuple(tenants: tuple[Tenant, Tenant]) -> None:
    a, b = tenants[0].pk, tenants[1].pk
    every = Item.objects.order_by("pk")
    keys = [(a, 1), (a, 2), (b, 1)]
    assert await every.values_list("pk", flat=True) == keys
    assert await every.values("pk", "text")[1:2] == [{"pk": (a, 2), "text": "a2"}]
    assert await every.values_list("text", "pk", "number")[:1] == [("a1", (a, 1), 1)]
    named: Any = (await every.values_list("pk", named=True))[0]
    assert named.pk == (a, 1)
    assert await every.distinct().values_list("pk", flat=True) == keys
    assert await every.values("pk").distinct().count() == await every.values("pk").count() == 3
    assert await every.values_list("pk", flat=True).first() == (a, 1)
    assert sorted(await every.values_list("pk", "text").union(every.values_list("pk", "text"))) == [
        ((a, 1), "a1"), ((a, 2), "a2"), ((b, 1), "b1"),
    ]  # fmt: skip
    pairs = every.values_list("pk", "text").union(every.values_list("pk", "text"))
    assert [text for _, text in await pairs.order_by("-text")] == ["b1", "a2", "a1"]
    await Tenant.objects.create(name="c")
    assert await Tenant.objects.order_by("name", "items__pk").values_list("name", "items__pk") == [
        ("a", (a, 1)), ("a", (a, 2)), ("b", (b, 1)), ("c", None),
    ]  # fmt: skip


async def test_only_and_defer_always_load_the_key(tenants: tuple[Tenant, Tenant]) -> None:
    for query in (Item.objects.only("text"), Item.objects.defer("number", "parent"), Item.objects.only("pk")):
        item = await query.get(text="b1")
        assert item.pk == (tenants[1].pk, 1)
        assert "parent_id" not in vars(item)
    assert "text" in vars(await Item.objects.defer("pk").get(text="b1"))


async def test_rows_are_streamed_and_locked(tenants: tuple[Tenant, Tenant]) -> None:
    async with aclosing(Item.objects.order_by("pk").iterator(1)) as stream:
        assert [item.text async for item in stream] == ["a1", "a2", "b1"]
    async with atomic():
        assert (await Item.objects.select_for_update().get(pk=(tenants[0].pk, 1))).text == "a1"


async def test_in_bulk_goes_by_tuples(tenants: tuple[Tenant, Tenant]) -> None:
    a, b = tenants[0].pk, tenants[1].pk
    found = await Item.objects.in_bulk([(a, 1), (b, 1), (b, 7)])
    assert {key: item.text for key, item in found.items()} == {(a, 1): "a1", (b, 1): "b1"}
    assert len(await Item.objects.in_bulk()) == 3


async def test_keys_can_be_counted_and_nothing_else(tenants: tuple[Tenant, Tenant]) -> None:
    first, _ = tenants
    assert await Item.objects.aggregate(Count("pk"), n=Count("pk", distinct=True)) == {"pk__count": 3, "n": 3}
    assert await Item.objects.aggregate(n=Count("pk", filter=Q(number=1))) == {"n": 2}
    assert await Item.objects.order_by("pk")[:2].aggregate(n=Count("pk"), m=Count("pk", distinct=True)) == {
        "n": 2, "m": 2,
    }  # fmt: skip
    await Tenant.objects.create(name="c")
    await Item.objects.filter(number=1).update(parent=first)
    counted = Tenant.objects.annotate(
        n=Count("items"), m=Count("items", distinct=True), c=Count("children", distinct=True)
    )
    assert await counted.order_by("name").values_list("name", "n", "m", "c") == [
        ("a", 4, 2, 2), ("b", 1, 1, 0), ("c", 0, 0, 0),
    ]  # fmt: skip
    with pytest.raises(FieldError, match="is no column but a key of several"):
        await Item.objects.aggregate(Max("pk"))
    with pytest.raises(FieldError, match="is no column but a key of several"):
        Item.objects.annotate(n=Sum("pk"))
    with pytest.raises(FieldError, match="has several columns; annotate one of them"):
        Item.objects.annotate(n=F("pk"))
    with pytest.raises(FieldError, match="is no column but a key of several"):
        Item.objects.annotate(n=F("pk") + 1)


async def test_groups_of_keys(tenants: tuple[Tenant, Tenant]) -> None:
    a, b = tenants[0].pk, tenants[1].pk
    grouped = Item.objects.values("pk").annotate(n=Count("*")).order_by("pk")
    assert await grouped.values_list("pk", "n") == [((a, 1), 1), ((a, 2), 1), ((b, 1), 1)]
    whole = await Item.objects.annotate(n=Count("tenant__items")).order_by("pk")
    assert [(item.text, item.n) for item in whole] == [("a1", 2), ("a2", 2), ("b1", 1)]  # type: ignore[attr-defined]  # pyright: ignore[reportAttributeAccessIssue]
    assert await Item.objects.annotate(n=Count("tenant__items")).filter(n=2).count() == 2


async def test_distinct_on_a_key(tenants: tuple[Tenant, Tenant]) -> None:
    query = Item.objects.distinct("pk").order_by("pk")
    if connections.backend("default").vendor == "postgresql":
        assert [item.text for item in await query] == ["a1", "a2", "b1"]
    else:
        with pytest.raises(FieldError, match="distinct"):
            await query


async def test_raw_rows_need_every_column_of_the_key(tenants: tuple[Tenant, Tenant]) -> None:
    table = Item._meta.db_table
    (item,) = await Item.objects.raw(f"SELECT tenant_id, number FROM {table} WHERE text = %s", ["b1"])
    assert item.pk == (tenants[1].pk, 1)
    with pytest.raises(FieldError, match=r"raw\(\) needs the key Item.number among the columns"):
        await Item.objects.raw(f"SELECT tenant_id, text FROM {table}")


async def test_windows_are_filtered_and_rows_changed_by_such_keys(tenants: tuple[Tenant, Tenant]) -> None:
    last = Window(RowNumber(), partition_by="tenant", order_by="-pk")
    query = Item.objects.annotate(n=last).filter(n=1)
    assert [item.text for item in await query.order_by("pk")] == ["a2", "b1"]
    assert await query.filter(pk__gt=(tenants[0].pk, 1)).exclude(pk=(tenants[1].pk, 1)).count() == 1
    first_each = Prefetch("items", Item.objects.order_by("pk")[:1])
    found = await Tenant.objects.prefetch_related(first_each).order_by("pk")
    assert [[item.text for item in tenant.items.loaded or ()] for tenant in found] == [["a1"], ["b1"]]
    assert await query.update(text="x") == 2
    assert await texts(Item.objects.all()) == ["a1", "x", "x"]


# -- changes -------------------------------------------------------------------------------------------------------


async def test_get_or_create_and_update_or_create(tenants: tuple[Tenant, Tenant]) -> None:
    first, _ = tenants
    found, made = await Item.objects.get_or_create(pk=(first.pk, 1), defaults={"text": "x"})
    assert (found.text, made) == ("a1", False)
    found, made = await Item.objects.get_or_create(pk=(first.pk, 5), defaults={"text": "x"})
    assert (found.pk, found.text, made) == ((first.pk, 5), "x", True)
    found, made = await Item.objects.update_or_create(pk=(first.pk, 5), defaults={"text": "y"})
    assert (found.text, made) == ("y", False)
    found, made = await Item.objects.update_or_create(tenant=first, number=6, defaults={"text": "z"})
    assert (await Item.objects.get(pk=(first, 6))).text == "z"
    assert await Item.objects.filter(text="y").count() == 1


async def test_bulk_create_can_change_what_is_there(tenants: tuple[Tenant, Tenant]) -> None:
    first, second = tenants
    rows = [Item(tenant=first, number=1, text="new"), Item(tenant=second, number=8, text="b8")]
    unique: tuple[tuple[str, ...], ...] = (("pk",), ("tenant", "number"))
    for names in unique:
        await Item.objects.bulk_create(
            rows, update_conflicts=True, update_fields=["text"], unique_fields=names
        )
    await Item.objects.bulk_create([Item(pk=(first, 1), text="no")], ignore_conflicts=True)
    assert await texts(Item.objects.all()) == ["a2", "b1", "b8", "new"]


async def test_bulk_update_is_one_statement(tenants: tuple[Tenant, Tenant], statements: list[str]) -> None:
    items = await Item.objects.all()
    for item in items:
        item.text = item.text.upper()
        item.parent = tenants[0]
    statements.clear()
    assert await Item.objects.bulk_update(items, ["text", "parent"]) == 3
    assert len(statements) == 1
    assert await texts(Item.objects.filter(parent=tenants[0])) == ["A1", "A2", "B1"]
    for name in ("pk", "number", "tenant"):
        with pytest.raises(FieldError, match="finds rows by their key and cannot change it"):
            await Item.objects.bulk_update(items, [name])


async def test_update_and_delete_of_keys_that_a_query_finds(tenants: tuple[Tenant, Tenant]) -> None:
    first, second = tenants
    assert await Item.objects.filter(pk=(first.pk, 1)).update(text="x") == 1
    assert await Item.objects.filter(pk__in=[(first.pk, 2), (second.pk, 1)]).update(text="y") == 2
    assert await Item.objects.filter(tenant__name="a", number=1).update(text="z") == 1
    assert await Item.objects.filter(pk__in=Item.objects.filter(text="z")).update(text="w") == 1
    assert await texts(Item.objects.all()) == ["w", "y", "y"]
    assert await Item.objects.annotate(n=Count("tenant__items")).filter(n=1).delete() == 1
    assert await Item.objects.filter(tenant__name="a", text="w").delete() == 1
    assert await Item.objects.exclude(pk__lt=(first.pk, 2)).delete() == 1
    with pytest.raises(FieldError, match="is no column"):
        await Item.objects.update(pk=(1, 2))
    with pytest.raises(FieldError, match="a key of 2 columns is no value"):
        await Item.objects.update(text=F("pk"))


async def test_changes_give_keys_back(tenants: tuple[Tenant, Tenant]) -> None:
    first, second = tenants
    vendor = connections.backend("default").vendor
    if vendor != "mysql":
        changed = await Item.objects.filter(text="a1").returning("pk", "text").update(text="x")
        assert changed == [{"pk": (first.pk, 1), "text": "x"}]
    gone = await Item.objects.filter(tenant__name="b").returning("pk").delete()
    assert gone == [{"pk": (second.pk, 1)}]


# -- relations -----------------------------------------------------------------------------------------------------


async def test_managers_of_the_other_side(tenants: tuple[Tenant, Tenant]) -> None:
    first, second = tenants
    made = await first.items.create(number=7, text="a7")
    assert made.pk == (first.pk, 7)
    assert await texts(first.items.filter(pk__gt=(first.pk, 1))) == ["a2", "a7"]
    assert (await first.items.get_or_create(number=7))[1] is False
    children = first.children
    every = await Item.objects.order_by("pk")
    await children.add(*every[:3])
    await children.remove(every[0])
    assert await texts(children.all()) == ["a2", "a7"]
    await children.set([every[0], every[3]])
    assert await texts(children.all()) == ["a1", "b1"]
    await children.clear()
    assert await children.count() == 0
    await first.delete()
    assert await texts(Item.objects.all()) == ["b1"]
    assert await second.items.count() == 1


async def test_loading_from_and_to_such_models(tenants: tuple[Tenant, Tenant], statements: list[str]) -> None:
    first, second = tenants
    statements.clear()
    items = await Item.objects.select_related("tenant", "parent").order_by("pk")
    assert [(item.tenant.name, item.parent) for item in items] == [("a", None), ("a", None), ("b", None)]
    found = await Tenant.objects.prefetch_related(Prefetch("items", Item.objects.order_by("-pk"))).order_by(
        "pk"
    )
    assert [[item.text for item in tenant.items.loaded or ()] for tenant in found] == [["a2", "a1"], ["b1"]]
    assert len(statements) == 3
    items = await Item.objects.prefetch_related("tenant__items").order_by("pk")
    assert [len(item.tenant.items.loaded or ()) for item in items] == [2, 2, 1]
    (item, *_) = await Item.objects.only("text").order_by("pk").fetch_peers()
    await item.load("tenant")
    assert item.tenant == first
    assert second.pk != first.pk


async def test_conditions_across_relations_speak_of_whole_keys(tenants: tuple[Tenant, Tenant]) -> None:
    first, second = tenants
    other = await Tenant.objects.create(name="c")
    named = Tenant.objects.order_by("name").values_list("name", flat=True)
    item = await Item.objects.get(text="a2")
    assert await named.filter(items=item) == ["a"]
    assert await named.filter(items__pk=(second.pk, 1)) == ["b"]
    assert await named.filter(items__in=[item, (second.pk, 1)]) == ["a", "b"]
    assert await named.filter(items__in=Item.objects.filter(number=2)) == ["a"]
    assert await named.exclude(items=(first.pk, 2)) == ["b", "c"]
    assert await named.exclude(items__in=[(first.pk, 1), (first.pk, 9)]) == ["b", "c"]
    assert await named.exclude(items__pk__gt=(first.pk, 1)) == ["c"]
    assert await named.filter(items__isnull=True) == [other.name]
    assert await named.filter(items__isnull=False).distinct() == ["a", "b"]
    # Of no row of one tenant both halves of a key are those of different rows.
    assert await named.exclude(items=(first.pk, 9)) == ["a", "b", "c"]


async def test_a_model_in_between_may_have_such_a_key(database: Backend) -> None:
    await create_tables(Group, Person, Membership)
    group, other = await Group.objects.bulk_create([Group(name="g"), Group(name="h")])
    people = await Person.objects.bulk_create([Person(name="a"), Person(name="b"), Person(name="c")])
    await group.people.add(*people[:2], through_defaults={"role": "x"})
    await group.people.add(people[0], people[2])
    await other.people.set([people[1]])
    link = await Membership.objects.get(pk=(group.pk, people[0].pk))
    assert link.role == "x"
    with pytest.raises(UniqueViolation) as caught:
        async with atomic():
            await Membership.objects.create(group=group, person=people[0])
    assert caught.value.columns == ("group_id", "person_id")
    await group.people.remove(people[2])
    assert [person.name for person in await group.people.order_by("name")] == ["a", "b"]
    assert [found.name for found in await people[1].groups.order_by("name")] == ["g", "h"]
    loaded = await Group.objects.prefetch_related("people").order_by("name")
    assert [len(each.people.loaded or ()) for each in loaded] == [2, 1]
    counted = Group.objects.annotate(n=Count("people", distinct=True), m=Count("membership", distinct=True))
    assert await counted.order_by("name").values_list("n", "m") == [(2, 2), (1, 1)]
    assert await Group.objects.filter(membership__pk=(group.pk, people[1].pk)).values_list(
        "name", flat=True
    ) == ["g"]
    await group.people.clear()
    assert await Membership.objects.values_list("pk", flat=True) == [(other.pk, people[1].pk)]


async def test_a_unique_field_of_such_a_model_can_be_referred_to(database: Backend) -> None:
    await create_tables(Remark, Sheet)
    sheet = await Sheet.objects.create(pk=("b", 1), slug="s")
    remark = await Remark.objects.create(sheet=sheet)
    found = await Remark.objects.select_related("sheet").get(sheet__pk=("b", 1))
    assert (found, found.sheet) == (remark, sheet)
    assert await Remark.objects.filter(sheet__in=Sheet.objects.all()).count() == 1
    assert await Remark.objects.filter(sheet=sheet).order_by("-sheet__pk").values_list("sheet__pk") == [
        (("b", 1),)
    ]
    other = await Remark.objects.create(sheet=await Sheet.objects.create(pk=("c", 2), slug="a"))
    assert await Remark.objects.order_by("sheet") == [other, remark]  # as sheets are ordered
    assert (await Sheet.objects.all())[0].slug == "a"
    await other.delete()
    await Sheet.objects.filter(slug="a").delete()
    assert await Sheet.objects.annotate(n=Count("remarks")).values_list("pk", "n") == [(("b", 1), 1)]
    assert await sheet.remarks.count() == 1
    with pytest.raises(ForeignKeyViolation):
        await Remark.objects.create(sheet_id="t")


async def test_proxies_have_the_key_of_their_model(tenants: tuple[Tenant, Tenant]) -> None:
    draft = await Draft.objects.get(pk=(tenants[0].pk, 1))
    assert draft == await Item.objects.get(pk=draft)
    assert await Item.objects.filter(pk__in=[draft]).count() == 1
    assert Draft._meta.pk_fields == Item._meta.pk_fields
