"""Static files: what is served, and above all what is not."""

import os
from pathlib import Path
from typing import Any
from urllib.parse import unquote

import pytest

from transom.web.errors import Http404, MethodNotAllowed
from transom.web.files import FileResponse
from transom.web.request import Request
from transom.web.staticfiles import StaticFiles


@pytest.fixture
def root(tmp_path: Path) -> Path:
    root = tmp_path / "static"
    (root / "css").mkdir(parents=True)
    (root / "css" / "site.css").write_text("body {}")
    (root / "..hidden").write_text("hidden")
    (root / ".env").write_text("secret")
    (root / ".git").mkdir()
    (root / ".git" / "config").write_text("secret")
    (root / "gr\u00fcn.txt").write_text("ok")
    (tmp_path / "secret.txt").write_text("secret")
    (tmp_path / "static-old").mkdir()
    (tmp_path / "static-old" / "a.txt").write_text("secret")
    os.symlink(tmp_path / "secret.txt", root / "link-out.txt")
    os.symlink(tmp_path / "static-old", root / "folder-out")
    os.symlink(root / "css" / "site.css", root / "link-in.css")
    os.symlink(root / "loop", root / "loop")
    return root


def make_request(method: str = "GET") -> Request:
    scope: Any = {"type": "http", "method": method, "path": "/", "headers": []}
    return Request(scope, None)  # type: ignore[arg-type]  # nothing is read


@pytest.mark.parametrize("path", ["css/site.css", "gr\u00fcn.txt", "link-in.css"])
async def test_files_below_the_folder_are_served(root: Path, path: str):
    response = await StaticFiles([root])(make_request(), path)
    assert isinstance(response, FileResponse)
    assert response.path.read_text() in ("body {}", "ok")
    assert response.headers["cache-control"] == "no-cache"


TRAVERSALS = [
    "",
    ".",
    "..",
    "/",
    "css",
    "css/",
    "../secret.txt",
    "css/../../secret.txt",
    "css/../css/site.css",
    "./css/site.css",
    "css//site.css",
    "//etc/passwd",
    "/etc/passwd",
    "{root}/css/site.css",
    "..\\secret.txt",
    "css\\site.css",
    "css\\..\\..\\secret.txt",
    "%2e%2e/secret.txt",
    "%252e%252e/secret.txt",
    "..%2fsecret.txt",
    "..%5csecret.txt",
    "%2e%2e%2fsecret.txt",
    "..%c0%afsecret.txt",
    "\uff0e\uff0e/secret.txt",
    "css/site.css\0.png",
    "css/site.css%00.png",
    "../static-old/a.txt",
    "folder-out/a.txt",
    "link-out.txt",
    "loop",
    ".env",
    ".git/config",
    "..hidden",
    "css/site.css/",
    "css/site.css/x",
    "\udcff",
    "a" * 5000,
    "C:/secret.txt",
    "file:///etc/passwd",
    "~/secret.txt",
    "~root",
    "missing.css",
]


@pytest.mark.parametrize("path", TRAVERSALS)
@pytest.mark.parametrize("decoded", [False, True])
async def test_nothing_else_is(root: Path, path: str, decoded: bool):
    path = path.format(root=root) if "{root}" in path else path
    with pytest.raises(Http404):
        await StaticFiles([root])(make_request(), unquote(path) if decoded else path)


async def test_the_first_folder_wins_and_a_missing_one_is_skipped(root: Path, tmp_path: Path):
    first = tmp_path / "first"
    (first / "css").mkdir(parents=True)
    (first / "css" / "site.css").write_text("first")
    static = StaticFiles([tmp_path / "not-there", first, root])
    assert static.find("css/site.css") == first / "css" / "site.css"
    assert static.find("link-in.css") == root / "css" / "site.css"


async def test_a_folder_that_is_itself_a_link_is_served(root: Path, tmp_path: Path):
    os.symlink(root, tmp_path / "current")
    assert StaticFiles([tmp_path / "current"]).find("css/site.css") == root / "css" / "site.css"


@pytest.mark.parametrize("method", ["POST", "PUT", "DELETE", "OPTIONS"])
async def test_other_methods_are_refused_with_those_there_are(root: Path, method: str):
    with pytest.raises(MethodNotAllowed) as caught:
        await StaticFiles([root])(make_request(method), "css/site.css")
    assert caught.value.headers["allow"] == "GET, HEAD"


async def test_max_age(root: Path):
    response = await StaticFiles([root], max_age=60)(make_request("HEAD"), "css/site.css")
    assert response.headers["cache-control"] == "public, max-age=60"
