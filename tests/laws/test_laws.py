"""One suite over every stage of the real assembly: a new stage gets these tests by being in it."""

from __future__ import annotations

import hashlib
from collections.abc import Iterator
from dataclasses import dataclass, field, replace
from pathlib import Path

import pytest
from tests.voyage import Yard, small, yard

from unmoor.adapters.processes import Processes
from unmoor.cli import session
from unmoor.errors import Conflict
from unmoor.pipeline import AnyStage
from unmoor.products import Dists, Draft
from unmoor.stage import Check, Findable, Have, Left, Push, Reach, Seal, Undone

NAMES = (
    *("tag", "access", "notes", "dists", "check-dists", "prove-dists"),
    *("draft", "testpypi", "prove-testpypi", "pypi", "undraft", "verify"),
)
BOUND_TO_DIGESTS = {"prove-dists", "prove-testpypi"}
"""Their products are found by the files' digests: other bytes are simply not proven."""

pytestmark = pytest.mark.journey


@dataclass
class Seen:
    """What one stage did on the way."""

    stage: AnyStage
    plan: str = ""
    plan_changed: list[str] = field(default_factory=list)
    empty: object = None
    made: object = None
    kept: object = None
    found: object = None
    other_bytes: BaseException | None = None
    found_other: object = None
    undone: Undone | Left | None = None
    after_undo: object = None
    remedy: str = ""


@pytest.fixture(scope="module")
def voyage(tmp_path_factory: pytest.TempPathFactory) -> Iterator[dict[str, Seen]]:
    """Walk through the pipeline once, over an empty world, and write down what each stage did."""
    folder = tmp_path_factory.mktemp("laws")
    with yard(folder, small(folder / "small")) as place, Processes() as processes:
        asked = session.Asked(
            folder=place.repo.path, tag="v1.0", world=place.world_file, limit=Reach.FINAL, rehearsing=True
        )
        opened = session.opened(asked, processes)
        opened.folder.open()
        seen: dict[str, Seen] = {}
        products: dict[str, object] = {}
        for stage in opened.pipeline:
            seen[stage.name] = observed(stage, Have(products), place)
            products[stage.name] = seen[stage.name].kept
        yield seen


def observed(stage: AnyStage, have: Have, place: Yard) -> Seen:
    """Plan, look, make, look, look for other bytes, undo, look, and make again."""
    seen = Seen(stage)
    before = state(place)
    seen.plan = stage.plan()
    seen.plan_changed = sorted(name for name, _ in before ^ state(place))
    if isinstance(stage, Findable):
        seen.empty = stage.find(have)
    seen.made = seen.kept = stage.make(have)
    if isinstance(stage, Findable):
        seen.found = stage.find(have)
        try:
            seen.found_other = stage.find(otherwise(stage, have, seen.made))
        except Conflict as error:
            seen.other_bytes = error
        finally:
            restore(seen.made)
    if isinstance(stage, Push):
        seen.undone = stage.undo(seen.made)
        seen.after_undo = stage.find(have)
        if isinstance(seen.undone, Undone):
            seen.kept = stage.make(have)
    if isinstance(stage, Seal):
        seen.remedy = stage.remedy(seen.made)
    return seen


def otherwise(stage: AnyStage, have: Have, made: object) -> Have:
    """The same names with other bytes: in what the stage reads, or in what it made."""
    if isinstance(made, Dists):
        made.files[0].path.write_bytes(b"other" + made.files[0].path.read_bytes())
        return have
    products = dict(have.products)
    for promise in stage.inputs:
        product = products[promise.by]
        if isinstance(product, Dists):
            files = tuple(replace(f, sha256=hashlib.sha256(f.name.encode()).hexdigest()) for f in product.files)
            products[promise.by] = Dists(files=files)
        if isinstance(product, Draft):
            products[promise.by] = replace(product, id=product.id + 1000)
    return Have(products)


def restore(made: object) -> None:
    """Give a built file its own bytes back."""
    if isinstance(made, Dists):
        path = made.files[0].path
        path.write_bytes(path.read_bytes().removeprefix(b"other"))


def state(place: Yard) -> set[tuple[str, str]]:
    """Every file of the checkout and of the world, by its hash."""
    roots = (place.repo.path, place.world)
    return {
        (str(path), hashlib.sha256(path.read_bytes()).hexdigest())
        for root in roots
        for path in Path(root).rglob("*")
        if path.is_file()
    }


def test_the_suite_runs_over_every_stage(voyage: dict[str, Seen]) -> None:
    """The names below are the stages of the assembly, all of them, in order."""
    assert tuple(voyage) == NAMES


@pytest.mark.parametrize("name", NAMES)
def test_a_plan_says_something_and_changes_nothing(voyage: dict[str, Seen], name: str) -> None:
    """A plan is one line of words; no file of the checkout or of the world changes, and nobody is asked."""
    seen = voyage[name]
    assert len(seen.plan.split()) > 3
    assert "\n" not in seen.plan
    assert seen.plan_changed == []


@pytest.mark.parametrize("name", NAMES)
def test_an_empty_world_finds_nothing(voyage: dict[str, Seen], name: str) -> None:
    """Before it was made it is absent."""
    assert voyage[name].empty is None


@pytest.mark.parametrize("name", NAMES)
def test_what_was_made_is_found_equal(voyage: dict[str, Seen], name: str) -> None:
    """Right after it was made, the world holds the very same product."""
    seen = voyage[name]
    if not isinstance(seen.stage, Check):
        assert seen.found == seen.made


@pytest.mark.parametrize("name", NAMES)
def test_the_same_name_with_other_bytes_is_a_conflict(voyage: dict[str, Seen], name: str) -> None:
    """Other bytes under the same name are never found, and never taken for absent; a proof is simply not theirs."""
    seen = voyage[name]
    if isinstance(seen.stage, Check):
        return
    if name in BOUND_TO_DIGESTS:
        assert seen.found_other is None
        assert seen.other_bytes is None
    else:
        assert isinstance(seen.other_bytes, Conflict)


@pytest.mark.parametrize("name", NAMES)
def test_undo_takes_back_or_says_why_not(voyage: dict[str, Seen], name: str) -> None:
    """After undo it is absent, or there was an answer why it stays."""
    seen = voyage[name]
    match seen.undone:
        case Undone(what):
            assert what
            assert seen.after_undo is None
        case Left(why):
            assert why
            assert seen.after_undo == seen.made
        case None:
            assert not isinstance(seen.stage, Push)


@pytest.mark.parametrize("name", NAMES)
def test_what_is_final_has_a_remedy(voyage: dict[str, Seen], name: str) -> None:
    """A final stage says what a person can still do."""
    seen = voyage[name]
    assert bool(seen.remedy) is isinstance(seen.stage, Seal)
