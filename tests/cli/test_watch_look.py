"""A thousand tags: what is asked once, what is asked for some tags, and what becomes unknown."""

from __future__ import annotations

import threading
from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass, field
from hashlib import sha256
from pathlib import Path
from typing import Any, cast

import pytest
from packaging.version import Version
from tests.support.sample_values import sample_release

from unmoor.adapters.factory import ListedServices
from unmoor.advice import NextStep
from unmoor.artifacts import manifest as manifests
from unmoor.artifacts.files import checksum_lines, describe_file
from unmoor.artifacts.manifest import Manifest
from unmoor.ci.github_actions import RunContext
from unmoor.cli.resolve_project import ResolvedProject
from unmoor.cli.run_options import RunOptions, TargetOptions
from unmoor.cli.watch_look import ProjectWatch, Seen
from unmoor.config.settings import Settings
from unmoor.errors import Denied, Unknown, UnmoorError
from unmoor.ports.forge import ForgeAsset, ForgeRelease, ForgeRepository
from unmoor.ports.index import Holding, ListedFile, ProjectStatus
from unmoor.products import Dists, File
from unmoor.project.locate import ConfigSources
from unmoor.util.values import replace

COUNT, COMPARED = 1000, 20
COMMIT = "a" * 40
LAST = f"1.{COUNT - 1}"
SETTINGS = b'[project]\nname = "small-one"\nversion = "1"\n[tool.unmoor]\nrepository = "o/n"\n'


@dataclass
class Counts:
    """How often each question was asked, by any thread."""

    asked: Counter[str] = field(default_factory=Counter)
    lock: threading.Lock = field(default_factory=threading.Lock)

    def add(self, question: str) -> None:
        """Count a question."""
        with self.lock:
            self.asked[question] += 1


def file_of(version: str) -> File:
    """The one file of a version."""
    name = f"small_one-{version}.tar.gz"
    return File(name=name, sha256=sha256(name.encode()).hexdigest(), size=1, path=Path(name))


def manifest_of(version: str) -> bytes:
    """The manifest of a version."""
    release = replace(sample_release(), tag=f"v{version}", version=version, commit=COMMIT)
    return manifests.encode(Manifest.of(release, Dists(files=(file_of(version),))))


def release_of(number: int) -> ForgeRelease:
    """A whole release."""
    file = file_of(f"1.{number}")
    texts = {"SHA256SUMS": checksum_lines([file]), "manifest.json": manifest_of(f"1.{number}")}
    digests = {file.name: file.sha256, **{name: sha256(text).hexdigest() for name, text in texts.items()}}
    assets = tuple(
        ForgeAsset(id=number * 10 + place, name=name, size=100, sha256=digest, uploaded=True, url="", public=True)
        for place, (name, digest) in enumerate(digests.items(), 1)
    )
    return ForgeRelease(
        id=number + 1,
        tag=f"v1.{number}",
        target=COMMIT,
        name="",
        body="",
        draft=False,
        prerelease=False,
        url=f"https://forge/{number}",
        upload_url="",
        assets=assets,
    )


@dataclass(frozen=True)
class ManyReleases:
    """A forge with a thousand releases, or one that answers with an error."""

    counts: Counts
    all: tuple[ForgeRelease, ...]
    error: UnmoorError | None = None
    runs: UnmoorError | None = None
    address: str = "https://forge/o/n"

    def every_release(self) -> tuple[ForgeRelease, ...]:
        """All of them."""
        self.counts.add("list of releases")
        if self.error is not None:
            raise self.error
        return self.all

    def public(self, tag: str) -> ForgeRelease | None:
        """The release of a tag."""
        if self.error is not None:
            raise self.error
        return next((each for each in self.all if each.tag == tag), None)

    def releases(self, tag: str) -> tuple[ForgeRelease, ...]:
        """The releases of a tag."""
        return tuple(each for each in self.all if each.tag == tag)

    def has_token(self) -> bool:
        """Yes."""
        return True

    def repository(self) -> ForgeRepository:
        """A public one."""
        return ForgeRepository(full_name="o/n", private=False, archived=False, can_push=True)

    def latest(self) -> str | None:
        """The highest."""
        self.counts.add("latest")
        if self.error is not None:
            raise self.error
        return f"v{LAST}"

    def active_runs(self, tag: str) -> tuple[object, ...]:
        """None."""
        del tag
        self.counts.add("runs")
        if self.runs is not None:
            raise self.runs
        return ()

    def fetch(self, asset: ForgeAsset, into: Path) -> File:
        """Download a manifest."""
        self.counts.add("download")
        path = into / asset.name
        path.write_bytes(manifest_of(f"1.{asset.id // 10}"))
        return describe_file(path)


@dataclass(frozen=True)
class ManyFiles:
    """An index with the file of each version."""

    counts: Counts
    held: Mapping[Version, Mapping[str, ListedFile]]
    name: str = "pypi"
    page: str = "https://index/{project}/{version}"

    def files(self, project: str) -> Mapping[Version, Mapping[str, ListedFile]]:
        """All of them, from one page."""
        assert project == "small-one"
        self.counts.add("page of the index")
        return self.held

    def status(self, project: str) -> ProjectStatus:
        """Active."""
        del project
        return ProjectStatus()

    def holding(self, project: str, version: str) -> Holding:
        """What the two APIs say of one version."""
        assert project == "small-one"
        self.counts.add("version on the index")
        held = dict(self.held.get(Version(version), {}))
        return Holding(simple=held, json=held)


@dataclass(frozen=True)
class ManyTags:
    """A checkout with a thousand tags."""

    counts: Counts
    folder: Path
    path: str = ""

    def tags(self) -> Mapping[str, str]:
        """Every tag."""
        return {f"v1.{number}": COMMIT for number in range(COUNT)}

    def remote_tags(self) -> Mapping[str, str]:
        """The same ones."""
        return self.tags()

    def tag_times(self) -> Mapping[str, int]:
        """One second after the other."""
        return {f"v1.{number}": number for number in range(COUNT)}

    def read(self, commit: str, name: str) -> bytes | None:
        """The settings."""
        del commit
        return SETTINGS if name == "pyproject.toml" else None

    def files(self, commit: str) -> tuple[str, ...]:
        """No Dockerfile."""
        del commit
        return ("pyproject.toml",)

    def head(self) -> str:
        """The one commit."""
        return COMMIT

    def date_of(self, commit: str) -> int:
        """Long ago."""
        del commit
        return 0


@pytest.fixture(scope="module")
def whole() -> tuple[tuple[ForgeRelease, ...], Mapping[Version, Mapping[str, ListedFile]]]:
    """A thousand releases, and their files on the index."""
    files = [file_of(f"1.{number}") for number in range(COUNT)]
    listed = [ListedFile(name=each.name, url="", sha256=each.sha256) for each in files]
    held = {Version(f"1.{number}"): {each.name: each} for number, each in enumerate(listed)}
    return tuple(map(release_of, range(COUNT))), held


@dataclass(frozen=True)
class Place:
    """What is read, and how often."""

    counts: Counts
    releases: tuple[ForgeRelease, ...]
    held: Mapping[Version, Mapping[str, ListedFile]]
    folder: Path

    def look(self, *, error: UnmoorError | None = None, runs: UnmoorError | None = None) -> Seen:
        """Look at every tag."""
        git = cast("Any", ManyTags(self.counts, self.folder))
        services = ListedServices(
            git=git,
            index=cast("Any", ManyFiles(self.counts, self.held)),
            forge=cast("Any", ManyReleases(self.counts, self.releases, error, runs)),
            signing=None,
        )
        project = ResolvedProject(
            ci=RunContext(),
            sources=ConfigSources(environ={}),
            checkout=git,
            commit=COMMIT,
            settings=Settings(),
            repository="o/n",
        )
        world = cast("Any", World())
        watch = ProjectWatch(
            project=project,
            world=world,
            services=services,
            processes=cast("Any", None),
            options=RunOptions(target=TargetOptions(folder=Path()), engine=False),
            most=COMPARED,
        )
        return watch.look((), since=0)


@dataclass(frozen=True)
class World:
    """The part of a world that is asked for."""

    @dataclass(frozen=True)
    class Forge:
        """The repository."""

        repository: str = "o/n"

    forge: Forge = field(default_factory=Forge)
    registries: tuple[object, ...] = ()
    rehearsal: bool = False


@pytest.fixture
def place(
    whole: tuple[tuple[ForgeRelease, ...], Mapping[Version, Mapping[str, ListedFile]]],
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> Place:
    """The releases, and counts of their own."""
    monkeypatch.setattr("unmoor.cli.watch_surfaces.image_selection.with_registries_of", lambda world, _images: world)
    return Place(Counts(), *whole, tmp_path)


def test_a_thousand_whole_releases_take_a_bounded_number_of_requests(place: Place) -> None:
    """The lists prove them all. Some are compared with their manifests, each with two requests."""
    seen = place.look()
    assert (seen.findings, seen.unknown, len(seen.tags), seen.compared) == ((), (), COUNT, COMPARED)
    assert place.counts.asked == {
        "list of releases": 1,
        "page of the index": 1,
        "latest": 1,
        "download": COMPARED,
        "version on the index": COMPARED,
    }


def test_what_the_lists_do_not_prove_is_compared_first(place: Place) -> None:
    """An old release that lost a file is found among a thousand."""
    old = Version("1.7")
    seen = replace(place, held={**place.held, old: {}}).look()
    assert [(each.tag, each.finding) for each in seen.findings] == [("v1.7", "index-lacks-files")]
    assert sum(place.counts.asked.values()) <= 2 * COMPARED + 3


@pytest.mark.parametrize("is_draft", [True, False], ids=["draft", "missing"])
def test_a_release_that_was_made_meanwhile_is_no_stale_mark(place: Place, *, is_draft: bool) -> None:
    """The list is read before the mark. If it lacks the marked release, what is latest is unknown."""
    last = (replace(place.releases[-1], draft=True),) if is_draft else ()
    seen = replace(place, releases=(*place.releases[:-1], *last)).look()
    assert "latest-stale" not in {each.finding for each in seen.findings}
    assert [each.why for each in seen.unknown] == [f"v{LAST} became the latest release while releases were read"]


def test_a_mark_that_is_behind_is_found(place: Place) -> None:
    """A higher release than the marked one is in the list."""
    further = release_of(COUNT)
    files = {each.name: ListedFile(name=each.name, url="", sha256=each.sha256) for each in [file_of(f"1.{COUNT}")]}
    seen = replace(place, releases=(*place.releases, further), held={**place.held, Version(f"1.{COUNT}"): files}).look()
    assert "latest-stale" in {each.finding for each in seen.findings}


def test_what_is_left_is_unknown_and_not_whole(place: Place) -> None:
    """If the lists prove nothing, only some releases are compared, and the others are named."""
    lists = tuple(
        replace(each, assets=tuple(replace(asset, sha256=None) for asset in each.assets)) for each in place.releases
    )
    seen = replace(place, releases=lists).look()
    (left,) = (each for each in seen.unknown if "not compared" in each.why)
    assert len(left.tags) == COUNT - COMPARED
    assert sum(place.counts.asked.values()) <= 7 * COMPARED + 3


def test_a_release_of_which_nobody_sees_the_runs_is_unknown(place: Place) -> None:
    """A run may still be about it, so that it is no finding; without a run it is one."""
    releases = tuple(each for each in place.releases if each.tag != "v1.7")
    left = replace(place, releases=releases, held={**place.held, Version("1.7"): {}})
    assert [(each.tag, each.finding) for each in left.look().findings] == [("v1.7", "not-released")]
    seen = left.look(runs=Denied("the forge forbids it", where="https://forge", next_step=NextStep("log in")))
    assert seen.findings == ()
    assert [each.tags for each in seen.unknown] == [("v1.7",)]
    assert "unless a run is still about it" in seen.unknown[0].why


@pytest.mark.parametrize(
    "error",
    [
        Denied("the forge answered 403", where="https://forge", next_step=NextStep("log in")),
        Unknown("the forge answered 429: too many requests", where="https://forge", next_step=NextStep("wait")),
    ],
    ids=["403", "429"],
)
def test_a_forge_that_refuses_makes_things_unknown(place: Place, error: UnmoorError) -> None:
    """It is named with its answer, and nothing is taken for drift."""
    seen = place.look(error=error)
    assert seen.findings == ()
    assert any(error.what in each.why for each in seen.unknown)
    assert len(seen.unknown) <= 2
