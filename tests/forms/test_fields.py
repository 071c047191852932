"""What fields make of what was sent."""

from datetime import UTC, date, datetime, timedelta, timezone
from decimal import Decimal
from uuid import UUID

import pytest

from transom.forms import (
    BooleanField,
    CharField,
    ChoiceField,
    DateField,
    DateTimeField,
    DecimalField,
    EmailField,
    Field,
    FloatField,
    IntegerField,
    JSONField,
    MultipleChoiceField,
    NullBooleanField,
    Textarea,
    URLField,
    UUIDField,
    ValidationError,
)

CHOICES = [("r", "Red"), (2, "Blue")]
KEY = UUID("6b54170e-84fc-4726-b15f-51756b3275a1")
PLUS_2 = timezone(timedelta(hours=2))


@pytest.mark.parametrize(
    ("field", "sent", "value"),
    [
        (CharField(), " hello ", "hello"),
        (CharField(strip=False), " ", " "),
        (CharField(required=False), None, ""),
        (CharField(required=False), "   ", ""),
        (CharField(max_length=3), "äöü", "äöü"),
        (CharField(pattern="[a-c]+"), "abc", "abc"),
        (EmailField(), "a.b+c@example.com", "a.b+c@example.com"),
        (URLField(), "https://example.com/a b", "https://example.com/a b"),
        (IntegerField(), " 12 ", 12),
        (IntegerField(), 12, 12),
        (IntegerField(min_value=-3), "-3", -3),
        (IntegerField(required=False), "", None),
        (FloatField(), "1.5", 1.5),
        (DecimalField(max_digits=4, decimal_places=2), "12.30", Decimal("12.30")),
        (BooleanField(required=False), None, False),
        (BooleanField(required=False), False, False),
        (BooleanField(), True, True),
        (NullBooleanField(), "", None),
        (NullBooleanField(), "true", True),
        (NullBooleanField(), False, False),
        (DateField(), "2024-02-29", date(2024, 2, 29)),
        (DateTimeField(), "2024-02-29T10:30", datetime(2024, 2, 29, 10, 30, tzinfo=UTC)),
        (DateTimeField(time_zone=PLUS_2), "2024-02-29 10:30:05", datetime(2024, 2, 29, 8, 30, 5, tzinfo=UTC)),
        (DateTimeField(time_zone=PLUS_2), "2024-02-29T10:30Z", datetime(2024, 2, 29, 10, 30, tzinfo=UTC)),
        (UUIDField(), str(KEY), KEY),
        (JSONField(), '{"a": [1]}', {"a": [1]}),
        (JSONField(), {"a": [1]}, {"a": [1]}),
        (ChoiceField(choices=CHOICES), "2", "2"),
        (ChoiceField(choices=CHOICES, required=False), None, ""),
        (MultipleChoiceField(choices=CHOICES), ["2", "r", "2"], ["2", "r"]),
        (MultipleChoiceField(choices=CHOICES, required=False), [], []),
    ],
)
async def test_what_was_sent_becomes_a_value(field, sent, value):
    cleaned = await field.clean(sent)
    assert cleaned == value
    assert type(cleaned) is type(value)


@pytest.mark.parametrize(
    ("field", "sent", "code"),
    [
        (CharField(), "  ", "required"),
        (CharField(), None, "required"),
        (CharField(min_length=2), "a", "min_length"),
        (CharField(max_length=2), "abc", "max_length"),
        (CharField(pattern="[a-c]+"), "abcd", "invalid"),
        (CharField(pattern="[a-c]+"), "abc\n", None),  # stripped
        (CharField(pattern="[a-c]+", strip=False), "abc\n", "invalid"),
        (CharField(), "a\0b", "null_characters"),
        (CharField(), ["a"], "invalid"),
        (EmailField(), "nobody", "invalid"),
        (EmailField(), "a@b..c", "invalid"),
        (EmailField(), "a@" + "b" * 260 + ".c", "max_length"),
        (URLField(), "javascript:alert(1)", "invalid"),
        (URLField(), "example.com", "invalid"),
        (IntegerField(), "1.5", "invalid"),
        (IntegerField(), "x", "invalid"),
        (IntegerField(), "9" * 5000, "invalid"),
        (IntegerField(min_value=3), "2", "min_value"),
        (IntegerField(max_value=3), "4", "max_value"),
        (FloatField(), "nan", "invalid"),
        (FloatField(), "1e999", "invalid"),
        (DecimalField(), "NaN", "invalid"),
        (DecimalField(decimal_places=1), "1.25", "decimal_places"),
        (DecimalField(max_digits=3), "1234", "max_digits"),
        (DecimalField(max_digits=3, decimal_places=2), "12", "whole_digits"),
        (BooleanField(), False, "required"),
        (NullBooleanField(), "maybe", "invalid_choice"),
        (DateField(), "2023-02-29", "invalid"),
        (DateField(), "1700000000", "invalid"),
        (DateField(), "2024-02-29T00:00", "invalid"),
        (DateTimeField(), "1700000000", "invalid"),
        (DateTimeField(), "2024-02-29", "invalid"),
        (UUIDField(), "12", "invalid"),
        (JSONField(), "{", "invalid"),
        (JSONField(), "NaN", "invalid"),
        (JSONField(), "[" * 100_000, "invalid"),
        (ChoiceField(choices=CHOICES), "green", "invalid_choice"),
        (ChoiceField(choices=CHOICES), "", "required"),
        (MultipleChoiceField(choices=CHOICES), ["r", "green"], "invalid_choice"),
        (MultipleChoiceField(choices=CHOICES), [], "required"),
    ],
)
async def test_what_is_wrong_has_a_code_and_a_sentence(field, sent, code):
    if code is None:
        await field.clean(sent)
        return
    with pytest.raises(ValidationError) as caught:
        await field.clean(sent)
    assert caught.value.code == code
    assert "{" not in str(caught.value).replace("{: ", "")
    assert str(caught.value)


async def test_a_sentence_names_its_limit_and_can_be_replaced():
    with pytest.raises(ValidationError, match="at most 2 characters; these are 3"):
        await CharField(max_length=2).clean("abc")
    with pytest.raises(ValidationError, match=r"^Short, please: 2$"):
        await CharField(max_length=2, error_messages={"max_length": "Short, please: {limit}"}).clean("abc")


async def test_every_validator_is_heard():
    def no_a(value):
        if "a" in value:
            raise ValidationError("No a.")

    def no_b(value):
        if "b" in value:
            raise ValidationError("No b.")

    field = CharField(validators=[no_a, no_b])
    with pytest.raises(ValidationError) as caught:
        await field.clean("ab")
    assert caught.value.messages == ["No a.", "No b."]


@pytest.mark.parametrize(
    ("field", "value", "shown"),
    [
        (DateField(), date(2024, 2, 29), "2024-02-29"),
        (DateTimeField(time_zone=PLUS_2), datetime(2024, 2, 29, 8, 30, tzinfo=UTC), "2024-02-29T10:30"),
        (DateTimeField(), datetime(2024, 2, 29, 8, 30, 5, tzinfo=UTC), "2024-02-29T08:30:05"),
        (DecimalField(), Decimal("1E+3"), "1000"),
        (NullBooleanField(), None, ""),
        (NullBooleanField(), True, "true"),
        (JSONField(), {"a": 1}, '{\n  "a": 1\n}'),
    ],
)
async def test_a_value_that_is_shown_and_sent_back_is_the_same(field, value, shown):
    assert field.prepare_value(value) == shown
    assert await field.clean(shown) == value


def test_a_textarea_counts_newlines_as_browsers_do():
    assert Textarea().value_from_data({"text": "a\r\nb"}, "text") == "a\nb"


def test_an_unknown_option_names_the_choices():
    with pytest.raises(TypeError, match="no option 'lable'; choose from required, autocomplete"):
        IntegerField(lable="x")


def test_a_field_without_a_type_says_what_to_write():
    with pytest.raises(NotImplementedError, match="annotation"):
        Field[int]().parse("x")
