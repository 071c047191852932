"""Registration, the checks at start-up, keys in addresses, and the markup of every page."""

from html.parser import HTMLParser

import pytest

from transom.admin import AdminSite, ModelAdmin
from transom.admin.keys import quote_key, unquote_key
from transom.auth import User
from transom.db import models
from transom.forms.models import modelform_factory
from transom.web import DEFAULT_MIDDLEWARE, App, include, path

VOID = {"meta", "link", "input", "br", "hr", "img"}


def ids(app):
    return [message.id for message in app.check() if message.id.startswith("admin.")]


def test_a_complete_site_has_nothing_to_complain_of(make_app, site):
    assert make_app(site).check() == []


@pytest.mark.parametrize(
    ("missing", "expected"),
    [
        ({"installed_apps": ["transom.admin"]}, ["admin.E001"]),
        ({"installed_apps": ["transom.auth"]}, ["admin.E001"]),
        ({"middleware": DEFAULT_MIDDLEWARE}, ["admin.E002"]),
        ({"login_url": "nowhere:login"}, ["admin.E003"]),
        ({"login_url": "/my/login/"}, []),
    ],
)
def test_what_the_site_lacks_is_named_before_it_starts(make_app, site, missing, expected):
    assert ids(make_app(site, **missing)) == expected


@pytest.mark.parametrize(
    ("options", "expected"),
    [
        ({"list_display": ["txt"]}, "admin.E004"),
        ({"list_select_related": ["text"]}, "admin.E005"),
        ({"search_fields": ["votes__icontains"]}, "admin.E006"),
        ({"search_fields": ["is_open"]}, "admin.E006"),
        ({"ordering": ["nothing"]}, "admin.E007"),
        ({"fields": ["nothing"]}, "admin.E008"),
        ({"list_per_page": 0}, "admin.E009"),
        ({"form": ModelAdmin}, "admin.E010"),
        ({"form": modelform_factory(User, ["username"])}, "admin.E010"),
    ],
)
def test_what_is_wrong_with_a_model_is_named_before_it_starts(make_app, shop, options, expected):
    site = AdminSite()
    site.register(shop.Question, **options)
    assert ids(make_app(site)) == [expected]


def test_a_form_of_accounts_must_not_show_the_hash(make_app):
    site = AdminSite()
    site.register(User)
    assert ids(make_app(site)) == ["admin.W011"]


def test_a_site_without_an_administration_is_not_asked(shop):
    app = App([path("accounts/", include("transom.auth.urls"))], debug=True)
    assert ids(app) == []


def test_registration_refuses_what_could_only_be_a_mistake(shop):
    class Base(models.Model):
        class Meta:
            abstract = True
            app_label = "shop"

    class Stock(models.Model):
        pk = models.CompositePrimaryKey("shop", "product")
        shop = models.IntegerField()
        product = models.IntegerField()

    site = AdminSite()
    site.register(shop.Topic)
    with pytest.raises(ValueError, match=r"shop\.Topic is registered already"):
        site.register(shop.Topic)
    with pytest.raises(TypeError, match="abstract"):
        site.register(Base)
    with pytest.raises(TypeError, match=r"Stock\.pk is a CompositePrimaryKey, which no address"):
        site.register(Stock)
    with pytest.raises(TypeError, match="did you mean 'list_display'"):
        site.register(shop.Question, list_displays=["text"])
    assert site.urls
    with pytest.raises(RuntimeError, match=r"after site\.urls was read"):
        site.register(shop.Question)


def test_names_of_routes_are_those_of_django(make_app, site):
    app = make_app(site)
    assert app.reverse("admin:index") == "/admin/"
    assert app.reverse("admin:shop_topic_changelist") == "/admin/shop/topic/"
    assert app.reverse("admin:shop_topic_add") == "/admin/shop/topic/add/"
    assert app.reverse("admin:shop_topic_change", 3) == "/admin/shop/topic/3/change/"
    assert app.reverse("admin:shop_topic_delete", 3) == "/admin/shop/topic/3/delete/"


@pytest.mark.parametrize("key", ["", "a", "..", "a/b", "_", "_2F", "é\n\0", "x" * 300, 12, -5, "%2F", " "])
def test_a_key_survives_the_address(key):
    quoted = quote_key(key)
    assert quoted.replace("_", "").replace("-", "").isalnum() or quoted == "_"
    assert unquote_key(quoted) == str(key)


class Outline(HTMLParser):
    """What a browser and a screen reader make of a page: nesting, ids, labels, headings, landmarks."""

    def __init__(self):
        super().__init__()
        self.open, self.ids, self.references, self.labels = [], [], [], set()
        self.controls, self.headings, self.tags, self.inline = [], [], [], []

    def handle_starttag(self, tag, attrs):
        attributes = dict(attrs)
        self.tags.append(tag)
        if tag not in VOID:
            self.open.append(tag)
        if "id" in attributes:
            self.ids.append(attributes["id"])
        if tag == "label":
            self.labels.add(attributes["for"])
        for name in ("aria-labelledby", "aria-describedby"):
            self.references += (attributes.get(name) or "").split()
        if (tag in ("input", "select", "textarea")) and attributes.get("type") != "hidden":
            self.controls.append(attributes.get("id"))
        if tag in ("h1", "h2", "h3"):
            self.headings.append(int(tag[1]))
        self.inline += [name for name in attributes if name.startswith("on") or name == "style"]
        self.inline += [
            value for value in attributes.values() if (value or "").startswith(("http", "//", "javascript"))
        ]

    def handle_endtag(self, tag):
        assert self.open.pop() == tag


@pytest.mark.parametrize(
    ("method", "page", "status"),
    [
        ("GET", "/admin/", 200),
        ("GET", "/admin/shop/question/?q=tea&order=text", 200),
        ("GET", "/admin/shop/question/?page=2", 200),
        ("GET", "/admin/shop/tag/", 200),
        ("GET", "/admin/shop/question/add/", 200),
        ("GET", "/admin/shop/question/1/change/", 200),
        ("POST", "/admin/shop/question/1/change/", 422),
        ("GET", "/admin/shop/question/1/delete/", 200),
        ("POST", "/admin/shop/topic/1/delete/", 409),
    ],
)
async def test_every_page_is_well_formed_labelled_and_without_scripts(staff, shop, method, page, status):
    topic = await shop.Topic.objects.create(name="Tea")
    for number in range(4):
        await shop.Question.objects.create(topic=topic, text=f"Tea {number}?")
    response = await staff.request(method, page)
    assert response.status_code == status
    outline = Outline()
    outline.feed(response.text)
    outline.close()
    assert outline.open == []
    assert len(outline.ids) == len(set(outline.ids))
    assert set(outline.references) <= set(outline.ids)
    assert set(outline.controls) <= outline.labels
    assert outline.headings[0] == 1
    assert outline.headings.count(1) == 1
    assert {"header", "main"} <= set(outline.tags)
    assert not {"script", "style", "iframe"} & set(outline.tags)
    assert outline.inline == []
    assert '<html lang="en">' in response.text
    if "table" in outline.tags:
        assert "caption" in outline.tags


async def test_the_style_sheet_is_there(client):
    response = await client.get("/static/admin/admin.css")
    assert response.status_code == 200
    assert "prefers-color-scheme" in response.text or "light-dark(" in response.text
    assert "@import" not in response.text
    assert "url(" not in response.text
