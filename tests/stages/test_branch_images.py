"""The stage ``branch-images`` pushes to real registries under the tags of a branch; plain HTTP checks the result."""

from __future__ import annotations

import itertools
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest
from tests.support.image_stages import COMMIT, IMAGES, PROOF, ImageStages
from tests.support.real_registries import RealRegistry, make_image, put_image, run_registry

from unmoor.adapters.http.session import BoundedSession
from unmoor.artifacts import oci
from unmoor.config.images import ImageSettings
from unmoor.core.stage import NotUndone, Output, StageContext
from unmoor.errors import Cause, ConfigError, Conflict, Incomplete
from unmoor.images.branch_tags import branch_targets
from unmoor.images.tags import TagContext
from unmoor.ports.failure import failure
from unmoor.ports.registry import Registry
from unmoor.products import Image, Images, Proof, PushedBranch, Release
from unmoor.stages.branch_images import PushBranch
from unmoor.util.values import replace

RELEASE: Output[Release] = Output("commit")
LATER, OTHER = "1" * 40, "2" * 40
FIXED = f"main-{COMMIT[:7]}"
TWO = ImageSettings(platforms=("linux/amd64", "linux/386"))
_NUMBERS = itertools.count(1)


@dataclass
class Branch(ImageStages):
    """A repository of images on real registries, and the stage for a branch. `LATER` continues from every commit."""

    ref: str = "refs/heads/main"
    missing: list[str] = field(default_factory=list)

    def images(self, salt: str = "", commit: str = COMMIT) -> Images:
        """Make an image for each platform that is not missing, and add them to the engine."""
        found = []
        for platform in (each for each in self.settings.platforms if each not in self.missing):
            made = make_image(f"image {salt}", platform=platform, version="1.0.dev1", revision=commit)
            self.engine.add(made)
            found.append(Image(name=self.registry().name, target="", platform=platform, id=made.id, size=1))
        return Images(images=tuple(found))

    def stage(self, commit: str = COMMIT) -> PushBranch:
        """Return the stage."""
        now = datetime(2026, 1, 2, tzinfo=UTC)
        context = TagContext(ref=self.ref, sha=commit, event="push", now=now, default_branch="main")
        return PushBranch(
            release=RELEASE,
            images=IMAGES,
            proof=PROOF,
            engine=self.engine,
            clock=self.clock,
            precedes=lambda commit, other: other == LATER != commit,
            targets=branch_targets((self.settings,), self.plans, branch_release(commit), context),
        )

    def looking(self, images: Images, commit: str = COMMIT) -> StageContext:
        """Return the context of the stage."""
        proof = Proof(name=PROOF.by, subjects=(), results=())
        products = {RELEASE.by: branch_release(commit), IMAGES.by: images, PROOF.by: proof}
        return StageContext(products, say=self.messages.append)

    def send(self, salt: str = "", commit: str = COMMIT) -> PushedBranch:
        """Build and push."""
        return self.stage(commit).make(self.looking(self.images(salt, commit), commit))


def branch_release(commit: str) -> Release:
    """Return what a commit would be as a release."""
    return Release(
        repository="acme/demo",
        project="demo",
        tag="v1.0.dev1",
        version="1.0.dev1",
        commit=commit,
        date=1_700_000_000,
        prerelease=True,
        highest=False,
    )


@pytest.fixture(scope="module")
def there(tmp_path_factory: pytest.TempPathFactory) -> Iterator[RealRegistry]:
    """A registry with passwords."""
    with run_registry(tmp_path_factory.mktemp("first"), auth="basic") as running:
        yield running


@pytest.fixture(scope="module")
def mirror(tmp_path_factory: pytest.TempPathFactory) -> Iterator[RealRegistry]:
    """A second one."""
    with run_registry(tmp_path_factory.mktemp("second")) as running:
        yield running


@pytest.fixture
def branch(there: RealRegistry, tmp_path: Path) -> Callable[..., Branch]:
    """A repository that no other test uses."""

    def make(*others: RealRegistry, **more: Any) -> Branch:
        return Branch((there, *others), local_http(), tmp_path, f"acme/branch{next(_NUMBERS)}", **more)

    return make


def local_http() -> Any:
    """Return what opens connections; the stage needs no forge."""
    return SimpleNamespace(http=BoundedSession())


def test_every_tag_has_the_digest(branch: Callable[..., Branch], mirror: RealRegistry) -> None:
    """The first run pushes and tags; the next finds everything and sends nothing; undo leaves the tags."""
    at = branch(mirror)
    stage, context = at.stage(), at.looking(at.images())
    assert f"{at.registry().name}:{FIXED}" in stage.plan()
    assert stage.find(context) is None
    made = stage.make(context)
    assert [(each.name, each.tags) for each in made.images] == [
        (at.registry(number).name, (FIXED, "main")) for number in (0, 1)
    ]
    for number, each in enumerate(made.images):
        assert at.tags(number) == {FIXED: each.digest, "main": each.digest}
    sent = list(at.engine.pushed)
    assert stage.find(context) == made
    assert stage.make(context) == made
    assert at.engine.pushed == sent
    assert f"{at.registry().name}:main is already there: {made.images[0].digest}" in at.messages
    assert isinstance(stage.undo(made), NotUndone)
    assert at.tags() == {FIXED: made.images[0].digest, "main": made.images[0].digest}


def test_the_tag_of_a_branch_moves(branch: Callable[..., Branch]) -> None:
    """The next commit gets the branch's tag. The tag of the earlier commit stays."""
    at = branch()
    first, second = at.send("a", OTHER), at.send("b")
    old, new = first.images[0].digest, second.images[0].digest
    assert old != new
    assert at.tags() == {f"main-{OTHER[:7]}": old, FIXED: new, "main": new}


def test_a_branch_does_not_move_back(branch: Callable[..., Branch]) -> None:
    """A run of an earlier commit that ends late pushes its image, but leaves the branch's tag on the later commit."""
    at = branch()
    later = at.send("later", LATER).images[0].digest
    (image,) = at.send("early").images
    assert image.tags == (FIXED,)
    assert [(left.tag, left.why) for left in image.kept] == [
        ("main", f"it is an image of a later commit, {LATER[:12]}")
    ]
    assert at.tags() == {f"main-{LATER[:7]}": later, FIXED: image.digest, "main": later}
    found = at.stage().find(at.looking(at.images("early")))
    assert found is not None
    assert found.images == (image,)


def test_another_build_of_the_commit(branch: Callable[..., Branch]) -> None:
    """The tag of a commit keeps its first image; the branch's tag gets the one that this run tested."""
    at = branch()
    first = at.send("first").images[0].digest
    (image,) = at.send("second").images
    assert image.tags == ("main",)
    assert [left.tag for left in image.kept] == [FIXED]
    assert at.tags() == {FIXED: first, "main": image.digest}
    # With that tag alone there is nothing to push.
    at.settings = replace(at.settings, tags=("type=ref,event=branch,suffix=-{{sha}}",))
    (kept,) = at.send("third").images
    assert (kept.digest, kept.tags) == (first, ())
    assert at.tags() == {FIXED: first, "main": image.digest}


def test_a_foreign_image_under_the_tag_of_the_commit(branch: Callable[..., Branch]) -> None:
    """An image of another commit, or of none, under a fixed tag is a conflict, and nothing is pushed."""
    for revision in (OTHER, ""):
        at = branch()
        put_image(at.there[0], at.repository, make_image("foreign", revision=revision), FIXED)
        before = at.tags()
        with pytest.raises(Conflict, match=f"{FIXED} is an image of commit {revision or 'unknown'}"):
            at.send()
        assert at.tags() == before
        assert at.engine.pushed == []


def test_several_platforms_get_one_index(branch: Callable[..., Branch]) -> None:
    """Every tag points at one index, which moves as a whole; without an image for a platform nothing is pushed."""
    at = branch(settings=TWO)
    first = at.send("a", OTHER).images[0]
    (image,) = at.send("b").images
    assert at.tags()["main"] == at.tags()[FIXED] == image.digest != first.digest
    manifest = at.registry().manifest("main")
    assert manifest is not None
    index = oci.read_manifest(manifest.data, manifest.media_type, where="main")
    assert isinstance(index, oci.ImageIndex)
    assert set(index.images) == {"linux/amd64", "linux/386"}
    at.missing = ["linux/386"]
    before = at.tags()
    with pytest.raises(Incomplete, match="linux/386"):
        at.send("c")
    assert at.tags() == before


def test_a_branch_without_a_tag(branch: Callable[..., Branch]) -> None:
    """If every tag belongs to a release, the error says so, and nothing is pushed."""
    at = branch(settings=ImageSettings(tags=("type=sha",)))
    with pytest.raises(ConfigError, match=f"sha-{COMMIT[:7]}: it belongs to a release"):
        at.send()
    assert at.tags() == {}


def test_a_lost_answer_is_looked_for(branch: Callable[..., Branch]) -> None:
    """A push that arrived without an answer is not repeated."""
    at = branch()
    at.engine.troubles, at.engine.late = [failure(Cause.LOST, "no answer")], True
    (image,) = at.send().images
    assert at.tags() == {FIXED: image.digest, "main": image.digest}
    assert len(at.engine.pushed) == 1


class Raced:
    """A registry on which somebody else moves ``main`` right after every put."""

    def __init__(self, registry: Registry) -> None:
        self._registry = registry

    def head(self, reference: str) -> str | None:
        """Answer with another digest for the branch's tag."""
        return f"sha256:{'0' * 64}" if reference == "main" else self._registry.head(reference)

    def __getattr__(self, name: str) -> Any:
        """Everything else is the registry's."""
        return getattr(self._registry, name)


def test_a_tag_that_another_push_moved_is_no_success(branch: Callable[..., Branch]) -> None:
    """Every tag is read back; another digest there is an error that gives both."""
    at = branch(wrap=Raced)
    with pytest.raises(Conflict, match="was pushed as main, but the registry has sha256:0000"):
        at.send()
