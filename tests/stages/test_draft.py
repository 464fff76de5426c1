"""The stage ``draft`` against the forge of a local world, with injected faults."""

from __future__ import annotations

import contextlib
import math
import socket
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from urllib.parse import urlsplit

import pytest
from tests.support.image_stages import IMAGES, ImageStages
from tests.support.image_stages import PROOF as IMAGE_PROOF
from tests.support.local_forge import DraftInputs, LocalForge, draft_inputs, start_forge, text_file
from tests.support.real_registries import make_image, put_image, run_registry
from tests.support.sample_values import FakeClock

from unmoor.adapters.forge import GitHubForge
from unmoor.advice import NextStep
from unmoor.artifacts import manifest as manifests
from unmoor.config.images import ImageSettings
from unmoor.core.stage import NotUndone, StageContext, Undone
from unmoor.errors import Cause, Conflict, Denied, Incomplete, Refused, Rejected, TryLater, Unknown
from unmoor.filesystem.files import sha256_of
from unmoor.ports.failure import failure
from unmoor.ports.forge import ForgeAsset, ForgeRelease
from unmoor.products import File, Release
from unmoor.util.values import replace


@pytest.fixture(scope="module")
def at(tmp_path_factory: pytest.TempPathFactory) -> Iterator[LocalForge]:
    """One world for this module; every test has its own tags."""
    with start_forge(tmp_path_factory.mktemp("draft")) as running:
        yield running


def names(ready_one: DraftInputs) -> list[str]:
    """The names of the assets on the draft, in upload order."""
    (forge_release,) = ready_one.stage.forge.releases(ready_one.release.tag)
    return [asset.name for asset in sorted(forge_release.assets, key=lambda each: each.id)]


def test_the_draft_is_found_equal_and_undone(at: LocalForge, tmp_path: Path) -> None:
    """The draft is found after it was created, and absent after undo."""
    one = draft_inputs(at, tmp_path)
    assert one.stage.find(one.context) is None
    made = one.stage.make(one.context)
    assert one.stage.find(one.context) == made
    assert one.stage.make(one.context) == made
    assert isinstance(one.stage.undo(made), Undone)
    assert one.stage.find(one.context) is None
    assert isinstance(one.stage.undo(made), Undone)


def test_a_moved_tag_stops_before_the_draft(at: LocalForge, tmp_path: Path) -> None:
    """The remote's tag is read once more before anything is made."""
    one = draft_inputs(at, tmp_path)
    at.repo.git("tag", "--force", one.release.tag, at.repo.commit({"more": "text"}))
    with pytest.raises(Refused, match=f"commit {one.release.commit} was tested"):
        one.stage.make(one.context)
    assert at.forge().releases(one.release.tag) == ()


def test_every_file_goes_up_and_the_manifest_goes_last(at: LocalForge, tmp_path: Path) -> None:
    """The manifest is uploaded last, because a draft without it is incomplete."""
    one = draft_inputs(at, tmp_path, full="- Something new\n" * 2)
    made = one.stage.make(one.context)
    wheel, sdist = (file.name for file in one.dists.files)
    assert names(one) == [wheel, sdist, "SHA256SUMS", "RELEASE_NOTES.md", "manifest.json"]
    assert {asset.name: asset.sha256 for asset in made.assets} == {
        **{file.name: file.sha256 for file in one.dists.files},
        **{name: sha256_of(one.stage.folder.assets / name) for name in ("SHA256SUMS", "RELEASE_NOTES.md")},
        "manifest.json": sha256_of(one.stage.folder.manifest),
    }


def test_full_notes_are_no_asset_if_the_body_has_them(at: LocalForge, tmp_path: Path) -> None:
    """The full notes are attached only if the body had to be cut."""
    one = draft_inputs(at, tmp_path)
    one.stage.make(one.context)
    assert "RELEASE_NOTES.md" not in names(one)


@pytest.mark.parametrize(
    ("settings", "tag", "error"),
    [
        (ImageSettings(), "latest", None),
        (ImageSettings(), "{version}", Conflict),
        (ImageSettings(), "sha-{commit}", Conflict),
        (ImageSettings(platforms=("linux/amd64", "linux/386")), "sha-{commit}-linux-386", Conflict),
    ],
    ids=["of no version", "of the version", "of the commit", "of a platform"],
)
def test_no_draft_is_made_while_a_registry_holds_another_image(
    at: LocalForge, tmp_path: Path, settings: ImageSettings, tag: str, error: type[Exception] | None
) -> None:
    """If a draft was lost after the push, and the image cannot be built again, nothing changes."""
    one = draft_inputs(at, tmp_path)
    with run_registry(tmp_path / "registry") as there:
        it = ImageStages((there,), at, tmp_path, "acme/demo", settings=settings)
        taken = tag.format(version=one.release.tag, commit=one.release.commit[:12])
        put_image(there, it.repository, make_image("another build"), taken)
        images = it.built(one.release)
        proof = replace(one.proof, name="prove-images")
        stage = replace(one.stage, images=IMAGES, image_proof=IMAGE_PROOF, plans=it.plans)
        context = StageContext({**one.context.products, IMAGES.by: images, IMAGE_PROOF.by: proof})
        if error is None:
            assert stage.make(context) == stage.find(context)
            return
        with pytest.raises(error, match="is another image"):
            stage.make(context)
    assert at.forge().releases(one.release.tag) == ()


def test_the_manifest_carries_the_proof(at: LocalForge, tmp_path: Path) -> None:
    """The manifest carries the proof, so that another machine need not test again."""
    one = draft_inputs(at, tmp_path)
    one.stage.make(one.context)
    manifest = one.stage.folder.read_manifest()
    assert manifest is not None
    assert manifest.proof("prove-dists") == one.proof


def test_plan_and_find_change_nothing(at: LocalForge, tmp_path: Path) -> None:
    """``plan`` and ``find`` change nothing, neither on the forge nor here."""
    one = draft_inputs(at, tmp_path)
    assert "draft" in one.stage.plan()
    assert one.stage.find(one.context) is None
    assert not one.stage.folder.path.exists()
    assert at.forge().releases(one.release.tag) == ()


def started(one: DraftInputs, *, body: str = "- Something new\n") -> ForgeRelease:
    """Create an empty draft by hand."""
    release = one.release
    return one.stage.forge.draft(
        tag=release.tag, target=release.commit, name=release.tag, body=body, prerelease=release.prerelease
    )


@pytest.mark.parametrize("kept", range(4))
def test_an_interrupted_draft_is_completed(at: LocalForge, tmp_path: Path, kept: int) -> None:
    """Existing files stay, and missing ones are uploaded."""
    one = draft_inputs(at, tmp_path)
    made = one.stage.make(one.context)
    (forge_release,) = one.stage.forge.releases(one.release.tag)
    by_age = sorted(forge_release.assets, key=lambda each: each.id)
    for asset in by_age[kept:]:
        one.stage.forge.detach(asset)
    assert one.stage.find(one.context) is None
    assert replace(one.stage.make(one.context), assets=()) == replace(made, assets=())
    (forge_release,) = one.stage.forge.releases(one.release.tag)
    assert sorted(forge_release.assets, key=lambda each: each.id)[:kept] == by_age[:kept]


def break_off(at: LocalForge, forge_release: ForgeRelease, name: str) -> None:
    """Begin an upload and hang up, which leaves an asset in state ``starter``."""
    url = urlsplit(forge_release.upload_url.partition("{")[0])
    head = (
        f"POST {url.path}?name={name} HTTP/1.1\r\nHost: {url.netloc}\r\nContent-Length: 1000\r\n"
        f"Authorization: token {at.place.login.secret.reveal()}\r\n\r\nhalf"
    )
    with socket.create_connection((url.hostname or "", url.port or 0)) as connection:
        connection.sendall(head.encode())


def test_an_incomplete_asset_is_replaced(at: LocalForge, tmp_path: Path) -> None:
    """A starter asset is replaced, since it blocks the name and holds nothing."""
    one = draft_inputs(at, tmp_path)
    forge_release = started(one)
    break_off(at, forge_release, one.dists.files[0].name)
    for _ in range(200):
        (forge_release,) = one.stage.forge.releases(one.release.tag)
        if forge_release.assets:
            break
    assert [asset.uploaded for asset in forge_release.assets] == [False]
    assert one.stage.find(one.context) is None
    made = one.stage.make(one.context)
    assert one.stage.find(one.context) == made


def test_another_text_is_replaced(at: LocalForge, tmp_path: Path) -> None:
    """If another tool changed the draft's name, body, target or mark, they are set again."""
    one = draft_inputs(at, tmp_path)
    started(one, body="Drafted by a bot")
    made = one.stage.make(one.context)
    (forge_release,) = one.stage.forge.releases(one.release.tag)
    assert (forge_release.id, forge_release.body, forge_release.target) == (made.id, one.notes.body, one.release.commit)


@pytest.mark.parametrize("name", ["wheel", "SHA256SUMS"])
def test_the_same_name_with_other_bytes_is_a_conflict(at: LocalForge, tmp_path: Path, name: str) -> None:
    """On a draft with our manifest nothing is replaced; the error has both digests."""
    one = draft_inputs(at, tmp_path)
    made = one.stage.make(one.context)
    name = one.dists.files[0].name if name == "wheel" else name
    (forge_release,) = one.stage.forge.releases(one.release.tag)
    one.stage.forge.detach(next(asset for asset in forge_release.assets if asset.name == name))
    other = text_file(tmp_path / "other" / name, "other")
    one.stage.forge.attach(forge_release, other)
    ours = next(asset for asset in made.assets if asset.name == name)
    for look in (one.stage.find, one.stage.make):
        with pytest.raises(Conflict) as caught:
            look(one.context)
        assert ours.sha256 in caught.value.what
        assert (other.sha256 in caught.value.what) or ("bytes there" in caught.value.what)


def test_other_bytes_without_a_manifest_are_replaced(at: LocalForge, tmp_path: Path) -> None:
    """Without a manifest other bytes are from an interrupted attempt, and are replaced."""
    one = draft_inputs(at, tmp_path)
    forge_release = started(one)
    one.stage.forge.attach(forge_release, text_file(tmp_path / "other" / one.dists.files[0].name, "other"))
    assert one.stage.find(one.context) is None
    made = one.stage.make(one.context)
    assert one.stage.find(one.context) == made


def test_a_draft_of_another_build_is_replaced(at: LocalForge, tmp_path: Path) -> None:
    """Nothing vouches for the first draft, and nothing else is out: the second build replaces all of it."""
    one = draft_inputs(at, tmp_path / "one")
    one.stage.make(one.context)
    (forge_release,) = one.stage.forge.releases(one.release.tag)
    one.stage.forge.attach(forge_release, text_file(tmp_path / "demo-1.0-cp312-cp312-any.whl", "alien"))
    other = draft_inputs(at, tmp_path / "other", one.release, salt="other")
    assert other.stage.find(other.context) is None
    clock = FakeClock()
    made = replace(other.stage, clock=clock).make(other.context)
    assert other.stage.find(other.context) == made
    assert sum(clock.slept) >= 30
    (forge_release,) = one.stage.forge.releases(one.release.tag)
    assert {asset.name for asset in forge_release.assets} == {asset.name for asset in made.assets}


@dataclass(frozen=True)
class QuietForge:
    """The real forge, on which nothing of a release has changed for some seconds."""

    real: GitHubForge
    quiet: float | None

    def __getattr__(self, name: str) -> object:
        return getattr(self.real, name)

    def releases(self, tag: str) -> tuple[ForgeRelease, ...]:
        """The releases, with that time."""
        return tuple(replace(each, quiet=self.quiet) for each in self.real.releases(tag))


@pytest.mark.parametrize(("quiet", "waits"), [(None, True), (0.0, True), (29.0, True), (30.0, False), (3e6, False)])
def test_a_draft_that_is_old_by_the_forges_clock_is_replaced_at_once(
    at: LocalForge, tmp_path: Path, quiet: float | None, *, waits: bool
) -> None:
    """Only a draft that changed just now, or of which that is unknown, is watched before its files are replaced."""
    one = draft_inputs(at, tmp_path / "one")
    one.stage.make(one.context)
    other = draft_inputs(at, tmp_path / "other", one.release, salt="other")
    clock = FakeClock()
    stage = replace(other.stage, clock=clock, forge=QuietForge(at.forge(), quiet))  # type: ignore[arg-type]
    made = stage.make(other.context)
    assert other.stage.find(other.context) == made
    assert (sum(clock.slept) >= 30) is waits


def test_a_public_release_of_another_build_is_a_conflict(at: LocalForge, tmp_path: Path) -> None:
    """A public release never changes; the error says how its digest is given, and never offers the one it read."""
    one = draft_inputs(at, tmp_path / "one")
    made = one.stage.make(one.context)
    (forge_release,) = one.stage.forge.releases(one.release.tag)
    one.stage.forge.publish(forge_release, prerelease=False, latest=True)
    other = draft_inputs(at, tmp_path / "other", one.release, salt="other")
    for look in (other.stage.find, other.stage.make):
        with pytest.raises(Conflict) as caught:
            look(other.context)
        assert "--manifest-sha256 HEX" in caught.value.next_step
        assert not any(asset.sha256 in caught.value.next_step for asset in made.assets)


@dataclass
class ClockWithInterference:
    """A clock that runs a function once, during the first sleep."""

    deed: Callable[[], object]
    time: float = 0.0
    patience: float = math.inf

    def now(self) -> float:
        """The seconds slept so far."""
        return self.time

    def sleep(self, seconds: float) -> None:
        """Advance at once."""
        self.time += seconds
        if self.time > 3:
            self.deed()
            self.deed = lambda: None


def test_a_draft_that_another_run_fills_is_not_changed(at: LocalForge, tmp_path: Path) -> None:
    """Files of another build are replaced only if the draft does not change for a while."""
    one = draft_inputs(at, tmp_path)
    wheel, sdist = one.dists.files
    forge_release = started(one)
    theirs = one.stage.forge.attach(forge_release, text_file(tmp_path / "other" / wheel.name, "other"))
    clock = ClockWithInterference(
        lambda: one.stage.forge.attach(forge_release, text_file(tmp_path / "other" / sdist.name, "other"))
    )
    with pytest.raises(Refused, match="another run is adding its own files to the draft"):
        replace(one.stage, clock=clock).make(one.context)
    (forge_release,) = one.stage.forge.releases(one.release.tag)
    assert theirs.id in {asset.id for asset in forge_release.assets}
    assert names(one) == [wheel.name, sdist.name]


def test_of_two_concurrent_runs_the_first_file_decides(at: LocalForge, tmp_path: Path) -> None:
    """The forge accepts a name once: the run whose file it refuses stops, and the other's files stay."""
    one = draft_inputs(at, tmp_path)
    wheel = one.dists.files[0]
    hasty = LossyForge(at.forge(), ["another first"], text_file(tmp_path / "other" / wheel.name, "other"))
    with pytest.raises(Refused, match="another run is adding its own files to the draft"):
        replace(one.stage, forge=hasty).make(one.context)  # type: ignore[arg-type]
    assert names(one) == [wheel.name]


def upload_order(one: DraftInputs) -> list[str]:
    """The names of the files that a draft gets."""
    return [*(file.name for file in one.dists.files), "SHA256SUMS", "manifest.json"]


@dataclass
class BusyForge:
    """The real forge. Before one of the ``methods`` is called, another run attaches a file, once its name is free."""

    real: GitHubForge
    methods: tuple[str, ...]
    release: Release
    file: File
    attached: bool = False

    def __getattr__(self, name: str) -> object:
        if name in self.methods and not self.attached:
            tag, commit = self.release.tag, self.release.commit
            there = next(iter(self.real.releases(tag)), None)
            there = there or self.real.draft(tag=tag, target=commit, name="", body="theirs", prerelease=False)
            with contextlib.suppress(Rejected):
                self.real.attach(there, self.file)
                self.attached = True
        return getattr(self.real, name)


@pytest.mark.parametrize("index", range(4), ids=["wheel", "sdist", "sums", "manifest"])
def test_a_draft_that_another_run_makes_meanwhile_is_not_changed(at: LocalForge, tmp_path: Path, index: int) -> None:
    """Whatever another run attached since the draft was checked: its file stays, and this run stops."""
    one = draft_inputs(at, tmp_path)
    name = upload_order(one)[index]
    theirs = text_file(tmp_path / "other" / name, "other")
    forge = BusyForge(at.forge(), ("draft",), one.release, theirs)
    with pytest.raises(Refused, match="another run is adding its own files to the draft"):
        replace(one.stage, forge=forge).make(one.context)  # type: ignore[arg-type]
    (forge_release,) = one.stage.forge.releases(one.release.tag)
    assert [(asset.name, asset.sha256) for asset in forge_release.assets] == [(name, theirs.sha256)]


@pytest.mark.parametrize("index", range(4), ids=["wheel", "sdist", "sums", "manifest"])
def test_a_file_that_another_run_attaches_while_files_are_replaced_is_not_ours(
    at: LocalForge, tmp_path: Path, index: int
) -> None:
    """A name that another run takes after the old files are gone stops this run at once, not after half a minute."""
    old = draft_inputs(at, tmp_path / "old")
    old.stage.make(old.context)
    one = draft_inputs(at, tmp_path / "one", old.release, salt="other")
    name = upload_order(one)[index]
    theirs = text_file(tmp_path / "theirs" / name, "theirs")
    clock = FakeClock()
    forge = BusyForge(at.forge(), ("detach", "attach"), one.release, theirs)
    with pytest.raises(Refused, match="another run is adding its own files to the draft"):
        replace(one.stage, forge=forge, clock=clock).make(one.context)  # type: ignore[arg-type]
    (forge_release,) = one.stage.forge.releases(one.release.tag)
    assert theirs.sha256 in {asset.sha256 for asset in forge_release.assets}


def test_a_manifest_with_another_text_is_replaced(at: LocalForge, tmp_path: Path) -> None:
    """On a draft, another machine's manifest of the same files is replaced: its proofs are not ours."""
    one = draft_inputs(at, tmp_path / "one")
    one.stage.make(one.context)
    again = draft_inputs(at, tmp_path / "two", one.release)
    again = replace(again, proof=replace(one.proof, results=()))
    assert again.stage.find(again.context) is None
    made = again.stage.make(again.context)
    assert again.stage.find(again.context) == made


def test_the_manifest_never_changes(at: LocalForge, tmp_path: Path) -> None:
    """A later run on this machine keeps the manifest that is complete, whatever it would write today."""
    one = draft_inputs(at, tmp_path)
    made = one.stage.make(one.context)
    later = replace(one, dists=replace(one.dists, decisions=("skipped testpypi",)))
    assert later.stage.find(later.context) == made


def test_a_distribution_that_is_not_ours_is_a_conflict(at: LocalForge, tmp_path: Path) -> None:
    """Users would take a foreign distribution for a file of this release."""
    one = draft_inputs(at, tmp_path)
    one.stage.make(one.context)
    (forge_release,) = one.stage.forge.releases(one.release.tag)
    one.stage.forge.attach(forge_release, text_file(tmp_path / "demo-0.1-py3-none-any.whl", "old"))
    with pytest.raises(Conflict, match=r"demo-0\.1"):
        one.stage.make(one.context)


def test_a_foreign_asset_stays(at: LocalForge, tmp_path: Path) -> None:
    """A picture that a person attached stays."""
    one = draft_inputs(at, tmp_path)
    made = one.stage.make(one.context)
    (forge_release,) = one.stage.forge.releases(one.release.tag)
    one.stage.forge.attach(forge_release, text_file(tmp_path / "poster.txt", "hello"))
    assert one.stage.find(one.context) == made


def test_empty_second_drafts_are_deleted_and_the_oldest_stays(at: LocalForge, tmp_path: Path) -> None:
    """Empty second drafts are deleted: concurrent runs may each have created one."""
    one = draft_inputs(at, tmp_path)
    first, _second = started(one), started(one)
    made = one.stage.make(one.context)
    assert made.id == first.id
    assert [each.id for each in one.stage.forge.releases(one.release.tag)] == [first.id]


def test_an_empty_second_draft_is_not_the_final_state(at: LocalForge, tmp_path: Path) -> None:
    """A complete draft with an empty second one is not the final state."""
    one = draft_inputs(at, tmp_path)
    made = one.stage.make(one.context)
    started(one)
    assert one.stage.find(one.context) is None
    assert one.stage.make(one.context) == made
    assert one.stage.find(one.context) == made


def with_assets(one: DraftInputs, forge_release: ForgeRelease, folder: Path) -> None:
    """Put a file on the second draft."""
    one.stage.forge.attach(forge_release, text_file(folder / "a.txt", "a"))


def with_words(one: DraftInputs, forge_release: ForgeRelease, folder: Path) -> None:
    """Write a text into the second draft."""
    del folder
    one.stage.forge.amend(forge_release, name="x", body="Somebody's words", prerelease=False)


@pytest.mark.parametrize("change", [with_assets, with_words])
def test_a_second_draft_with_content_is_a_conflict(
    at: LocalForge, tmp_path: Path, change: Callable[[DraftInputs, ForgeRelease, Path], None]
) -> None:
    """A second draft with content is not deleted; the error has the URLs of both."""
    one = draft_inputs(at, tmp_path)
    one.stage.make(one.context)
    second = started(one)
    change(one, second, tmp_path)
    for look in (one.stage.find, one.stage.make):
        with pytest.raises(Conflict, match=r"several releases.*http.*http"):
            look(one.context)


def test_a_published_release_with_everything_on_it_is_found(at: LocalForge, tmp_path: Path) -> None:
    """A complete public release is found even if its text was edited, and cannot be undone."""
    one = draft_inputs(at, tmp_path)
    made = one.stage.make(one.context)
    (forge_release,) = one.stage.forge.releases(one.release.tag)
    one.stage.forge.publish(forge_release, prerelease=False, latest=False)
    mended = replace(one, notes=replace(one.notes, body="other", full="much more"))
    for each in (one, mended):
        found = each.stage.find(each.context)
        assert found is not None
        assert (found.id, found.assets) == (made.id, made.assets)
    assert isinstance(one.stage.undo(made), NotUndone)
    assert at.forge("").public(one.release.tag) is not None


@pytest.mark.parametrize("change", ["missing", "other"])
def test_a_published_release_never_changes(at: LocalForge, tmp_path: Path, change: str) -> None:
    """A public release that lacks a file, or has other bytes, is a conflict and stays as it is."""
    one = draft_inputs(at, tmp_path)
    forge_release = started(one)
    if change == "other":
        one.stage.forge.attach(forge_release, text_file(tmp_path / "other" / one.dists.files[0].name, "other"))
    one.stage.forge.publish(forge_release, prerelease=False, latest=False)
    before = one.stage.forge.releases(one.release.tag)
    for look in (one.stage.find, one.stage.make):
        with pytest.raises(Conflict, match=r"missing|sha256|bytes") as caught:
            look(one.context)
        assert "never changes a published release" in caught.value.next_step
    assert one.stage.forge.releases(one.release.tag) == before


def test_an_immutable_release_is_checked_before_anything_is_sent(at: LocalForge, tmp_path: Path) -> None:
    """A complete immutable release is found; one that lacks a file can never be repaired."""
    whole, lacking = draft_inputs(at, tmp_path / "whole"), draft_inputs(at, tmp_path / "lacking")
    made = whole.stage.make(whole.context)
    switch = at.world / "forge" / "immutable"
    switch.touch()
    try:
        for one in (whole, lacking):
            forge_release = one.stage.forge.releases(one.release.tag)[0] if one is whole else started(one)
            assert one.stage.forge.publish(forge_release, prerelease=False, latest=False).immutable
    finally:
        switch.unlink()
    found = whole.stage.find(whole.context)
    assert found is not None
    assert found.assets == made.assets
    for look in (lacking.stage.find, lacking.stage.make):
        with pytest.raises(Conflict, match="missing") as caught:
            look(lacking.context)
        assert caught.value.next_step == "release a new version: an immutable release cannot be changed"


def test_a_file_that_changed_on_disk_is_not_sent(at: LocalForge, tmp_path: Path) -> None:
    """Only the tested bytes are uploaded."""
    one = draft_inputs(at, tmp_path)
    one.dists.files[0].path.write_text("other")
    with pytest.raises(Conflict, match="changed on disk"):
        one.stage.make(one.context)
    assert names(one) == []


@dataclass(frozen=True)
class LossyForge:
    """The real forge behind a connection that loses answers; ``plan`` has the fault of each upload in turn."""

    real: GitHubForge
    plan: list[str]
    theirs: File | None = None

    def __getattr__(self, name: str) -> object:
        return getattr(self.real, name)

    def attach(self, forge_release: ForgeRelease, file: File) -> ForgeAsset:
        """Upload and answer, as the plan says."""
        match self.plan.pop(0) if self.plan else "fine":
            case "lost":
                raise Unknown("no answer", next_step=NextStep("look"))
            case "put off":
                raise failure(Cause.LATER, "503", wait=40.0)
            case "stored and lost":
                self.real.attach(forge_release, file)
                raise Unknown("502", next_step=NextStep("look"))
            case "cut and lost":
                cut = file.path.with_name("cut") / file.name
                self.real.attach(forge_release, text_file(cut, "half"))
                raise Unknown("502", next_step=NextStep("look"))
            case "renamed":
                return replace(self.real.attach(forge_release, file), name=f"x.{file.name}")
            case "refused":
                raise Rejected("422", next_step=NextStep("mend it"))
            case "another first":
                assert self.theirs is not None
                self.real.attach(forge_release, self.theirs)
                return self.real.attach(forge_release, file)
            case _:
                return self.real.attach(forge_release, file)

    def draft(self, **words: str) -> ForgeRelease:
        """Create the draft, and lose the answer if the plan says so."""
        made = self.real.draft(**words)  # type: ignore[arg-type]
        if self.plan and self.plan[0] == "draft lost":
            self.plan.pop(0)
            raise Unknown("502", next_step=NextStep("look"))
        return made


@pytest.mark.parametrize(
    "plan", [["lost"], ["stored and lost"], ["cut and lost"], ["lost", "stored and lost"], ["draft lost"]], ids=str
)
def test_after_a_lost_answer_it_checks_before_sending_again(at: LocalForge, tmp_path: Path, plan: list[str]) -> None:
    """The result is the same as without the fault, and nothing is there twice."""
    one = draft_inputs(at, tmp_path)
    stage = replace(one.stage, forge=LossyForge(at.forge(), list(plan)))  # type: ignore[arg-type]
    made = stage.make(one.context)
    assert one.stage.find(one.context) == made
    assert len(one.stage.forge.releases(one.release.tag)) == 1


@pytest.mark.parametrize(
    ("plan", "error"), [(["lost"] * 3, Unknown), (["put off"] * 3, TryLater), (["refused"], Rejected)], ids=str
)
def test_upload_attempts_are_limited(at: LocalForge, tmp_path: Path, plan: list[str], error: type[Exception]) -> None:
    """A refused file is not sent again; a lost one is sent three times."""
    one = draft_inputs(at, tmp_path)
    tries = list(plan)
    stage = replace(one.stage, forge=LossyForge(at.forge(), tries))  # type: ignore[arg-type]
    with pytest.raises(error):
        stage.make(one.context)
    assert tries == []
    made = one.stage.make(one.context)
    assert one.stage.find(one.context) == made


def test_a_file_that_the_forge_renames_is_a_conflict(at: LocalForge, tmp_path: Path) -> None:
    """The error has both names, since SHA256SUMS would list a file that is not there."""
    one = draft_inputs(at, tmp_path)
    stage = replace(one.stage, forge=LossyForge(at.forge(), ["renamed"]))  # type: ignore[arg-type]
    name = one.dists.files[0].name
    with pytest.raises(Conflict, match=rf"the forge renamed {name} to x\.{name}"):
        stage.make(one.context)


@dataclass(frozen=True)
class AlteredForge:
    """The real forge, whose lists pass through the function ``seen``."""

    real: GitHubForge
    seen: Callable[[tuple[ForgeRelease, ...]], tuple[ForgeRelease, ...]]

    def __getattr__(self, name: str) -> object:
        return getattr(self.real, name)

    def releases(self, tag: str) -> tuple[ForgeRelease, ...]:
        """List the releases, altered."""
        return self.seen(self.real.releases(tag))


def test_a_list_that_lags_makes_no_second_draft(at: LocalForge, tmp_path: Path) -> None:
    """While no list shows the draft, it is filled by its number and waited for."""
    one, clock = draft_inputs(at, tmp_path), FakeClock()
    lagging = AlteredForge(at.forge(), lambda there: there if clock.now() >= 30 else ())
    made = replace(one.stage, forge=lagging, clock=clock).make(one.context)  # type: ignore[arg-type]
    assert [each.id for each in one.stage.forge.releases(one.release.tag)] == [made.id]
    assert clock.now() >= 30


def test_a_text_that_the_forge_cuts_is_incomplete(at: LocalForge, tmp_path: Path) -> None:
    """The stored text is compared with what was sent; a cut draft is not published."""
    one = draft_inputs(at, tmp_path)
    forge = AlteredForge(at.forge(), lambda there: tuple(replace(each, body=each.body[:5]) for each in there))
    with pytest.raises(Incomplete, match="its name, body or target is not what was sent"):
        replace(one.stage, forge=forge).make(one.context)  # type: ignore[arg-type]


@dataclass(frozen=True)
class ForgeWithoutDigests:
    """The real forge without digests, as older Enterprise servers are."""

    real: GitHubForge

    def __getattr__(self, name: str) -> object:
        return getattr(self.real, name)

    def releases(self, tag: str) -> tuple[ForgeRelease, ...]:
        """List, and leave the digests out."""
        return tuple(
            replace(forge_release, assets=tuple(replace(asset, sha256=None) for asset in forge_release.assets))
            for forge_release in self.real.releases(tag)
        )


def test_a_forge_without_digests_is_read_by_downloading(at: LocalForge, tmp_path: Path) -> None:
    """Without digests the bytes decide, even if the size is equal."""
    one = draft_inputs(at, tmp_path)
    stage = replace(one.stage, forge=ForgeWithoutDigests(at.forge()))  # type: ignore[arg-type]
    made = stage.make(one.context)
    assert stage.find(one.context) == made == one.stage.find(one.context)
    (forge_release,) = one.stage.forge.releases(one.release.tag)
    file = one.dists.files[0]
    one.stage.forge.detach(next(asset for asset in forge_release.assets if asset.name == file.name))
    one.stage.forge.attach(forge_release, text_file(tmp_path / "other" / file.name, "x" * file.size))
    with pytest.raises(Conflict, match=file.sha256):
        stage.find(one.context)


@pytest.mark.parametrize(("who", "error"), [("reader", Unknown), ("stranger", Unknown), ("liar", Denied)])
def test_without_push_access_drafts_are_unknown(
    at: LocalForge, tmp_path: Path, who: str, error: type[Exception]
) -> None:
    """A token that cannot see drafts does not make them absent."""
    token = {"reader": at.read_token, "stranger": "", "liar": "ghp_wrong"}[who]
    one = draft_inputs(at, tmp_path)
    stage = replace(one.stage, forge=at.forge(token))
    for look in (stage.find, stage.make):
        with pytest.raises(error):
            look(one.context)


def test_a_draft_that_stays_different_is_incomplete(at: LocalForge, tmp_path: Path) -> None:
    """After a limited number of reads the error names the difference."""

    @dataclass(frozen=True)
    class Forgetful(ForgeWithoutDigests):
        """Never shows the manifest."""

        def releases(self, tag: str) -> tuple[ForgeRelease, ...]:
            """List, and leave the manifest out."""
            return tuple(
                replace(each, assets=tuple(one for one in each.assets if one.name != manifests.NAME))
                for each in self.real.releases(tag)
            )

    one = draft_inputs(at, tmp_path)
    stage = replace(one.stage, forge=Forgetful(at.forge()))  # type: ignore[arg-type]
    with pytest.raises(Incomplete, match=r"manifest\.json is missing"):
        stage.make(one.context)
