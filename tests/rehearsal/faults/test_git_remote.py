"""The faults of a remote change what a client of it sees, and say when there was nothing to change."""

from __future__ import annotations

import subprocess
from pathlib import Path

import pytest
from tests.support.git_repos import Repo

from unmoor.rehearsal.faults.catalogue import FAULTS, FaultKind
from unmoor.rehearsal.faults.git_remote import carry_out

TAG = "v1.0"


@pytest.fixture
def repo(tmp_path: Path) -> Repo:
    """Return a checkout with an annotated tag that its remote has."""
    made = Repo.new(tmp_path / "checkout")
    made.git("tag", "--annotate", "--message", "The first", TAG)
    made.remote(tmp_path / "remote.git")
    return made


def tag(repo: Repo) -> list[str]:
    """Return what the remote says of the tag: the object and the commit, one if it is not annotated."""
    return [line.split()[0] for line in repo.git("ls-remote", "origin", f"refs/tags/{TAG}*").splitlines()]


@pytest.mark.parametrize("fault", [name for name, each in FAULTS.items() if each.kind is FaultKind.REMOTE])
def test_what_a_fault_does(repo: Repo, tmp_path: Path, fault: str) -> None:
    """The tag leads elsewhere, is gone, or is a plain one; or nobody can push."""
    before, remote = tag(repo), tmp_path / "remote.git"
    assert carry_out(fault, remote, TAG)
    after = tag(repo)
    match fault:
        case "moved-tag":
            assert len(after) == 1
            assert after[0] not in before
        case "deleted-tag":
            assert after == []
        case "remade-tag":
            assert after == before[1:]
        case _:
            assert after == before
            with pytest.raises(subprocess.CalledProcessError):
                repo.git("push", "origin", "HEAD:refs/heads/another")


@pytest.mark.parametrize("name", ["", "v9.9"])
def test_nothing_to_change(repo: Repo, tmp_path: Path, name: str) -> None:
    """A tag that is not there is not changed, and the remote stays as it is."""
    before = tag(repo)
    for fault in ("moved-tag", "deleted-tag", "remade-tag"):
        assert not carry_out(fault, tmp_path / "remote.git", name)
    assert tag(repo) == before
