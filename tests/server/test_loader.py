"""Finding the application: every mistake in a target is told apart."""

from __future__ import annotations

import sys
from pathlib import Path

import pytest

from transom.server.exceptions import LoadError
from transom.server.loader import load_application

MODULE = """
async def application(scope, receive, send): ...
class Site:
    app = application
def make(): return application
def make_number(): return 7
def make_nothing(): pass
def make_with(name): return application
async def make_later(): return application
make_builtin = dict
number = 7
_private = 1
"""


@pytest.fixture(autouse=True)
def modules(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    package = tmp_path / "loadme"
    package.mkdir()
    (package / "__init__.py").write_text("")
    (package / "app.py").write_text(MODULE)
    (package / "broken.py").write_text("import no_such_library")
    (package / "data.py").write_text("number = 7")
    (package / "wrong.py").write_text("this is no python")
    monkeypatch.syspath_prepend(str(tmp_path))


@pytest.mark.parametrize("target", ["loadme.app:application", "loadme.app:Site.app", "loadme.app:make()"])
def test_application_is_found(target: str) -> None:
    assert load_application(target).__name__ == "application"


def test_factory_needs_no_parentheses_when_asked_for():
    assert load_application("loadme.app:make", factory=True).__name__ == "application"
    assert load_application("loadme.app:make()", factory=True).__name__ == "application"


def test_module_is_looked_for_in_the_directory_named_for_it(tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setattr(sys, "path", sys.path.copy())
    (tmp_path / "elsewhere").mkdir()
    (tmp_path / "elsewhere" / "only_there.py").write_text(MODULE)
    with pytest.raises(LoadError, match="name that with --app-dir"):
        load_application("only_there:application")
    assert load_application("only_there:application", app_dir=str(tmp_path / "elsewhere"))
    with pytest.raises(LoadError, match="--app-dir 'nosuch' is no directory"):
        load_application("only_there:application", app_dir="nosuch")


@pytest.mark.parametrize(
    ("target", "message"),
    [
        ("loadme.app", "malformed target 'loadme.app'; use module:attribute"),
        ("loadme/app.py:app", "a module is named as in an import: loadme.app:app"),
        ("./loadme/app.py", "a module is named as in an import: loadme.app:app"),
        ("loadme/", "a module is named as in an import: loadme:app"),
        ("loadme/__init__.py:site", "a module is named as in an import: loadme:site"),
        ("app.py", "a module is named as in an import: app:app"),
        ("/etc/passwd", "use module:attribute"),
        ("loadme.app:", "malformed target"),
        ("nosuch.app:app", "no module 'nosuch'"),
        ("loadme.nosuch:app", "no module 'loadme.nosuch'"),
        ("loadme.app:aplication", "did you mean 'application'"),
        ("loadme.app:xyz", "choose from application, Site, make, make_number"),
        ("loadme.app:make_nothing()", "returned None; a factory must return the application"),
        (
            "loadme.app:make_with()",
            "cannot be called without arguments (missing a required argument: 'name')",
        ),
        (
            "loadme.app:make_later()",
            "is asynchronous: an application, or a factory that must be a plain function",
        ),
        ("loadme.app:application()", "is asynchronous: an application"),
        ("loadme.data:app", "nothing there can be called"),
        ("loadme.app:number.x", "no attribute 'x'"),
        ("loadme.app:number", "is int, which cannot be called"),
        ("loadme.app:make_builtin()", "is dict, which cannot be called"),
        ("loadme.app:make_number()", "is int, which cannot be called"),
        ("loadme.app:number()", "leave out the parentheses"),
    ],
)
def test_mistake_is_named(target: str, message: str) -> None:
    with pytest.raises(LoadError) as caught:
        load_application(target)
    assert message in str(caught.value)


def test_errors_of_the_module_itself_are_its_own() -> None:
    """A missing library is not a missing application, and a syntax error keeps its traceback."""
    with pytest.raises(ModuleNotFoundError, match="no_such_library"):
        load_application("loadme.broken:app")
    with pytest.raises(SyntaxError):
        load_application("loadme.wrong:app")
