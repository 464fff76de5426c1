"""The stage ``undraft`` against the forge of a local world and a real git remote."""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from functools import partial
from pathlib import Path

import pytest
import requests
from tests.support.local_forge import RELEASE, DraftInputs, LocalForge, draft_inputs, start_forge, text_file

from unmoor.adapters.forge import GitHubForge
from unmoor.core.stage import Output, StageContext
from unmoor.errors import Cause, Conflict, Incomplete, Refused, Rejected, TryLater, Unknown, UnmoorError
from unmoor.ports.failure import failure
from unmoor.ports.forge import ForgeRelease
from unmoor.products import Asset, Draft, File, PublishedRelease, Pushed
from unmoor.stages.undraft import PublishDraft
from unmoor.util.values import replace

DRAFT: Output[Draft] = Output("draft")
PUSHED: Output[Pushed] = Output("registry")


@pytest.fixture(scope="module")
def at(tmp_path_factory: pytest.TempPathFactory) -> Iterator[LocalForge]:
    """One world for this module; every test has its own tags."""
    with start_forge(tmp_path_factory.mktemp("undraft")) as running:
        yield running


@dataclass(frozen=True)
class CompleteDraft:
    """A release with a complete draft, and the stage that publishes it."""

    one: DraftInputs
    draft: Draft
    stage: PublishDraft

    @property
    def context(self) -> StageContext:
        """The context for the stage."""
        return StageContext({RELEASE.by: self.one.release, DRAFT.by: self.draft})

    def forge_release(self) -> ForgeRelease:
        """The release object as its owner sees it."""
        return self.one.stage.forge.releases(self.one.release.tag)[0]


def full(at: LocalForge, folder: Path, *, prerelease: bool = False, highest: bool = True) -> CompleteDraft:
    """Create a complete draft."""
    one = draft_inputs(at, folder, at.release(prerelease=prerelease, highest=highest))
    draft = one.stage.make(one.context)
    stage = PublishDraft(name="undraft", release=RELEASE, draft=DRAFT, forge=at.forge(), git=at.git, clock=at.clock)
    return CompleteDraft(one, draft, stage)


@pytest.mark.parametrize(
    ("prerelease", "highest"), [(False, True), (False, False), (True, False)], ids=["highest", "backport", "prerelease"]
)
def test_what_was_published_is_found_equal(at: LocalForge, tmp_path: Path, *, prerelease: bool, highest: bool) -> None:
    """The release has its marks: only the highest final version is the latest."""
    it = full(at, tmp_path, prerelease=prerelease, highest=highest)
    before = at.forge().latest()
    assert it.stage.find(it.context) is None
    page = it.stage.make(it.context)
    tag = it.one.release.tag
    assert page == PublishedRelease(url=it.forge_release().url, tag=tag, prerelease=prerelease, latest=highest)
    assert it.stage.find(it.context) == page
    assert at.forge().latest() == (tag if highest else before)
    assert tag in it.stage.remedy(page)
    assert page.url in it.stage.remedy(page)


def test_a_project_in_a_folder_never_takes_latest_from_another(at: LocalForge, tmp_path: Path) -> None:
    """A project in a folder never takes latest from another project, but keeps it once it has it."""
    first = full(at, tmp_path / "first")
    first.stage.make(first.context)
    held = at.forge().latest()
    assert held == first.one.release.tag
    own = full(at, tmp_path / "own")
    for prefix, latest in (("pkg-", held), ("", own.one.release.tag)):
        release = replace(own.one.release, path="packages/pkg", prefix=prefix)
        context = StageContext({RELEASE.by: release, DRAFT.by: own.draft})
        page = own.stage.make(context)
        assert page.latest is (latest != held)
        assert at.forge().latest() == latest
        assert own.stage.find(context) == page


def test_plan_and_find_change_nothing(at: LocalForge, tmp_path: Path) -> None:
    """``plan`` and ``find`` leave the draft a draft."""
    it = full(at, tmp_path)
    assert "publish" in it.stage.plan()
    assert it.stage.find(it.context) is None
    assert it.forge_release().draft


@pytest.mark.parametrize(("prerelease", "latest"), [(True, False), (False, False)])
def test_wrong_marks_are_absent_and_are_set(at: LocalForge, tmp_path: Path, *, prerelease: bool, latest: bool) -> None:
    """If somebody published the draft by hand with other marks, they are corrected."""
    it = full(at, tmp_path)
    it.stage.forge.publish(it.forge_release(), prerelease=prerelease, latest=latest)
    assert it.stage.find(it.context) is None
    page = it.stage.make(it.context)
    assert (page.prerelease, page.latest) == (False, True)
    assert it.stage.find(it.context) == page


def test_a_backport_that_took_latest_gives_it_back_by_the_next_release(at: LocalForge, tmp_path: Path) -> None:
    """A release that is wrongly the latest counts as not done."""
    it = full(at, tmp_path, highest=False)
    it.stage.forge.publish(it.forge_release(), prerelease=False, latest=True)
    assert it.stage.find(it.context) is None


def test_another_public_release_of_the_tag_is_a_conflict(at: LocalForge, tmp_path: Path) -> None:
    """If the wrong one of two drafts is public, that is a conflict."""
    it = full(at, tmp_path)
    it.stage.forge.publish(it.forge_release(), prerelease=False, latest=True)
    wrong = replace(it, draft=replace(it.draft, id=it.draft.id + 1))
    with pytest.raises(Conflict, match="is not the draft of this run"):
        wrong.stage.find(wrong.context)


def test_a_tag_that_moved_is_refused_and_nothing_is_published(at: LocalForge, tmp_path: Path) -> None:
    """The remote's tag is checked again before publishing."""
    it = full(at, tmp_path)
    other = at.repo.commit({"README": tmp_path.name})
    at.repo.git("tag", "--force", it.one.release.tag, other)
    with pytest.raises(Refused, match=other):
        it.stage.make(it.context)
    assert it.forge_release().draft


@pytest.mark.parametrize(("change", "error"), [("gone", Incomplete), ("other", Conflict)])
def test_an_incomplete_draft_is_not_published(
    at: LocalForge, tmp_path: Path, change: str, error: type[Exception]
) -> None:
    """A draft that lost an asset is not published."""
    it = full(at, tmp_path)
    asset = it.forge_release().assets[0]
    it.stage.forge.detach(asset)
    if change == "other":
        it.stage.forge.attach(it.forge_release(), text_file(tmp_path / "other" / asset.name, "other"))
    with pytest.raises(error, match=asset.name.replace("+", r"\+")):
        it.stage.make(it.context)
    assert it.forge_release().draft


RECORD = b'{"schema": 1}\n'
"""The bytes that the stage ``registry`` attached; what they say does not matter here."""


@pytest.mark.parametrize(
    ("there", "made", "error"),
    [
        (RECORD, True, None),
        (None, True, Incomplete),
        (b'{"schema": 2}\n', True, Conflict),
        (b"{}", True, Conflict),
        (RECORD, False, Incomplete),
    ],
    ids=["ours", "missing", "other bytes", "another size", "never attached"],
)
def test_a_draft_must_say_what_the_registries_hold(
    at: LocalForge, tmp_path: Path, there: bytes | None, *, made: bool, error: type[Exception] | None
) -> None:
    """A project with images publishes nothing without the record of them, with the bytes that were attached."""
    it = full(at, tmp_path)
    if there is not None:
        it.stage.forge.attach(it.forge_release(), text_file(tmp_path / "pushed.json", there.decode()))
    record = Asset(name="pushed.json", sha256=hashlib.sha256(RECORD).hexdigest(), size=len(RECORD)) if made else None
    context = StageContext({**it.context.products, PUSHED.by: Pushed(images=(), record=record)})
    stage = replace(it.stage, pushed=PUSHED)
    if error is None:
        assert stage.make(context) == stage.find(context)
        return
    with pytest.raises(error, match=r"pushed\.json"):
        stage.make(context)
    assert it.forge_release().draft


@pytest.mark.parametrize(
    ("replaced", "error", "what"),
    [(False, Incomplete, "was deleted during this run"), (True, Conflict, "is gone, and there is another release")],
    ids=["deleted", "replaced"],
)
def test_a_draft_that_is_gone_is_not_published(
    at: LocalForge, tmp_path: Path, error: type[Exception], what: str, *, replaced: bool
) -> None:
    """If the draft is gone, nothing else is published, and the error says what is out already."""
    it = full(at, tmp_path)
    it.stage.forge.remove(it.forge_release())
    if replaced:
        again = draft_inputs(at, tmp_path / "again", it.one.release)
        again.stage.make(again.context)
    with pytest.raises(error, match=f"{what}.*the files are on the index already"):
        it.stage.make(it.context)
    assert [each.draft for each in it.stage.forge.releases(it.one.release.tag)] == [True] * replaced


@dataclass(frozen=True)
class LossyForge:
    """The real forge, which loses the answer to publishing after or before it is done."""

    real: GitHubForge
    done: list[bool]
    cause: Cause = Cause.LOST
    wait: float = 0.0

    def __getattr__(self, name: str) -> object:
        return getattr(self.real, name)

    def publish(self, forge_release: ForgeRelease, *, prerelease: bool, latest: bool) -> ForgeRelease:
        """Publish, or not, and lose the answer."""
        if not self.done:
            return self.real.publish(forge_release, prerelease=prerelease, latest=latest)
        if self.done.pop(0):
            self.real.publish(forge_release, prerelease=prerelease, latest=latest)
        raise failure(self.cause, "502", wait=self.wait)


@dataclass(frozen=True)
class ChangedAtOnce(LossyForge):
    """The real forge, on which somebody changes something in the moment in which the release becomes public."""

    change: Callable[[ForgeRelease], None] = lambda _: None

    def publish(self, forge_release: ForgeRelease, *, prerelease: bool, latest: bool) -> ForgeRelease:
        """Change, then publish."""
        self.change(forge_release)
        return self.real.publish(forge_release, prerelease=prerelease, latest=latest)


@pytest.mark.parametrize("name", ["wheel", "SHA256SUMS", "manifest.json"])
@pytest.mark.parametrize(("change", "error"), [("gone", Incomplete), ("other", Conflict)])
def test_what_changes_as_it_becomes_public_is_found(
    at: LocalForge, tmp_path: Path, name: str, change: str, error: type[Incomplete | Conflict]
) -> None:
    """An asset that is deleted or swapped in the moment of publishing is named, with what a person can do."""
    it = full(at, tmp_path)
    name = it.one.dists.files[0].name if name == "wheel" else name

    def swap(forge_release: ForgeRelease) -> None:
        at.forge().detach(next(each for each in forge_release.assets if each.name == name))
        if change == "other":
            at.forge().attach(forge_release, text_file(tmp_path / "other" / name, "other"))

    stage = replace(it.stage, forge=ChangedAtOnce(at.forge(), [], change=swap))  # type: ignore[arg-type]
    with pytest.raises(error) as caught:
        stage.make(it.context)
    assert name in caught.value.what
    assert "public release" in caught.value.what
    assert "attach the right file by hand" in caught.value.next_step
    assert not it.forge_release().draft


def attach(forge: GitHubForge, file: File, forge_release: ForgeRelease) -> None:
    """Attach a file to a release."""
    forge.attach(forge_release, file)


def test_a_distribution_that_joins_as_it_becomes_public_is_found(at: LocalForge, tmp_path: Path) -> None:
    """A wheel that nobody tested is named; another file is ignored."""
    for name, found in (("sbom.json", False), ("demo-9.9-py3-none-any.whl", True)):
        it = full(at, tmp_path / name)
        file = text_file(tmp_path / "other" / name, "other")
        forge = ChangedAtOnce(at.forge(), [], change=partial(attach, at.forge(), file))
        stage = replace(it.stage, forge=forge)  # type: ignore[arg-type]
        if found:
            with pytest.raises(Conflict, match=f"{name} is a distribution that is not of this release"):
                stage.make(it.context)
        else:
            stage.make(it.context)


def test_a_tag_that_moves_as_the_release_becomes_public_is_told(at: LocalForge, tmp_path: Path) -> None:
    """The error says that the release is public and stays."""
    it = full(at, tmp_path)
    tag = it.one.release.tag
    forge = ChangedAtOnce(at.forge(), [], change=lambda _: (at.repo.git("tag", "--delete", tag), None)[1])
    with pytest.raises(Refused, match=f"{tag} is public already, and stays"):
        replace(it.stage, forge=forge).make(it.context)  # type: ignore[arg-type]


def test_the_tag_of_a_deleted_immutable_release_stays_burned(at: LocalForge, tmp_path: Path) -> None:
    """Only publishing fails; the draft and its files stay, and the error suggests a new version."""
    it = full(at, tmp_path / "first")
    switch = at.world / "forge" / "immutable"
    switch.touch()
    try:
        it.stage.make(it.context)
        number = it.forge_release().id
        answer = requests.delete(
            f"{at.place.api}/repos/{at.place.repository}/releases/{number}",
            headers={"Authorization": f"token {at.place.login.secret.reveal()}"},
            timeout=10,
        )
        answer.raise_for_status()
        one = draft_inputs(at, tmp_path / "second", it.one.release)
        again = replace(it, one=one, draft=one.stage.make(one.context))
        with pytest.raises(Rejected, match="immutable") as caught:
            again.stage.make(again.context)
    finally:
        switch.unlink()
    assert "release a new version" in caught.value.next_step
    assert again.forge_release().draft


@pytest.mark.parametrize("done", [True, False])
def test_after_a_lost_answer_it_checks(at: LocalForge, tmp_path: Path, *, done: bool) -> None:
    """A published release is found; otherwise it is published once more."""
    it = full(at, tmp_path)
    stage = replace(it.stage, forge=LossyForge(at.forge(), [done]))  # type: ignore[arg-type]
    assert stage.make(it.context) == it.stage.find(it.context)


@pytest.mark.parametrize(("cause", "wait", "kind"), [(Cause.LOST, 0.0, Unknown), (Cause.LATER, 40.0, TryLater)])
def test_publishing_that_is_lost_twice(
    at: LocalForge, tmp_path: Path, cause: Cause, wait: float, kind: type[UnmoorError]
) -> None:
    """The error says whether to come back later."""
    it = full(at, tmp_path)
    stage = replace(it.stage, forge=LossyForge(at.forge(), [False, False], cause, wait))  # type: ignore[arg-type]
    with pytest.raises(kind) as caught:
        stage.make(it.context)
    assert caught.value.wait == wait


def test_a_release_that_the_forge_always_marks_latest_is_a_warning(at: LocalForge, tmp_path: Path) -> None:
    """If the forge has no other final release, its wrong mark is only a warning."""

    class Insistent(LossyForge):
        """A forge that always marks this release as the latest."""

        def latest(self) -> str:
            return it.one.release.tag

    it = full(at, tmp_path, highest=False)
    stage = replace(it.stage, forge=Insistent(at.forge(), []))  # type: ignore[arg-type]
    warned: list[str] = []
    page = stage.make(replace(it.context, warn=warned.append))
    assert page.latest
    assert "higher final version" in warned[0]


def test_a_release_that_does_not_show_is_incomplete(at: LocalForge, tmp_path: Path) -> None:
    """After a limited number of reads the error says that the release is not the latest."""

    class Stubborn(LossyForge):
        """A forge that never shows the new latest."""

        def latest(self) -> str:
            return "v0.0"

    it = full(at, tmp_path)
    stage = replace(it.stage, forge=Stubborn(at.forge(), []))  # type: ignore[arg-type]
    with pytest.raises(Incomplete, match="the latest"):
        stage.make(it.context)
