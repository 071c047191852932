"""A site made of views and templates, with an empty SQLite database, and a client of it."""

from contextlib import AsyncExitStack

import pytest

from transom.db import connections, create_tables
from transom.testing import Client
from transom.web import App, path


@pytest.fixture
async def serve(tmp_path):
    """Make a client: of routes (pattern, view), templates by name, and tables for models."""
    async with AsyncExitStack() as stack:

        async def start(routes, templates=None, models=()):
            for name, source in (templates or {}).items():
                file = tmp_path / "templates" / name
                file.parent.mkdir(parents=True, exist_ok=True)
                file.write_text(source)
            databases = {"default": f"sqlite:///{tmp_path / 'test.sqlite3'}"} if models else {}
            patterns = [
                path(pattern, view, name=f"page-{index}") for index, (pattern, view) in enumerate(routes)
            ]
            app = App(
                patterns, secret_key="x" * 50, template_dirs=[tmp_path / "templates"], databases=databases
            )
            client = await stack.enter_async_context(Client(app, headers={"sec-fetch-site": "same-origin"}))
            if models:
                await create_tables(*models)
            return client

        yield start
    connections.configure({})
