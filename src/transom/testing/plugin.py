"""The pytest plugin, by entry point in every run where Transom is installed: an ini option, and the fixtures on demand.

Kept this small on purpose: a project that does not use the fixtures pays for nothing but this file.
"""

from __future__ import annotations

import os
import secrets
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    import pytest

ASYNCIO_PLUGINS = ("asyncio", "pytest_asyncio", "pytest_asyncio.plugin")


def pytest_addoption(parser: pytest.Parser) -> None:
    """Declare `transom_app`."""
    parser.addini(
        "transom_app", 'the application under test, as "module:attribute"; for the fixture `app`', default=""
    )


def pytest_configure(config: pytest.Config) -> None:
    """Add the fixtures, which are asynchronous, where pytest-asyncio runs them.

    A site refuses to serve without a key in production mode, which tests run in; one that has none gets one for this run.
    """
    if any(map(config.pluginmanager.hasplugin, ASYNCIO_PLUGINS)):
        os.environ.setdefault("TRANSOM_SECRET_KEY", secrets.token_urlsafe(50))
        config.pluginmanager.import_plugin("transom.testing.fixtures")
