"""A form of an object that came from a replica is saved where writes go."""

import pytest

from transom.db import ReplicaRouter, atomic, connections, create_tables, models
from transom.forms.models import ModelForm


class Shelf(models.Model):
    name = models.CharField(max_length=20, unique=True)


class ShelfForm(ModelForm[Shelf]):
    class Meta:
        fields = ["name"]


@pytest.fixture
async def replicated(tmp_path):
    urls = {alias: f"sqlite:///{tmp_path}/{alias}.sqlite3" for alias in ("default", "replica")}
    connections.configure(urls)
    for alias in urls:
        await create_tables(Shelf, using=alias)
        await Shelf.objects.using(alias).create(id=1, name="old")
    connections.configure(urls, [ReplicaRouter("replica")])
    yield
    await connections.aclose()
    connections.configure({})


async def test_object_of_a_replica_is_saved_on_the_primary(replicated):
    shelf = await Shelf.objects.get()
    assert shelf._using == "replica"
    form = ShelfForm({"name": "new"}, instance=shelf)
    assert await form.is_valid()
    await form.save()
    assert (await Shelf.objects.using("default").get()).name == "new"
    assert (await Shelf.objects.using("replica").get()).name == "old"


async def test_saving_is_a_savepoint_of_the_transaction_on_the_primary(replicated):
    """The refused row does not take the transaction with it."""
    shelf = await Shelf.objects.get()
    async with atomic():
        await Shelf.objects.create(name="taken")
        form = ShelfForm({"name": "taken"}, instance=shelf)
        assert not await form.is_valid()
        assert await Shelf.objects.count() == 2
