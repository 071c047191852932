"""Forms: declaration, validation and hooks."""

import asyncio
import subprocess
import sys

import pytest

from transom.forms import (
    BooleanField,
    CharField,
    CheckboxSelectMultiple,
    Form,
    IntegerField,
    MultipleChoiceField,
    NotValidated,
    ValidationError,
)
from transom.web import FormData


class SignUp(Form):
    name = CharField(max_length=10)
    age = IntegerField(required=False, min_value=18)
    password = CharField()
    repeated = CharField()

    async def clean_name(self):
        await asyncio.sleep(0)
        if self.cleaned_data["name"] == "root":
            raise ValidationError("This name is taken.")
        return self.cleaned_data["name"].lower()

    def clean_age(self):
        return self.cleaned_data["age"] or 18

    async def clean(self):
        if self.cleaned_data.get("password") != self.cleaned_data.get("repeated"):
            self.add_error("repeated", "Type the same password twice.")
        if "password" in self.cleaned_data and self.cleaned_data["password"] == "123":
            raise ValidationError("That is the combination of my luggage.")


GOOD = {"name": "Ada", "age": "", "password": "x", "repeated": "x"}


async def test_a_valid_form_gives_typed_values_which_hooks_may_change():
    form = SignUp(FormData(GOOD.items()))
    assert await form.is_valid()
    assert form.cleaned_data == {"name": "ada", "age": 18, "password": "x", "repeated": "x"}
    assert form.name.cleaned == "ada"
    assert form.errors == {}


async def test_the_errors_of_every_field_and_of_the_form_are_collected():
    form = SignUp({"name": "root", "age": "17", "password": "123", "repeated": "1"})
    assert not await form.is_valid()
    assert form.errors == {
        "name": ["This name is taken."],
        "age": ["Enter 18 or more."],
        "repeated": ["Type the same password twice."],
        "__all__": ["That is the combination of my luggage."],
    }
    assert form.non_field_errors == ["That is the combination of my luggage."]
    assert form.cleaned_data == {"password": "123"}
    with pytest.raises(NotValidated, match="'age' of SignUp"):
        _ = form.age.cleaned


async def test_validation_happens_once():
    calls = []

    class Counting(Form):
        name = CharField()

        async def clean(self):
            calls.append(self.cleaned_data)

    form = Counting({"name": "x"})
    assert await form.is_valid()
    assert await form.is_valid()
    assert len(calls) == 1


async def test_an_error_added_after_validation_counts():
    form = SignUp(GOOD)
    assert await form.is_valid()
    form.add_error(None, "The service is down.")
    assert not await form.is_valid()


async def test_an_unbound_form_is_not_valid_and_has_no_errors():
    form = SignUp()
    assert not form.is_bound
    assert not await form.is_valid()
    assert form.errors == {}
    with pytest.raises(NotValidated, match="unbound"):
        _ = form.cleaned_data


@pytest.mark.parametrize("use", ["errors", "cleaned_data", "non_field_errors", "render"])
def test_a_bound_form_says_that_it_was_not_validated(use):
    form = SignUp(GOOD)
    with pytest.raises(NotValidated, match=r"await form.is_valid\(\)"):
        form.render() if use == "render" else getattr(form, use)


async def test_an_empty_form_that_was_sent_is_bound():
    form = SignUp(FormData())
    assert not await form.is_valid()
    assert list(form.errors) == ["name", "password", "repeated"]


async def test_a_prefix_keeps_two_forms_on_a_page_apart():
    data = {f"two-{name}": value for name, value in GOOD.items()}
    one, two = SignUp(data, prefix="one"), SignUp(data, prefix="two")
    assert not await one.is_valid()
    assert await two.is_valid()
    assert (two.name.html_name, two.name.id) == ("two-name", "id_two-name")


async def test_repeated_names_of_a_request_are_a_list():
    class Tags(Form):
        tags = MultipleChoiceField(
            choices=[("a", "A"), ("b", "B"), ("c", "C")], widget=CheckboxSelectMultiple
        )
        ok = BooleanField()

    form = Tags(FormData([("tags", "a"), ("tags", "c"), ("ok", "on")]))
    assert await form.is_valid()
    assert form.tags.cleaned == ["a", "c"]
    assert form.ok.cleaned is True


def test_initial_values_come_from_the_form_before_the_field():
    class Greeting(Form):
        name = CharField(initial="you")
        times = IntegerField(initial=lambda: 3)

    assert [field.value for field in Greeting()] == ["you", 3]
    assert Greeting(initial={"name": "me"}).name.value == "me"


def test_fields_are_inherited_replaced_and_hidden():
    class Longer(SignUp):
        age = None
        name = IntegerField()
        extra = CharField()

        clean_name = None

    assert list(Longer.base_fields) == ["name", "password", "repeated", "extra"]
    assert isinstance(Longer.base_fields["name"], IntegerField)


def test_a_field_may_be_left_out_of_one_form_only():
    form = SignUp()
    del form.fields["age"]
    assert "age" in SignUp().fields
    with pytest.raises(KeyError, match="no field 'age'"):
        _ = form.age


def test_an_unknown_field_names_a_close_one():
    with pytest.raises(KeyError, match="no field 'nmae'; did you mean 'name'"):
        SignUp()["nmae"]


async def test_an_error_for_an_unknown_field_is_refused():
    form = SignUp(GOOD)
    with pytest.raises(NotValidated):
        form.add_error("name", "x")
    await form.is_valid()
    with pytest.raises(KeyError, match="no field 'email'; choose from name"):
        form.add_error("email", "x")


def test_a_field_must_not_hide_a_part_of_the_form():
    with pytest.raises(TypeError, match="would hide 'errors' of Form"):
        type("Broken", (Form,), {"errors": CharField()})


def test_a_hook_without_its_field_is_refused():
    with pytest.raises(TypeError, match=r"Broken.clean_nmae is for a field 'nmae'.*choose from name"):
        type("Broken", (Form,), {"name": CharField(), "clean_nmae": lambda self: None})


async def test_mistakes_in_hooks_are_raised_and_not_shown():
    class Broken(Form):
        name = CharField()

        async def clean(self):
            raise RuntimeError("oops")

    with pytest.raises(RuntimeError, match="oops"):
        await Broken({"name": "x"}).is_valid()


@pytest.mark.slow
def test_forms_need_neither_the_web_nor_a_database():
    use = """
import asyncio, sys

class Blocked:
    def find_spec(self, name, path=None, target=None):
        if name.split(".")[:2] in [["transom", room] for room in ("web", "db", "server", "views")]:
            raise ImportError(f"{name} is blocked")

sys.meta_path.insert(0, Blocked())
from transom.forms import CharField, Form

class Greeting(Form):
    name = CharField()

form = Greeting({"name": ""})
assert not asyncio.run(form.is_valid())
assert 'href="#id_name"' in str(form)
"""
    subprocess.run([sys.executable, "-c", use], check=True)
