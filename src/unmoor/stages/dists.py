"""The files: built once, from a clone of the commit, and the same bytes ever after."""

from __future__ import annotations

import os
import shutil
import tempfile
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from packaging.requirements import InvalidRequirement, Requirement
from packaging.utils import canonicalize_name

from unmoor import manifest as manifests
from unmoor.bundle import attached, content_of
from unmoor.distfiles import extract
from unmoor.errors import Conflict, Incomplete, Unfit, Unknown
from unmoor.files import is_safe_name, measured, sha256_of
from unmoor.folder import RunFolder
from unmoor.manifest import Manifest
from unmoor.ports.backend import Backend
from unmoor.ports.forge import Forge, Posting
from unmoor.ports.git import Git
from unmoor.ports.index import Index
from unmoor.products import Dists, File, Release
from unmoor.stage import Build, Have, Promise
from unmoor.text import clean

# Build requirements that read the version from git in a way of their own, and what tells them the version.
# setuptools-scm reads a variable with the project's name in it; hatch-vcs passes over that one.
_VERSION_VARIABLES = {
    "hatch-vcs": "SETUPTOOLS_SCM_PRETEND_VERSION",
    "pdm-backend": "PDM_BUILD_SCM_VERSION",
    "poetry-dynamic-versioning": "POETRY_DYNAMIC_VERSIONING_BYPASS",
    "uv-dynamic-versioning": "UV_DYNAMIC_VERSIONING_BYPASS",
}


@dataclass(frozen=True, kw_only=True)
class BuildDists(Build[Dists]):
    """Builds the sdist, and the wheel from the sdist; or takes the very files that are known already."""

    release: Promise[Release]
    git: Git
    backend: Backend
    folder: RunFolder
    forge: Forge | None = None
    index: Index | None = None

    def plan(self) -> str:
        """Say what would be built, and where it would lie."""
        return f"build an sdist, and a wheel from it, in a clone of the commit; keep both in {self.folder.dists}"

    def find(self, have: Have) -> Dists | None:
        """Return the files of this commit, from the run's folder or else from the forge, always by the manifest.

        Raises `Conflict` where a file is not the one that was recorded, `Unknown` where the forge cannot be
        read. A token that may not see drafts hinders nobody here: what was built twice stops at the draft.
        """
        release = have[self.release]
        manifest = self.folder.read_manifest()
        if manifest is not None and manifest.is_of(release):
            dists = manifest.dists(self.folder.dists)
            if not _missing(dists):
                return dists
        found = self._on_forge(release, have)
        if found is None:
            return None
        return self._fetched(release, *found)

    def make(self, have: Have) -> Dists:
        """Build in a clone of the commit, write down what came of it, and keep it in the run's folder."""
        release = have[self.release]
        self._clear()
        with tempfile.TemporaryDirectory(prefix="unmoor-", ignore_cleanup_errors=True) as name:
            work = Path(name)
            tree, out = work / "source", work / "dists"
            self.git.clone(tree, commit=release.commit, tag=release.tag)
            _set_modes(tree)
            env = _environment(release, self.backend.requires(tree))
            have.say("building the sdist")
            sdist = self.backend.sdist(tree, out, env=env)
            have.say(f"building the wheel from {clean(sdist.name)}")
            wheel = self.backend.wheel(extract(sdist, work / "sdist"), out, env=env)
            files = tuple(_placed(path, self.folder.dists) for path in (wheel, sdist))
        dists = Dists(files=files, tools=self.backend.tools())
        self.folder.write_manifest(Manifest.of(release, dists))
        return dists

    def _clear(self) -> None:
        """Remove what a broken build, or one of another commit, left. The manifest goes first: it vouches for files."""
        self.folder.open()
        self.folder.manifest.unlink(missing_ok=True)
        shutil.rmtree(self.folder.dists, ignore_errors=True)

    def _on_forge(self, release: Release, have: Have) -> tuple[Posting, Manifest] | None:
        """Find a release object of the tag with a manifest on it. Raises `Conflict`, `Unknown`."""
        if self.forge is None:
            return None
        for posting in self._postings(release, have):
            asset = attached(posting, manifests.NAME)
            # The manifest is attached last: without it a draft was never complete, and nothing went further.
            if asset is None or not asset.uploaded:
                continue
            manifest = manifests.decode(content_of(asset, self.forge), where=asset.url)
            if not manifest.is_of(release):
                raise Conflict(
                    f"the release at {posting.url} is of {clean(manifest.tag)} at commit {clean(manifest.commit)}, "
                    f"and not of {release.tag} at {release.commit}",
                    next_step="delete that draft if nothing of it is public, else release the next version",
                )
            return posting, manifest
        return None

    def _postings(self, release: Release, have: Have) -> tuple[Posting, ...]:
        """Every release object of the tag that can be seen, public ones first."""
        assert self.forge is not None  # noqa: S101  # the one caller has looked
        if self.forge.has_token():
            try:
                return tuple(sorted(self.forge.postings(release.tag), key=lambda posting: posting.draft))
            except Unknown as error:
                unseen = error
        else:
            unseen = None
        public = self.forge.public(release.tag)
        if public is None and unseen is not None:
            have.warn(f"drafts cannot be seen, so none is taken up: {unseen}")
        return (public,) if public is not None else ()

    def _fetched(self, release: Release, posting: Posting, manifest: Manifest) -> Dists:
        """Bring the named files into the run's folder, all of them or none."""
        with self._aside() as aside:
            for wanted in manifest.dists(self.folder.dists).files:
                _same(self._fetch(wanted, release, posting, aside), wanted, posting.url)
            kept = manifest.dists(self.folder.dists)
            self._clear()
            aside.chmod(0o755)
            aside.rename(self.folder.dists)
        self.folder.write_manifest(manifest)
        return kept

    @contextmanager
    def _aside(self) -> Iterator[Path]:
        """A folder on the same disk, which is gone afterwards unless it was renamed."""
        self.folder.open()
        aside = Path(tempfile.mkdtemp(dir=self.folder.path, prefix=".dists-"))
        try:
            yield aside
        finally:
            shutil.rmtree(aside, ignore_errors=True)

    def _fetch(self, wanted: File, release: Release, posting: Posting, into: Path) -> File:
        """Fetch one file from the release object, else from the index. Raises `Incomplete`, `Unknown`."""
        asset = attached(posting, wanted.name)
        if asset is not None and asset.uploaded and self.forge is not None:
            return self.forge.fetch(asset, into)
        if self.index is not None:
            listed = self.index.holding(release.project, release.version).listed(wanted.name)
            if listed is not None:
                return self.index.fetch(listed, into)
        raise Incomplete(
            f"the release at {posting.url} names {wanted.name} in its manifest, and does not hold it",
            next_step="delete the draft and run the same command again"
            if posting.draft
            else "attach the file, by the sha256 in the manifest, or release the next version",
        )


def _missing(dists: Dists) -> tuple[File, ...]:
    """Name the files that are gone. Raises `Conflict` for one that is there with other bytes."""
    gone = []
    for file in dists.files:
        try:
            digest = sha256_of(file.path)
        except FileNotFoundError:
            gone.append(file)
            continue
        if digest != file.sha256:
            raise Conflict(
                f"{file.name} has the sha256 {digest}, and {file.sha256} was recorded when it was built",
                where=str(file.path),
                next_step="put that file back; or, if nothing of it is public, remove the folder and build again",
            )
    return tuple(gone)


def _same(fetched: File, wanted: File, where: str) -> None:
    """Raise `Conflict` where a fetched file is not the one that the manifest names."""
    if (fetched.name, fetched.sha256) != (wanted.name, wanted.sha256):
        raise Conflict(
            f"{wanted.name} has the sha256 {fetched.sha256}, and the manifest beside it says {wanted.sha256}",
            where=where,
            next_step="delete that draft if nothing of it is public, else release the next version",
        )


def _environment(release: Release, requires: Iterable[str]) -> dict[str, str]:
    """What the backend is told: the commit's time, and the version."""
    name = canonicalize_name(release.project).replace("-", "_").upper()
    env = {
        "SOURCE_DATE_EPOCH": str(release.date),
        f"SETUPTOOLS_SCM_PRETEND_VERSION_FOR_{name}": release.version,
    }
    for requirement in requires:
        try:
            variable = _VERSION_VARIABLES.get(canonicalize_name(Requirement(requirement).name))
        except InvalidRequirement:
            continue  # the installer will say so, and better
        if variable is not None:
            env[variable] = release.version
    return env


def _set_modes(tree: Path) -> None:
    """Give every file of a clone the mode that git records, whatever the umask was: it is copied into the sdist."""
    for folder, folders, files in os.walk(tree):
        if ".git" in folders:
            folders.remove(".git")
        for name in files:
            path = Path(folder, name)
            if not path.is_symlink():
                path.chmod(0o755 if path.stat().st_mode & 0o100 else 0o644)


def _placed(built: Path, folder: Path) -> File:
    """Copy a built file into a folder, to the disk, and measure it there."""
    if not is_safe_name(built.name):
        raise Unfit(f"{clean(built.name)!r} is no name for a file", next_step="correct the project's build backend")
    folder.mkdir(parents=True, exist_ok=True)
    place = folder / built.name
    with built.open("rb") as source, place.open("wb") as copy:
        shutil.copyfileobj(source, copy)
        copy.flush()
        os.fsync(copy.fileno())
    return measured(place)
