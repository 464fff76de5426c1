"""Clones of a commit that nobody has released: no tag on it, another version in its files."""

from __future__ import annotations

from pathlib import Path

import pytest
from tests.support.git_repos import Repo

from unmoor.adapters.git.untagged import UntaggedCheckout, VersionEdit
from unmoor.adapters.process.shell import LocalShell
from unmoor.project.written_version import WrittenVersion


@pytest.fixture
def repo(tmp_path: Path) -> Repo:
    """A release, two commits after it, and a tag on the last one."""
    repo = Repo.new(tmp_path / "repo", {"a.txt": "name\nversion 1.0\n", "b.txt": "'1.0'"})
    repo.git("tag", "-a", "v1.0", "-m", "v1.0")
    repo.commit({"c.txt": "c\n"})
    repo.commit({"c.txt": "d\n"})
    repo.git("tag", "v1.1")
    repo.git("tag", "-a", "v1.1rc1", "-m", "v1.1rc1")
    return repo


@pytest.mark.parametrize("tag", ["", "v1.1", "v1.1rc1", "v9"])
def test_no_tag_is_on_the_commit(repo: Repo, shell: LocalShell, tmp_path: Path, tag: str) -> None:
    """Only tags of other commits are in a clone, so that git counts from the last release before the commit."""
    head = repo.git("rev-parse", "HEAD")
    UntaggedCheckout(repo.path, shell).clone(tmp_path / "clone", commit=head, tag=tag)
    clone = Repo(tmp_path / "clone")
    assert clone.git("tag") == "v1.0"
    assert clone.git("describe", "--dirty") == f"v1.0-2-g{head[:7]}"


def test_a_version_is_replaced_in_the_clone_only(repo: Repo, shell: LocalShell, tmp_path: Path) -> None:
    """Every place gets the version, and nothing else changes: neither in the clone nor in the checkout."""
    before = repo.state()
    places = (
        WrittenVersion(path="a.txt", line=2, column=8, text="1.0"),
        WrittenVersion(path="b.txt", line=1, column=1, text="1.0"),
    )
    git = UntaggedCheckout(repo.path, shell, edit=VersionEdit(places=places, version="1.1.dev0+g1234567"))
    folder = git.clone(tmp_path / "clone", commit=repo.git("rev-parse", "HEAD"), tag="")
    assert {path.name: path.read_text() for path in folder.glob("*.txt")} == {
        "a.txt": "name\nversion 1.1.dev0+g1234567\n",
        "b.txt": "'1.1.dev0+g1234567'",
        "c.txt": "d\n",
    }
    assert repo.state() == before


def test_which_commit_continues_from_which(repo: Repo, shell: LocalShell) -> None:
    """A later commit of the same history does; the commit itself, an earlier, a foreign and an unknown one do not."""
    first, last = repo.git("rev-parse", "v1.0^{commit}"), repo.git("rev-parse", "HEAD")
    repo.git("checkout", "-q", "--orphan", "other")
    foreign = repo.commit({"e.txt": "e\n"})
    git = UntaggedCheckout(repo.path, shell)
    assert git.precedes(first, last)
    for other in (first, foreign, "f" * 40):
        assert not git.precedes(first, other)
    assert not git.precedes(last, first)
