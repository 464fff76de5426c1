"""The forge of a local world, and releases for it."""

from __future__ import annotations

import itertools
import json
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path

from tests.support.git_repos import Repo
from tests.support.sample_values import FakeClock
from tests.support.shells import shell_for_tests

from unmoor.adapters.forge import GitHubForge
from unmoor.adapters.git.checkout import GitCheckout
from unmoor.adapters.http.session import BoundedSession
from unmoor.artifacts.files import describe_file
from unmoor.artifacts.run_dir import RunFolder
from unmoor.core.stage import Output, StageContext
from unmoor.ports.world import ForgePlace, Login
from unmoor.products import Dists, File, Notes, Proof, Release, Result, Subject, Verdict
from unmoor.rehearsal import local
from unmoor.rehearsal.local import LocalWorld
from unmoor.stages.draft import MakeDraft
from unmoor.util.secret import Secret
from unmoor.util.values import replace

REPOSITORY = "acme/demo"
RELEASE: Output[Release] = Output("tag")
DISTS: Output[Dists] = Output("dists")
NOTES: Output[Notes] = Output("notes")
PROOF: Output[Proof] = Output("prove-dists")
TAGS = 100


def place_at(root: str, *, token: str = "", repository: str = REPOSITORY) -> ForgePlace:
    """Return a forge with the addresses of GitHub Enterprise."""
    return ForgePlace(
        api=f"{root}/api/v3",
        uploads=f"{root}/api/uploads",
        site=root,
        repository=repository,
        login=Login(username="", secret=Secret(token), origin="a test"),
    )


@dataclass(frozen=True)
class LocalForge:
    """The forge of a running world. Every release has its own tag. ``git`` is the checkout, its own remote."""

    http: BoundedSession
    place: ForgePlace
    read_token: str
    commit: str
    repo: Repo
    git: GitCheckout
    world: Path
    versions: Iterator[int]
    running: LocalWorld
    clock: FakeClock = field(default_factory=FakeClock)

    def forge(self, token: str | None = None, **changes: str) -> GitHubForge:
        """Return a new adapter, with the token that may push unless another one is given."""
        login = self.place.login if token is None else replace(self.place.login, secret=Secret(token))
        return GitHubForge(replace(self.place, login=login, **changes), self.http, self.clock)

    def release(self, *, prerelease: bool = False, highest: bool = True) -> Release:
        """Return a release whose tag exists and which is not yet on the forge."""
        version = f"{next(self.versions)}.0"
        return Release(
            repository=REPOSITORY,
            project="demo",
            tag=f"v{version}",
            version=version,
            commit=self.commit,
            date=1_700_000_000,
            prerelease=prerelease,
            highest=highest,
        )


@contextmanager
def start_forge(folder: Path) -> Iterator[LocalForge]:
    """Start a world with many tags on one commit of its remote."""
    repo = Repo.new(folder / "checkout")
    repo.git("fetch", "--quiet", ".", *(f"HEAD:refs/tags/v{number}.0" for number in range(1, TAGS)))
    with (
        local.start(folder / "world", repository=REPOSITORY, checkout=repo.path) as world,
        BoundedSession() as http,
        shell_for_tests() as shell,
    ):
        tokens = json.loads((world.folder / "credentials.json").read_text())
        place = place_at(world.addresses["forge"], token=tokens["forge"])
        git = GitCheckout(repo.path, shell, str(repo.path))
        yield LocalForge(
            http,
            place,
            tokens["read"],
            repo.git("rev-parse", "HEAD"),
            repo,
            git,
            world.folder,
            itertools.count(1),
            world,
        )


@dataclass(frozen=True)
class DraftInputs:
    """A release that is built and proven, and the stage that makes its draft."""

    release: Release
    dists: Dists
    notes: Notes
    proof: Proof
    stage: MakeDraft

    @property
    def context(self) -> StageContext:
        """The context of the stage."""
        return StageContext(
            {RELEASE.by: self.release, DISTS.by: self.dists, NOTES.by: self.notes, PROOF.by: self.proof},
        )


def draft_inputs(
    at: LocalForge, folder: Path, release: Release | None = None, *, salt: str = "", full: str = ""
) -> DraftInputs:
    """Write a wheel and an sdist, and create the stage. The files are not archives, because the forge accepts any."""
    release = release or at.release()
    files = []
    for name in (f"demo-{release.version}-py3-none-any.whl", f"demo-{release.version}.tar.gz"):
        path = folder / "dists" / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(f"{name}{salt}".encode() * 100)
        files.append(describe_file(path))
    notes = Notes(body="- Something new\n", full=full or "- Something new\n", source="a test")
    proof = Proof(
        name="prove-dists",
        subjects=tuple(Subject(name=file.name, sha256=file.sha256) for file in files),
        results=(Result(name="imports", verdict=Verdict.PASSED),),
    )
    stage = MakeDraft(
        name="draft",
        release=RELEASE,
        dists=DISTS,
        notes=NOTES,
        proof=PROOF,
        forge=at.forge(),
        git=at.git,
        folder=RunFolder(folder / "run"),
        clock=at.clock,
    )
    return DraftInputs(release, Dists(files=tuple(files)), notes, proof, stage)


def text_file(path: Path, text: str) -> File:
    """Write a small file and describe it."""
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(text)
    return describe_file(path)
