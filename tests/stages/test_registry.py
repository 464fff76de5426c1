"""The stage ``registry`` pushes to real registries; skopeo and plain HTTP check the result."""

from __future__ import annotations

import itertools
import json
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from tests.support.image_stages import COMMIT, ImageStages, demo_release
from tests.support.local_forge import LocalForge, start_forge, text_file
from tests.support.real_registries import RealRegistry, make_image, put_image, put_manifest, run_registry

from unmoor.advice import NextStep
from unmoor.artifacts import oci
from unmoor.config.images import ImageSettings
from unmoor.core.stage import NotUndone, Undone
from unmoor.errors import Cause, CheckFailed, Conflict, Denied, Incomplete, Interrupted, TryLater, Unknown, UnmoorError
from unmoor.ports.failure import failure
from unmoor.products import Images, Pushed
from unmoor.util.values import replace

TAG = f"sha-{COMMIT[:12]}"
_NUMBERS = itertools.count(1)
TWO = ImageSettings(platforms=("linux/amd64", "linux/386"))
TARGETS = ImageSettings(targets={"production": "-prod", "development": ""})

MakeStages = Callable[..., ImageStages]


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


@pytest.fixture(scope="module")
def at(tmp_path_factory: pytest.TempPathFactory) -> Iterator[LocalForge]:
    """A forge for the drafts."""
    with start_forge(tmp_path_factory.mktemp("forge")) as running:
        yield running


@pytest.fixture
def stages(there: RealRegistry, at: LocalForge, tmp_path: Path) -> MakeStages:
    """A repository that no other test uses."""

    def make(*others: RealRegistry, **more: Any) -> ImageStages:
        name = f"acme/demo{next(_NUMBERS)}"
        return ImageStages((there, *others), at, tmp_path, name, **more)

    return make


def test_what_was_pushed_is_found_equal(stages: MakeStages) -> None:
    """Only the commit's tag exists, with the digest that another client reads; found equals made."""
    it = stages()
    release = demo_release("1.0")
    images = it.built(release)
    stage = it.push_stage()
    assert stage.find(it.context(release, images)) is None
    pushed = stage.make(it.context(release, images))
    assert stage.find(it.context(release, images)) == pushed
    (only,) = pushed.images
    assert (only.tag, only.platforms) == (TAG, (("linux/amd64", only.digest),))
    assert it.tags() == {TAG: only.digest}
    output = json.loads(it.there[0].skopeo("inspect", f"docker://{{}}/{it.repository}:{TAG}"))
    assert output["Digest"] == only.digest


def test_the_draft_says_what_the_registries_hold(stages: MakeStages, mirror: RealRegistry) -> None:
    """Every target on every registry is listed, with what each floating tag pointed at before."""
    it = stages(mirror, settings=TARGETS)
    other = put_image(it.there[0], it.repository, make_image("earlier"), "latest", "1")
    pushed = it.push(demo_release("1.0"), stages=("production", "development"))
    record = it.record(demo_release("1.0"))
    assert (record["schema"], record["tag"], record["commit"]) == (1, "v1.0", COMMIT)
    assert [(each["name"], each["target"], each["tag"], each["digest"]) for each in record["images"]] == [
        (each.name, each.target, each.tag, each.digest) for each in pushed.images
    ]
    assert len(record["images"]) == 4
    before = {f"{each['name'].partition('/')[0]}:{each['tag']}": each["digest"] for each in record["before"]}
    assert {tag for tag, digest in before.items() if digest == other} == {"ghcr.io:latest", "ghcr.io:1"}
    assert {tag for tag, digest in before.items() if digest is None} == {
        *("ghcr.io:1.0", "ghcr.io:1.0-prod", "ghcr.io:1-prod", "ghcr.io:latest-prod"),
        *("docker.io:1.0", "docker.io:1.0-prod", "docker.io:1-prod", "docker.io:latest-prod"),
        *("docker.io:latest", "docker.io:1"),
    }
    assert pushed.record is not None
    (asset,) = it.forge_release(demo_release("1.0")).assets
    assert (pushed.record.name, pushed.record.sha256, pushed.record.size) == ("pushed.json", asset.sha256, asset.size)


STALE = {
    "none": None,
    "malformed": b"{",
    "of another schema": b'{"schema": 2, "tag": "v1.0", "commit": "c", "images": []}',
    "of other images": b'{"schema": 1, "tag": "v1.0", "commit": "c", "images": []}',
}


@pytest.mark.parametrize("stale", STALE)
def test_a_draft_that_does_not_say_so_is_incomplete(stages: MakeStages, tmp_path: Path, stale: str) -> None:
    """The registries hold the image, but the draft has no record or another one: it is made again, without a push."""
    it = stages()
    release = demo_release("1.0")
    pushed = it.push(release)
    forge, content = it.at.forge(), STALE[stale]
    forge.detach(it.forge_release(release).assets[0])
    if content is not None:
        forge.attach(it.forge_release(release), text_file(tmp_path / "pushed.json", content.decode()))
    it.engine.pushed.clear()
    context = it.context(release, it.built(release))
    assert it.push_stage().find(context) is None
    assert it.push_stage().make(context) == it.push_stage().find(context) == pushed
    assert (it.engine.pushed, len(it.forge_release(release).assets)) == ([], 1)


@pytest.mark.parametrize(("version", "stale"), [("50.0", "none"), ("51.0", "malformed"), ("52.0", "of other images")])
def test_a_public_release_is_never_changed(stages: MakeStages, tmp_path: Path, version: str, stale: str) -> None:
    """Without a record it counts as done, and pushing an image again attaches none; another record is an error."""
    it, content = stages(), STALE[stale]
    release = demo_release(version)
    pushed = it.push(release)
    forge = it.at.forge()
    forge.detach(it.forge_release(release).assets[0])
    if content is not None:
        forge.attach(it.forge_release(release), text_file(tmp_path / "pushed.json", content.decode()))
    forge.publish(it.forge_release(release), prerelease=False, latest=False)
    before = it.forge_release(release).assets
    for act in (it.push_stage().find, it.push_stage().make):
        context = it.context(release, it.built(release))
        if content is None:
            assert act(context) == replace(pushed, record=None, before=())
        else:
            with pytest.raises(Unknown if stale == "malformed" else Conflict, match=r"pushed\.json"):
                act(context)
    assert it.forge_release(release).assets == before


def test_what_floating_tags_pointed_at_before_is_kept(stages: MakeStages) -> None:
    """When the record is made again, a tag that points at our image by now keeps what an earlier record says."""
    it = stages()
    earlier = put_image(it.there[0], it.repository, make_image("earlier"), "latest", "1")
    release = demo_release("1.0")
    pushed = it.push(release)
    manifest = it.registry().manifest(TAG)
    assert manifest is not None
    meanwhile = put_image(it.there[0], it.repository, make_image("meanwhile"), "1")
    put_manifest(it.there[0], it.repository, manifest, "latest")
    again = it.push(release)
    assert {each.tag: each.digest for each in again.before} == {"latest": earlier, "1": meanwhile, "1.0": None}
    # Without the earlier record it is not known, which is not the same as that there was no such tag.
    it.at.forge().detach(it.forge_release(release).assets[0])
    last = it.push(release)
    assert {each.tag: each.digest for each in last.before} == {"1": meanwhile, "1.0": None}
    assert last.images == pushed.images


@pytest.mark.parametrize("settings", [ImageSettings(), TWO, TARGETS], ids=["one platform", "two platforms", "targets"])
@pytest.mark.parametrize("lost", [0, 1], ids=["first", "second"])
def test_only_missing_images_are_pushed(
    stages: MakeStages, mirror: RealRegistry, settings: ImageSettings, lost: int
) -> None:
    """If one of the registries, targets or platforms lost its image, the others are kept as they are."""
    it = stages(mirror, settings=settings)
    release = demo_release("1.0")
    targets = ("production", "development") if settings is TARGETS else ("",)
    images = it.built(release, stages=targets)
    pushed = it.push_stage().make(it.context(release, images))
    gone = f"{TAG}-linux-386" if settings is TWO else TAG
    it.registry(lost).delete(it.tags(lost)[gone])
    kept = it.tags(1 - lost)
    it.engine.pushed.clear()
    assert it.push_stage().find(it.context(release, images)) is None
    assert it.push_stage().make(it.context(release, images)) == pushed
    assert [name.rpartition(":")[2] for name in it.engine.pushed] == [gone]
    assert (it.tags(lost), it.tags(1 - lost)) == (kept, kept)


def test_a_run_killed_before_the_record_is_finished_by_the_next(stages: MakeStages) -> None:
    """The push is read back, the record is not attached: the next run attaches it and pushes nothing."""
    it = stages()
    release = demo_release("1.0")
    stage = it.push_stage()

    class Dying:
        """The forge, which ends the run instead of attaching."""

        def attach(self, *_: object) -> None:
            raise Interrupted("stopped", next_step=NextStep("run it again"))

        def __getattr__(self, name: str) -> Any:
            return getattr(stage.forge, name)

    context = it.context(release, it.built(release))
    with pytest.raises(Interrupted):
        replace(stage, forge=Dying()).make(context)  # type: ignore[arg-type]
    assert (set(it.tags()), it.forge_release(release).assets) == ({TAG}, ())
    it.engine.pushed.clear()
    assert stage.find(context) is None
    assert stage.make(context) == stage.find(context)
    assert it.engine.pushed == []


def test_a_draft_that_is_gone_is_unknown(stages: MakeStages) -> None:
    """Images are not recorded anywhere else, and the draft is not taken for one without a record."""
    it = stages()
    release = demo_release("1.0")
    context = it.context(release, it.built(release))
    it.push_stage().make(context)
    it.at.forge().remove(it.forge_release(release))
    for act in (it.push_stage().find, it.push_stage().make):
        with pytest.raises(Unknown, match="no longer listed"):
            act(context)


@pytest.mark.parametrize("recorded", ["configuration", "manifest"])
@pytest.mark.parametrize("pulled", ["configuration", "manifest"])
def test_engines_name_an_image_by_its_configuration_or_its_manifest(
    stages: MakeStages, recorded: str, pulled: str
) -> None:
    """Whichever name the engine that built it uses, and the one that pulls it back: it is the same image."""
    it = stages()
    release = demo_release("1.0")
    (image,) = it.built(release).images
    built = it.engine.images[image.id]
    if recorded == "manifest":
        image = replace(image, id=built.manifest.digest)
        it.engine.images[image.id] = built
    if pulled == "manifest":
        it.engine.by_manifest = True
    context = it.context(release, Images(images=(image,)))
    pushed = it.push_stage().make(context)
    assert it.push_stage().find(context) == pushed
    assert len(it.engine.pulled) == 1


def test_an_existing_image_is_not_pushed_again(stages: MakeStages) -> None:
    """A second run pushes nothing."""
    it = stages()
    pushed = it.push(demo_release("1.0"))
    it.engine.pushed.clear()
    assert it.push(demo_release("1.0")) == pushed
    assert it.engine.pushed == []


def test_every_target_has_its_suffix(stages: MakeStages) -> None:
    """The suffix tells the targets' tags apart."""
    it = stages(settings=TARGETS)
    it.push(demo_release("1.0"), stages=("production", "development"))
    assert set(it.tags()) == {f"{TAG}-prod", TAG}


def test_several_platforms_get_one_index(stages: MakeStages) -> None:
    """The index lists the legs' digests, is the same bytes each time, and leads to each platform."""
    it = stages(settings=TWO)
    release = demo_release("1.0")
    pushed = it.push(release)
    (only,) = pushed.images
    tags = it.tags()
    assert set(tags) == {TAG, f"{TAG}-linux-amd64", f"{TAG}-linux-386"}
    assert dict(only.platforms) == {
        "linux/amd64": tags[f"{TAG}-linux-amd64"],
        "linux/386": tags[f"{TAG}-linux-386"],
    }
    raw = it.there[0].skopeo("inspect", "--raw", f"docker://{{}}/{it.repository}:{TAG}").encode()
    assert oci.digest_of(raw) == only.digest == tags[TAG]
    assert it.push_stage().find(it.context(release, it.built(release))) == pushed


def test_a_missing_leg_means_that_nothing_is_tagged(stages: MakeStages) -> None:
    """If a platform is missing, not even the built one is tagged."""
    it = stages(settings=TWO)
    release = demo_release("1.0")
    images = Images(images=it.built(release).images[:1])
    with pytest.raises(Incomplete, match="not built for linux/386"):
        it.push_stage().make(it.context(release, images))
    assert it.tags() == {}


def test_a_run_interrupted_between_legs_resumes(stages: MakeStages) -> None:
    """The existing leg stays; the other leg and the index are pushed."""
    it = stages(settings=TWO)
    release = demo_release("1.0")
    images = it.built(release)
    first = it.engine.images[images.images[0].id]
    put_image(it.there[0], it.repository, first, f"{TAG}-linux-amd64")
    it.push_stage().make(it.context(release, images))
    assert [name.rpartition(":")[2] for name in it.engine.pushed] == [f"{TAG}-linux-386"]


def test_another_image_of_the_commit_is_a_conflict(stages: MakeStages) -> None:
    """The error has both digests, and no tag moves."""
    it = stages()
    it.push(demo_release("1.0"), salt="one")
    before = it.tags()
    release = demo_release("1.0")
    images = it.built(release, salt="other")
    for act in (it.push_stage().find, it.push_stage().make):
        with pytest.raises(Conflict) as caught:
            act(it.context(release, images))
        assert before[TAG] in str(caught.value)
        assert images.images[0].id in str(caught.value)
    assert it.tags() == before


def test_a_taken_version_is_found_before_any_push(stages: MakeStages) -> None:
    """Another image under the version's own tag is a conflict before any push."""
    it = stages()
    put_image(it.there[0], it.repository, make_image("somebody else's"), "v1.0")
    release = demo_release("1.0")
    with pytest.raises(Conflict, match=r"v1\.0 is another image"):
        it.push_stage().make(it.context(release, it.built(release)))
    assert set(it.tags()) == {"v1.0"}


def test_a_candidate_of_the_same_commit_is_no_conflict(stages: MakeStages) -> None:
    """A candidate's image has another version, and the final's tag contains its own version."""
    it = stages()
    candidate = it.push(demo_release("1.0rc1", prerelease=True, highest=False))
    final = it.push(demo_release("1.0"))
    assert candidate.images[0].tag == TAG
    assert final.images[0].tag == f"{TAG}-1.0"
    assert it.tags() == {TAG: candidate.images[0].digest, f"{TAG}-1.0": final.images[0].digest}
    release = demo_release("1.0")
    assert it.push_stage().find(it.context(release, it.built(release))) == final


def test_mirrors_have_the_same_digest(stages: MakeStages, mirror: RealRegistry) -> None:
    """Each registry has its own entry in the product."""
    it = stages(mirror)
    pushed = it.push(demo_release("1.0"))
    assert [each.name.partition("/")[0] for each in pushed.images] == ["ghcr.io", "docker.io"]
    assert it.tags(0) == it.tags(1) == {TAG: pushed.images[0].digest}


def test_one_registry_that_refuses_does_not_stop_the_others(stages: MakeStages, mirror: RealRegistry) -> None:
    """The error lists what was pushed, and the same command finishes."""
    it = stages(mirror)
    it.engine.troubles = [Denied("denied: permission_denied: write_package", next_step=NextStep("ask for the right"))]
    release = demo_release("1.0")
    images = it.built(release)
    with pytest.raises(Denied, match="write_package") as caught:
        it.push_stage().make(it.context(release, images))
    assert f"pushed: docker.io/{it.repository}:{TAG}" in str(caught.value)
    assert "/packages/container/" in caught.value.next_step
    assert it.tags(0) == {}
    assert set(it.tags(1)) == {TAG}
    pushed = it.push_stage().make(it.context(release, images))
    assert len(pushed.images) == 2
    assert len(it.engine.pushed) == 2


@pytest.mark.parametrize(
    ("late", "times"),
    [(False, 1), (False, 2), (True, 1)],
    ids=["reset at half a blob", "reset twice", "lost reply"],
)
def test_a_lost_answer_is_looked_for(stages: MakeStages, *, late: bool, times: int) -> None:
    """An image that arrived is not pushed again; one that did not is."""
    it = stages()
    it.engine.troubles = [Unknown("connection reset by peer", next_step=NextStep("run it again"))] * times
    it.engine.late = late
    it.push(demo_release("1.0"))
    assert len(it.engine.pushed) == 1
    assert set(it.tags()) == {TAG}


@pytest.mark.parametrize(("cause", "kind"), [(Cause.LOST, Unknown), (Cause.LATER, TryLater)])
def test_a_push_that_never_answers_ends(stages: MakeStages, cause: Cause, kind: type[UnmoorError]) -> None:
    """After three attempts the error lists what was pushed, and says whether the registry put it off."""
    it = stages()
    it.engine.troubles = [failure(cause, "connection reset by peer") for _ in range(9)]
    with pytest.raises(kind, match="nothing else was pushed"):
        it.push(demo_release("1.0"))
    assert len(it.engine.troubles) == 6
    assert sum(it.clock.slept) < 60


def test_a_changed_image_is_detected(stages: MakeStages) -> None:
    """The image pulled back by digest must be the tested one."""
    it = stages()
    release = demo_release("1.0")
    images = it.built(release)
    other = it.engine.images[images.images[0].id]
    swapped = "sha256:" + "7" * 64
    it.engine.images[swapped] = other
    images = Images(images=(replace(images.images[0], id=swapped),))
    with pytest.raises(CheckFailed, match="was tested"):
        it.push_stage().make(it.context(release, images))


def test_undo_removes_only_the_tag(stages: MakeStages) -> None:
    """Undo removes the tag; another commit's tag and its layers stay."""
    it = stages()
    other = it.push(demo_release("0.9", commit="f" * 40))
    release = demo_release("1.0")
    pushed = it.push(release)
    answer = it.push_stage().undo(pushed)
    assert isinstance(answer, Undone), answer
    assert it.tags() == {f"sha-{'f' * 12}": other.images[0].digest}
    assert it.push_stage().find(it.context(release, it.built(release))) is None
    assert it.push(release) == pushed


def test_undo_removes_an_index_and_its_legs(stages: MakeStages) -> None:
    """Undo removes all three tags."""
    it = stages(settings=TWO)
    answer = it.push_stage().undo(it.push(demo_release("1.0")))
    assert isinstance(answer, Undone), answer
    assert it.tags() == {}


def test_undo_leaves_a_digest_that_another_tag_has(stages: MakeStages) -> None:
    """If the version's tag has the same digest, both tags stay."""
    it = stages()
    pushed = it.push(demo_release("1.0"))
    manifest = it.registry().manifest(TAG)
    assert manifest is not None
    put_manifest(it.there[0], it.repository, manifest, "v1.0")
    answer = it.push_stage().undo(pushed)
    assert isinstance(answer, NotUndone)
    assert "v1.0 has the same digest" in answer.why
    assert set(it.tags()) == {TAG, "v1.0"}


def test_undo_leaves_what_has_moved(stages: MakeStages) -> None:
    """A tag that points at another image by now stays."""
    it = stages()
    pushed = it.push(demo_release("1.0"))
    put_image(it.there[0], it.repository, make_image("since"), TAG)
    before = it.tags()
    assert isinstance(it.push_stage().undo(pushed), NotUndone)
    assert it.tags() == before


def test_an_absent_tag_counts_as_undone(stages: MakeStages) -> None:
    """A second undo succeeds, too."""
    it = stages()
    pushed = it.push(demo_release("1.0"))
    it.push_stage().undo(pushed)
    assert isinstance(it.push_stage().undo(pushed), Undone)


def test_the_plan_names_every_registry(stages: MakeStages, mirror: RealRegistry) -> None:
    """The plan is one line, and reads nothing."""
    it = stages(mirror)
    plan = it.push_stage().plan()
    assert f"ghcr.io/{it.repository}, docker.io/{it.repository}" in plan
    assert Pushed(images=()).images == ()
