"""Requests with unsafe methods: one transaction each, committed before the response leaves."""

import asyncio

import pytest

from transom.db import DatabaseError, TransactionOwnerError, connections, create_tables, models, on_commit
from transom.db.open_transaction import find_open
from transom.views import View
from transom.web import (
    App,
    Http404,
    Response,
    StreamingResponse,
    non_atomic_requests,
    path,
)


class Note(models.Model):
    text = models.CharField(max_length=20, unique=True)


seen: dict = {}


@pytest.fixture(
    params=[
        "sqlite",
        pytest.param("postgresql", marks=pytest.mark.postgres),
        pytest.param("mysql", marks=pytest.mark.mysql),
    ]
)
def database_url(request, tmp_path):
    if request.param == "sqlite":
        return f"sqlite:///{tmp_path / 'notes.sqlite3'}"
    return request.getfixturevalue({"postgresql": "postgres_url", "mysql": "mysql_url"}[request.param])


@pytest.fixture
async def database(database_url):
    """URL of a database with the table of notes."""
    connections.configure({"default": database_url})
    await create_tables(Note)
    seen.clear()
    yield database_url
    await connections.backend().execute(f"DROP TABLE {Note._meta.db_table}")
    await connections.aclose()
    connections.configure({})


def site(url, **routes):
    return App(
        [path(f"{name}/", view) for name, view in routes.items()],
        databases={"default": url},
        debug=False,
        secret_key="k" * 32,
        middleware=[],
    )


async def stored():
    return sorted(await Note.objects.values_list("text", flat=True))


async def add(request):
    await Note.objects.create(text="kept")
    return Response("added", 201)


async def fail(request):
    await Note.objects.create(text="lost")
    raise RuntimeError("after the write")


@pytest.mark.parametrize("method", ["POST", "PUT", "PATCH", "DELETE"])
async def test_what_a_view_wrote_is_committed(database, http, method):
    answer = await http(site(database, add=add), "/add/", method)
    assert (answer.status, await stored()) == (201, ["kept"])


async def test_an_error_rolls_everything_back(database, http):
    answer = await http(site(database, fail=fail), "/fail/", "POST")
    assert (answer.status, await stored()) == (500, [])


async def test_an_expected_exception_rolls_back_too(database, http):
    async def miss(request):
        await Note.objects.create(text="lost")
        raise Http404("no such thing")

    answer = await http(site(database, miss=miss), "/miss/", "POST")
    assert (answer.status, await stored()) == (404, [])


async def test_what_is_no_response_rolls_back(database, http):
    async def nothing(request):
        await Note.objects.create(text="lost")

    answer = await http(site(database, nothing=nothing), "/nothing/", "POST")
    assert (answer.status, await stored()) == (500, [])


async def test_the_commit_comes_before_the_first_byte(database, http):
    async def stream():
        seen["in transaction"] = find_open("default") is not None
        seen["stored"] = await stored()
        yield b"made after the commit"

    async def view(request):
        await Note.objects.create(text="kept")
        return StreamingResponse(stream())

    answer = await http(site(database, view=view), "/view/", "POST")
    assert answer.body == b"made after the commit"
    assert seen == {"in transaction": False, "stored": ["kept"]}


async def test_a_commit_that_fails_is_a_500(database, http, monkeypatch):
    async def broken(self, kind, error, traceback):
        await end(self, RuntimeError, RuntimeError("undo"), None)
        raise DatabaseError("the disk is full")

    async def view(request):
        await Note.objects.create(text="lost")
        return Response("all is well", 201)

    context = type(connections.backend().transaction())
    end = context.__aexit__
    monkeypatch.setattr(context, "__aexit__", broken)
    answer = await http(site(database, view=view), "/view/", "POST")
    assert answer.status == 500
    assert "all is well" not in answer.text
    monkeypatch.undo()
    assert await stored() == []


async def test_a_client_that_left_before_the_commit_rolls_back(database, http):
    answer = await http(
        site(database, add=add), "/add/", "POST", leaves="before the answer", headers={"content-length": "0"}
    )
    assert (answer.messages, await stored()) == ([], [])


async def test_a_client_that_left_in_the_middle_of_its_body_rolls_back(database, http):
    async def view(request):
        await Note.objects.create(text="lost")
        await request.body()

    answer = await http(site(database, view=view), "/view/", "POST", leaves="at once")
    assert (answer.messages, await stored()) == ([], [])


async def test_a_safe_request_commits_each_statement_by_itself(database, http):
    answer = await http(site(database, fail=fail), "/fail/")
    assert (answer.status, await stored()) == (500, ["lost"])


async def test_a_view_can_opt_out(database, http):
    answer = await http(site(database, fail=non_atomic_requests(fail)), "/fail/", "POST")
    assert (answer.status, await stored()) == (500, ["lost"])
    fail.__dict__.clear()


async def test_a_class_based_view_can_opt_out(database, http):
    class Failing(View):
        decorators = (non_atomic_requests,)

        async def post(self, request):
            return await fail(request)

    answer = await http(site(database, fail=Failing.as_view()), "/fail/", "POST")
    assert (answer.status, await stored()) == (500, ["lost"])


async def test_a_site_can_opt_out(database, http):
    app = App(
        [path("fail/", fail)],
        databases={"default": database},
        atomic_requests=[],
        secret_key="k" * 32,
        middleware=[],
    )
    answer = await http(app, "/fail/", "POST")
    assert (answer.status, await stored()) == (500, ["lost"])


async def test_no_connection_is_taken_before_the_first_statement(database, http):
    """A slow upload must not keep the one writer of SQLite, or a connection of the pool."""

    async def view(request):
        seen["before"] = find_open("default").has_begun
        await Note.objects.create(text="kept")
        seen["after"] = find_open("default").has_begun
        return Response()

    await http(site(database, view=view), "/view/", "POST")
    assert seen == {"before": False, "after": True}


async def test_callbacks_run_after_the_commit(database, http):
    async def note_stored():
        seen["stored"] = await stored()

    async def view(request):
        await Note.objects.create(text="kept")
        on_commit(note_stored)
        return Response()

    await http(site(database, view=view), "/view/", "POST")
    assert seen["stored"] == ["kept"]


async def test_a_task_of_the_view_cannot_use_its_transaction(database, http):
    async def view(request):
        task = asyncio.ensure_future(Note.objects.create(text="lost"))
        with pytest.raises(TransactionOwnerError, match="independent"):
            await task
        return Response()

    answer = await http(site(database, view=view), "/view/", "POST")
    assert (answer.status, await stored()) == (200, [])


async def test_a_site_without_that_database_has_no_transaction(http):
    async def view(request):
        return Response(str(find_open("default")))

    answer = await http(App([path("", view)], secret_key="k" * 32, middleware=[]), "/", "POST")
    assert answer.text == "None"
