"""Real git repositories for tests, made in a few lines."""

from __future__ import annotations

import os
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from unmoor.adapters.process.shell import LocalShell
from unmoor.adapters.process.supervisor import Processes


@dataclass(frozen=True)
class Repo:
    """A repository in a folder."""

    path: Path

    @classmethod
    def new(cls, path: Path, files: dict[str, str] | None = None) -> Repo:
        """Make one with one commit."""
        path.mkdir(parents=True)
        repo = cls(path)
        repo.git("init", "--quiet", "--template=", "--initial-branch=main")
        repo.commit(files or {"README": "hello\n"})
        return repo

    def git(self, *args: str, date: int = 1_700_000_000) -> str:
        """Run git and return what it says."""
        when = {"GIT_AUTHOR_DATE": f"{date} +0000", "GIT_COMMITTER_DATE": f"{date} +0000"}
        return subprocess.run(
            ["git", "-c", "protocol.file.allow=always", *args],  # noqa: S607  # the one on PATH
            cwd=self.path,
            check=True,
            capture_output=True,
            text=True,
            env=dict(os.environ) | when,
        ).stdout.strip()

    def write(self, files: dict[str, str]) -> None:
        """Write files, without adding them."""
        for name, text in files.items():
            path = self.path / name
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_text(text, newline="")

    def commit(self, files: dict[str, str], message: str = "Change things", date: int = 1_700_000_000) -> str:
        """Write, add and commit; returns the commit."""
        self.write(files)
        self.git("add", "--all")
        self.git("commit", "--quiet", "--allow-empty", "-m", message, date=date)
        return self.git("rev-parse", "HEAD")

    def remote(self, path: Path) -> Repo:
        """Make a bare remote that holds everything, and name it origin."""
        self.git("clone", "--quiet", "--bare", str(self.path), str(path))
        self.git("remote", "add", "origin", str(path))
        return Repo(path)

    def state(self) -> str:
        """Everything that a look must not change: refs, index and files, byte for byte."""
        kept = {
            str(file.relative_to(self.path)): file.read_bytes()
            for file in sorted(self.path.rglob("*"))
            if file.is_file()
        }
        return repr(kept)


@contextmanager
def shell_for_tests() -> Iterator[LocalShell]:
    """The real shell; whatever it started ends with the test."""
    with Processes() as processes:
        yield LocalShell(processes=processes)
