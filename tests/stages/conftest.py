"""The services and inputs for tests of stages that build files: real ones."""

from __future__ import annotations

import os
import sys
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from pathlib import Path

import pytest
from tests.support import sample_projects
from tests.support.git_repos import Repo
from tests.support.shells import shell_for_tests

from unmoor.adapters.clock import MonotonicClock
from unmoor.adapters.git.checkout import GitCheckout
from unmoor.adapters.pep517 import Pep517
from unmoor.adapters.process.shell import LocalShell
from unmoor.adapters.uv import Uv
from unmoor.artifacts.files import describe_file
from unmoor.artifacts.manifest import Manifest
from unmoor.artifacts.run_dir import RunFolder
from unmoor.core.stage import Output, StageContext
from unmoor.ports.forge import Forge
from unmoor.products import Dists, Release
from unmoor.stages.dists import BuildDists

RELEASE: Output[Release] = Output("tag")


@dataclass
class StageInputs:
    """A repository with a release, and everything that builds and tests it."""

    repo: Repo
    release: Release
    shell: LocalShell
    folder: RunFolder
    messages: list[str] = field(default_factory=list)
    warned: list[str] = field(default_factory=list)

    @property
    def uv(self) -> Uv:
        """The real uv."""
        return Uv(shell=self.shell)

    @property
    def git(self) -> GitCheckout:
        """The real git."""
        return GitCheckout(self.repo.path, self.shell)

    @property
    def clock(self) -> MonotonicClock:
        """The real clock."""
        return MonotonicClock(processes=self.shell.processes)

    def build_stage(self, *, forge: Forge | None = None, folder: RunFolder | None = None) -> BuildDists:
        """The stage that builds."""
        return BuildDists(
            name="dists",
            release=RELEASE,
            git=self.git,
            backend=Pep517(shell=self.shell, uv=self.uv),
            folder=folder or self.folder,
            forge=forge,
        )

    def context(self, **products: object) -> StageContext:
        """The context for a stage."""
        return StageContext({"tag": self.release, **products}, say=self.messages.append, warn=self.warned.append)

    def dists(self) -> Dists:
        """Build with the project's own backend and write the manifest, as the stage does, in a tenth of its time."""
        self.folder.dists.mkdir(parents=True, exist_ok=True)
        code = "import sys, own; own.build_wheel(sys.argv[1]); own.build_sdist(sys.argv[1])"
        args = [sys.executable, "-c", code, str(self.folder.dists)]
        assert self.shell.run(args, cwd=self.repo.path, env={"PATH": os.defpath}).code == 0
        files = (
            describe_file(path) for path in sorted(self.folder.dists.iterdir(), key=lambda path: path.suffix != ".whl")
        )
        dists = Dists(files=tuple(files))
        self.folder.write_manifest(Manifest.of(self.release, dists))
        return dists


@pytest.fixture
def shell() -> Iterator[LocalShell]:
    """A shell that ends its child processes after the test."""
    with shell_for_tests() as shell:
        yield shell


@pytest.fixture
def make_inputs(shell: LocalShell, tmp_path: Path) -> Callable[..., StageInputs]:
    """Create a repository of the given files with a tag, and the services to release it."""

    def make(content: dict[str, str] | None = None, **release: str) -> StageInputs:
        repo = Repo.new(tmp_path / "checkout", content or sample_projects.files())
        return StageInputs(repo, sample_projects.release_of(repo, **release), shell, RunFolder.of(repo.path, "v1.0"))

    return make
