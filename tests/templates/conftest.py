from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest

from transom.templates import JinjaEngine

BuildEngine = Callable[..., JinjaEngine]


@pytest.fixture
def build_engine(tmp_path: Path) -> BuildEngine:
    """Build an engine on `site/` and `app/`, filled from {"site/name": source}."""

    def build(files: dict[str, str] | None = None, **options: object) -> JinjaEngine:
        for name in ("site", "app"):
            (tmp_path / name).mkdir(exist_ok=True)
        for name, source in (files or {}).items():
            path = tmp_path / name
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_text(source)
        return JinjaEngine([tmp_path / "site", tmp_path / "app"], **options)

    return build
