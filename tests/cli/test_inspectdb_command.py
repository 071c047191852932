"""`transom inspectdb` against a site in a folder."""

import sqlite3
import sys

import pytest
from click.testing import CliRunner

from transom.cli.main import cli

SITE = """
from transom.web import App

app = App([], secret_key="k" * 40, databases={{"default": "sqlite:///{path}"}})
"""


@pytest.fixture
def site(tmp_path, monkeypatch):
    path = tmp_path / "site.sqlite3"
    (tmp_path / "inspect_site.py").write_text(SITE.format(path=path))
    monkeypatch.chdir(tmp_path)
    monkeypatch.syspath_prepend(tmp_path)
    monkeypatch.setenv("TRANSOM_APP", "inspect_site:app")
    connection = sqlite3.connect(path)
    connection.executescript(
        "CREATE TABLE author (id INTEGER PRIMARY KEY); CREATE TABLE pen (id INTEGER PRIMARY KEY);"
        "CREATE VIEW readers AS SELECT id FROM author;"
    )
    connection.close()
    sys.modules.pop("inspect_site", None)
    yield tmp_path
    sys.modules.pop("inspect_site", None)


def test_standard_output_is_the_module_and_nothing_else(site):
    result = CliRunner().invoke(cli, ["inspectdb"])
    assert result.exit_code == 0, result.output
    compile(result.stdout, "models.py", "exec")
    assert "class Author(models.Model):" in result.stdout
    assert "class Readers" not in result.stdout
    assert "2 models" in result.stderr


def test_tables_and_views_can_be_chosen(site):
    chosen = CliRunner().invoke(cli, ["inspectdb", "pen"]).stdout
    assert "class Pen" in chosen
    assert "class Author" not in chosen
    assert "class Readers" in CliRunner().invoke(cli, ["inspectdb", "--include-views"]).stdout


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["pens"], "no table 'pens' in the database; did you mean 'pen'?"),
        (["--database", "other"], "no database 'other'"),
    ],
)
def test_a_mistake_is_one_line(site, arguments, message):
    failed = CliRunner().invoke(cli, ["inspectdb", *arguments])
    assert failed.exit_code == 1
    assert message in failed.stderr
    assert failed.stdout == ""
