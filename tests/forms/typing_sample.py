"""Read by pyright and mypy, never run: what they know of forms and class-based views."""

from datetime import date, datetime
from decimal import Decimal
from typing import assert_type
from uuid import UUID

from transom.db import models
from transom.db.models import QuerySet
from transom.forms import (
    BooleanField,
    CharField,
    ChoiceField,
    DateField,
    DateTimeField,
    DecimalField,
    FloatField,
    Form,
    IntegerField,
    MultipleChoiceField,
    NullBooleanField,
    UUIDField,
)
from transom.forms.models import ModelChoiceField, ModelForm
from transom.views import CreateView, DetailView, FormView, ListView
from transom.web import Response


class Author(models.Model):
    name = models.CharField(max_length=20)


class Everything(Form):
    text = CharField(max_length=10)
    number = IntegerField(min_value=1)
    maybe_number = IntegerField(required=False, max_value=3)
    real = FloatField()
    price = DecimalField(required=False, max_digits=5)
    day = DateField()
    moment = DateTimeField(required=False)
    key = UUIDField()
    yes = BooleanField(required=False)
    unknown = NullBooleanField()
    color = ChoiceField(choices=[("r", "Red")])
    colors = MultipleChoiceField(choices=[("r", "Red")])
    author = ModelChoiceField(Author.objects.all(), label_from_instance=lambda author: author.name)
    editor = ModelChoiceField(Author.objects.all(), required=False)


def read(form: Everything) -> None:
    assert_type(form.text.cleaned, str)
    assert_type(form.number.cleaned, int)
    assert_type(form.maybe_number.cleaned, int | None)
    assert_type(form.real.cleaned, float)
    assert_type(form.price.cleaned, Decimal | None)
    assert_type(form.day.cleaned, date)
    assert_type(form.moment.cleaned, datetime | None)
    assert_type(form.key.cleaned, UUID)
    assert_type(form.yes.cleaned, bool)
    assert_type(form.unknown.cleaned, bool | None)
    assert_type(form.color.cleaned, str)
    assert_type(form.colors.cleaned, list[str])
    assert_type(form.author.cleaned, Author)
    assert_type(form.editor.cleaned, Author | None)
    form.text.cleaned + 1  # error
    CharField(max_length="3")  # error
    IntegerField(lable="x")  # error


class AuthorForm(ModelForm[Author]):
    class Meta:
        fields = ["name"]


async def save(form: AuthorForm) -> None:
    assert_type(form.instance, Author)
    assert_type(await form.save(), Author)
    AuthorForm(instance=3)  # error


class AuthorList(ListView[Author]):
    model = Author

    async def get_queryset(self) -> QuerySet[Author]:
        return (await super().get_queryset()).filter(name="Ada")


class AuthorDetail(DetailView[Author]):
    async def get_object(self) -> Author:
        assert_type(self.object, Author)
        return await super().get_object()


class NewAuthor(CreateView[Author]):
    form_class = AuthorForm


class Ask(FormView[Everything]):
    form_class = Everything

    async def form_valid(self, form: Everything) -> Response:
        assert_type(form.text.cleaned, str)
        return await super().form_valid(form)
