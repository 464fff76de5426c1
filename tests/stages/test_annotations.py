"""Pushed images get OCI annotations from their labels."""

from __future__ import annotations

import itertools
import json
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest
from tests.support.image_stages import COMMIT, ImageStages, demo_release
from tests.support.local_forge import LocalForge, start_forge
from tests.support.real_registries import BuiltImage, RealRegistry, put_image, put_manifest, run_registry

from unmoor.advice import NextStep
from unmoor.artifacts import oci
from unmoor.config.images import ImageSettings
from unmoor.errors import Interrupted, Rejected
from unmoor.ports.registry import OciManifest, Registry
from unmoor.products import Images
from unmoor.util.values import replace

TAG = f"sha-{COMMIT[:12]}"
VERSION = "org.opencontainers.image.version"
TWO = ImageSettings(platforms=("linux/amd64", "linux/386"))
RELEASE = demo_release("1.0")
_NUMBERS = itertools.count(1)

MakeStages = Callable[..., ImageStages]


@pytest.fixture(scope="module")
def there(tmp_path_factory: pytest.TempPathFactory) -> Iterator[RealRegistry]:
    """A registry with passwords."""
    with run_registry(tmp_path_factory.mktemp("annotated"), auth="basic") as running:
        yield running


@pytest.fixture(scope="module")
def at(tmp_path_factory: pytest.TempPathFactory) -> Iterator[LocalForge]:
    """A forge for the drafts."""
    with start_forge(tmp_path_factory.mktemp("forge")) as running:
        yield running


@pytest.fixture
def stages(there: RealRegistry, at: LocalForge, tmp_path: Path) -> MakeStages:
    """A repository that no other test uses, and an engine that pushes manifests as dockerd does."""

    def make(**more: Any) -> ImageStages:
        return ImageStages((there,), at, tmp_path, f"acme/annotated{next(_NUMBERS)}", docker=True, **more)

    return make


def document(it: ImageStages, reference: str) -> dict[str, Any]:
    """The manifest that skopeo reads under a tag or digest."""
    mark = "@" if oci.is_digest(reference) else ":"
    output = it.there[0].skopeo("inspect", "--raw", f"docker://{{}}/{it.repository}{mark}{reference}")
    return dict(json.loads(output))


def only(it: ImageStages, images: Images) -> BuiltImage:
    """The engine's record of the only image."""
    return it.engine.images[images.images[0].id]


def test_an_image_carries_its_labels_as_annotations(stages: MakeStages) -> None:
    """The annotated manifest has the same configuration and layers, and the pulled image is the tagged one."""
    it = stages()
    pushed = it.push(RELEASE)
    after = document(it, TAG)
    before = json.loads(only(it, it.built(RELEASE)).manifest.data)
    assert after["mediaType"] == oci.OCI_MANIFEST
    assert after["annotations"] == {VERSION: "1.0"}
    now, then = ([part["digest"] for part in (each["config"], *each["layers"])] for each in (after, before))
    assert now == then
    digest = pushed.images[0].digest
    assert it.tags() == {TAG: digest}
    assert [name.partition("@")[2] for name in it.engine.pulled] == [digest]


def test_an_index_carries_what_its_images_share(stages: MakeStages) -> None:
    """The index has the common annotations, and each image its own."""
    it = stages(settings=TWO)
    it.push(RELEASE)
    index = document(it, TAG)
    assert (index["mediaType"], index["annotations"]) == (oci.OCI_INDEX, {VERSION: "1.0"})
    for each in index["manifests"]:
        assert each["mediaType"] == oci.OCI_MANIFEST
        assert document(it, each["digest"])["annotations"] == {VERSION: "1.0"}


@dataclass
class RefusingRegistry:
    """A real registry that raises for some manifests instead of storing them."""

    real: Registry
    trouble: Callable[[OciManifest], Exception | None]

    def put(self, tag: str, manifest: OciManifest) -> str:
        """Store the manifest or raise."""
        if error := self.trouble(manifest):
            raise error
        return self.real.put(tag, manifest)

    def __getattr__(self, name: str) -> Any:
        """Everything else is that of the real registry."""
        return getattr(self.real, name)


def dying(_: OciManifest) -> Exception:
    """End the run here."""
    return Interrupted("stopped", next_step=NextStep("run it again"))


def only_docker(manifest: OciManifest) -> Exception | None:
    """A registry that does not support OCI manifests."""
    is_oci = manifest.media_type in {oci.OCI_MANIFEST, oci.OCI_INDEX}
    return Rejected("415: MANIFEST_INVALID: no such type", next_step=NextStep("look at it")) if is_oci else None


@pytest.mark.parametrize("gone", [False, True], ids=["here", "without an engine"])
@pytest.mark.parametrize("settings", [ImageSettings(), TWO], ids=["one platform", "two"])
def test_a_run_interrupted_before_the_annotations_resumes(
    stages: MakeStages, settings: ImageSettings, *, gone: bool
) -> None:
    """A resumed run pushes no image again and gives the same result, even without an engine."""
    whole = stages(settings=settings)
    expected = whole.push(RELEASE)
    it = stages(settings=settings)
    images = it.built(RELEASE)
    it.wrap = lambda real: RefusingRegistry(real, dying)
    with pytest.raises(Interrupted):
        it.push_stage().make(it.context(RELEASE, images))
    assert len(it.tags()) == 1
    it.wrap = lambda real: real
    # The other platform is still to be pushed.
    for image in images.images[1:]:
        put_image(it.there[0], it.repository, it.engine.images[image.id], oci.leg_tag(TAG, image.platform))
    it.engine.pushed.clear()
    it.engine.gone = gone
    assert it.push_stage().find(it.context(RELEASE, images)) is None
    pushed = it.push_stage().make(it.context(RELEASE, images))
    assert it.engine.pushed == []
    assert [each.digest for each in pushed.images] == [each.digest for each in expected.images]
    assert it.push_stage().find(it.context(RELEASE, images)) == pushed
    assert any("no engine here" in line for line in it.messages) is gone


def kept(it: ImageStages, images: Images) -> str:
    """The digest of the only image, which is there already: the stage records it and puts nothing."""
    before = it.tags()
    it.engine.pushed.clear()
    pushed = it.push_stage().make(it.context(RELEASE, images))
    assert (it.engine.pushed, it.tags()) == ([], before)
    assert it.push_stage().find(it.context(RELEASE, images)) == pushed
    return pushed.images[0].digest


def test_a_released_image_never_changes(stages: MakeStages) -> None:
    """An image without annotations under the version's own tag stays, even if the commit's tag is gone."""
    it = stages()
    images = it.built(RELEASE)
    digest = put_image(it.there[0], it.repository, only(it, images), "v1.0", TAG)
    assert kept(it, images) == digest
    other = stages()
    images = other.built(RELEASE)
    put_image(other.there[0], other.repository, only(other, images), "v1.0")
    pushed = other.push_stage().make(other.context(RELEASE, images))
    assert other.tags() == {"v1.0": digest, TAG: digest}
    assert pushed.images[0].digest == digest
    assert other.engine.pushed == []


def test_an_image_in_the_record_never_changes(stages: MakeStages) -> None:
    """If the draft already lists an image as pushed, it is released unchanged."""
    it = stages()
    images = it.built(RELEASE)
    put_image(it.there[0], it.repository, only(it, images), TAG)
    assert it.push_stage().find(it.context(RELEASE, images)) is None
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(it, "wrap", lambda real: RefusingRegistry(real, only_docker))
        pushed = it.push_stage().make(it.context(RELEASE, images))
    assert it.push_stage().find(it.context(RELEASE, images)) == pushed


@pytest.mark.parametrize("settings", [ImageSettings(), TWO], ids=["one platform", "two"])
def test_a_registry_without_oci_support_keeps_dockers_manifest(stages: MakeStages, settings: ImageSettings) -> None:
    """The registry keeps Docker's manifest, with a warning, and a second run pushes nothing."""
    it = stages(settings=settings, wrap=lambda real: RefusingRegistry(real, only_docker))
    pushed = it.push(RELEASE)
    assert document(it, TAG)["mediaType"] in {oci.DOCKER_MANIFEST, oci.DOCKER_LIST}
    assert any("without annotations: 415" in line for line in it.messages)
    before = it.tags()
    it.engine.pushed.clear()
    assert it.push(RELEASE) == pushed
    assert (it.engine.pushed, it.tags()) == ([], before)


def test_an_engine_that_names_images_by_their_manifest_keeps_it(stages: MakeStages) -> None:
    """For such an engine another manifest would be another image."""
    it = stages()
    images = it.built(RELEASE)
    built = only(it, images)
    named = Images(images=(replace(images.images[0], id=built.manifest.digest),))
    put_image(it.there[0], it.repository, built, TAG)
    assert kept(it, named) == built.manifest.digest


def test_annotations_of_the_engine_are_kept(stages: MakeStages) -> None:
    """A manifest that already has every annotation stays as it is."""
    it = stages()
    images = it.built(RELEASE)
    built = only(it, images)
    put_image(it.there[0], it.repository, built)
    content = json.loads(built.manifest.data) | {"annotations": {VERSION: "1.0", "com.example.own": "1"}}
    content["mediaType"] = oci.OCI_MANIFEST
    data = json.dumps(content).encode()
    mine = OciManifest(data=data, digest=oci.digest_of(data), media_type=oci.OCI_MANIFEST)
    put_manifest(it.there[0], it.repository, mine, TAG)
    assert kept(it, images) == mine.digest
