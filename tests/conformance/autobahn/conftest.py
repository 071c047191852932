"""The Autobahn test suite in an environment of its own, and the server that it tests."""

from __future__ import annotations

import os
import shutil
import subprocess
from collections.abc import Iterator
from pathlib import Path

import pytest
from served import run_server

HERE = Path(__file__).parent
ROOT = HERE.parents[2]
ENVIRONMENT = ROOT / ".venv-autobahn"
REQUIREMENTS = HERE / "requirements.txt"


def find_python27() -> Path | None:
    """Return a Python 2.7 on the path or of pyenv."""
    on_path = shutil.which("python2.7")
    if on_path is not None and subprocess.run([on_path, "--version"], capture_output=True).returncode == 0:
        return Path(on_path)
    versions = Path(os.environ.get("PYENV_ROOT", "~/.pyenv")).expanduser() / "versions"
    return next(iter(sorted(versions.glob("2.7*/bin/python2.7"))), None)


def run_pip(*command: str | Path, **environment: str) -> None:
    done = subprocess.run(
        [*command], env=os.environ | environment, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True
    )
    assert done.returncode == 0, f"{' '.join(map(str, command))}\n{done.stdout}"


def build_environment(python: Path) -> None:
    """Make a virtual environment of Python 2.7, with the last virtualenv that can, and install the suite."""
    tools = ENVIRONMENT / "tools"
    pip = ("-m", "pip", "install", "--quiet", "--disable-pip-version-check")
    run_pip(python, *pip, "--target", tools, "virtualenv<20.22")
    run_pip(python, "-m", "virtualenv", "--quiet", ENVIRONMENT / "suite", PYTHONPATH=str(tools))
    run_pip(ENVIRONMENT / "suite" / "bin" / "python", *pip, "--requirement", REQUIREMENTS)


@pytest.fixture(scope="session")
def wstest() -> Path:
    """The command of the suite; its environment is made once and again when the requirements change."""
    command = ENVIRONMENT / "suite" / "bin" / "wstest"
    installed = ENVIRONMENT / "installed.txt"
    if not installed.is_file() or installed.read_text() != REQUIREMENTS.read_text():
        python = find_python27()
        if python is None:
            pytest.skip(
                "no python2.7 on the PATH or in pyenv (pyenv install 2.7.18); autobahntestsuite needs it"
            )
        print(f"\ninstalling the Autobahn test suite into {ENVIRONMENT.name}", flush=True)
        shutil.rmtree(ENVIRONMENT, ignore_errors=True)
        build_environment(python)
        installed.write_text(REQUIREMENTS.read_text())
    return command


@pytest.fixture(scope="module")
def echo_url() -> Iterator[str]:
    """An echo application on `transom serve`, with room for the suite's messages of 16 MiB; all else as by default."""
    with run_server(HERE, "echo_app:app", "--ws-max-size", str(16 * 1024 * 1024)) as (_, (host, port)):
        yield f"ws://{host}:{port}"
