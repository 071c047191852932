"""Primary keys of several columns in migrations: states, what the autodetector makes of them, files, tables."""

from __future__ import annotations

from typing import Any

import pytest

from transom.db import connections, models
from transom.db.backends.base import Backend
from transom.db.migrations import ddl
from transom.db.migrations.autodetector import detect_changes
from transom.db.migrations.exceptions import UnsupportedChange
from transom.db.migrations.graph import MigrationGraph
from transom.db.migrations.migration import Migration
from transom.db.migrations.model_state import ModelState
from transom.db.migrations.operations import AddField, Operation, RemoveField
from transom.db.migrations.questioner import NonInteractiveQuestioner
from transom.db.migrations.schema_editor import SchemaEditor
from transom.db.migrations.state import ProjectState
from transom.db.migrations.writer import migration_source


def model(label: str, **fields: models.Field[Any]) -> ModelState:
    app_label, _, name = label.partition(".")
    key = {} if "pk" in fields else {"id": models.BigAutoField(primary_key=True)}
    return ModelState(app_label, name, {**key, **fields})


def refer(to: str) -> models.Field[Any]:
    return models.ForeignKey(to, on_delete=models.CASCADE)


def item(*key: str, **fields: models.Field[Any]) -> ModelState:
    return model(
        "shop.Item",
        pk=models.CompositePrimaryKey(*(key or ("tenant_id", "number"))),
        number=models.IntegerField(),
        tenant=refer("Tenant"),
        **fields,
    )


def detect(before: list[ModelState], after: list[ModelState]) -> list[Migration]:
    history = MigrationGraph([Migration("0001_initial", "shop")] if before else [])
    return detect_changes(ProjectState(before), ProjectState(after), history, NonInteractiveQuestioner())


class Tenant(models.Model):
    class Meta:
        app_label = "shop"


class Item(models.Model):
    pk = models.CompositePrimaryKey("tenant_id", "number")
    number = models.IntegerField()
    tenant = models.ForeignKey(Tenant, models.CASCADE)

    class Meta:
        app_label = "shop"


def test_the_key_is_part_of_the_state_and_of_the_file() -> None:
    state = ModelState.from_model(Item)
    assert state.pk_name == "pk"
    assert state.key_fields == ("tenant", "number")
    (made,) = detect([], [ModelState.from_model(Tenant), state])
    source = migration_source(made)
    assert '("pk", models.CompositePrimaryKey("tenant_id", "number")),' in source
    names: dict[str, Any] = {}
    exec(source, names)  # what was written is what is run
    again = ProjectState()
    names["Migration"]("0001_initial", "shop").mutate_state(again)
    assert detect_changes(
        again, ProjectState([ModelState.from_model(Tenant), state]), MigrationGraph([]), NonInteractiveQuestioner()
    ) == []  # fmt: skip


def test_a_model_of_the_past_has_the_key() -> None:
    state = ProjectState([model("shop.Tenant"), item()])
    past = state.apps.get_model("shop", "Item")
    assert past(pk=(1, 2)).tenant_id == 1
    assert past._meta.pk_fields == (past._meta.get_field("tenant"), past._meta.get_field("number"))


def test_other_names_of_the_same_fields_are_no_change() -> None:
    assert detect([model("shop.Tenant"), item()], [model("shop.Tenant"), item("tenant", "number")]) == []


@pytest.mark.parametrize(
    ("before", "after", "change"),
    [
        (item(), item("number", "tenant"), r"\('tenant', 'number'\) became \('number', 'tenant'\)"),
        (
            item(),
            item("tenant", "number", "part", part=models.IntegerField(default=0)),
            r"\('tenant', 'number'\) became \('tenant', 'number', 'part'\)",
        ),
        (
            model("shop.Item", number=models.IntegerField(), tenant=refer("Tenant")),
            item(),
            r"'id' became \('tenant', 'number'\)",
        ),
        (
            item(),
            model("shop.Item", number=models.IntegerField(), tenant=refer("Tenant")),
            r"\('tenant', 'number'\) became 'id'",
        ),
    ],
)
def test_another_key_is_refused_with_what_to_do(before: ModelState, after: ModelState, change: str) -> None:
    with pytest.raises(
        UnsupportedChange, match=rf"the changed primary key of shop\.Item: {change} \(make a model with"
    ):
        detect([model("shop.Tenant"), before], [model("shop.Tenant"), after])


def test_a_ring_is_broken_where_no_key_is() -> None:
    """`members` can come after both tables, `group` cannot: the key of Assignment needs it."""
    after = [
        model("shop.Group", members=models.ManyToManyField("Person", through="shop.Assignment")),
        model(
            "shop.Assignment",
            pk=models.CompositePrimaryKey("group", "person"),
            group=refer("Group"),
            person=refer("Person"),
        ),
        model("shop.Person"),
    ]
    (made,) = detect([], after)
    assert [operation.describe() for operation in made.operations] == [
        "create model Person", "create model Group", "create model Assignment", "add field members to group",
    ]  # fmt: skip
    (gone,) = detect(after, [])
    state = ProjectState(after)
    for operation in gone.operations:
        operation.state_forwards("shop", state)
        assert all(state.apps.get_models())
    assert state.models == {}


async def apply(state: ProjectState, *operations: Operation) -> ProjectState:
    editor = SchemaEditor(connections.backend("default").vendor, connections.executor())
    for operation in operations:
        after = state.clone()
        operation.state_forwards("shop", after)
        await operation.database_forwards("shop", editor, state, after)
        state = after
    return state


async def primary_key(table: str) -> list[str]:
    executor = connections.executor()
    catalogue = {
        "sqlite": f"SELECT name FROM pragma_table_info('{table}') WHERE pk > 0 ORDER BY pk",
        "postgresql": "SELECT attname FROM pg_index JOIN unnest(indkey) WITH ORDINALITY AS k(n, at) ON true JOIN pg_attribute "
        f"ON attrelid = indrelid AND attnum = n WHERE indisprimary AND indrelid = '{table}'::regclass ORDER BY at",
        "mysql": "SELECT column_name FROM information_schema.statistics WHERE table_schema = DATABASE() "
        f"AND table_name = '{table}' AND index_name = 'PRIMARY' ORDER BY seq_in_index",
    }
    return [row[0] for row in await executor.fetch(catalogue[executor.vendor])]


async def test_tables_have_the_key_in_its_order_and_keep_it_when_they_change(database: Backend) -> None:
    (made,) = detect([], [model("shop.Tenant"), item()])
    state = await apply(ProjectState(), *made.operations)
    assert await primary_key("shop_item") == ["tenant_id", "number"]
    apps = state.apps
    past = apps.get_model("shop", "Item")
    tenant = await apps.get_model("shop", "Tenant").objects.create()
    await past.objects.create(tenant=tenant, number=3)
    added = AddField(
        "item", "parent", models.ForeignKey("Tenant", models.CASCADE, null=True, related_name="+")
    )
    state = await apply(
        state, added, AddField("item", "text", models.CharField(max_length=5, unique=True, default="x"))
    )
    assert await primary_key("shop_item") == ["tenant_id", "number"]
    past = state.apps.get_model("shop", "Item")
    assert await past.objects.values_list("pk", "text") == [((tenant.pk, 3), "x")]
    state = await apply(state, RemoveField("item", "parent"))
    assert await primary_key("shop_item") == ["tenant_id", "number"]
    assert await state.apps.get_model("shop", "Item").objects.count() == 1


def test_no_table_has_a_name_of_its_own_for_the_key_on_mysql() -> None:
    tenant = ProjectState([model("shop.Tenant"), item()]).apps.get_model("shop", "Item")
    (created,) = [text for text in ddl.create_tables([tenant._meta], "mysql") if "CREATE TABLE" in text]
    assert "PRIMARY KEY (tenant_id, number)" in created
    assert "CONSTRAINT pk_" not in created
