"""Add, change and delete: the round trip, what is wrong with a form, and what happens in between."""

import uuid

import pytest

from transom.admin import ModelAdmin
from transom.db import ForeignKeyViolation, models
from transom.forms.models import ModelForm

EVIL = "<script>alert(1)</script>\"'&<b>"


@pytest.fixture
async def topic(client, shop):
    return await shop.Topic.objects.create(name="Food")


@pytest.fixture
async def question(topic, shop):
    return await shop.Question.objects.create(topic=topic, text="Tea?")


def fields(question, **changes):
    return {
        "topic": question.topic_id,
        "text": question.text,
        "published": "2026-01-02T03:04",
        "is_open": "on",
    } | changes


async def test_an_object_is_added_changed_and_deleted(staff, shop, topic):
    added = await staff.post(
        "/admin/shop/question/add/",
        data={"topic": topic.pk, "text": "Tea?", "published": "2026-05-06T07:08", "is_open": "on"},
    )
    assert (added.status_code, added.headers["location"]) == (302, "/admin/shop/question/")
    question = await shop.Question.objects.get()
    assert (question.text, question.topic_id, question.is_open) == ("Tea?", topic.pk, True)
    page = (await staff.get(added.headers["location"])).text
    assert '<div class="messages" role="status">' in page
    assert "The question “Tea?” was added." in page
    assert "was added" not in (await staff.get("/admin/shop/question/")).text

    address = f"/admin/shop/question/{question.pk}/change/"
    shown = (await staff.get(address)).text
    assert 'value="Tea?"' in shown
    assert f'<option value="{topic.pk}" selected>Food</option>' in shown
    await staff.post(address, data=fields(question, text="Coffee?", is_open=""))
    question = await shop.Question.objects.get()
    assert (question.text, question.is_open) == ("Coffee?", False)
    assert "The question “Coffee?” was changed." in (await staff.get("/admin/")).text

    asked = await staff.get(f"/admin/shop/question/{question.pk}/delete/")
    assert await shop.Question.objects.count() == 1, "to ask is not to delete"
    assert "Nothing else refers to it." in asked.text
    gone = await staff.post(f"/admin/shop/question/{question.pk}/delete/")
    assert gone.headers["location"] == "/admin/shop/question/"
    assert await shop.Question.objects.count() == 0
    assert "The question “Coffee?” was deleted." in (await staff.get("/admin/")).text


@pytest.mark.parametrize(
    ("button", "leads_to"),
    [
        ("_save", "/admin/shop/topic/"),
        ("_continue", "/admin/shop/topic/1/change/"),
        ("_addanother", "/admin/shop/topic/add/"),
    ],
)
async def test_a_button_leads_where_it_says(staff, button, leads_to):
    added = await staff.post("/admin/shop/topic/add/", data={"name": "Food", button: ""})
    assert added.headers["location"] == leads_to
    changed = await staff.post("/admin/shop/topic/1/change/", data={"name": "Foods", button: ""})
    assert changed.headers["location"] == leads_to


async def test_a_wrong_form_comes_back_with_422_and_says_what_is_wrong_where(staff, shop, question):
    address = f"/admin/shop/question/{question.pk}/change/"
    response = await staff.post(
        address, data=fields(question, text="", published="soon", topic="99", details="kept")
    )
    assert response.status_code == 422
    assert "<title>Error: Change question" in response.text
    assert 'class="error-summary" role="alert"' in response.text
    for name in ("text", "published", "topic"):
        assert f'<a href="#id_{name}">' in response.text
        assert f'aria-describedby="id_{name}-errors" aria-invalid="true"' in response.text
    assert "kept</textarea>" in response.text
    assert "Tea?" in response.text, "the heading still says which object it is"
    assert (await shop.Question.objects.get()).text == "Tea?"


async def test_a_unique_value_that_is_taken_is_an_error_of_its_field(staff, shop, topic):
    response = await staff.post("/admin/shop/topic/add/", data={"name": "Food"})
    assert response.status_code == 422
    assert 'href="#id_name"' in response.text
    assert await shop.Topic.objects.count() == 1


async def test_a_unique_value_taken_after_the_check_is_one_too(staff, shop, topic, monkeypatch):
    async def blind(self):
        return None

    monkeypatch.setattr(ModelForm, "_check_object", blind)
    response = await staff.post("/admin/shop/topic/add/", data={"name": "Food"})
    assert response.status_code == 422
    assert 'href="#id_name"' in response.text


async def test_what_is_chosen_may_be_gone_by_the_time_it_is_written(staff, shop, question, monkeypatch):
    async def refuse(self, **options):
        raise ForeignKeyViolation("no such topic")

    monkeypatch.setattr(models.Model, "save", refuse)
    response = await staff.post(f"/admin/shop/question/{question.pk}/change/", data=fields(question))
    assert response.status_code == 422
    assert "no longer there" in response.text
    assert '<option value="1" selected>Food</option>' in response.text


@pytest.mark.parametrize("page", ["change", "delete"])
@pytest.mark.parametrize("method", ["GET", "POST"])
@pytest.mark.parametrize(
    "key", ["77", "x", "-1", "1.0", "9" * 30, "_", "_00", "1_", "_2e", "%2e%2e", "%F0%9F%8D%B5", "_FF"]
)
async def test_a_key_of_no_row_is_not_found(staff, question, method, page, key):
    response = await staff.request(method, f"/admin/shop/question/{key}/{page}/")
    assert response.status_code == 404


async def test_an_object_deleted_while_it_was_edited_is_not_found_and_not_made_anew(staff, shop, question):
    await question.delete()
    response = await staff.post(f"/admin/shop/question/{question.pk}/change/", data=fields(question))
    assert response.status_code == 404
    assert await shop.Question.objects.count() == 0


async def test_an_object_deleted_between_reading_and_writing_is_not_found(staff, shop, question, monkeypatch):
    is_valid = ModelForm.is_valid

    async def delete_then_validate(self):
        await shop.Question.objects.filter(pk=question.pk).delete()
        return await is_valid(self)

    monkeypatch.setattr(ModelForm, "is_valid", delete_then_validate)
    response = await staff.post(f"/admin/shop/question/{question.pk}/change/", data=fields(question))
    assert response.status_code == 404


async def test_a_failure_in_the_middle_of_a_save_leaves_nothing(staff, shop, topic, monkeypatch):
    save = models.Model.save

    async def fail_afterwards(self, **options):
        await save(self, **options)
        raise RuntimeError("a signal failed")

    with monkeypatch.context() as patched:
        patched.setattr(models.Model, "save", fail_afterwards)
        with pytest.raises(RuntimeError):
            await staff.post("/admin/shop/topic/add/", data={"name": "Drinks"})
    assert [row.name for row in await shop.Topic.objects.all()] == ["Food"]


async def test_a_deletion_says_what_goes_with_it_and_what_stays(staff, shop, question):
    choice = await shop.Choice.objects.create(question=question, text="yes")
    await shop.Choice.objects.create(question=question, text="no")
    note = await shop.Note.objects.create(choice=choice)
    page = (await staff.get(f"/admin/shop/question/{question.pk}/delete/")).text
    assert page.index("These will be deleted too:") < page.index("2 choices") < page.index("These stay")
    assert "1 note <" in page
    await staff.post(f"/admin/shop/question/{question.pk}/delete/")
    assert await shop.Choice.objects.count() == 0
    assert (await shop.Note.objects.get(pk=note.pk)).choice_id is None


async def test_a_protected_deletion_is_refused_with_what_is_in_the_way(staff, shop, question, topic):
    address = f"/admin/shop/topic/{topic.pk}/delete/"
    page = (await staff.get(address)).text
    assert "1 question <" in page
    assert "Yes, delete it" not in page
    response = await staff.post(address)
    assert response.status_code == 409
    assert "<title>Error: Delete topic" in response.text
    assert 'role="alert"' in response.text
    assert "1 question <" in response.text
    assert await shop.Topic.objects.count() == 1


async def test_a_key_that_people_choose_is_asked_for_once(staff, shop):
    slug = "a/b ..é"
    assert 'name="slug"' in (await staff.get("/admin/shop/tag/add/")).text
    await staff.post("/admin/shop/tag/add/", data={"slug": slug, "label": "A"})
    page = (await staff.get("/admin/shop/tag/")).text
    address = "/admin/shop/tag/a_2Fb_20_2E_2E_C3_A9/change/"
    assert f'href="{address}"' in page
    assert 'name="slug"' not in (await staff.get(address)).text
    await staff.post(address, data={"label": "B", "slug": "other"})
    assert [(tag.slug, tag.label) for tag in await shop.Tag.objects.all()] == [(slug, "B")]
    assert (await staff.post("/admin/shop/tag/add/", data={"slug": slug, "label": "C"})).status_code == 422


async def test_a_uuid_is_a_key_as_well(staff, shop):
    note = await shop.Note.objects.create(id=uuid.UUID(int=7))
    assert (await staff.get(f"/admin/shop/note/{note.pk}/change/")).status_code == 200
    await staff.post("/admin/shop/note/add/", data={"choice": ""})
    assert await shop.Note.objects.count() == 2


async def test_markup_in_values_is_shown_and_never_run(staff, shop, topic):
    await shop.Topic.objects.filter(pk=topic.pk).update(name=EVIL)
    question = await shop.Question.objects.create(topic=topic, text=EVIL, details=EVIL)
    await shop.Choice.objects.create(question=question, text=EVIL)
    pages = [
        "/admin/shop/topic/?q=%3Cscript%3E",
        "/admin/shop/question/",
        "/admin/shop/choice/",
        f"/admin/shop/question/?q={EVIL}&order={EVIL}&page={EVIL}",
        f"/admin/shop/question/{question.pk}/change/",
        f"/admin/shop/question/{question.pk}/delete/",
        f"/admin/shop/topic/{topic.pk}/delete/",
    ]
    for page in pages:
        text = (await staff.get(page)).text
        assert "&lt;script&gt;" in text or "%3Cscript%3E" in text, page
        assert "<script" not in text, page
        assert "<b>" not in text, page
    wrong = await staff.post(
        f"/admin/shop/question/{question.pk}/change/", data=fields(question, topic=EVIL, text=EVIL)
    )
    assert wrong.status_code == 422
    assert "<script" not in wrong.text
    await staff.post(f"/admin/shop/question/{question.pk}/change/", data=fields(question, text=EVIL))
    assert "<script" not in (await staff.get("/admin/")).text


async def test_a_very_long_name_does_not_break_the_message(staff, shop, topic):
    await staff.post(
        "/admin/shop/question/add/",
        data={"topic": topic.pk, "text": "é" * 200, "published": "2026-01-01T00:00"},
    )
    assert "é…” was added." in (await staff.get("/admin/")).text


class TestChoices:
    @pytest.fixture
    def site(self, shop):
        from transom.admin import AdminSite

        class Mine(ModelAdmin):
            def get_queryset(self, request):
                return super().get_queryset(request).exclude(name="Hidden")

        site = AdminSite()
        site.register(shop.Topic, Mine)
        site.register(shop.Question, fields=["text", "topic"])
        return site

    async def test_what_a_user_may_not_see_cannot_be_seen_chosen_or_changed(self, staff, shop):
        hidden = await shop.Topic.objects.create(name="Hidden")
        assert "Hidden" not in (await staff.get("/admin/shop/topic/")).text
        assert (await staff.get(f"/admin/shop/topic/{hidden.pk}/change/")).status_code == 404
        assert (await staff.post(f"/admin/shop/topic/{hidden.pk}/delete/")).status_code == 404
        assert "Hidden" not in (await staff.get("/admin/shop/question/add/")).text
        data = {"text": "Tea?", "topic": hidden.pk}
        assert (await staff.post("/admin/shop/question/add/", data=data)).status_code == 422

    async def test_a_form_has_the_fields_that_are_named_and_the_others_have_their_defaults(self, staff, shop):
        topic = await shop.Topic.objects.create(name="Food")
        assert 'name="published"' not in (await staff.get("/admin/shop/question/add/")).text
        data = {"text": "Tea?", "topic": topic.pk, "is_open": "", "details": "smuggled"}
        assert (await staff.post("/admin/shop/question/add/", data=data)).status_code == 302
        made = await shop.Question.objects.get()
        assert (made.is_open, made.details) == (True, "")
