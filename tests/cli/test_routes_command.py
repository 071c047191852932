"""`transom routes`: a table for people, lines for programs, and filters."""

from pathlib import Path

import pytest
from click.testing import CliRunner
from rich.console import Console

from transom.cli import console
from transom.cli.commands import routes
from transom.cli.main import cli

SITE = """
from transom.asgi import wsgi
from transom.web import App, Response, host, include, mount, path, redirect_path, websocket


async def index(request): ...
async def detail(request, pk): ...
async def dashboard(request, tenant): ...
async def live(socket): ...
def old(environ, start_response): ...


app = App(
    [
        path("", index, name="index", methods=["GET", "POST"]),
        path("polls/", include([path("<int:pk>/", detail, name="detail", methods=["GET"])], namespace="polls")),
        host("<slug:tenant>.example.com", include([path("home/", dashboard, name="home")])),
        redirect_path("archive/<int:pk>/", to="polls:detail"),
        websocket("live/", live),
        mount("old/", wsgi(old)),
    ],
    debug=True,
)
"""
HOME = "<slug:tenant>.example.com\t/home/\thttp\t-\thome\trouted_site.dashboard"
DETAIL = "-\t/polls/<int:pk>/\thttp\tGET,HEAD\tpolls:detail\trouted_site.detail"
ARCHIVE = "-\t/archive/<int:pk>/\thttp\t-\t-\tredirect to polls:detail"


@pytest.fixture
def run(tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    (tmp_path / "routed_site.py").write_text(SITE)
    monkeypatch.chdir(tmp_path)
    monkeypatch.syspath_prepend(tmp_path)

    def run(*arguments: str) -> tuple[int, list[str]]:
        result = CliRunner().invoke(cli, ["routes", "--app", "routed_site:app", *arguments])
        return result.exit_code, result.stdout.splitlines()

    return run


def test_programs_get_a_line_for_each_route(run):
    code, lines = run()
    assert code == 0
    assert lines == [
        "-\t/\thttp\tGET,HEAD,POST\tindex\trouted_site.index",
        DETAIL,
        HOME,
        ARCHIVE,
        "-\t/live/\twebsocket\t-\t-\trouted_site.live",
        "-\t/old/\tmount\t-\t-\ttransom.asgi.wsgi.to_asgi.WSGIToASGI",
    ]


def test_a_terminal_gets_a_table(run, monkeypatch: pytest.MonkeyPatch):
    terminal = Console(force_terminal=True, width=160, color_system=None, highlight=False, record=True)
    monkeypatch.setattr(console, "out", terminal)
    monkeypatch.setattr(routes, "out", terminal)
    assert run("polls")[0] == 0
    text = terminal.export_text()
    assert [word for word in ("Routes", "methods", "/polls/<int:pk>/", "GET,HEAD") if word not in text] == []


@pytest.mark.parametrize(
    ("arguments", "expected"),
    [
        (["DETAIL"], [DETAIL, ARCHIVE]),
        (["tenant"], [HOME]),
        (["dashboard"], [HOME]),
        (["--method", "delete", "polls"], [ARCHIVE]),
        (["-m", "GET", "detail"], [DETAIL, ARCHIVE]),
        (["--host", "Acme.example.com", "home"], [HOME]),
        (["--match", "/polls/7/"], [DETAIL]),
        (["--match", "/archive/7/?page=2"], [ARCHIVE]),
        (["--match", "/home/", "--host", "acme.example.com"], [HOME]),
    ],
)
def test_filters(run, arguments: list[str], expected: list[str]):
    assert run(*arguments) == (0, expected)


@pytest.mark.parametrize(
    "arguments",
    [
        ["nothing-like-this"],
        ["--host", "other.test", "home"],
        ["--match", "/home/"],
        ["--match", "/polls/7/", "--method", "POST"],
        ["--kind", "websocket", "polls"],
    ],
)
def test_no_such_route_is_an_exit_code(run, arguments: list[str]):
    assert run(*arguments) == (1, [])


def test_kinds_are_told_apart(run):
    assert [run("--kind", kind)[1][0].split("\t")[1] for kind in ("http", "websocket", "mount")] == [
        "/",
        "/live/",
        "/old/",
    ]
