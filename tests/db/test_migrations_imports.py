"""What importing migrations costs."""

from __future__ import annotations

import subprocess
import sys

import pytest


@pytest.mark.slow
def test_writing_migrations_needs_neither_sqlalchemy_nor_alembic() -> None:
    code = (
        "import sys\n"
        "from transom.db import migrations, models\n"
        "migrations.CreateModel('Thing', [('id', models.BigAutoField(primary_key=True))])\n"
        "migrations.makemigrations()\n"
        "print([name for name in ('sqlalchemy', 'alembic', 'asyncpg', 'asyncmy') if name in sys.modules])"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "[]"
