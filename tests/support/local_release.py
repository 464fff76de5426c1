"""A small project and a local world to release it into, with whole commands."""

from __future__ import annotations

import json
import os
import re
import subprocess
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from tests.support import forked, sample_projects
from tests.support.git_repos import Repo

from unmoor.rehearsal import local

UNMOOR = forked.UNMOOR
SETTINGS = '\n[tool.unmoor]\nrepository = "acme/small"\ntest-command = "python {project}/tests/check.py"\n'
CHANGELOG = "# Changes\n\n## 1.0\n\n- It floats.\n"


@dataclass(frozen=True)
class LocalRelease:
    """A checkout with its world. ``state`` is the state folder of the account that uses it; the usual one if ``None``.

    Another machine is another checkout with another state folder. Unless it ``forks``, its commands are processes that
    are started, as users have them; see `forked`.
    """

    repo: Repo
    world: Path
    state: Path | None = None
    forks: bool = True

    @property
    def world_file(self) -> Path:
        """The world file."""
        return self.world / "world.toml"

    @property
    def journal(self) -> Path:
        """The journal of the release of v1.0."""
        return self.repo.path / ".unmoor" / "v1.0" / "journal.jsonl"

    def requests(self) -> list[dict[str, Any]]:
        """Return every request that the servers of the world have answered."""
        log = self.world / "requests.jsonl"
        return [json.loads(line) for line in log.read_text().splitlines()] if log.exists() else []

    def stored(self) -> list[tuple[str, str]]:
        """Return the index and the file name of every upload that stored a new file on an index."""
        stored = [each for each in self.requests() if each.get("outcome") == "stored"]
        return [(each["server"], each["file"]) for each in stored if each["server"] != "forge"]

    def unmoor(self, *args: str, env: Mapping[str, str] | None = None) -> subprocess.CompletedProcess[str]:
        """Run the command line in the checkout."""
        variables = {**os.environ, **({"XDG_STATE_HOME": str(self.state)} if self.state else {}), **(env or {})}
        return forked.run(args, cwd=self.repo.path, env=variables, timeout=110, fork=self.forks)

    def release(self, *args: str) -> subprocess.CompletedProcess[str]:
        """Release v1.0 into the world."""
        return self.unmoor("release", "--world", str(self.world_file), *args, "v1.0")

    def status(self, *args: str) -> subprocess.CompletedProcess[str]:
        """Compare the world with the manifest."""
        return self.unmoor("status", "--world", str(self.world_file), *args, "v1.0")


def digests_in(output: str) -> dict[str, str]:
    """The sha256 of the documents that a run printed as its last lines, by name."""
    return dict(re.findall(r"^sha256 of ([\w.-]+):  ([0-9a-f]{64})$", output, re.MULTILINE))


def vouching(*outputs: str) -> list[str]:
    """The options that vouch for the documents of earlier runs, by what these printed."""
    digests = dict.fromkeys(digest for output in outputs for digest in digests_in(output).values())
    return [option for digest in digests for option in ("--manifest-sha256", digest)]


def small_repo(path: Path, **others: str) -> Repo:
    """Create a repository of a small project at version 1.0 with a test, a changelog and the tag v1.0."""
    own = {"tests__check.py": "import small_one\n\nassert small_one.main() == 0\n", "CHANGELOG.md": CHANGELOG}
    repo = Repo.new(path, sample_projects.files("small-one", "1.0", more=SETTINGS, **own) | others)
    repo.git("tag", "v1.0")
    return repo


@contextmanager
def start_release(
    folder: Path,
    repo: Repo | None = None,
    *,
    registry: bool = False,
    announce: Sequence[str] = (),
    deployments: Sequence[str] = (),
) -> Iterator[LocalRelease]:
    """Start a world for a small project, with these targets of announcements and servers of deployments."""
    folder.mkdir(parents=True, exist_ok=True)
    repo, world = repo or small_repo(folder / "small"), folder / "world"
    with local.start(
        world,
        repository="acme/small",
        checkout=repo.path,
        registry=registry,
        announce=announce,
        deployments=deployments,
    ):
        yield LocalRelease(repo=repo, world=world)
