"""How class statements become models: names, relations, registry, and the mistakes that are told at once."""

from __future__ import annotations

import subprocess
import sys
import textwrap
from datetime import UTC, datetime
from typing import Any

import pytest

from transom.db import FieldError, NotLoaded, models
from transom.db.models import registry


class Question(models.Model):
    choices: models.Related[Choice]

    text = models.CharField("question text", max_length=200)
    published = models.DateTimeField(default=lambda: datetime(2024, 1, 1, tzinfo=UTC))

    class Meta:
        app_label = "definitions"
        ordering = ["-published"]


class Choice(models.Model):
    question = models.ForeignKey(Question, models.CASCADE, related_name="choices")
    votes = models.IntegerField(default=0)

    class Meta:
        app_label = "definitions"
        db_table = "votes"


class Stamped(models.Model):
    created = models.DateTimeField(auto_now_add=True)
    owner: models.ForeignKey[Question] = models.ForeignKey(
        "definitions.Question", models.CASCADE, related_name="%(class)ss"
    )

    class Meta:
        abstract = True
        ordering = ["created"]


class Note(Stamped):
    text = models.TextField()


class Memo(Stamped):
    created = models.DateTimeField(null=True)  # type: ignore[assignment]  # pyright: ignore


def test_names_follow_from_the_class_and_its_application() -> None:
    meta = Question._meta
    assert (meta.label, meta.db_table, meta.model_name) == (
        "definitions.Question",
        "definitions_question",
        "question",
    )
    assert Choice._meta.db_table == "votes"
    assert [field.column for field in Choice._meta.fields] == ["id", "question_id", "votes"]
    assert meta.pk.deconstruct() == ("id", "transom.db.models.BigAutoField", [], {"primary_key": True})
    assert Note._meta.app_label == "test_models_definition"
    assert meta.ordering == ("-published",)


def test_app_label_is_the_package_before_models() -> None:
    made = type(models.Model)("Thing", (models.Model,), {"__module__": "site.shop.models.things"})
    assert made._meta.label == "shop.Thing"


def test_fields_are_columns_on_the_class_and_values_on_objects() -> None:
    question = Question(text="x")
    assert repr(Question.text.icontains("a")) == "Q(text__icontains='a')"
    assert (question.text, question.published.year, question.pk) == ("x", 2024, None)
    question.text = "y"
    assert question.text == "y"
    assert repr(Choice.question.follow(Question.text) == "y") == "Q(question__text__exact='y')"


def test_the_constructor_takes_objects_and_keys() -> None:
    question = Question(pk=4, text="x")
    assert Choice(question=question).question_id == 4  # type: ignore[attr-defined]
    assert Choice(question_id=5).question_id == 5  # type: ignore[attr-defined]
    with pytest.raises(
        TypeError, match="Choice has no field 'vote'; choose from id, question, question_id, votes"
    ):
        Choice(vote=1)
    with pytest.raises(TypeError, match="got both 'question' and 'question_id'"):
        Choice(question=question, question_id=4)
    with pytest.raises(NotLoaded):
        _ = Choice(question_id=5).question


def test_abstract_models_hand_down_copies_of_their_fields() -> None:
    assert [f.name for f in Note._meta.fields] == ["id", "created", "owner", "text"]
    assert Memo._meta.get_field("created").null
    assert not Note._meta.get_field("created").null
    assert Note._meta.get_field("owner").model is Note
    assert {relation.accessor_name for relation in Question._meta.related_objects} == {
        "choices",
        "notes",
        "memos",
    }
    assert Memo._meta.ordering == ("created",)
    with pytest.raises(TypeError, match="only an abstract model"):
        type(models.Model)("Sub", (Note,), {"__module__": __name__})


def test_relations_wait_for_models_defined_later() -> None:
    class Early(models.Model):
        late: models.ForeignKey[Any] = models.ForeignKey("Late", models.CASCADE)

    with pytest.raises(FieldError, match=r"Early.late refers to 'Late', which is not defined"):
        Early._meta.get_field("late").remote_field.target  # noqa: B018

    class Late(models.Model):
        name = models.TextField()

    assert Early._meta.get_field("late").remote_field.target is Late
    assert Late._meta.related_objects[0].accessor_name == "early_set"
    assert Late._meta.related_objects[0].query_name == "early"


def test_the_registry_finds_models_by_name() -> None:
    assert registry.get_model("definitions.question") is Question
    assert registry.get_models("definitions") == [Question, Choice]
    with pytest.raises(LookupError, match=r"did you mean 'definitions.Question'"):
        registry.get_model("definitions.Qestion")


def test_two_classes_of_one_name_are_refused() -> None:
    with pytest.raises(RuntimeError, match=r"two models are called 'definitions\.Question'"):
        type(models.Model)("Question", (models.Model,), {"__module__": "definitions.models"})


MISTAKES: list[tuple[dict[str, Any], str]] = [
    ({"Meta": type("Meta", (), {"db_tabel": "x"})}, "unknown option 'db_tabel'; choose from abstract"),
    ({"a__b": models.TextField()}, "two underscores"),
    ({"a = 1": models.TextField()}, "no attribute name"),
    ({"class": models.TextField()}, "no attribute name"),
    ({"pk": models.TextField()}, "'pk' is the primary key"),
    ({"id": models.TextField()}, "id is not the primary key"),
    ({"a": models.UUIDField(primary_key=True), "b": models.UUIDField(primary_key=True)}, "two primary keys"),
    (
        {"q": models.ForeignKey(Question, models.CASCADE, related_name="text")},
        "reverse name 'text' .* is taken",
    ),
    (
        {"q": models.ForeignKey(Question, models.CASCADE), "q_id": models.TextField()},
        "two fields named 'q_id'",
    ),
]


@pytest.mark.parametrize(("body", "message"), MISTAKES)
def test_mistakes_in_a_class_are_told_when_it_is_made(body: dict[str, Any], message: str) -> None:
    with pytest.raises(TypeError, match=message):
        type(models.Model)("Wrong", (models.Model,), {"__module__": __name__, **body})


def test_mistakes_in_options_are_told_when_the_field_is_made() -> None:
    wrong: list[tuple[Any, str]] = [
        (lambda: models.JSONField(default={}), "shared by all objects"),
        (lambda: models.ForeignKey(Question, models.SET_NULL), "needs null=True"),
        (lambda: models.ForeignKey(Question, models.SET_DEFAULT, default=lambda: 1), "constant default"),
        (lambda: models.DateTimeField(auto_now=True, default=None), "drop default"),  # type: ignore[call-overload]
        (lambda: models.DecimalField(max_digits=2, decimal_places=3), "decimal_places=3"),
        (lambda: models.TextField(uniq=True), "no option 'uniq'; choose from blank"),  # type: ignore[call-overload]
        (lambda: models.TextField(primary_key=True, null=True), "takes no NULL"),
    ]
    for make, message in wrong:
        with pytest.raises(TypeError, match=message):
            make()


FIELDS: list[models.Field[Any]] = [
    models.CharField(max_length=5, unique=True, default="x"),
    models.DateTimeField(auto_now_add=True),
    models.DecimalField("the price", max_digits=5, decimal_places=2, null=True),
    models.ForeignKey("definitions.Question", models.RESTRICT, related_name="+", db_index=False),
    models.BooleanField(db_column="flag", db_index=True, help_text="?"),
]


@pytest.mark.parametrize("field", FIELDS)
def test_a_deconstructed_field_can_be_made_again(field: models.Field[Any]) -> None:
    field.set_name("thing")
    name, path, arguments, keywords = field.deconstruct()
    again = getattr(models, path.rpartition(".")[2])(*arguments, **keywords)
    again.set_name(name)
    assert again.deconstruct() == (name, path, arguments, keywords)
    assert path.startswith("transom.db.models.")


def test_a_manager_of_ones_own_keeps_its_methods() -> None:
    class Loud(models.Manager["Shout"]):
        def get_queryset(self) -> models.QuerySet[Shout]:
            return super().get_queryset().filter(volume__gt=5)

        def louder_than(self, volume: int) -> models.QuerySet[Shout]:
            return self.filter(volume__gt=volume)

    class Shout(models.Model):
        volume = models.IntegerField()
        objects = Loud()

    assert Shout.objects.louder_than(7).model is Shout
    with pytest.raises(AttributeError, match=r"from the class"):
        Shout(volume=1).objects  # noqa: B018
    assert not hasattr(Question(), "objects")


@pytest.mark.slow
def test_defining_models_imports_no_sql_library() -> None:
    program = """
        import sys
        from transom.db import models, Q, F, atomic, create_tables
        class Question(models.Model):
            text = models.CharField(max_length=5)
        Question.objects.filter(Q(text="x") | Q(pk=F("id"))).exclude(text__in=["a"]).order_by("-text")[:5]
        heavy = {"sqlalchemy", "alembic", "asyncpg", "asyncmy"} & set(sys.modules)
        assert not heavy, heavy
    """
    subprocess.run([sys.executable, "-c", textwrap.dedent(program)], check=True)
