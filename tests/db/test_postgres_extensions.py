"""Extensions of PostgreSQL, created by migrations."""

from __future__ import annotations

from collections.abc import Callable

import pytest

from transom.db.backends.base import Backend
from transom.db.migrations import SchemaEditor
from transom.db.migrations.state import ProjectState
from transom.db.postgres import (
    BloomExtension,
    BtreeGinExtension,
    BtreeGistExtension,
    CITextExtension,
    CreateExtension,
    CryptoExtension,
    HStoreExtension,
    TrigramExtension,
    UnaccentExtension,
)


async def apply(operation: CreateExtension, editor: SchemaEditor, *, backwards: bool = False) -> None:
    states = ProjectState(), ProjectState()
    operation.state_forwards("polls", states[1])
    run = operation.database_backwards if backwards else operation.database_forwards
    await run("polls", editor, *states)


async def installed(database: Backend) -> set[str]:
    return {row[0] for row in await database.fetch("SELECT extname::text FROM pg_extension")}


async def test_an_extension_is_created_once_and_dropped(database: Backend) -> None:
    editor = SchemaEditor(database.vendor, database)
    if database.vendor != "postgresql":
        await apply(BtreeGistExtension(), editor)
        await apply(BtreeGistExtension(), editor, backwards=True)
        assert editor.statements == []
        return
    await apply(BtreeGistExtension(), editor)
    await apply(CreateExtension("btree_gist"), editor)
    assert "btree_gist" in await installed(database)
    await apply(BtreeGistExtension(), editor, backwards=True)
    assert "btree_gist" not in await installed(database)


@pytest.mark.parametrize(
    ("operation", "name"),
    [
        (BloomExtension, "bloom"),
        (BtreeGinExtension, "btree_gin"),
        (BtreeGistExtension, "btree_gist"),
        (CITextExtension, "citext"),
        (CryptoExtension, "pgcrypto"),
        (HStoreExtension, "hstore"),
        (TrigramExtension, "pg_trgm"),
        (UnaccentExtension, "unaccent"),
    ],
)
def test_the_known_extensions_take_no_name(operation: Callable[[], CreateExtension], name: str) -> None:
    made = operation()
    assert (made.name, made.deconstruct(), made.about) == (name, (type(made).__name__, {}), None)
    assert made.describe() == f"create extension {name}"


@pytest.mark.parametrize("name", ["", 'x"; DROP TABLE users; --', "Btree", "a b", "a\0", "x" * 64])
def test_what_is_no_name_of_an_extension_is_refused(name: str) -> None:
    with pytest.raises(ValueError, match="is no name of an extension"):
        CreateExtension(name)
