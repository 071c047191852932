"""ListView, DetailView and the views with forms, through the client, on SQLite."""

import pytest

from transom.conf import ImproperlyConfigured
from transom.db import models
from transom.forms import CharField, Form
from transom.forms.models import ModelForm
from transom.views import (
    CreateView,
    DeleteView,
    DetailView,
    EmptyPage,
    FormView,
    ListView,
    PageNotAnInteger,
    Paginator,
    UpdateView,
)
from transom.web import Http404, Response


class Shelf(models.Model):
    name = models.CharField(max_length=10, unique=True)
    slug = models.CharField(max_length=10, default="")

    def __str__(self):
        return self.name


class Novel(models.Model):
    title = models.CharField(max_length=10)
    shelf = models.ForeignKey(Shelf, on_delete=models.PROTECT, related_name="novels")

    def get_absolute_url(self):
        return f"/novels/{self.pk}/"


MODELS = (Shelf, Novel)
LABEL = Shelf._meta.app_label


async def fill(number):
    for index in range(number):
        await Shelf.objects.create(name=f"s{index + 1}", slug=f"slug-{index + 1}")


# -- lists ---------------------------------------------------------------------------------------------------------

ROWS = "{% for shelf in object_list %}{{ shelf }} {% else %}none{% endfor %}"
PAGES = (
    "|{{ page_obj.number }}/{{ page_obj.num_pages }} "
    "{{ page_obj.start_index }}-{{ page_obj.end_index }} of {{ page_obj.count }}"
)


async def test_a_list_shows_all_objects_in_the_usual_template(serve):
    view = ListView.as_view(model=Shelf)
    source = ROWS + "|{{ shelf_list | length }}|{{ page_obj is none }}|{{ is_paginated }}"
    client = await serve([("", view)], {f"{LABEL}/shelf_list.html": source}, MODELS)
    assert (await client.get("/")).text == "none|0|True|False"
    await fill(2)
    assert (await client.get("/")).text == "s1 s2 |2|True|False"


async def test_a_list_by_pages(serve):
    view = ListView.as_view(queryset=Shelf.objects.order_by("-id"), paginate_by=2)
    source = ROWS + PAGES + "{{ page_obj.has_previous }}{{ page_obj.has_next }}"
    client = await serve([("", view)], {f"{LABEL}/shelf_list.html": source}, MODELS)
    await fill(5)
    assert (await client.get("/")).text == "s5 s4 |1/3 1-2 of 5FalseTrue"
    assert (await client.get("/?page=2")).text == "s3 s2 |2/3 3-4 of 5TrueTrue"
    assert (await client.get("/?page=last")).text == "s1 |3/3 5-5 of 5TrueFalse"


@pytest.mark.parametrize("page", ["4", "0", "-1", "x", "1.5", "%D9%A1", "9" * 5000])
async def test_a_page_that_is_not_there_is_404(serve, page):
    view = ListView.as_view(model=Shelf, paginate_by=2)
    client = await serve([("", view)], {f"{LABEL}/shelf_list.html": ROWS}, MODELS)
    await fill(5)
    assert (await client.get(f"/?page={page}")).status_code == 404


async def test_a_list_may_be_narrowed_named_and_forbidden_to_be_empty(serve):
    class Starting(ListView[Shelf]):
        template_name = "shelves.html"
        context_object_name = "shelves"
        allow_empty = False

        async def get_queryset(self):
            return Shelf.objects.filter(name__startswith=self.kwargs["start"])

    client = await serve([("<str:start>/", Starting.as_view())], {"shelves.html": "{{ shelves[0] }}"}, MODELS)
    await fill(1)
    assert (await client.get("/s/")).text == "s1"
    assert (await client.get("/x/")).status_code == 404


async def test_a_page_knows_its_place(serve):
    await serve([], models=MODELS)
    await fill(5)
    paginator = Paginator(Shelf.objects.all(), 2)
    page = await paginator.page("2")
    assert [shelf.name for shelf in page] == ["s3", "s4"]
    assert (len(page), page.next_page_number, page.previous_page_number) == (2, 3, 1)
    assert list(page.page_range) == [1, 2, 3]
    assert page.has_other_pages
    with pytest.raises(EmptyPage, match="no page 4; the last is 3"):
        await paginator.page(4)
    with pytest.raises(PageNotAnInteger, match="'x' is no whole number"):
        await paginator.page("x")
    with pytest.raises(ValueError, match="at least 1"):
        Paginator(Shelf.objects.all(), 0)


async def test_the_first_page_of_nothing_is_empty(serve):
    await serve([], models=MODELS)
    page = await Paginator(Shelf.objects.all(), 2).page(1)
    assert (list(page), page.num_pages, page.start_index, page.end_index) == ([], 1, 0, 0)


# -- one object ----------------------------------------------------------------------------------------------------


async def test_an_object_is_found_by_its_key_or_slug(serve):
    templates = {f"{LABEL}/shelf_detail.html": "{{ object }} {{ shelf.pk }}"}
    view = DetailView.as_view(model=Shelf)
    client = await serve([("<int:pk>/", view), ("by/<str:slug>/", view)], templates, MODELS)
    await fill(2)
    assert (await client.get("/2/")).text == "s2 2"
    assert (await client.get("/by/slug-1/")).text == "s1 1"
    assert (await client.get("/3/")).status_code == 404
    assert (await client.get(f"/{10**30}/")).status_code == 404


async def test_a_route_that_names_no_object_says_what_is_missing(serve):
    client = await serve([("<int:id>/", DetailView.as_view(model=Shelf))], {}, MODELS)
    with pytest.raises(ImproperlyConfigured, match="must have a parameter 'pk' or 'slug'; it has: id"):
        await client.get("/1/")


# -- forms ---------------------------------------------------------------------------------------------------------


class Ask(Form):
    question = CharField(min_length=3)


async def test_a_form_is_shown_validated_and_shown_again(serve):
    asked = []

    class AskView(FormView[Ask]):
        form_class = Ask
        template_name = "ask.html"
        success_url = "/thanks/"
        initial = {"question": "why?"}

        async def form_valid(self, form):
            asked.append(form.question.cleaned)
            return await super().form_valid(form)

    source = '<form method="post">{{ csrf_input }}{{ form }}</form>'
    client = await serve([("", AskView.as_view())], {"ask.html": source})
    shown = await client.get("/")
    assert 'value="why?"' in shown.text
    assert "csrfmiddlewaretoken" in shown.text
    wrong = await client.post("/", data={"question": "<b"})
    assert wrong.status_code == 422
    assert 'value="&lt;b"' in wrong.text
    assert 'href="#id_question"' in wrong.text
    right = await client.post("/", data={"question": "where?"})
    assert (right.status_code, right.headers["location"]) == (302, "/thanks/")
    assert asked == ["where?"]


async def test_an_object_is_made(serve):
    view = CreateView.as_view(model=Novel, fields=["title", "shelf"])
    templates = {f"{LABEL}/novel_form.html": "{{ form }}{{ object is none }}"}
    client = await serve([("new/", view)], templates, MODELS)
    await fill(1)
    shown = await client.get("/new/")
    assert "s1</option>" in shown.text
    assert shown.text.endswith("True")
    wrong = await client.post("/new/", data={"title": "x", "shelf": "9"})
    assert wrong.status_code == 422
    assert await Novel.objects.count() == 0
    right = await client.post("/new/", data={"title": "Emma", "shelf": "1"})
    assert (right.status_code, right.headers["location"]) == (302, "/novels/1/")
    assert (await Novel.objects.get()).title == "Emma"


async def test_a_unique_value_that_is_taken_while_the_form_is_saved_is_an_error_of_the_form(serve):
    class Racing(ModelForm[Shelf]):
        class Meta:
            fields = ["name"]

        async def save(self):
            await Shelf.objects.create(name="taken")
            return await super().save()

    view = CreateView.as_view(form_class=Racing, success_url="/")
    client = await serve([("", view)], {f"{LABEL}/shelf_form.html": "{{ form }}"}, MODELS)
    response = await client.post("/", data={"name": "taken"})
    assert response.status_code == 422
    assert "already one with this value" in response.text


async def test_an_object_is_changed(serve):
    view = UpdateView.as_view(model=Shelf, fields=["name"], success_url="page-0")
    templates = {f"{LABEL}/shelf_form.html": "{{ shelf.name }} {{ form['name'] }}"}
    client = await serve([("", ListView.as_view(model=Shelf)), ("<int:pk>/", view)], templates, MODELS)
    await fill(2)
    assert 'value="s2"' in (await client.get("/2/")).text
    taken = await client.post("/2/", data={"name": "s1"})
    assert taken.status_code == 422
    assert taken.text.startswith("s2 ")  # the object is as it is stored
    right = await client.post("/2/", data={"name": "top"})
    assert (right.status_code, right.headers["location"]) == (302, "/")
    assert (await Shelf.objects.get(pk=2)).slug == "slug-2"
    assert [shelf.name async for shelf in Shelf.objects.order_by("id")] == ["s1", "top"]
    assert (await client.post("/3/", data={"name": "x"})).status_code == 404


async def test_the_objects_of_a_form_class_may_be_narrowed(serve):
    class ShelfForm(ModelForm[Shelf]):
        class Meta:
            fields = ["name"]

    class Mine(UpdateView[Shelf]):
        form_class = ShelfForm
        success_url = "/"

        async def get_queryset(self):
            return (await super().get_queryset()).filter(name="s1")

    client = await serve([("<int:pk>/", Mine.as_view())], {f"{LABEL}/shelf_form.html": "{{ form }}"}, MODELS)
    await fill(2)
    assert (await client.get("/1/")).status_code == 200
    assert (await client.get("/2/")).status_code == 404


async def test_an_object_is_deleted_after_a_question(serve):
    view = DeleteView.as_view(model=Shelf, success_url="/")
    templates = {
        f"{LABEL}/shelf_confirm_delete.html": "{{ 'protected' if protected else 'sure' }}: {{ shelf }}"
    }
    client = await serve([("<int:pk>/", view)], templates, MODELS)
    await fill(2)
    await Novel.objects.create(title="Emma", shelf_id=2)
    assert (await client.get("/1/")).text == "sure: s1"
    assert await Shelf.objects.count() == 2
    assert (await client.post("/1/")).headers["location"] == "/"
    assert (await client.post("/1/")).status_code == 404
    refused = await client.post("/2/")
    assert (refused.status_code, refused.text) == (409, "protected: s2")
    assert await Shelf.objects.count() == 1


@pytest.mark.parametrize(
    ("view", "settings", "message"),
    [
        (ListView, {}, "ListView does not say what to show"),
        (DetailView, {}, "DetailView does not say what to show"),
        (FormView, {"template_name": "x"}, "FormView has no form"),
        (FormView, {"form_class": Ask}, "FormView has no template"),
        (FormView, {"form_class": Ask, "template_name": "x"}, "FormView does not say where to go"),
        (CreateView, {"model": Shelf}, "needs either fields or form_class"),
        (CreateView, {"fields": ["name"]}, "CreateView does not say what to show"),
        (CreateView, {"model": Shelf, "fields": ["name"]}, "CreateView does not say where to go"),
        (DeleteView, {"model": Shelf}, "DeleteView does not say where to go"),
    ],
)
def test_what_is_missing_is_said_when_the_view_is_made(view, settings, message):
    with pytest.raises(ImproperlyConfigured, match=message):
        view.as_view(**settings)


def test_what_a_class_does_itself_it_need_not_say():
    class Own(FormView[Ask]):
        form_class = Ask
        template_name = "x.html"

        async def form_valid(self, form):
            return Response("done")

    class Found(DetailView[Shelf]):
        async def get_object(self):
            raise Http404

    assert Own.as_view()
    assert Found.as_view()
