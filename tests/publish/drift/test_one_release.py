"""What is wrong with one release, by the states of its surfaces, which are values here."""

from __future__ import annotations

from pathlib import Path

import pytest
from tests.support.listed_index import listed_files
from tests.support.sample_values import sample_release

from unmoor.advice import NextStep
from unmoor.artifacts.manifest import Manifest
from unmoor.errors import Denied, Unknown, UnmoorError
from unmoor.images.held_images import HeldImages
from unmoor.ports.forge import ForgeAsset, ForgeRelease
from unmoor.ports.index import Holding
from unmoor.products import Dists, File
from unmoor.products.surface_state import Item, State, SurfaceState
from unmoor.publish.compare import FORGE
from unmoor.publish.drift.one_release import TagDrift, TagRules
from unmoor.publish.inventory import ForgeContent, FoundManifest, IndexContent, Inventory, TagState
from unmoor.publish.surface_states import TAG
from unmoor.util.values import replace

RELEASE = replace(sample_release(), tag="v1.0", version="1.0", commit="a" * 40)
COMMIT, ELSEWHERE = RELEASE.commit, "b" * 40
WHEEL = "small_one-1.0-py3-none-any.whl"
FILE = File(name=WHEEL, sha256="c" * 64, size=1, path=Path(WHEEL))
MANIFEST = Manifest.of(RELEASE, Dists(files=(FILE,)))
HELD = Holding(simple=listed_files({WHEEL: FILE.sha256}), json=None)
NOTHING = Holding(simple={}, json=None)
IMAGE = "ghcr.io/o/n"
DOWN = Unknown("it is on fire", next_step=NextStep("wait"))


def forge_release(
    number: int = 1, *, draft: bool = False, assets: tuple[str, ...] = (WHEEL, "manifest.json")
) -> ForgeRelease:
    """A release on the forge."""
    return ForgeRelease(
        id=number,
        tag="v1.0",
        target=COMMIT,
        name="v1.0",
        body="",
        draft=draft,
        prerelease=False,
        url=f"https://forge/{number}",
        upload_url="",
        assets=tuple(
            ForgeAsset(id=place, name=name, size=1, sha256=None, uploaded=True, url="")
            for place, name in enumerate(assets, 1)
        ),
    )


def inventory(
    *,
    public: ForgeRelease | None = None,
    drafts: tuple[ForgeRelease, ...] = (),
    holding: Holding | None = NOTHING,
    remote: str | None = COMMIT,
    hidden: UnmoorError | None = None,
    error: UnmoorError | None = None,
    tag_error: UnmoorError | None = None,
    known: bool = True,
) -> Inventory:
    """What every surface holds. ``known``: there is a manifest that is vouched for."""
    found = (FoundManifest(manifest=MANIFEST, where="here", vouched=True),) if known else ()
    return Inventory(
        release=RELEASE,
        tag=TagState(local=COMMIT, remote=remote, error=tag_error),
        forge=ForgeContent(public=public, drafts=drafts, hidden=hidden, error=error),
        index=IndexContent(name="pypi", page="https://index", holding=holding, error=None if holding else DOWN),
        staging=None,
        images=(HeldImages(name=IMAGE, page=""),),
        found=found,
    )


def item(name: str, state: State, note: str = "") -> Item:
    """An item of a surface."""
    return Item(name=name, state=state, expected="", seen=None, note=note)


def surface(name: str, *items: Item, note: str = "") -> SurfaceState:
    """A surface in the state of its worst item."""
    return SurfaceState.of(name, items, note=note)


def judge(content: Inventory, *states: SurfaceState, quarantined: bool = False) -> TagDrift:
    """Judge a release. Surfaces that are not given are whole."""
    given = {each.surface: each for each in states}
    whole = [SurfaceState(surface=name, state=State.COMPLETE) for name in (TAG, "pypi", FORGE, IMAGE)]
    return TagRules(
        inventory=content,
        states=tuple(given.get(each.surface, each) for each in whole),
        floating={"latest", "1"},
        command="unmoor release v1.0",
        highest="unmoor release v2.0",
        is_quarantined=quarantined,
    ).judge()


PUBLIC = forge_release()
WHOLE = inventory(public=PUBLIC, holding=HELD)
DRAFT = forge_release(2, draft=True)
LACKS = surface("pypi", item(WHEEL, State.INCOMPLETE))
OTHER = surface("pypi", item(WHEEL, State.CONFLICTING))
STALE = surface(IMAGE, item("latest", State.INCOMPLETE, "still another image: not moved yet"))
WRONG = surface(IMAGE, item("latest", State.CONFLICTING, "it points at this release, but should not: 2.0 is higher"))
UNSEEN = Denied("no token", next_step=NextStep("log in"))

ROWS: dict[str, tuple[tuple[Inventory, *tuple[SurfaceState, ...]], str]] = {
    "whole": ((WHOLE,), ""),
    "pending": ((WHOLE, surface("pypi", item(WHEEL, State.PENDING))), ""),
    "nothing": ((inventory(known=False), LACKS), "not-released"),
    "nothing, and no token": ((inventory(known=False, hidden=UNSEEN), LACKS), "not-released"),
    "nothing, and no remote tag": ((inventory(known=False, remote=None), LACKS), ""),
    "nothing known": ((inventory(known=False, holding=None),), ""),
    "draft": ((inventory(drafts=(DRAFT,)), LACKS), "draft-left"),
    "draft, index down": ((inventory(drafts=(DRAFT,), holding=None),), "draft-left"),
    "uploaded": ((inventory(holding=HELD),), "stopped"),
    "uploaded, moved": ((inventory(holding=HELD, remote=ELSEWHERE),), "stopped tag-moved"),
    "uploaded, forge down": ((inventory(holding=HELD, error=DOWN),), ""),
    "other bytes in part": ((inventory(holding=HELD), OTHER), "stopped index-differs"),
    "tag gone": ((inventory(public=PUBLIC, holding=HELD, remote=None),), "tag-gone"),
    "tag moved": ((inventory(public=PUBLIC, holding=HELD, remote=ELSEWHERE),), "tag-moved"),
    "remote down": ((inventory(public=PUBLIC, holding=HELD, remote=None, tag_error=DOWN),), ""),
    "second draft": ((inventory(public=PUBLIC, holding=HELD, drafts=(DRAFT,)),), "draft-left"),
    "file missing on the index": ((WHOLE, LACKS), "index-lacks-files"),
    "no file on the index": ((inventory(public=PUBLIC, known=False),), "index-lacks-files release-without-files"),
    "other bytes": ((WHOLE, OTHER), "index-differs"),
    "asset missing": (
        (inventory(public=forge_release(assets=("manifest.json",)), holding=HELD),),
        "release-without-files",
    ),
    "other asset": ((WHOLE, surface(FORGE, item(WHEEL, State.CONFLICTING))), "release-differs"),
    "wrong mark": ((WHOLE, surface(FORGE, note="marked as a prerelease, but is not")), "release-differs"),
    "image missing": ((WHOLE, surface(IMAGE, item("1.0", State.INCOMPLETE))), "image-missing"),
    "another image": ((WHOLE, surface(IMAGE, item("1.0", State.CONFLICTING))), "image-differs"),
    "stale": ((WHOLE, STALE), "image-tag-stale"),
    "wrongly here": ((WHOLE, WRONG), "image-tag-stale"),
}


@pytest.mark.parametrize("row", ROWS)
def test_a_state_has_its_findings(row: str) -> None:
    """One finding stands for what it explains."""
    given, ids = ROWS[row]
    assert [each.finding for each in judge(*given).findings] == ids.split()


@pytest.mark.parametrize("row", [name for name, (_, ids) in ROWS.items() if ids])
def test_a_finding_says_where_and_what_to_do(row: str) -> None:
    """Its state is one of those that have an exit code."""
    for each in judge(*ROWS[row][0]).findings:
        assert each.tag == "v1.0"
        assert each.surface
        assert each.what
        assert each.next_step
        assert each.advice
        assert each.state in {State.INCOMPLETE, State.CONFLICTING}


@pytest.mark.parametrize(
    ("given", "step"),
    [
        ((inventory(known=False), LACKS), "release it: unmoor release v1.0"),
        ((WHOLE, STALE), "release it: unmoor release v1.0"),
        ((WHOLE, WRONG), "release it: unmoor release v2.0"),
        ((inventory(public=PUBLIC, holding=HELD, drafts=(DRAFT,)),), "https://forge/2"),
        ((inventory(public=PUBLIC, holding=HELD, remote=None),), f"git push origin {COMMIT}:refs/tags/v1.0"),
    ],
    ids=["nothing", "stale", "wrongly here", "second draft", "tag gone"],
)
def test_what_mends_a_finding(given: tuple[Inventory, *tuple[SurfaceState, ...]], step: str) -> None:
    """A floating tag that is wrongly on this release is moved by the release that it belongs to."""
    (finding,) = judge(*given).findings
    assert step in finding.next_step


def test_a_quarantine_hides_files() -> None:
    """Nobody deleted them: the project has a finding, and its releases have none."""
    hidden = inventory(public=PUBLIC, holding=NOTHING)
    assert judge(hidden, LACKS, quarantined=True).findings == ()
    assert judge(hidden, LACKS).findings != ()


def test_yanked_files_are_named() -> None:
    """All of them, or those that are."""
    listed = {name: replace(each, yanked=True) for name, each in HELD.simple.items()}
    (finding,) = judge(inventory(public=PUBLIC, holding=Holding(simple=listed, json=None))).findings
    assert (finding.finding, finding.what) == ("yanked", "is yanked")
    more = {**listed, **listed_files({"small_one-1.0.tar.gz": "d" * 64})}
    (finding,) = judge(inventory(public=PUBLIC, holding=Holding(simple=more, json=None))).findings
    assert finding.what == f"yanked: {WHEEL}"


def test_what_is_unknown_is_kept_apart() -> None:
    """With the reason that the surface gives, or that of the item."""
    down = SurfaceState(surface="pypi", state=State.UNKNOWN, note="it answered 403")
    nobody = surface(IMAGE, item("latest", State.UNKNOWN, "cannot determine"))
    drift = judge(inventory(public=PUBLIC, holding=None), down, nobody)
    assert drift.findings == ()
    assert [(each.surface, each.why, each.tags) for each in drift.unknown] == [
        ("pypi", "it answered 403", ("v1.0",)),
        (IMAGE, "latest: cannot determine", ("v1.0",)),
    ]
