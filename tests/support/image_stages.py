"""The stages that push and tag images, with real registries and an engine that uses plain HTTP."""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from tests.support.local_forge import LocalForge
from tests.support.real_registries import BuiltImage, RealRegistry, make_image, put_image
from tests.support.sample_values import FakeClock

from unmoor.adapters.registry import OciRegistry
from unmoor.advice import NextStep
from unmoor.artifacts import oci
from unmoor.artifacts.belief import Belief
from unmoor.artifacts.run_dir import RunFolder
from unmoor.config.images import ImageSettings
from unmoor.core.stage import Output, StageContext
from unmoor.errors import ToolMissing, UnmoorError
from unmoor.images.image_plan import ImagePlan, image_plans
from unmoor.ports.forge import ForgeRelease
from unmoor.ports.registry import Packages, Registry
from unmoor.ports.world import Login
from unmoor.products import Draft, Image, Images, MovedTags, Proof, Pushed, Release
from unmoor.publish.asset_upload import find_release
from unmoor.publish.release_assets import content_of, find_asset
from unmoor.stages.image_tags import TagImages
from unmoor.stages.registry import PushImages

RELEASE: Output[Release] = Output("tag")
IMAGES: Output[Images] = Output("images")
PROOF: Output[Proof] = Output("prove-images")
DRAFT: Output[Draft] = Output("draft")
PUSHED: Output[Pushed] = Output("registry")
COMMIT = "0123456789abcdef0123456789abcdef01234567"
SETTINGS = ImageSettings()


@dataclass
class PlainEngine:
    """An engine that pushes and pulls by plain HTTP.

    It raises the errors in ``troubles``, one for each push, in order. If ``late``, it pushes first. If ``by_manifest``,
    it names an image that it pulls by the digest of its manifest.
    """

    there: Sequence[RealRegistry]
    images: dict[str, BuiltImage] = field(default_factory=dict)
    troubles: list[UnmoorError] = field(default_factory=list)
    late: bool = False
    pushed: list[str] = field(default_factory=list)
    pulled: list[str] = field(default_factory=list)
    gone: bool = False
    by_manifest: bool = False

    def add(self, built: BuiltImage) -> str:
        """Add an image, and return its id."""
        self.images[built.id] = built
        return built.id

    def push(self, image: str, name: str, *, login: Login, hear: Callable[[str], None] | None = None) -> str:
        """Copy the image to the registry."""
        del login, hear
        trouble = self.troubles.pop(0) if self.troubles else None
        if trouble is not None and not self.late:
            raise trouble
        self.pushed.append(name)
        built = self.images[image]
        repository, _, tag = name.partition("/")[2].rpartition(":")
        put_image(self._at(name), repository, built, tag)
        if trouble is not None:
            raise trouble
        return built.manifest.digest

    def pull(self, name: str, *, login: Login | None, platform: str = "") -> str:
        """Read a manifest by digest, as another client, and return the id of its image."""
        del login, platform
        if self.gone:
            raise ToolMissing("there is no engine", next_step=NextStep("install one"))
        self.pulled.append(name)
        repository, _, digest = name.partition("/")[2].partition("@")
        path = f"/v2/{repository}/manifests/{digest}"
        answer = self._at(name).request("GET", path, headers={"Accept": oci.ACCEPT})
        assert answer.status_code == 200, answer.text
        document = oci.read_manifest(answer.content, answer.headers["Content-Type"], where=name)
        assert isinstance(document, oci.ImageManifest)
        return digest if self.by_manifest else document.config.digest

    def _at(self, name: str) -> RealRegistry:
        return next(each for each in self.there if name.startswith(each.url.removeprefix("http://")))

    def __getattr__(self, name: str) -> Any:
        """Fail: the stages use no other method of an engine."""
        raise AttributeError(name)


def demo_release(version: str, *, commit: str = COMMIT, highest: bool = True, prerelease: bool = False) -> Release:
    """Return a release of acme/demo."""
    return Release(
        repository="acme/demo",
        project="demo",
        tag=f"v{version}",
        version=version,
        commit=commit,
        date=1_700_000_000,
        prerelease=prerelease,
        highest=highest,
    )


def empty_draft(at: LocalForge, release: Release) -> Draft:
    """Create a draft without files. Its target is some commit that the forge knows."""
    made = at.forge().draft(tag=release.tag, target=at.commit, name=release.tag, body="", prerelease=release.prerelease)
    return Draft(id=made.id, tag=made.tag, url=made.url, assets=())


@dataclass
class ImageStages:
    """A repository of images on one or more real registries, with the stages that push and tag images."""

    there: Sequence[RealRegistry]
    at: LocalForge
    folder: Path
    repository: str
    settings: ImageSettings = SETTINGS
    docker: bool = False
    git: Any = None
    packages: Mapping[str, Packages] = field(default_factory=dict)
    clock: FakeClock = field(default_factory=FakeClock)
    messages: list[str] = field(default_factory=list)
    belief: Belief = field(default_factory=Belief)
    wrap: Callable[[Registry], Registry] = lambda registry: registry
    drafts: dict[str, Draft] = field(default_factory=dict)

    def __post_init__(self) -> None:
        self.folder.mkdir(parents=True, exist_ok=True)
        self.engine = PlainEngine(self.there)

    def registry(self, number: int = 0) -> OciRegistry:
        """Return an adapter for the repository on one of the registries."""
        host = "ghcr.io" if number == 0 else "docker.io"
        return self.there[number].open(self.repository, self.at.http, self.clock, host=host)

    @property
    def plans(self) -> tuple[ImagePlan, ...]:
        """One configured image, with a mirror for each further registry."""
        names = [self.registry(number).name for number in range(len(self.there))]
        settings = _named(self.settings, names)
        known = {self.registry(number).name: self.registry(number) for number in range(len(self.there))}
        return image_plans((settings,), self.repository, lambda name: self.wrap(known[name]))

    @property
    def run(self) -> RunFolder:
        """The folder of the run."""
        return RunFolder(self.folder / "run", self.belief)

    def built(self, release: Release, *, salt: str = "", stages: Sequence[str] = ("",)) -> Images:
        """Make an image for each target and platform, and add them to the engine."""
        found = []
        for stage in stages:
            for platform in self.settings.platforms:
                content = f"{release.version} {stage} {salt}"
                made = make_image(content, platform=platform, docker=self.docker, version=release.version)
                self.engine.add(made)
                name = self.registry().name
                found.append(Image(name=name, target=stage, platform=platform, id=made.id, size=1))
        return Images(images=tuple(found))

    def push_stage(self) -> PushImages:
        """Return the stage that pushes images."""
        return PushImages(
            name="registry",
            release=RELEASE,
            images=IMAGES,
            proof=PROOF,
            draft=DRAFT,
            engine=self.engine,
            forge=self.at.forge(),
            plans=self.plans,
            folder=self.run,
            clock=self.clock,
            packages=self.packages,
        )

    def tag_stage(self) -> TagImages:
        """Return the stage that moves tags."""
        return TagImages(
            name="image-tags",
            release=RELEASE,
            pushed=PUSHED,
            plans=self.plans,
            folder=self.run,
            git=self.git,
            clock=self.clock,
            packages=self.packages,
        )

    def context(self, release: Release, images: Images | None = None, pushed: Pushed | None = None) -> StageContext:
        """Return the context of the stages."""
        subjects = Proof(name="prove-images", subjects=(), results=())
        products: dict[str, object] = {RELEASE.by: release, IMAGES.by: images, PROOF.by: subjects, PUSHED.by: pushed}
        return StageContext({**products, DRAFT.by: self.draft(release)}, say=self.messages.append)

    def draft(self, release: Release) -> Draft:
        """Return the draft of a release on the forge, which has no files yet. Each repository has its own."""
        if release.tag not in self.drafts:
            self.drafts[release.tag] = empty_draft(self.at, release)
        return self.drafts[release.tag]

    def forge_release(self, release: Release) -> ForgeRelease:
        """Return the release object as the forge has it now."""
        found = find_release(self.at.forge(), release.tag, self.draft(release).id)
        assert found is not None
        return found

    def record(self, release: Release) -> dict[str, Any]:
        """Return the record of the images on the draft."""
        asset = find_asset(self.forge_release(release), "pushed.json")
        assert asset is not None
        return dict(json.loads(content_of(asset, self.at.forge())))

    def push(self, release: Release, **more: Any) -> Pushed:
        """Build and push a release."""
        return self.push_stage().make(self.context(release, self.built(release, **more)))

    def point(self, release: Release, pushed: Pushed) -> MovedTags:
        """Move the tags of a release to its images."""
        return self.tag_stage().make(self.context(release, pushed=pushed))

    def push_and_tag(self, version: str, **more: Any) -> tuple[Release, Pushed, MovedTags]:
        """Push and tag a version, with its own commit."""
        commit = oci.digest_of(version.encode())[7:47]
        release = demo_release(version, commit=commit, **more)
        if isinstance(self.git, FakeGitRemote):
            self.git.tags[release.tag] = commit
        pushed = self.push(release)
        return release, pushed, self.point(release, pushed)

    def tags(self, number: int = 0) -> dict[str, str]:
        """Return every tag with its digest, read by plain HTTP."""
        path = f"/v2/{self.repository}"
        there = self.there[number]
        names = there.request("GET", f"{path}/tags/list").json().get("tags") or []
        accept = {"Accept": oci.ACCEPT}
        return {
            name: there.request("HEAD", f"{path}/manifests/{name}", headers=accept).headers["Docker-Content-Digest"]
            for name in names
        }


@dataclass
class FakeGitRemote:
    """A git remote with these tags, by name with their commits."""

    tags: dict[str, str] = field(default_factory=dict)

    def remote_tags(self) -> Mapping[str, str]:
        """Return every tag with its commit."""
        return self.tags

    def remote(self) -> str:
        """Return its address."""
        return "https://example.org/acme/demo"

    def __getattr__(self, name: str) -> Any:
        """Fail: the stages use no other method of git."""
        raise AttributeError(name)


def _named(settings: ImageSettings, names: Sequence[str]) -> ImageSettings:
    values = {field: getattr(settings, field) for field in settings.__struct_fields__}
    return ImageSettings(**{**values, "name": names[0], "mirrors": tuple(names[1:])})
