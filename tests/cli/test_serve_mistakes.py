"""Each mistake one makes with `transom serve` is one line that says what to do, and an exit code; never a traceback.

2 is a wrong usage, 3 a server that could not start.
"""

from __future__ import annotations

import os
import socket
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

pytestmark = pytest.mark.slow

SITE = """
number = 5

async def app(scope, receive, send):
    raise NotImplementedError
"""


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("site")
    (folder / "mistaken.py").write_text(SITE)
    (folder / "wrong.toml").write_text("prot = 9000\n")
    (folder / "good.toml").write_text('app = "mistaken:ap"\nworkers = 2\nport = 0\n')
    return folder


@pytest.fixture(scope="module")
def taken() -> Iterator[int]:
    with socket.create_server(("127.0.0.1", 0)) as listener:
        yield listener.getsockname()[1]


def serve(folder: Path, *arguments: str, **variables: str) -> subprocess.CompletedProcess[str]:
    environment = {name: value for name, value in os.environ.items() if not name.startswith("TRANSOM_")}
    return subprocess.run(
        [sys.executable, "-m", "transom", "serve", *arguments],
        cwd=folder,
        env=environment | variables,
        stdin=subprocess.DEVNULL,
        capture_output=True,
        text=True,
        timeout=60,
    )


@pytest.mark.parametrize(
    ("arguments", "variables", "code", "message"),
    [
        ("mistaken:app --port {taken}", {}, 3, "cannot listen on 127.0.0.1:{taken}: Address already in use; another process"),
        ("mistaken:app --port {taken} --workers 2", {}, 3, "cannot listen on 127.0.0.1:{taken}: Address already in use"),
        ("mistaken:app --port 0 --metrics-bind 127.0.0.1:{taken}", {}, 3, "another port with --metrics-bind"),
        ("mistaken:app --port 0 --metrics-bind 127.0.0.1:{taken} -w 2", {}, 3, "another port with --metrics-bind"),
        ("mistaken:app --port 0 --metrics-bind metrics", {}, 3, "malformed address 'metrics'; use HOST:PORT"),
        ("nosuch:app --port 0", {}, 3, "no module 'nosuch' for 'nosuch:app'; start from the folder that holds it"),
        ("mistaken:ap --port 0", {}, 3, "no attribute 'ap' for 'mistaken:ap'; did you mean 'app'?"),
        ("mistaken:number --port 0", {}, 3, "'mistaken:number' is int, which cannot be called"),
        ("mistaken --port 0", {}, 3, "malformed target 'mistaken'; use module:attribute"),
        ("mistaken:app --port 0 --reload --reload-dir nosuch", {}, 3, "/nosuch to watch; name another with --reload-dir"),
        ("mistaken:app --port 0 --log-config nosuch.toml", {}, 3, "cannot read the logging configuration nosuch.toml"),
        ("mistaken:app --port 0 --ssl-certfile nosuch.pem", {}, 3, "cannot read nosuch.pem: No such file"),
        ("mistaken:app --port 0 --ssl-certfile good.toml", {}, 3, "good.toml holds no certificate in PEM"),
        ("mistaken:app --ssl-keyfile key.pem", {}, 2, "--ssl-keyfile: 'key.pem' needs ssl_certfile"),
        ("mistaken:app --port 70000", {}, 2, "--port: 70000 is not a port; choose from 0 to 65535"),
        ("mistaken:app --access-log-format %(z)s", {}, 2, "--access-log-format: '%(z)s' unknown atom 'z'; choose from h, l"),
        ("mistaken:app", {"TRANSOM_SERVE_PORT": "http"}, 2, "TRANSOM_SERVE_PORT: 'http' is not a whole number"),
        ("mistaken:app -c wrong.toml", {}, 2, "no option 'prot' in wrong.toml; did you mean port?"),
        ("mistaken:app", {"TRANSOM_SERVE_CONFIG": "nosuch.toml"}, 2, "cannot read nosuch.toml: No such file"),
        ("mistaken:app --env-file nosuch.env", {}, 2, "cannot read the environment file nosuch.env: No such file"),
        ("-c good.toml --workers 1", {}, 3, "no attribute 'ap' for 'mistaken:ap'"),  # app and port come from the file
    ],
)  # fmt: skip
def test_mistake_is_one_line(
    folder: Path, taken: int, arguments: str, variables: dict[str, str], code: int, message: str
) -> None:
    done = serve(folder, *arguments.format(taken=taken).split(), **variables)
    assert message.format(taken=taken) in done.stderr
    assert (done.returncode, done.stderr.count("\n"), done.stdout) == (code, 1, "")


def test_unknown_flag_names_the_close_one(folder: Path) -> None:
    done = serve(folder, "mistaken:app", "--wrokers", "2")
    assert done.returncode == 2
    assert done.stderr.splitlines()[-1] == "Error: No such option '--wrokers'. Did you mean '--workers'?"
