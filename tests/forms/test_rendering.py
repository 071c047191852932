"""The HTML of forms: accessible, escaped, and the site's own where it wants."""

from pathlib import Path

import pytest

from transom.conf import apps
from transom.forms import (
    BooleanField,
    CharField,
    CheckboxSelectMultiple,
    ChoiceField,
    DateField,
    EmailField,
    Form,
    FormRenderer,
    HiddenInput,
    IntegerField,
    MultipleChoiceField,
    PasswordInput,
    RadioSelect,
    Textarea,
)
from transom.templates import JinjaEngine

EVIL = "\"'><script>alert(1)</script>&amp;"
COLORS = [("r", "Red"), ("b", "Blue")]


class Everything(Form):
    title = CharField(max_length=5, help_text="A few words.", autocomplete="off")
    email = EmailField(required=False)
    age = IntegerField(min_value=3, max_value=9)
    born = DateField(required=False)
    color = ChoiceField(choices=COLORS, widget=RadioSelect, help_text="One of them.")
    shade = ChoiceField(choices=[("", "any"), *COLORS], required=False)
    tags = MultipleChoiceField(choices=COLORS, widget=CheckboxSelectMultiple)
    many = MultipleChoiceField(choices=COLORS, required=False)
    accept = BooleanField(label="I accept")
    notes = CharField(required=False, widget=Textarea({"rows": 3}))
    secret = CharField(required=False, widget=PasswordInput)
    token = CharField(required=False, widget=HiddenInput, initial="t")


def test_every_control_has_a_label_or_a_legend(parse):
    page = parse(Everything())
    labelled = {label["for"] for label in page.all("label")}
    for control in [*page.all("input"), *page.all("select"), *page.all("textarea")]:
        assert control.get("type") == "hidden" or control["id"] in labelled
    assert [legend.text for legend in page.all("legend")] == ["Color", "Tags"]


def test_constraints_are_told_to_the_browser(parse):
    page = parse(Everything())
    title, age = page.one("input", name="title"), page.one("input", name="age")
    assert {"required": None, "maxlength": "5", "autocomplete": "off"}.items() <= title.attributes.items()
    assert (age["type"], age["min"], age["max"], age["step"]) == ("number", "3", "9", "1")
    assert page.one("input", name="born")["type"] == "date"
    assert page.one("input", name="email")["type"] == "email"
    assert "required" not in page.one("input", name="email").attributes
    assert all("required" in button.attributes for button in page.all("input", name="color"))
    # It would ask for every box.
    assert not any("required" in box.attributes for box in page.all("input", name="tags"))
    assert page.one("textarea")["rows"] == "3"
    assert page.one("input", name="token").attributes == {
        "type": "hidden", "name": "token", "id": "id_token", "value": "t"
    }  # fmt: skip


def test_help_describes_the_control_or_its_group(parse):
    page = parse(Everything())
    title = page.one("input", name="title")
    assert page.by_id(title["aria-describedby"]).text == "A few words."
    group = next(group for group in page.all("fieldset") if group.get("aria-describedby"))
    assert page.by_id(group["aria-describedby"]).text == "One of them."
    assert not any(element.get("aria-invalid") for element in page.elements)


async def test_errors_describe_the_control_and_the_summary_leads_to_it(parse):
    form = Everything({"title": "too long", "token": "x"})
    await form.is_valid()
    page = parse(form)
    title = page.one("input", name="title")
    assert title["aria-invalid"] == "true"
    described = [page.by_id(id).text.strip() for id in title["aria-describedby"].split()]
    assert described == ["A few words.", "Use at most 5 characters; these are 8."]
    summary = next(element for element in page.elements if element.get("role") == "alert")
    targets = [link["href"] for link in page.all("a") if link in summary.children]
    assert targets == ["#id_title", "#id_age", "#id_color_0", "#id_tags_0", "#id_accept"]
    assert all(page.by_id(target[1:]) is not None for target in targets)


async def test_a_group_of_buttons_is_invalid_as_a_whole(parse):
    form = Everything({})
    await form.is_valid()
    page = parse(form)
    group = page.one("fieldset", role="radiogroup")
    assert (group["aria-invalid"], group["aria-required"]) == ("true", "true")
    # WAI-ARIA knows no invalid radio button, but an invalid checkbox.
    assert not any("aria-invalid" in button.attributes for button in page.all("input", name="color"))
    assert all(box["aria-invalid"] == "true" for box in page.all("input", name="tags"))


async def test_what_was_sent_is_shown_again_right_or_wrong(parse):
    data = {
        "title": "too long", "age": "many", "color": "b", "shade": "r", "tags": ["r", "b"], "many": ["b"],
        "accept": "on", "notes": "\nfirst line was empty", "secret": "hunter2",
    }  # fmt: skip
    form = Everything(data)
    assert not await form.is_valid()
    page = parse(form)
    assert page.one("input", name="title")["value"] == "too long"
    assert page.one("input", name="age")["value"] == "many"
    assert [
        button["value"] for button in page.all("input", name="color") if "checked" in button.attributes
    ] == ["b"]
    assert [box["value"] for box in page.all("input", name="tags") if "checked" in box.attributes] == [
        "r",
        "b",
    ]
    assert [option["value"] for option in page.all("option") if "selected" in option.attributes] == ["r", "b"]
    assert "checked" in page.one("input", name="accept").attributes
    assert page.one("textarea").text == "\n\nfirst line was empty"  # the first newline is dropped by browsers
    assert "hunter2" not in str(form)


async def test_nothing_that_is_sent_or_declared_gets_out_as_markup(parse):
    class Evil(Form):
        text = CharField(label=EVIL, help_text=EVIL, max_length=1)
        area = CharField(widget=Textarea({"data-x": EVIL}))
        color = ChoiceField(choices=[(EVIL, EVIL)], widget=RadioSelect)
        shade = ChoiceField(choices=[(EVIL, EVIL)])
        hidden = IntegerField(widget=HiddenInput)

    for data in (None, dict.fromkeys(Evil.base_fields, EVIL)):
        form = Evil(data, prefix=EVIL, initial=dict.fromkeys(Evil.base_fields, EVIL))
        if data is not None:
            form.data = {form.add_prefix(name): value for name, value in data.items()}
            assert not await form.is_valid()
            form.add_error(None, EVIL)
        page = parse(form)
        assert not page.all("script")
        assert "<script" not in str(form)
        assert page.one("textarea")["data-x"] == EVIL
        for name in ("text", "hidden"):
            assert page.one("input", name=f"{EVIL}-{name}")["value"] == EVIL
        assert EVIL in page.one("textarea").text


async def test_errors_of_hidden_fields_and_of_the_form_stand_in_the_summary():
    class Hidden(Form):
        token = CharField(widget=HiddenInput)

        async def clean(self):
            self.add_error(None, "It is too late.")

    form = Hidden({})
    await form.is_valid()
    assert "Token: Please fill this in." in str(form)
    assert "It is too late." in str(form)
    assert "href" not in str(form)


async def test_a_page_shows_a_form_as_a_whole_or_by_its_fields(parse):
    engine = JinjaEngine([])
    form = Everything()
    whole = await engine.render_string("{{ form }}", {"form": form})
    assert parse(whole).one("input", name="title")
    source = "{{ form.title }}|{{ form.title.as_field_group() }}|{% for field in form %}{{ field.label }},{% endfor %}"
    control, group, labels = (await engine.render_string(source, {"form": form})).split("|")
    assert control == str(form.title)
    assert "<label" in group
    assert labels.startswith("Title,Email,")


def test_attributes_may_be_given_where_a_control_is_shown(parse):
    html = Everything().title.as_widget({"class": "wide", "required": False})
    field = parse(html).one("input")
    assert field["class"] == "wide"
    assert "required" not in field.attributes


def test_a_site_overrides_a_template_by_having_one_of_that_name(tmp_path: Path):
    (tmp_path / "forms" / "widgets").mkdir(parents=True)
    (tmp_path / "forms" / "widgets" / "input.html").write_text("<my-input name='{{ widget.name }}'>")

    class Mine(Form):
        renderer = FormRenderer([tmp_path])
        name = CharField()

    assert str(Mine().name) == "<my-input name='name'>"
    assert "<label" in str(Mine())
    assert "my-input" not in str(Everything())


def test_the_templates_of_installed_apps_are_found(tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    templates = tmp_path / "shop_for_forms" / "templates" / "forms"
    templates.mkdir(parents=True)
    (templates.parents[1] / "__init__.py").touch()
    (templates / "field.html").write_text("shop: {{ field.label }}")
    monkeypatch.syspath_prepend(tmp_path)
    config = apps.AppConfig("shop_for_forms", "shop_for_forms", tmp_path / "shop_for_forms")
    monkeypatch.setattr(apps, "get_app_configs", lambda: (config,))
    assert Everything().title.as_field_group() == "shop: Title"
