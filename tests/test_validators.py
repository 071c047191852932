"""What validators refuse, what they say, and how errors are put together."""

from __future__ import annotations

import pickle
from decimal import Decimal
from typing import Any

import pytest

from transom import validators
from transom.validators import ValidationError

REFUSED: list[tuple[Any, Any, str, str]] = [
    (validators.MinValueValidator(3), 2, "min_value", "Enter 3 or more."),
    (validators.MaxValueValidator(3), 4, "max_value", "Enter 3 or less."),
    (validators.MaxValueValidator(lambda: 3), 4, "max_value", "Enter 3 or less."),
    (validators.MinLengthValidator(3), "ab", "min_length", "Use at least 3 characters; these are 2."),
    (validators.MaxLengthValidator(3), "abcd", "max_length", "Use at most 3 characters; these are 4."),
    (validators.StepValueValidator(3), 4, "step_size", "Enter a multiple of 3."),
    (validators.StepValueValidator(3, offset=1), 3, "step_size", "Enter a multiple of 3."),
    (validators.StepValueValidator(0.1), 0.25, "step_size", "Enter a multiple of 0.1."),
    (validators.RegexValidator(r"\A\d+\Z"), "1a", "invalid", "This is not valid."),
    (validators.RegexValidator(r"\d", inverse_match=True, code="digit"), "a1", "digit", "This is not valid."),
    (validators.ProhibitNullCharactersValidator(), "a\0", "null_characters_not_allowed", "This holds"),
    (validators.DecimalValidator(4, 2), Decimal("12345"), "max_digits", "Use at most 4 digits."),
    (validators.DecimalValidator(4, 2), Decimal("0.123"), "decimal_places", "Use at most 2 digits after"),
    (validators.DecimalValidator(4, 2), Decimal("123"), "whole_digits", "Use at most 2 digits before"),
    (validators.DecimalValidator(4, 2), Decimal("1E+4"), "max_digits", "Use at most 4 digits."),
    (validators.DecimalValidator(4, 2), Decimal("NaN"), "invalid", "Enter a number."),
    (validators.FileExtensionValidator(["pdf"]), "a.PNG", "invalid_extension", "'png' is not among pdf"),
    (validators.FileExtensionValidator(["pdf"]), "dir.pdf/name", "invalid_extension", "'' is not among"),
]


@pytest.mark.parametrize(("validator", "value", "code", "sentence"), REFUSED)
def test_what_is_wrong_is_refused(validator: Any, value: Any, code: str, sentence: str) -> None:
    with pytest.raises(ValidationError) as caught:
        validator(value)
    assert caught.value.code == code
    assert sentence in caught.value.messages[0]


@pytest.mark.parametrize(
    ("validator", "value"),
    [
        (validators.MinValueValidator(3), 3),
        (validators.MaxLengthValidator(3), "abc"),
        (validators.StepValueValidator(3), 9),
        (validators.StepValueValidator(0.1), 0.3),
        (validators.StepValueValidator(Decimal("0.1")), Decimal("0.3")),
        (validators.RegexValidator("b"), "abc"),
        (validators.DecimalValidator(4, 2), Decimal("12.34")),
        (validators.DecimalValidator(4, 2), Decimal("0.01")),
        (validators.DecimalValidator(3, None), Decimal("0.123")),
        (validators.FileExtensionValidator(["pdf"]), "a.PDF"),
        (validators.FileExtensionValidator(), "anything"),
    ],
)
def test_what_is_right_passes(validator: Any, value: Any) -> None:
    assert validator(value) is None


FORMS: list[tuple[Any, list[str], list[str]]] = [
    (validators.validate_slug, ["a-b_1"], ["", "a b", "a\n", "ü"]),
    (validators.validate_unicode_slug, ["ü-1"], ["a b", "a/b"]),
    (validators.validate_email, ["a@example.com", "a+b@localhost"], ["a", "@b", "a@-b.com", "a@b.com\n", "a b@c"]),
    (
        validators.URLValidator(),
        ["https://example.com", "http://localhost:80/x?y=1#z", "https://bücher.example/", "http://[::1]/", "http://10.0.0.1"],
        ["example.com", "ftp://example.com", "http://", "http://a..b", "http://-a.b", "http://a:99999", "http://[::1",
         "javascript:alert(1)", "http://a/\n", " http://a", "http://a/<b>", "http://[a]/"],
    ),
    (validators.URLValidator(schemes=("ftp",)), ["ftp://example.com"], ["http://example.com"]),
    (validators.validate_ipv4_address, ["192.0.2.1"], ["256.0.0.1", "01.2.3.4", "::1", ""]),
    (validators.validate_ipv6_address, ["2001:db8::1"], ["192.0.2.1", "::g"]),
    (validators.validate_ipv46_address, ["192.0.2.1", "::1"], ["x"]),
]  # fmt: skip


@pytest.mark.parametrize(("validator", "right", "wrong"), FORMS)
def test_forms_of_text(validator: Any, right: list[str], wrong: list[str]) -> None:
    for text in right:
        validator(text)
    for text in wrong:
        with pytest.raises(ValidationError):
            validator(text)


def test_validators_with_the_same_settings_are_equal_and_can_be_made_again() -> None:
    made = validators.MinValueValidator(3, message="Too small.")
    path, args, kwargs = made.deconstruct()
    assert (path, args) == ("transom.validators.MinValueValidator", [])
    assert validators.MinValueValidator(*args, **kwargs) == made
    assert made != validators.MinValueValidator(4)


def test_an_error_of_one_sentence() -> None:
    error = ValidationError("Use {limit}.", "limit", {"limit": "{3}"})
    assert (error.messages, error.code, str(error)) == (["Use {3}."], "limit", "Use {3}.")
    assert error.error_list == [error]
    assert error.error_dict is None
    assert error.message_dict == {"__all__": ["Use {3}."]}


def test_braces_of_a_sentence_without_params_stay() -> None:
    assert ValidationError("{x}").messages == ["{x}"]


def test_errors_are_flattened_and_keep_their_codes() -> None:
    error = ValidationError(["a", ValidationError(["b", ValidationError("c", "third")])], "first")
    assert error.messages == ["a", "b", "c"]
    assert [each.code for each in error.error_list] == ["first", "invalid", "third"]
    assert ValidationError(error).messages == error.messages


def test_errors_by_field() -> None:
    error = ValidationError({"name": "a", "age": ["b", ValidationError("c")], "__all__": "d"})
    assert error.message_dict == {"name": ["a"], "age": ["b", "c"], "__all__": ["d"]}
    assert error.messages == ["a", "b", "c", "d"]
    assert str(error) == "name: a age: b c d"
    collected = {"name": [ValidationError("x")]}
    error.update_error_dict(collected)
    assert [each.messages for each in collected["name"]] == [["x"], ["a"]]


def test_an_error_can_be_pickled() -> None:
    assert pickle.loads(pickle.dumps(ValidationError("a", "b"))).messages == ["a"]
