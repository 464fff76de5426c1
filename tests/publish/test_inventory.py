"""The inventory of a release: indexes as values, the forge of a local world, a git remote as a value."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, cast

import pytest
from tests.support.beliefs import SignatureList, anything
from tests.support.listed_index import FakeIndex, listed_files
from tests.support.local_forge import DraftInputs, LocalForge, draft_inputs, start_forge, text_file

from unmoor.advice import NextStep
from unmoor.artifacts import manifest as manifests
from unmoor.artifacts.belief import Belief
from unmoor.artifacts.manifest import Manifest
from unmoor.errors import Denied, Interrupted, Unknown, UnmoorError
from unmoor.ports.forge import Forge
from unmoor.ports.index import Holding
from unmoor.ports.signer import UnreadableSignature
from unmoor.products import Release
from unmoor.products.surface_state import State, SurfaceState
from unmoor.publish.finishing import how_to_finish
from unmoor.publish.inventory import Extent, Inventory, OwnManifest, take_inventory
from unmoor.publish.surface_states import SurfaceStates
from unmoor.util.values import replace

NOTHING = Holding(simple={}, json={})
DOWN = Unknown("it is on fire", next_step=NextStep("wait"))
ELSEWHERE = "e" * 40
OTHER = "b" * 64


@dataclass(frozen=True)
class FakeGit:
    """A remote with these tags, or one that cannot be read."""

    tags: Mapping[str, str] | Exception = field(default_factory=dict)

    def remote_tags(self) -> Mapping[str, str]:
        """Return the tags, or raise."""
        if isinstance(self.tags, Exception):
            raise self.tags
        return self.tags

    def date_of(self, commit: str) -> int:
        """Fail as a checkout does that lacks the commit."""
        raise Unknown(f"no commit {commit}", next_step=NextStep("fetch it"))


@pytest.fixture(scope="module")
def at(tmp_path_factory: pytest.TempPathFactory) -> Iterator[LocalForge]:
    """One world for this module; every test has its own tags."""
    with start_forge(tmp_path_factory.mktemp("inventory")) as running:
        yield running


def manifest_of(one: DraftInputs) -> Manifest:
    """The manifest as the draft has it."""
    return Manifest.of(one.release, one.dists, (one.proof,))


def digests_of(one: DraftInputs) -> dict[str, str | None]:
    """The sha256 of each file."""
    return {file.name: file.sha256 for file in one.dists.files}


def holding(digests: Mapping[str, str | None]) -> Holding:
    """An index that holds these files."""
    return Holding(simple=listed_files(digests), json=None)


def take(
    one: DraftInputs,
    forge: Forge,
    *,
    index: Holding | BaseException = NOTHING,
    staging: Holding | BaseException | None = None,
    own: Manifest | None = None,
    vouched: bool = False,
    belief: Belief | None = None,
    tags: Mapping[str, str] | Exception | None = None,
    local: str | None = None,
) -> Inventory:
    """Take the inventory of a release. By default its tag is where it should be."""
    git = FakeGit({one.release.tag: one.release.commit} if tags is None else tags)
    return take_inventory(
        replace(one.release, commit=one.release.commit if local is None else local),
        git=cast("Any", git),
        forge=forge,
        index=FakeIndex(index),
        staging=FakeIndex(staging, name="testpypi") if staging is not None else None,
        own=OwnManifest(manifest=own, where="here", belief=belief or (anything() if vouched else Belief())),
    )


def judge(inventory: Inventory, forge: Forge) -> dict[str, SurfaceState]:
    """The state of each surface."""

    def highest() -> Release:
        raise AssertionError

    states = SurfaceStates(
        inventory=inventory, forge=forge, registry=cast("Any", None), plans=(), highest=highest
    ).read()
    return {each.surface: each for each in states}


def publish(one: DraftInputs) -> None:
    """Publish the draft of a release."""
    (forge_release,) = one.stage.forge.releases(one.release.tag)
    one.stage.forge.publish(forge_release, prerelease=False, latest=False)


@pytest.mark.parametrize(
    ("fault", "vouched", "doubt"),
    [
        ("", True, ""),
        ("the commit is another", False, "its signature does not count: the commit is another"),
        (UnreadableSignature("no JSON"), False, "its signature does not count: no JSON"),
        (DOWN, False, "whether its signature counts is unknown: it is on fire"),
    ],
    ids=["good", "another's", "garbage", "unknown"],
)
def test_what_is_said_of_a_signed_manifest(
    at: LocalForge, tmp_path: Path, fault: str | UnmoorError, doubt: str, *, vouched: bool
) -> None:
    """What cannot be judged does not count, the reason is kept, and the manifest is still seen."""
    one = draft_inputs(at, tmp_path)
    one.stage.make(one.context)
    (made,) = at.forge().releases(one.release.tag)
    at.forge().attach(made, text_file(tmp_path / "manifest.json.sigstore.json", "a signature"))
    inventory = take(one, at.forge(), belief=Belief(signatures=SignatureList({b"a signature": fault})))
    assert inventory.best is not None
    assert inventory.best.vouched is vouched
    assert inventory.best.doubt.startswith(doubt)
    assert bool(inventory.best.doubt) is bool(doubt)
    assert not inventory.forge.unread


def test_a_failure_of_one_surface_hides_no_other(at: LocalForge, tmp_path: Path) -> None:
    """A surface that cannot be read is unknown, with the reason; it is never absent, and the others are judged."""
    one = draft_inputs(at, tmp_path)
    own = manifest_of(one)
    whole = holding(digests_of(one))
    inventory = take(one, at.forge(""), index=whole, staging=DOWN, own=own, tags=DOWN)
    states = judge(inventory, at.forge(""))
    assert {name: each.state for name, each in states.items()} == {
        "tag": State.UNKNOWN,
        "testpypi": State.UNKNOWN,
        "pypi": State.COMPLETE,
        "forge": State.INCOMPLETE,
    }
    assert "on fire" in states["testpypi"].note
    assert [name for name, _ in inventory.errors] == ["testpypi"]
    assert not inventory.empty
    assert inventory.staging is not None
    assert inventory.extent(inventory.staging) is Extent.UNKNOWN


@pytest.mark.parametrize("surface", ["index", "staging", "tags"])
def test_an_interruption_ends_the_inventory(at: LocalForge, tmp_path: Path, surface: str) -> None:
    """Whichever surface is being read."""
    one = draft_inputs(at, tmp_path)
    with pytest.raises(Interrupted):
        take(one, at.forge(""), **{surface: Interrupted("stop", next_step=NextStep())})  # type: ignore[arg-type]


def test_the_manifest_that_counts_is_one_that_is_vouched_for(at: LocalForge, tmp_path: Path) -> None:
    """That of this machine, else one on the forge whose digest is vouched for, else any, marked as such."""
    one = draft_inputs(at, tmp_path)
    one.stage.make(one.context)
    other = replace(manifest_of(one), proofs=())
    (draft,) = one.stage.forge.releases(one.release.tag)
    for own, vouched, where in ((other, False, "here"), (None, True, draft.url), (None, False, draft.url)):
        found = take(one, at.forge(), own=own, vouched=vouched)
        assert found.best is not None
        assert (found.best.where, found.best.vouched) == (where, own is not None or vouched)
    assert take(one, at.forge("")).best is None
    publish(one)
    public = take(one, at.forge("")).best
    assert public is not None
    assert manifests.encode(public.manifest) == manifests.encode(manifest_of(one))


def test_a_manifest_of_another_tag_says_nothing(at: LocalForge, tmp_path: Path) -> None:
    """A copied folder, or an asset of another release, is not used."""
    one = draft_inputs(at, tmp_path)
    assert take(one, at.forge(""), own=replace(manifest_of(one), tag="v0.0")).best is None


def test_drafts_that_cannot_be_seen_are_not_absent(at: LocalForge, tmp_path: Path) -> None:
    """Without a token, and with one that may only read, drafts are hidden, and the reason is known."""
    one = draft_inputs(at, tmp_path)
    one.stage.make(one.context)
    seen = [take(one, at.forge(token)).forge for token in (None, "", at.read_token)]
    assert [len(each.drafts) for each in seen] == [1, 0, 0]
    assert [type(each.hidden) for each in seen] == [type(None), Denied, Unknown]
    note = judge(take(one, at.forge()), at.forge())["forge"].note
    assert "there is a draft at" in note


Change = Callable[[dict[str, str | None]], dict[str, str | None]]
EXTENTS: dict[str, tuple[Change, Extent]] = {
    "nothing": (lambda _: {}, Extent.NONE),
    "one of two": (lambda d: dict(list(d.items())[:1]), Extent.SOME),
    "all": (lambda d: d, Extent.ALL),
    "all and one more": (lambda d: {**d, "demo-1.0-1-py3-none-any.whl": OTHER}, Extent.ALL),
    "other bytes": (lambda d: dict.fromkeys(d, OTHER), Extent.SOME),
    "no hashes": (dict.fromkeys, Extent.SOME),
}


@pytest.mark.parametrize("case", EXTENTS)
def test_how_much_an_index_holds(at: LocalForge, tmp_path: Path, case: str) -> None:
    """By digest, as the manifest says. Without a manifest, files are never known to be all."""
    change, extent = EXTENTS[case]
    one = draft_inputs(at, tmp_path)
    held = holding(change(digests_of(one)))
    known = take(one, at.forge(""), index=held, own=manifest_of(one))
    assert known.extent(known.index) is extent
    unknown = take(one, at.forge(""), index=held)
    assert unknown.extent(unknown.index) is (Extent.NONE if extent is Extent.NONE else Extent.SOME)


def test_manifests_that_disagree_must_all_be_satisfied(at: LocalForge, tmp_path: Path) -> None:
    """Nobody vouches for either, so that the index holds all files of one of them does not mean that it holds all."""
    one = draft_inputs(at, tmp_path)
    one.stage.make(one.context)
    less = replace(manifest_of(one), artifacts=manifest_of(one).artifacts[:1])
    forge = at.forge()
    second = forge.draft(
        tag=one.release.tag, target=one.release.commit, name=one.release.tag, body="- Other\n", prerelease=False
    )
    path = tmp_path / "second" / manifests.NAME
    path.parent.mkdir()
    path.write_bytes(manifests.encode(less))
    from unmoor.artifacts.files import describe_file

    forge.attach(second, describe_file(path))
    held = holding({each.name: each.sha256 for each in less.artifacts})
    found = take(one, forge, index=held)
    assert len(found.found) == 2
    assert found.extent(found.index) is Extent.SOME
    assert any("delete by hand all drafts but the right one" in step for step in how_to_finish(found))


@pytest.mark.parametrize(
    ("tags", "state", "words"),
    [
        pytest.param(None, State.COMPLETE, "", id="there"),
        pytest.param({}, State.INCOMPLETE, "is not on the remote", id="deleted"),
        pytest.param({"TAG": ELSEWHERE}, State.CONFLICTING, f"names commit {ELSEWHERE} on the remote", id="moved"),
        pytest.param(DOWN, State.UNKNOWN, "on fire", id="unreadable"),
    ],
)
@pytest.mark.parametrize("local", [None, "", ELSEWHERE], ids=["here", "no tag here", "another here"])
def test_the_tag_is_compared_with_the_commit_of_the_release(
    *, at: LocalForge, tmp_path: Path, tags: Any, state: State, words: str, local: str | None
) -> None:
    """The draft says which commit that is, whatever the tag in this checkout names; both commits are given."""
    one = draft_inputs(at, tmp_path)
    one.stage.make(one.context)
    remote = {one.release.tag: tags["TAG"]} if isinstance(tags, dict) and tags else tags
    inventory = take(one, at.forge(), tags=remote, local=local)
    assert inventory.release.commit == one.release.commit
    seen = judge(inventory, at.forge())["tag"]
    assert seen.state is state
    text = seen.note + "".join(item.note for item in seen.items)
    assert words in text
    assert (one.release.commit in text) is (state in {State.INCOMPLETE, State.CONFLICTING})


def test_without_a_release_the_tag_says_the_commit(at: LocalForge, tmp_path: Path) -> None:
    """Nothing is anywhere, so a tag that differs here and on the remote conflicts."""
    one = draft_inputs(at, tmp_path)
    same = take(one, at.forge())
    assert (same.empty, judge(same, at.forge())["tag"].state) == (True, State.COMPLETE)
    other = take(one, at.forge(), tags={one.release.tag: ELSEWHERE})
    assert judge(other, at.forge())["tag"].state is State.CONFLICTING
