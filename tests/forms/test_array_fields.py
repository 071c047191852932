"""Lists in one line of text, in plain forms and of models' arrays."""

from __future__ import annotations

from typing import Any

import pytest

from transom.db import models
from transom.db.postgres import ArrayField, DateRangeField
from transom.forms import CharField, IntegerField, SimpleArrayField, ValidationError
from transom.forms.models import modelform_factory


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("a", ["a"]),
        ("a, b ,c", ["a", "b", "c"]),
        ('a,"b, c",d', ["a", "b, c", "d"]),
        ('"say ""hi"""', ['say "hi"']),
        ("ä'; --,€", ["ä'; --", "€"]),
    ],
)
async def test_a_line_of_text_is_a_list_and_back(text: str, expected: list[str]) -> None:
    field = SimpleArrayField(CharField())
    assert await field.clean(text) == expected
    assert await field.clean(field.prepare_value(expected)) == expected


async def test_each_value_is_checked_as_the_base_field_does() -> None:
    field = SimpleArrayField(IntegerField(max_value=9), delimiter=";")
    assert await field.clean("1; 2;3") == [1, 2, 3]
    with pytest.raises(ValidationError) as caught:
        await field.clean("1;x;;10")
    assert caught.value.messages == [
        "Item 2: Enter a whole number.",
        "Item 3: Please fill this in.",
        "Item 4: Enter 9 or less.",
    ]
    with pytest.raises(ValidationError, match="Enter values with ; between them"):
        await field.clean('"1')


async def test_what_is_left_empty_is_an_empty_list_of_its_own() -> None:
    field = SimpleArrayField(CharField(), required=False)
    first, second = await field.clean(""), await field.clean("  ")
    first.append("x")
    assert second == []
    with pytest.raises(ValidationError, match="Please fill this in"):
        await SimpleArrayField(CharField()).clean("")


class FormPost(models.Model):
    tags = ArrayField(models.CharField(max_length=5), size=2, default=list, blank=True)
    numbers = ArrayField(models.IntegerField())
    board = ArrayField(ArrayField(models.IntegerField()), default=list, blank=True)
    days = DateRangeField(null=True, blank=True)


async def test_a_form_of_a_model_shows_and_reads_arrays() -> None:
    form_class: Any = modelform_factory(FormPost, ["tags", "numbers"])
    form = form_class({"tags": "", "numbers": "1, 2"}, instance=FormPost(tags=["a,b"], numbers=[3]))
    assert form.fields["tags"].prepare_value(["a,b", "c"]) == '"a,b",c'
    assert await form.is_valid()
    assert form.cleaned_data == {"tags": [], "numbers": [1, 2]}
    wrong = form_class({"tags": "a, b, c", "numbers": "x"})
    assert not await wrong.is_valid()
    assert wrong.errors["numbers"] == ["Item 1: Enter a whole number."]
    assert wrong.errors["tags"] == ["Enter no more than 2 of these, not 3."]


@pytest.mark.parametrize("name", ["board", "days"])
def test_what_forms_have_no_field_for_is_refused_when_the_form_is_defined(name: str) -> None:
    with pytest.raises(TypeError, match=rf"FormPost\.{name} .*declare one, or leave it out"):
        modelform_factory(FormPost, [name])
