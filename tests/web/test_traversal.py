"""Ways out of a folder, as raw request targets to a real server: none leads anywhere."""

import asyncio
import os
from pathlib import Path

import pytest

from transom.server import Config, Server
from transom.web import App, Request, Response, StaticFiles, mount, path

SECRET = b"secret"
UP = [  # notations of `..`
    "..",
    "%2e%2e",
    "%2E.",
    ".%2e",
    "%252e%252e",
    "%25252e%25252e",
    "%c0%ae%c0%ae",
    "%e0%80%ae%e0%80%ae",
    "%f0%80%80%ae%f0%80%80%ae",
    "%ef%bc%8e%ef%bc%8e",
    "%u002e%u002e",
    "..;",
    "..%00",
    "..%20",
    "...",
    "....",
]
SLASH = [  # notations of `/`
    "/",
    "%2f",
    "%252f",
    "%5c",
    "%255c",
    "%c0%af",
    "%c1%9c",
    "%e0%80%af",
    "%ef%bc%8f",
    "%u2215",
    "//",
    "/./",
    "%2f%2f",
]
TARGETS = [f"{up}{slash}secret.txt" for up in UP for slash in SLASH] + [
    "css/../../secret.txt",
    "css/%2e%2e/%2e%2e/secret.txt",
    "css%2f..%2f..%2fsecret.txt",
    "css%5c..%5c..%5csecret.txt",
    "/secret.txt",
    "//secret.txt",
    "%2fetc%2fpasswd",
    "//etc/passwd",
    "{root}/secret.txt",
    "%2f{root}/secret.txt",
    "file:{root}/secret.txt",
    "C:/secret.txt",
    "C:%5csecret.txt",
    "%5c%5chost%5cshare%5csecret.txt",
    "~/secret.txt",
    "link-out.txt",
    "folder-out/secret.txt",
    "chain/secret.txt",
    "folder-out/../site.css",
    "folder-out%2fsecret.txt",
    "loop",
    "../static-old/secret.txt",
    "%2e%2e/static-old/secret.txt",
    ".env",
    "%2eenv",
    ".git/config",
    "css/.hidden",
    "site.css%00",
    "site.css%00.png",
    "..%00/secret.txt",
    "site.css/",
    "site.css/.",
    "site.css/..",
    "site.css/../secret.txt",
    "site.css%2f..%2f..%2fsecret.txt",
    "site.css::$DATA",
    "site.css%ff",
    "%ff%fe",
    "",
    ".",
    "css",
    "css/",
    "a" * 300,
]


@pytest.fixture(scope="module")
def root(tmp_path_factory: pytest.TempPathFactory) -> Path:
    top = tmp_path_factory.mktemp("site")
    root = top / "static"
    for folder in (root / "css", root / ".git", top / "static-old"):
        folder.mkdir(parents=True)
    secrets = [
        "secret.txt",
        "static-old/secret.txt",
        "static/.env",
        "static/.git/config",
        "static/css/.hidden",
    ]
    for name in secrets:
        (top / name).write_bytes(SECRET)
    (root / "site.css").write_bytes(b"body {}")
    os.symlink(top / "secret.txt", root / "link-out.txt")
    os.symlink(top, root / "folder-out")
    os.symlink("folder-out", root / "chain")
    os.symlink("loop", root / "loop")
    return root


def make_app(root: Path) -> App:
    """Serve the folder in the ways there are: a route, a view that decides who may, and a mounted site."""
    files = StaticFiles([root])

    async def private(request: Request, name: str) -> Response:
        return await files(request, name)

    inner = App(
        [path("files/<path:path>", files)], debug=False, secret_key="x" * 50, allowed_hosts=["localhost"]
    )
    return App(
        [path("static/<path:path>", files), path("private/<path:name>", private), mount("inner/", inner)],
        allowed_hosts=["localhost"],
        secret_key="x" * 50,
    )


@pytest.mark.parametrize("prefix", ["/static/", "/private/", "/inner/files/"])
async def test_no_target_leaves_the_folder(root: Path, prefix: str):
    async with Server(make_app(root), Config(port=0, timeout_graceful_shutdown=0.0)) as server:
        port = server.addresses[0][1]

        async def ask(target: str) -> tuple[int, bytes]:
            reader, writer = await asyncio.open_connection("127.0.0.1", port)
            writer.write(
                f"GET {prefix}{target} HTTP/1.1\r\nhost: localhost\r\nconnection: close\r\n\r\n".encode()
            )
            answer = await asyncio.wait_for(reader.read(-1), 5)
            writer.close()
            return int(answer.split()[1]), answer.partition(b"\r\n\r\n")[2]

        status, body = await ask("site.css")
        assert (status, body) == (200, b"body {}")
        outside = str(root.parent)
        answers = {target: await ask(target.replace("{root}", outside)) for target in TARGETS}
    leaks = {
        target: answer for target, answer in answers.items() if SECRET in answer[1] or b"root:" in answer[1]
    }
    assert leaks == {}
    wrong = {target: answer[0] for target, answer in answers.items() if answer[0] not in (400, 404)}
    assert wrong == {}
