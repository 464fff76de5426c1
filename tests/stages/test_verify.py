"""The last look: the forge is a real local one, the index a value that changes with each look."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace
from pathlib import Path

import pytest
from tests.support.listed_index import FakeIndex, listed_files
from tests.support.local_forge import DISTS, RELEASE, DraftInputs, LocalForge, draft_inputs, start_forge, text_file
from tests.support.sample_values import FakeClock

from unmoor.artifacts import manifest as manifests
from unmoor.artifacts.manifest import Manifest
from unmoor.core.stage import Output, StageContext
from unmoor.errors import Conflict, Incomplete, Unknown, UnmoorError
from unmoor.ports.forge import ForgeAsset
from unmoor.ports.index import Holding
from unmoor.products import PublishedRelease, Subject, Uploaded, Verified
from unmoor.stages.verify import VerifyRelease

UPLOADED: Output[Uploaded] = Output("pypi")
PAGE: Output[PublishedRelease] = Output("undraft")


@pytest.fixture(scope="module")
def at(tmp_path_factory: pytest.TempPathFactory) -> Iterator[LocalForge]:
    """One world for this module; every test has its own tags."""
    with start_forge(tmp_path_factory.mktemp("verify")) as running:
        yield running


@dataclass(frozen=True)
class PublicRelease:
    """A release that is public, and a stage that verifies it as a stranger."""

    one: DraftInputs
    page: PublishedRelease
    stage: VerifyRelease
    clock: FakeClock
    warned: list[str]

    def verify(self) -> Verified:
        """Run the stage."""
        files = tuple(Subject(name=file.name, sha256=file.sha256) for file in self.one.dists.files)
        return self.stage.make(
            StageContext(
                {
                    RELEASE.by: self.one.release,
                    DISTS.by: self.one.dists,
                    UPLOADED.by: Uploaded(index="pypi", files=files),
                    PAGE.by: self.page,
                },
                warn=self.warned.append,
            )
        )


Spoil = Callable[[DraftInputs, ForgeAsset], None]
Looks = list[Holding | BaseException]


def whole(one: DraftInputs) -> Holding:
    """Everything, in both voices."""
    digests = {file.name: file.sha256 for file in one.dists.files}
    return Holding(simple=listed_files(digests), json=listed_files(digests))


def stale(one: DraftInputs) -> Holding:
    """Everything, and installers see none of it."""
    return replace(whole(one), simple={})


def half(one: DraftInputs) -> Holding:
    """The wheel alone."""
    wheel = one.dists.wheels[0]
    return Holding(simple=listed_files({wheel.name: wheel.sha256}), json=None)


def other(one: DraftInputs) -> Holding:
    """Other bytes under the wheel's name."""
    digests = {file.name: "b" * 64 for file in one.dists.wheels}
    return Holding(simple=listed_files(digests), json=None)


def fire(_one: DraftInputs) -> BaseException:
    """It cannot be read."""
    return Unknown("on fire", next_step="wait")


def public(at: LocalForge, folder: Path, *, spoil: tuple[str, Spoil] | None = None) -> PublicRelease:
    """Publish a release, spoilt before if a test says so."""
    one = draft_inputs(at, folder)
    one.stage.make(one.context)
    forge = one.stage.forge
    (forge_release,) = forge.releases(one.release.tag)
    if spoil is not None:
        spoil[1](one, next(asset for asset in forge_release.assets if asset.name.endswith(spoil[0])))
    forge.publish(forge_release, prerelease=False, latest=True)
    page = PublishedRelease(url=forge_release.url, tag=one.release.tag, prerelease=False, latest=True)
    clock = FakeClock()
    stage = VerifyRelease(
        name="verify",
        release=RELEASE,
        dists=DISTS,
        uploaded=UPLOADED,
        page=PAGE,
        index=FakeIndex(whole(one)),
        forge=at.forge(""),
        clock=clock,
    )
    return PublicRelease(one, page, stage, clock, [])


def seen(it: PublicRelease, *looks: Callable[[DraftInputs], Holding | BaseException]) -> PublicRelease:
    """Let the index be seen so, look after look."""
    held: Looks = [look(it.one) for look in looks]
    return replace(it, stage=replace(it.stage, index=FakeIndex(held)))


def test_everything_is_read_back_by_digest_without_credentials(at: LocalForge, tmp_path: Path) -> None:
    """Each file on each surface, the sums and the manifest; no wait where all is there."""
    it = public(at, tmp_path)
    assert "sha256" in it.stage.plan()
    verified = it.verify()
    digests = {(held.surface, held.what): held.digest for held in verified.held}
    files = {file.name: file.sha256 for file in it.one.dists.files}
    assert {name: digests["pypi", name] for name in files} == files
    assert {name: digests["forge", name] for name in files} == files
    assert {what for surface, what in digests if surface == "forge"} == {*files, "SHA256SUMS", "manifest.json"}
    assert not any(held.pending for held in verified.held)
    assert it.clock.slept == [0.0]


@pytest.mark.parametrize(
    "looks",
    [(stale, whole), (half, stale, whole), (fire, whole), (half, fire, fire, whole)],
    ids=lambda looks: "-".join(look.__name__ for look in looks),
)
def test_what_comes_late_is_waited_for(
    at: LocalForge, tmp_path: Path, looks: tuple[Callable[[DraftInputs], Holding | BaseException], ...]
) -> None:
    """Stale, not there yet, unreadable for a moment: the last look counts."""
    it = seen(public(at, tmp_path), *looks)
    assert not any(held.pending for held in it.verify().held)
    assert 0 < sum(it.clock.slept) < it.stage.patience


def test_what_stays_stale_is_pending_and_no_failure(at: LocalForge, tmp_path: Path) -> None:
    """Published, verification pending: told at the end, for each file."""
    it = seen(public(at, tmp_path), stale)
    pending = [held.what for held in it.verify().held if held.pending]
    assert pending == [file.name for file in it.one.dists.files]
    assert len(it.warned) == 2
    assert "pending" in it.warned[0]
    assert sum(it.clock.slept) == pytest.approx(it.stage.patience)


@pytest.mark.parametrize(
    ("look", "error", "waited"), [(half, Incomplete, True), (other, Conflict, False), (fire, Unknown, True)]
)
def test_what_is_wrong_on_the_index_is_told(
    at: LocalForge,
    tmp_path: Path,
    *,
    look: Callable[[DraftInputs], Holding | BaseException],
    error: type[UnmoorError],
    waited: bool,
) -> None:
    """Missing after all the patience, other bytes at once, unreadable to the end."""
    it = seen(public(at, tmp_path), look)
    with pytest.raises(error):
        it.verify()
    assert (sum(it.clock.slept) > 0) is waited
    assert sum(it.clock.slept) <= it.stage.patience


def gone(one: DraftInputs, asset: ForgeAsset) -> None:
    """Take it away."""
    one.stage.forge.detach(asset)


def swapped(one: DraftInputs, asset: ForgeAsset) -> None:
    """Put other bytes there."""
    gone(one, asset)
    (forge_release,) = one.stage.forge.releases(one.release.tag)
    data = "other"
    if asset.name == manifests.NAME:
        manifest = replace(Manifest.of(one.release, one.dists), commit="b" * 40)
        data = manifests.encode(manifest).decode()
    one.stage.forge.attach(forge_release, text_file(one.stage.folder.path / "other" / asset.name, data))


@pytest.mark.parametrize("name", [".whl", ".tar.gz", "SHA256SUMS", "manifest.json"])
@pytest.mark.parametrize(("spoil", "error"), [(gone, Incomplete), (swapped, Conflict)])
def test_what_is_wrong_on_the_forge_is_told(
    at: LocalForge, tmp_path: Path, name: str, spoil: Spoil, error: type[UnmoorError]
) -> None:
    """Each asset counts, by its bytes as everybody downloads them."""
    it = public(at, tmp_path, spoil=(name, spoil))
    with pytest.raises(error, match=name):
        it.verify()


@pytest.mark.parametrize("change", [{"prerelease": True}, {"latest": False}], ids=str)
def test_other_marks_than_were_set_are_incomplete(at: LocalForge, tmp_path: Path, change: dict[str, bool]) -> None:
    """Somebody changed them since."""
    it = public(at, tmp_path)
    with pytest.raises(Incomplete, match="marked"):
        replace(it, page=replace(it.page, **change)).verify()  # type: ignore[arg-type]


def test_a_release_that_is_not_public_is_incomplete(at: LocalForge, tmp_path: Path) -> None:
    """A draft is not a release."""
    it = public(at, tmp_path)
    hidden = replace(it.one, release=at.release())
    with pytest.raises(Incomplete, match="not public"):
        replace(it, one=hidden).verify()
