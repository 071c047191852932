"""What the autodetector makes of two states of the models."""

from __future__ import annotations

from typing import Any

import pytest

from transom.db import models
from transom.db.migrations.autodetector import detect_changes
from transom.db.migrations.exceptions import DefaultNeeded, UnsupportedChange
from transom.db.migrations.graph import MigrationGraph
from transom.db.migrations.migration import Migration
from transom.db.migrations.model_state import ModelState
from transom.db.migrations.operations import AddField
from transom.db.migrations.questioner import InteractiveQuestioner, NonInteractiveQuestioner, Questioner
from transom.db.migrations.state import ProjectState
from transom.db.migrations.writer import migration_source


def key() -> models.Field[Any]:
    return models.BigAutoField(primary_key=True)


def text(**options: Any) -> models.Field[Any]:
    return models.CharField(max_length=20, **options)


def refer(to: str, **options: Any) -> models.Field[Any]:
    return models.ForeignKey(to, on_delete=models.CASCADE, **options)


def model(label: str, **fields: models.Field[Any]) -> ModelState:
    app_label, _, name = label.partition(".")
    return ModelState(app_label, name, {"id": key(), **fields})


def detect(
    before: list[ModelState],
    after: list[ModelState],
    history: list[Migration] | None = None,
    questioner: Questioner | None = None,
) -> list[Migration]:
    return detect_changes(
        ProjectState(before),
        ProjectState(after),
        MigrationGraph(history or []),
        questioner or NonInteractiveQuestioner(),
    )


def shown(migrations: list[Migration]) -> dict[str, list[str]]:
    return {str(m.key): [operation.describe() for operation in m.operations] for m in migrations}


def initial(*labels: str) -> list[Migration]:
    return [Migration("0001_initial", label) for label in labels]


def apply(before: list[ModelState], migrations: list[Migration]) -> ProjectState:
    state = ProjectState(before)
    graph = MigrationGraph(migrations)
    for node in graph.full_plan():
        graph.nodes[node].mutate_state(state)
    return state


def test_new_models_come_after_those_they_refer_to() -> None:
    made = detect(
        [], [model("polls.Choice", question=refer("Question")), model("polls.Question", text=text())]
    )
    assert shown(made) == {"polls.0001_initial": ["create model Question", "create model Choice"]}


def test_nothing_changed_makes_nothing() -> None:
    states = [model("polls.Question", text=text())]
    assert detect(states, [model("polls.Question", text=text())]) == []


def test_new_field_is_added_and_names_the_migration() -> None:
    before = [model("polls.Choice")]
    after = [model("polls.Choice", votes=models.IntegerField(default=0))]
    made = detect(before, after, initial("polls"))
    assert shown(made) == {"polls.0002_choice_votes": ["add field votes to choice"]}
    assert made[0].dependencies == [("polls", "0001_initial")]


def test_removed_field_and_model() -> None:
    before = [model("polls.Choice", votes=text()), model("polls.Question")]
    made = detect(before, [model("polls.Choice")], initial("polls"))
    assert shown(made) == {
        "polls.0002_remove_choice_votes_delete_question": [
            "remove field votes from choice",
            "delete model Question",
        ]
    }


def test_field_pointing_at_a_deleted_model_goes_first() -> None:
    before = [model("polls.Aa"), model("polls.Choice", aa=refer("Aa"))]
    made = detect(before, [model("polls.Choice")], initial("polls"))
    assert list(shown(made).values()) == [["remove field aa from choice", "delete model Aa"]]


def test_deleted_models_go_before_those_they_refer_to() -> None:
    before = [model("polls.Aa"), model("polls.Bb", aa=refer("Aa")), model("polls.Cc", bb=refer("Bb"))]
    made = detect(before, [], initial("polls"))
    assert list(shown(made).values()) == [["delete model Cc", "delete model Bb", "delete model Aa"]]


def test_deleted_ring_loses_one_reference_first() -> None:
    before = [model("polls.Aa", bb=refer("Bb")), model("polls.Bb", aa=refer("Aa"))]
    made = detect(before, [], initial("polls"))
    assert list(shown(made).values()) == [["remove field bb from aa", "delete model Bb", "delete model Aa"]]


def test_model_that_refers_to_itself_is_one_operation() -> None:
    made = detect([], [model("polls.Node", parent=refer("self", null=True))])
    assert list(shown(made).values()) == [["create model Node"]]


def test_ring_in_one_app_is_split() -> None:
    after = [
        model("polls.Aa", bb=refer("Bb")),
        model("polls.Bb", aa=refer("Aa")),
        model("polls.A0", aa=refer("Aa")),
    ]
    made = detect([], after)
    assert list(shown(made).values()) == [
        ["create model Aa", "create model A0", "create model Bb", "add field bb to aa"]
    ]
    assert apply([], made).models.keys() == ProjectState(after).models.keys()


def test_ring_between_apps_takes_a_second_migration() -> None:
    after = [model("aa.Aa", bb=refer("bb.Bb")), model("bb.Bb", aa=refer("aa.Aa"))]
    made = detect([], after)
    assert shown(made) == {
        "aa.0001_initial": ["create model Aa"],
        "aa.0002_aa_bb": ["add field bb to aa"],
        "bb.0001_initial": ["create model Bb"],
    }
    assert [m.dependencies for m in made] == [
        [],
        [("aa", "0001_initial"), ("bb", "0001_initial")],
        [("aa", "0001_initial")],
    ]
    assert detect(list(apply([], made).models.values()), after, made) == []


def test_reference_to_an_app_with_migrations_depends_on_its_last() -> None:
    user = model("auth.User")
    made = detect([user], [user, model("polls.Question", author=refer("auth.User"))], initial("auth"))
    assert made[0].dependencies == [("auth", "0001_initial")]


def test_reference_to_an_app_without_migrations_says_what_to_do() -> None:
    with pytest.raises(UnsupportedChange, match=r"refers to app 'auth'.*installed_apps"):
        detect([], [model("polls.Question", author=refer("auth.User"))])


def test_new_field_without_value_names_the_two_fixes() -> None:
    with pytest.raises(DefaultNeeded, match=r"polls\.Choice\.text is not null.*default=…, or null=True"):
        detect([model("polls.Choice")], [model("polls.Choice", text=text())], initial("polls"))


def test_answer_serves_the_rows_and_is_not_kept() -> None:
    answers, told = iter(["draft", "'draft'"]), list[str]()
    questioner = InteractiveQuestioner(ask=lambda _: next(answers), tell=told.append)
    before, after = [model("polls.Choice")], [model("polls.Choice", text=text())]
    made = detect(before, after, initial("polls"), questioner)
    operation = made[0].operations[0]
    assert isinstance(operation, AddField)
    assert (operation.field.default, operation.preserve_default) == ("draft", False)
    assert "write a text in quotes" in told[1]
    assert (
        not apply(before, [*initial("polls"), *made]).models["polls", "choice"].fields["text"].has_default()
    )


def test_answer_may_be_a_time() -> None:
    questioner = InteractiveQuestioner(
        ask=lambda _: "datetime.datetime(2026, 1, 2, tzinfo=datetime.UTC)", tell=lambda _: None
    )
    after = [model("polls.Choice", made=models.DateTimeField())]
    made = detect([model("polls.Choice")], after, initial("polls"), questioner)
    assert "default=datetime.datetime(2026, 1, 2, tzinfo=datetime.UTC)" in migration_source(made[0])


def test_empty_answer_gives_up_with_the_fixes() -> None:
    questioner = InteractiveQuestioner(ask=lambda _: "", tell=lambda _: None)
    with pytest.raises(DefaultNeeded, match="null=True"):
        detect([model("polls.Choice")], [model("polls.Choice", text=text())], initial("polls"), questioner)


@pytest.mark.parametrize("options", [{"null": True}, {"default": "x"}])
def test_new_field_with_a_value_asks_nothing(options: dict[str, Any]) -> None:
    assert detect([model("polls.Choice")], [model("polls.Choice", text=text(**options))], initial("polls"))


def test_change_that_the_database_sees_is_refused_with_all_of_them_listed() -> None:
    before = [model("polls.Choice", text=text(), votes=models.IntegerField())]
    after = [model("polls.Choice", text=models.CharField(max_length=9), votes=models.TextField())]
    with pytest.raises(
        UnsupportedChange, match=r"Choice\.text: max_length 20 became 9.*Choice\.votes: type .*TextField"
    ):
        detect(before, after, initial("polls"))


def test_change_that_the_database_does_not_see_needs_nothing() -> None:
    before = [model("polls.Choice", text=text(), q=refer("Choice"))]
    after = [
        model(
            "polls.Choice", text=text(default="x", help_text="?"), q=refer("polls.choice", related_name="cs")
        )
    ]
    assert detect(before, after, initial("polls")) == []


def test_changed_primary_key_is_refused() -> None:
    before = [ModelState("polls", "Choice", {"id": key()})]
    after = [ModelState("polls", "Choice", {"code": text(primary_key=True)})]
    with pytest.raises(UnsupportedChange, match=r"primary key of polls\.Choice: 'id' became 'code'"):
        detect(before, after, initial("polls"))


def test_changed_table_is_refused() -> None:
    after = [ModelState("polls", "Choice", {"id": key()}, {"db_table": "choices"})]
    with pytest.raises(UnsupportedChange, match=r"Meta of polls\.Choice"):
        detect([model("polls.Choice")], after, initial("polls"))


def test_long_names_are_cut() -> None:
    after = [model("polls.Choice", **{f"field_number_{n}": text(default="") for n in range(9)})]
    made = detect([model("polls.Choice")], after, initial("polls"))
    assert made[0].name == "0002_choice_field_number_0_choice_field_number_1_and_more"


def test_numbers_go_on_after_the_greatest() -> None:
    history = [Migration("0041_x", "polls")]
    made = detect([model("polls.Choice")], [model("polls.Choice", text=text(null=True))], history)
    assert made[0].name == "0042_choice_text"


def many(to: str, **options: Any) -> models.Field[Any]:
    return models.ManyToManyField(to, **options)


def test_a_many_to_many_field_comes_after_both_of_its_models() -> None:
    after = [model("polls.Question", tags=many("polls.Tag")), model("polls.Tag")]
    made = detect([], after)
    assert shown(made) == {"polls.0001_initial": ["create model Tag", "create model Question"]}
    assert 'models.ManyToManyField(to="polls.Tag")' in migration_source(made[0])
    assert detect(after, apply([], made).models.values()) == []  # type: ignore[arg-type]


def test_a_many_to_many_field_needs_no_default_for_rows_that_exist() -> None:
    before = [model("polls.Question"), model("polls.Tag")]
    after = [model("polls.Question", tags=many("polls.Tag")), model("polls.Tag")]
    assert shown(detect(before, after, initial("polls"))) == {
        "polls.0002_question_tags": ["add field tags to question"]
    }
    assert shown(detect(after, [model("polls.Question")], initial("polls"))) == {
        "polls.0002_remove_question_tags_delete_tag": ["remove field tags from question", "delete model Tag"]
    }


def test_a_model_in_between_breaks_the_ring_it_makes() -> None:
    after = [
        model("polls.Group", members=many("Person", through="polls.Membership")),
        model("polls.Membership", group=refer("Group"), person=refer("Person")),
        model("polls.Person"),
    ]
    made = detect([], after)
    assert shown(made) == {
        "polls.0001_initial": [
            "create model Person",
            "create model Group",
            "create model Membership",
            "add field members to group",
        ]
    }
    assert set(apply([], made).models) == {state.key for state in after}
    gone = detect(after, [], initial("polls"))
    state = ProjectState(after)
    for operation in gone[0].operations:
        operation.state_forwards("polls", state)
    assert state.models == {}


def test_another_model_in_between_is_refused() -> None:
    between = model("polls.Link", group=refer("Group"), tag=refer("Tag"))
    before = [model("polls.Group", tags=many("Tag")), model("polls.Tag"), between]
    after = [model("polls.Group", tags=many("Tag", through="polls.Link")), model("polls.Tag"), between]
    with pytest.raises(UnsupportedChange, match=r"Group.tags: through"):
        detect(before, after, initial("polls"))
