"""Faults of the client's side change the checkout or the run folder of a round before its first run."""

from __future__ import annotations

from pathlib import Path

import pytest
from tests.support.git_repos import Repo

from unmoor.rehearsal.chaos import own_faults
from unmoor.rehearsal.chaos.folders import CHECKOUT, WorldFolder
from unmoor.rehearsal.faults.catalogue import FAULTS, FaultKind
from unmoor.rehearsal.faults.injection import Injection, Plan, parse
from unmoor.rehearsal.invariants.evidence import Expected


@pytest.fixture
def folder(tmp_path: Path) -> WorldFolder:
    """The folder of a round, with a checkout at a tag and two built files."""
    repo = Repo.new(tmp_path / CHECKOUT, {"pyproject.toml": "[project]\n"})
    repo.git("tag", "v1.0")
    made = WorldFolder(tmp_path, "v1.0")
    (made.run / "dists").mkdir(parents=True)
    for name in ("a.whl", "b.tar.gz"):
        (made.run / "dists" / name).write_bytes(b"0123456789")
    return made


def change(folder: WorldFolder, fault: str) -> bool:
    """Put a fault in place."""
    expected = Expected(repository="acme/small", project="small", tag="v1.0", version="1.0", commit="c" * 40, files={})
    return own_faults.change(Injection(fault=fault, service="start", route="checkout"), folder, expected)


def git(folder: WorldFolder, *args: str) -> str:
    """Run git in the checkout."""
    return Repo(folder.checkout).git(*args)


def test_each_changes_what_it_says(folder: WorldFolder) -> None:
    """Files, tags and history differ afterwards as the catalogue describes."""
    assert all(change(folder, fault) for fault in ("tampered-dist", "dirty-tree", "odd-tag", "two-tags"))
    assert (folder.run / "dists/a.whl").read_bytes() == b"0123456789"
    assert (folder.run / "dists/b.tar.gz").read_bytes() == b"01234\x346789"
    assert "M pyproject.toml" in git(folder, "status", "--porcelain")
    tags = git(folder, "tag", "--points-at", "v1.0").split()
    assert {"v1.0", "v1.0rc9999", "vnext"} < set(tags)
    assert any("$(touch" in tag for tag in tags)
    assert change(folder, "shallow-clone")
    assert git(folder, "rev-parse", "--is-shallow-repository") == "true"
    assert change(folder, "files-lost")
    assert not (folder.run / "dists").exists()


@pytest.mark.parametrize(
    ("tag", "added"),
    [("v1.0", "v1.0rc9999"), ("1.0.post1", "1.0rc9999"), ("h11-v1.0", "h11-v1.0rc9999"), ("v1.0rc1", "")],
    ids=["v", "post", "prefix", "candidate"],
)
def test_the_second_tag_is_a_candidate_of_the_version(folder: WorldFolder, tag: str, added: str) -> None:
    """It is spelled as the project spells its tags, and no notes name it as the release before."""
    git(folder, "tag", "--force", tag)
    before = set(git(folder, "tag").split())
    assert change(WorldFolder(folder.path, tag), "two-tags") is bool(added)
    assert set(git(folder, "tag").split()) - before == ({added} if added else set())


OF_BUILT = [each.name for each in FAULTS.values() if each.of_built]


@pytest.mark.parametrize("fault", OF_BUILT)
def test_without_built_files_nothing_is_done(tmp_path: Path, fault: str) -> None:
    """A round from nothing has none, so the fault counts as never met, and no such round has it."""
    folder = WorldFolder(tmp_path, "v1.0")
    folder.checkout.mkdir()
    folder.state.mkdir(mode=0o700)
    assert change(folder, fault) is False


def test_only_faults_before_the_run_are_taken_from_a_plan() -> None:
    """The others are for the servers and for the journal."""
    texts = ("second-run@start:run#1", "down@pypi:POST /legacy/#1", "KILL@journal:pypi/made#1")
    own = own_faults.of_plan(Plan(injections=tuple(map(parse, texts))))
    assert [str(each) for each in own] == [texts[0]]
    assert own_faults.runs_beside(own) == 1


def test_every_fault_of_the_start_is_carried_out() -> None:
    """The catalogue has no other."""
    assert {each.name for each in FAULTS.values() if each.kind is FaultKind.START} == own_faults.CHANGES
