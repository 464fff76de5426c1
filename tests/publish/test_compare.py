"""Surfaces compared with the manifest: indexes as values, the forge of a local world."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from tests.support.listed_index import FakeIndex, listed_files
from tests.support.local_forge import DraftInputs, LocalForge, draft_inputs, start_forge, text_file

from unmoor.artifacts.manifest import Manifest
from unmoor.core.stage import Output, StageContext
from unmoor.ports.forge import Forge
from unmoor.ports.index import Holding
from unmoor.products import Sboms
from unmoor.products.surface_state import State, SurfaceState, worst
from unmoor.publish.compare import compare_index, compare_release
from unmoor.util.values import replace

OTHER = "b" * 64
SBOMS: Output[Sboms] = Output("sbom")


@pytest.fixture(scope="module")
def at(tmp_path_factory: pytest.TempPathFactory) -> Iterator[LocalForge]:
    """One world for this module; every test has its own tags."""
    with start_forge(tmp_path_factory.mktemp("surfaces")) as running:
        yield running


def manifest_of(one: DraftInputs) -> Manifest:
    """The manifest as the draft has it."""
    return Manifest.of(one.release, one.dists, (one.proof,))


Tell = Callable[[dict[str, str | None]], Holding]


def without(digests: dict[str, str | None], ending: str) -> dict[str, str | None]:
    """Remove one file."""
    return {name: digest for name, digest in digests.items() if not name.endswith(ending)}


def changed(digests: dict[str, str | None], digest: str | None) -> dict[str, str | None]:
    """Give the wheel another digest."""
    return {name: digest if name.endswith(".whl") else own for name, own in digests.items()}


HOLDINGS: dict[str, tuple[Tell, State]] = {
    "both voices": (lambda d: Holding(simple=listed_files(d), json=listed_files(d)), State.COMPLETE),
    "no JSON API": (lambda d: Holding(simple=listed_files(d), json=None), State.COMPLETE),
    "one voice without hashes": (
        lambda d: Holding(simple=listed_files(changed(d, None)), json=listed_files(d)),
        State.COMPLETE,
    ),
    "yanked": (lambda d: Holding(simple=listed_files(d, yanked=True), json=None), State.COMPLETE),
    "stale simple index": (lambda d: Holding(simple={}, json=listed_files(d)), State.PENDING),
    "half stale": (lambda d: Holding(simple=listed_files(without(d, ".gz")), json=listed_files(d)), State.PENDING),
    "JSON not there yet": (lambda d: Holding(simple=listed_files(d), json={}), State.COMPLETE),
    "nothing": (lambda _: Holding(simple={}, json={}), State.INCOMPLETE),
    "no sdist": (lambda d: Holding(simple=listed_files(without(d, ".gz")), json=None), State.INCOMPLETE),
    "other bytes": (lambda d: Holding(simple=listed_files(changed(d, OTHER)), json=None), State.CONFLICTING),
    "voices disagree": (
        lambda d: Holding(simple=listed_files(changed(d, OTHER)), json=listed_files(d)),
        State.CONFLICTING,
    ),
    "a file more": (
        lambda d: Holding(simple=listed_files({**d, "demo-1.0-1-py3-none-any.whl": OTHER}), json=None),
        State.CONFLICTING,
    ),
    "no hashes at all": (lambda d: Holding(simple=listed_files(changed(d, None)), json=None), State.UNKNOWN),
}


@pytest.mark.parametrize("case", HOLDINGS)
def test_an_index_is_compared_by_digest(at: LocalForge, tmp_path: Path, case: str) -> None:
    """Every combination of what the JSON API and the simple index say about two files."""
    tell, expected = HOLDINGS[case]
    one = draft_inputs(at, tmp_path)
    digests: dict[str, str | None] = {file.name: file.sha256 for file in one.dists.files}
    state = compare_index(manifest_of(one), FakeIndex(tell(digests)))
    assert state.state is expected
    assert {item.name for item in state.items} >= digests.keys()
    assert state.url == f"http://example.org/demo/{one.release.version}/"


def test_both_digests_are_reported(at: LocalForge, tmp_path: Path) -> None:
    """The item has the expected digest and the one on the index."""
    one = draft_inputs(at, tmp_path)
    wheel = one.dists.wheels[0]
    held = Holding(simple=listed_files({wheel.name: OTHER}), json=None)
    item = next(item for item in compare_index(manifest_of(one), FakeIndex(held)).items if item.name == wheel.name)
    assert (item.expected, item.seen) == (wheel.sha256, OTHER)


def publish(one: DraftInputs, *, prerelease: bool = False) -> None:
    """Publish the draft of a release."""
    (forge_release,) = one.stage.forge.releases(one.release.tag)
    one.stage.forge.publish(forge_release, prerelease=prerelease, latest=False)


def state_of_public(manifest: Manifest, forge: Forge) -> SurfaceState:
    """The state of the public release, as anyone sees it."""
    forge_release = forge.public(manifest.tag)
    assert forge_release is not None
    return compare_release(manifest, forge_release, forge)


def test_a_forge_with_everything_public_is_complete_to_strangers(at: LocalForge, tmp_path: Path) -> None:
    """A public release is complete without credentials."""
    one = draft_inputs(at, tmp_path)
    one.stage.make(one.context)
    publish(one)
    state = state_of_public(manifest_of(one), at.forge(""))
    assert (state.state, state.note) == (State.COMPLETE, "")
    assert {item.name for item in state.items} == {
        *(file.name for file in one.dists.files),
        "SHA256SUMS",
        "manifest.json",
    }


def test_a_wrong_mark_on_the_forge_is_incomplete(at: LocalForge, tmp_path: Path) -> None:
    """The files are there, but the prerelease mark is wrong."""
    one = draft_inputs(at, tmp_path)
    one.stage.make(one.context)
    publish(one, prerelease=True)
    state = state_of_public(manifest_of(one), at.forge(""))
    assert state.state is State.INCOMPLETE
    assert "prerelease" in state.note


def test_another_text_of_the_manifest_is_the_same_release(at: LocalForge, tmp_path: Path) -> None:
    """Another proof of the same files is complete; other files are a conflict."""
    one = draft_inputs(at, tmp_path)
    one.stage.make(one.context)
    publish(one)
    again = replace(manifest_of(one), proofs=())
    assert state_of_public(again, at.forge("")).state is State.COMPLETE
    other = replace(again, artifacts=tuple(replace(each, sha256=OTHER) for each in again.artifacts))
    assert state_of_public(other, at.forge("")).state is State.CONFLICTING


@pytest.mark.parametrize("name", ["wheel", "SHA256SUMS", "manifest.json"])
@pytest.mark.parametrize(("change", "expected"), [("gone", State.INCOMPLETE), ("other", State.CONFLICTING)])
def test_each_asset_counts(at: LocalForge, tmp_path: Path, name: str, change: str, expected: State) -> None:
    """A missing file, SHA256SUMS or manifest is incomplete; other bytes are a conflict."""
    one = draft_inputs(at, tmp_path)
    one.stage.make(one.context)
    forge = one.stage.forge
    (forge_release,) = forge.releases(one.release.tag)
    name = one.dists.wheels[0].name if name == "wheel" else name
    forge.detach(next(asset for asset in forge_release.assets if asset.name == name))
    if change == "other":
        forge.attach(forge_release, text_file(tmp_path / "other" / name, "other"))
    publish(one)
    assert state_of_public(manifest_of(one), at.forge("")).state is expected


@pytest.mark.parametrize(
    ("states", "expected"),
    [
        ([], State.COMPLETE),
        ([State.COMPLETE, State.PENDING], State.PENDING),
        ([State.INCOMPLETE, State.PENDING], State.INCOMPLETE),
        ([State.INCOMPLETE, State.UNKNOWN], State.UNKNOWN),
        ([State.CONFLICTING, State.UNKNOWN, State.COMPLETE], State.CONFLICTING),
    ],
)
def test_the_worst_state_decides(states: list[State], expected: State) -> None:
    """The states have an order of severity."""
    assert worst(states) is expected


def test_a_listed_bill_of_materials_belongs_to_the_release(at: LocalForge, tmp_path: Path) -> None:
    """A release without one is incomplete, and one with other bytes is in conflict."""
    one = draft_inputs(at, tmp_path)
    sbom = one.stage.folder.write_sbom(f"{one.dists.wheels[0].name}.cdx.json", b"{}")
    stage = replace(one.stage, sboms=SBOMS)
    stage.make(StageContext({**one.context.products, SBOMS.by: Sboms(files=(sbom,))}))
    publish(one)
    manifest = replace(manifest_of(one), sboms=Sboms(files=(sbom,)).assets)
    assert state_of_public(manifest, at.forge("")).state is State.COMPLETE
    other = replace(manifest, sboms=tuple(replace(each, sha256=OTHER) for each in manifest.sboms))
    assert state_of_public(other, at.forge("")).state is State.CONFLICTING
    more = replace(manifest, sboms=tuple(replace(each, name="more.cdx.json") for each in manifest.sboms))
    assert state_of_public(more, at.forge("")).state is State.INCOMPLETE
