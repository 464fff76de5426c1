"""What the judge reads of a git remote."""

from __future__ import annotations

from pathlib import Path

import pytest
from tests.support.git_repos import Repo

from unmoor.rehearsal.invariants.stores import commit_of


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


def test_a_remote_without_refs(tmp_path: Path) -> None:
    """It has no commit of any tag."""
    assert commit_of(tmp_path, "refs/tags/v1") is None
