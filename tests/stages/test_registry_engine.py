"""The image stages with a real engine and a stand-in for GHCR, checked by skopeo."""

from __future__ import annotations

import io
import itertools
import json
import os
import tarfile
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path

import pytest
from tests.rehearsal.registry.oci_client import RegistryClient
from tests.support.engines import TestEngine, engine  # noqa: F401 - fixtures
from tests.support.image_stages import DRAFT, IMAGES, PROOF, PUSHED, RELEASE, FakeGitRemote, demo_release, empty_draft
from tests.support.local_forge import LocalForge, start_forge
from tests.support.real_registries import RealRegistry

from unmoor.adapters.clock import MonotonicClock
from unmoor.adapters.engine import DockerEngine
from unmoor.adapters.http.session import BoundedSession
from unmoor.adapters.process.shell import LocalShell
from unmoor.adapters.registry import open_registry, packages_of
from unmoor.artifacts import oci
from unmoor.artifacts.run_dir import RunFolder
from unmoor.config.images import ImageSettings
from unmoor.config.worlds import read_world
from unmoor.core.stage import NotUndone, StageContext, Undone
from unmoor.errors import Denied
from unmoor.images.image_plan import image_plans
from unmoor.ports.registry import Packages
from unmoor.ports.world import World
from unmoor.products import Draft, Image, Images, Proof, Release
from unmoor.rehearsal import local
from unmoor.rehearsal.local import LocalWorld
from unmoor.rehearsal.registry import process, registries
from unmoor.stages.image_tags import TagImages
from unmoor.stages.registry import PushImages

pytestmark = pytest.mark.journey

_NUMBERS = itertools.count(1)


@pytest.fixture(scope="module")
def world(tmp_path_factory: pytest.TempPathFactory) -> Iterator[LocalWorld]:
    """A world with GHCR's stand-in."""
    if process.find_program() is None:
        pytest.skip(registries.MISSING)
    folder = tmp_path_factory.mktemp("engine") / "world"
    with local.start(folder, repository="acme/demo", checkout=None, registry=True) as running:
        yield running


@pytest.fixture(scope="module")
def at(tmp_path_factory: pytest.TempPathFactory) -> Iterator[LocalForge]:
    """A forge for the drafts."""
    with start_forge(tmp_path_factory.mktemp("forge")) as running:
        yield running


@dataclass
class EngineStages:
    """A repository of images on the stand-in for GHCR, and the stages on a real engine."""

    engine: DockerEngine
    docker: TestEngine
    there: LocalWorld
    at: LocalForge
    read: World
    http: BoundedSession
    clock: MonotonicClock
    folder: RunFolder
    settings: ImageSettings
    git: FakeGitRemote = field(default_factory=FakeGitRemote)
    messages: list[str] = field(default_factory=list)
    drafts: dict[str, Draft] = field(default_factory=dict)

    @property
    def packages(self) -> dict[str, Packages]:
        """The forge's package API."""
        found = packages_of(self.settings.name, self.read, self.http, self.clock)
        assert found is not None
        return {self.settings.name: found}

    def stages(self) -> tuple[PushImages, TagImages]:
        """Both stages."""
        line = image_plans(
            (self.settings,), "acme/demo", lambda name: open_registry(name, self.read, self.http, self.clock)
        )
        push = PushImages(
            name="registry",
            release=RELEASE,
            images=IMAGES,
            proof=PROOF,
            draft=DRAFT,
            engine=self.engine,
            forge=self.at.forge(),
            plans=line,
            folder=self.folder,
            clock=self.clock,
            packages=self.packages,
        )
        point = TagImages(
            name="image-tags",
            release=RELEASE,
            pushed=PUSHED,
            plans=line,
            folder=self.folder,
            git=self.git,  # type: ignore[arg-type]  # a remote is all of git that it uses
            clock=self.clock,
            packages=self.packages,
        )
        return push, point

    def context(self, release: Release, **more: object) -> StageContext:
        """The context for the stages; each platform's image is imported from a tiny archive."""
        self.git.tags[release.tag] = release.commit
        images = tuple(
            Image(name=self.settings.name, target="", platform=each, id=self.imported(release, each), size=1)
            for each in self.settings.platforms
        )
        proof = Proof(name="prove-images", subjects=(), results=())
        if release.tag not in self.drafts:
            self.drafts[release.tag] = empty_draft(self.at, release)
        products = {RELEASE.by: release, IMAGES.by: Images(images=images), PROOF.by: proof, **more}
        products[DRAFT.by] = self.drafts[release.tag]
        return StageContext(products, say=self.messages.append)

    def imported(self, release: Release, platform: str) -> str:
        """Create an image in the engine and return its id; the same one for the same release."""
        name = f"unmoor.local/{self.settings.name}:{release.version}-{platform.replace('/', '-')}"
        known = self.docker.docker("image", "ls", "--quiet", "--no-trunc", name)
        if known:
            return known.splitlines()[0]
        data = io.BytesIO()
        with tarfile.open(fileobj=data, mode="w") as tar:
            content = f"{self.settings.name} {release.version} {platform}".encode()
            entry = tarfile.TarInfo("content")
            entry.size = len(content)
            tar.addfile(entry, io.BytesIO(content))
        label = f"LABEL org.opencontainers.image.version={release.version}"
        arguments = ("import", "--platform", platform, "--change", label, "-", name)
        return self.docker.docker(*arguments, stdin=data.getvalue())

    @property
    def client(self) -> RegistryClient:
        """Another client with write access."""
        known = json.loads((self.there.folder / "credentials.json").read_text())
        folder = self.there.folder / "registry" / "ghcr.io"
        return RegistryClient(base=self.there.registries["ghcr.io"], folder=folder, password=known["registry"])

    def tags(self) -> dict[str, str]:
        """Every tag and its digest, as that client reads them."""
        repository = oci.ImageName.parse(self.settings.name).repository
        answer = self.client.call("GET", f"{repository}/tags/list")
        names = answer.json().get("tags") or [] if answer.status_code == 200 else []
        return {name: self.client.pull(repository, name, "HEAD").headers["docker-content-digest"] for name in names}

    def skopeo(self, *args: str) -> str:
        """The output of skopeo."""
        place = self.read.registries[0]
        return RealRegistry(place.address, place.login).skopeo(*args)


@pytest.fixture
def stages(
    engine: TestEngine,  # noqa: F811 - the fixture
    world: LocalWorld,
    shell: LocalShell,
    tmp_path: Path,
    request: pytest.FixtureRequest,
) -> Iterator[EngineStages]:
    """A repository that no other test uses."""
    platforms = getattr(request, "param", ("linux/amd64",))
    settings = ImageSettings(name=f"ghcr.io/acme/engine{os.getpid()}-{next(_NUMBERS)}", platforms=platforms)
    docker = DockerEngine(shell=shell, processes=shell.processes, environ={**os.environ, **engine.environ})
    clock, at = MonotonicClock(processes=shell.processes), request.getfixturevalue("at")
    read = read_world(world.world_file, {})
    with BoundedSession() as http:
        yield EngineStages(docker, engine, world, at, read, http, clock, RunFolder(tmp_path / "run"), settings)
    left = engine.docker("image", "ls", "--quiet", f"unmoor.local/{settings.name}").split()
    if left:
        engine.docker("image", "rm", "--force", *left)


@pytest.mark.parametrize("stages", [("linux/amd64",), ("linux/amd64", "linux/386")], indirect=True, ids=["one", "two"])
def test_an_image_from_the_engine_to_every_tag_and_back(stages: EngineStages) -> None:
    """Each stage gives the digests that skopeo reads; undo restores the earlier ones."""
    push, point = stages.stages()
    first = demo_release("1.0.0", commit="1" * 40)
    context = stages.context(first)
    assert push.find(context) is None
    pushed = push.make(context)
    assert push.find(context) == pushed
    (only,) = pushed.images
    repository = oci.ImageName.parse(stages.settings.name).repository
    raw = stages.skopeo("inspect", "--raw", f"docker://{{}}/{repository}:{only.tag}").encode()
    assert oci.digest_of(raw) == only.digest
    assert json.loads(raw)["annotations"] == {"org.opencontainers.image.version": "1.0.0"}
    assert {platform for platform, _ in only.platforms} == set(stages.settings.platforms)

    context = stages.context(first, **{PUSHED.by: pushed})
    assert point.find(context) is None
    pointed = point.make(context)
    assert point.find(context) == pointed
    tags = stages.tags()
    named = {"v1.0.0", "1.0", "1", "latest", "sha-1111111", only.tag}
    assert {tags[tag] for tag in named} == {only.digest}
    again = stages.skopeo("inspect", "--raw", f"docker://{{}}/{repository}:latest").encode()
    assert again == raw
    answer = push.undo(pushed)
    assert isinstance(answer, NotUndone)
    assert "has the same digest" in answer.why

    second = demo_release("1.1.0", commit="2" * 40)
    context = stages.context(second)
    later = push.make(context)
    context = stages.context(second, **{PUSHED.by: later})
    moved = point.make(context)
    assert stages.tags()["latest"] == later.images[0].digest
    answers = point.undo_partly(moved)
    assert all(isinstance(each, Undone) for each in answers), answers
    tags = stages.tags()
    assert tags["latest"] == tags["1"] == only.digest
    assert "1.1" not in tags


@pytest.mark.parametrize("stages", [("linux/amd64",), ("linux/amd64", "linux/386")], indirect=True, ids=["one", "two"])
def test_undo_before_anything_was_promoted(stages: EngineStages) -> None:
    """Undo removes only the tags of this commit, and the forge then lists no version with them."""
    push, _ = stages.stages()
    other = demo_release("0.9.0", commit="9" * 40)
    push.make(stages.context(other))
    before = stages.tags()
    release = demo_release("1.0.0", commit="1" * 40)
    pushed = push.make(stages.context(release))
    answer = push.undo(pushed)
    assert isinstance(answer, Undone), answer
    assert stages.tags() == before
    assert push.find(stages.context(release)) is None
    assert push.make(stages.context(release)) == pushed


def test_what_is_there_already_sends_no_blob(stages: EngineStages) -> None:
    """For the same image under another commit's tag only manifests are uploaded."""
    push, _ = stages.stages()
    push.make(stages.context(demo_release("1.0.0", commit="1" * 40)))
    log = stages.there.folder / "requests.jsonl"
    begun = len(log.read_text().splitlines())
    push.make(stages.context(demo_release("1.0.0", commit="3" * 40)))
    since = [json.loads(line) for line in log.read_text().splitlines()[begun:]]
    assert [each for each in since if each["method"] == "PUT" and "/blobs/" in each["path"]] == []
    assert len([each for each in since if each["method"] == "PUT" and "/manifests/" in each["path"]]) == 2


def test_a_package_that_is_not_ours(stages: EngineStages) -> None:
    """The error has GHCR's own message and the settings page, and nothing was pushed."""
    push, _ = stages.stages()
    repository = oci.ImageName.parse(stages.settings.name).repository
    control = stages.client.control("refuse-write", repository)
    try:
        with pytest.raises(Denied, match="permission_denied: write_package") as caught:
            push.make(stages.context(demo_release("1.0.0")))
    finally:
        control.unlink()
    assert "/packages/container/" in caught.value.next_step
    assert stages.tags() == {}


def test_without_the_role_of_an_admin_the_tag_stays(stages: EngineStages) -> None:
    """After a failed removal the tag points at its image again."""
    push, _ = stages.stages()
    push.make(stages.context(demo_release("0.9.0", commit="9" * 40)))
    pushed = push.make(stages.context(demo_release("1.0.0", commit="1" * 40)))
    before = stages.tags()
    control = stages.client.control("no-admin", oci.ImageName.parse(stages.settings.name).repository)
    try:
        answer = push.undo(pushed)
    finally:
        control.unlink()
    assert isinstance(answer, NotUndone)
    assert "admin" in answer.why
    assert stages.tags() == before
