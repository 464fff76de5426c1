"""What the judge reads of a git repository."""

from __future__ import annotations

from pathlib import Path

import pytest
from tests.support.git_repos import Repo

from unmoor.rehearsal.invariants.git_objects import branches, commit_of, packed


@pytest.mark.parametrize("packed", ["loose", "packed", "moved"])
@pytest.mark.parametrize("kind", ["light", "annotated"])
def test_the_commit_of_a_tag(tmp_path: Path, kind: str, packed: str) -> None:
    """As git says, for either kind of tag, in a file of its own or in the packed ones."""
    repo = Repo.new(tmp_path / "repo", {"a": "1"})
    remote = tmp_path / "remote.git"
    annotate = ["--annotate", "--message", "1"] if kind == "annotated" else []
    repo.git("tag", *annotate, "v1")
    repo.git("clone", "--quiet", "--bare", str(repo.path), str(remote))
    if packed == "loose":
        repo.git("tag", *annotate, "v2")
        repo.git("push", "--quiet", str(remote), "v2")
    if packed == "moved":
        repo.commit({"a": "2"})
        repo.git("tag", *annotate, "--force", "v1")
        repo.git("push", "--quiet", "--force", str(remote), "v1")
    tag = "v2" if packed == "loose" else "v1"
    assert commit_of(remote, f"refs/tags/{tag}") == repo.git("rev-parse", f"{tag}^{{commit}}")
    assert commit_of(remote, "refs/tags/v") is None


def test_no_repository(tmp_path: Path) -> None:
    """What cannot be read is not taken for a repository without tags."""
    with pytest.raises(ValueError, match="not a git repository"):
        commit_of(tmp_path, "refs/tags/v1")
    with pytest.raises(ValueError, match="not a git repository"):
        branches(tmp_path)


def test_trees_of_branches(tmp_path: Path) -> None:
    """Two branches with the same files have one tree, whatever their commits."""
    repo = Repo.new(tmp_path / "repo", {"a": "1"})
    repo.git("branch", "docs/site")
    repo.git("commit", "--quiet", "--allow-empty", "-m", "nothing")
    tree = repo.git("rev-parse", "HEAD^{tree}")
    assert branches(repo.path / ".git") == {"main": tree, "docs/site": tree}


def test_objects_of_a_pack(tmp_path: Path) -> None:
    """Every object is there in whole, also one that the pack keeps as a difference from another."""
    long = "".join(f"line {number}\n" for number in range(500))
    repo = Repo.new(tmp_path / "repo", {"a": long, "empty": ""})
    repo.commit({"a": f"{long}the end\n"})
    repo.git("repack", "-adq", "--window=10", "--depth=10")
    (pack,) = (repo.path / ".git/objects/pack").glob("*.pack")
    found = set(packed(pack))
    assert {long.encode(), f"{long}the end\n".encode(), b""} < found
    assert len(found) == int(repo.git("rev-list", "--all", "--objects", "--count"))
    pack.with_suffix(".idx").unlink()
    with pytest.raises(OSError, match=r"\.idx"):
        list(packed(pack))
