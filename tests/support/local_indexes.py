"""The indexes of a local world, and a git remote with tags, for the stages that upload."""

from __future__ import annotations

import contextlib
import json
import os
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path

from tests.support.faulty_index import BOUNDS, build_dists
from tests.support.git_repos import Repo
from tests.support.sample_values import FakeClock

from unmoor.adapters.forge import GitHubForge
from unmoor.adapters.git.checkout import GitCheckout
from unmoor.adapters.http.session import BoundedSession
from unmoor.adapters.index import PackageIndex
from unmoor.adapters.process.shell import LocalShell
from unmoor.adapters.process.supervisor import Processes
from unmoor.config.worlds import read_world
from unmoor.core.stage import Output, StageContext
from unmoor.ports.world import World
from unmoor.products import Asset, Dists, Draft, File, Release
from unmoor.publish.draft_recheck import DraftRecheck
from unmoor.rehearsal import local
from unmoor.rehearsal.local import LocalWorld
from unmoor.util.values import replace

RELEASE: Output[Release] = Output("tag")
DISTS: Output[Dists] = Output("dists")
DRAFT: Output[Draft] = Output("draft")


@dataclass(frozen=True, kw_only=True)
class LocalIndexes:
    """A running world, a checkout with a remote, and a folder for the files of each version."""

    world: World
    running: LocalWorld
    repo: Repo
    git: GitCheckout
    http: BoundedSession
    folder: Path
    clock: FakeClock = field(default_factory=FakeClock)
    messages: list[str] = field(default_factory=list)

    @property
    def staging(self) -> PackageIndex:
        """The staging index."""
        assert self.world.staging is not None
        return PackageIndex(self.world.staging, self.http, self.clock)

    @property
    def forge(self) -> GitHubForge:
        """The forge, with a token that may write."""
        return GitHubForge(self.world.forge, self.http, self.clock)

    @property
    def recheck(self) -> DraftRecheck:
        """What reads the draft again before the upload."""
        return DraftRecheck(draft=DRAFT, pushed=None, forge=self.forge, clock=self.clock)

    @property
    def index(self) -> PackageIndex:
        """The index."""
        return PackageIndex(self.world.index, self.http, self.clock)

    def context(self, version: str) -> StageContext:
        """Tag a version on the remote, build its files, and return the context for a stage."""
        tag = f"v{version}"
        self.repo.git("tag", tag)
        self.repo.git("push", "--quiet", "origin", tag)
        release = Release(
            repository="acme/demo",
            project="demo",
            tag=tag,
            version=version,
            commit=self.repo.git("rev-parse", "HEAD"),
            date=1_700_000_000,
            prerelease=False,
            highest=True,
        )
        dists = Dists(files=build_dists(self.folder / version, version))
        return StageContext({RELEASE.by: release, DISTS.by: dists}, say=self.messages.append)

    def with_draft(self, context: StageContext, *texts: File) -> StageContext:
        """Attach the files to a draft, with more of them, and return the context with it."""
        release, files = context[RELEASE], (*context[DISTS].files, *texts)
        # The world's remote knows the first commit alone.
        known = self.repo.git("rev-list", "--max-parents=0", "HEAD")
        made = self.forge.draft(tag=release.tag, target=known, name=release.tag, body="", prerelease=False)
        for file in files:
            self.forge.attach(made, file)
        assets = tuple(Asset(name=file.name, sha256=file.sha256, size=file.size) for file in files)
        draft = Draft(id=made.id, tag=made.tag, url=made.url, assets=assets)
        return replace(context, products={**context.products, DRAFT.by: draft})

    def uploads(self, index: PackageIndex, context: StageContext) -> list[str]:
        """Return the outcome of every upload of a version's files, from the log of the index."""
        names = {file.name for file in context[DISTS].files}
        lines = map(json.loads, (self.running.folder / "requests.jsonl").read_text().splitlines())
        ours = (line for line in lines if line.get("server") == index.name and line.get("file") in names)
        return [str(line["outcome"]) for line in ours]


@contextlib.contextmanager
def start_indexes(folder: Path) -> Iterator[LocalIndexes]:
    """Start the world and create the checkout."""
    repo = Repo.new(folder / "checkout")
    repo.remote(folder / "remote.git")
    with (
        local.start(folder / "world", repository="acme/demo", checkout=repo.path) as running,
        Processes() as processes,
        BoundedSession(BOUNDS) as http,
    ):
        world = read_world(running.world_file, os.environ)
        git = GitCheckout(repo.path, LocalShell(processes=processes))
        yield LocalIndexes(world=world, running=running, repo=repo, git=git, http=http, folder=folder)
