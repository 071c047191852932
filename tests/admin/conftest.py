"""A site with an administration: topics, questions and choices, and people of every kind."""

import uuid
from datetime import UTC, datetime
from types import SimpleNamespace

import pytest

from transom.admin import AdminSite, ModelAdmin, display
from transom.auth import User, login
from transom.db import connections, create_tables, models
from transom.db.backends.sqlite.backend import SQLiteBackend
from transom.sessions import sessions
from transom.testing import Client
from transom.web import DEFAULT_MIDDLEWARE, App, Response, include, path

MADE = datetime(2026, 1, 2, 3, 4, tzinfo=UTC)


class Topic(models.Model):
    name = models.CharField(max_length=50, unique=True)

    class Meta:
        app_label = "shop"
        ordering = ["name"]

    def __str__(self):
        return self.name


class Question(models.Model):
    topic = models.ForeignKey(Topic, models.PROTECT)
    text = models.CharField(max_length=200)
    details = models.TextField(blank=True, default="")
    is_open = models.BooleanField(default=True)
    published = models.DateTimeField(default=lambda: MADE)

    class Meta:
        app_label = "shop"

    def __str__(self):
        return self.text


class Choice(models.Model):
    question = models.ForeignKey(Question, models.CASCADE, related_name="choices")
    text = models.CharField(max_length=200)
    votes = models.IntegerField(default=0)

    class Meta:
        app_label = "shop"

    def __str__(self):
        return f"{self.question}: {self.text}"


class Note(models.Model):
    choice = models.ForeignKey(Choice, models.SET_NULL, null=True, blank=True)
    id = models.UUIDField(primary_key=True, default=uuid.uuid4)

    class Meta:
        app_label = "shop"


class Tag(models.Model):
    slug = models.CharField(max_length=30, primary_key=True)
    label = models.CharField(max_length=30)

    class Meta:
        app_label = "shop"


MODELS = (Topic, Question, Choice, Note, Tag)


def build_site():
    site = AdminSite("Shop office")
    site.register(Topic, search_fields=["name"])
    site.register(
        Choice,
        list_display=["text", "question", "question__topic", "votes"],
        list_select_related=["question"],
        search_fields=["text", "question__topic__name"],
    )
    site.register(Note, list_display=["pk", "choice_id"])
    site.register(Tag, list_display=["slug", "label"])

    @site.register(Question)
    class QuestionAdmin(ModelAdmin[Question]):
        list_display = ["text", "topic", "is_open", "published", "shout", "details"]
        search_fields = ["text", "choices__text"]
        list_per_page = 3

        @display(description="Loudly", ordering="text")
        def shout(self, question):
            return question.text.upper()

    return site


async def enter(request, pk):
    """Log in without a password."""
    await login(request, await User.objects.get(pk=pk))
    return Response("welcome")


def build_app(site, **changes):
    options = {
        "middleware": [*DEFAULT_MIDDLEWARE, sessions()],
        "installed_apps": ["transom.auth", "transom.admin"],
        "databases": {"default": "sqlite:///:memory:"},
        "secret_key": "k" * 40,
    }
    urls = [
        path("admin/", include(site.urls, namespace="admin")),
        path("accounts/", include("transom.auth.urls")),
        path("enter/<int:pk>/", enter),
    ]
    return App(urls, **(options | changes))


@pytest.fixture
def shop():
    """The models."""
    return SimpleNamespace(**{model.__name__: model for model in MODELS})


@pytest.fixture
def site():
    return build_site()


@pytest.fixture
def settings():
    """Settings of the site; override it where a test is about one."""
    return {}


@pytest.fixture
async def client(site, settings):
    """A browser that nobody is logged in with."""
    async with Client(build_app(site, **settings), headers={"Sec-Fetch-Site": "same-origin"}) as client:
        await create_tables(User, *MODELS)
        yield client
    connections.configure({})


@pytest.fixture
def make_app():
    return build_app


@pytest.fixture
def log_in(client):
    async def log_in(**fields):
        user = await User.objects.create(username=fields.pop("username", "ann"), password="!", **fields)
        await client.get(f"/enter/{user.pk}/")
        return user

    return log_in


@pytest.fixture
async def staff(client, log_in):
    """The browser of a member of the staff."""
    await log_in(is_staff=True)
    return client


@pytest.fixture
def statements(monkeypatch):
    """The statements that read, in order."""
    seen = []
    fetch = SQLiteBackend.fetch

    async def count(self, sql, *args):
        seen.append(sql)
        return await fetch(self, sql, *args)

    monkeypatch.setattr(SQLiteBackend, "fetch", count)
    return seen
