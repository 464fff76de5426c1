"""Projects with a remote to cut releases of, and what is needed for that without a terminal or an index."""

from __future__ import annotations

import os
import sys
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime
from functools import partial
from pathlib import Path

import psutil
from packaging.version import Version
from tests.support.git_repos import Repo

from unmoor.adapters.git.checkout import GitCheckout
from unmoor.adapters.git.writing import CheckoutWriter
from unmoor.adapters.process.shell import LocalShell
from unmoor.adapters.process.supervisor import Processes
from unmoor.adapters.project_lock import UvLock
from unmoor.config.settings import resolve
from unmoor.ports.pull_requests import PullRequest, PullRequests
from unmoor.project import read_facts
from unmoor.project.locate import ConfigSources, naming_at
from unmoor.scaffold.cut.conventional import follows_conventional_commits
from unmoor.scaffold.cut.model import CutOptions, CutPorts, CutProject, CutResult, CutStep, PlannedCut
from unmoor.scaffold.cut.steps import Cut
from unmoor.scaffold.cut.version_choice import InDoubt
from unmoor.versioning.bump import VersionPart

NOW = datetime(2026, 11, 29, 12, tzinfo=UTC)
PROJECT = {
    "pyproject.toml": (
        '[build-system]\nrequires = ["setuptools"]\nbuild-backend = "setuptools.build_meta"\n\n'
        '[project]\nname = "demo"\nversion = "1.2.3"  # kept\n'
    ),
    "demo/__init__.py": '"""A demo."""\n\n__version__ = "1.2.3"\n',
    "CHANGELOG.md": "# Changes\n\n## Unreleased\n\n- Something new.\n\n## 1.2.3 (2025-01-02)\n\n- The first.\n",
}
REFUSE_MAIN = """#!/bin/sh
while read -r old new ref; do
  if [ "$ref" = refs/heads/main ]; then
    echo "error: GH006: Protected branch update failed for refs/heads/main." >&2
    exit 1
  fi
done
"""


@dataclass
class Listener:
    """Approves, and notes what it hears. ``reached`` is called at the beginning of each step."""

    approves: bool = True
    said: list[str] = field(default_factory=list)
    planned: list[PlannedCut] = field(default_factory=list)
    rehearsed: list[tuple[Path, str]] = field(default_factory=list)
    reached: Callable[[CutStep], None] = lambda _: None

    def begins(self, step: CutStep) -> None:
        """Pass the step on."""
        self.reached(step)

    def say(self, text: str) -> None:
        """Note a message."""
        self.said.append(text)

    def approve(self, planned: PlannedCut) -> bool:
        """Note the plan, and answer."""
        self.planned.append(planned)
        return self.approves

    def rehearse(self, tree: Path, tag: str) -> None:
        """Note what would be rehearsed."""
        self.rehearsed.append((tree, tag))


@dataclass
class Pulls:
    """Pull requests in memory."""

    opened: list[PullRequest] = field(default_factory=list)
    branches: list[str] = field(default_factory=list)

    def of_branch(self, branch: str) -> tuple[PullRequest, ...]:
        """Those of a branch."""
        return tuple(pull for pull, name in zip(self.opened, self.branches, strict=True) if name == branch)

    def create(self, *, branch: str, base: str, title: str, body: str) -> PullRequest:
        """Open one."""
        del title, body
        url = f"https://forge.example/pull/{len(self.opened) + 1}"
        self.opened.append(PullRequest(number=len(self.opened) + 1, url=url, head="", base=base, is_open=True))
        self.branches.append(branch)
        return self.opened[-1]

    def update(self, number: int, *, title: str, body: str) -> PullRequest:
        """Find one."""
        del title, body
        return self.opened[number - 1]


@dataclass(frozen=True)
class Cuttable:
    """A checkout, and the bare repository that is its remote."""

    repo: Repo
    hub: Repo

    @classmethod
    def new(cls, folder: Path, files: dict[str, str] | None = None, *, tag: str = "v1.2.3") -> Cuttable:
        """Make a project whose first commit is released, and a commit after that. Both are pushed."""
        hub = Repo(folder / "hub.git")
        hub.path.mkdir(parents=True)
        hub.git("init", "--quiet", "--bare", "--template=", "--initial-branch=main")
        repo = Repo.new(folder / "work", files or PROJECT)
        if tag:
            repo.git("tag", "--annotate", "-m", tag, tag)
        repo.git("remote", "add", "origin", str(hub.path))
        cuttable = cls(repo, hub)
        repo.commit({"demo/new.py": '"""New."""\n'}, "Add something new", date=1_700_000_100)
        cuttable.push()
        return cuttable

    def push(self) -> None:
        """Push everything, as a maintainer does."""
        self.repo.git("push", "--quiet", "--tags", "origin", "HEAD")

    def add_hook(self, name: str, script: str, *, at: Repo | None = None) -> None:
        """Add a hook to the checkout, or to another repository."""
        repo = at or self.repo
        folder = repo.path / ("hooks" if (repo.path / "HEAD").exists() else ".git/hooks")
        folder.mkdir(exist_ok=True)
        (folder / name).write_text(script, "utf-8", newline="")
        (folder / name).chmod(0o755)

    def state(self) -> tuple[str, ...]:
        """What a cut must leave alone: HEAD, branches, tags, index and files of the checkout."""
        files = sorted(
            f"{path.relative_to(self.repo.path)} {path.read_bytes()!r}"
            for path in self.repo.path.rglob("*")
            if path.is_file() and not {".git", ".unmoor"} & set(path.relative_to(self.repo.path).parts)
        )
        refs = self.repo.git("for-each-ref", "--format=%(refname) %(objectname)", "refs/heads", "refs/tags")
        return (self.repo.git("symbolic-ref", "HEAD"), refs, self.repo.git("ls-files", "--stage"), *files)

    def remote_state(self) -> str:
        """The refs of the remote."""
        return self.hub.git("for-each-ref", "--format=%(refname) %(objectname)")

    def cut(
        self,
        *parts: str,
        named: str = "",
        listener: Listener | None = None,
        pulls: PullRequests | None = None,
        protected: str = "",
        on_index: Sequence[str] = (),
        verify: bool = True,
        rehearse: bool = False,
    ) -> CutResult | InDoubt:
        """Cut a release."""
        with Processes() as processes:
            ports, project = self.opened(processes, pulls=pulls, protected=protected, on_index=on_index)
            options = CutOptions(
                named=Version(named) if named else None,
                parts=tuple(map(VersionPart, parts)),
                verify=verify,
                rehearse=rehearse,
                now=NOW,
            )
            return Cut(ports=ports, project=project, options=options, listener=listener or Listener()).run()

    def opened(
        self,
        processes: Processes,
        *,
        pulls: PullRequests | None = None,
        protected: str = "",
        on_index: Sequence[str] = (),
    ) -> tuple[CutPorts, CutProject]:
        """What a cut works with."""
        shell = LocalShell(processes=processes)
        git = GitCheckout(self.repo.path, shell)
        head = git.head()
        assert head is not None
        read = partial(git.read, head)
        ports = CutPorts(
            git=git,
            writer=CheckoutWriter(checkout=git, shell=shell, environ=os.environ),
            shell=shell,
            lock=UvLock(shell=shell, environ=os.environ),
            index_versions=lambda _name: tuple(map(Version, on_index)),
            check=lambda: None,
            protected=lambda branch: protected if branch == "main" else "",
            pull_requests=pulls,
        )
        project = CutProject(
            name=read_facts(read).name,
            is_conventional=follows_conventional_commits(read, git.files(head), git),
            settings=resolve(read).settings,
            naming=naming_at(git, head, ConfigSources(environ={})),
            folder=self.repo.path / ".unmoor" / "cut",
        )
        return ports, project


def main(folder: str, step: str) -> None:
    """Cut a release of the project in a folder, and kill this process when a step begins."""

    def kill(reached: CutStep) -> None:
        if reached == step:
            psutil.Process().kill()

    cuttable = Cuttable(Repo(Path(folder) / "work"), Repo(Path(folder) / "hub.git"))
    cuttable.cut("minor", listener=Listener(reached=kill))


if __name__ == "__main__":
    main(*sys.argv[1:])
