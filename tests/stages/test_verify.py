"""The stage ``verify`` with the forge of a local world and an index whose state changes with each read."""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, cast

import pytest
from tests.support.image_stages import COMMIT, FakeGitRemote
from tests.support.listed_index import FakeIndex, listed_files
from tests.support.local_forge import DISTS, RELEASE, DraftInputs, LocalForge, draft_inputs, start_forge, text_file
from tests.support.one_fault import FAULTS, OneFault
from tests.support.sample_values import FakeClock

from unmoor.advice import NextStep
from unmoor.artifacts import manifest as manifests
from unmoor.artifacts.manifest import Manifest
from unmoor.core.stage import Output, StageContext
from unmoor.errors import Cause, Conflict, Incomplete, Refused, Unknown, UnmoorError
from unmoor.ports.failure import failure
from unmoor.ports.forge import ForgeAsset
from unmoor.ports.index import Holding
from unmoor.ports.registry import Referrer
from unmoor.products import Asset, PublishedRelease, Pushed, SignedImage, SignedImages, Subject, Uploaded, Verified
from unmoor.stages.verify import VerifyRelease
from unmoor.util.values import replace

UPLOADED: Output[Uploaded] = Output("pypi")
PAGE: Output[PublishedRelease] = Output("undraft")
PUSHED: Output[Pushed] = Output("registry")
RECORDED = "the images"
"""The content of the record of images; what it says does not matter here."""
RECORD = Asset(name="pushed.json", sha256=hashlib.sha256(RECORDED.encode()).hexdigest(), size=len(RECORDED))


@pytest.fixture(scope="module")
def at(tmp_path_factory: pytest.TempPathFactory) -> Iterator[LocalForge]:
    """One world for this module; every test has its own tags."""
    with start_forge(tmp_path_factory.mktemp("verify")) as running:
        yield running


@dataclass(frozen=True)
class PublicRelease:
    """A public release, and a stage that verifies it without credentials."""

    one: DraftInputs
    page: PublishedRelease
    stage: VerifyRelease
    clock: FakeClock
    warned: list[str]
    products: dict[str, object] = field(default_factory=dict)

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
                    PUSHED.by: Pushed(images=(), record=RECORD),
                    **self.products,
                },
                warn=self.warned.append,
            )
        )


Spoil = Callable[[DraftInputs, ForgeAsset], None]
Looks = list[Holding | BaseException]


def whole(one: DraftInputs) -> Holding:
    """Every file, in the JSON API and the simple index."""
    digests = {file.name: file.sha256 for file in one.dists.files}
    return Holding(simple=listed_files(digests), json=listed_files(digests))


def stale(one: DraftInputs) -> Holding:
    """Every file, but installers cannot see any."""
    return replace(whole(one), simple={})


def half(one: DraftInputs) -> Holding:
    """Only the wheel."""
    wheel = one.dists.wheels[0]
    return Holding(simple=listed_files({wheel.name: wheel.sha256}), json=None)


def other(one: DraftInputs) -> Holding:
    """Other bytes under the wheel's name."""
    digests = {file.name: "b" * 64 for file in one.dists.wheels}
    return Holding(simple=listed_files(digests), json=None)


def fire(_one: DraftInputs) -> BaseException:
    """Raise, as if the index could not be read."""
    return Unknown("on fire", next_step=NextStep("wait"))


def refused(_one: DraftInputs) -> BaseException:
    """Raise, as if no index were there."""
    return failure(Cause.UNREACHABLE, "the connection failed: Connection refused")


def public(at: LocalForge, folder: Path, *, spoil: tuple[str, Spoil] | None = None) -> PublicRelease:
    """Publish a release, damaged first if a test says so."""
    one = draft_inputs(at, folder)
    one.stage.make(one.context)
    forge = one.stage.forge
    (forge_release,) = forge.releases(one.release.tag)
    forge.attach(forge_release, text_file(folder / RECORD.name, RECORDED))
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
        pushed=PUSHED,
        index=FakeIndex(whole(one)),
        forge=at.forge(""),
        git=cast("Any", FakeGitRemote({one.release.tag: one.release.commit})),
        clock=clock,
    )
    return PublicRelease(one, page, stage, clock, [])


def seen(it: PublicRelease, *looks: Callable[[DraftInputs], Holding | BaseException]) -> PublicRelease:
    """Set the state of the index for each read."""
    held: Looks = [look(it.one) for look in looks]
    return replace(it, stage=replace(it.stage, index=FakeIndex(held)))


def test_everything_is_read_back_by_digest_without_credentials(at: LocalForge, tmp_path: Path) -> None:
    """Each file, the sums, the manifest and the record of images are read from each surface, without any wait."""
    it = public(at, tmp_path)
    assert "sha256" in it.stage.plan()
    verified = it.verify()
    digests = {(held.surface, held.what): held.digest for held in verified.held}
    files = {file.name: file.sha256 for file in it.one.dists.files}
    assert {name: digests["pypi", name] for name in files} == files
    assert {name: digests["forge", name] for name in files} == files
    assert {what for surface, what in digests if surface == "forge"} == {
        *files,
        *("SHA256SUMS", "manifest.json", "pushed.json"),
    }
    assert not any(held.pending for held in verified.held)
    assert it.clock.slept == [0.0]


@pytest.fixture(scope="module")
def released(at: LocalForge, tmp_path_factory: pytest.TempPathFactory) -> PublicRelease:
    """A release that is only read."""
    return public(at, tmp_path_factory.mktemp("released"))


@pytest.mark.parametrize("name", FAULTS)
def test_one_fault_in_any_read_does_not_stop_it(
    at: LocalForge, released: PublicRelease, monkeypatch: pytest.MonkeyPatch, name: str
) -> None:
    """Everything is public, and each read may fail once."""
    it, fault = released, OneFault()
    fault.install(monkeypatch)
    expected = fresh(it, at).verify()
    assert fault.count > 5
    for number in range(fault.count):
        fault.again(FAULTS[name], number)
        assert fresh(it, at).verify() == expected, number


def fresh(it: PublicRelease, at: LocalForge) -> PublicRelease:
    """Let another process verify the release: nothing is known yet."""
    return replace(it, stage=replace(it.stage, forge=at.forge("")))


@pytest.mark.parametrize(
    ("tags", "words"),
    [
        pytest.param({}, "no longer on the remote", id="deleted"),
        pytest.param({"v0.0": COMMIT}, "no longer on the remote", id="another tag"),
        pytest.param({"TAG": COMMIT}, f"it names commit {COMMIT} now", id="moved"),
    ],
)
def test_a_tag_that_moved_is_never_verified(at: LocalForge, tmp_path: Path, tags: dict[str, str], words: str) -> None:
    """The tag is read after everything else; the error gives the tested commit, and the present one."""
    it = public(at, tmp_path)
    remote = FakeGitRemote({it.one.release.tag if tag == "TAG" else tag: commit for tag, commit in tags.items()})
    with pytest.raises(Refused, match=words) as caught:
        replace(it, stage=replace(it.stage, git=cast("Any", remote))).verify()
    assert it.one.release.commit in str(caught.value)


@pytest.mark.parametrize(
    "looks",
    [(stale, whole), (half, stale, whole), (fire, whole), (half, fire, fire, whole)],
    ids=lambda looks: "-".join(look.__name__ for look in looks),
)
def test_late_files_are_waited_for(
    at: LocalForge, tmp_path: Path, looks: tuple[Callable[[DraftInputs], Holding | BaseException], ...]
) -> None:
    """Stale, absent and unreadable states are waited out: the last read counts."""
    it = seen(public(at, tmp_path), *looks)
    assert not any(held.pending for held in it.verify().held)
    assert 0 < sum(it.clock.slept) < it.stage.patience


def test_stale_files_are_pending(at: LocalForge, tmp_path: Path) -> None:
    """Files that installers cannot see yet are pending, with a warning for each."""
    it = seen(public(at, tmp_path), stale)
    pending = [held.what for held in it.verify().held if held.pending]
    assert pending == [file.name for file in it.one.dists.files]
    assert len(it.warned) == 2
    assert "pending" in it.warned[0]
    assert sum(it.clock.slept) == pytest.approx(it.stage.patience)


@pytest.mark.parametrize("listed", [True, False])
@pytest.mark.parametrize("kind", ["images", "sboms"])
def test_the_signature_of_an_image_is_listed(at: LocalForge, tmp_path: Path, kind: str, *, listed: bool) -> None:
    """Another client may have replaced the list of what is about an image, and the signature is no longer found."""
    it = public(at, tmp_path)
    image = SignedImage(name="ghcr.io/acme/demo", digest=f"sha256:{64 * 'a'}", referrer=f"sha256:{64 * 'b'}")
    there = Referrer(digest=image.referrer if listed else image.digest, media_type="a/b", size=1, artifact_type="a/b")
    registry = type("Registry", (), {"name": image.name, "referrers": lambda _self, _digest: (there,)})
    signed: Output[SignedImages] = Output("sign-images")
    it = replace(it, stage=replace(it.stage, signed_images=signed, registries=(cast("Any", registry)(),)))
    it.products[signed.by] = SignedImages(**cast("Any", {kind: (image,)}))
    if listed:
        assert (image.name, image.referrer) in {(held.surface, held.digest) for held in it.verify().held}
    else:
        with pytest.raises(Incomplete, match=f"no longer lists the signature of {image.name}@{image.digest}"):
            it.verify()


@pytest.mark.parametrize(
    ("look", "error", "waited"),
    [(half, Incomplete, True), (other, Conflict, False), (fire, Unknown, True), (refused, Unknown, False)],
)
def test_problems_on_the_index_are_errors(
    at: LocalForge,
    tmp_path: Path,
    *,
    look: Callable[[DraftInputs], Holding | BaseException],
    error: type[UnmoorError],
    waited: bool,
) -> None:
    """Missing files and an unreadable index fail after the patience, other bytes and an absent index at once."""
    it = seen(public(at, tmp_path), look)
    with pytest.raises(error):
        it.verify()
    assert (sum(it.clock.slept) > 0) is waited
    assert sum(it.clock.slept) <= it.stage.patience


def gone(one: DraftInputs, asset: ForgeAsset) -> None:
    """Remove the asset."""
    one.stage.forge.detach(asset)


def swapped(one: DraftInputs, asset: ForgeAsset) -> None:
    """Replace the asset by other bytes."""
    gone(one, asset)
    (forge_release,) = one.stage.forge.releases(one.release.tag)
    data = "other"
    if asset.name == manifests.NAME:
        manifest = replace(Manifest.of(one.release, one.dists), commit="b" * 40)
        data = manifests.encode(manifest).decode()
    one.stage.forge.attach(forge_release, text_file(one.stage.folder.path / "other" / asset.name, data))


@pytest.mark.parametrize("name", [".whl", ".tar.gz", "SHA256SUMS", "manifest.json", "pushed.json"])
@pytest.mark.parametrize(("spoil", "error"), [(gone, Incomplete), (swapped, Conflict)])
def test_problems_on_the_forge_are_errors(
    at: LocalForge, tmp_path: Path, name: str, spoil: Spoil, error: type[UnmoorError]
) -> None:
    """Each asset is compared by its bytes, as the public downloads them."""
    it = public(at, tmp_path, spoil=(name, spoil))
    with pytest.raises(error, match=name):
        it.verify()


@pytest.mark.parametrize("change", [{"prerelease": True}, {"latest": False}], ids=str)
def test_changed_marks_are_incomplete(at: LocalForge, tmp_path: Path, change: dict[str, bool]) -> None:
    """Marks that somebody changed make the release incomplete."""
    it = public(at, tmp_path)
    with pytest.raises(Incomplete, match="marked"):
        replace(it, page=replace(it.page, **change)).verify()  # type: ignore[arg-type]


def test_a_release_that_is_not_public_is_incomplete(at: LocalForge, tmp_path: Path) -> None:
    """A draft does not count as a release."""
    it = public(at, tmp_path)
    hidden = replace(it.one, release=at.release())
    with pytest.raises(Incomplete, match="not public"):
        replace(it, one=hidden).verify()
