"""The stage ``image-tags`` on real registries: tags move to the pushed digests, and floating tags never move back."""

from __future__ import annotations

import itertools
import json
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest
from msgspec.structs import asdict
from tests.support.image_stages import FakeGitRemote, ImageStages, demo_release
from tests.support.local_forge import LocalForge, start_forge
from tests.support.real_registries import RealRegistry, make_image, put_image, run_registry

from unmoor.advice import NextStep
from unmoor.config.images import ImageSettings, TargetSettings
from unmoor.core.stage import NotUndone, Undone
from unmoor.errors import Conflict, Refused, Rejected, Unknown, UnmoorError
from unmoor.ports.registry import OciManifest, Registry
from unmoor.products import MovedTags, Pushed, Release, TagPosition
from unmoor.stages.image_tags import TagImages
from unmoor.util.values import replace

pytestmark = pytest.mark.journey  # real builds, clones or servers, one after the other

_NUMBERS = itertools.count(1)
TARGETS = ImageSettings(targets={"production": TargetSettings(suffix="-prod", floating="prod"), "development": ""})
SUFFIXED = ImageSettings(targets={"production": "", "development": "-dev"})

MakeStages = Callable[..., ImageStages]


@pytest.fixture(scope="module")
def there(tmp_path_factory: pytest.TempPathFactory) -> Iterator[RealRegistry]:
    """A registry without a login."""
    with run_registry(tmp_path_factory.mktemp("first")) as running:
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
    """A repository that no other test uses, and a remote that has every released tag."""

    def make(*others: RealRegistry, **more: Any) -> ImageStages:
        name = f"acme/demo{next(_NUMBERS)}"
        return ImageStages((there, *others), at, tmp_path, name, git=FakeGitRemote(), **more)

    return make


@dataclass
class MeddlingRegistry:
    """A registry with a function that sees each tag before it is put, and may raise."""

    inner: Registry
    before: Callable[[str], None]

    def put(self, tag: str, manifest: OciManifest) -> str:
        """Put the tag, unless the function raises."""
        self.before(tag)
        return self.inner.put(tag, manifest)

    def __getattr__(self, name: str) -> Any:
        """Everything else is that of the registry."""
        return getattr(self.inner, name)


def refusing(*tags: str, error: UnmoorError | None = None) -> Callable[[Registry], Any]:
    """A registry that refuses to move some tags."""
    trouble = error or Rejected("tag is immutable", next_step=NextStep("ask the registry's operators"))

    def before(tag: str) -> None:
        if tag in tags:
            raise trouble

    return lambda registry: MeddlingRegistry(registry, before)


def floating(it: ImageStages) -> dict[str, str]:
    """The tags that name neither a full version nor a commit."""
    return {tag: at for tag, at in it.tags().items() if not tag.startswith(("sha-", "v"))}


def test_the_version_and_its_floating_tags_have_one_digest(stages: MakeStages) -> None:
    """All tags have the digest of the tested image, for skopeo, too; the found product equals the made one."""
    it = stages()
    release, pushed, pointed = it.push_and_tag("1.2.3")
    digest = pushed.images[0].digest
    assert set(it.tags()) == {f"sha-{release.commit[:12]}", f"sha-{release.commit[:7]}", "v1.2.3", "1.2", "1", "latest"}
    assert set(it.tags().values()) == {digest}
    output = json.loads(it.there[0].skopeo("inspect", f"docker://{{}}/{it.repository}:latest"))
    assert output["Digest"] == digest
    stage = it.tag_stage()
    assert stage.find(it.context(release, pushed=pushed)) == pointed
    assert {each.tag for each in pointed.pointers if each.floating} == {"1.2", "1", "latest"}
    assert pointed.left == ()


def test_without_tags_it_is_absent(stages: MakeStages) -> None:
    """Pushed images without tags count as absent."""
    it = stages()
    release = demo_release("1.0")
    pushed = it.push(release)
    assert it.tag_stage().find(it.context(release, pushed=pushed)) is None


@pytest.mark.parametrize(
    ("shipped", "last", "moved"),
    [
        (["1.2.3"], "1.3.0rc1", set()),
        (["1.2.3"], "1.2.4", {"1.2", "1", "latest"}),
        (["1.3.0"], "1.2.4", {"1.2"}),
        (["1.2.3", "1.3.0"], "1.2.4", {"1.2"}),
        (["2.0.0"], "1.2.4", {"1.2", "1"}),
        (["1.2.5", "2.0.0"], "1.2.4", set()),
        (["1.2.3"], "1.2.3.post1", {"1.2", "1", "latest"}),
        (["1.2.3rc1"], "1.2.3", {"1.2", "1", "latest"}),
        (["0.1.0"], "0.2.0", {"0.2", "latest"}),
    ],
)
def test_floating_tags_move_only_to_the_highest_final(
    stages: MakeStages, shipped: list[str], last: str, moved: set[str]
) -> None:
    """A release candidate moves no floating tag, a backport only those of its own series."""
    it = stages()
    for version in shipped:
        it.push_and_tag(version, prerelease="rc" in version)
    before = floating(it)
    final = "rc" not in last
    _, pushed, pointed = it.push_and_tag(last, prerelease=not final, highest=final)
    after = floating(it)
    # The version of a prerelease is one of its fixed tags without a v, too.
    changed = {tag for tag, digest in after.items() if before.get(tag) != digest and "rc" not in tag}
    assert changed == moved
    assert all(after[tag] == pushed.images[0].digest for tag in moved)
    assert len(pointed.left) == (3 - len(moved) if final and not last.startswith("0") else 0)


def test_latest_follows_the_repository_as_well(stages: MakeStages) -> None:
    """A higher tagged version without an image keeps latest from a backport."""
    it = stages()
    _, _, pointed = it.push_and_tag("1.1.1", highest=False)
    assert set(floating(it)) == {"1.1", "1"}
    assert "latest stays" in pointed.left[0]


def test_the_decision_is_made_at_the_last_moment(stages: MakeStages) -> None:
    """A higher version that appears during the move keeps its floating tags."""
    it = stages()

    def before(tag: str) -> None:
        if tag == "v1.0.0":
            put_image(it.there[0], it.repository, make_image("meanwhile"), "v1.4.0", "latest", "1")

    it.wrap = lambda registry: MeddlingRegistry(registry, before)
    _, pushed, _ = it.push_and_tag("1.0.0")
    tags = it.tags()
    assert tags["v1.0.0"] == tags["1.0"] == pushed.images[0].digest
    assert tags["latest"] == tags["1"] == tags["v1.4.0"]


@pytest.mark.parametrize("name", ["20301231", "3.1-alpine", "nightly-9.9", "main", "pr-77"])
def test_tags_of_other_rules_are_no_versions(stages: MakeStages, name: str) -> None:
    """Tags that this image's rules do not produce do not count as versions."""
    it = stages()
    put_image(it.there[0], it.repository, make_image("other"), name)
    it.push_and_tag("1.0.0")
    assert set(floating(it)) - {name} == {"1.0", "1", "latest"}


def test_every_target_has_its_own_tags(stages: MakeStages) -> None:
    """A target's tags have its suffix, and its own floating tag instead of latest."""
    it = stages(settings=TARGETS)
    release = demo_release("1.2.3")
    it.git.tags[release.tag] = release.commit
    pushed = it.push(release, stages=("production", "development"))
    it.point(release, pushed)
    by_target = {each.target: each.digest for each in pushed.images}
    tags = {tag: at for tag, at in it.tags().items() if not tag.startswith("sha-")}
    names = {"v1.2.3-prod": "production", "1.2-prod": "production", "1-prod": "production", "prod": "production"}
    names |= {"v1.2.3": "development", "1.2": "development", "1": "development", "latest": "development"}
    assert tags == {tag: by_target[target] for tag, target in names.items()}


def test_a_version_that_is_another_digest_is_a_conflict(stages: MakeStages) -> None:
    """The error has both digests, and no tag moves."""
    it = stages()
    release = demo_release("1.0")
    it.git.tags[release.tag] = release.commit
    pushed = it.push(release)
    other = put_image(it.there[0], it.repository, make_image("other"), "v1.0")
    before = it.tags()
    for act in (it.tag_stage().find, it.tag_stage().make):
        with pytest.raises(Conflict) as caught:
            act(it.context(release, pushed=pushed))
        assert other in str(caught.value)
        assert pushed.images[0].digest in str(caught.value)
    assert it.tags() == before


def test_the_short_tag_of_a_commit_stays_with_its_first_release(stages: MakeStages) -> None:
    """If a candidate and a final have one commit, the commit's short tag stays with the candidate."""
    it = stages()
    release = demo_release("1.0")
    candidate = replace(release, version="1.0rc1", tag="v1.0rc1", prerelease=True)
    left: list[str] = []
    for each in (candidate, release):
        it.git.tags[each.tag] = each.commit
        pushed = it.push(each)
        pointed = it.point(each, pushed)
        assert it.tag_stage().find(it.context(each, pushed=pushed)) == pointed
        left += pointed.left
    assert any("another release of the same commit" in each for each in left)
    tags = it.tags()
    assert tags[f"sha-{release.commit[:7]}"] == tags["v1.0rc1"] != tags["v1.0"] == tags["latest"]


def test_a_moved_tag_in_git_stops_everything(stages: MakeStages) -> None:
    """A moved git tag stops the stage before it puts any tag."""
    it = stages()
    release = demo_release("1.0")
    it.git.tags[release.tag] = "f" * 40
    pushed = it.push(release)
    with pytest.raises(Refused, match="was moved"):
        it.point(release, pushed)
    assert set(it.tags()) == {pushed.images[0].tag}


def test_a_registry_that_refuses_one_tag_moves_no_floating_one_anywhere(
    stages: MakeStages, mirror: RealRegistry
) -> None:
    """The error lists what moved and what did not; the same command finishes."""
    it = stages(mirror)
    release = demo_release("1.0")
    it.git.tags[release.tag] = release.commit
    pushed = it.push(release)
    it.wrap = lambda inner: refusing("v1.0")(inner) if inner.name.startswith("docker.io") else inner
    with pytest.raises(Rejected, match="immutable") as caught:
        it.point(release, pushed)
    assert f"; moved: ghcr.io/{it.repository}:sha-0123456, ghcr.io/{it.repository}:v1.0" in str(caught.value)
    assert f"not moved: docker.io/{it.repository}:v1.0" in str(caught.value)
    assert "latest" not in it.tags(0)
    it.wrap = lambda inner: inner
    it.point(release, pushed)
    assert it.tags(0) == it.tags(1)
    assert it.tags(1)["latest"] == pushed.images[0].digest


@pytest.mark.parametrize("stop", ["v1.2.4", "1.2", "1", "latest"])
def test_a_run_killed_between_two_tags_is_finished_by_the_next(stages: MakeStages, stop: str) -> None:
    """The next run finishes, and the earlier positions of the floating tags are still recorded."""
    it = stages()
    _, first, _ = it.push_and_tag("1.2.3")
    it.wrap = refusing(stop, error=Unknown("the connection broke", next_step=NextStep("run it again")))
    with pytest.raises(Unknown):
        it.push_and_tag("1.2.4")
    it.wrap = lambda inner: inner
    _, pushed, pointed = it.push_and_tag("1.2.4")
    assert set(floating(it).values()) == {pushed.images[0].digest}
    assert {each.before for each in pointed.pointers if each.floating} == {first.images[0].digest}


def test_floating_tags_move_back(stages: MakeStages) -> None:
    """A later run moves them back by the record in the folder; the version's own tags stay."""
    it = stages()
    _, first, _ = it.push_and_tag("1.2.3")
    release, pushed, _ = it.push_and_tag("1.3.0")
    found = it.tag_stage().find(it.context(release, pushed=pushed))
    assert found is not None
    assert f"latest to {first.images[0].digest}" in it.tag_stage().remedy(found)
    answers = it.tag_stage().undo_partly(found)
    assert all(isinstance(each, Undone) for each in answers), answers
    tags = it.tags()
    assert tags["latest"] == tags["1"] == first.images[0].digest
    # It was nowhere before.
    assert "1.3" not in tags
    assert tags["v1.3.0"] == pushed.images[0].digest
    assert it.tag_stage().find(it.context(release, pushed=pushed)) is None


def elsewhere(it: ImageStages, release: Release, pushed: Pushed) -> tuple[TagImages, MovedTags]:
    """The stage on a machine without a run folder, and what it finds."""
    stage = replace(it, folder=it.folder / "elsewhere").tag_stage()
    found = stage.find(it.context(release, pushed=pushed))
    assert found is not None
    return stage, found


def test_floating_tags_move_back_on_another_machine(stages: MakeStages) -> None:
    """Without the folder of the run, the record on the release says where they were."""
    it = stages()
    _, first, _ = it.push_and_tag("1.2.3")
    release, pushed, _ = it.push_and_tag("1.3.0")
    stage, found = elsewhere(it, release, pushed)
    assert f"latest to {first.images[0].digest}" in stage.remedy(found)
    assert "1.3 to nothing, since there was no such tag" in stage.remedy(found)
    answers = stage.undo_partly(found)
    assert [type(each) for each in answers] == [Undone] * 3, answers
    assert sum("as v1.2.3 does" in str(each) for each in answers) == 2
    tags = it.tags()
    assert tags["latest"] == tags["1"] == first.images[0].digest
    assert "1.3" not in tags


@dataclass(frozen=True, kw_only=True)
class Claim:
    """What a record says that ``latest`` pointed at before 2.0.0, and how the answer begins and ends."""

    before: str | None
    answer: type[Undone | NotUndone]
    words: tuple[str, ...]


CLAIMS = {
    "the last version": Claim(before="v1.1.0", answer=Undone, words=("again, as v1.1.0 does",)),
    "an earlier version": Claim(before="v1.0.0", answer=Undone, words=("again, as v1.0.0 does",)),
    "an image that only a commit names": Claim(
        before="sha-only", answer=NotUndone, words=("no tag of another version does", "--tag ghcr.io/", "@sha256:")
    ),
    "an image of another target": Claim(before="v1.0.0-dev", answer=NotUndone, words=("no tag of another version",)),
    "an image that a candidate has": Claim(before="v2.0.0rc1", answer=NotUndone, words=("no tag of another version",)),
    "an image that is not there": Claim(before="gone", answer=NotUndone, words=("no tag of another version does",)),
    "no tag": Claim(before=None, answer=NotUndone, words=("no such tag before", "it could point at v1.1.0")),
}


@pytest.mark.parametrize("record", ["pointers.json", "pushed.json"])
@pytest.mark.parametrize("name", CLAIMS)
def test_a_record_may_be_anybodys(stages: MakeStages, name: str, record: str) -> None:
    """A floating tag goes only to an image that a tag of another version has; else it stays, with what to do."""
    it, claim = stages(settings=SUFFIXED), CLAIMS[name]
    known: dict[str | None, str | None] = {None: None, "gone": "sha256:" + "9" * 64}
    for tag in ("v1.0.0", "v1.1.0", "v1.0.0-dev", "v2.0.0rc1", "sha-only", "sha-0123456"):
        known[tag] = put_image(it.there[0], it.repository, make_image(tag), tag)
    release = demo_release("2.0.0", commit="2" * 40)
    it.git.tags[release.tag] = release.commit
    pushed = it.push(release, stages=("production", "development"))
    it.point(release, pushed)
    digest = {each.target: each.digest for each in pushed.images}["production"]
    said = TagPosition(name=it.registry().name, tag="latest", digest=known[claim.before])
    if record == "pointers.json":
        (it.run.path / record).write_text(json.dumps([{**asdict(said), "digest": digest, "before": said.digest}]))
        stage, pushed = it.tag_stage(), replace(pushed, before=())
        found = stage.find(it.context(release, pushed=pushed))
        assert found is not None
    else:
        stage, found = elsewhere(it, release, replace(pushed, before=(said,)))
    before = it.tags()
    (answer,) = (
        answer
        for pointer, answer in zip(
            (each for each in found.pointers if each.floating), stage.undo_partly(found), strict=True
        )
        if pointer.tag == "latest"
    )
    assert isinstance(answer, claim.answer)
    text = answer.what if isinstance(answer, Undone) else answer.why
    assert all(words in text for words in claim.words), text
    assert isinstance(answer, Undone) or record in text
    assert it.tags()["latest"] == (known[claim.before] if claim.answer is Undone else before["latest"])


def test_a_floating_tag_that_moved_again_stays(stages: MakeStages) -> None:
    """A floating tag that another release moved stays."""
    it = stages()
    release, pushed, pointed = it.push_and_tag("1.2.3")
    it.push_and_tag("1.2.4")
    before = it.tags()
    answers = it.tag_stage().undo_partly(pointed)
    assert all(isinstance(each, NotUndone) and "has since moved to" in each.why for each in answers)
    assert it.tags() == before
    assert release.version == "1.2.3"
    assert pushed.images


def test_without_the_record_nothing_is_guessed(stages: MakeStages) -> None:
    """If neither this machine nor the release has a record, the tag stays, and the answer says why."""
    it = stages()
    release, pushed, _ = it.push_and_tag("1.2.3")
    stage, found = elsewhere(it, release, replace(pushed, before=()))
    assert "which is not recorded" in stage.remedy(found)
    answers = stage.undo_partly(found)
    assert len(answers) == 3
    assert all(isinstance(each, NotUndone) and "neither pointers.json" in each.why for each in answers)


@pytest.mark.parametrize("text", [b"{", b"{}", b'["\xff"]', b"[" * 100_000], ids=["cut", "shape", "bytes", "nesting"])
def test_a_malformed_record_stops_the_move(stages: MakeStages, text: bytes) -> None:
    """A malformed record is not treated as an empty one."""
    it = stages()
    it.run.open()
    (it.run.path / "pointers.json").write_bytes(text)
    with pytest.raises(Unknown, match="cannot be read"):
        it.push_and_tag("1.2.3")
    assert "latest" not in it.tags()
