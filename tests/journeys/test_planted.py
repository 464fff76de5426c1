"""Nothing that somebody planted is released without the digest that its maker printed."""

from __future__ import annotations

import json
import shutil
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from hashlib import sha256
from pathlib import Path

import pytest
from tests.support.git_repos import Repo
from tests.support.local_forge import place_at
from tests.support.local_release import LocalRelease, start_release
from tests.support.sample_values import FakeClock
from tests.support.snapshots import surfaces

from unmoor.adapters.forge import GitHubForge
from unmoor.adapters.http.session import BoundedSession
from unmoor.artifacts import manifest as manifests
from unmoor.artifacts.files import describe_file
from unmoor.artifacts.manifest import Manifest
from unmoor.filesystem.files import sha256_of
from unmoor.products import Dists, Proof, Release, Result, Subject, Verdict
from unmoor.util.values import replace

pytestmark = [pytest.mark.journey, pytest.mark.timeout(300)]

NAMES = ("small_one-1.0-py3-none-any.whl", "small_one-1.0.tar.gz")
EVIL = b"nobody built these bytes"
WRONG = "0" * 64


@dataclass(frozen=True)
class Target:
    """A checkout on a fresh machine, and a world in which something is planted."""

    place: LocalRelease
    plant: Path

    @property
    def digest(self) -> str:
        """The sha256 of the planted manifest."""
        return sha256_of(self.plant / manifests.NAME)

    @property
    def took(self) -> bool:
        """Whether planted bytes are among the files of the release."""
        dists = self.place.repo.path / ".unmoor" / "v1.0" / "dists"
        return any(EVIL in path.read_bytes() for path in dists.glob("*"))


def plant_files(place: LocalRelease, folder: Path) -> None:
    """Write files that nobody built, with a manifest of the right commit and a proof of them."""
    (folder / "dists").mkdir(parents=True)
    for name in NAMES:
        (folder / "dists" / name).write_bytes(EVIL + name.encode())
    files = tuple(describe_file(folder / "dists" / name) for name in NAMES)
    proof = Proof(
        name="prove-dists",
        subjects=tuple(Subject(name=file.name, sha256=file.sha256) for file in files),
        results=tuple(Result(name=f"{file.name}: imports", verdict=Verdict.PASSED) for file in files),
    )
    manifest = Manifest.of(release_of(place), Dists(files=files), (proof,))
    (folder / manifests.NAME).write_bytes(manifests.encode(manifest))


@contextmanager
def planted(folder: Path) -> Iterator[Target]:
    """Start a world, and have planted files ready."""
    with start_release(folder) as place:
        plant_files(place, folder / "plant")
        yield Target(replace(place, state=folder / "state"), folder / "plant")


def release_of(place: LocalRelease) -> Release:
    """The release, as anyone can describe it who can read the repository."""
    return Release(
        repository="acme/small",
        project="small-one",
        tag="v1.0",
        version="1.0",
        commit=place.repo.git("rev-parse", "v1.0").strip(),
        date=1_700_000_000,
        prerelease=False,
        highest=True,
    )


def nothing_else(target: Target) -> list[str]:
    """A folder in the checkout, committed or not, needs no option."""
    shutil.copytree(target.plant, target.place.repo.path / ".unmoor" / "v1.0")
    return []


def committed(target: Target) -> list[str]:
    """A folder that a later commit holds; the tag is checked out by name."""
    nothing_else(target)
    target.place.repo.git("add", "--force", ".unmoor")
    target.place.repo.git("commit", "--quiet", "-m", "plant")
    return []


def downloaded(target: Target) -> list[str]:
    """A folder that another job handed over."""
    return ["--dists", str(target.plant)]


def drafted(target: Target, *more: str) -> list[str]:
    """A draft that another workflow of the repository made, with more files besides."""
    _on_the_forge(target, *more, public=False)
    return []


def published(target: Target, *more: str) -> list[str]:
    """A public release that another workflow of the repository made, with more files besides."""
    _on_the_forge(target, *more, public=True)
    return []


PLANTS = (nothing_else, committed, downloaded, drafted, published)


def _on_the_forge(target: Target, *more: str, public: bool) -> None:
    world = json.loads((target.place.world / "credentials.json").read_text())
    text = target.place.world_file.read_text()
    root = next(line for line in text.splitlines() if line.startswith("api = ")).split('"')[1].removesuffix("/api/v3")
    with BoundedSession() as http:
        forge = GitHubForge(place_at(root, token=world["forge"], repository="acme/small"), http, FakeClock())
        release = release_of(target.place)
        made = forge.draft(tag="v1.0", target=release.commit, name="v1.0", body="- It floats.", prerelease=False)
        files = (*(target.plant / "dists" / name for name in NAMES), *(target.plant / name for name in more))
        for path in (*files, target.plant / manifests.NAME):
            forge.attach(made, describe_file(path))
        if public:
            forge.publish(made, prerelease=False, latest=True)


@pytest.mark.parametrize("given", ["none", "empty", "wrong", "right"])
@pytest.mark.parametrize(
    "plant", [nothing_else, committed, downloaded, drafted, published], ids=lambda each: each.__name__
)
def test_planted_files(tmp_path: Path, plant: Callable[[Target], list[str]], given: str) -> None:
    """Without the right digest nothing planted is taken: it is ignored, or refused if it was handed over."""
    with planted(tmp_path) as target:
        place = target.place
        options = plant(target)
        digest = {"none": None, "empty": "", "wrong": WRONG, "right": target.digest}[given]
        options += ["--manifest-sha256", digest] if digest is not None else []
        ran = place.release("--dry-run", "--until", "dists", *options)
        handed_over = plant is downloaded
        wanted = {"none": 4 if handed_over else 0, "empty": 2, "wrong": 4, "right": 0}[given]
        assert ran.returncode == wanted, ran.stderr
        assert "Traceback" not in ran.stderr
        # What was refused lies where it was planted, and is no file of this release.
        in_place = plant in {nothing_else, committed} and wanted != 0
        assert target.took is (given == "right" or in_place), ran.stderr
        if given != "right":
            assert target.digest not in ran.stderr
        if given == "none" and not handed_over:
            assert "vouches for" in ran.stderr
            assert "building the sdist" in ran.stderr


@pytest.mark.parametrize("variable", ["", " ", "x", WRONG[:-1], f"{WRONG} "])
def test_the_variable_counts_as_the_option(tmp_path: Path, variable: str) -> None:
    """A variable that is set to anything but digests is a usage error, and one digest without a document is refused."""
    with start_release(tmp_path) as place:
        ran = place.unmoor(
            *("release", "--world", str(place.world_file), "--dry-run", "--until", "dists", "v1.0"),
            env={"UNMOOR_MANIFEST_SHA256": variable},
        )
        assert ran.returncode == (4 if variable.strip() == WRONG else 2), ran.stderr
        assert "Traceback" not in ran.stderr
        assert not (place.repo.path / ".unmoor" / "v1.0" / "dists").exists()


def test_a_planted_draft_is_replaced_and_a_planted_release_stops(tmp_path: Path) -> None:
    """A whole release goes on over a planted draft, since nothing else is out, and never over a public release."""
    with planted(tmp_path / "draft") as target:
        drafted(target)
        ran = target.place.release()
        assert ran.returncode == 0, ran.stderr
        assert not target.took
        assert target.place.status().returncode == 0
    with planted(tmp_path / "public") as target:
        published(target)
        ran = target.place.release()
        assert ran.returncode == 9, ran.stderr
        assert target.place.stored() == []
        assert target.digest not in ran.stderr


def test_a_draft_that_differs_from_what_is_out_changes_nothing(tmp_path: Path) -> None:
    """On a new machine, with other bytes on the staging index, nothing changes until the right digest is given.

    Neither machine signs: a signature would be as good as the digest.
    """
    unsigned = {"UNMOOR_ATTESTATIONS": "off"}
    with start_release(tmp_path) as place:
        first = replace(place, state=tmp_path / "first")
        held = first.unmoor("release", "--world", str(place.world_file), "--hold", "v1.0", env=unsigned)
        assert held.returncode == 0, held.stderr
        clone = tmp_path / "clone"
        place.repo.git("clone", "--quiet", str(place.repo.path), str(clone))
        # Another build of the same commit: its backend writes other bytes.
        other = replace(place, repo=Repo(clone), state=tmp_path / "second")
        before = surfaces(place.world)
        env = {"UNMOOR_NORMALIZE_SDIST": "false"} | unsigned
        ran = other.unmoor("release", "--world", str(place.world_file), "v1.0", env=env)
        if ran.returncode == 0:
            pytest.fail("the second build is the same: choose a project whose builds differ")
        assert ran.returncode == 9, ran.stderr
        assert "--manifest-sha256 HEX" in ran.stderr
        assert surfaces(place.world) == before
        digest = sha256((first.repo.path / ".unmoor" / "v1.0" / manifests.NAME).read_bytes()).hexdigest()
        assert digest in held.stderr
        assert digest not in ran.stderr
        finished = other.unmoor("release", "--world", str(place.world_file), "--manifest-sha256", digest, "v1.0")
        assert finished.returncode == 0, finished.stderr
        assert "building the sdist" not in finished.stderr
