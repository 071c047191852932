"""ModelForm, on SQLite."""

from datetime import UTC, datetime
from decimal import Decimal

import pytest

from transom.db import UniqueViolation, atomic, connections, create_tables, models
from transom.db.models import QuerySet
from transom.forms import (
    CharField,
    ChoicesNotLoaded,
    Form,
    HiddenInput,
    NotValidated,
    Textarea,
    ValidationError,
)
from transom.forms.models import ModelChoiceField, ModelForm, modelform_factory
from transom.validators import StepValueValidator


class Author(models.Model):
    name = models.CharField(max_length=20)

    class Meta:
        ordering = ["name"]

    def __str__(self):
        return self.name


class Book(models.Model):
    title = models.CharField("the title", max_length=10, unique=True, help_text="On the cover.")
    blurb = models.TextField(blank=True, default="")
    code = models.CharField(max_length=5, null=True, blank=True, unique=True)
    author = models.ForeignKey(Author, on_delete=models.CASCADE, related_name="books")
    editor = models.ForeignKey(Author, on_delete=models.CASCADE, null=True, blank=True, related_name="+")
    price = models.DecimalField(max_digits=5, decimal_places=2, default=Decimal("9.90"))
    pages = models.SmallIntegerField(default=0, blank=True)
    sold_out = models.BooleanField(default=False)
    reviewed = models.BooleanField(null=True, blank=True)
    published = models.DateTimeField(null=True, blank=True)
    data = models.JSONField(null=True, blank=True)
    changed = models.DateTimeField(auto_now=True)


class Country(models.Model):
    code = models.CharField(max_length=2, primary_key=True)
    name = models.CharField(max_length=20)


class Seat(models.Model):
    pk = models.CompositePrimaryKey("row", "place")
    row = models.CharField(max_length=1)
    place = models.IntegerField()
    guest = models.CharField(max_length=20)


class SeatForm(ModelForm[Seat]):
    class Meta:
        fields = "__all__"


class BookForm(ModelForm[Book]):
    class Meta:
        fields = ["title", "author", "price"]


class CountryForm(ModelForm[Country]):
    class Meta:
        fields = ["code", "name"]


BOTH = pytest.mark.parametrize(
    "database_url", ["sqlite", pytest.param("postgresql", marks=pytest.mark.postgres)], indirect=True
)


@pytest.fixture
def database_url(request, tmp_path):
    """URL of an empty database: SQLite, or what `BOTH` asks for."""
    if getattr(request, "param", "sqlite") == "sqlite":
        return f"sqlite:///{tmp_path / 'test.sqlite3'}"
    return request.getfixturevalue("postgres_url")


@pytest.fixture
async def ada(database_url):
    connections.configure({"default": database_url})
    backend = connections.backend("default")
    try:
        await create_tables(Author, Book, Country)
        yield await Author.objects.create(name="Ada")
        if backend.vendor == "postgresql":
            await backend.execute("DROP SCHEMA public CASCADE")
            await backend.execute("CREATE SCHEMA public")
    finally:
        await connections.aclose()
        connections.configure({})


def sent(**values):
    return {"title": "Notes", "author": "1", "price": "5", **values}


@BOTH
async def test_a_valid_form_makes_an_object(ada):
    form = BookForm(sent())
    assert await form.is_valid()
    assert form.cleaned_data["author"] == ada
    book = await form.save()
    assert (book.title, book.author, book.price, book.pages) == ("Notes", ada, Decimal(5), 0)
    assert (await Book.objects.get()).pk == book.pk


async def test_an_object_is_changed_only_when_the_form_is_saved(ada):
    book = await Book.objects.create(title="Old", author=ada, pages=3)
    form = BookForm(sent(title="New"), instance=book)
    assert await form.is_valid()
    assert book.title == "Old"
    assert await form.save() is book
    stored = await Book.objects.get()
    assert (stored.title, stored.pages) == ("New", 3)


async def test_a_new_object_may_come_with_what_the_form_does_not_ask_for(ada):
    class TitleForm(ModelForm[Book]):
        class Meta:
            fields = ["title"]

    form = TitleForm({"title": "Notes"}, instance=Book(author=ada))
    assert await form.is_valid()
    assert (await form.save()).author_id == ada.pk


async def test_fields_follow_from_the_model(ada):
    form = modelform_factory(Book, "__all__")()
    await form.load_choices()
    assert list(form.fields) == [
        "title", "blurb", "code", "author", "editor", "price", "pages", "sold_out", "reviewed", "published", "data",
    ]  # fmt: skip
    assert [field.name for field in form if field.required] == ["title", "author", "price"]
    assert (form["title"].label, form["title"].help_text) == ("The title", "On the cover.")
    assert 'maxlength="10"' in str(form["title"])
    assert 'max="32767"' in str(form["pages"])
    assert "<textarea" in str(form["blurb"])
    assert form["price"].value == "9.90"


@BOTH
async def test_what_is_left_empty_is_empty_text_null_or_the_default(ada):
    form = modelform_factory(Book, "__all__")(sent())
    assert await form.is_valid()
    book = await form.save()
    assert (book.blurb, book.code, book.editor, book.pages, book.sold_out) == ("", None, None, 0, False)
    assert (book.reviewed, book.published, book.data) == (None, None, None)


async def test_a_form_shows_the_values_of_its_object(ada, parse):
    moment = datetime(2024, 2, 29, 10, 30, tzinfo=UTC)
    bob = await Author.objects.create(name="Bob")
    book = await Book.objects.create(title="A", author=bob, sold_out=True, published=moment, data={"a": 1})
    form = modelform_factory(Book, "__all__")(instance=book)
    await form.load_choices()
    page = parse(form)
    assert page.one("input", name="title")["value"] == "A"
    assert page.one("input", name="published")["value"] == "2024-02-29T10:30"
    assert "checked" in page.one("input", name="sold_out").attributes
    chosen = [option.text for option in page.all("option") if "selected" in option.attributes]
    assert chosen == ["Bob", "---------", "Unknown"]


async def test_the_choices_of_a_foreign_key_are_loaded_and_never_by_themselves(ada):
    form = BookForm()
    with pytest.raises(
        ChoicesNotLoaded, match=r"BookForm.author are not loaded; call `await form.load_choices\(\)`"
    ):
        str(form)
    await form.load_choices()
    assert list(form["author"].choices) == [("", "---------"), ("1", "Ada")]


async def test_a_form_that_comes_back_has_its_choices(ada):
    form = BookForm(sent(title=""))
    assert not await form.is_valid()
    assert "Ada" in str(form)


@BOTH
@pytest.mark.parametrize("key", ["7", "x", "1e3", "9" * 30, "-1", "1 OR 1=1"])
async def test_an_object_that_is_no_choice_is_refused(ada, key):
    form = BookForm(sent(author=key))
    assert not await form.is_valid()
    assert form.errors == {"author": ["This is not one of the choices."]}


async def test_only_objects_of_the_queryset_can_be_chosen(ada):
    class Choose(Form):
        author = ModelChoiceField(Author.objects.exclude(name="Ada"), required=False)

    form = Choose({"author": str(ada.pk)})
    assert not await form.is_valid()
    form = Choose({"author": ""})
    assert await form.is_valid()
    assert form.author.cleaned is None


async def test_a_value_that_must_be_unique_is_found_with_the_other_errors(ada):
    await Book.objects.create(title="Notes", author=ada)
    form = BookForm(sent(price="x"))
    assert not await form.is_valid()
    assert form.errors == {"price": ["Enter a number."], "title": ["There is already one with this value."]}


async def test_an_object_may_keep_its_own_unique_value(ada):
    book = await Book.objects.create(title="Notes", author=ada)
    form = BookForm(sent(), instance=book)
    assert await form.is_valid()
    await form.save()


@BOTH
async def test_a_unique_value_taken_since_is_an_error_of_its_field(ada):
    form = BookForm(sent())
    assert await form.is_valid()
    await Book.objects.create(title="Notes", author=ada)
    with pytest.raises(ValidationError, match="already one"):
        await form.save()
    assert form.errors == {"title": ["There is already one with this value."]}
    assert "Ada" in str(form)


async def test_a_refusal_that_is_about_no_field_of_the_form_is_no_error_of_it(ada):
    class PriceForm(ModelForm[Book]):
        class Meta:
            fields = ["price"]

    await Book.objects.create(title="Notes", author=ada)
    form = PriceForm({"price": "3"}, instance=Book(title="Notes", author=ada))
    assert await form.is_valid()
    with pytest.raises(UniqueViolation):
        await form.save()


@BOTH
async def test_a_transaction_survives_a_refused_row(ada):
    form = BookForm(sent())
    assert await form.is_valid()
    async with atomic():
        await Book.objects.create(title="Notes", author=ada)
        with pytest.raises(ValidationError):
            await form.save()
        await Author.objects.create(name="Bob")
    assert await Author.objects.count() == 2


async def test_a_key_of_several_fields_is_chosen_once(ada):
    await create_tables(Seat)
    sent = {"row": "a", "place": "1", "guest": "Ann"}
    assert list(SeatForm().fields) == ["row", "place", "guest"]
    form = SeatForm(sent)
    assert await form.is_valid()
    seat = await form.save()
    again = SeatForm({**sent, "guest": "Bob"})
    assert not await again.is_valid()
    assert again.errors == {"__all__": ["There is already one with these values."]}
    moved = SeatForm({**sent, "place": "2"}, instance=seat)
    assert not await moved.is_valid()
    assert moved.errors == {"place": ["This cannot be changed."]}
    renamed = SeatForm({**sent, "guest": "Cid"}, instance=seat)
    assert await renamed.is_valid()
    await renamed.save()
    assert await Seat.objects.values_list("pk", "guest") == [(("a", 1), "Cid")]


def test_rows_with_a_key_of_several_fields_are_no_choices():
    with pytest.raises(TypeError, match=r"Seat\.pk has several columns, and a choice sends one value"):
        ModelChoiceField(Seat.objects.all())


async def test_a_primary_key_is_chosen_once(ada):
    form = CountryForm({"code": "fr", "name": "France"})
    assert await form.is_valid()
    france = await form.save()
    again = CountryForm({"code": "fr", "name": "Francia"})
    assert not await again.is_valid()
    moved = CountryForm({"code": "it", "name": "Italy"}, instance=france)
    assert not await moved.is_valid()
    assert moved.errors == {"code": ["This cannot be changed."]}
    renamed = CountryForm({"code": "fr", "name": "Francia"}, instance=france)
    assert await renamed.is_valid()
    await renamed.save()
    assert (await Country.objects.get()).name == "Francia"


@pytest.mark.parametrize("data", [None, {"title": ""}, {"title": "x" * 11}])
async def test_what_is_not_valid_cannot_be_saved(ada, data):
    form = BookForm(data)
    await form.is_valid()
    with pytest.raises(NotValidated, match="nothing to save"):
        await form.save()


async def test_declared_fields_and_meta_say_more(ada):
    class Mine(ModelForm):
        title = CharField(min_length=3)
        note = CharField(required=False)

        class Meta:
            model = Book
            exclude = ["price", "pages"]
            labels = {"blurb": "About it"}
            help_texts = {"blurb": "Short."}
            widgets = {"blurb": HiddenInput, "code": Textarea}

        async def clean_title(self):
            return self.cleaned_data["title"].upper()

    form = Mine(sent(title="abc"))
    assert "price" not in form.fields
    assert (form["blurb"].label, form["blurb"].help_text, form["blurb"].is_hidden) == (
        "About it",
        "Short.",
        True,
    )
    assert await form.is_valid()
    assert (await form.save()).title == "ABC"
    assert not await Mine(sent(title="ab")).is_valid()


def test_a_form_inherits_meta_and_may_narrow_it():
    class Narrow(BookForm):
        class Meta(BookForm.Meta):
            fields = ["title"]

    assert list(Narrow.base_fields) == ["title"]
    assert Narrow.model is Book


@pytest.mark.parametrize(
    ("meta", "message"),
    [
        ({}, "needs either fields or exclude"),
        ({"fields": ["title"], "exclude": ["price"]}, "needs either fields or exclude"),
        ({"fields": ["titel"]}, "did you mean 'title'"),
        ({"fields": ["changed"]}, "Book.changed is not for people to edit"),
        ({"fields": ["id"]}, "Book.id is not for people to edit"),
        ({"fields": [], "label": {}}, "unknown option 'label'"),
    ],
)
def test_a_wrong_meta_says_so(meta, message):
    with pytest.raises(Exception, match=message):
        type("Broken", (ModelForm,), {"Meta": type("Meta", (), {"model": Book, **meta})})


def test_a_form_without_a_model_says_so():
    class Base(ModelForm):
        pass

    with pytest.raises(TypeError, match="Base has no model"):
        Base()


def test_a_field_that_may_be_blank_needs_a_value_for_that():
    class Blank(models.Model):
        number = models.IntegerField(blank=True)

    with pytest.raises(TypeError, match=r"Blank.number may be left blank.*null=True or a default"):
        modelform_factory(Blank, "__all__")


def test_a_choice_of_objects_takes_any_queryset():
    assert isinstance(ModelChoiceField(Author.objects.all()).queryset, QuerySet)


async def test_a_value_that_was_not_touched_keeps_what_its_text_leaves_out(ada):
    """The control of a time shows no microseconds; sending it back unchanged must not cut them off."""
    moment = datetime(2026, 1, 2, 3, 4, 5, 678901, tzinfo=UTC)
    book = await Book.objects.create(title="Tehanu", author=ada, published=moment)

    class PublishedForm(ModelForm[Book]):
        class Meta:
            fields = ["title", "published"]

    shown = PublishedForm(instance=book)["published"].value
    form = PublishedForm({"title": "Tehanu 2", "published": str(shown)}, instance=book)
    assert await form.is_valid()
    await form.save()
    saved = await Book.objects.get(pk=book.pk)
    assert (saved.title, saved.published) == ("Tehanu 2", moment)

    form = PublishedForm({"title": "Tehanu 2", "published": "2026-01-02 03:04"}, instance=saved)
    assert await form.is_valid()
    assert (await form.save()).published == datetime(2026, 1, 2, 3, 4, tzinfo=UTC)


class Medium(models.TextChoices):
    VINYL = "v"
    CD = "c", "Compact disc"


class Record(models.Model):
    medium = models.CharField(max_length=1, choices=Medium, default=Medium.VINYL)
    rank = models.IntegerField(choices=[("Top", [(1, "First")]), (2, "Second")], null=True, blank=True)
    slug = models.SlugField()
    mail = models.EmailField(blank=True)
    link = models.URLField(blank=True)
    length = models.DurationField()
    address = models.GenericIPAddressField(null=True, blank=True)
    copies = models.PositiveSmallIntegerField(validators=[StepValueValidator(5)])
    day = models.DateField()
    note = models.CharField(max_length=9, blank=True, db_default="none")


class RecordForm(ModelForm[Record]):
    class Meta:
        fields = "__all__"


async def test_choices_and_every_kind_of_field_come_back_as_values_of_the_model(ada):
    await create_tables(Record)
    sent = {
        "medium": "c", "rank": "1", "slug": "abc", "length": "0:03:20", "address": "2001:DB8::1",
        "copies": "10", "day": "2026-07-14",
    }  # fmt: skip
    form = RecordForm(sent)
    assert await form.is_valid(), form.errors
    record = await form.save()
    found = await Record.objects.get(pk=record.pk)
    assert (found.medium, found.rank, found.length.seconds) == (Medium.CD, 1, 200)
    assert (found.address, found.copies, str(found.day), found.mail) == ("2001:db8::1", 10, "2026-07-14", "")
    assert '<option value="c" selected>Compact disc</option>' in str(RecordForm(instance=found)["medium"])
    assert ("", "---------") in form.get_choices("rank")


async def test_the_validators_of_the_model_are_asked(ada):
    sent = {"medium": "x", "rank": "3", "slug": "a b", "mail": "a", "link": "a", "length": "a", "address": "a",
            "copies": "3", "day": "a"}  # fmt: skip
    form = RecordForm(sent)
    assert not await form.is_valid()
    assert set(form.errors) == set(sent)
    assert form.errors["copies"] == ["Enter a multiple of 5."]


async def test_an_error_by_field_goes_to_the_fields(ada):
    class Strict(RecordForm):
        class Meta:
            fields = ["slug", "copies"]

        async def clean(self):
            raise ValidationError({"slug": "no", "day": "never", "__all__": ["at all"]})

    form = Strict({"slug": "a", "copies": "5"})
    assert not await form.is_valid()
    assert form.errors == {"slug": ["no"], "__all__": ["never", "at all"]}


class Booking(models.Model):
    room = models.CharField(max_length=9)
    day = models.IntegerField(error_messages={"unique": "Taken."})
    guests = models.IntegerField(default=1)
    code = models.CharField(max_length=9, null=True, blank=True, unique=True)

    class Meta:
        unique_together = ["room", "day"]
        constraints = [
            models.CheckConstraint(
                condition=models.Q(guests__lt=5), name="few", violation_error_message="Too many."
            ),
            models.UniqueConstraint(fields=["guests", "code"], name="other"),
        ]

    async def clean(self):
        if self.room == "cellar" and self.guests > 1:
            raise ValidationError({"guests": "Not there."})


async def test_a_form_says_what_its_model_says(ada):
    await create_tables(Booking)
    form = modelform_factory(Booking, ["room", "day", "guests"])
    taken = await Booking.objects.create(room="a", day=1)
    for sent, errors in (
        (
            {"room": "a", "day": "1", "guests": "9"},
            {"__all__": ["There is already one with these values.", "Too many."]},
        ),
        ({"room": "cellar", "day": "2", "guests": "3"}, {"guests": ["Not there."]}),
        (
            {"room": "b", "day": "x", "guests": "9"},
            {"day": ["Enter a whole number."], "__all__": ["Too many."]},
        ),
        ({"room": "b", "day": "1", "guests": "4"}, {}),
    ):
        bound = form(sent)
        await bound.is_valid()
        assert bound.errors == errors
        assert bound.instance.room is None
    again = form({"room": "a", "day": "1", "guests": "2"}, instance=taken)
    assert await again.is_valid()
    assert (await again.save()).guests == 2
