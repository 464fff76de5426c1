"""Git repositories for tests."""

from __future__ import annotations

import os
import subprocess
from dataclasses import dataclass
from pathlib import Path

_EMPTY: dict[object, dict[str, bytes | None]] = {}
"""What an empty repository consists of, by what decides about it: the bytes of each file, ``None`` for a folder."""


@dataclass(frozen=True)
class Repo:
    """A repository in a folder."""

    path: Path

    @classmethod
    def new(cls, path: Path, files: dict[str, str] | None = None) -> Repo:
        """Create a repository with one commit."""
        path.mkdir(parents=True)
        repo = cls(path)
        repo._init()
        repo.commit(files or {"README": "hello\n"})
        return repo

    def _init(self) -> None:
        """Make an empty repository. With the same settings on the same disk it is as the one before, without git."""
        folder = self.path / ".git"
        own = sorted((name, value) for name, value in os.environ.items() if name.startswith("GIT_"))
        key = (self.path.stat().st_dev, *own)
        for name, content in _EMPTY.get(key, {}).items():
            if content is None:
                (folder / name).mkdir()
            else:
                (folder / name).write_bytes(content)
        if not folder.exists():
            self.git("init", "--quiet", "--template=", "--initial-branch=main")
            if os.environ.get("GIT_CONFIG_GLOBAL") == os.devnull:
                _EMPTY[key] = {
                    each.relative_to(folder).as_posix(): None if each.is_dir() else each.read_bytes()
                    for each in (folder, *sorted(folder.rglob("*")))
                }

    def git(self, *args: str, date: int = 1_700_000_000) -> str:
        """Run git and return its output."""
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
        """Write files without adding them to the index."""
        for name, text in files.items():
            path = self.path / name
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_text(text, encoding="utf-8", newline="")

    def commit(self, files: dict[str, str], message: str = "Change things", date: int = 1_700_000_000) -> str:
        """Write files, commit them, and return the id of the commit."""
        self.write(files)
        self.git("add", "--all")
        # Many tests make commits, so start no process for maintenance, nor one to read what is in a file.
        self.git("-c", "maintenance.auto=false", "commit", "--quiet", "--allow-empty", "-m", message, date=date)
        return self._head() or self.git("rev-parse", "HEAD")

    def _head(self) -> str:
        """Read the commit of HEAD from its file. Empty if git keeps it elsewhere."""
        folder = self.path / ".git"
        head = folder / "HEAD"
        for _ in range(2):
            if not head.is_file():
                return ""
            text = head.read_text().strip()
            if not text.startswith("ref: "):
                return text
            head = folder / text.removeprefix("ref: ")
        return ""

    def remote(self, path: Path) -> Repo:
        """Create a bare clone of the repository, and add it as the remote ``origin``."""
        self.git("clone", "--quiet", "--bare", str(self.path), str(path))
        self.git("remote", "add", "origin", str(path))
        return Repo(path)

    def state(self) -> str:
        """Return everything that reading must not change: the refs, the index and the files, byte for byte."""
        content = {
            file.relative_to(self.path).as_posix(): file.read_bytes()
            for file in sorted(self.path.rglob("*"))
            if file.is_file()
        }
        return repr(content)
