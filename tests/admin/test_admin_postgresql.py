"""The same pages on PostgreSQL: what differs there are types, text search, and what becomes of a failed statement."""

import pytest

from transom.auth import User
from transom.db import connections

pytestmark = pytest.mark.postgres


@pytest.fixture
def settings(postgres_url):
    return {"databases": {"default": postgres_url}}


@pytest.fixture(autouse=True)
async def no_tables_left(client, shop):
    yield
    tables = [model._meta.db_table for model in (*vars(shop).values(), User)]
    await connections.executor().execute(f"DROP TABLE {', '.join(tables)}")


@pytest.mark.slow
async def test_lists_forms_and_refusals_work_on_postgresql(staff, shop):
    topic = await shop.Topic.objects.create(name="Tea")
    form = {"topic": topic.pk, "text": "Green?", "published": "2026-05-06T07:08"}
    assert (await staff.post("/admin/shop/question/add/", data=form)).status_code == 302
    question = await shop.Question.objects.get()
    await shop.Choice.objects.create(question=question, text="Sencha")
    for query in ("?q=sencha+green&order=-topic", "?q=%00", "?q=%25", "?order=published&page=9"):
        response = await staff.get(f"/admin/shop/question/{query}")
        assert response.status_code == 200
        assert ("Green?" in response.text) == (query != "?q=%25")
    assert (await staff.get("/admin/shop/choice/?q=tea&order=question__topic")).status_code == 200

    assert (await staff.post("/admin/shop/topic/add/", data={"name": "Tea"})).status_code == 422
    with_nul = await staff.post("/admin/shop/topic/add/", data={"name": "a\0b"})
    assert with_nul.status_code == 422
    assert (await staff.post(f"/admin/shop/topic/{topic.pk}/delete/")).status_code == 409
    assert (await staff.post(f"/admin/shop/question/{question.pk}/delete/")).status_code == 302
    assert (await staff.post(f"/admin/shop/topic/{topic.pk}/delete/")).status_code == 302
    assert await shop.Choice.objects.count() == 0
    assert (await staff.get("/admin/shop/tag/_00/change/")).status_code == 404
    assert (await staff.get(f"/admin/shop/topic/{'9' * 30}/change/")).status_code == 404
